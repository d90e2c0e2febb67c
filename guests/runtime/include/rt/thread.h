/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cooperative threads and the queues they wait on.
 *
 * A thread runs until it waits, yields or exits, so data shared between
 * threads and handlers needs no lock as long as nobody waits in the middle of
 * a change.  Only threads may wait: waiting in the loop's context (handlers,
 * timers) is a panic.
 */

#ifndef RT_THREAD_H
#define RT_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread;

/* Enough for printf with floating point and a store call. */
#define THREAD_STACK_BYTES (32U * 1024U)

/* As a deadline: wait without end. */
#define WAIT_FOREVER UINT64_MAX

/*
 * Start @fn(@arg) in a thread of its own, ready to run.  The stack is
 * @stack_bytes rounded up to pages, populated as it is touched, over a guard
 * page.  NULL: out of memory.  @name is copied.
 */
struct thread *thread_create(const char *name, size_t stack_bytes,
                             void (*fn)(void *arg), void *arg);

/* The running thread; NULL in the loop's context. */
struct thread *thread_self(void);

const char *thread_name(const struct thread *thread);

/* Let the loop and every other ready thread run first. */
void thread_yield(void);

/* Sleep until system time @deadline_ns. */
void thread_sleep_until(uint64_t deadline_ns);

/* End the running thread.  Its stack is freed. */
_Noreturn void thread_exit(void);

/*
 * Wait for @thread to end.  Each thread may be joined once, and only one that
 * was not detached; an ended thread keeps its small record until then.
 */
void thread_join(struct thread *thread);

/* Nobody will join @thread: free its record when it ends. */
void thread_detach(struct thread *thread);

/* Threads that wait, in the order they came.  All zero is an empty queue. */
struct waitq_entry;
struct waitq {
    struct waitq_entry *first, *last;
};

/*
 * Wait until woken.  A wake-up says only that the state may have changed: the
 * caller tests its condition in a loop.
 */
void waitq_wait(struct waitq *queue);

/* The same, at most until system time @deadline_ns; false: it was reached. */
bool waitq_wait_until(struct waitq *queue, uint64_t deadline_ns);

/* From any context. */
void waitq_wake_one(struct waitq *queue);
void waitq_wake_all(struct waitq *queue);

#endif /* RT_THREAD_H */
