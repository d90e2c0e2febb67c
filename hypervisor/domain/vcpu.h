/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual CPUs and what the scheduler does with them.
 *
 *      OFFLINE --up--> RUNNABLE <--schedule--> RUNNING
 *                         ^                       | block, poll, no memory
 *                         '------ wake -- BLOCKED <'
 *
 * A RUNNABLE vCPU of a paused or shut down domain stays off the run queue.
 * Fields: (c) constant, (r) guarded by its run queue's lock, (o) only its own
 * CPU while it runs, or anybody while it is held off all CPUs, (a) atomic.
 */

#ifndef DOMAIN_VCPU_H
#define DOMAIN_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/event_channel.h>
#include <abi/sched.h>
#include <abi/shared_info.h>
#include <abi/trap.h>
#include <abi/vcpu.h>

#include "arch/x86_64/percpu.h"
#include "arch/x86_64/regs.h"
#include "core/timer.h"
#include "lib/heap.h"

struct domain;

enum vcpu_state {
    VCPU_OFFLINE,
    VCPU_BLOCKED,
    VCPU_RUNNABLE,
    VCPU_RUNNING,
};

struct trap_entry {
    uint64_t address; /* 0: none */
    uint8_t flags;    /* TRAP_* */
};

/* FXSAVE's area; AVX follows with XSAVE. */
#define FPU_AREA_SIZE 512

struct vcpu {
    struct domain *domain;  /* (c) */
    uint32_t id;            /* (c) */
    enum vcpu_state state;  /* (r) */
    struct vcpu_info *info; /* (o) hypervisor's address of a pinned page */

    struct heap_node run; /* (r) in the run queue; key: virtual time */
    uint64_t vtime;       /* (r) weighted ns it has run */
    uint64_t ran_since;   /* (o) system time it was last switched in */
    uint32_t weight;      /* (r) */
    bool queued;          /* (r) */
    uint8_t cpu;          /* (r) where it runs or ran last */
    bool polling;         /* (a) blocked in SCHEDOP_poll */
    bool wants_memory;    /* (a) blocked until a frame is free */

    struct timer timer;      /* VIRQ_TIMER: set_timer_op and singleshot */
    struct timer poll_timer; /* end of a poll */

    uint64_t runstate_since;              /* (r) */
    uint64_t runstate_ns[RUNSTATE_COUNT]; /* (r) */
    uint64_t runstate_area;               /* (o) guest va, 0 none */

    uint64_t event_callback; /* (o) address, 0 none */
    uint64_t failsafe_callback;
    struct trap_entry *traps; /* (o) TRAP_COUNT of them, NULL until set */
    uint64_t fs_base, gs_base, gs_base_user; /* (o) valid while switched out */
    uint16_t ds, es, fs, gs;                 /* (o) the same */
    struct cpu_regs regs;                    /* (o) the same */
    uint8_t fpu[FPU_AREA_SIZE] __attribute__((aligned(16)));
};

/* The vCPU this CPU runs; NULL while it idles. */
DECLARE_PER_CPU(struct vcpu *, current_vcpu);
#define current this_cpu(current_vcpu)

/* Set to make this CPU choose again on its way back to a guest. */
DECLARE_PER_CPU(bool, need_resched);

/* Make a vCPU of @d, offline, registers as ABI 2.3. */
int __must_check vcpu_create(struct domain *d, uint32_t id, struct vcpu **v);
void vcpu_free(struct vcpu *v);

/*
 * The scheduler: start-time fair queueing.  Each vCPU has a virtual time that
 * advances by (ns run) * 256 / weight; the least one runs next, for at most a
 * slice.  One that wakes starts no earlier than the queue's virtual time less
 * a small credit, which lets it preempt but not hoard.
 */
void vcpu_wake(struct vcpu *v);  /* BLOCKED -> RUNNABLE; else nothing */
void vcpu_up(struct vcpu *v);    /* OFFLINE -> RUNNABLE */
void vcpu_down(struct vcpu *v);  /* any -> OFFLINE, off its CPU on return */
void vcpu_block(struct vcpu *v); /* RUNNING (the caller) -> BLOCKED */
void vcpu_yield(struct vcpu *v); /* let equals go first */
void vcpu_set_weight(struct vcpu *v, uint32_t weight);
void domain_hold_vcpus(struct domain *d);    /* off the CPUs: pause, shutdown */
void domain_release_vcpus(struct domain *d); /* back on the run queues */

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

/* Refresh the time of @v's vcpu_info and its runstate area. */
void vcpu_update_time(struct vcpu *v);

void vcpu_runstate(struct vcpu *v, struct vcpu_runstate_info *info);

#endif /* DOMAIN_VCPU_H */
