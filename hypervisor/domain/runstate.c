/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a vCPU has been running, runnable, blocked and offline. */

#include "domain/runstate.h"

#include "core/time.h"
#include "domain/domain.h"
#include "domain/vcpu.h"
#include "memory/frame.h"

/* The guest reads it at any time: with vm_assist's flag it can tell. */
static void fill(const struct vcpu *v, struct vcpu_runstate_info *info)
{
    if (atomic_read(&v->domain->runstate_update)) {
        info->state_entry_time = v->runstate_since | RUNSTATE_UPDATE;
        barrier();
    }
    info->state = v->runstate;
    for (int i = 0; i < RUNSTATE_COUNT; i++)
        info->time[i] = v->runstate_ns[i];
    barrier();
    info->state_entry_time = v->runstate_since;
}

void runstate_set(struct vcpu *v, uint8_t runstate, uint64_t now)
{
    if (v->runstate == runstate)
        return;
    v->runstate_ns[v->runstate] += now - v->runstate_since;
    v->runstate = runstate;
    v->runstate_since = now;
    if (v->runstate_area)
        fill(v, v->runstate_area);
}

void vcpu_runstate(struct vcpu *v, struct vcpu_runstate_info *info)
{
    fill(v, info);
    info->time[v->runstate] += time_now() - v->runstate_since;
}

uint64_t vcpu_cpu_time(struct vcpu *v)
{
    struct vcpu_runstate_info info = {0};

    vcpu_runstate(v, &info);
    return info.time[RUNSTATE_running];
}

void vcpu_set_runstate_area(struct vcpu *v, struct frame *frame,
                            uint32_t offset)
{
    struct frame *old = v->runstate_frame;

    v->runstate_area = NULL;
    v->runstate_frame = frame;
    if (frame) {
        v->runstate_area =
            (void *)((char *)mfn_to_virt(frame_to_mfn(frame)) + offset);
        fill(v, v->runstate_area);
    }
    if (old)
        frame_put(old);
}
