/* SPDX-License-Identifier: BSD-2-Clause */
/* The world of world.h. */

#include "hypervisor/event/world.h"

#include <stdlib.h>
#include <string.h>

#include "core/lock.h"
#include "core/log.h"
#include "core/time.h"
#include "doubles/check.h"
#include "domain/upcalls.h"
#include "event/table.h"
#include "event/upcalls.h"
#include "lib/bitops.h"
#include "memory/pool.h"

struct domain world[WORLD_DOMAINS];
struct domain *initial_domain;
unsigned int world_notified[WORLD_DOMAINS][WORLD_VCPUS];
void (*world_on_unlock)(void);
domid_t world_on_unlock_of;
uint32_t world_pirq_closed;
unsigned int world_pirqs_closed;
int world_objects, world_locks;
uint64_t world_now;

static struct vcpu vcpus[WORLD_DOMAINS][WORLD_VCPUS];
static struct vcpu *vcpu_pointers[WORLD_DOMAINS][WORLD_VCPUS];
static struct shared_info shared[WORLD_DOMAINS];
static bool held[WORLD_DOMAINS];

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

/* Lower domid first, and never twice. */
void spin_lock(struct spinlock *lock) __lock_primitive
{
    unsigned int owner = owner_of(lock);

    for (unsigned int i = owner; i < WORLD_DOMAINS; i++)
        CHECK(!held[i]);
    held[owner] = true;
    world_locks++;
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    unsigned int owner = owner_of(lock);
    void (*then)(void) = world_on_unlock;

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

void vcpu_notify(struct vcpu *v)
{
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
    CHECK(upcall_events_create(d, WORLD_MAX_PORT) == 0);
}

void world_make(void)
{
    memset(world_notified, 0, sizeof(world_notified));
    world_on_unlock = NULL;
    world_pirqs_closed = 0;
    world_now = 1000;
    for (domid_t i = 0; i < WORLD_DOMAINS; i++)
        make_domain(i);
    initial_domain = &world[0];
}

void world_end(void)
{
    for (unsigned int i = 0; i < WORLD_DOMAINS; i++) {
        int quanta = 0;

        while (!upcall_events_destroy(&world[i]))
            CHECK(quanta++ < 100);
    }
    for (unsigned int i = 0; i < WORLD_DOMAINS; i++) {
        CHECK(world[i].refs == 1);
        upcall_events_free(&world[i]);
        upcall_events_free(&world[i]); /* Twice is harmless. */
    }
    CHECK(world_objects == 0);
    CHECK(world_locks == 0);
}

bool world_pending(domid_t domid, evtchn_port_t port)
{
    return bit_test(shared[domid].evtchn_pending, port);
}

uint8_t world_state(domid_t domid, evtchn_port_t port)
{
    const struct evtchn *chn = table_find(world[domid].events, port);

    return chn ? chn->state : EVTCHN_FREE;
}
