/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arithmetic of the stores that class pv executes for a guest.
 */

#include "pv/operate.h"

#define FLAG_CF (1U << 0)
#define FLAG_PF (1U << 2)
#define FLAG_AF (1U << 4)
#define FLAG_ZF (1U << 6)
#define FLAG_SF (1U << 7)
#define FLAG_OF (1U << 11)
#define FLAGS_ARITHMETIC                                                       \
    ((uint64_t)(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF))

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

    if (is_bit(insn) && !insn->has_immediate) {
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

    return (carry ? FLAG_CF : 0) | (overflow ? FLAG_OF : 0) |
           (sum->carries & 8 ? FLAG_AF : 0) |
           (sum->value & size_mask(size) ? 0 : FLAG_ZF) |
           (sum->value >> sign & 1 ? FLAG_SF : 0) |
           (__builtin_parity(sum->value & 0xff) ? 0 : FLAG_PF);
}

/* What the store writes; `*changed`: the flags that it decides. */
static struct sum compute(const struct insn *insn, const struct cpu_regs *regs,
                          uint64_t old, uint64_t *changed)
{
    uint64_t source = source_value(insn, regs), carries = 0;
    uint64_t carry = regs->rflags & FLAG_CF;

    *changed = FLAGS_ARITHMETIC;
    if (insn->op == INSN_INC || insn->op == INSN_DEC) {
        source = 1;
        *changed &= ~(uint64_t)FLAG_CF;
    } else if (is_bit(insn)) {
        source = 1UL << (source & (8U * insn->size - 1));
        carries = old & source ? ~0UL : 0;
        *changed = FLAG_CF;
    }
    switch (insn->op) {
    case INSN_ADC:
        return add(old, source, carry);
    case INSN_SBB:
        return subtract(old, source, carry);
    case INSN_ADD:
    case INSN_XADD:
    case INSN_INC:
        return add(old, source, 0);
    case INSN_SUB:
    case INSN_DEC:
        return subtract(old, source, 0);
    case INSN_NEG:
        return subtract(0, old, 0);
    case INSN_CMPXCHG:
        return subtract(regs->rax, old, 0);
    case INSN_OR:
    case INSN_BTS:
        return (struct sum){old | source, carries};
    case INSN_AND:
        return (struct sum){old & source, carries};
    case INSN_BTR:
        return (struct sum){old & ~source, carries};
    case INSN_XOR:
    case INSN_BTC:
        return (struct sum){old ^ source, carries};
    default:
        *changed = 0;
        return (struct sum){insn->op == INSN_NOT ? ~old : source, carries};
    }
}

bool insn_store(const struct insn *insn, const struct cpu_regs *regs,
                uint64_t old, struct insn_effect *effect)
{
    uint64_t changed;
    struct sum sum;

    if (!insn_is_store(insn) || (insn->rep && !regs->rcx))
        return false;
    sum = compute(insn, regs, old, &changed);
    effect->rflags =
        (regs->rflags & ~changed) | (flags_of(&sum, insn->size) & changed);
    effect->reg = INSN_NONE;
    effect->reg_value = old;
    if (insn->op == INSN_XCHG || insn->op == INSN_XADD) {
        effect->reg = insn->reg;
    } else if (insn->op == INSN_CMPXCHG) {
        if (!(effect->rflags & FLAG_ZF))
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

void insn_retire(const struct insn *insn, struct cpu_regs *regs)
{
    uint64_t step =
        regs->rflags & RFLAGS_DF ? -(uint64_t)insn->size : insn->size;

    if (insn->op == INSN_OUTS)
        regs->rsi += step;
    else if (insn->op == INSN_INS || insn->op == INSN_STOS)
        regs->rdi += step;
    if (!insn->rep || !regs->rcx || !--regs->rcx)
        regs->rip += insn->length;
    regs->rflags &= ~RFLAGS_RF;
}
