/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that the hypervisor executes in the place of guests of class pv:
 * those that ring 3 may not, and stores to page tables.
 */

#pragma once

#include "arch/x86_64/paging.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/segment.h"
#include "pv/decode.h"
#include "pv/guest_copy.h"

struct vcpu;

/* insn_decode(), or its like. */
typedef bool decode_fn(struct insn *insn, const uint8_t *bytes, size_t count,
                       bool long_mode);

/* The instruction at rip, read once.  False: @decode knows none such. */
static __in_place bool emulate_fetch(const struct cpu_regs *regs,
                                     struct insn *insn, decode_fn *decode)
{
    size_t in_page = PAGE_SIZE - regs->rip % PAGE_SIZE, count = INSN_MAX;
    uint64_t bytes[2];
    bool ok;

    if (likely(in_page >= sizeof(bytes))) {
        ok = guest_load_words(bytes, guest_address_upper(regs->rip),
                              sizeof(bytes));
    } else {
        ok = !copy_bytes_from_guest(bytes, guest_ptr(regs->rip), INSN_MAX);
        if (!ok) {
            count = in_page;
            ok = !copy_bytes_from_guest(bytes, guest_ptr(regs->rip), in_page);
        }
    }
    return ok && decode(insn, (const uint8_t *)bytes, count,
                        segment_is_long((uint16_t)regs->cs));
}

/* It was executed, and @regs are what comes after: a single step ends. */
void emulate_step_ends(struct cpu_regs *regs, struct vcpu *v);

static inline void emulate_end(struct cpu_regs *regs, struct vcpu *v)
{
    if (unlikely(regs->rflags & RFLAGS_TF))
        emulate_step_ends(regs, v);
}

/*
 * @v, the current one, took #GP with error code 0.  True: its instruction was
 * executed in its place, and @regs are what comes after; false: it is the
 * guest's own fault.
 */
bool emulate_privileged(struct cpu_regs *regs, struct vcpu *v);

/*
 * Its kernel could not write to @cr2, which is mapped.  True: that was a table
 * of level 1 and the entry has changed, or the guest may try again; false: as
 * above.
 */
bool emulate_table_write(struct cpu_regs *regs, struct vcpu *v, uint64_t cr2);

/* rdmsr and wrmsr of a kernel.  False: #GP. */
bool msr_read(struct vcpu *v, uint32_t msr, uint64_t *value);
bool msr_write(struct vcpu *v, uint32_t msr, uint64_t value);
