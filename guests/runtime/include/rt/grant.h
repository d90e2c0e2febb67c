/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants: lending pages to other domains, and using what was lent to us.
 *
 * Errors are negative numbers of abi/errno.h; a GNTST_* status of the
 * hypervisor becomes -ABI_EIO, or -ABI_EAGAIN, -ABI_ENOSPC where it says so.
 */

#ifndef RT_GRANT_H
#define RT_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/grant_table.h>

/*
 * Lend the page at @va to domain @to; the reference names it there.  The
 * table grows as needed.  -ABI_ENOSPC: it has its greatest size.
 */
int rt_grant_give(domid_t to, const void *va, bool readonly, grant_ref_t *ref);

/*
 * Take a grant back and free its reference.  -ABI_EBUSY: the other side has
 * it mapped; the page and the reference are then still lent.
 */
int rt_grant_end(grant_ref_t ref);

/* Grants of another domain, mapped at consecutive pages of our window. */
struct rt_grant_mapping {
    void *va;
    uint32_t count;
    grant_handle_t *handles; /* for rt_grant_unmap() */
};

/*
 * Map @refs[0..@count) of @domid, in this order.  All or nothing.
 * -ABI_ENOSYS: this domain has no grant window; -ABI_ENOSPC: window or map
 * tracking are full; -ABI_EIO: a grant was refused; -ABI_ENOMEM.
 */
int rt_grant_map(domid_t domid, const grant_ref_t *refs, uint32_t count,
                 bool writable, struct rt_grant_mapping *mapping);
void rt_grant_unmap(struct rt_grant_mapping *mapping);

/*
 * Carry out a batch of copies.  0: each entry has its own status (GNTST_*);
 * negative: the batch as a whole was refused.
 */
int rt_grant_copy(struct gnttab_copy *copies, uint32_t count);

#endif /* RT_GRANT_H */
