/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries of a class pv domain's own tables that it names by their address. */

#include "grant/leaf.h"

static unsigned int index_of(uint64_t address)
{
    return address % PAGE_SIZE / sizeof(uint64_t);
}

bool leaf_map_entry(struct pv_space *s, uint64_t address, uint64_t e)
{
    SPIN_GUARD(&s->base.lock);
    return address % sizeof(uint64_t) == 0 &&
           !entry_map_grant(s, maddr_to_mfn(address), index_of(address), e);
}

bool leaf_unmap_entry(struct pv_space *s, uint64_t address, mfn_t m, bool write)
{
    SPIN_GUARD(&s->base.lock);
    return !entry_unmap_grant(s, maddr_to_mfn(address), index_of(address), m,
                              write);
}
