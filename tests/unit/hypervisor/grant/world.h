/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three domains with real spaces and grant tables, for tests of the grant
 * room: a domain's record goes with its last reference, as in the real life
 * cycle.
 */

#ifndef TESTS_UNIT_GRANT_WORLD_H
#define TESTS_UNIT_GRANT_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/grant_table.h>

#include "domain/domain.h"
#include "domain/vcpu.h"
#include "lib/frame_number.h"

#define DOMAINS       4U /* ids 1 .. 3 are used */
#define RAM_PAGES     64U
#define WINDOW_PAGES  24U
#define TABLE_FRAMES  3U
#define MAPTRACK_SIZE 20U

/* The domain found under an id; NULL: none, or it was killed. */
extern struct domain *world_domain[DOMAINS];

/* Records not yet gone, dying ones among them. */
extern unsigned int world_records;

void world_make(void);
void world_create(domid_t id);

/* What domain_destroy() does to grants and memory, and drop the record. */
void world_kill(domid_t id);

/* All of them; true if every frame is back. */
bool world_unmake(void);

/* The entry as its domain sees it. */
struct grant_entry_v1 *world_entry(domid_t id, grant_ref_t ref);
void world_give(domid_t id, grant_ref_t ref, domid_t to, uint32_t g,
                uint16_t flags);

/* Contents of a RAM page, populated. */
char *world_page(domid_t id, uint64_t g);

/* References to its frame; 0: not populated. */
uint32_t world_refs(domid_t id, uint64_t g);

vaddr_t world_window(domid_t id, uint64_t page);

/* The present leaf there; 0: none. */
uint64_t world_window_leaf(domid_t id, uint64_t page);

int16_t world_map(domid_t id, domid_t from, grant_ref_t ref, uint64_t page,
                  uint32_t flags, grant_handle_t *handle);
int16_t world_unmap(domid_t id, uint64_t page, grant_handle_t handle);

#endif /* TESTS_UNIT_GRANT_WORLD_H */
