/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests: a decoded instruction as a line of text.
 */

#ifndef TESTS_UNIT_PV_INSN_TEXT_H
#define TESTS_UNIT_PV_INSN_TEXT_H

#include <stdio.h>

#include "pv/decode.h"

#define INSN_NAME(name) [INSN_##name] = #name,
static const char *const insn_name[] = {INSN_OF_SYSTEM(INSN_NAME)
                                            INSN_STORES(INSN_NAME)};

#define INSN_NAMES (sizeof(insn_name) / sizeof(insn_name[0]))

static const char *const insn_register_name[] = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10",
    "r11", "r12", "r13", "r14", "r15", "rip", "-",   "ah",  "ch", "dh", "bh"};

/*
 * "lock BTR8 [rdi] $5": name and size of the operand, memory operand, source;
 * then the number of the control or debug register.
 */
static inline const char *insn_text(const struct insn *i)
{
    static char text[128];
    size_t at = 0;

#define ADD(...)                                                               \
    at += (size_t)snprintf(text + at, sizeof(text) - at, __VA_ARGS__)
    text[0] = 0;
    if (i->op == INSN_REFUSED)
        return "refused";
    ADD("%s%s%s", i->lock ? "lock " : "", i->rep ? "rep " : "",
        insn_name[i->op]);
    if (i->size)
        ADD("%u", i->size);
    if (insn_is_store(i) || i->op == INSN_INS || i->op == INSN_OUTS) {
        ADD(" %s[%s",
            i->segment == INSN_FS   ? "fs:"
            : i->segment == INSN_GS ? "gs:"
                                    : "",
            insn_register_name[i->base]);
        if (i->index != INSN_NONE)
            ADD("+%s*%u", insn_register_name[i->index], 1U << i->scale);
        if (i->displacement)
            ADD("%c0x%x", i->displacement < 0 ? '-' : '+',
                i->displacement < 0 ? -(unsigned int)i->displacement
                                    : (unsigned int)i->displacement);
        ADD("]");
    }
    if (i->has_immediate)
        ADD(" $%lld", (long long)i->immediate);
    else if (i->size && i->reg != INSN_NONE)
        ADD(" %s", insn_register_name[i->reg]);
    if (i->op >= INSN_READ_CR && i->op <= INSN_WRITE_DR)
        ADD(" %u", i->special);
#undef ADD
    return text;
}

#endif /* TESTS_UNIT_PV_INSN_TEXT_H */
