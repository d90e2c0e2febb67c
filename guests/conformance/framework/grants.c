/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant operations: see grants.h. */

#include "framework/grants.h"

#include <rt/hypercall.h>

#include "framework/machine.h"

struct grant_entry_v1 *grants;

bool grants_init(void)
{
    grants = grant_table(1);
    return grants != NULL;
}

void grant_give(grant_ref_t ref, domid_t to, const volatile void *va,
                uint16_t flags)
{
    grants[ref].domid = to;
    grants[ref].frame = (uint32_t)frame_of(va);
    __atomic_store_n(&grants[ref].flags, GTF_permit_access | flags,
                     __ATOMIC_SEQ_CST);
}

bool grant_take_back(grant_ref_t ref)
{
    uint16_t flags = __atomic_load_n(&grants[ref].flags, __ATOMIC_SEQ_CST);

    if ((flags & (GTF_reading | GTF_writing)) != 0)
        return false;
    return __atomic_compare_exchange_n(&grants[ref].flags, &flags, 0, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

struct gnttab_map_grant_ref grant_map(domid_t domid, grant_ref_t ref,
                                      uint64_t host_addr, uint32_t flags)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = host_addr, .flags = flags, .ref = ref, .dom = domid};
    long rc = hypercall_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);

    if (rc != 0)
        op.status = (int16_t)(rc - 1000);
    return op;
}

int16_t grant_unmap(grant_handle_t handle, uint64_t host_addr)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = host_addr,
                                        .handle = handle};
    long rc = hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);

    return rc == 0 ? op.status : (int16_t)(rc - 1000);
}

static int16_t copy(struct gnttab_copy *op)
{
    long rc = hypercall_grant_table_op(GNTTABOP_copy, op, 1);

    return rc == 0 ? op->status : (int16_t)(rc - 1000);
}

int16_t grant_copy_in(domid_t domid, grant_ref_t ref, uint16_t offset,
                      const volatile void *to, uint16_t size)
{
    struct gnttab_copy op = {
        .source = {.u.ref = ref, .domid = domid, .offset = offset},
        .dest = {.u.gmfn = frame_of(to),
                 .domid = DOMID_SELF,
                 .offset = (uint16_t)((uint64_t)(uintptr_t)to % PAGE_SIZE)},
        .len = size,
        .flags = GNTCOPY_source_gref,
    };

    return copy(&op);
}

int16_t grant_copy_out(const volatile void *from, domid_t domid,
                       grant_ref_t ref, uint16_t offset, uint16_t size)
{
    struct gnttab_copy op = {
        .source = {.u.gmfn = frame_of(from),
                   .domid = DOMID_SELF,
                   .offset = (uint16_t)((uint64_t)(uintptr_t)from % PAGE_SIZE)},
        .dest = {.u.ref = ref, .domid = domid, .offset = offset},
        .len = size,
        .flags = GNTCOPY_dest_gref,
    };

    return copy(&op);
}
