/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cooperative threads.
 *
 *              thread_create              rt_threads_run
 *                  |                         |
 *                  v                         v        thread_exit
 *                READY <----- yield ------ RUNNING ---------------> ENDED
 *                  ^                         |
 *                  '------ WAITING <---------'
 *                   wake            waitq_wait
 *
 * All switches go through the loop: it runs each ready thread in turn, and a
 * thread that gives up the processor returns to it.
 */

#include <rt/thread.h>

#include <reent.h>
#include <stdlib.h>
#include <string.h>

#include <rt/page.h>
#include <rt/start.h>
#include <rt/timer.h>

#include "internal.h"

#define NAME_BYTES 16

enum thread_state {
    THREAD_READY,
    THREAD_RUNNING,
    THREAD_WAITING,
    THREAD_ENDED,
};

struct thread {
    enum thread_state state;
    bool detached;
    char name[NAME_BYTES];
    uint64_t rsp;        /* while not running */
    void *stack;         /* the guard page */
    size_t stack_pages;  /* guard included */
    struct thread *next; /* in the ready list */
    void (*fn)(void *arg);
    void *arg;
    struct waitq joiners;
    struct _reent reent;
};

/* On the waiter's stack for as long as it waits. */
struct waitq_entry {
    struct waitq_entry *next, *prev;
    struct waitq *queue; /* NULL once woken */
    struct thread *thread;
};

void rt_switch(uint64_t *save_rsp, uint64_t load_rsp);
void rt_thread_entry(void);
_Noreturn void rt_thread_start(struct thread *thread);
struct _reent *__getreent(void);

static struct thread *current;
static uint64_t loop_rsp;
static struct thread *ready_first, *ready_last;

/* The C library's per-thread state; the loop's context has the global one. */
struct _reent *__getreent(void)
{
    return current ? &current->reent : _GLOBAL_REENT;
}

static void make_ready(struct thread *thread)
{
    thread->state = THREAD_READY;
    thread->next = NULL;
    if (ready_first)
        ready_last->next = thread;
    else
        ready_first = thread;
    ready_last = thread;
}

static void to_loop(void)
{
    rt_switch(&current->rsp, loop_rsp);
}

/* What rt_switch() pops, then where it returns to. */
static void prepare_stack(struct thread *thread)
{
    uint64_t *top =
        (uint64_t *)((char *)thread->stack + thread->stack_pages * PAGE_BYTES);

    *--top = 0; /* These two keep rt_thread_entry's call aligned. */
    *--top = 0;
    *--top = (uint64_t)rt_thread_entry;
    *--top = 0;                /* rbp: backtraces end here */
    *--top = 0;                /* rbx */
    *--top = (uint64_t)thread; /* r12 */
    *--top = 0;                /* r13 */
    *--top = 0;                /* r14 */
    *--top = 0;                /* r15 */
    thread->rsp = (uint64_t)top;
}

struct thread *thread_create(const char *name, size_t stack_bytes,
                             void (*fn)(void *arg), void *arg)
{
    struct thread *thread = calloc(1, sizeof(*thread));

    if (!thread)
        return NULL;
    thread->stack_pages = 1 + (stack_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    thread->stack = page_alloc(thread->stack_pages);
    if (!thread->stack || page_guard(thread->stack) != 0) {
        if (thread->stack)
            page_free(thread->stack, thread->stack_pages);
        free(thread);
        return NULL;
    }
    strncpy(thread->name, name, NAME_BYTES - 1);
    thread->fn = fn;
    thread->arg = arg;
    _REENT_INIT_PTR(&thread->reent);
    prepare_stack(thread);
    make_ready(thread);
    return thread;
}

void rt_thread_start(struct thread *thread)
{
    thread->fn(thread->arg);
    thread_exit();
}

struct thread *thread_self(void)
{
    return current;
}

const char *thread_name(const struct thread *thread)
{
    return thread->name;
}

void thread_yield(void)
{
    if (!current)
        rt_panic("thread_yield() outside a thread");
    make_ready(current);
    to_loop();
}

void thread_exit(void)
{
    if (!current)
        rt_panic("thread_exit() outside a thread");
    current->state = THREAD_ENDED;
    to_loop();
    __builtin_unreachable();
}

/* From the loop: nobody stands on the stack any more. */
static void free_stack(struct thread *thread)
{
    _reclaim_reent(&thread->reent);
    page_unguard(thread->stack);
    page_free(thread->stack, thread->stack_pages);
    thread->stack = NULL;
    if (thread->detached)
        free(thread);
    else
        waitq_wake_all(&thread->joiners);
}

void thread_join(struct thread *thread)
{
    while (thread->stack)
        waitq_wait(&thread->joiners);
    free(thread);
}

void thread_detach(struct thread *thread)
{
    if (thread->stack)
        thread->detached = true;
    else
        free(thread);
}

bool rt_threads_ready(void)
{
    return ready_first != NULL;
}

static void run(struct thread *thread)
{
    thread->state = THREAD_RUNNING;
    current = thread;
    rt_switch(&loop_rsp, thread->rsp);
    current = NULL;
    if (thread->state == THREAD_ENDED)
        free_stack(thread);
}

void rt_threads_run(void)
{
    /* Those that become ready meanwhile wait for the next round. */
    struct thread *thread = ready_first;
    struct thread *rest;

    ready_first = NULL;
    for (; thread; thread = rest) {
        rest = thread->next; /* The thread may be gone afterwards. */
        run(thread);
    }
}

void rt_stack_bounds(uint64_t *low, uint64_t *high)
{
    if (current) {
        *low = (uint64_t)current->stack + PAGE_BYTES;
        *high = (uint64_t)current->stack + current->stack_pages * PAGE_BYTES;
    } else {
        *low = (uint64_t)rt_loop_guard + PAGE_BYTES;
        *high = (uint64_t)rt_loop_stack_end;
    }
}

static void enqueue(struct waitq *queue, struct waitq_entry *entry)
{
    entry->queue = queue;
    entry->next = NULL;
    entry->prev = queue->last;
    if (queue->last)
        queue->last->next = entry;
    else
        queue->first = entry;
    queue->last = entry;
}

static void dequeue(struct waitq *queue, struct waitq_entry *entry)
{
    if (entry->prev)
        entry->prev->next = entry->next;
    else
        queue->first = entry->next;
    if (entry->next)
        entry->next->prev = entry->prev;
    else
        queue->last = entry->prev;
    entry->queue = NULL;
}

/* @entry waits in @queue. */
static void wake(struct waitq *queue, struct waitq_entry *entry)
{
    dequeue(queue, entry);
    make_ready(entry->thread);
}

static void wait_timer_expired(void *arg)
{
    struct waitq_entry *entry = arg;

    if (entry->queue)
        wake(entry->queue, entry);
}

void waitq_wait(struct waitq *queue)
{
    waitq_wait_until(queue, WAIT_FOREVER);
}

bool waitq_wait_until(struct waitq *queue, uint64_t deadline_ns)
{
    struct waitq_entry entry = {.thread = current};
    struct rt_timer timer = {.fn = wait_timer_expired, .arg = &entry};
    bool in_time;

    if (!current)
        rt_panic("waiting outside a thread");
    if (deadline_ns != WAIT_FOREVER && rt_timer_arm(&timer, deadline_ns) != 0)
        rt_panic("no memory for a timer");
    enqueue(queue, &entry);
    current->state = THREAD_WAITING;
    to_loop();
    if (entry.queue)
        rt_panic("a thread runs that still waits");
    in_time = deadline_ns == WAIT_FOREVER || rt_timer_armed(&timer);
    rt_timer_cancel(&timer);
    return in_time;
}

void thread_sleep_until(uint64_t deadline_ns)
{
    static struct waitq sleepers; /* Nobody wakes it: only time does. */

    waitq_wait_until(&sleepers, deadline_ns);
}

void waitq_wake_one(struct waitq *queue)
{
    if (queue->first)
        wake(queue, queue->first);
}

void waitq_wake_all(struct waitq *queue)
{
    while (queue->first)
        wake(queue, queue->first);
}
