/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes by table: an opcode's row says what the instruction is and which
 * parts its encoding has; everything without a row is refused.
 */

#include "pv/decode.h"

/* What an encoding has besides its opcode. */
enum {
    /* Size of the operand: none, or one of these, or 8 with SPECIAL. */
    BYTE = 1 << 0,
    SIZED = 1 << 1, /* 2, 4 or 8 bytes, as prefixes say */
    IO = 1 << 2,    /* 2 or 4 */

    MEMORY = 1 << 3,      /* a ModRM byte, which must name memory */
    SPECIAL = 1 << 4,     /* a ModRM byte, which names a special register */
    GROUP = 1 << 5,       /* a ModRM byte, whose reg field chooses the op */
    LONG_OPCODE = 1 << 6, /* the others of its fields are opcode as well */

    IMMEDIATE = 1 << 7,      /* of the operand's size, at most 4 bytes */
    IMMEDIATE_BYTE = 1 << 8, /* of 1 */
    LOCKABLE = 1 << 9,       /* LOCK may stand before it */
    STRING = 1 << 10,        /* F2 and F3 repeat it */
    SOURCE_STRING = 1 << 11, /* and its operand is at rsi, not rdi */
    F3_IGNORED = 1 << 12,    /* or names a variant we need not tell */
    NO_66 = 1 << 13,         /* with 66 it is another instruction */
};

struct opcode {
    uint8_t op; /* enum insn_op; with GROUP, enum group */
    uint16_t has;
};

/* Groups by the first of the opcodes that choose from them. */
enum group { GROUP_80, GROUP_C6, GROUP_F6, GROUP_FE, GROUP_0FBA, GROUP_0F01 };

static const uint8_t group_op[][8] = {
    [GROUP_80] = {INSN_ADD, INSN_OR, INSN_ADC, INSN_SBB, INSN_AND, INSN_SUB,
                  INSN_XOR},
    [GROUP_C6] = {INSN_MOV},
    [GROUP_F6] = {[2] = INSN_NOT, [3] = INSN_NEG},
    [GROUP_FE] = {INSN_INC, INSN_DEC},
    [GROUP_0FBA] = {[5] = INSN_BTS, [6] = INSN_BTR, [7] = INSN_BTC},
    [GROUP_0F01] = {[2] = INSN_XSETBV, [7] = INSN_RDTSCP},
};

/* Many opcodes come in pairs: for one byte and, the next, for more. */
#define PAIR(opcode, op, wide, has)                                            \
    [opcode] = {op, BYTE | (has)}, [(opcode) + 1] = {op, (wide) | (has)}
#define UPDATE        (MEMORY | LOCKABLE)
#define ARITHMETIC(n) PAIR(8 * (n), INSN_ADD + (n), SIZED, UPDATE)

/* clang-format off */
static const struct opcode one_byte[256] = {
    ARITHMETIC(0), ARITHMETIC(1), ARITHMETIC(2), ARITHMETIC(3),
    ARITHMETIC(4), ARITHMETIC(5), ARITHMETIC(6),
    PAIR(0x6c, INSN_INS, IO, STRING),
    PAIR(0x6e, INSN_OUTS, IO, STRING | SOURCE_STRING),
    PAIR(0x80, GROUP_80, SIZED, GROUP | UPDATE | IMMEDIATE),
    [0x83] = {GROUP_80, SIZED | GROUP | UPDATE | IMMEDIATE_BYTE},
    PAIR(0x86, INSN_XCHG, SIZED, UPDATE),
    PAIR(0x88, INSN_MOV, SIZED, MEMORY),
    PAIR(0xaa, INSN_STOS, SIZED, STRING),
    PAIR(0xc6, GROUP_C6, SIZED, GROUP | MEMORY | IMMEDIATE),
    PAIR(0xe4, INSN_IN, IO, IMMEDIATE_BYTE),
    PAIR(0xe6, INSN_OUT, IO, IMMEDIATE_BYTE),
    PAIR(0xec, INSN_IN, IO, 0),
    PAIR(0xee, INSN_OUT, IO, 0),
    PAIR(0xf6, GROUP_F6, SIZED, GROUP | UPDATE),
    [0xfa] = {INSN_CLI, 0}, [0xfb] = {INSN_STI, 0},
    PAIR(0xfe, GROUP_FE, SIZED, GROUP | UPDATE),
};

/* After 0F. */
static const struct opcode two_byte[256] = {
    [0x01] = {GROUP_0F01, GROUP | LONG_OPCODE | NO_66},
    [0x06] = {INSN_CLTS, 0}, [0x09] = {INSN_WBINVD, F3_IGNORED},
    [0x20] = {INSN_READ_CR, SPECIAL}, [0x21] = {INSN_READ_DR, SPECIAL},
    [0x22] = {INSN_WRITE_CR, SPECIAL}, [0x23] = {INSN_WRITE_DR, SPECIAL},
    [0x30] = {INSN_WRMSR, 0}, [0x31] = {INSN_RDTSC, 0},
    [0x32] = {INSN_RDMSR, 0}, [0xa2] = {INSN_CPUID, 0},
    [0xab] = {INSN_BTS, SIZED | UPDATE},
    PAIR(0xb0, INSN_CMPXCHG, SIZED, UPDATE),
    [0xb3] = {INSN_BTR, SIZED | UPDATE},
    [0xba] = {GROUP_0FBA, SIZED | GROUP | UPDATE | IMMEDIATE_BYTE},
    [0xbb] = {INSN_BTC, SIZED | UPDATE},
    PAIR(0xc0, INSN_XADD, SIZED, UPDATE),
    [0xc3] = {INSN_MOV, SIZED | MEMORY | NO_66},
};
/* clang-format on */

enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8 };

/* The bytes, and what their prefixes say. */
struct reader {
    const uint8_t *bytes;
    size_t at, count;
    bool ended; /* more was asked for than there is */

    uint8_t rex;    /* 0 if none */
    uint8_t repeat; /* F2, F3 or 0 */
    bool operand_size;
};

/* The next `bytes` bytes, sign-extended. */
static int64_t next(struct reader *r, unsigned int bytes)
{
    unsigned int unused = 64 - 8 * bytes;
    uint64_t value = 0;

    if (r->count - r->at < bytes) {
        r->ended = true;
        return 0;
    }
    for (unsigned int i = 0; i < bytes; i++)
        value |= (uint64_t)r->bytes[r->at++] << (8 * i);
    return (int64_t)(value << unused) >> unused;
}

static inline uint8_t next_byte(struct reader *r)
{
    if (unlikely(r->at == r->count)) {
        r->ended = true;
        return 0;
    }
    return r->bytes[r->at++];
}

/* `bit` of REX as bit 3 of a register's number. */
static unsigned int rex_high(const struct reader *r, unsigned int bit)
{
    return r->rex & bit ? 8 : 0;
}

/* Takes one byte if it is a prefix. */
static bool take_prefix(struct reader *r, struct insn *insn, uint8_t byte)
{
    bool rex = (byte & 0xf0) == 0x40;

    if (byte == 0x64 || byte == 0x65)
        insn->segment = byte == 0x64 ? INSN_FS : INSN_GS;
    else if (byte == 0x66)
        r->operand_size = true;
    else if (byte == 0xf0)
        insn->lock = true;
    else if (byte == 0xf2 || byte == 0xf3)
        r->repeat = byte;
    else if (!rex && (byte & 0xe7) != 0x26) /* flat segments' say nothing */
        return false;
    r->rex = rex ? byte : 0; /* one that is not the last prefix is ignored */
    return true;
}

static uint8_t operand_size(const struct reader *r, unsigned int has)
{
    if (has & BYTE)
        return 1;
    if (has & SPECIAL || (has & SIZED && r->rex & REX_W))
        return 8;
    if (!(has & (SIZED | IO)))
        return 0;
    return r->operand_size && !(r->rex & REX_W) ? 2 : 4;
}

/* The memory operand that a ModRM byte begins. */
static void read_memory(struct reader *r, struct insn *insn, unsigned int modrm)
{
    unsigned int mod = modrm >> 6, base = modrm & 7, instead = INSN_RIP;
    unsigned int sib;
    bool bare; /* only a displacement, of 32 bits, or rip for a base */

    if (base == INSN_RSP) {
        sib = next_byte(r);
        insn->scale = (uint8_t)(sib >> 6);
        insn->index = (uint8_t)((sib >> 3 & 7) | rex_high(r, REX_X));
        if (insn->index == INSN_RSP)
            insn->index = INSN_NONE;
        base = sib & 7;
        instead = INSN_NONE;
    }
    bare = mod == 0 && base == INSN_RBP;
    insn->base = (uint8_t)(bare ? instead : base | rex_high(r, REX_B));
    if (mod || bare)
        insn->displacement = (int32_t)next(r, mod == 1 ? 1 : 4);
}

/* ModRM and what follows from it, the immediate excepted. */
static bool read_modrm(struct reader *r, struct insn *insn, unsigned int has)
{
    unsigned int modrm = next_byte(r), reg = modrm >> 3 & 7;

    insn->reg = (uint8_t)(reg | rex_high(r, REX_R));
    if (has & GROUP) {
        insn->op = group_op[insn->op][reg];
        insn->reg = INSN_NONE;
    }
    if (has & MEMORY) {
        read_memory(r, insn, modrm);
        return modrm >> 6 != 3;
    }
    if (has & LONG_OPCODE)
        return (modrm & 0xc7) == 0xc1;
    /* There are control registers 0, 2, 3 and 4, debug registers 0 to 7. */
    insn->special = insn->reg;
    insn->reg = (uint8_t)((modrm & 7) | rex_high(r, REX_B));
    return (insn->op <= INSN_WRITE_CR ? 0x1dU : 0xffU) >> insn->special & 1;
}

static bool prefixes_fit(const struct reader *r, const struct insn *insn,
                         unsigned int has)
{
    return (!insn->lock || has & LOCKABLE) &&
           (!r->operand_size || !(has & NO_66)) &&
           (!r->repeat || has & STRING ||
            (r->repeat == 0xf3 && has & F3_IGNORED));
}

static bool decode(struct reader *r, struct insn *insn)
{
    const struct opcode *opcode;
    unsigned int has;
    uint8_t byte;

    do
        byte = next_byte(r);
    while (byte != 0x0f && take_prefix(r, insn, byte));
    opcode = byte == 0x0f ? &two_byte[next_byte(r)] : &one_byte[byte];
    has = opcode->has;
    insn->op = opcode->op;
    if (!prefixes_fit(r, insn, has) ||
        (has & (MEMORY | SPECIAL | GROUP) && !read_modrm(r, insn, has)))
        return false;
    insn->size = operand_size(r, has);
    if (has & BYTE && !r->rex && (insn->reg & ~3U) == 4)
        insn->reg += INSN_AH - 4;
    if (has & STRING) {
        insn->rep = r->repeat;
        insn->base = has & SOURCE_STRING ? INSN_RSI : INSN_RDI;
        if (!(has & SOURCE_STRING))
            insn->segment = INSN_FLAT;
    }
    if (has & (IMMEDIATE | IMMEDIATE_BYTE)) {
        insn->has_immediate = true;
        insn->immediate = next(r, has & IMMEDIATE_BYTE ? 1
                                  : insn->size == 8    ? 4
                                                       : insn->size);
    }
    insn->length = (uint8_t)r->at;
    return insn->op != INSN_REFUSED && !r->ended;
}

bool insn_decode(struct insn *insn, const uint8_t *bytes, size_t count,
                 bool long_mode)
{
    struct reader r = {.bytes = bytes,
                       .count = count < INSN_MAX ? count : INSN_MAX};

    *insn = (struct insn){.base = INSN_NONE, .index = INSN_NONE};
    /* Two bytes that say all: rdmsr and its like. */
    if (likely(count > 1) && long_mode && bytes[0] == 0x0f &&
        !two_byte[bytes[1]].has && two_byte[bytes[1]].op != INSN_REFUSED) {
        insn->op = two_byte[bytes[1]].op;
        insn->length = 2;
        return true;
    }
    if (long_mode && decode(&r, insn))
        return true;
    insn->op = INSN_REFUSED;
    return false;
}

/* What is usual is no longer than this. */
#define USUAL_MAX 7U

/*
 * What most entries are changed with: no prefix but REX, and a register of 64
 * bits to where another one, and perhaps a displacement, points.  False: it is
 * something else.
 */
static __in_place bool decode_usual(struct insn *insn, const uint8_t *bytes)
{
    unsigned int rex = bytes[0], modrm = bytes[2], mod = modrm >> 6;
    const struct opcode *opcode = &one_byte[bytes[1]];
    int32_t displacement = 0;
    uint32_t next_four;

    if ((rex & 0xf8) != (0x40 | REX_W) || mod == 3 || (modrm & 7) == INSN_RSP ||
        (mod == 0 && (modrm & 7) == INSN_RBP) ||
        (opcode->has & ~LOCKABLE) != (SIZED | MEMORY))
        return false;
    __builtin_memcpy(&next_four, &bytes[3], sizeof(next_four));
    if (mod == 1)
        displacement = (int32_t)(next_four << 24) >> 24;
    else if (mod == 2)
        displacement = (int32_t)next_four;
    *insn = (struct insn){
        .op = opcode->op,
        .length = mod == 0   ? 3
                  : mod == 1 ? 4
                             : USUAL_MAX,
        .size = 8,
        .reg = (uint8_t)((modrm >> 3 & 7) | (rex & REX_R) << 1),
        .base = (uint8_t)((modrm & 7) | (rex & REX_B) << 3),
        .index = INSN_NONE,
        .displacement = displacement,
    };
    return true;
}

bool insn_decode_store(struct insn *insn, const uint8_t *bytes, size_t count,
                       bool long_mode)
{
    if (likely(count >= USUAL_MAX) && likely(long_mode) &&
        likely(decode_usual(insn, bytes)))
        return true;
    return insn_decode(insn, bytes, count, long_mode);
}
