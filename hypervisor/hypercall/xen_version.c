/* SPDX-License-Identifier: BSD-2-Clause */
/* xen_version: which interface this is and what it can do. */

#include <abi/version.h>

#include "domain/domain.h"
#include "domain/vcpu.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/direct_map.h"
#include "pv/guest_copy.h"

static long give(struct guest_ptr arg, const void *answer, size_t size)
{
    return copy_to_guest(arg, answer, size);
}

static long give_extraversion(struct guest_ptr arg)
{
    static const struct xen_extraversion answer = {.text = ".0-cairn"};

    return give(arg, &answer, sizeof(answer));
}

/* Nothing of the machine it was made on: two builds are the same bytes. */
static long give_compile_info(struct guest_ptr arg)
{
    static const struct xen_compile_info answer = {
        .compiler = "gcc",
        .compile_by = "cairn",
        .compile_domain = "",
        .compile_date = "",
    };

    return give(arg, &answer, sizeof(answer));
}

static long give_capabilities(struct guest_ptr arg)
{
    static const struct xen_capabilities answer = {.text = "xen-3.0-x86_64 "};

    return give(arg, &answer, sizeof(answer));
}

static long give_changeset(struct guest_ptr arg)
{
    static const struct xen_changeset answer = {.text = ""};

    return give(arg, &answer, sizeof(answer));
}

static long give_platform_parameters(struct guest_ptr arg)
{
    static const struct xen_platform_parameters answer = {
        .virt_start = HV_VIRT_START,
    };

    return give(arg, &answer, sizeof(answer));
}

/* Class light; the initial domain is told that it is one. */
static uint32_t features_of(const struct domain *d)
{
    uint32_t features =
        1U << XENFEAT_auto_translated_physmap | 1U << XENFEAT_highmem_assist |
        1U << XENFEAT_gnttab_map_avail_bits | 1U << XENFEAT_cairn;

    if (d == initial_domain)
        features |= 1U << XENFEAT_dom0;
    return features;
}

static long get_features(struct guest_ptr arg)
{
    struct xen_feature_info info;
    int rc = copy_from_guest(&info, arg, sizeof(info));

    if (rc)
        return rc;
    if (info.submap_idx > 0)
        return -EINVAL;
    info.submap = features_of(current->domain);
    return give(arg, &info, sizeof(info));
}

static long give_guest_handle(struct guest_ptr arg)
{
    struct xen_domain_handle answer;

    memcpy(answer.uuid, current->domain->uuid, sizeof(answer.uuid));
    return give(arg, &answer, sizeof(answer));
}

static long give_commandline(struct guest_ptr arg)
{
    static const struct xen_commandline answer = {.text = ""};

    return give(arg, &answer, sizeof(answer));
}

long hypercall_xen_version(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                           uint64_t a5)
{
    struct guest_ptr arg = guest_ptr(a2);

    (void)a3, (void)a4, (void)a5;

    /* First, as guests make it for no reason but to have events delivered. */
    if (likely(a1 == XENVER_version))
        return XEN_VERSION_MAJOR << 16 | XEN_VERSION_MINOR;

    switch (a1) {
    case XENVER_extraversion:
        return give_extraversion(arg);
    case XENVER_compile_info:
        return give_compile_info(arg);
    case XENVER_capabilities:
        return give_capabilities(arg);
    case XENVER_changeset:
        return give_changeset(arg);
    case XENVER_platform_parameters:
        return give_platform_parameters(arg);
    case XENVER_get_features:
        return get_features(arg);
    case XENVER_pagesize:
        return a2 ? -EINVAL : (long)PAGE_SIZE;
    case XENVER_guest_handle:
        return give_guest_handle(arg);
    case XENVER_commandline:
        return give_commandline(arg);
    default:
        return -ENOSYS;
    }
}
