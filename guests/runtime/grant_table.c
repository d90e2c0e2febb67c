/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our grant table: giving and taking back.
 *
 * Free entries form a list through their own frame fields (an entry without
 * flags means nothing to the hypervisor), so the table is its own bookkeeping.
 * It starts with no frame and grows by one when the list is empty.
 */

#include <rt/grant.h>

#include <abi/errno.h>

#include <rt/hypercall.h>
#include <rt/page.h>
#include <rt/start.h>

#include "internal.h"

/* The end of the list: never handed out, being reserved. */
#define NO_REF 0U

static struct grant_entry_v1 *table;
static uint32_t frames;
static grant_ref_t free_first;

static void put_free(grant_ref_t ref)
{
    table[ref].frame = free_first;
    free_first = ref;
}

/* A window page for each frame of the table, in order. */
static int map_frame(uint32_t index, uint64_t frame)
{
    void *va =
        rt_gfn_va(rt_layout.special_gfn + LIGHT_SPECIAL_GRANT_TABLE + index);

    if (rt_is_light())
        return frame == rt_va_gfn(va) ? 0 : -ABI_EIO;
    return rt_xen_map_special(va, frame);
}

static int grow(void)
{
    uint64_t list[LIGHT_GRANT_FRAMES_MAX];
    struct gnttab_setup_table setup = {
        .dom = DOMID_SELF,
        .nr_frames = frames + 1,
        .frame_list = hypercall_ptr(list),
    };
    grant_ref_t first = frames * GRANT_ENTRIES_PER_FRAME;
    int rc;

    if (frames == LIGHT_GRANT_FRAMES_MAX)
        return -ABI_ENOSPC;
    rc = (int)hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1);
    if (rc != 0)
        return rc;
    if (setup.status != GNTST_okay)
        return -ABI_ENOSPC;
    rc = map_frame(frames, list[frames]);
    if (rc != 0)
        return rc;

    table = rt_gfn_va(rt_layout.special_gfn + LIGHT_SPECIAL_GRANT_TABLE);
    frames++;
    /* Downwards, so that low references are used first. */
    for (grant_ref_t ref = frames * GRANT_ENTRIES_PER_FRAME; ref-- > first;)
        if (ref >= GNTTAB_NR_RESERVED)
            put_free(ref);
    return 0;
}

int rt_grant_give(domid_t to, const void *va, bool readonly, grant_ref_t *ref)
{
    uint16_t flags = GTF_permit_access | (readonly ? GTF_readonly : 0);
    struct grant_entry_v1 *entry;

    if (free_first == NO_REF) {
        int rc = grow();

        if (rc != 0)
            return rc;
    }
    *ref = free_first;
    entry = &table[*ref];
    free_first = entry->frame;

    entry->domid = to;
    entry->frame = (uint32_t)rt_frame_of(va);
    /* The flags make it valid, so they come last. */
    __atomic_store_n(&entry->flags, flags, __ATOMIC_RELEASE);
    return 0;
}

int rt_grant_end(grant_ref_t ref)
{
    struct grant_entry_v1 *entry = &table[ref];
    uint16_t flags = __atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE);

    do {
        if (flags & (GTF_reading | GTF_writing))
            return -ABI_EBUSY;
    } while (!__atomic_compare_exchange_n(&entry->flags, &flags, 0, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    put_free(ref);
    return 0;
}
