/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinlocks, first come first served.  Interrupts are off in the hypervisor,
 * so a lock needs no variant for them.
 *
 * Order is by rank, as LOCK_ORDER lists them: a CPU may take a lock only while
 * all it holds stand above it; two of one rank only where the list says so.
 * Debug builds keep what each CPU holds and panic on an inversion, naming both.
 */

#pragma once

/* X-macro: X(name), and what it guards. */
#define LOCK_ORDER(X)                                                          \
    X(domain_list) /* the table of domains and their references */             \
    X(domain)      /* a domain's life cycle: pause count, shutdown, dying */   \
    X(device)      /* PCI configuration, vectors and device assignment */      \
    X(event)       /* a domain's event channels (two: lower domid first) */    \
    X(event_queue) /* a domain's FIFO event queues */                          \
    X(grant)    /* a domain's grants and map tracking (lower domid first) */   \
    X(space)    /* a space's tables, and the types of its frames */            \
    X(pool)     /* the allocator of small objects */                           \
    X(frames)   /* the frame allocator and reservations */                     \
    X(waiters)  /* the queue of vCPUs that wait for memory */                  \
    X(runqueue) /* a CPU's run queue (lower CPU first) */                      \
    X(timer)    /* a CPU's timers */                                           \
    X(log)      /* the log ring */                                             \
    X(console)  /* the UART */

enum lock_rank {
#define LOCK_RANK_(name) LOCK_##name,
    LOCK_ORDER(LOCK_RANK_) LOCK_RANKS
};

struct __lockable spinlock {
    uint16_t next;    /* ticket of the next to come */
    uint16_t serving; /* ticket of the holder */
    uint8_t rank;     /* enum lock_rank */
};

#define SPINLOCK_INIT(rank_)                                                   \
    {                                                                          \
        .rank = (rank_)                                                        \
    }

void spin_lock_init(struct spinlock *lock, enum lock_rank rank);

/*
 * Until @ticket is served; counted, and other CPUs' requests are served
 * meanwhile.  It keeps all registers, and spin_lock() calls it so that the
 * compiler knows: a lock that is free costs its holder none.
 */
void spin_lock_wait(struct spinlock *lock, uint16_t ticket) __keeps_registers;

/*
 * In release builds a free lock is taken in place, in four instructions; debug
 * builds check and note every one, out of line.
 */
#ifdef NDEBUG
static inline void spin_lock(struct spinlock *lock) __acquires(*lock)
{
    uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_ACQUIRE);

    if (unlikely(__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket))
        __asm__ __volatile__("call spin_lock_wait"
                             :
                             : "D"(lock), "S"((uint32_t)ticket)
                             : "memory", "cc");
}

static inline void spin_unlock(struct spinlock *lock) __releases(*lock)
{
    /* Only the holder writes it: one instruction, and x86 keeps its order. */
    barrier();
    lock->serving++;
    barrier();
}

/*
 * Take @lock if it is free.  For a way so short that it calls nothing: when
 * this fails, it leaves to one that waits.
 */
static inline bool __must_check spin_try_lock(struct spinlock *lock)
    __try_acquires(*lock)
{
    uint16_t free = __atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE);

    return likely(
        __atomic_compare_exchange_n(&lock->next, &free, (uint16_t)(free + 1),
                                    false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
}

#define spin_locks_assert_none() ((void)0)
#define spin_rank_is_held(rank)  ((void)(rank), true)
#else
void spin_lock(struct spinlock *lock) __acquires(*lock);
void spin_unlock(struct spinlock *lock) __releases(*lock);
bool __must_check spin_try_lock(struct spinlock *lock) __try_acquires(*lock);

/* Before a wait for what another CPU may do with a lock held. */
void spin_locks_assert_none(void);

/* Whether any CPU holds one of @rank, as far as that is known; for tests. */
bool spin_rank_is_held(enum lock_rank rank);
#endif

static inline struct spinlock *spin_guard_begin(struct spinlock *lock)
    __asserts(*lock) __lock_primitive
{
    spin_lock(lock);
    return lock;
}

static inline void spin_guard_end(struct spinlock *const *lock) __lock_primitive
{
    spin_unlock(*lock);
}

/* Hold @lock from here to the end of the block, however that is left. */
#define SPIN_GUARD(lock)                                                       \
    struct spinlock *const spin_guard                                          \
        __attribute__((cleanup(spin_guard_end), unused)) =                     \
            spin_guard_begin(lock)
