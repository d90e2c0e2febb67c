/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual CPUs and what the scheduler does with them.
 *
 *      OFFLINE --up--> RUNNABLE <--schedule--> RUNNING
 *                         ^                       | block, poll, no memory
 *                         '------ wake -- BLOCKED <'
 *
 * A RUNNABLE vCPU that is held (its domain is paused or shut down) stays off
 * the run queue.
 *
 * Fields: (c) constant, (r) guarded by its run queue's lock, (o) only its own
 * CPU while it runs, or anybody while it is held off all CPUs, (a) atomic.
 */

#pragma once

#include <abi/event_channel.h>
#include <abi/vcpu.h>

#include "arch/x86_64/regs.h"
#include "arch/x86_64/segment.h"
#include "domain/domain.h"
#include "lib/list.h"

struct pv_vcpu;

/* A guest is told the same, but that a held vCPU is offline. */
enum vcpu_state {
    VCPU_RUNNING = RUNSTATE_running,
    VCPU_RUNNABLE = RUNSTATE_runnable,
    VCPU_BLOCKED = RUNSTATE_blocked,
    VCPU_OFFLINE = RUNSTATE_offline,
};

/* vcpu.poll_port when not polling, and when polling more than one port. */
#define POLL_NONE 0U
#define POLL_ANY  (~0U)

struct trap_entry {
    uint64_t address; /* 0: none */
    uint8_t flags;    /* TRAP_* */
};

/* Trap entries are kept in groups, made when one in them is first set. */
#define TRAP_GROUP  32U
#define TRAP_GROUPS (TRAP_COUNT / TRAP_GROUP)

/* A group without handlers: nobody writes to it. */
extern struct trap_entry trap_none[TRAP_GROUP];

struct vcpu {
    struct domain *domain;  /* (c) */
    uint32_t id;            /* (c) */
    uint8_t state;          /* (r) enum vcpu_state */
    struct vcpu_info *info; /* (o) hypervisor's address of a pinned page */

    struct heap_node run;   /* (r) in the run queue; key: virtual time */
    struct heap_node later; /* (r) among those with a cap or a reservation */
    uint64_t vtime;         /* (r) weighted ns it has run */
    uint64_t ran_since;     /* (r) system time up to which vtime is right */
    uint64_t vtime_rate;    /* (r) virtual ns a ns, << 24 */
    uint64_t affinity;      /* (r) CPUs it may run on */
    bool in_run;            /* (r) run is in its heap */
    bool in_later;          /* (r) later is; it alone: over its domain's cap */
    bool travels;           /* (r) from one queue to another */
    bool held;              /* (r) */
    bool loaded;            /* its CPU has its state; docs/smp.md */
    bool has_start;         /* (o) its first registers are known */
    bool wants_memory;      /* (o) an access found no frame; see below */
    bool repeat;            /* (o) the hypercall it makes is to be made again */
    uint8_t cpu;            /* (r) where it runs or ran last */
    uint32_t poll_port;     /* (a) what it polls, POLL_ANY, or POLL_NONE */

    struct list memory_waiter; /* among those out of memory: fault.c */

    struct timer timer;      /* VIRQ_TIMER: set_timer_op and singleshot */
    struct timer poll_timer; /* end of a poll */
    struct timer tick;       /* VIRQ_TIMER: set_periodic_timer */
    uint64_t tick_period;    /* (a) ns; 0: none */
    uint64_t tick_last;      /* (o) when it was due */

    uint8_t runstate;                     /* (r) RUNSTATE_* */
    uint64_t runstate_since;              /* (r) */
    uint64_t runstate_ns[RUNSTATE_COUNT]; /* (r) */

    /* What the hypervisor writes on its own: pinned, NULL if none. (o) */
    struct vcpu_runstate_info *runstate_area;
    char *runstate_rest; /* what does not fit its page begins here */

    struct pv_vcpu *pv; /* (c) NULL: class light */

    uint64_t event_callback;               /* (o) address, 0 none */
    struct trap_entry *traps[TRAP_GROUPS]; /* (o) trap_none: none set in it */

    /* As set_segment_base left them. */
    uint64_t fs_base, gs_base; /* (o) */

    /* What the processor holds while the vCPU is loaded; sched.h. */
    struct cpu_regs regs;     /* (o) valid while not loaded */
    struct segments segments; /* (o) the same */
    uint8_t fpu[FPU_STATE_SIZE] __attribute__((aligned(16)));
};

/* The vCPU this CPU runs; NULL while it idles. */
DECLARE_PER_CPU(struct vcpu *, current_vcpu);
#define current this_cpu(current_vcpu)

/* The hypercall being made is to be made again. */
static inline void vcpu_repeat(struct vcpu *v)
{
    v->repeat = true;
    return_slowly();
}

/* Set to make this CPU choose again on its way back to a guest. */
DECLARE_PER_CPU(bool, need_resched);

static inline void cpu_resched(unsigned int cpu)
{
    per_cpu(need_resched, cpu) = true;
    cpu_kick(cpu);
}

/* Make the next vCPU of @d, offline and held.  -ENOMEM. */
int __must_check vcpu_create(struct domain *d);

/*
 * Let go of its runstate area and timers; no more than once, before its memory.
 * And of its vcpu_info, where who sends events to it writes with locks of his
 * own domain only: when it has no port any more.
 */
void vcpu_release(struct vcpu *v);
void vcpu_release_info(struct vcpu *v);
void vcpu_free(struct vcpu *v);

/*
 * Move @v's vcpu_info to @info, which is pinned, and that passes to the vCPU.
 * -EINVAL: it was moved before, is there, or is up and not the caller.
 */
int __must_check vcpu_move_info(struct vcpu *v, struct vcpu_info *info);

/*
 * Keep runstate at @area, NULL: stop; and what does not fit its page from @rest
 * on.  Both are pinned, which passes.
 */
void vcpu_set_runstate_area(struct vcpu *v, struct vcpu_runstate_info *area,
                            char *rest);

/* Arm, or with 0 disarm, the timer that raises VIRQ_TIMER. */
void vcpu_set_timer(struct vcpu *v, uint64_t deadline);

/*
 * Raise it every @period ns while @v runs, 0: not any more.  What was due
 * meanwhile comes once when @v is switched in, which vcpu_tick() is called for.
 */
void vcpu_set_period(struct vcpu *v, uint64_t period);
void vcpu_tick(struct vcpu *v);

/*
 * The scheduler: start-time fair queueing.  Each vCPU has a virtual time that
 * advances by (ns run) * 256 / weight; the least one runs next, for at most a
 * slice.  One that wakes starts no earlier than the queue's virtual time less
 * a small credit, which lets it preempt but not hoard.
 */
void vcpu_wake(struct vcpu *v);  /* BLOCKED -> RUNNABLE; else nothing */
void vcpu_up(struct vcpu *v);    /* OFFLINE -> RUNNABLE */
void vcpu_down(struct vcpu *v);  /* any -> OFFLINE */
void vcpu_block(struct vcpu *v); /* RUNNING (the caller) -> BLOCKED */
void vcpu_yield(struct vcpu *v); /* let equals go first */

/* One of @parts parts of @weight. */
void vcpu_set_weight(struct vcpu *v, uint32_t weight, uint32_t parts);

/*
 * CPUs it may run on, one at least of those there are; in a moment.  Its
 * domain's cap and reservation are looked at anew.
 */
void vcpu_set_affinity(struct vcpu *v, uint64_t cpus);

/* Off the CPUs, for a pause or a shutdown, in a moment; or back. */
void vcpu_hold(struct vcpu *v, bool held);

/* A vCPU that is held has left its CPU, but for what is loaded there. */
bool vcpu_is_off(const struct vcpu *v);

/* Set up this CPU's run queue; once. */
void sched_init(void);

/*
 * If need_resched: save the current vCPU, choose, load the next (registers to
 * guest_regs(), address space, segment bases, FPU, time page), idling with
 * HLT until there is one.  Called only from upcall_return_to_guest().
 */
void schedule(void);

/* Start the first vCPU on this CPU; never returns. */
void __attribute__((noreturn)) sched_start(void);

/*
 * An event became deliverable to @v (its upcall_pending went from 0 to 1, or
 * a port it polls became pending): wake it, or make its CPU look again.
 */
void vcpu_notify(struct vcpu *v);

/*
 * The version that guests find for ever beside what they are told about time:
 * even, and not 0.  These are constants of this boot, from the moment system
 * time was 0: exact for as long as the TSC runs, so nothing needs to be
 * refreshed when a vCPU is switched in.
 */
#define TIME_VERSION 2U

/* The time of a vCPU, where no guest reads it yet. */
void time_info_write(struct vcpu_time_info *t);

void vcpu_runstate(struct vcpu *v, struct vcpu_runstate_info *info);

/* The processor time @v has used, in ns. */
uint64_t vcpu_cpu_time(struct vcpu *v);

/* --- Faults, and waiting for memory (fault.c) ----------------------------- */

/*
 * Page faults that the hypervisor resolves, and vCPUs that wait for memory.
 *
 * A page that is merely not populated yet is given a frame, whether the guest
 * touched it or a copy routine did.  When no frame is left, the vCPU is marked
 * (wants_memory), what it did is undone to where it can be repeated, and it
 * blocks, in one queue for all CPUs.
 *
 * Whoever frees memory while that queue is not empty lets its CPU choose anew,
 * and every choice lets as many go as there are frames: no CPU goes idle while
 * somebody waits for what is there, and none is told in vain but by a race.
 */

/*
 * Resolve a fault of the current vCPU at @cr2.  0: the access may be repeated;
 * -ENOMEM: after a wait; -EFAULT: it is the guest's own fault.
 */
int fault_resolve(uint64_t cr2, uint32_t error_code);

/*
 * Page @g of the current domain's RAM, which a hypercall needs, has no frame
 * and none was free: the call is made again, once there is memory.
 */
void fault_repeat_call(gfn_t g);

/* Block the current vCPU until memory is free; it repeats what it did. */
void fault_wait_for_memory(void);

/* A copy failed, and that is answered otherwise than by waiting. */
static inline void fault_do_not_wait(void)
{
    current->wants_memory = false;
    current->repeat = false;
}

/* Let those go whom free memory can serve: by schedule() only. */
void fault_wake_waiters(void);

/* @v does not wait any longer. */
void fault_stop_waiting(struct vcpu *v);
