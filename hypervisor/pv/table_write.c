/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stores to page tables, which a guest maps read-only: caught, and made after
 * the same checks as those it asks for by hypercall.
 *
 * What is made is what the bytes at rip are now, and only if it stores where
 * the fault was.  The entry is exchanged if it is still what was read; if not,
 * the guest executes its instruction again.
 */

#include <abi/assist.h>

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "domain/domain.h"
#include "domain/pv_vcpu.h"
#include "memory/entry_near.h"
#include "pv/emulate.h"
#include "pv/operate.h"

/* The operand is where the fault was, naturally aligned. */
static bool is_at(const struct insn *insn, const struct cpu_regs *regs,
                  uint64_t cr2)
{
    uint64_t base = 0;

    if (unlikely(insn->segment != INSN_FLAT))
        base = rdmsr(insn->segment == INSN_FS ? MSR_FS_BASE : MSR_GS_BASE);
    return cr2 % insn->size == 0 && insn_address(insn, regs, base, base) == cr2;
}

/* The table at @cr2, if it is mapped for reading. */
static bool find_table(const struct vcpu *v, uint64_t cr2, mfn_t *table)
{
    const uint64_t *at = entry_find(v->pv->entry.kernel_l4, cr2);
    uint64_t entry;

    if (unlikely(!at))
        return false;
    entry = atomic_read(at);
    *table = pte_mfn(entry);
    return (entry & (PTE_PRESENT | PTE_WRITE)) == PTE_PRESENT;
}

/* @size bytes of the word at @shift bits are @value. */
static uint64_t replace(uint64_t word, unsigned int shift, unsigned int size,
                        uint64_t value)
{
    uint64_t mask = (~0UL >> (64 - 8 * size)) << shift;

    return (word & ~mask) | (value << shift & mask);
}

/* -EAGAIN: the guest tries again. */
static int store(struct vcpu *v, const struct insn *insn,
                 const struct cpu_regs *regs, uint64_t cr2,
                 struct insn_effect *effect)
    __must_hold(v->domain->pv->base.lock)
{
    struct page_work work = {PAGE_WORK_QUANTUM};
    struct pv_space *s = v->domain->pv;
    unsigned int shift = cr2 % sizeof(uint64_t) * 8;
    unsigned int index = cr2 % PAGE_SIZE / sizeof(uint64_t);
    uint64_t old, seen, e, *at;
    bool is_near;
    mfn_t table;
    int rc;

    if (!find_table(v, cr2, &table))
        return -EINVAL;
    is_near = table_is_near(s, table);
    if (!is_near && !pv_frame(s, table))
        return -EINVAL;
    at = (uint64_t *)mfn_to_virt(table) + index;
    old = seen = atomic_read(at);
    if (!insn_store(insn, regs, old >> shift, effect))
        return -EINVAL;
    e = replace(old, shift, insn->size, effect->value);
    if (likely(is_near) && likely(entry_near_set(s, at, e, false, &old)))
        return 0;
    rc = entry_set(s, table, 1, index, e, false, &seen, &work);
    return rc == -EBUSY && seen != old ? -EAGAIN : rc;
}

bool emulate_table_write(struct cpu_regs *regs, struct vcpu *v, uint64_t cr2)
{
    uint64_t assists = atomic_read(&v->domain->assists);
    struct insn_effect effect;
    struct insn insn;
    int rc;

    if ((regs->error_code & (PF_PRESENT | PF_WRITE | PF_FETCH)) !=
            (PF_PRESENT | PF_WRITE) ||
        !(assists >> VMASST_TYPE_writable_pagetables & 1) ||
        !emulate_fetch(regs, &insn, insn_decode_store) ||
        !insn_is_store(&insn) || !is_at(&insn, regs, cr2))
        return false;
    spin_lock(&v->domain->pv->base.lock);
    rc = store(v, &insn, regs, cr2, &effect);
    spin_unlock(&v->domain->pv->base.lock);
    if (!rc) {
        insn_commit(&insn, &effect, regs);
        emulate_end(regs, v);
    }
    return !rc || rc == -EAGAIN;
}
