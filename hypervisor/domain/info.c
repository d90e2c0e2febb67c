/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be told of a domain: to the control domain and to debug keys. */

#include "arch/x86_64/smp.h"
#include "core/keys.h"
#include "core/log.h"
#include "domain/domain.h"
#include "domain/sched.h"
#include "domain/vcpu.h"
#include "lib/string.h"
#include "memory/frame.h"
#include "memory/light.h"

static const char *const state_name[] = {
    [VCPU_OFFLINE] = "offline",
    [VCPU_BLOCKED] = "blocked",
    [VCPU_RUNNABLE] = "runnable",
    [VCPU_RUNNING] = "running",
};

static uint32_t flags_of(const struct domain *d)
{
    uint32_t flags = 0;
    bool runs = false, all_blocked = true;

    for (uint32_t i = 0; i < d->vcpu_count; i++) {
        enum vcpu_state state = d->vcpu[i]->state;

        runs |= state == VCPU_RUNNING;
        all_blocked &= state == VCPU_BLOCKED || state == VCPU_OFFLINE;
    }
    if (d->dying)
        flags |= CONTROL_DOM_dying;
    if (d->is_shutdown)
        flags |= CONTROL_DOM_shutdown;
    if (d->pause_count)
        flags |= CONTROL_DOM_paused;
    if (runs)
        flags |= CONTROL_DOM_running;
    else if (all_blocked && d->started)
        flags |= CONTROL_DOM_blocked;
    if (d == initial_domain)
        flags |= CONTROL_DOM_initial;
    return flags;
}

/* Records whose size this room knows; tables of others are counted there. */
static uint64_t record_bytes(const struct domain *d)
{
    return sizeof(*d) + sizeof(*d->space) + PAGE_SIZE +
           d->vcpu_count * (sizeof(struct vcpu) + sizeof(struct vcpu *));
}

void domain_info(struct domain *d, struct control_domain_info *info)
{
    memset(info, 0, sizeof(*info));
    info->domid = d->domid;
    info->class = (uint16_t)d->class;
    info->vcpu_count = d->vcpu_count;
    info->reserved_pages = d->reserved_pages;
    info->max_pages = d->space->layout.ram_pages;
    info->used_pages = atomic_read(&d->space->used_pages);
    info->table_pages = atomic_read(&d->space->table_pages);
    info->record_bytes = record_bytes(d);
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        info->cpu_time_ns += vcpu_cpu_time(d->vcpu[i]);
    memcpy(info->uuid, d->uuid, sizeof(info->uuid));

    spin_lock(&d->lock);
    info->flags = flags_of(d);
    info->shutdown_reason = d->shutdown_reason;
    info->weight = d->weight;
    info->cap = d->cap.percent;
    info->reserved_percent = d->reserved.percent;
    info->pause_count = d->pause_count;
    memcpy(info->crash_reason, d->crash_reason, sizeof(info->crash_reason));
    spin_unlock(&d->lock);
}

static void print_vcpu(const struct vcpu *v)
{
    log_info(
        "    v%u %s%s vtime %llu rip %llx rsp %llx upcall %u mask %u", v->id,
        state_name[v->state], v->held ? " held" : "",
        (unsigned long long)v->vtime,
        (unsigned long long)(v == current ? guest_regs()->rip : v->regs.rip),
        (unsigned long long)(v == current ? guest_regs()->rsp : v->regs.rsp),
        v->info->evtchn_upcall_pending, v->info->evtchn_upcall_mask);
}

static void print_domain(struct domain *d)
{
    log_info(
        "d%u%s%s%s refs %u pauses %u weight %u pages %llu/%llu tables %llu",
        d->domid, d->dying ? " dying" : "", d->is_shutdown ? " shut down" : "",
        d->crash_reason[0] ? " crashed" : "", d->refs, d->pause_count,
        d->weight, (unsigned long long)d->space->used_pages,
        (unsigned long long)d->space->layout.ram_pages,
        (unsigned long long)d->space->table_pages);
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        print_vcpu(d->vcpu[i]);
}

static void for_each_domain(void (*print)(struct domain *d))
{
    struct domain *d;
    domid_t from = 0;

    while ((d = domain_get_next(from))) {
        print(d);
        from = (domid_t)(d->domid + 1);
        domain_put(d);
    }
}

static void print_domains(void)
{
    for_each_domain(print_domain);
}
DEBUG_KEY('d', "domains and their vCPUs", print_domains);

static void print_waiting(struct domain *d)
{
    for (uint32_t i = 0; i < d->vcpu_count; i++) {
        const struct vcpu *v = d->vcpu[i];

        if (v->place != IN_NO_QUEUE)
            log_info("    d%uv%u waits for CPU %u%s, vtime %llu", d->domid,
                     v->id, v->cpu, v->place == IN_THROTTLED ? " (cap)" : "",
                     (unsigned long long)v->vtime);
    }
}

static void print_queues(void)
{
    for (unsigned int cpu = 0; cpu < cpu_count; cpu++) {
        struct run_queue *q = &per_cpu(run_queue, cpu);
        const struct vcpu *v;

        spin_lock(&q->lock);
        log_info("CPU %u: %u wait, virtual time %llu base %lld", cpu, q->length,
                 (unsigned long long)q->vtime, (long long)q->base);
        v = per_cpu(current_vcpu, cpu);
        if (v)
            log_info("    d%uv%u runs, vtime %llu", v->domain->domid, v->id,
                     (unsigned long long)v->vtime);
        spin_unlock(&q->lock);
    }
    for_each_domain(print_waiting);
}
DEBUG_KEY('q', "run queues", print_queues);
