/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bounce frame, from the handler's rsp upwards:
 *
 *     rcx, r11, [error code], rip, cs | mask << 32, rflags, rsp, ss
 *
 * Class light has one mode, kernel: the frame goes below the interrupted rsp,
 * and the selector in it has privilege level 0, as a kernel expects of itself.
 * The handler finds rcx and r11 in it, so the way there may be SYSRET, which
 * costs a processor much less than IRET.
 */

#include "arch/x86_64/upcalls.h"
#include "memory/light_near.h"
#include "pv/guest_copy.h"
#include "pv/traps.h"

#define CS_RPL_MASK 0xfffcU /* a kernel's selector */
#define IF_SHIFT    9

/* What the handler must not inherit. */
#define RFLAGS_NOT_FOR_HANDLER                                                 \
    (RFLAGS_AC | RFLAGS_VM | RFLAGS_RF | RFLAGS_NT | RFLAGS_TF)

/* The stack at @rsp takes no frame: for now, or at all. */
static __noinline bool refuse(struct vcpu *v, uint64_t rsp)
{
    return_slowly();
    if (v->wants_memory)
        fault_wait_for_memory();
    else
        crash_with_registers("its stack at %lx takes no frame", rsp);
    return false;
}

/*
 * A guest's IF is always on and its IOPL 0: the frame's IF tells the mask.
 *
 * Always inline, so that in each of its uses the compiler knows where the words
 * go and moves them there by two instructions each.
 */
static __in_place bool push(const struct vcpu *v, const struct cpu_regs *regs,
                            uint64_t at, bool has_error_code)
{
    const size_t upper = has_error_code ? 24 : 16;
    uint32_t masked;
    bool ok;

    guest_access_begin();
    ok = guest_store(at, regs->rcx) && guest_store(at + 8, regs->r11) &&
         (!has_error_code || guest_store(at + 16, regs->error_code)) &&
         guest_store(at + upper, regs->rip) &&
         guest_store32(at + upper + 8, regs->cs & CS_RPL_MASK);
    masked = atomic_read(&v->info->evtchn_upcall_mask) != 0;
    ok = ok && guest_store32(at + upper + 12, masked) &&
         guest_store(at + upper + 16, regs->rflags ^ masked << IF_SHIFT) &&
         guest_store(at + upper + 24, regs->rsp) &&
         guest_store(at + upper + 32, (uint16_t)regs->ss);
    guest_access_end();
    return ok;
}

static __in_place bool bounce(struct vcpu *v, struct cpu_regs *regs,
                              const struct trap_entry *handler,
                              bool has_error_code)
{
    uint64_t rsp = (regs->rsp & ~0xfULL) - (has_error_code ? 64 : 56);

    if (unlikely(!push(v, regs, guest_address(rsp), has_error_code)))
        return refuse(v, rsp);
    if (handler->flags & TRAP_MASK_EVENTS)
        atomic_write(&v->info->evtchn_upcall_mask, 1);

    regs->entry_vector = ENTRY_SYSCALL;
    regs->rip = handler->address;
    regs->cs = SELECTOR_CS64;
    regs->ss = SELECTOR_DS;
    regs->rsp = rsp;
    regs->rflags &= ~RFLAGS_NOT_FOR_HANDLER;
    return true;
}

bool bounce_trap(struct cpu_regs *regs, uint8_t vector, bool has_error_code)
{
    struct vcpu *v = current;
    const struct trap_entry *trap = trap_get(v, vector);

    if (unlikely(!trap)) {
        const char *name = exception_name(vector);

        crash_with_registers("%s, error code %x, and no handler",
                             name ? name : "software interrupt",
                             regs->error_code);
        return false;
    }
    return has_error_code ? bounce(v, regs, trap, true)
                          : bounce(v, regs, trap, false);
}

/* An access to a guard page is the guest's own, and needs no lock to be told.
 */
void upcall_guest_page_fault_first(struct cpu_regs *regs, struct vcpu *v,
                                   uint64_t cr2)
{
    const struct trap_entry *trap = trap_get(v, VECTOR_PF);

    if (unlikely(!trap) ||
        unlikely(!light_near_is_guard(v->domain->space, cr2)))
        exception_from_guest_only(regs);
    v->info->arch.cr2 = cr2;
    regs->error_code &= ~PF_USER;
    (void)bounce(v, regs, trap, true);
}

/* upcall_pending stays set: the guest clears it. */
void upcall_deliver_events(struct cpu_regs *regs, struct vcpu *v)
{
    const struct trap_entry handler = {v->event_callback, TRAP_MASK_EVENTS};

    if (unlikely(!handler.address))
        crash_with_registers("an event, and no callback for it");
    else
        (void)bounce(v, regs, &handler, false);
}
