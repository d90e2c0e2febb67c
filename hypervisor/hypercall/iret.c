/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iret, the way back from a bounce, where entry.S has not done it: for frames
 * that are not simply another place in the kernel.
 *
 * Class light has kernel mode only, and for it the hypervisor's flat selectors
 * with privilege level 3, which is where it really runs.  A frame that names
 * anything else is answered as the processor would, by #GP with the state that
 * was asked for.
 */

#include "arch/x86_64/upcalls.h"
#include "domain/pv_vcpu.h"
#include "hypercall/hypercall.h"
#include "pv/traps.h"

/* What both classes take as it is. */
static __in_place void set_common(struct cpu_regs *regs, struct vcpu *v,
                                  const struct iret_context *f)
{
    regs->rax = f->rax;
    regs->rip = f->rip;
    regs->rflags = (f->rflags & RFLAGS_GUEST) | RFLAGS_FIXED | RFLAGS_IF;
    regs->rsp = f->rsp;
    if (unlikely(f->flags & VGCF_in_syscall)) {
        regs->rcx = regs->rip; /* What SYSRET, the way back, leaves there. */
        regs->r11 = regs->rflags;
    } else {
        regs->rcx = f->rcx;
        regs->r11 = f->r11;
        regs->entry_vector = VECTOR_GP; /* Any but SYSCALL: back by IRET. */
    }
    atomic_write(&v->info->evtchn_upcall_mask, f->rflags & RFLAGS_IF ? 0 : 1);
}

/*
 * Class pv: back to any place in ring 3.  What the processor refuses it does at
 * IRET, and then the guest has a fault there.
 */
static __in_place void iret_pv(struct cpu_regs *regs, struct vcpu *v)
{
    struct pv_vcpu *p = v->pv;
    struct iret_context f;

    if (!guest_load_words(&f, guest_address_upper(regs->rsp), sizeof(f))) {
        crash_with_registers("iret frame at %lx unreadable", regs->rsp);
        return;
    }
    if ((f.cs & RPL_3) == RPL_3 && !pv_to_user(v)) {
        crash_with_registers("iret to user mode, without a base pointer of it");
        return;
    }
    set_common(regs, v, &f);
    regs->cs = (uint16_t)f.cs | RPL_3;
    regs->ss = (uint16_t)f.ss | RPL_3;
    if (unlikely(p->entry.shows_iopl))
        pv_set_iopl(v, f.rflags >> RFLAGS_IOPL_SHIFT & 3);
    if (unlikely(p->entry.nmi_masked) || unlikely(f.flags & VGCF_in_syscall)) {
        p->entry.nmi_masked = false;
        return_slowly();
    }
}

void upcall_iret(struct cpu_regs *regs, struct vcpu *v)
{
    struct iret_context f;
    uint16_t cs, ss;

    if (v->pv) {
        iret_pv(regs, v);
        return;
    }
    /* What entry.S found no memory for is read anew, and may have it now. */
    fault_do_not_wait();
    if (copy_from_guest(&f, guest_ptr(regs->rsp), sizeof(f))) {
        if (!v->repeat)
            crash_with_registers("iret frame at %lx unreadable", regs->rsp);
        return;
    }
    set_common(regs, v, &f);
    cs = (uint16_t)f.cs | RPL_3;
    ss = (uint16_t)f.ss | RPL_3;
    if (cs != SELECTOR_CS64 || ss != SELECTOR_DS || !is_canonical(f.rip)) {
        regs->cs = cs;
        regs->ss = ss;
        regs->entry_vector = VECTOR_GP;
        regs->error_code = 0;
        (void)bounce_trap(regs, VECTOR_GP, true);
    }
}
