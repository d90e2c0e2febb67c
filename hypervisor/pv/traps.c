/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions of guests: what we resolve ourselves, and what they handle. */

#include "arch/x86_64/paging.h"
#include "arch/x86_64/upcalls.h"
#include "domain/pv_vcpu.h"
#include "pv/traps.h"
#include "pv/emulate.h"

/* Error code of #GP from INT n: its low bits say "IDT", the rest is n. */
#define GP_TABLE_MASK  0x7U
#define GP_TABLE_IDT   0x2U
#define GP_INDEX_SHIFT 3

#define INT_N_BYTES 2U
#define INT3_BYTES  1U

/* A trap may be raised by INT n if its flags allow at least this. */
#define TRAP_DPL_KERNEL 1U
#define TRAP_DPL_USER   3U

/* The exceptions for which the processor pushes an error code. */
static bool has_error_code(uint32_t vector)
{
    const uint32_t mask = 1U << VECTOR_DF | 1U << VECTOR_TS | 1U << VECTOR_NP |
                          1U << VECTOR_SS | 1U << VECTOR_GP | 1U << VECTOR_PF |
                          1U << VECTOR_AC;

    return vector < VECTOR_EXCEPTIONS && (mask >> vector & 1);
}

/* Class pv: what the processor itself looks up in an LDT comes here, too. */
static void page_fault_pv(struct cpu_regs *regs, struct vcpu *v, uint64_t cr2)
{
    uint32_t code = regs->error_code & ~PF_USER;

    if (code == regs->error_code && ldt_holds(cr2) && pv_ldt_fault(v, &cr2))
        return;
    if (!pv_in_user_mode() && emulate_table_write(regs, v, cr2))
        return;
    v->info->arch.cr2 = cr2;
    /* Kernels run in ring 3. */
    regs->error_code = code | (pv_in_user_mode() ? PF_USER : 0);
    (void)bounce_trap(regs, VECTOR_PF, true);
}

static void page_fault(struct cpu_regs *regs, uint64_t cr2)
{
    struct vcpu *v = current;

    if (v->pv) {
        page_fault_pv(regs, v, cr2);
        return;
    }
    if (fault_resolve(cr2, regs->error_code) != -EFAULT) {
        if (v->wants_memory)
            fault_wait_for_memory();
        return;
    }
    /* Kernel mode, as far as a guest of class light knows. */
    v->info->arch.cr2 = cr2;
    regs->error_code &= ~PF_USER;
    (void)bounce_trap(regs, VECTOR_PF, true);
}

/*
 * Back onto the instruction that raised a trap after itself, when the frame
 * found no memory: it will raise it again.
 */
static void trap_or_repeat(struct cpu_regs *regs, uint8_t vector,
                           unsigned int instruction_bytes)
{
    if (!bounce_trap(regs, vector, false))
        regs->rip -= instruction_bytes;
}

/* INT n of a vector that the guest may raise goes there directly. */
void upcall_guest_general_protection(struct cpu_regs *regs, struct vcpu *v)
{
    uint32_t code = regs->error_code;

    if (code == 0 && v->pv &&
        (emulate_privileged(regs, v) || bounce_sysenter(regs, v)))
        return;
    if ((code & GP_TABLE_MASK) == GP_TABLE_IDT) {
        uint8_t n = (uint8_t)(code >> GP_INDEX_SHIFT);
        const struct trap_entry *trap = trap_get(v, n);

        if (trap && (trap->flags & TRAP_DPL_MASK) >=
                        (pv_in_user_mode() ? TRAP_DPL_USER : TRAP_DPL_KERNEL)) {
            regs->rip += INT_N_BYTES;
            trap_or_repeat(regs, n, INT_N_BYTES);
            return;
        }
    }
    (void)bounce_trap(regs, VECTOR_GP, true);
}

void upcall_guest_invalid_opcode(struct cpu_regs *regs, struct vcpu *v)
{
    if (!cpuid_emulate(regs, v->domain->class))
        (void)bounce_trap(regs, VECTOR_UD, false);
}

/* INT 0x80 has a gate of its own; without a handler it is like any other n. */
static void int80(struct cpu_regs *regs)
{
    if (trap_get(current, VECTOR_INT80)) {
        trap_or_repeat(regs, VECTOR_INT80, INT_N_BYTES);
        return;
    }
    regs->rip -= INT_N_BYTES;
    regs->error_code = VECTOR_INT80 << GP_INDEX_SHIFT | GP_TABLE_IDT;
    (void)bounce_trap(regs, VECTOR_GP, true);
}

void upcall_guest_exception(struct cpu_regs *regs, uint64_t cr2)
{
    uint32_t vector = regs->entry_vector;

    switch (vector) {
    case VECTOR_PF:
        page_fault(regs, cr2);
        break;
    case VECTOR_GP:
        upcall_guest_general_protection(regs, current);
        break;
    case VECTOR_UD:
        upcall_guest_invalid_opcode(regs, current);
        break;
    case VECTOR_BP:
        trap_or_repeat(regs, VECTOR_BP, INT3_BYTES);
        break;
    case VECTOR_INT80:
        int80(regs);
        break;
    default:
        if (current->pv && vector == VECTOR_DB)
            pv_debug_hit(current, cr2);
        if (current->pv && vector == VECTOR_NM)
            pv_set_task_switched(current, false);
        (void)bounce_trap(regs, (uint8_t)vector, has_error_code(vector));
        break;
    }
}
