/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes by table: an opcode's row says what the instruction is and which
 * parts its encoding has; everything without a row is refused.
 */

#include "pv/decode.h"

/* What an encoding has besides its opcode. */
enum {
    /* Size of the operand: none, or one of these. */
    BYTE = 1 << 0,
    SIZED = 1 << 1, /* 2, 4 or 8 bytes, as prefixes say */
    IO = 1 << 2,    /* 2 or 4 */
    FULL = 1 << 3,  /* 8 */

    MEMORY = 1 << 4,      /* a ModRM byte, which must name memory */
    REGISTERS = 1 << 5,   /* a ModRM byte, which names registers whatever mod */
    GROUP = 1 << 6,       /* a ModRM byte, whose reg field chooses the op */
    LONG_OPCODE = 1 << 7, /* the others of its fields are opcode as well */

    IMMEDIATE = 1 << 8,      /* of the operand's size, at most 4 bytes */
    IMMEDIATE_BYTE = 1 << 9, /* of 1 */
    LOCKABLE = 1 << 10,      /* LOCK may stand before it */
    STRING = 1 << 11,        /* F2 and F3 repeat it */
    SOURCE_STRING = 1 << 12, /* and its operand is at rsi, not rdi */
    F3_IGNORED = 1 << 13,    /* or names a variant we need not tell */
    NO_66 = 1 << 14,         /* with 66 it is another instruction */
};

struct opcode {
    uint8_t op; /* enum insn_op or, with GROUP, enum group */
    uint16_t has;
};

enum group {
    GROUP_ARITHMETIC,
    GROUP_MOV,
    GROUP_UNARY,
    GROUP_COUNT,
    GROUP_BIT,
    GROUP_SYSTEM,
};

static const uint8_t group_op[][8] = {
    [GROUP_ARITHMETIC] = {INSN_ADD, INSN_OR, INSN_ADC, INSN_SBB, INSN_AND,
                          INSN_SUB, INSN_XOR},
    [GROUP_MOV] = {INSN_MOV},
    [GROUP_UNARY] = {[2] = INSN_NOT, [3] = INSN_NEG},
    [GROUP_COUNT] = {INSN_INC, INSN_DEC},
    [GROUP_BIT] = {[5] = INSN_BTS, [6] = INSN_BTR, [7] = INSN_BTC},
    [GROUP_SYSTEM] = {[2] = INSN_XSETBV, [7] = INSN_RDTSCP},
};

/* Many opcodes come in pairs: for one byte and, the next, for more. */
#define PAIR(opcode, op, has)                                                  \
    [opcode] = {op, BYTE | (has)}, [(opcode) + 1] = {op, SIZED | (has)}
#define PAIR_IO(opcode, op, has)                                               \
    [opcode] = {op, BYTE | (has)}, [(opcode) + 1] = {op, IO | (has)}
#define ARITHMETIC(n) PAIR(8 * (n), INSN_ADD + (n), MEMORY | LOCKABLE)

static const struct opcode one_byte[256] = {
    ARITHMETIC(0),
    ARITHMETIC(1),
    ARITHMETIC(2),
    ARITHMETIC(3),
    ARITHMETIC(4),
    ARITHMETIC(5),
    ARITHMETIC(6),
    PAIR_IO(0x6c, INSN_INS, STRING),
    PAIR_IO(0x6e, INSN_OUTS, STRING | SOURCE_STRING),
    PAIR(0x80, GROUP_ARITHMETIC, GROUP | MEMORY | LOCKABLE | IMMEDIATE),
    [0x83] = {GROUP_ARITHMETIC,
              GROUP | MEMORY | LOCKABLE | SIZED | IMMEDIATE_BYTE},
    PAIR(0x86, INSN_XCHG, MEMORY | LOCKABLE),
    PAIR(0x88, INSN_MOV, MEMORY),
    PAIR(0xaa, INSN_STOS, STRING),
    PAIR(0xc6, GROUP_MOV, GROUP | MEMORY | IMMEDIATE),
    PAIR_IO(0xe4, INSN_IN, IMMEDIATE_BYTE),
    PAIR_IO(0xe6, INSN_OUT, IMMEDIATE_BYTE),
    PAIR_IO(0xec, INSN_IN, 0),
    PAIR_IO(0xee, INSN_OUT, 0),
    PAIR(0xf6, GROUP_UNARY, GROUP | MEMORY | LOCKABLE),
    [0xfa] = {INSN_CLI, 0},
    [0xfb] = {INSN_STI, 0},
    PAIR(0xfe, GROUP_COUNT, GROUP | MEMORY | LOCKABLE),
};

/* After 0F. */
static const struct opcode two_byte[256] = {
    [0x01] = {GROUP_SYSTEM, GROUP | REGISTERS | LONG_OPCODE | NO_66},
    [0x06] = {INSN_CLTS, 0},
    [0x09] = {INSN_WBINVD, F3_IGNORED},
    [0x20] = {INSN_READ_CR, REGISTERS | FULL},
    [0x21] = {INSN_READ_DR, REGISTERS | FULL},
    [0x22] = {INSN_WRITE_CR, REGISTERS | FULL},
    [0x23] = {INSN_WRITE_DR, REGISTERS | FULL},
    [0x30] = {INSN_WRMSR, 0},
    [0x31] = {INSN_RDTSC, 0},
    [0x32] = {INSN_RDMSR, 0},
    [0xa2] = {INSN_CPUID, 0},
    [0xab] = {INSN_BTS, SIZED | MEMORY | LOCKABLE},
    PAIR(0xb0, INSN_CMPXCHG, MEMORY | LOCKABLE),
    [0xb3] = {INSN_BTR, SIZED | MEMORY | LOCKABLE},
    [0xba] = {GROUP_BIT, GROUP | SIZED | MEMORY | LOCKABLE | IMMEDIATE_BYTE},
    [0xbb] = {INSN_BTC, SIZED | MEMORY | LOCKABLE},
    PAIR(0xc0, INSN_XADD, MEMORY | LOCKABLE),
    [0xc3] = {INSN_MOV, SIZED | MEMORY | NO_66},
};

#define REX_W 8U
#define REX_R 4U
#define REX_X 2U
#define REX_B 1U

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

static uint8_t next_byte(struct reader *r)
{
    return (uint8_t)next(r, 1);
}

/* `bit` of REX as bit 3 of a register's number. */
static unsigned int rex_high(const struct reader *r, unsigned int bit)
{
    return r->rex & bit ? 8 : 0;
}

/* Takes one byte if it is a prefix. */
static bool take_prefix(struct reader *r, struct insn *insn, uint8_t byte)
{
    uint8_t rex = 0;

    switch (byte) {
    case 0x26: /* segments that are flat whatever is said: no override */
    case 0x2e:
    case 0x36:
    case 0x3e:
        break;
    case 0x64:
        insn->segment = INSN_FS;
        break;
    case 0x65:
        insn->segment = INSN_GS;
        break;
    case 0x66:
        r->operand_size = true;
        break;
    case 0xf0:
        insn->lock = true;
        break;
    case 0xf2:
    case 0xf3:
        r->repeat = byte;
        break;
    default:
        if ((byte & 0xf0) != 0x40)
            return false;
        rex = byte;
    }
    r->rex = rex; /* one that is not the last prefix says nothing */
    return true;
}

static unsigned int operand_size(const struct reader *r, unsigned int has)
{
    if (has & BYTE)
        return 1;
    if (has & FULL || (has & SIZED && r->rex & REX_W))
        return 8;
    if (!(has & (SIZED | IO)))
        return 0;
    return r->operand_size && !(r->rex & REX_W) ? 2 : 4;
}

/* The memory operand that a ModRM byte begins. */
static void read_memory(struct reader *r, struct insn *insn, unsigned int modrm)
{
    unsigned int mod = modrm >> 6, base = modrm & 7, sib;
    bool bare; /* a displacement of 32 bits in the base's place */

    bare = mod == 0 && base == INSN_RBP;
    insn->base = (uint8_t)(bare ? INSN_RIP : base | rex_high(r, REX_B));
    if (base == INSN_RSP) {
        sib = next_byte(r);
        base = sib & 7;
        insn->index = (uint8_t)((sib >> 3 & 7) | rex_high(r, REX_X));
        if (insn->index == INSN_RSP)
            insn->index = INSN_NONE;
        else
            insn->scale = (uint8_t)(sib >> 6);
        bare = mod == 0 && base == INSN_RBP;
        insn->base = (uint8_t)(bare ? INSN_NONE : base | rex_high(r, REX_B));
    }
    if (mod == 1)
        insn->displacement = (int32_t)next(r, 1);
    else if (mod == 2 || bare)
        insn->displacement = (int32_t)next(r, 4);
}

/* Registers are numbered differently than the control registers are. */
static bool special_exists(const struct insn *insn)
{
    if (insn->op == INSN_READ_CR || insn->op == INSN_WRITE_CR)
        return insn->special <= 4 && insn->special != 1;
    return insn->special < 8;
}

/* ModRM and what follows from it, the immediate excepted. */
static bool read_modrm(struct reader *r, struct insn *insn, unsigned int has)
{
    unsigned int modrm = next_byte(r), reg = modrm >> 3 & 7;

    if (has & GROUP) {
        insn->op = group_op[insn->op][reg];
        insn->reg = INSN_NONE;
    } else {
        insn->reg = (uint8_t)(reg | rex_high(r, REX_R));
    }
    if (has & MEMORY) {
        if (modrm >> 6 == 3)
            return false;
        read_memory(r, insn, modrm);
    } else if (has & LONG_OPCODE) {
        return (modrm & 0xc7) == 0xc1;
    } else {
        insn->special = insn->reg;
        insn->reg = (uint8_t)((modrm & 7) | rex_high(r, REX_B));
        return special_exists(insn);
    }
    return true;
}

static bool prefixes_fit(const struct reader *r, const struct insn *insn,
                         unsigned int has)
{
    if (insn->lock && !(has & LOCKABLE))
        return false;
    if (r->operand_size && has & NO_66)
        return false;
    return !r->repeat || has & STRING ||
           (r->repeat == 0xf3 && has & F3_IGNORED);
}

static bool decode(struct reader *r, struct insn *insn)
{
    const struct opcode *opcode;
    unsigned int has;
    uint8_t byte;

    do
        byte = next_byte(r);
    while (!r->ended && take_prefix(r, insn, byte));
    opcode = byte == 0x0f ? &two_byte[next_byte(r)] : &one_byte[byte];
    has = opcode->has;
    insn->op = opcode->op;
    if (!prefixes_fit(r, insn, has))
        return false;
    if (has & (MEMORY | REGISTERS) && !read_modrm(r, insn, has))
        return false;
    insn->size = (uint8_t)operand_size(r, has);
    if (insn->size == 1 && !r->rex && (insn->reg & ~3U) == 4) {
        insn->high_byte = true;
        insn->reg -= 4;
    }
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
    struct reader r = {
        .bytes = bytes,
        .count = count < INSN_MAX ? count : INSN_MAX,
    };

    *insn = (struct insn){.base = INSN_NONE, .index = INSN_NONE};
    if (long_mode && decode(&r, insn))
        return true;
    insn->op = INSN_REFUSED;
    return false;
}
