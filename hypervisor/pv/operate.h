/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a decoded instruction does to registers, flags and its memory operand.
 * Pure functions of their arguments: nothing here touches a guest's memory.
 *
 * A store to a page table, of which `insn_is_store()`:
 *
 *     address = insn_address(&insn, regs, fs_base, gs_base);
 *     - refuse unless it is the address that faulted, and a multiple of
 *       insn.size
 *     do {
 *         entry = the 8 bytes around address, read once
 *         old = insn.size bytes of it, at address
 *         if (!insn_store(&insn, regs, old, &effect))
 *             refuse
 *         - put effect.value in old's place; check the new entry
 *     } while (compare-and-exchange of entry failed);
 *     insn_commit(&insn, &effect, regs);
 *
 * Until insn_commit() nothing of the guest has changed, so a refused store can
 * still be given to the guest as the fault it was.
 *
 * An instruction of the system: the caller does what it says, puts results in
 * place with insn_register() and insn_register_set(), and ends with
 * insn_retire().  A string instruction is done one element at a time: while
 * its count is not used up, insn_retire() leaves rip and the guest executes it
 * again, which bounds each step.
 *
 * A trap because of RFLAGS.TF is the caller's to raise, after either.
 */

#pragma once

#include "arch/x86_64/regs.h"
#include "pv/decode.h"

/*
 * Where the memory operand begins; of ins and stos that is rdi, of outs rsi.
 * The bit number of bts, btr and btc with a register has been added, so the
 * operand there is the word that holds the bit.  It need not be canonical.
 */
uint64_t insn_address(const struct insn *insn, const struct cpu_regs *regs,
                      uint64_t fs_base, uint64_t gs_base);

/* General register `number`, 0 to 15. */
uint64_t *insn_register(struct cpu_regs *regs, unsigned int number);

/*
 * Writes `size` bytes of register `number`, which may be INSN_AH or after, as
 * the processor does: 4 clear the upper half, 1 and 2 keep the rest.
 */
void insn_register_set(struct cpu_regs *regs, unsigned int number,
                       unsigned int size, uint64_t value);

/* Of in, out, ins and outs: the first port; it has insn->size of them. */
uint16_t insn_port(const struct insn *insn, const struct cpu_regs *regs);

struct insn_effect {
    uint64_t value;     /* insn->size bytes for memory, the rest 0 */
    uint64_t rflags;    /* all of it */
    uint64_t reg_value; /* insn->size bytes for register `reg` */
    uint8_t reg;        /* or INSN_NONE */
};

/*
 * What the store does if its operand holds `old` (insn->size bytes; the rest
 * is ignored).  False for what is no store, and for a repetition of none.
 */
bool insn_store(const struct insn *insn, const struct cpu_regs *regs,
                uint64_t old, struct insn_effect *effect);

/* The store has been done: registers, flags and rip follow. */
void insn_commit(const struct insn *insn, const struct insn_effect *effect,
                 struct cpu_regs *regs);

/*
 * The instruction has been done: moves rip past it and ends RF.  Of a string
 * instruction one element has: rsi or rdi moves on, rcx counts if it repeats,
 * and rip stays unless that was the last.
 */
void insn_retire(const struct insn *insn, struct cpu_regs *regs);
