/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder of class pv beside a disassembler, on random and mutated bytes:
 * it takes exactly the instructions it is made for, and where it takes one,
 * both say the same of every part.
 */

/* LINK: hypervisor/pv/decode.c */
/* LIBS: -lZydis */

#include <Zydis/Zydis.h>

#include "unit/hypervisor/pv/insn_random.h"
#include "unit/hypervisor/pv/insn_text.h"
#include "unit/test.h"

#define STRINGS 3000000U

/* What the disassembler says of some bytes. */
struct other {
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    bool prefix_66, prefix_67;
    uint8_t repeat; /* F2, F3 or 0: which of them comes last */
};

static ZydisDecoder decoder;
static unsigned int accepted[INSN_NAMES], refused_valid;
static uint8_t failing[INSN_MAX];
static unsigned int failures;

void setup(void)
{
    REQUIRE(ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
                                          ZYDIS_STACK_WIDTH_64)));
    /* What is memory protection's is a no-operation to processors without. */
    ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_CET, ZYAN_FALSE);
}

static bool other_decode(struct other *other, const uint8_t *bytes,
                         size_t count)
{
    other->prefix_66 = false;
    other->prefix_67 = false;
    other->repeat = 0;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, count,
                                             &other->insn, other->operands)))
        return false;
    for (unsigned int i = 0; i < other->insn.raw.prefix_count; i++) {
        if (other->insn.raw.prefixes[i].value == 0x66)
            other->prefix_66 = true;
        if (other->insn.raw.prefixes[i].value == 0x67)
            other->prefix_67 = true;
        if ((other->insn.raw.prefixes[i].value & 0xfe) == 0xf2)
            other->repeat = other->insn.raw.prefixes[i].value;
    }
    return true;
}

static unsigned int register_number(ZydisRegister reg)
{
    if (reg == ZYDIS_REGISTER_NONE)
        return INSN_NONE;
    if (reg == ZYDIS_REGISTER_RIP)
        return INSN_RIP;
    return (unsigned int)ZydisRegisterGetId(reg);
}

/* A destination in memory, and its source a general register or number. */
static bool is_plain_store(const struct other *other)
{
    const ZydisDecodedOperand *to = &other->operands[0], *from = to + 1;
    ZydisRegisterClass class;

    if (to->type != ZYDIS_OPERAND_TYPE_MEMORY ||
        !(to->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
        return false;
    if (other->insn.operand_count_visible < 2)
        return true;
    if (from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return true;
    if (from->type != ZYDIS_OPERAND_TYPE_REGISTER ||
        from->encoding != ZYDIS_OPERAND_ENCODING_MODRM_REG)
        return false;
    class = ZydisRegisterGetClass(from->reg.value);
    return class >= ZYDIS_REGCLASS_GPR8 && class <= ZYDIS_REGCLASS_GPR64;
}

/* A move from or to a control or debug register. */
static unsigned int mov_special(const struct other *other, unsigned int *number)
{
    for (unsigned int i = 0; i < 2; i++) {
        ZydisRegister reg = other->operands[i].reg.value;
        ZydisRegisterClass class;

        if (other->operands[i].type != ZYDIS_OPERAND_TYPE_REGISTER)
            continue;
        class = ZydisRegisterGetClass(reg);
        *number = (unsigned int)ZydisRegisterGetId(reg);
        if (class == ZYDIS_REGCLASS_CONTROL && *number <= 4 && *number != 1)
            return i ? INSN_READ_CR : INSN_WRITE_CR;
        if (class == ZYDIS_REGCLASS_DEBUG && *number < 8)
            return i ? INSN_READ_DR : INSN_WRITE_DR;
    }
    return INSN_REFUSED;
}

/* What the decoder has to say, by the disassembler's words. */
static unsigned int expected_op(const struct other *other)
{
    static const struct {
        ZydisMnemonic mnemonic;
        uint8_t op;
    } of[] = {
        {ZYDIS_MNEMONIC_CLTS, INSN_CLTS},
        {ZYDIS_MNEMONIC_WBINVD, INSN_WBINVD},
        {ZYDIS_MNEMONIC_RDTSC, INSN_RDTSC},
        {ZYDIS_MNEMONIC_RDTSCP, INSN_RDTSCP},
        {ZYDIS_MNEMONIC_RDMSR, INSN_RDMSR},
        {ZYDIS_MNEMONIC_WRMSR, INSN_WRMSR},
        {ZYDIS_MNEMONIC_CPUID, INSN_CPUID},
        {ZYDIS_MNEMONIC_XSETBV, INSN_XSETBV},
        {ZYDIS_MNEMONIC_CLI, INSN_CLI},
        {ZYDIS_MNEMONIC_STI, INSN_STI},
        {ZYDIS_MNEMONIC_IN, INSN_IN},
        {ZYDIS_MNEMONIC_OUT, INSN_OUT},
        {ZYDIS_MNEMONIC_INSB, INSN_INS},
        {ZYDIS_MNEMONIC_INSW, INSN_INS},
        {ZYDIS_MNEMONIC_INSD, INSN_INS},
        {ZYDIS_MNEMONIC_OUTSB, INSN_OUTS},
        {ZYDIS_MNEMONIC_OUTSW, INSN_OUTS},
        {ZYDIS_MNEMONIC_OUTSD, INSN_OUTS},
        {ZYDIS_MNEMONIC_STOSB, INSN_STOS},
        {ZYDIS_MNEMONIC_STOSW, INSN_STOS},
        {ZYDIS_MNEMONIC_STOSD, INSN_STOS},
        {ZYDIS_MNEMONIC_STOSQ, INSN_STOS},
        {ZYDIS_MNEMONIC_MOV, INSN_MOV},
        {ZYDIS_MNEMONIC_MOVNTI, INSN_MOV},
        {ZYDIS_MNEMONIC_XCHG, INSN_XCHG},
        {ZYDIS_MNEMONIC_XADD, INSN_XADD},
        {ZYDIS_MNEMONIC_CMPXCHG, INSN_CMPXCHG},
        {ZYDIS_MNEMONIC_NOT, INSN_NOT},
        {ZYDIS_MNEMONIC_NEG, INSN_NEG},
        {ZYDIS_MNEMONIC_INC, INSN_INC},
        {ZYDIS_MNEMONIC_DEC, INSN_DEC},
        {ZYDIS_MNEMONIC_BTS, INSN_BTS},
        {ZYDIS_MNEMONIC_BTR, INSN_BTR},
        {ZYDIS_MNEMONIC_BTC, INSN_BTC},
        {ZYDIS_MNEMONIC_ADD, INSN_ADD},
        {ZYDIS_MNEMONIC_OR, INSN_OR},
        {ZYDIS_MNEMONIC_ADC, INSN_ADC},
        {ZYDIS_MNEMONIC_SBB, INSN_SBB},
        {ZYDIS_MNEMONIC_AND, INSN_AND},
        {ZYDIS_MNEMONIC_SUB, INSN_SUB},
        {ZYDIS_MNEMONIC_XOR, INSN_XOR},
    };
    unsigned int op = INSN_REFUSED, number;

    if (other->prefix_67)
        return INSN_REFUSED;
    for (unsigned int i = 0; i < sizeof(of) / sizeof(of[0]); i++)
        if (of[i].mnemonic == other->insn.mnemonic)
            op = of[i].op;
    if (other->insn.mnemonic == ZYDIS_MNEMONIC_MOV && !is_plain_store(other))
        op = mov_special(other, &number);
    else if (op >= INSN_MOV && op != INSN_STOS && !is_plain_store(other))
        op = INSN_REFUSED;
    /* The disassembler calls F3 wbinvd, which is wbnoinvd, by that name. */
    if (other->repeat && op != INSN_INS && op != INSN_OUTS && op != INSN_STOS &&
        !(op == INSN_WBINVD && other->repeat == 0xf3))
        op = INSN_REFUSED;
    /* It would be ignored there; before xsetbv, #UD. */
    if (other->prefix_66 && op == INSN_RDTSCP)
        op = INSN_REFUSED;
    return op;
}

/* Both say the same of the memory operand. */
static bool same_memory(const struct insn *i, const ZydisDecodedOperandMem *mem)
{
    unsigned int segment = mem->segment == ZYDIS_REGISTER_FS   ? INSN_FS
                           : mem->segment == ZYDIS_REGISTER_GS ? INSN_GS
                                                               : INSN_FLAT;

    return i->segment == segment && i->base == register_number(mem->base) &&
           i->index == register_number(mem->index) &&
           (i->index == INSN_NONE || 1U << i->scale == mem->scale) &&
           i->displacement == mem->disp.value;
}

/* The register of a store or of a move to or from a special one. */
static bool same_register(const struct insn *i, ZydisRegister reg)
{
    if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
        return i->reg == reg - ZYDIS_REGISTER_AH + INSN_AH;
    /* Numbers of byte registers count ah to bh. */
    if (reg >= ZYDIS_REGISTER_SPL && reg <= ZYDIS_REGISTER_R15B)
        return i->reg == reg - ZYDIS_REGISTER_SPL + INSN_RSP;
    return i->reg == register_number(reg);
}

static const char *first_difference(const struct insn *i,
                                    const struct other *other)
{
    const ZydisDecodedOperand *first = other->operands, *operand;
    unsigned int number;

    if (i->length != other->insn.length)
        return "length";
    if (i->lock != !!(other->insn.attributes & ZYDIS_ATTRIB_HAS_LOCK))
        return "lock";
    if (i->rep != (other->repeat && i->op != INSN_WBINVD))
        return "rep";
    if (i->op >= INSN_READ_CR && i->op <= INSN_WRITE_DR) {
        mov_special(other, &number);
        if (i->special != number)
            return "number of the special register";
        operand = first + (i->op == INSN_WRITE_CR || i->op == INSN_WRITE_DR);
        if (!same_register(i, operand->reg.value))
            return "register of a special move";
        return i->size == 8 ? NULL : "size of a special move";
    }
    if (i->op < INSN_IN)
        return i->size || i->has_immediate ? "operand of one without" : NULL;

    /* The size is the destination's, or of out and outs the source's. */
    operand = first + (i->op == INSN_OUT || i->op == INSN_OUTS);
    if (i->size * 8U != operand->size)
        return "size";
    if (i->op == INSN_IN || i->op == INSN_OUT) {
        operand = first + (i->op == INSN_IN);
        if (i->has_immediate != (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE))
            return "kind of port";
        if (i->has_immediate && (uint8_t)i->immediate != operand->imm.value.u)
            return "port";
        return NULL;
    }
    if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY ||
        !same_memory(i, &operand->mem))
        return "memory operand";
    if (i->op == INSN_INS || i->op == INSN_OUTS || i->op == INSN_STOS)
        return i->reg == INSN_RAX ? NULL : "register of a string";
    if (other->insn.operand_count_visible < 2)
        return i->reg != INSN_NONE || i->has_immediate ? "source" : NULL;
    if (i->has_immediate != (first[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE))
        return "kind of source";
    if (!i->has_immediate)
        return same_register(i, first[1].reg.value) ? NULL : "register";
    /* It says some numbers without their sign, which size tells. */
    return ((uint64_t)i->immediate ^ first[1].imm.value.u) &
                   (~0UL >> (64 - first[1].size))
               ? "immediate"
           : i->immediate != (int64_t)first[1].imm.value.s &&
                   first[1].imm.is_signed
               ? "sign of an immediate"
               : NULL;
}

static void complain(const uint8_t *bytes, const char *of,
                     const struct insn *insn)
{
    char text[3 * INSN_MAX + 1] = "";

    memcpy(failing, bytes, INSN_MAX);
    for (unsigned int i = 0; i < INSN_MAX; i++)
        snprintf(text + 3 * i, 4, "%02x ", bytes[i]);
    if (failures++ < 20)
        printf("%s: %s differs; we say %s\n", text, of, insn_text(insn));
}

/* The bytes are tried where readable memory ends after `count` of them. */
static bool decode_at_end(struct insn *insn, const uint8_t *bytes, size_t count)
{
    static uint8_t *block;
    const uint8_t *at;
    struct insn sooner;
    bool ok;

    if (!block)
        block = malloc(INSN_MAX);
    at = memcpy(block + INSN_MAX - count, bytes, count);
    ok = insn_decode(insn, at, count, true);
    if (insn_decode_store(&sooner, at, count, true) != ok ||
        memcmp(&sooner, insn, sizeof(sooner)) != 0)
        complain(bytes, "what is usual of stores", &sooner);
    return ok;
}

static void compare(const uint8_t *bytes)
{
    const char *difference;
    struct other other;
    struct insn insn, cut;
    unsigned int want;
    bool valid;

    decode_at_end(&insn, bytes, INSN_MAX);
    valid = other_decode(&other, bytes, INSN_MAX);
    want = valid ? expected_op(&other) : INSN_REFUSED;
    if (insn.op != want) {
        complain(bytes, insn_name[want] ? insn_name[want] : "being refused",
                 &insn);
        return;
    }
    accepted[insn.op]++;
    refused_valid += valid && !want;
    if (!want)
        return;
    difference = first_difference(&insn, &other);
    if (difference)
        complain(bytes, difference, &insn);
    if (decode_at_end(&cut, bytes, insn.length - 1U))
        complain(bytes, "truncation", &cut);
    if (!decode_at_end(&cut, bytes, insn.length) ||
        memcmp(&cut, &insn, sizeof(cut)) != 0)
        complain(bytes, "what follows", &cut);
}

TEST("a disassembler says the same of a million random instructions")
{
    uint8_t bytes[INSN_MAX], kept[INSN_MAX] = {0};
    struct insn insn;

    for (unsigned int i = 0; i < STRINGS; i++) {
        if (random_below(4)) {
            random_insn(bytes);
        } else {
            memcpy(bytes, kept, INSN_MAX);
            for (unsigned int n = 1 + random_below(3); n; n--)
                bytes[random_below(INSN_MAX)] ^= 1U << random_below(8);
        }
        compare(bytes);
        if (insn_decode(&insn, bytes, INSN_MAX, true))
            memcpy(kept, bytes, INSN_MAX);
    }
    EXPECT_EQ(failures, 0);
}

TEST("the random instructions were of every kind")
{
    unsigned int least = STRINGS, total = 0;

    for (unsigned int i = 1; i < INSN_NAMES; i++) {
        total += accepted[i];
        if (accepted[i] < least)
            least = accepted[i];
        if (accepted[i] < 500)
            printf("%s: only %u\n", insn_name[i], accepted[i]);
    }
    printf("%u strings: %u taken, %u refused, %u more no instructions; "
           "rarest kind %u\n",
           STRINGS, total, refused_valid,
           accepted[INSN_REFUSED] - refused_valid, least);
    EXPECT_TRUE(least >= 500);
    EXPECT_TRUE(refused_valid >= 100000);
}
