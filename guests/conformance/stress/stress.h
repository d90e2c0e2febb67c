/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stress: domains that are made, wired, messaged and killed at random, by
 * several vCPUs at once and without any order among them.
 *
 * The initial domain (main.c) has a boss on each of its vCPUs.  A boss picks
 * one of a few domain numbers and does something to it: makes it, starts,
 * stops, looks into it, ends it, though another may be doing the same or the
 * opposite right then.  The domains themselves (worker.c) bind each other's
 * ports, map each other's pages, and die when they feel like it.
 *
 * What must hold: whoever is refused is told so by one of a few errors; no
 * page shows what was not written there; and when all is over everything is
 * back.
 */

#ifndef STRESS_STRESS_H
#define STRESS_STRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/domid.h>

#include "framework/machine.h"

/* Domains FIRST_DOMID .. come and go. */
#define FIRST_DOMID 100U
#define SLOTS       8U

/* Grant references and ports that all try. */
#define REFS      8U
#define FIRST_REF 8U
#define PORTS     16U

/* The upper half of each word of a page that is lent; below: anything. */
#define LENT_MARK 0x57e55edUL

/* xorshift64*, one state a vCPU. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dUL;
}

static inline uint64_t random_below(uint64_t *state, uint64_t limit)
{
    return (uint64_t)((unsigned __int128)random_next(state) * limit >> 64);
}

static inline domid_t random_domid(uint64_t *state)
{
    return (domid_t)(FIRST_DOMID + random_below(state, SLOTS));
}

/* Whether the words of a lent page are such as all write there. */
static inline bool lent_is_good(const volatile uint64_t *page)
{
    for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*page); i += 16)
        if (page[i] != 0 && page[i] >> 32 != LENT_MARK)
            return false;
    return true;
}

/* Written by its maker into a worker before its start. */
struct worker_order {
    uint64_t seed;
    domid_t domid;
};

extern struct worker_order worker_order;

/* What a worker found that must not be: looked at by its bosses. */
extern volatile uint64_t worker_broken;

/* Where a worker begins, on test_stack_end. */
_Noreturn void worker_main(void);

/* --- maker.c --- */

/* Make, fill and start domain @domid.  0, or the error of the first step. */
long make_worker(domid_t domid, uint64_t seed);

#endif /* STRESS_STRESS_H */
