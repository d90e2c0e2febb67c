/* SPDX-License-Identifier: MIT */
/* multicall: several hypercalls in one; 0 even if some of them failed. */

#ifndef ABI_MULTICALL_H
#define ABI_MULTICALL_H

#include <stddef.h>
#include <stdint.h>

struct multicall_entry {
    uint64_t op;      /* IN: hypercall number; a nested multicall is refused */
    int64_t result;   /* OUT */
    uint64_t args[6]; /* IN */
};

_Static_assert(sizeof(struct multicall_entry) == 64, "ABI");

#endif /* ABI_MULTICALL_H */
