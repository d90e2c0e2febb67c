/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticket locks: each taker draws a number and waits until it is served.  In
 * debug builds every CPU keeps a stack of what it holds.
 */

#include "core/lock.h"

#include "arch/x86_64/smp.h"

/* Locks a CPU holds at once: one of each rank, twice where two are allowed. */
#define HELD_MAX 24

struct held_locks {
    unsigned int count;
    const struct spinlock *lock[HELD_MAX];
};

/* Of each rank: how often a lock was not free, and for how many loops. */
struct lock_waits {
    uint64_t times[LOCK_RANKS], longest[LOCK_RANKS];
};

static DEFINE_PER_CPU(struct held_locks, held_locks);
static DEFINE_PER_CPU(struct lock_waits, lock_waits);

#define RANK_NAME_(name) #name,
static const char *const rank_names[] = {LOCK_ORDER(RANK_NAME_)};

void spin_lock_init(struct spinlock *lock, enum lock_rank rank)
{
    *lock = (struct spinlock)SPINLOCK_INIT(rank);
}

void spin_lock_wait(struct spinlock *lock, uint16_t ticket)
{
    struct lock_waits *waits = &this_cpu(lock_waits);
    uint64_t loops = 0;

    do {
        cpus_serve();
        cpu_relax();
        loops++;
    } while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket);
    waits->times[lock->rank]++;
    waits->longest[lock->rank] = MAX(waits->longest[lock->rank], loops);
}

/* Release builds have the two in place, unchecked: see lock.h. */
#ifndef NDEBUG

/* Ranks of which a CPU may hold two; who takes them sees to their order. */
static bool may_nest(enum lock_rank rank)
{
    return rank == LOCK_event || rank == LOCK_grant || rank == LOCK_runqueue;
}

/* Before waiting, so that a deadlock is reported instead of entered. */
static void check_order(const struct spinlock *lock)
{
    const struct held_locks *held = &this_cpu(held_locks);

    for (unsigned int i = 0; i < held->count; i++) {
        const struct spinlock *h = held->lock[i];

        if (h == lock)
            panic("lock of rank %s is taken twice", rank_names[lock->rank]);
        if (h->rank > lock->rank ||
            (h->rank == lock->rank && !may_nest(lock->rank)))
            panic("lock of rank %s is taken while %s is held",
                  rank_names[lock->rank], rank_names[h->rank]);
    }
    if (held->count == HELD_MAX)
        panic("more than %u locks are held", HELD_MAX);
}

void spin_locks_assert_none(void)
{
    const struct held_locks *held = &this_cpu(held_locks);

    if (held->count)
        panic("waits for other CPUs with a lock of rank %s held",
              rank_names[held->lock[0]->rank]);
}

bool spin_rank_is_held(enum lock_rank rank)
{
    for (unsigned int cpu = 0; cpu < cpu_count; cpu++) {
        const struct held_locks *held = &per_cpu(held_locks, cpu);

        for (unsigned int i = 0; i < held->count; i++)
            if (held->lock[i]->rank == rank)
                return true;
    }
    return false;
}

static void note_taken(const struct spinlock *lock)
{
    struct held_locks *held = &this_cpu(held_locks);

    held->lock[held->count++] = lock;
}

static void note_given_back(const struct spinlock *lock)
{
    struct held_locks *held = &this_cpu(held_locks);

    for (unsigned int i = held->count; i-- > 0;)
        if (held->lock[i] == lock) {
            held->lock[i] = held->lock[--held->count];
            return;
        }
    panic("lock of rank %s is given back but not held", rank_names[lock->rank]);
}

void spin_lock(struct spinlock *lock) __lock_primitive
{
    uint16_t ticket;

    check_order(lock);
    ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_ACQUIRE);
    if (unlikely(__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket))
        spin_lock_wait(lock, ticket);
    note_taken(lock);
}

bool spin_try_lock(struct spinlock *lock) __lock_primitive
{
    uint16_t free = __atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE);

    check_order(lock);
    if (!__atomic_compare_exchange_n(&lock->next, &free, (uint16_t)(free + 1),
                                     false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return false;
    note_taken(lock);
    return true;
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    note_given_back(lock);
    /* Only the holder writes it. */
    __atomic_store_n(&lock->serving, (uint16_t)(lock->serving + 1),
                     __ATOMIC_RELEASE);
}

#endif

/* Those who hold and wait do not stop for this, so it is a glimpse. */
static void print_cpu(unsigned int cpu)
{
    const struct held_locks *held = &per_cpu(held_locks, cpu);
    const struct lock_waits *waits = &per_cpu(lock_waits, cpu);

    log_info("CPU %u holds %u locks", cpu, atomic_read(&held->count));
    for (unsigned int i = 0; i < atomic_read(&held->count); i++) {
        uint8_t rank = atomic_read(&held->lock[i])->rank;

        log_info("  %s", rank < LOCK_RANKS ? rank_names[rank] : "?");
    }
    for (unsigned int rank = 0; rank < LOCK_RANKS; rank++)
        if (waits->times[rank])
            log_info("  %s: waited %lu times, %lu loops at most",
                     rank_names[rank], waits->times[rank],
                     waits->longest[rank]);
}

static void print_locks(void)
{
    for (unsigned int cpu = 0; cpu < cpu_count; cpu++)
        print_cpu(cpu);
}
DEBUG_KEY('l', "locks held (debug builds) and waited for", print_locks);
