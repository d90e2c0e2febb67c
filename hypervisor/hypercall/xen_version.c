/* SPDX-License-Identifier: BSD-2-Clause */
/* xen_version: which interface this is and what it can do. */

#include <abi/assist.h>
#include <abi/version.h>

#include "hypercall/hypercall.h"

/*
 * What is the same for everybody.  Nothing of the machine that it was made on:
 * two builds are the same bytes.
 */
#define ANSWER(of, ...)                                                        \
    [XENVER_##                                                                 \
        of] = {&(const struct xen_##of){__VA_ARGS__}, sizeof(struct xen_##of)}
static const struct {
    const void *at;
    size_t size;
} answers[] = {
    ANSWER(extraversion, .text = ".0-cairn"),
    ANSWER(compile_info, .compiler = "gcc", .compile_by = "cairn"),
    ANSWER(capabilities, .text = "xen-3.0-x86_64 "),
    ANSWER(changeset, .text = ""),
    ANSWER(platform_parameters, .virt_start = HV_VIRT_START),
    ANSWER(commandline, .text = ""),
};

static long give_answer(uint64_t cmd, struct guest_ptr arg)
{
    if (cmd >= ARRAY_SIZE(answers))
        return -ENOSYS;
    cmd = index_nospec(cmd, ARRAY_SIZE(answers));
    if (!answers[cmd].at)
        return -ENOSYS;
    return copy_bytes_to_guest(arg, answers[cmd].at, answers[cmd].size);
}

#define FEATURES_LIGHT                                                         \
    (1U << XENFEAT_auto_translated_physmap | 1U << XENFEAT_highmem_assist |    \
     1U << XENFEAT_gnttab_map_avail_bits | 1U << XENFEAT_cairn)
#define FEATURES_PV                                                            \
    (1U << XENFEAT_mmu_pt_update_preserve_ad | 1U << XENFEAT_highmem_assist |  \
     1U << XENFEAT_gnttab_map_avail_bits |                                     \
     1U << XENFEAT_memory_op_vnode_supported | 1U << XENFEAT_direct_mapped)

/* Of a class; the initial domain is told that it is one. */
static uint32_t features_of(const struct domain *d)
{
    uint32_t features = d->pv ? FEATURES_PV : FEATURES_LIGHT;

    if (d == initial_domain)
        features |= 1U << XENFEAT_dom0;
    if (d->pv && d->assists & 1UL << VMASST_TYPE_pae_extended_cr3)
        features |= 1U << XENFEAT_pae_pgdir_above_4gb;
    return features;
}

static long get_features(struct guest_ptr arg)
{
    struct xen_feature_info info;

    if (copy_from_guest(&info, arg, sizeof(info)))
        return -EFAULT;
    if (info.submap_idx > 0)
        return -EINVAL;
    info.submap = features_of(current->domain);
    return copy_to_guest(arg, &info, sizeof(info));
}

long hypercall_xen_version(uint64_t a1, uint64_t a2)
{
    struct guest_ptr arg = guest_ptr(a2);

    /* First, as guests make it for no reason but to have events delivered. */
    if (likely(a1 == XENVER_version))
        return XEN_VERSION_MAJOR << 16 | XEN_VERSION_MINOR;

    switch (a1) {
    case XENVER_get_features:
        return get_features(arg);
    case XENVER_pagesize:
        return a2 ? -EINVAL : (long)PAGE_SIZE;
    case XENVER_guest_handle:
        return copy_to_guest(arg, current->domain->uuid,
                             sizeof(struct xen_domain_handle));
    case XENVER_build_id:
        return -ENODATA;
    default:
        return give_answer(a1, arg);
    }
}
