/* SPDX-License-Identifier: BSD-2-Clause */
/* Pausing, shutting down and destroying domains. */

#include <stdarg.h>

#include "arch/x86_64/cpu.h"
#include "core/panic.h"
#include "domain/memory.h"
#include "domain/pv_vcpu.h"
#include "domain/sched.h"
#include "domain/upcalls.h"
#include "lib/format.h"

/* More pauses than anybody counts: a mistake, refused before it wraps. */
#define PAUSE_COUNT_MAX 0x7fffffffU

/* A kick arrives, and a quantum ends, in less. */
#define OFF_WAIT_NS 100000U

static bool may_run(const struct domain *d)
{
    return !atomic_read(&d->pause_count) && !d->is_shutdown && !d->dying;
}

/* Its vCPUs are held exactly while it may not run. */
static void hold_vcpus(struct domain *d) __must_hold(d->lock)
{
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        vcpu_hold(d->vcpu[i], !may_run(d));
}

bool domain_is_off(struct domain *d)
{
    uint64_t end = time_now() + OFF_WAIT_NS;
    uint32_t i = 0;

    for (;;) {
        while (i < d->vcpu_count && vcpu_is_off(d->vcpu[i]))
            i++;
        if (i == d->vcpu_count || may_run(d))
            return true;
        if (time_now() >= end)
            return false;
        cpus_serve();
        cpu_relax();
    }
}

int domain_pause(struct domain *d)
{
    SPIN_GUARD(&d->lock);
    if (d->pause_count == PAUSE_COUNT_MAX)
        return -EINVAL;
    if (d->pause_count++ == 0)
        hold_vcpus(d);
    return 0;
}

int domain_unpause(struct domain *d)
{
    SPIN_GUARD(&d->lock);
    if (d->pause_count == 0 || (!d->started && !d->vcpu[0]->has_start))
        return -EINVAL;
    if (--d->pause_count == 0 && !d->started) {
        d->started = true;
        vcpu_up(d->vcpu[0]);
    }
    hold_vcpus(d);
    return 0;
}

int domain_vcpu_up(struct vcpu *v)
{
    SPIN_GUARD(&v->domain->lock);
    if (!v->has_start)
        return -EINVAL;
    vcpu_up(v);
    (void)share_divide(v->domain);
    return 0;
}

void domain_vcpu_down(struct vcpu *v)
{
    struct domain *d = v->domain;
    uint32_t left;

    spin_lock(&d->lock);
    vcpu_down(v);
    left = share_divide(d);
    spin_unlock(&d->lock);

    if (!left)
        (void)domain_shutdown(d, SHUTDOWN_poweroff);
}

/* Class pv: its tables, which are pinned, and its kernel's stack. */
static int set_base(struct vcpu *v, const struct control_set_start *start)
{
    struct page_work work = {PAGE_WORK_QUANTUM};

    v->pv->entry.kernel_sp = start->rsp;
    return pv_set_kernel_base(v, mfn(start->l4), &work);
}

int domain_set_start(struct domain *d, const struct control_set_start *start)
{
    struct vcpu *v;
    int rc;

    if (start->vcpu >= d->vcpu_count)
        return -ENOENT;
    v = d->vcpu[index_nospec(start->vcpu, d->vcpu_count)];

    SPIN_GUARD(&d->lock);
    if (d->started)
        return -EBUSY;
    rc = d->pv ? set_base(v, start) : 0;
    if (rc)
        return rc;
    v->regs.rip = start->rip;
    v->regs.rsp = start->rsp;
    v->regs.rsi = start->rsi;
    v->has_start = true;
    return 0;
}

int domain_set_shutdown_code(struct domain *d, uint32_t reason)
{
    if (reason > SHUTDOWN_soft_reset)
        return -EINVAL;
    SPIN_GUARD(&d->lock);
    if (!d->has_shutdown_code)
        d->shutdown_reason = reason;
    d->has_shutdown_code = true;
    return 0;
}

int domain_shutdown(struct domain *d, uint32_t reason)
{
    bool first;

    if (reason > SHUTDOWN_soft_reset)
        return -EINVAL;
    spin_lock(&d->lock);
    first = !d->is_shutdown;
    if (first && !d->has_shutdown_code)
        d->shutdown_reason = reason;
    d->is_shutdown = true;
    hold_vcpus(d);
    spin_unlock(&d->lock);

    if (!first)
        return 0;
    if (policy_allows(d, POLICY_power)) {
        bool off = reason == SHUTDOWN_poweroff;

        log_info("d%u: shut down for reason %u: the machine %s", d->domid,
                 reason, off ? "goes off" : "restarts");
        if (off)
            machine_power_off();
        machine_reset();
    }
    upcall_raise_global(VIRQ_DOM_EXC);
    return 0;
}

/* As one whose suspension was cancelled: that is what 1 says to its kernel. */
int domain_resume(struct domain *d)
{
    SPIN_GUARD(&d->lock);
    if (!d->is_shutdown || d->dying || d->shutdown_reason != SHUTDOWN_suspend)
        return -EINVAL;
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        if (!vcpu_is_off(d->vcpu[i]))
            return -EAGAIN; /* Its call is about to return 0. */
    d->vcpu[0]->regs.rax = 1;
    d->is_shutdown = d->has_shutdown_code = false;
    if (!share_divide(d)) /* Its call was to go down, as the last one. */
        vcpu_up(d->vcpu[0]);
    hold_vcpus(d);
    return 0;
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
    va_list args;
    bool first;

    va_start(args, fmt);
    spin_lock(&d->lock);
    first = !d->crash_reason[0];
    if (first)
        (void)vsnprintf(d->crash_reason, sizeof(d->crash_reason), fmt, args);
    spin_unlock(&d->lock);
    va_end(args);

    if (first)
        log_guest("d%u: crashed: %s", d->domid, d->crash_reason);

    /* A domain with devices must not go on reaching memory through them. */
    upcall_devices_quiesce(d);
    (void)domain_shutdown(d, SHUTDOWN_crash);
}

static void watchdog_expired(struct timer *t)
{
    (void)domain_shutdown(container_of(t, struct watchdog, timer)->domain,
                          SHUTDOWN_watchdog);
}

void watchdogs_init(struct domain *d)
{
    for (uint32_t i = 0; i < SCHED_WATCHDOGS; i++) {
        d->watchdog[i].domain = d;
        timer_init(&d->watchdog[i].timer, watchdog_expired);
    }
}

int domain_watchdog(struct domain *d, uint32_t id, uint32_t seconds)
{
    uint64_t ns = seconds * 1000000000ULL;

    SPIN_GUARD(&d->lock);
    for (uint32_t i = 0; i < SCHED_WATCHDOGS; i++) {
        struct watchdog *w = &d->watchdog[i];

        /* The one that is meant, which must run, or the first that is free. */
        if (id ? id != i + 1 || !w->runs : w->runs)
            continue;
        w->runs = !id || ns;
        if (w->runs)
            timer_set(&w->timer, time_now() + ns);
        else
            timer_cancel(&w->timer);
        return id ? 0 : (int)i + 1;
    }
    return id ? -EINVAL : -ENOSPC;
}

/* It cannot be found any more and runs no more; false: in a moment. */
static bool begin_end(struct domain *d)
{
    spin_lock(&d->lock);
    atomic_write(&d->dying, true);
    hold_vcpus(d);
    spin_unlock(&d->lock);

    if (!domain_is_off(d))
        return false;
    for (uint32_t i = 0; i < d->vcpu_count; i++) {
        vcpu_down(d->vcpu[i]);
        vcpu_release(d->vcpu[i]);
    }
    for (uint32_t i = 0; i < SCHED_WATCHDOGS; i++)
        timer_cancel_wait(&d->watchdog[i].timer);
    upcall_devices_quiesce(d);
    return true;
}

/* The records go with the last reference. */
static bool vanish(struct domain *d)
{
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        vcpu_release_info(d->vcpu[i]);
    share_give_back(d);
    table_set(d->domid, NULL);
    upcall_raise_global(VIRQ_DOM_EXC);
    domain_put(d);
    return true;
}

/* A quantum of each; true when it is done. */
static bool (*const end_step[DOMAIN_END_STEPS])(struct domain *d) = {
    begin_end,
    upcall_devices_release,
    upcall_events_destroy,
    upcall_grants_destroy,
    memory_destroy,
    vanish,
};

/* So many are short: one call may do them and the next. */
#define SHORT_STEPS 2U

int domain_destroy(struct domain *d)
{
    int rc;

    if (d == initial_domain || (current && current->domain == d))
        return -EINVAL;
    /* One at a time: another that destroys it, too, comes again. */
    if (atomic_exchange(&d->ending, true))
        return -EAGAIN;

    while (d->end != DOMAIN_END_STEPS && end_step[d->end](d))
        if (++d->end > SHORT_STEPS)
            break; /* Enough for once. */
    rc = d->end == DOMAIN_END_STEPS ? 0 : -EAGAIN;
    (void)atomic_exchange(&d->ending, false);
    return rc;
}
