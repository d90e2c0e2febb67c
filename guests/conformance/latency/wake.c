/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How late a domain that sleeps is woken beside others that never do.  Where
 * the clock runs on while the emulator waits for its host, that says nothing.
 */

#include "framework/child.h"
#include "framework/test.h"
#include "latency/latency.h"

#define MS     1000000UL
#define LOOPS  4U
#define SLEEPS 30U

/* As late as any interrupt may be; a slice is 200 times that. */
#define LATE_NS 25000UL

TEST("a sleeper wakes in time beside four loops")
{
    struct child loops[LOOPS];
    uint64_t worst = 0;

    ONLY_EXACT;
    for (unsigned int i = 0; i < LOOPS; i++)
        if (!child_start(&loops[i], NULL, child_spin, i % 2))
            return;
    for (unsigned int i = 0; i < SLEEPS; i++) {
        uint64_t when = now_ns() + 5 * MS, late;

        sleep_until(when);
        late = now_ns() - when;
        worst = late > worst ? late : worst;
    }
    print("a sleeper beside loops: %lu\n", worst);
    EXPECT_TRUE(worst <= LATE_NS);
    for (unsigned int i = 0; i < LOOPS; i++)
        child_destroy(&loops[i]);
}
