/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's registers as entry.S saves them at the top of the CPU's stack,
 * and as they lie in struct vcpu while it does not run; and what entry.S looks
 * at when a hypercall or an exception is done: whether it may go straight back
 * to the guest, or has to call upcall_return_to_guest() first.
 */

#ifndef ARCH_X86_64_REGS_H
#define ARCH_X86_64_REGS_H

#include "arch/x86_64/percpu.h"

struct cpu_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
    uint64_t rax, rcx, rdx, rsi, rdi;
    uint32_t error_code;
    uint32_t entry_vector; /* ENTRY_SYSCALL or a vector */
    uint64_t rip, cs, rflags, rsp, ss;
};

/* entry_vector of an entry by SYSCALL: the way back may be SYSRET. */
#define ENTRY_SYSCALL 0x100U

static_assert(sizeof(struct cpu_regs) == 168, "entry.S builds it");
static_assert(offsetof(struct cpu_regs, rip) == 128,
              "the CPU pushes from here");

#define RFLAGS_CF    (1UL << 0)
#define RFLAGS_FIXED (1UL << 1) /* always 1 */
#define RFLAGS_TF    (1UL << 8)
#define RFLAGS_IF    (1UL << 9)
#define RFLAGS_DF    (1UL << 10)
#define RFLAGS_IOPL  (3UL << 12)
#define RFLAGS_NT    (1UL << 14)
#define RFLAGS_RF    (1UL << 16)
#define RFLAGS_VM    (1UL << 17)
#define RFLAGS_AC    (1UL << 18)

/*
 * What a guest may choose: the arithmetic flags, TF, DF, NT, RF, AC and ID.
 * IF is always on.
 */
#define RFLAGS_GUEST 0x254dd5UL

/* The registers of the guest that this CPU entered from. */
static inline struct cpu_regs *guest_regs(void)
{
    return (struct cpu_regs *)(cpu_area() + CPU_AREA_STACK_TOP) - 1;
}

/* There is work, or the guest's frame may no longer be fit for SYSRET. */
DECLARE_PER_CPU(bool, slow_return);

/*
 * Two bytes of the guest's: an upcall is due when the first is not 0 and the
 * second is.
 */
DECLARE_PER_CPU(const uint8_t *, upcall_bytes);

/*
 * Who the guest is: SYSCALL is a hypercall but to programs of class pv, and the
 * short way of iret is for class light.
 */
#define GUEST_LIGHT  0
#define GUEST_KERNEL 1
#define GUEST_USER   2
DECLARE_PER_CPU(uint8_t, guest_mode);

static inline void return_slowly(void)
{
    this_cpu(slow_return) = true;
}

#endif /* ARCH_X86_64_REGS_H */
