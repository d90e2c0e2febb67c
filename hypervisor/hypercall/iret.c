/* SPDX-License-Identifier: BSD-2-Clause */
/* iret: fetch the frame from the guest's stack. */

#include "pv/iret.h"

#include "domain/domain.h"
#include "domain/vcpu.h"
#include "hypercall/hypercall.h"
#include "pv/crash.h"
#include "pv/guest_copy.h"

/* In pieces that guest_copy moves by words. */
static int load(struct iret_context *frame, uint64_t rsp)
{
    const size_t piece = 3 * sizeof(uint64_t);

    static_assert(sizeof(*frame) == 3 * 3 * sizeof(uint64_t), "three pieces");
    if (copy_from_guest(frame, guest_ptr(rsp), piece) ||
        copy_from_guest(&frame->flags, guest_ptr(rsp + piece), piece))
        return -1;
    return copy_from_guest(&frame->rflags, guest_ptr(rsp + 2 * piece), piece);
}

/* What it returns is the guest's own rax, from the frame. */
long hypercall_iret(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                    uint64_t a5)
{
    struct iret_context frame;
    struct cpu_regs *regs = guest_regs();

    (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;

    if (load(&frame, regs->rsp)) {
        if (!current->repeat)
            crash_with_registers("iret frame at %llx unreadable",
                                 (unsigned long long)regs->rsp);
        return 0;
    }
    iret_load(&frame);
    return (long)regs->rax;
}
