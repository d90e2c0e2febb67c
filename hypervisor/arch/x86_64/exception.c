/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of exceptions and interrupts: to the guest that caused them, to
 * the room whose device it is, to a fix-up, or to a panic.
 */

#include "arch/x86_64/apic.h"
#include "arch/x86_64/segment.h"
#include "arch/x86_64/upcalls.h"

DEFINE_PER_CPU(struct cpu_counts, cpu_counts);

extern const struct ex_entry ex_table_start[], ex_table_end[];

#define NAME_(name, vector, text) [vector] = (text),
static const char *const names[] = {EXCEPTIONS(NAME_)};

const char *exception_name(uint32_t vector)
{
    if (vector < ARRAY_SIZE(names) && names[vector])
        return names[vector];
    return vector < VECTOR_EXCEPTIONS ? "reserved exception"
                                      : "software interrupt";
}

/* Where to go on after a fault at @rip; 0: nowhere, a fault there is a bug. */
static uint64_t ex_table_find(uint64_t rip)
{
    for (const struct ex_entry *e = ex_table_start; e < ex_table_end; e++)
        if ((uintptr_t)&e->from + (intptr_t)e->from == rip)
            return (uintptr_t)&e->to + (intptr_t)e->to;
    return 0;
}

static void interrupt(uint32_t vector)
{
    struct cpu_counts *counts = &this_cpu(cpu_counts);

    if (vector == VECTOR_TIMER) {
        counts->timer++;
        upcall_timer_interrupt();
    } else if (vector >= VECTOR_DEVICE_FIRST && vector <= VECTOR_DEVICE_LAST) {
        counts->device++;
        upcall_device_interrupt((uint8_t)vector);
    } else if (vector == VECTOR_CONSOLE) {
        counts->console++;
        upcall_console_interrupt();
    } else if (vector == VECTOR_IPI) {
        counts->ipi++;
        cpu_take_ipi();
    } else {
        counts->stray++;
    }
    if (vector >= VECTOR_DEVICE_FIRST && vector != VECTOR_SPURIOUS)
        lapic_eoi();
}

/* A push onto a guard page cannot be delivered, so it comes as a #DF. */
static bool is_stack_overflow(uint64_t cr2)
{
    return cr2 >= CPU_AREAS_BASE && cr2 < GDT_AREAS_BASE &&
           !(CPU_AREA_PAGES >> (cr2 % CPU_AREA_SIZE / PAGE_SIZE) & 1);
}

/*
 * What is done the same whoever was interrupted; a #PF gets its *@cr2.  False:
 * it is left to him.
 */
static __in_place bool is_served(const struct cpu_regs *regs, uint64_t *cr2)
{
    uint32_t vector = regs->entry_vector;

    *cr2 = vector == VECTOR_PF || vector == VECTOR_DF ? read_cr2() : 0;
    switch (vector) {
    case VECTOR_NMI: /* No lock may be taken here, so none is logged. */
        cpu_take_nmi();
        return true;
    case VECTOR_DF:
        upcall_fatal_exception(regs, *cr2,
                               is_stack_overflow(*cr2) ? "stack overflow"
                                                       : "double fault");
    case VECTOR_MC:
        upcall_fatal_exception(regs, 0, "machine check");
    case VECTOR_DB:
        *cr2 = read_dr6();
        write_dr6(DR6_NONE); /* The processor only adds to it. */
        return false;
    default:
        if (vector < VECTOR_EXCEPTIONS || vector == VECTOR_INT80)
            return false;
        interrupt(vector); /* of the hypervisor: where it lets them in */
        return true;
    }
}

void exception_from_guest(struct cpu_regs *regs)
{
    uint64_t cr2;

    if (is_served(regs, &cr2))
        return;
    if (regs->entry_vector == VECTOR_PF && regs->error_code & PF_RESERVED)
        upcall_fatal_exception(regs, cr2, "broken page table");
    upcall_guest_exception(regs, cr2);
}

struct cpu_regs *exception_leave_ist(const struct cpu_regs *regs)
{
    return memcpy(guest_regs(), regs, sizeof(*regs));
}

/*
 * IRETQ refused what the guest's frame asked for.  The frame is still at the
 * top of the stack, the guest's other registers were loaded already and are
 * in @regs: put them together again, as if the guest's own instruction had
 * faulted.
 */
static struct cpu_regs *fail_iret(const struct cpu_regs *regs, uint64_t cr2)
{
    struct cpu_regs *guest = guest_regs();
    bool again = regs->entry_vector == VECTOR_PF;

    memmove(guest, regs, offsetof(struct cpu_regs, rip));
    upcall_guest_exception(guest, cr2);
    /* It may take many tries until a page of the LDT can be had. */
    if (again)
        cpu_take_interrupts();
    return guest;
}

static bool is_failed_iret(const struct cpu_regs *regs)
{
    const struct cpu_regs *guest = guest_regs();

    if ((guest->cs & 3) != 3)
        return false;
    return regs->rip == (uintptr_t)xpti_iret ||
           (regs->rip == (uintptr_t)iret_to_guest &&
            regs->rsp == (uintptr_t)&guest->rip);
}

/* Exceptions that reading a guest's memory or descriptors can raise. */
static bool try_fixup(struct cpu_regs *regs, uint64_t cr2)
{
    uint32_t vector = regs->entry_vector;
    uint64_t fixup;

    if (vector != VECTOR_PF && vector != VECTOR_GP && vector != VECTOR_SS &&
        vector != VECTOR_NP)
        return false;
    fixup = ex_table_find(regs->rip);
    if (!fixup)
        return false;
    if (vector == VECTOR_PF && cr2 >= HV_VIRT_START && cr2 < HV_VIRT_END &&
        !ldt_holds(cr2))
        return false; /* a bug of ours, whatever the instruction */
    if (vector != VECTOR_PF || !upcall_guest_page_fault(cr2, regs->error_code))
        regs->rip = fixup;
    return true;
}

struct cpu_regs *exception_from_hypervisor(struct cpu_regs *regs)
{
    uint64_t cr2;
    bool served = is_served(regs, &cr2);

    /* The guest's tables may have been loaded already; now ours are. */
    if (regs->entry_vector == VECTOR_NMI &&
        regs->rip >= (uintptr_t)xpti_leave_switched &&
        regs->rip <= (uintptr_t)xpti_iret)
        regs->rip = (uintptr_t)xpti_leave_again;
    /* MOV SS before a guest's SYSCALL can put a #DB off to here. */
    if (served || regs->entry_vector == VECTOR_DB || try_fixup(regs, cr2))
        return regs;
    if (is_failed_iret(regs))
        return fail_iret(regs, cr2);
    upcall_fatal_exception(regs, cr2, "exception in the hypervisor");
}
