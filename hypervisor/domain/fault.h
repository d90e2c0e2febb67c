/* SPDX-License-Identifier: BSD-2-Clause */
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

#pragma once

#include "domain/vcpu.h"

/*
 * Resolve a fault of the current vCPU at @cr2.  True: the access may be
 * repeated, perhaps after a wait.  False: it is the guest's own fault.
 */
bool fault_resolve(uint64_t cr2, uint32_t error_code);

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
