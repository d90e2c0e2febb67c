/* SPDX-License-Identifier: BSD-2-Clause */
/* Which CPU a vCPU waits for; sched.h has the rules. */

#include "domain/sched.h"

/* How many of those that wait a thief looks at for one that it may take. */
#define STEAL_LOOKS 8

uint64_t idle_cpus;

/* An idle one of @cpus, rather @last, now spoken for; false: there is none. */
static bool claim_idle(uint64_t cpus, unsigned int last, unsigned int *cpu)
{
    uint64_t idle = atomic_read(&idle_cpus) & cpus;

    if (!idle)
        return false;
    *cpu = idle & cpu_bit(last) ? last : (unsigned int)__builtin_ctzll(idle);
    atomic_and(&idle_cpus, ~cpu_bit(*cpu));
    return true;
}

/* The one of @cpus where most, or fewest, wait. */
static unsigned int extreme(uint64_t cpus, bool most)
{
    unsigned int best = (unsigned int)__builtin_ctzll(cpus);

    for (; cpus; cpus &= cpus - 1) {
        unsigned int cpu = (unsigned int)__builtin_ctzll(cpus);
        uint32_t length = atomic_read(&per_cpu(run_queue, cpu).length);
        uint32_t best_length = atomic_read(&per_cpu(run_queue, best).length);

        if (most ? length > best_length : length < best_length)
            best = cpu;
    }
    return best;
}

unsigned int sched_place(const struct vcpu *v, bool anew)
{
    uint64_t cpus = v->affinity & cpus_all();
    unsigned int cpu;

    if (__atomic_load_n(&v->loaded, __ATOMIC_ACQUIRE) || cpu_count == 1)
        return v->cpu;
    if (claim_idle(cpus, v->cpu, &cpu))
        return cpu;
    return anew || !(cpus & cpu_bit(v->cpu)) ? extreme(cpus, false) : v->cpu;
}

static bool may_move(const struct vcpu *v, unsigned int cpu)
{
    return !__atomic_load_n(&v->loaded, __ATOMIC_ACQUIRE) &&
           v->affinity & cpu_bit(cpu);
}

/* One of the first few that this CPU may have; a root has no siblings. */
static struct vcpu *find_movable(const struct run_queue *q)
{
    struct heap_node *root = heap_min(&q->heap), *n = root;

    for (int i = 0; n && i < STEAL_LOOKS; i++) {
        struct vcpu *v = container_of(n, struct vcpu, run);

        if (may_move(v, this_cpu(cpu_id)))
            return v;
        n = n->child || n == root ? n->child : n->sibling;
    }
    return NULL;
}

bool sched_steal(void)
{
    unsigned int me = this_cpu(cpu_id);
    uint64_t others = cpus_all() & ~cpu_bit(me);
    struct run_queue *q;
    struct vcpu *v;

    if (!others)
        return false;
    q = &per_cpu(run_queue, extreme(others, true));
    if (!atomic_read(&q->length))
        return false;
    spin_lock(&q->lock);
    v = find_movable(q);
    if (v)
        sched_depart(q, v, me);
    spin_unlock(&q->lock);
    if (v)
        sched_arrive(v);
    return v;
}

/* How far others are, on the scale of all. */
struct lead {
    unsigned int cpu; /* of the furthest */
    uint64_t most, least;
    uint64_t slice; /* the longest, as virtual time */
};

static void look(struct lead *lead, unsigned int cpu, uint64_t now)
{
    struct run_queue *q = &per_cpu(run_queue, cpu);
    uint64_t at;
    const struct vcpu *v;

    SPIN_GUARD(&q->lock);
    v = sched_running(cpu, now);
    if (!v)
        return;
    at = v->vtime + q->base;
    if (!lead->slice || (int64_t)(at - lead->most) > 0) {
        lead->most = at;
        lead->cpu = cpu;
    }
    if (!lead->slice || (int64_t)(at - lead->least) < 0)
        lead->least = at;
    lead->slice = MAX(lead->slice, sched_weigh(v, SCHED_SLICE_NS));
}

/*
 * The first that waits here is @slice by its own weight: is it due where the
 * furthest one runs?  What exceeds a few slices is drift.
 */
static bool is_due(struct run_queue *q, const struct vcpu *v,
                   const struct lead *lead)
{
    uint64_t slice = sched_weigh(v, SCHED_SLICE_NS), at = v->vtime + q->base;
    int64_t drift = (int64_t)(SCHED_LAG_SLICES * MAX(slice, lead->slice));
    int64_t behind = (int64_t)(lead->most - at);
    int64_t ahead = (int64_t)(at - lead->least);

    if (!lead->slice)
        return false;
    if (behind > drift)
        q->base += (uint64_t)(behind - drift);
    else if (ahead > drift)
        q->base -= (uint64_t)(ahead - drift);
    return behind > (int64_t)slice;
}

void sched_balance(void)
{
    struct run_queue *q = &this_cpu(run_queue);
    unsigned int me = this_cpu(cpu_id);
    uint64_t now = time_now(), cpus;
    struct heap_node *first;
    struct lead lead = {0};
    struct vcpu *v = NULL;
    bool claimed, moves = false;

    if (cpu_count == 1 || !q->length ||
        !(atomic_read(&idle_cpus) || q->slice_ended))
        return;

    spin_lock(&q->lock);
    first = heap_min(&q->heap);
    cpus = first ? container_of(first, struct vcpu, run)->affinity : 0;
    spin_unlock(&q->lock);
    cpus &= cpus_all() & ~cpu_bit(me);

    claimed = claim_idle(cpus, me, &lead.cpu);
    if (!claimed) {
        if (!q->slice_ended)
            return;
        for (uint64_t left = cpus; left; left &= left - 1)
            look(&lead, (unsigned int)__builtin_ctzll(left), now);
    }
    q->slice_ended = false;

    spin_lock(&q->lock);
    first = heap_min(&q->heap);
    if (first) {
        v = container_of(first, struct vcpu, run);
        moves = (claimed || is_due(q, v, &lead)) && may_move(v, lead.cpu);
        if (moves)
            sched_depart(q, v, lead.cpu);
    }
    spin_unlock(&q->lock);
    if (moves)
        sched_arrive(v);
    else if (claimed)
        cpu_resched(lead.cpu); /* Spoken for, in vain: it is idle again. */
}
