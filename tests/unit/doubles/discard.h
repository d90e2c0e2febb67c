/* SPDX-License-Identifier: BSD-2-Clause */
/* Discarding one extent, as light_op does it. */

#pragma once

#include "memory/light.h"

static inline int discard(struct light_space *s, uint64_t first, uint64_t pages)
{
    int rc;

    (void)light_discard(s, &first, 1, pages, &rc);
    return rc;
}
