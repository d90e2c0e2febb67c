/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grant tables, version 1: a domain lends single pages to a named other.
 *
 * An entry the granter wrote becomes active when the first mapping or copy
 * pins it; the hypervisor's own record of it (frame and counts) is what later
 * operations go by, never the entry again.  Access through a grant never
 * exceeds the granter's own right to the page.  A mapped frame is populated
 * first and held until unmapped.
 *
 * A mapping holds a reference to the granter: when that domain is destroyed,
 * the frame and the table stay until the mapper has unmapped or is destroyed
 * itself, which undoes all its mappings.
 *
 * The functions are grant_table_op's operations with arguments already copied
 * from the guest; each sets the status of its structure (GNTST_*).
 */

#pragma once

#include <abi/grant_table.h>

struct control_seed_grant;
struct domain;

void grant_map(struct domain *d, struct gnttab_map_grant_ref *op);

/* Most entries of one grant_unmap(): flushed page by page, once. */
#define GRANT_UNMAP_BATCH 16U

/* Unmap @count entries, with one round of flushing for all of them. */
void grant_unmap(struct domain *d, struct gnttab_unmap_grant_ref *ops,
                 unsigned int count);

/*
 * GNTST_eagain: a page could not be populated.  If it was @d's own, the
 * current vCPU will make its hypercall again, from this operation on.
 */
void grant_copy(struct domain *d, struct gnttab_copy *op);

/*
 * Let @d's table have at least @nr_frames, some of them a call.  -EAGAIN: call
 * again; -EINVAL: more than it may have; -ENOMEM.
 */
int __must_check grant_grow(struct domain *d, uint32_t nr_frames);

/* The gfn of frame @index, which there is, of a light domain's table. */
uint64_t grant_frame_gfn(const struct domain *d, uint32_t index);

/* Have it appear at @to, made if need be.  Errors: grant_grow() and move. */
int __must_check grant_move_frame(struct domain *d, uint32_t index,
                                  uint64_t to);

/*
 * control_op seed_grant: write an entry as @d itself would.  -EINVAL: not one
 * of the reserved references, or not RAM; -ENOMEM.
 */
int __must_check grant_seed(struct domain *d,
                            const struct control_seed_grant *seed);

void grant_counts(struct domain *d, uint32_t *frames_used, uint32_t *frames_max,
                  uint32_t *maptrack_used, uint32_t *maptrack_max);
