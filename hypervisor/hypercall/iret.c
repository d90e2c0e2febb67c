/* SPDX-License-Identifier: BSD-2-Clause */
/* iret: fetch the frame from the guest's stack. */

#include "pv/iret.h"

#include "domain/domain.h"
#include "domain/vcpu.h"
#include "hypercall/hypercall.h"
#include "pv/crash.h"
#include "pv/guest_copy.h"

/* What it returns is the guest's own rax, from the frame. */
long hypercall_iret(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                    uint64_t a5)
{
    struct iret_context frame;
    struct cpu_regs *regs = guest_regs();

    (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;

    if (copy_from_guest(&frame, guest_ptr(regs->rsp), sizeof(frame))) {
        if (!current->repeat)
            crash_with_registers("iret frame at %llx unreadable",
                                 (unsigned long long)regs->rsp);
        return 0;
    }
    iret_load(&frame);
    return (long)regs->rax;
}
