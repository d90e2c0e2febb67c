/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a vCPU has been running, runnable, blocked and offline. */

#include "domain/sched.h"

#include <abi/assist.h>

#include "domain/memory.h"

/* The guest reads it at any time: with vm_assist's flag it can tell. */
static void fill(const struct vcpu *v, struct vcpu_runstate_info *info)
{
    if (atomic_read(&v->domain->assists) &
        1UL << VMASST_TYPE_runstate_update_flag) {
        info->state_entry_time = v->runstate_since | RUNSTATE_UPDATE;
        barrier();
    }
    info->state = v->runstate;
    for (int i = 0; i < RUNSTATE_COUNT; i++)
        info->time[i] = v->runstate_ns[i];
    barrier();
    info->state_entry_time = v->runstate_since;
}

/* An area that does not fit its page, as kernels of class pv may have it. */
static __rare void publish_in_two(const struct vcpu *v)
{
    size_t first = PAGE_SIZE - (uintptr_t)v->runstate_area % PAGE_SIZE;
    struct vcpu_runstate_info info;

    fill(v, &info);
    info.state_entry_time |= RUNSTATE_UPDATE;
    for (int last = 0; last < 2; last++) {
        memcpy(v->runstate_area, &info, first);
        memcpy(v->runstate_rest, (char *)&info + first, sizeof(info) - first);
        barrier();
        info.state_entry_time = v->runstate_since;
    }
}

static void publish(const struct vcpu *v)
{
    if (likely(!v->runstate_rest))
        fill(v, v->runstate_area);
    else
        publish_in_two(v);
}

void runstate_follow(struct vcpu *v, uint64_t now)
{
    bool held = v->held && v->state == VCPU_RUNNABLE;
    uint8_t runstate = held ? RUNSTATE_offline : v->state;

    if (v->runstate == runstate)
        return;
    if (now > v->runstate_since) { /* else another CPU's clock is ahead */
        v->runstate_ns[v->runstate] += now - v->runstate_since;
        v->runstate_since = now;
    }
    v->runstate = runstate;
    if (v->runstate_area)
        publish(v);
}

void vcpu_runstate(struct vcpu *v, struct vcpu_runstate_info *info)
{
    struct run_queue *q __queue_guard = queue_lock(v);
    uint64_t now = time_now();

    fill(v, info);
    if (now > v->runstate_since)
        info->time[v->runstate] += now - v->runstate_since;
}

uint64_t vcpu_cpu_time(struct vcpu *v)
{
    struct vcpu_runstate_info info = {0};

    vcpu_runstate(v, &info);
    return info.time[RUNSTATE_running];
}

void vcpu_set_runstate_area(struct vcpu *v, struct vcpu_runstate_info *area,
                            char *rest)
{
    struct run_queue *q = queue_lock(v);
    const void *old = v->runstate_area, *old_rest = v->runstate_rest;

    v->runstate_area = area;
    v->runstate_rest = rest;
    if (area)
        publish(v);
    queue_unlock(&q);
    memory_unpin(v->domain, old);
    memory_unpin(v->domain, old_rest);
}
