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
 * The functions are grant_table_op's operations with arguments already copied
 * from the guest; each sets the status of its structure (GNTST_*).
 */

#ifndef GRANT_GRANT_H
#define GRANT_GRANT_H

#include <stdint.h>

#include <abi/grant_table.h>

#include "lib/compiler.h"
#include "lib/frame_number.h"

struct domain;

void grant_map(struct domain *d, struct gnttab_map_grant_ref *op);
void grant_unmap(struct domain *d, struct gnttab_unmap_grant_ref *op);
void grant_copy(struct domain *d, struct gnttab_copy *op);

/*
 * Grow @d's table to @nr_frames; frame numbers (class light: gfns) go to
 * @list, room for LIGHT_GRANT_FRAMES_MAX.  Returns a GNTST_* status.
 */
int16_t grant_setup_table(struct domain *d, uint32_t nr_frames, uint64_t *list);

void grant_query_size(struct domain *d, struct gnttab_query_size *op);

/* control_op seed_grant: write an entry as @d itself would. */
int __must_check grant_seed(struct domain *d, grant_ref_t ref, domid_t to,
                            gfn_t g);

void grant_counts(struct domain *d, uint32_t *frames_used, uint32_t *frames_max,
                  uint32_t *maptrack_used, uint32_t *maptrack_max);

#endif /* GRANT_GRANT_H */
