/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one operation costs, in ticks of the time stamp counter.  Under
 * instruction counting a tick is an instruction, the guest's and the
 * hypervisor's alike, so a figure is exact and the same in every run.
 *
 * Each operation prints one line:
 *
 *   @ NAME n=COUNT min=TICKS med=TICKS max=TICKS rc=RESULT
 *
 * without the cost of timing a function that does nothing.  RESULT is 0, or
 * what the first round that went wrong was answered.
 */

#ifndef MICRO_MEASURE_H
#define MICRO_MEASURE_H

#include <stdint.h>

/*
 * Kept apart from its caller, so that its cost is its own, and within a page,
 * since an instruction whose last bytes are in another one costs more to
 * emulate.
 */
#define OPERATION(name)                                                        \
    static __attribute__((noipa, aligned(64))) long name(void)

struct operation {
    const char *name;
    long (*run)(void);      /* what is timed */
    void (*before)(void);   /* not timed; NULL: nothing */
    long (*after)(long rc); /* not timed: 0, or what is wrong; NULL: rc */
};

/*
 * Class pv: our memory is also where kernels have theirs, in the upper half of
 * all addresses, and what is measured is named there: how the hypervisor gets
 * at it may depend on it.  Class light has no upper half.
 */
void measure_from_upper_half(void (*fn)(void));
extern uint64_t upper_half; /* what to add; 0: nothing */

static inline void *upper(const volatile void *va)
{
    return (void *)((uintptr_t)va + upper_half);
}

/* Find out what timing itself costs; first of all. */
void measure_init(void);

/* Time @op and print its line. */
void measure(const struct operation *op);

/* The groups of operations, each in the file of its name. */
void measure_hypercalls(void);
void measure_events(void);
void measure_grants(void);
void measure_traps(void);
void measure_memory(void); /* class light only */
void measure_tables(void); /* class pv only, and the next */
void measure_spaces(void);

/* The one group that is measured alone: with "crowd=COUNT". */
void measure_crowd(unsigned int count);

#endif /* MICRO_MEASURE_H */
