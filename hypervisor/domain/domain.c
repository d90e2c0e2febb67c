/* SPDX-License-Identifier: BSD-2-Clause */
/* Making domains, and freeing their records. */

#include "domain/domain.h"

#include <abi/cpuid.h>

#include "domain/memory.h"
#include "domain/upcalls.h"
#include "domain/vcpu.h"
#include "memory/light.h"

static_assert(DOMAIN_MAX <= DOMID_FIRST_RESERVED, "ids are below the names");

/* All pages a space can have: what its virtual addresses must have room for. */
#define SPACE_PAGES_MAX (1ULL << 35) /* a canonical half */

static bool within(uint64_t value, uint64_t least, uint64_t most)
{
    return least <= value && value <= most;
}

static int check_config(const struct control_create *c)
{
    bool pv = c->class == CAIRN_CLASS_PV;

    if (!pv && c->class != CAIRN_CLASS_LIGHT)
        return -EOPNOTSUPP;
    if (!within(c->vcpu_count, 1, pv ? DOMAIN_VCPUS_MAX : LIGHT_VCPUS_MAX) ||
        !within(c->weight, 1, DOMAIN_WEIGHT_MAX) ||
        !within(c->max_pages, 1, SPACE_PAGES_MAX - 1) ||
        !within(c->reserved_pages, 0, c->max_pages) ||
        !within(c->max_ports, 1, EVTCHN_FIFO_PORTS - 1) ||
        !within(c->grant_frames, 1, LIGHT_GRANT_FRAMES_MAX) ||
        c->virt_base % PAGE_SIZE || (pv && (c->virt_base || c->grant_window)))
        return -EINVAL;
    return 0;
}

static int create_shared_info(struct domain *d)
{
    struct frame *f = frame_alloc(DOMID_XEN, FRAME_METADATA);
    uint64_t g = d->space->layout.special_gfn + LIGHT_SPECIAL_SHARED_INFO;
    struct shared_info *s;
    int rc;

    if (!f)
        return -ENOMEM;
    rc = memory_share(d, f, g, &d->shared_info_gfn);
    if (rc) {
        frame_put(f);
        return rc;
    }
    s = mfn_to_virt(frame_to_mfn(f));
    for (uint32_t i = 0; i < LEGACY_MAX_VCPUS; i++)
        s->vcpu_info[i].evtchn_upcall_mask = 1;
    s->wc_version = TIME_VERSION;
    s->wc_sec = (uint32_t)wallclock_at_boot;
    s->wc_sec_hi = (uint32_t)(wallclock_at_boot >> 32);
    d->shared_info = s;
    return 0;
}

static int create_vcpus(struct domain *d, uint32_t count)
{
    int rc = 0;

    d->vcpu = pool_alloc(count * sizeof(struct vcpu *));
    if (!d->vcpu)
        return -ENOMEM;
    d->vcpu_room = count;
    while (!rc && d->vcpu_count < count)
        rc = vcpu_create(d);
    return rc;
}

/* With whatever there is; for a creation that fails and for the end. */
static void domain_free(struct domain *d)
{
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        vcpu_free(d->vcpu[i]);
    pool_free(d->vcpu, d->vcpu_room * sizeof(struct vcpu *));
    upcall_events_free(d);
    upcall_grants_free(d);
    if (d->shared_info)
        frame_put(mfn_to_frame(virt_to_mfn(d->shared_info)));
    memory_free(d);
    pool_free(d, sizeof(*d));
}

static int create_parts(struct domain *d, const struct domain_config *config)
{
    const struct control_create *c = &config->create;
    int rc = memory_create(d, config);

    if (!rc)
        rc = create_shared_info(d);
    if (!rc)
        rc = create_vcpus(d, c->vcpu_count);
    if (!rc)
        rc = upcall_events_create(d, c->max_ports);
    if (!rc)
        rc = upcall_grants_create(d, c->grant_frames, c->maptrack_max);
    return rc;
}

static int create(const struct domain_config *config, domid_t domid,
                  struct domain **created)
{
    struct domain *d = pool_alloc(sizeof(*d));
    int rc;

    if (!d)
        return -ENOMEM;

    d->domid = domid;
    d->class = config->create.class;
    d->rights = config->create.rights;
    d->refs = 2; /* the table's and the caller's */
    d->weight = config->create.weight;
    d->reserved_pages = config->create.reserved_pages;
    d->pause_count = 1;
    memcpy(d->uuid, config->create.uuid, sizeof(d->uuid));
    spin_lock_init(&d->lock, LOCK_domain);
    watchdogs_init(d);

    rc = create_parts(d, config);
    if (rc) {
        /* Nobody has seen it: no quantum limits what there is to undo. */
        while (d->grants && !upcall_grants_destroy(d))
            ;
        while (!memory_destroy(d))
            ;
        domain_free(d);
        return rc;
    }
    *created = d;
    return 0;
}

int domain_create(const struct domain_config *config, struct domain **created)
{
    domid_t domid;
    int rc = check_config(&config->create);

    if (!rc)
        rc = table_take_id(config->domid, &domid);
    if (rc)
        return rc;
    rc = create(config, domid, created);
    table_set(domid, rc ? NULL : *created);
    return rc;
}

void domain_put(struct domain *d)
{
    if (atomic_sub(&d->refs, 1))
        return;

    /* Its end gave everything back; what remains are the records. */
    assert(d->end == DOMAIN_END_STEPS);
    domain_free(d);
}
