/* SPDX-License-Identifier: BSD-2-Clause */
/* Making and ending vCPUs, and the pages of theirs that we write. */

#include "domain/vcpu.h"

#include "domain/memory.h"
#include "domain/pv_vcpu.h"
#include "domain/sched.h"
#include "domain/upcalls.h"

/* A deadline so far ahead is a mistake; it is treated as Xen treats it. */
#define TIMER_FAR_NS  (1ULL << 50)
#define TIMER_SOON_NS 100000000ULL

struct trap_entry trap_none[TRAP_GROUP];

static void timer_expired(struct timer *t)
{
    upcall_vcpu_timer(container_of(t, struct vcpu, timer));
}

static void tick_expired(struct timer *t)
{
    struct vcpu *v = container_of(t, struct vcpu, tick);

    if (v == current)
        vcpu_tick(v);
}

static void poll_expired(struct timer *t)
{
    vcpu_wake(container_of(t, struct vcpu, poll_timer));
}

/*
 * Before it was moved.  Those that shared_info has no room for have one that no
 * guest sees; they do not start before they have another.
 */
static struct vcpu_info *first_info(struct vcpu *v)
{
    return v->id < LEGACY_MAX_VCPUS ? &v->domain->shared_info->vcpu_info[v->id]
                                    : &v->pv->info;
}

void time_info_write(struct vcpu_time_info *t)
{
    *t = (struct vcpu_time_info){
        .version = TIME_VERSION,
        .tsc_timestamp = tsc_at_boot,
        .tsc_to_system_mul = tsc_scale.mul,
        .tsc_shift = tsc_scale.shift,
        .flags = VCPU_TIME_TSC_STABLE,
    };
}

int vcpu_create(struct domain *d)
{
    struct vcpu *v = pool_alloc(sizeof(*v));

    if (!v)
        return -ENOMEM;

    v->domain = d;
    v->id = d->vcpu_count;
    if (d->pv && !(v->pv = pv_vcpu_create())) {
        pool_free(v, sizeof(*v));
        return -ENOMEM;
    }
    v->state = v->runstate = VCPU_OFFLINE;
    v->runstate_since = time_now();
    v->held = true; /* Its domain begins paused. */
    v->info = first_info(v);
    for (uint32_t i = 0; i < TRAP_GROUPS; i++)
        v->traps[i] = trap_none;
    list_init(&v->memory_waiter);
    timer_init(&v->timer, timer_expired);
    timer_init(&v->poll_timer, poll_expired);
    timer_init(&v->tick, tick_expired);
    v->affinity = ~0ULL;
    vcpu_set_weight(v, d->weight, 1);
    time_info_write(&v->info->time);

    v->regs.cs = SELECTOR_CS64;
    v->regs.ss = SELECTOR_DS;
    v->regs.rflags = RFLAGS_FIXED | RFLAGS_IF;
    fpu_init_state(v->fpu);

    d->vcpu[d->vcpu_count++] = v;
    return 0;
}

void vcpu_release(struct vcpu *v)
{
    timer_cancel_wait(&v->timer);
    timer_cancel_wait(&v->poll_timer);
    timer_cancel_wait(&v->tick);
    fault_stop_waiting(v);
    context_forget(v);
    vcpu_set_runstate_area(v, NULL, NULL);
}

void vcpu_release_info(struct vcpu *v)
{
    struct vcpu_info *info = v->info;

    v->info = first_info(v);
    if (info != v->info)
        memory_unpin(v->domain, info);
}

void vcpu_free(struct vcpu *v)
{
    for (uint32_t i = 0; i < TRAP_GROUPS; i++)
        if (v->traps[i] != trap_none)
            pool_free(v->traps[i], sizeof(trap_none));
    if (v->pv)
        pv_vcpu_free(v->pv);
    pool_free(v, sizeof(*v));
}

/*
 * The old contents move; then everything is made to look pending, so that no
 * event that arrived on the way is overlooked.  With the domain's lock nobody
 * else moves it, and nobody gets @v up meanwhile.
 */
int vcpu_move_info(struct vcpu *v, struct vcpu_info *info)
{
    SPIN_GUARD(&v->domain->lock);
    /* Class pv may name shared_info, too: there it is not what we hold. */
    if (v->info != first_info(v) || info == v->info ||
        (v != current && v->state != VCPU_OFFLINE))
        return -EINVAL;
    memcpy(info, v->info, sizeof(*info));
    atomic_write(&v->info, info);
    return_slowly(); /* so that entry.S looks at the new place */

    info->evtchn_pending_sel = ~0ULL;
    atomic_write(&info->evtchn_upcall_pending, 1);
    return 0;
}

void vcpu_set_timer(struct vcpu *v, uint64_t deadline)
{
    if (!deadline) {
        timer_cancel(&v->timer);
        return;
    }
    /* The first comparison is for those who need not know what time it is. */
    if (deadline > TIMER_FAR_NS && deadline > time_now() + TIMER_FAR_NS)
        deadline = time_now() + TIMER_SOON_NS;
    timer_set(&v->timer, deadline);
}

void vcpu_set_period(struct vcpu *v, uint64_t period)
{
    /* If it runs, it begins now; on a CPU it moves to now it looks by itself.
     */
    (void)atomic_exchange(&v->tick_period, period);
    cpu_resched(atomic_read(&v->cpu));
}

void vcpu_tick(struct vcpu *v)
{
    uint64_t period = atomic_read(&v->tick_period), now = time_now();

    if (!period)
        return;
    if (now - v->tick_last >= period) {
        v->tick_last = now;
        upcall_vcpu_timer(v);
    }
    timer_set(&v->tick, v->tick_last + period);
}
