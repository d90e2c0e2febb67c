/* SPDX-License-Identifier: BSD-2-Clause */
/* SANITIZE: thread */
/* LINK: hypervisor/arch/x86_64/smp.c hypervisor/core/lock.c */
/* LINK: tests/unit/doubles/cpus.c */
/* CPUs asking each other, all at once. */

#include "arch/x86_64/smp.h"

#include "arch/x86_64/cpu.h"
#include "core/lock.h"
#include "doubles/cpus.h"
#include "lib/atomic.h"
#include "unit/test.h"

#define REQUESTS 10000U

/* By asker and the CPU that did it; plain, so that a second one is a race. */
static uint64_t done[CPUS][CPUS], asked[CPUS][CPUS];
static uint64_t last[CPUS][CPUS]; /* the number that came with it */
static bool wrong_order;

static void do_it(uintptr_t arg)
{
    unsigned int asker = arg % CPUS, cpu = this_cpu(cpu_id);

    done[asker][cpu]++;
    if (arg / CPUS <= last[asker][cpu])
        wrong_order = true;
    last[asker][cpu] = arg / CPUS;
}

/* All that were asked have done it when cpus_run() returns, and no other. */
static bool all_done(unsigned int asker, uint64_t mask)
{
    bool right = true;

    for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
        asked[asker][cpu] += mask >> cpu & 1;
        right &= done[asker][cpu] == asked[asker][cpu];
    }
    return right;
}

static unsigned int failures;

static void ask_all_the_time(unsigned int me)
{
    for (uint64_t i = 1; i <= REQUESTS; i++) {
        uint64_t mask = cpu_random(1U << CPUS);

        cpus_run(mask, do_it, i * CPUS + me);
        if (!all_done(me, mask))
            atomic_add(&failures, 1);
        if (cpu_random(4) == 0)
            cpu_lets_in();
    }
}

void setup(void)
{
    memset(done, 0, sizeof(done));
    memset(asked, 0, sizeof(asked));
    memset(last, 0, sizeof(last));
    failures = 0;
}

TEST("all ask all others at once: each does it once, before the asker goes on")
{
    cpus_go(ask_all_the_time);
    EXPECT_EQ(failures, 0);
    EXPECT_FALSE(wrong_order);
    for (unsigned int asker = 0; asker < CPUS; asker++)
        for (unsigned int cpu = 0; cpu < CPUS; cpu++)
            EXPECT_EQ(done[asker][cpu], asked[asker][cpu]);
}

TEST("a CPU alone asks itself without an interrupt")
{
    uint64_t before = cpus_ipis();

    cpu_count = 1;
    cpus_run(1, do_it, CPUS);
    EXPECT_EQ(done[0][0], 1);
    cpus_run(0, do_it, 0);
    EXPECT_EQ(done[0][0], 1);
    EXPECT_EQ(cpus_ipis(), before);
}

/* --- With locks --------------------------------------------------------- */

static struct spinlock lock = SPINLOCK_INIT(LOCK_space);
static uint64_t guarded;

static void ask_with_the_lock_held(unsigned int me)
{
    for (uint64_t i = 1; i <= REQUESTS; i++) {
        spin_lock(&lock);
        guarded++;
        if (cpu_random(2))
            cpus_run(cpus_all(), do_it, i * CPUS + me);
        spin_unlock(&lock);
        cpu_lets_in();
    }
}

TEST("who waits for a lock serves, so its holder may ask")
{
    cpus_go(ask_with_the_lock_held);
    EXPECT_EQ(guarded, CPUS * REQUESTS);
}

/* --- Kicks -------------------------------------------------------------- */

static uint64_t wanted[CPUS], seen[CPUS];
static unsigned int asleep;

/* What an interrupted CPU finds that was written for it. */
static void look(unsigned int me)
{
    uint64_t taken = this_cpu(cpu_counts).ipi;

    cpu_lets_in();
    if (this_cpu(cpu_counts).ipi != taken)
        seen[me] += atomic_exchange(&wanted[me], 0);
}

/* Write what is wanted, then kick. */
static void kick_and_look(unsigned int me)
{
    for (uint64_t i = 0; i < REQUESTS; i++) {
        unsigned int other = (me + 1 + cpu_random(CPUS - 1)) % CPUS;

        atomic_add(&wanted[other], 1);
        cpu_kick(other);
        look(me);
    }
    atomic_add(&asleep, 1);
    while (atomic_read(&asleep) < CPUS || atomic_read(&wanted[me]))
        look(me);
}

TEST("no kick is lost: what was written before it is seen after it")
{
    uint64_t before = cpus_ipis(), sum = 0;

    cpus_go(kick_and_look);
    for (unsigned int cpu = 0; cpu < CPUS; cpu++)
        sum += seen[cpu];
    EXPECT_EQ(sum, CPUS * REQUESTS);
    EXPECT_TRUE(cpus_ipis() - before <= CPUS * REQUESTS);
}

TEST("kicks of a CPU that has not taken the first are one interrupt")
{
    uint64_t before = cpus_ipis();

    cpu_count = CPUS;
    for (int i = 0; i < 10; i++)
        cpu_kick(1);
    EXPECT_EQ(cpus_ipis() - before, 1);
}

static unsigned int serving, kicked;

static void wait_for_kick(uintptr_t arg)
{
    (void)arg;
    atomic_write(&serving, 1);
    while (!atomic_read(&kicked))
        cpu_relax();
}

static uint64_t taken_by_0;

static void kick_who_serves(unsigned int me)
{
    if (me == 1)
        cpus_run(1, wait_for_kick, 0);
    if (me == 2) {
        while (!atomic_read(&serving))
            cpu_relax();
        cpu_kick(0);
        atomic_write(&kicked, 1);
    }
    if (me == 0) {
        uint64_t before = this_cpu(cpu_counts).ipi;

        while (!atomic_read(&kicked))
            cpu_lets_in();
        cpu_lets_in();
        taken_by_0 = this_cpu(cpu_counts).ipi - before;
    }
}

TEST("a kick that comes while a CPU serves is an interrupt of its own")
{
    cpus_go(kick_who_serves);
    EXPECT_EQ(taken_by_0, 2);
}
