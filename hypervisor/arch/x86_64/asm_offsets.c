/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of C for assembly.  This file is compiled to assembly text only;
 * the build turns each "->NAME value" into a #define in asm_offsets.h.
 */

#include <abi/hypercall.h>
#include <abi/trap.h>

#include "arch/x86_64/regs.h"
#include "arch/x86_64/smp.h"

#define DEFINE(name, value)                                                    \
    __asm__ __volatile__("\n->" #name " %c0" : : "i"(value))
#define OFFSET(name, type, member) DEFINE(name, offsetof(type, member))

void asm_offsets(void);
void asm_offsets(void)
{
    OFFSET(REGS_R15, struct cpu_regs, r15);
    OFFSET(REGS_R11, struct cpu_regs, r11);
    OFFSET(REGS_RAX, struct cpu_regs, rax);
    OFFSET(REGS_RCX, struct cpu_regs, rcx);
    OFFSET(REGS_ERROR_CODE, struct cpu_regs, error_code);
    OFFSET(REGS_VECTOR, struct cpu_regs, entry_vector);
    OFFSET(REGS_RIP, struct cpu_regs, rip);
    OFFSET(REGS_CS, struct cpu_regs, cs);
    OFFSET(REGS_RFLAGS, struct cpu_regs, rflags);
    OFFSET(REGS_RSP, struct cpu_regs, rsp);
    OFFSET(REGS_SS, struct cpu_regs, ss);
    DEFINE(REGS_SIZE, sizeof(struct cpu_regs));
    DEFINE(ENTRY_SYSCALL_VALUE, ENTRY_SYSCALL);
    DEFINE(BOUNCE_FRAME, 56); /* without an error code */
    DEFINE(MODE_KERNEL, GUEST_KERNEL);
    DEFINE(MODE_USER, GUEST_USER);
    static_assert(GUEST_USER > GUEST_KERNEL && GUEST_KERNEL > GUEST_LIGHT,
                  "entry.S compares once");
    OFFSET(PV_KERNEL_L4, struct pv_entry, kernel_l4);
    OFFSET(PV_USER_L4, struct pv_entry, user_l4);
    OFFSET(PV_KERNEL_SP, struct pv_entry, kernel_sp);
    OFFSET(PV_SYSCALL, struct pv_entry, syscall.address);
    OFFSET(PV_SYSCALL_MASKS, struct pv_entry, syscall.mask_events);
    OFFSET(PV_SHOWN_IOPL, struct pv_entry, shown_iopl);
    OFFSET(PV_IRET_RARE, struct pv_entry, shows_iopl);
    static_assert(offsetof(struct pv_entry, nmi_masked) ==
                      offsetof(struct pv_entry, shows_iopl) + 1,
                  "looked at as one word");
    OFFSET(COUNTS_CR3_LOADS, struct cpu_counts, cr3_loads);
    DEFINE(RFLAGS_OF_GUEST, RFLAGS_GUEST);
    DEFINE(RFLAGS_OF_ALL, RFLAGS_FIXED | RFLAGS_IF);
    DEFINE(RFLAGS_NOT_OF_HANDLER, RFLAGS_NOT_FOR_HANDLER | RFLAGS_DF);

    static_assert(offsetof(struct iret_context, ss) == 64, "nine words");
    DEFINE(HYPERCALL_IRET, HYPERCALL_iret);
    DEFINE(IRET_IN_SYSCALL, VGCF_in_syscall);

#define VECTOR_(name, vector, text) DEFINE(VECTOR_##name, vector);
    EXCEPTIONS(VECTOR_)
    DEFINE(VECTOR_EXCEPTIONS, VECTOR_EXCEPTIONS);
    DEFINE(VECTOR_INT80, VECTOR_INT80);

    OFFSET(ENTRY_OWN_CR3, struct xpti_page, own_cr3);
    OFFSET(ENTRY_GUEST_CR3, struct xpti_page, guest_cr3);
    OFFSET(ENTRY_SCRATCH, struct xpti_page, scratch);
}
