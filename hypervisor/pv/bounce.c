/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bounce frame, from the handler's rsp upwards:
 *
 *     rcx, r11, [error code], rip, cs | mask << 32, rflags, rsp, ss
 *
 * Class light has one mode, kernel: the frame goes below the interrupted rsp,
 * and the selector in it has privilege level 0, as a kernel expects of itself.
 */

#include "pv/bounce.h"

#include "domain/domain.h"
#include "domain/fault.h"
#include "domain/vcpu.h"
#include "lib/errno.h"
#include "pv/crash.h"
#include "pv/guest_copy.h"
#include "pv/trap_table.h"

#define CS_MASK_SHIFT 32 /* where the frame's cs slot has the upcall mask */

/* What the handler must not inherit. */
#define RFLAGS_NOT_FOR_HANDLER                                                 \
    (RFLAGS_AC | RFLAGS_VM | RFLAGS_RF | RFLAGS_NT | RFLAGS_TF)

/*
 * Build the frame and push it; returns the new rsp in @rsp.  Always inline, so
 * that in each of its two uses the compiler knows the size and moves the words
 * in place.
 */
static inline __attribute__((always_inline)) int
push(const struct cpu_regs *regs, const struct bounce *b, bool masked,
     bool has_error_code, uint64_t *rsp)
{
    const size_t bytes = (has_error_code ? 8 : 7) * sizeof(uint64_t);
    uint64_t rflags = regs->rflags & ~(RFLAGS_IF | RFLAGS_IOPL);
    uint64_t frame[8];
    unsigned int n = 0;

    frame[n++] = regs->rcx;
    frame[n++] = regs->r11;
    if (has_error_code)
        frame[n++] = b->error_code;
    frame[n++] = regs->rip;
    frame[n++] = (regs->cs & 0xfffc) | (uint64_t)(masked ? 1 : 0)
                                           << CS_MASK_SHIFT;
    frame[n++] = masked ? rflags : rflags | RFLAGS_IF;
    frame[n++] = regs->rsp;
    frame[n++] = regs->ss & 0xffff;

    *rsp = (regs->rsp & ~0xfULL) - bytes;
    return copy_to_guest(guest_ptr(*rsp), frame, bytes);
}

int bounce(const struct bounce *b)
{
    struct cpu_regs *regs = guest_regs();
    struct vcpu *v = current;
    bool masked = atomic_read(&v->info->evtchn_upcall_mask);
    uint64_t rsp;
    int rc;

    if (b->has_error_code)
        rc = push(regs, b, masked, true, &rsp);
    else
        rc = push(regs, b, masked, false, &rsp);
    if (unlikely(rc)) {
        if (v->wants_memory) {
            fault_wait_for_memory();
            return -EAGAIN;
        }
        crash_with_registers("its stack at %llx takes no frame",
                             (unsigned long long)rsp);
        return -EFAULT;
    }
    if (b->mask_events)
        atomic_write(&v->info->evtchn_upcall_mask, 1);

    regs->rip = b->address;
    regs->cs = SELECTOR_CS64;
    regs->ss = SELECTOR_DS;
    regs->rsp = rsp;
    regs->rflags = (regs->rflags & ~RFLAGS_NOT_FOR_HANDLER) | RFLAGS_IF;
    return 0;
}

bool bounce_trap(uint8_t vector, bool has_error_code, uint32_t error_code)
{
    struct trap_entry trap = trap_get(current, vector);
    struct bounce b = {
        .address = trap.address,
        .mask_events = trap.flags & TRAP_MASK_EVENTS,
        .has_error_code = has_error_code,
        .error_code = error_code,
    };

    if (!trap.address) {
        crash_with_registers("%s, error code %x, and no handler",
                             trap_name(vector), error_code);
        return false;
    }
    return bounce(&b) == 0;
}
