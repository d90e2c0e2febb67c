/* SPDX-License-Identifier: BSD-2-Clause */
/* What both classes measure with. */

#ifndef LATENCY_LATENCY_H
#define LATENCY_LATENCY_H

#include <stdint.h>

#include "framework/test.h"

/* Cases of class light, where instructions are counted. */
#define ONLY_EXACT                                                             \
    do {                                                                       \
        NEEDS_INITIAL_DOMAIN;                                                  \
        if (!on_cairn || !option("exact"))                                     \
            SKIP("needs instruction counting");                                \
    } while (0)

/* Do @work over and over while the timer strikes; too late is a failure. */
void measure(const char *what, void (*work)(void));

/* A child of class pv: pins a tree that is as full as can be, and ends. */
uint64_t tree_child(uint64_t unused);

#endif /* LATENCY_LATENCY_H */
