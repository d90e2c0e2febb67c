/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant operations, each as one function. */

#ifndef FRAMEWORK_GRANTS_H
#define FRAMEWORK_GRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/grant_table.h>

/* This domain's table, of one frame; set by grants_init(). */
extern struct grant_entry_v1 *grants;

/* False: there is no grant table. */
bool grants_init(void);

/* Write entry @ref: the page at @va for @to, with GTF_* besides access. */
void grant_give(grant_ref_t ref, domid_t to, const volatile void *va,
                uint16_t flags);

/* Take it back; false: it is in use. */
bool grant_take_back(grant_ref_t ref);

/* Map @ref of @domid at @host_addr with GNTMAP_*; the result has status. */
struct gnttab_map_grant_ref grant_map(domid_t domid, grant_ref_t ref,
                                      uint64_t host_addr, uint32_t flags);

/* Status of unmapping. */
int16_t grant_unmap(grant_handle_t handle, uint64_t host_addr);

/* Copy @size bytes from @ref of @domid into our page at @to, and back. */
int16_t grant_copy_in(domid_t domid, grant_ref_t ref, uint16_t offset,
                      const volatile void *to, uint16_t size);
int16_t grant_copy_out(const volatile void *from, domid_t domid,
                       grant_ref_t ref, uint16_t offset, uint16_t size);

#endif /* FRAMEWORK_GRANTS_H */
