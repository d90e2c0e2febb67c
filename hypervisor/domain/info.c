/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be told of a domain: to the control domain and to debug keys. */

#include "domain/memory.h"
#include "domain/sched.h"
#include "memory/light.h"
#include "memory/pv_space.h"

static uint32_t flags_of(const struct domain *d)
{
    bool runs = false, all_blocked = d->started;

    for (uint32_t i = 0; i < d->vcpu_count; i++) {
        enum vcpu_state state = d->vcpu[i]->state;

        runs |= state == VCPU_RUNNING;
        all_blocked &= state == VCPU_BLOCKED || state == VCPU_OFFLINE;
    }
    return (d->dying ? CONTROL_DOM_dying : 0U) |
           (d->is_shutdown ? CONTROL_DOM_shutdown : 0U) |
           (d->pause_count ? CONTROL_DOM_paused : 0U) |
           (runs ? CONTROL_DOM_running : 0U) |
           (all_blocked ? CONTROL_DOM_blocked : 0U) |
           (d == initial_domain ? CONTROL_DOM_initial : 0U);
}

/* Records whose size this room knows; tables of others are counted there. */
static uint64_t record_bytes(const struct domain *d)
{
    return sizeof(*d) + sizeof(*d->space) + PAGE_SIZE +
           (d->pv ? sizeof(*d->pv) : 0) +
           d->vcpu_count * (sizeof(struct vcpu) + sizeof(struct vcpu *));
}

void domain_info(struct domain *d, struct control_domain_info *info)
{
    memset(info, 0, sizeof(*info));

    /* First, so that of one that has ended no figure is an earlier one. */
    spin_lock(&d->lock);
    info->flags = flags_of(d);
    info->shutdown_reason = d->shutdown_reason;
    info->weight = d->weight;
    info->cap = d->cap.percent;
    info->reserved_percent = d->reserved.percent;
    info->pause_count = d->pause_count;
    memcpy(info->crash_reason, d->crash_reason, sizeof(info->crash_reason));
    spin_unlock(&d->lock);

    info->domid = d->domid;
    info->class = (uint16_t)d->class;
    info->vcpu_count = d->vcpu_count;
    info->reserved_pages = d->reserved_pages;
    info->max_pages = memory_max(d);
    info->used_pages = memory_used(d);
    info->table_pages = atomic_read(&d->space->table_pages);
    info->record_bytes = record_bytes(d);
    info->shared_info = d->pv ? d->shared_info_gfn : 0;
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        info->cpu_time_ns += vcpu_cpu_time(d->vcpu[i]);
    memcpy(info->uuid, d->uuid, sizeof(info->uuid));
}

static void print_domain(const struct domain *d)
{
    log_info("d%u%s%s%s refs %u pauses %u weight %u pages %lu/%lu tables %lu",
             d->domid, d->dying ? " dying" : "",
             d->is_shutdown ? " shut down" : "",
             d->crash_reason[0] ? " crashed" : "", d->refs, d->pause_count,
             d->weight, memory_used(d), memory_max(d), d->space->table_pages);
    for (uint32_t i = 0; i < d->vcpu_count; i++) {
        static const char *const state_name[] = {
            [VCPU_OFFLINE] = "offline",
            [VCPU_BLOCKED] = "blocked",
            [VCPU_RUNNABLE] = "runnable",
            [VCPU_RUNNING] = "running",
        };
        const struct vcpu *v = d->vcpu[i];
        const struct cpu_regs *regs = v == current ? guest_regs() : &v->regs;

        log_info("    v%u %s%s%s CPU %u vtime %lu rip %lx rsp %lx upcall %u "
                 "mask %u",
                 v->id, state_name[v->state], v->held ? " held" : "",
                 v->in_later && !v->in_run ? " over its cap" : "", v->cpu,
                 v->vtime, regs->rip, regs->rsp, v->info->evtchn_upcall_pending,
                 v->info->evtchn_upcall_mask);
    }
}

static void print_domains(void)
{
    struct domain *d;

    for (domid_t from = 0; (d = domain_get_next(from)); domain_put(d)) {
        print_domain(d);
        from = (domid_t)(d->domid + 1);
    }
}
DEBUG_KEY('d', "domains and their vCPUs", print_domains);

static void print_queues(void)
{
    for (unsigned int cpu = 0; cpu < cpu_count; cpu++) {
        struct run_queue *q = &per_cpu(run_queue, cpu);
        const struct vcpu *v;

        SPIN_GUARD(&q->lock);
        v = per_cpu(current_vcpu, cpu);
        log_info("CPU %u: %u wait, virtual time %lu base %ld, v%d of d%d runs",
                 cpu, q->length, q->vtime, (long)q->base, v ? (int)v->id : -1,
                 v ? (int)v->domain->domid : -1);
    }
}
DEBUG_KEY('q', "run queues", print_queues);
