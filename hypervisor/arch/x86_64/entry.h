/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways into and out of guests; entry.S and exception.c. */

#pragma once

struct cpu_regs;

/*
 * Leave for the guest whose registers are in guest_regs(), by way of
 * upcall_return_to_guest(); what is on the stack is forgotten.
 */
void __noreturn enter_guest(void);

/* One stub a CPU for SYSCALL; entry.S. */
#define SYSCALL_STUB_SIZE 64U
extern const char syscall_stubs[];

/* One stub a vector for the IDT. */
#define VECTOR_STUB_SIZE 16U
extern const char vector_stubs[];

/* The IRETQ to guests: a fault there is the guest's. */
extern const char iret_to_guest[];

/*
 * Of an exception or interrupt in ring 3; @regs are guest_regs().  The stack
 * afterwards is the ordinary one, empty but for them.
 */
void exception_from_guest(struct cpu_regs *regs);

/* The same, and then back to the guest; what is on the stack is forgotten. */
void __noreturn exception_from_guest_only(struct cpu_regs *regs);

/*
 * In ring 0.  Returns the registers to go on with: @regs, or guest_regs() when
 * it was the way into a guest that failed.
 */
struct cpu_regs *exception_from_hypervisor(struct cpu_regs *regs);

/*
 * A guest was interrupted onto an IST stack: move its registers to where
 * guest_regs() has them, on the ordinary stack, which is empty.
 */
struct cpu_regs *exception_leave_ist(const struct cpu_regs *regs);

/* The name of exception @vector, "#PF page fault"; NULL beyond 31. */
const char *exception_name(uint32_t vector);
