/* SPDX-License-Identifier: BSD-2-Clause */
/* What both classes measure with. */

#ifndef LATENCY_LATENCY_H
#define LATENCY_LATENCY_H

#include <stdint.h>

/* Do @work over and over while the timer strikes; too late is a failure. */
void measure(const char *what, void (*work)(void));

/* A child of class pv: pins a tree that is as full as can be, and ends. */
uint64_t tree_child(uint64_t unused);

#endif /* LATENCY_LATENCY_H */
