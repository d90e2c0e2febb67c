/* SPDX-License-Identifier: BSD-2-Clause */
/* The world of world.h. */

#include "hypervisor/event/world.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/smp.h"
#include "core/lock.h"
#include "core/time.h"
#include "doubles/check.h"
#include "domain/vcpu.h"
#include "domain/memory.h"
#include "domain/upcalls.h"
#include "event/table.h"
#include "event/upcalls.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "memory/frame.h"
#include "memory/light.h"

bool percpu_need_resched, percpu_slow_return;
const uint8_t *percpu_upcall_bytes;
const uint8_t upcall_due[2];
unsigned int percpu_cpu_id;
char unit_test_cpu_area[CPU_AREA_SIZE] __attribute__((aligned(16)));

struct domain world[WORLD_DOMAINS];
struct domain *initial_domain;
unsigned int world_notified[WORLD_DOMAINS][WORLD_VCPUS];
void (*world_on_unlock)(void);
domid_t world_on_unlock_of;
uint32_t world_pirq_closed;
unsigned int world_pirqs_closed;
int world_objects, world_locks;
uint64_t world_now;
uint32_t world_max_port = WORLD_MAX_PORT;
unsigned int world_repeats;
bool world_contended;

static struct vcpu vcpus[WORLD_DOMAINS][WORLD_VCPUS];
static struct vcpu *vcpu_pointers[WORLD_DOMAINS][WORLD_VCPUS];
static struct shared_info shared[WORLD_DOMAINS];
static bool held[WORLD_DOMAINS];
static bool queue_held;

/* Each domain's space is only an address. */
static struct light_space spaces[WORLD_DOMAINS];
static uint8_t pages[WORLD_DOMAINS * WORLD_PAGES][4096]
    __attribute__((aligned(4096)));
static unsigned int pins[WORLD_DOMAINS * WORLD_PAGES];

/* Whose event lock it is. */
static unsigned int owner_of(const struct spinlock *lock)
{
    for (unsigned int i = 0; i < WORLD_DOMAINS; i++)
        if (world[i].events && lock == &world[i].events->lock)
            return i;
    abort();
}

void spin_lock_init(struct spinlock *lock, enum lock_rank rank)
{
    memset(lock, 0, sizeof(*lock));
    lock->rank = (uint8_t)rank;
}

bool spin_try_lock(struct spinlock *lock)
{
    if (world_contended)
        return false;
    spin_lock(lock);
    return true;
}

/* Lower domid first, and never twice. */
void spin_lock(struct spinlock *lock) __lock_primitive
{
    unsigned int owner;

    /* A queue's comes last. */
    CHECK(!queue_held);
    if (lock->rank == LOCK_event_queue) {
        queue_held = true;
        return;
    }
    owner = owner_of(lock);
    for (unsigned int i = owner; i < WORLD_DOMAINS; i++)
        CHECK(!held[i]);
    held[owner] = true;
    world_locks++;
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    void (*then)(void) = world_on_unlock;
    unsigned int owner;

    if (lock->rank == LOCK_event_queue) {
        CHECK(queue_held);
        queue_held = false;
        return;
    }
    owner = owner_of(lock);
    CHECK(held[owner]);
    held[owner] = false;
    world_locks--;
    if (then && world_locks == 0 && owner == world_on_unlock_of) {
        world_on_unlock = NULL;
        then();
    }
}

void *pool_alloc(size_t size)
{
    world_objects++;
    return calloc(1, size);
}

void pool_free(void *object, size_t size)
{
    (void)size;
    if (object)
        world_objects--;
    free(object);
}

/* Under the lock of a domain's events, but not of its queues. */
int memory_pin(struct domain *d, uint64_t g, void **page)
{
    uint64_t at = (uint64_t)(d - world) * WORLD_PAGES + g;

    CHECK(!queue_held);
    if (g == WORLD_PAGE_READ_ONLY)
        return -EACCES;
    if (g == WORLD_PAGE_NO_MEMORY) {
        world_repeats++;
        return -ENOMEM;
    }
    if (g >= WORLD_PAGES)
        return -EINVAL;
    pins[at]++;
    *page = pages[at];
    return 0;
}

void memory_unpin(const struct domain *d, const void *at)
{
    (void)d;
    if (at)
        pins[((const uint8_t *)at - pages[0]) / 4096]--;
}

void cpu_kick(unsigned int cpu)
{
    (void)cpu;
}

void vcpu_notify(struct vcpu *v)
{
    CHECK(!queue_held);
    world_notified[v->domain->domid][v->id]++;
    vcpu_wake(v);
}

void vcpu_block(struct vcpu *v)
{
    v->state = VCPU_BLOCKED;
}

void vcpu_wake(struct vcpu *v)
{
    if (v->state == VCPU_BLOCKED)
        v->state = VCPU_RUNNABLE;
}

void timer_set(struct timer *t, uint64_t deadline)
{
    t->armed = true;
    t->node.key = deadline;
}

void timer_cancel(struct timer *t)
{
    t->armed = false;
}

uint64_t time_now(void)
{
    return world_now;
}

void upcall_pirq_closed(struct domain *d, uint32_t pirq, uint32_t port)
{
    (void)d, (void)port;
    CHECK(world_locks == 0);
    world_pirq_closed = pirq;
    world_pirqs_closed++;
}

void domain_put(struct domain *d)
{
    CHECK(d->refs > 1);
    d->refs--;
}

struct domain *domain_get_next(domid_t from)
{
    (void)from;
    return NULL;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level, (void)fmt;
}

void assert_failed(const char *file, int line, const char *belief)
{
    check_failed(file, line, belief);
    abort();
}

static void make_domain(domid_t domid)
{
    struct domain *d = &world[domid];

    memset(d, 0, sizeof(*d));
    memset(&shared[domid], 0, sizeof(shared[domid]));
    d->domid = domid;
    d->refs = 1;
    d->space = &spaces[domid];
    d->shared_info = &shared[domid];
    d->vcpu = vcpu_pointers[domid];
    d->vcpu_count = WORLD_VCPUS;
    for (unsigned int i = 0; i < WORLD_VCPUS; i++) {
        struct vcpu *v = &vcpus[domid][i];

        memset(v, 0, sizeof(*v));
        v->domain = d;
        v->id = i;
        v->state = VCPU_RUNNING;
        v->info = &d->shared_info->vcpu_info[i];
        v->info->evtchn_upcall_mask = 1;
        d->vcpu[i] = v;
    }
    CHECK(upcall_events_create(d, world_max_port) == 0);
}

void world_make(void)
{
    memset(world_notified, 0, sizeof(world_notified));
    world_on_unlock = NULL;
    world_pirqs_closed = 0;
    world_now = 1000;
    world_repeats = 0;
    world_contended = false;
    percpu_need_resched = false;
    memset(pages, 0, sizeof(pages));
    for (domid_t i = 0; i < WORLD_DOMAINS; i++)
        make_domain(i);
    initial_domain = &world[0];
}

void world_end(void)
{
    for (unsigned int i = 0; i < WORLD_DOMAINS; i++) {
        int quanta = 0;

        while (!upcall_events_destroy(&world[i]))
            CHECK(quanta++ < 10000);
    }
    for (unsigned int i = 0; i < WORLD_DOMAINS; i++) {
        CHECK(world[i].refs == 1);
        upcall_events_free(&world[i]);
        upcall_events_free(&world[i]); /* Twice is harmless. */
    }
    CHECK(world_objects == 0);
    CHECK(world_locks == 0);
    for (unsigned int i = 0; i < WORLD_DOMAINS * WORLD_PAGES; i++)
        CHECK(pins[i] == 0);
    world_max_port = WORLD_MAX_PORT;
}

unsigned int world_pins(domid_t domid, uint32_t page)
{
    return pins[domid * WORLD_PAGES + page];
}

#define CONTROL_BYTES 128U /* apart in page 0 */

void world_fifo(domid_t domid)
{
    for (uint32_t i = 0; i < WORLD_VCPUS; i++) {
        struct evtchn_init_control op = {.vcpu = i,
                                         .offset = i * CONTROL_BYTES};

        CHECK(evtchn_init_control(&world[domid], &op) == 0);
    }
    for (uint32_t page = 1; page < WORLD_PAGES; page++) {
        int rc = evtchn_expand_array(&world[domid], page);

        while (rc == -EAGAIN)
            rc = evtchn_raise_waiting(&world[domid]);
        CHECK(rc == 0);
    }
}

struct evtchn_fifo_control *world_control(domid_t domid, uint32_t vcpu)
{
    return (void *)&pages[domid * WORLD_PAGES][vcpu * CONTROL_BYTES];
}

uint32_t *world_word(domid_t domid, evtchn_port_t port)
{
    uint32_t page = port / EVTCHN_FIFO_PAGE_PORTS;

    CHECK(page < WORLD_PAGES - 1);
    return (uint32_t *)pages[domid * WORLD_PAGES + 1 + page] +
           port % EVTCHN_FIFO_PAGE_PORTS;
}

/* The whole of one queue; the list ends where a link is 0. */
static void take_queue(domid_t domid, evtchn_port_t port,
                       void (*handle)(domid_t domid, evtchn_port_t port))
{
    unsigned int steps = 0;

    while (port) {
        uint32_t *word = world_word(domid, port), seen = *word;

        CHECK(seen & EVTCHN_WORD_LINKED && !(seen & EVTCHN_WORD_BUSY));
        CHECK(steps++ < world_max_port);
        *word = seen & ~(EVTCHN_WORD_LINKED | EVTCHN_WORD_LINK_MASK);
        if ((seen & (EVTCHN_WORD_PENDING | EVTCHN_WORD_MASKED)) ==
            EVTCHN_WORD_PENDING) {
            *word &= ~EVTCHN_WORD_PENDING;
            handle(domid, port);
        }
        port = seen & EVTCHN_WORD_LINK_MASK;
    }
}

void world_fifo_take(domid_t domid, uint32_t vcpu,
                     void (*handle)(domid_t domid, evtchn_port_t port))
{
    struct evtchn_fifo_control *control = world_control(domid, vcpu);

    world[domid].vcpu[vcpu]->info->evtchn_upcall_pending = 0;
    while (control->ready) {
        uint32_t queue = (uint32_t)__builtin_ctz(control->ready);

        control->ready &= ~(1U << queue);
        take_queue(domid, control->head[queue], handle);
    }
}

bool world_pending(domid_t domid, evtchn_port_t port)
{
    const struct evtchn_table *t = world[domid].events;

    return t->fifo ? fifo_is_pending(t, port)
                   : bit_test(shared[domid].evtchn_pending, port);
}

uint8_t world_state(domid_t domid, evtchn_port_t port)
{
    const struct evtchn *chn = table_find(world[domid].events, port);

    return chn ? chn->state : EVTCHN_FREE;
}
