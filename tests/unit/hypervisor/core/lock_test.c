/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/core/lock.c tests/unit/doubles/smp.c */
/* Locks: taken, given back, and refused when out of order. */

#include "core/lock.h"

#include <setjmp.h>
#include <stdarg.h>

#include "arch/x86_64/smp.h"
#include "lib/log.h"
#include "unit/test.h"

DEFINE_PER_CPU(unsigned int, cpu_id);

static jmp_buf out;
static char reason[200];

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);
    longjmp(out, 1);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

static struct spinlock domain, event_a, event_b, frames;

void setup(void)
{
    spin_lock_init(&domain, LOCK_domain);
    spin_lock_init(&event_a, LOCK_event);
    spin_lock_init(&event_b, LOCK_event);
    spin_lock_init(&frames, LOCK_frames);
    reason[0] = '\0';
}

/* What taking @lock, or giving it back, makes the hypervisor say. */
static const char *complaint(void (*action)(struct spinlock *lock),
                             struct spinlock *lock)
{
    reason[0] = '\0';
    if (!setjmp(out))
        action(lock);
    return reason;
}

TEST("a lock is free again after it was given back")
{
    for (int i = 0; i < 70000; i++) { /* The tickets wrap. */
        spin_lock(&domain);
        spin_unlock(&domain);
    }
    EXPECT_EQ(domain.next, domain.serving);
    EXPECT_STR(reason, "");
}

TEST("locks may be taken down the order, and given back in any")
{
    spin_lock(&domain);
    spin_lock(&event_a);
    spin_lock(&frames);
    spin_unlock(&event_a);
    spin_unlock(&domain);
    spin_unlock(&frames);
    EXPECT_STR(reason, "");
}

TEST("an inversion names both ranks")
{
    spin_lock(&frames);
    EXPECT_STR(complaint(spin_lock, &domain),
               "lock of rank domain is taken while frames is held");
    spin_unlock(&frames);
}

TEST("a lock taken twice is a deadlock, and reported as one")
{
    spin_lock(&event_a);
    EXPECT_STR(complaint(spin_lock, &event_a),
               "lock of rank event is taken twice");
    spin_unlock(&event_a);
}

TEST("two locks of one rank only where the order allows it")
{
    struct spinlock other;

    spin_lock(&event_a);
    EXPECT_STR(complaint(spin_lock, &event_b), "");
    spin_unlock(&event_b);
    spin_unlock(&event_a);

    spin_lock_init(&other, LOCK_domain);
    spin_lock(&domain);
    EXPECT_STR(complaint(spin_lock, &other),
               "lock of rank domain is taken while domain is held");
    spin_unlock(&domain);
}

TEST("who waits for other CPUs may hold no lock")
{
    spin_locks_assert_none();
    spin_lock(&event_a);
    reason[0] = '\0';
    if (!setjmp(out))
        spin_locks_assert_none();
    EXPECT_STR(reason, "waits for other CPUs with a lock of rank event held");
    spin_unlock(&event_a);
}

TEST("what is not held cannot be given back")
{
    EXPECT_STR(complaint(spin_unlock, &domain),
               "lock of rank domain is given back but not held");
}
