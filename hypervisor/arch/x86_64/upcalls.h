/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the processor room calls in the rooms above it.  All run with
 * interrupts off, on the CPU's own stack, with the guest's registers in
 * guest_regs().
 */

#pragma once

#include "arch/x86_64/regs.h"

struct vcpu;

/* A zeroed frame for one of our tables; MFN_NONE: none left.  Boot room. */
mfn_t upcall_alloc_table(void);

/*
 * A guest made SYSCALL: its arguments and the number.  Returns what goes to
 * rax.  Defined by the hypercall room.
 */
long upcall_hypercall(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5, uint64_t nr);

/* The same of a kernel of class pv. */
long upcall_hypercall_pv(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                         uint64_t a5, uint64_t nr);

/*
 * What these have returned, when it does not go straight back to
 * the guest: put it where it belongs.
 */
void upcall_hypercall_done(long rc);

/*
 * What they call for iret: in entry.S, and it does not return
 * there.  It leaves to upcall_iret(), of the hypercall room, the frames that
 * are not usual.
 */
long hypercall_iret(void);
void upcall_iret(struct cpu_regs *regs, struct vcpu *v);

/*
 * An exception in ring 3.  @cr2 is the address of a #PF, or what DR6 was at a
 * #DB.  Defined by pv.
 */
void upcall_guest_exception(struct cpu_regs *regs, uint64_t cr2);

/*
 * Three exceptions in ring 3 that are worth a way of their own; @v is the
 * current vCPU.  The first returns if the guest's handler is entered, or if
 * there is more to do before the guest goes on; any other page fault it leaves
 * to exception_from_guest_only().  Defined by pv.
 */
void upcall_guest_page_fault_first(struct cpu_regs *regs, struct vcpu *v,
                                   uint64_t cr2);
void upcall_guest_invalid_opcode(struct cpu_regs *regs, struct vcpu *v);
void upcall_guest_general_protection(struct cpu_regs *regs, struct vcpu *v);

/* A program of class pv made SYSCALL.  Defined by pv. */
void upcall_guest_syscall(struct cpu_regs *regs, struct vcpu *v);

/*
 * A page fault in ring 0 at a guest's address, inside a copy routine with a
 * fix-up.  True: resolved, try again.  Defined by the domain room.
 */
bool upcall_guest_page_fault(uint64_t cr2, uint32_t error_code);

/* A device vector (VECTOR_DEVICE_FIRST ..), already acknowledged.  device. */
void upcall_device_interrupt(uint8_t vector);

/* The CPU's one-shot timer fired.  Defined by core. */
void upcall_timer_interrupt(void);

/* The console's UART raised its interrupt.  Defined by core. */
void upcall_console_interrupt(void);

/* Ring 0 took an exception that nothing can mend.  Defined by core. */
void __noreturn upcall_fatal_exception(const struct cpu_regs *regs,
                                       uint64_t cr2, const char *what);

/* Another CPU has arrived, on its own stack; boot has sent for it. */
void __noreturn upcall_start_cpu(void);

/*
 * An upcall is due to the current vCPU, which is @v and has the registers
 * @regs, and nothing else is to be done.  Defined by pv.
 */
void upcall_deliver_events(struct cpu_regs *regs, struct vcpu *v);

/*
 * About to return to a guest: run what is pending, perhaps switch to another
 * vCPU (replacing what guest_regs() holds) or idle until there is one, and
 * deliver events.  Returns when the registers may be loaded.  Defined by pv.
 */
void upcall_return_to_guest(void);
