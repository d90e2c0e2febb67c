/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bounce frame, from the handler's rsp upwards:
 *
 *     rcx, r11, [error code], rip, cs | mask << 32, rflags, rsp, ss
 *
 * From kernel mode, which is all that class light has, the frame goes below the
 * interrupted rsp, and the selector in it has privilege level 0, as a kernel
 * expects of itself.  From user mode it goes to the kernel's stack.
 *
 * The handler finds rcx and r11 in it, so the way there may be SYSRET, which
 * costs a processor much less than IRET.
 */

#include "pv/traps.h"

#include "arch/x86_64/paging.h"
#include "arch/x86_64/upcalls.h"
#include "domain/pv_vcpu.h"
#include "memory/light_near.h"
#include "pv/emulate.h"
#include "pv/guest_copy.h"

#define CS_OF_KERNEL 0xfffcU /* its selector, with privilege level 0 */
#define CS_OF_USER   0xffffU
#define IF_SHIFT     9

#define SYSCALL_BYTES 2U

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
                            uint64_t at, bool has_error_code, uint32_t cs_mask,
                            uint64_t iopl)
{
    const size_t upper = has_error_code ? 24 : 16;
    uint32_t masked;
    bool ok;

    guest_access_begin();
    ok = guest_store(at, regs->rcx) && guest_store(at + 8, regs->r11) &&
         (!has_error_code || guest_store(at + 16, regs->error_code)) &&
         guest_store(at + upper, regs->rip) &&
         guest_store32(at + upper + 8, regs->cs & cs_mask);
    masked = atomic_read(&v->info->evtchn_upcall_mask) != 0;
    ok = ok && guest_store32(at + upper + 12, masked) &&
         guest_store(at + upper + 16,
                     (regs->rflags ^ masked << IF_SHIFT) | iopl) &&
         guest_store(at + upper + 24, regs->rsp) &&
         guest_store(at + upper + 32, (uint16_t)regs->ss);
    guest_access_end();
    return ok;
}

/* The frame is pushed below @rsp: on to the handler. */
static __in_place bool enter(struct vcpu *v, struct cpu_regs *regs,
                             const struct trap_entry *handler, uint64_t rsp)
{
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

/* @e is @v's. */
static __in_place bool bounce_from(struct vcpu *v, const struct pv_entry *e,
                                   struct cpu_regs *regs,
                                   struct trap_entry handler,
                                   bool has_error_code, bool user)
{
    uint64_t rsp = user ? e->kernel_sp : regs->rsp;

    if (user)
        pv_to_kernel(v);
    rsp = (rsp & ~0xfULL) - (has_error_code ? 64 : 56);
    if (unlikely(!push(v, regs, guest_address_upper(rsp), has_error_code,
                       user ? CS_OF_USER : CS_OF_KERNEL, e->shown_iopl)))
        return refuse(v, rsp);
    return enter(v, regs, &handler, rsp);
}

static __noinline bool bounce_pv(struct vcpu *v, struct cpu_regs *regs,
                                 struct trap_entry handler, bool has_error_code)
{
    const struct pv_entry *e = &v->pv->entry;
    bool user = pv_in_user_mode();

    return has_error_code ? bounce_from(v, e, regs, handler, true, user)
                          : bounce_from(v, e, regs, handler, false, user);
}

static __in_place bool bounce(struct vcpu *v, struct cpu_regs *regs,
                              const struct trap_entry *handler,
                              bool has_error_code)
{
    uint64_t rsp = (regs->rsp & ~0xfULL) - (has_error_code ? 64 : 56);

    if (unlikely(!push(v, regs, guest_address(rsp), has_error_code,
                       CS_OF_KERNEL, 0)))
        return refuse(v, rsp);
    return enter(v, regs, handler, rsp);
}

bool bounce_trap(struct cpu_regs *regs, uint8_t vector, bool has_error_code)
{
    struct vcpu *v = current;
    const struct trap_entry *trap = trap_get(v, vector);

    if (v->pv && vector == VECTOR_PF && v->pv->page_fault.address)
        trap = &v->pv->page_fault;
    if (unlikely(!trap)) {
        const char *name = exception_name(vector);

        crash_with_registers("%s, error code %x, and no handler",
                             name ? name : "software interrupt",
                             regs->error_code);
        return false;
    }
    if (v->pv)
        return bounce_pv(v, regs, *trap, has_error_code);
    return has_error_code ? bounce(v, regs, trap, true)
                          : bounce(v, regs, trap, false);
}

static __noinline void page_fault_user(struct cpu_regs *regs, struct vcpu *v,
                                       uint64_t cr2)
{
    v->info->arch.cr2 = cr2;
    (void)bounce_from(v, &v->pv->entry, regs, v->pv->page_fault, true, true);
}

/*
 * Class pv, what is not a kernel's access to nothing: a store to a table, a
 * program's fault, or what goes the long way: that of the processor in an LDT,
 * and that at a broken table.
 */
static __noinline void page_fault_rare(struct cpu_regs *regs, struct vcpu *v,
                                       uint64_t cr2)
{
    bool user = pv_in_user_mode();

    if (!v->pv->page_fault.address ||
        (regs->error_code & (PF_USER | PF_RESERVED)) != PF_USER)
        exception_from_guest_only(regs);
    if (user) {
        page_fault_user(regs, v, cr2);
        return;
    }
    if (emulate_table_write(regs, v, cr2))
        exception_done();
    /* CR2 may be of a fault at reading the instruction, by now. */
    v->info->arch.cr2 = cr2;
    regs->error_code &= ~PF_USER;
    (void)bounce_trap(regs, VECTOR_PF, true);
}

/* Of a kernel that touches what is not there; and to where the others go. */
static __noinline void page_fault_pv(struct cpu_regs *regs, struct vcpu *v,
                                     uint64_t cr2)
{
    const struct pv_vcpu *p = v->pv;
    uint32_t code = regs->error_code;

    if (unlikely(pv_in_user_mode()) || unlikely(!p->page_fault.address) ||
        (code & (PF_USER | PF_RESERVED | PF_PRESENT)) != PF_USER) {
        page_fault_rare(regs, v, cr2);
        return;
    }
    v->info->arch.cr2 = cr2;
    regs->error_code = code & ~PF_USER; /* Kernels run in ring 3. */
    (void)bounce_from(v, &p->entry, regs, p->page_fault, true, false);
}

static void enter_callback(struct vcpu *v, struct cpu_regs *regs,
                           struct pv_callback to)
{
    struct trap_entry handler = {to.address,
                                 to.mask_events ? TRAP_MASK_EVENTS : 0};

    (void)bounce_pv(v, regs, handler, false);
}

/* A program's frame is what SYSCALL's stub makes: its selectors are lost. */
void upcall_guest_syscall(struct cpu_regs *regs, struct vcpu *v)
{
    struct pv_callback to = v->pv->entry.syscall;

    if (regs->cs == SELECTOR_CS32)
        to.address = v->pv->syscall32.address;
    if (to.address) {
        enter_callback(v, regs, to);
        regs->rflags &= ~RFLAGS_DF;
        return;
    }
    regs->rip -= SYSCALL_BYTES;
    (void)bounce_trap(regs, VECTOR_UD, false);
}

/*
 * SYSENTER is always #GP.  Kernels expect that it tells nothing of where it
 * was but its flags, and find the rest where their programs left it.
 */
#define SYSENTER       0x340fU
#define SYSENTER_BYTES 2U

bool bounce_sysenter(struct cpu_regs *regs, struct vcpu *v)
{
    uint16_t bytes;

    if (!v->pv->sysenter.address || !pv_in_user_mode() ||
        copy_bytes_from_guest(&bytes, guest_ptr(regs->rip), SYSENTER_BYTES) ||
        bytes != SYSENTER)
        return false;
    regs->rip = regs->rsp = 0;
    regs->cs = 3;
    regs->ss = SELECTOR_DS;
    enter_callback(v, regs, v->pv->sysenter);
    return true;
}

/* An access to a guard page is the guest's own, and needs no lock to be told.
 */
void upcall_guest_page_fault_first(struct cpu_regs *regs, struct vcpu *v,
                                   uint64_t cr2)
{
    const struct trap_entry *trap = trap_get(v, VECTOR_PF);

    if (unlikely(!trap)) {
        if (!v->pv)
            exception_from_guest_only(regs);
        page_fault_pv(regs, v, cr2);
        return;
    }
    if (unlikely(!light_near_is_guard(v->domain->space, cr2)))
        exception_from_guest_only(regs);
    v->info->arch.cr2 = cr2;
    regs->error_code &= ~PF_USER;
    (void)bounce(v, regs, trap, true);
}

/* Without a handler it is lost, as a processor's own would not be. */
void bounce_nmi(struct cpu_regs *regs, struct vcpu *v)
{
    const struct trap_entry *trap = trap_get(v, VECTOR_NMI);

    if (v->pv->entry.nmi_masked || !atomic_read(&v->pv->nmi_pending) ||
        !atomic_exchange(&v->pv->nmi_pending, false) || !trap)
        return;
    v->pv->entry.nmi_masked = true;
    (void)bounce_pv(v, regs, *trap, false);
}

/* upcall_pending stays set: the guest clears it. */
void upcall_deliver_events(struct cpu_regs *regs, struct vcpu *v)
{
    const struct trap_entry handler = {v->event_callback, TRAP_MASK_EVENTS};

    if (unlikely(!handler.address))
        crash_with_registers("an event, and no callback for it");
    else if (unlikely(v->pv))
        (void)bounce_pv(v, regs, handler, false);
    else
        (void)bounce(v, regs, &handler, false);
}
