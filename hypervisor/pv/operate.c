/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arithmetic of the stores that class pv executes for a guest.
 */

#include "pv/operate.h"

enum flag { CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800 };
#define ALL_FLAGS 0x8d5UL

static uint64_t size_mask(unsigned int size)
{
    return ~0UL >> (64 - 8 * size);
}

uint64_t *insn_register(struct cpu_regs *regs, unsigned int number)
{
    static const uint8_t offset[] = {
#define AT(name) offsetof(struct cpu_regs, name)
        AT(rax), AT(rcx), AT(rdx), AT(rbx), AT(rsp), AT(rbp), AT(rsi), AT(rdi),
        AT(r8),  AT(r9),  AT(r10), AT(r11), AT(r12), AT(r13), AT(r14), AT(r15),
#undef AT
    };

    assert(number < 16);
    return (uint64_t *)((char *)regs + offset[number]);
}

/* Any register but rip; there may be more in it than the size asked for. */
static uint64_t register_value(const struct cpu_regs *regs, unsigned int number)
{
    struct cpu_regs *of = (struct cpu_regs *)(uintptr_t)regs;

    if (number == INSN_NONE)
        return 0;
    if (number >= INSN_AH)
        return *insn_register(of, number - INSN_AH) >> 8;
    return *insn_register(of, number);
}

void insn_register_set(struct cpu_regs *regs, unsigned int number,
                       unsigned int size, uint64_t value)
{
    uint64_t *whole, mask;

    if (number >= INSN_AH) {
        number -= INSN_AH;
        size = 2;
        value = value << 8 | (uint8_t)register_value(regs, number);
    }
    whole = insn_register(regs, number);
    mask = size_mask(size);
    *whole = (value & mask) | (size < 4 ? *whole & ~mask : 0);
}

uint16_t insn_port(const struct insn *insn, const struct cpu_regs *regs)
{
    return insn->has_immediate ? (uint8_t)insn->immediate : (uint16_t)regs->rdx;
}

static uint64_t source_value(const struct insn *insn,
                             const struct cpu_regs *regs)
{
    return insn->has_immediate ? (uint64_t)insn->immediate
                               : register_value(regs, insn->reg);
}

static bool is_bit(const struct insn *insn)
{
    return insn->op >= INSN_BTS && insn->op <= INSN_BTC;
}

uint64_t insn_address(const struct insn *insn, const struct cpu_regs *regs,
                      uint64_t fs_base, uint64_t gs_base)
{
    unsigned int unused = 64 - 8 * insn->size;
    int64_t bit;
    uint64_t address =
        (uint64_t)insn->displacement +
        (register_value(regs, insn->index) << insn->scale) +
        (insn->base == INSN_RIP ? regs->rip + insn->length
                                : register_value(regs, insn->base));

    if (is_bit(insn)) { /* an immediate's stays in the operand, reg is none */
        bit = (int64_t)(register_value(regs, insn->reg) << unused) >> unused;
        address += (uint64_t)(bit >> 3) & ~(insn->size - 1UL);
    }
    if (insn->segment != INSN_FLAT)
        address += insn->segment == INSN_FS ? fs_base : gs_base;
    return address;
}

/* A result and, at each bit, whether it carried (borrowed from) the next. */
struct sum {
    uint64_t value, carries;
};

static struct sum add(uint64_t a, uint64_t b, uint64_t carry)
{
    uint64_t value = a + b + carry;

    return (struct sum){value, (a & b) | ((a | b) & ~value)};
}

static struct sum subtract(uint64_t a, uint64_t b, uint64_t borrow)
{
    struct sum sum = add(a, ~b, 1 - borrow);

    sum.carries = ~sum.carries;
    return sum;
}

static uint64_t flags_of(const struct sum *sum, unsigned int size)
{
    unsigned int sign = 8 * size - 1;
    uint64_t carry = sum->carries >> sign & 1;
    uint64_t overflow = carry ^ (sum->carries >> (sign - 1) & 1);

    return (carry ? CF : 0) | (overflow ? OF : 0) |
           (sum->carries & 8 ? AF : 0) |
           (sum->value & size_mask(size) ? 0 : ZF) |
           (sum->value >> sign & 1 ? SF : 0) |
           (__builtin_parity(sum->value & 0xff) ? 0 : PF);
}

/* What the store computes; `*changed`: the flags that it decides. */
static struct sum compute(const struct insn *insn, const struct cpu_regs *regs,
                          uint64_t old, uint64_t *changed)
{
    /* The operation that each comes down to, if it has flags. */
    static const uint8_t basic[] = {
        [INSN_ADD] = INSN_ADD,     [INSN_ADC] = INSN_ADD,
        [INSN_XADD] = INSN_ADD,    [INSN_INC] = INSN_ADD,
        [INSN_SUB] = INSN_SUB,     [INSN_SBB] = INSN_SUB,
        [INSN_CMPXCHG] = INSN_SUB, [INSN_DEC] = INSN_SUB,
        [INSN_NEG] = INSN_SUB,     [INSN_OR] = INSN_OR,
        [INSN_BTS] = INSN_OR,      [INSN_AND] = INSN_AND,
        [INSN_BTR] = INSN_AND,     [INSN_XOR] = INSN_XOR,
        [INSN_BTC] = INSN_XOR,
    };
    uint64_t a = old, b = source_value(insn, regs), carry = 0, carries = 0;

    *changed = ALL_FLAGS;
    if (is_bit(insn)) {
        *changed = CF;
        b = 1UL << (b & (8U * insn->size - 1));
        carries = old & b ? ~0UL : 0;
        if (insn->op == INSN_BTR)
            b = ~b;
    } else if (insn->op == INSN_INC || insn->op == INSN_DEC) {
        *changed = ALL_FLAGS - CF;
        b = 1;
    } else if (insn->op == INSN_NEG || insn->op == INSN_CMPXCHG) {
        a = insn->op == INSN_NEG ? 0 : regs->rax;
        b = old;
    } else if (insn->op == INSN_ADC || insn->op == INSN_SBB) {
        carry = regs->rflags & CF;
    }
    switch (basic[insn->op]) {
    case INSN_ADD:
        return add(a, b, carry);
    case INSN_SUB:
        return subtract(a, b, carry);
    case INSN_OR:
        return (struct sum){a | b, carries};
    case INSN_AND:
        return (struct sum){a & b, carries};
    case INSN_XOR:
        return (struct sum){a ^ b, carries};
    default:
        *changed = 0;
        return (struct sum){insn->op == INSN_NOT ? ~old : b, carries};
    }
}

bool insn_store(const struct insn *insn, const struct cpu_regs *regs,
                uint64_t old, struct insn_effect *effect)
{
    uint64_t changed;
    struct sum sum;

    if (!insn_is_store(insn) || (insn->rep && !regs->rcx))
        return false;
    effect->reg = INSN_NONE;
    effect->reg_value = old;
    if (likely(insn->op == INSN_MOV)) {
        effect->rflags = regs->rflags;
        effect->value = source_value(insn, regs) & size_mask(insn->size);
        return true;
    }
    sum = compute(insn, regs, old, &changed);
    effect->rflags = regs->rflags;
    if (changed)
        effect->rflags =
            (regs->rflags & ~changed) | (flags_of(&sum, insn->size) & changed);
    if (insn->op == INSN_XCHG || insn->op == INSN_XADD) {
        effect->reg = insn->reg;
    } else if (insn->op == INSN_CMPXCHG) {
        if (!(effect->rflags & ZF))
            effect->reg = INSN_RAX;
        sum.value = effect->reg == INSN_NONE ? source_value(insn, regs) : old;
    }
    effect->value = sum.value & size_mask(insn->size);
    return true;
}

void insn_commit(const struct insn *insn, const struct insn_effect *effect,
                 struct cpu_regs *regs)
{
    if (effect->reg != INSN_NONE)
        insn_register_set(regs, effect->reg, insn->size, effect->reg_value);
    regs->rflags = effect->rflags;
    insn_retire(insn, regs);
}

/* One element of a string is done, if there was one; true: the last of it. */
static bool string_step(const struct insn *insn, struct cpu_regs *regs)
{
    uint64_t *pointer = insn->op == INSN_OUTS ? &regs->rsi : &regs->rdi;

    if (insn->rep && !regs->rcx)
        return true;
    *pointer += regs->rflags & RFLAGS_DF ? -(uint64_t)insn->size : insn->size;
    return !insn->rep || !--regs->rcx;
}

void insn_retire(const struct insn *insn, struct cpu_regs *regs)
{
    bool string =
        insn->op == INSN_INS || insn->op == INSN_OUTS || insn->op == INSN_STOS;

    if (likely(!string) || string_step(insn, regs))
        regs->rip += insn->length;
    regs->rflags &= ~RFLAGS_RF;
}
