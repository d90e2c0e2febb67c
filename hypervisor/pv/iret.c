/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_iret.
 *
 * Class light has kernel mode only, and for it the hypervisor's flat selectors
 * with privilege level 3, which is where it really runs.  A frame that names
 * anything else is answered as the processor would, by #GP with the state that
 * was asked for.
 */

#include "pv/iret.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/vectors.h"
#include "domain/vcpu.h"
#include "lib/atomic.h"
#include "pv/bounce.h"

#define RPL_3 0x3U

void iret_load(const struct iret_context *frame)
{
    struct cpu_regs *regs = guest_regs();
    struct vcpu *v = current;
    uint16_t cs = (uint16_t)frame->cs | RPL_3;
    uint16_t ss = (uint16_t)frame->ss | RPL_3;

    regs->rax = frame->rax;
    regs->rip = frame->rip;
    regs->cs = SELECTOR_CS64;
    regs->rflags = (frame->rflags & RFLAGS_GUEST) | RFLAGS_FIXED | RFLAGS_IF;
    regs->rsp = frame->rsp;
    regs->ss = SELECTOR_DS;

    if (frame->flags & VGCF_in_syscall) {
        regs->rcx = regs->rip; /* What SYSRET, the way back, leaves there. */
        regs->r11 = regs->rflags;
    } else {
        regs->rcx = frame->rcx;
        regs->r11 = frame->r11;
        regs->entry_vector = VECTOR_GP; /* Any but SYSCALL: back by IRET. */
        return_slowly();
    }
    atomic_write(&v->info->evtchn_upcall_mask,
                 frame->rflags & RFLAGS_IF ? 0 : 1);

    if (cs != SELECTOR_CS64 || ss != SELECTOR_DS || !is_canonical(frame->rip)) {
        regs->cs = cs;
        regs->ss = ss;
        (void)bounce_trap(VECTOR_GP, true, 0);
    }
}
