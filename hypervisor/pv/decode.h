/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an instruction of a guest says, for the few instructions that class pv
 * executes in the guest's place: those which fault because ring 3 may not
 * execute them, and stores to page tables, which are mapped read-only.
 * pv/operate.h says what such an instruction does.
 *
 * Pure: bytes in, struct insn out.  No state, no guest memory.
 *
 * The caller copies the bytes from rip once, as many of INSN_MAX as can be
 * read, and decodes that copy.  Another vCPU may have changed the code since
 * the fault, so what is decoded need not be what faulted: every right is
 * checked against the struct insn, never against the fault.
 *
 * Refused, because no guest needs it: code of compatibility mode, the address
 * size prefix, superfluous F2 and F3, movs, cmpxchg8b and 16b, moves of
 * segment, floating and vector registers.  What the processor would refuse
 * with #UD (LOCK before a mov, cr1) is refused too.
 */

#pragma once

/* The longest instruction the processor accepts. */
#define INSN_MAX 15U

/*
 * Instructions of the system: what they read and write is the caller's affair.
 * READ and WRITE move between register `reg` and control register `special`,
 * which is 0, 2, 3 or 4, or debug register `special`, 0 to 7.  IN and OUT move
 * `size` bytes at insn_port(), INS and OUTS also one element of memory at
 * insn_address().  WBINVD is wbnoinvd, too.
 */
/* clang-format off */
#define INSN_OF_SYSTEM(X)                                                     \
    X(CLTS) X(WBINVD) X(CLI) X(STI) X(CPUID) X(XSETBV)                        \
    X(RDTSC) X(RDTSCP) X(RDMSR) X(WRMSR)                                      \
    X(READ_CR) X(WRITE_CR) X(READ_DR) X(WRITE_DR) X(IN) X(OUT) X(INS) X(OUTS)

/*
 * Stores to memory, which insn_store() computes.  MOV is movnti, too.  The last
 * seven are in the order of their encoding.
 */
#define INSN_STORES(X)                                                        \
    X(MOV) X(STOS) X(XCHG) X(XADD) X(CMPXCHG) X(NOT) X(NEG) X(INC) X(DEC)     \
    X(BTS) X(BTR) X(BTC)                                                      \
    X(ADD) X(OR) X(ADC) X(SBB) X(AND) X(SUB) X(XOR)
/* clang-format on */

#define INSN_OP(name) INSN_##name,
enum insn_op { INSN_REFUSED, INSN_OF_SYSTEM(INSN_OP) INSN_STORES(INSN_OP) };

/*
 * Registers.  0 to 15 are the general ones by their numbers in encodings; these
 * names are for some of them, and for what is none of them.
 */
enum {
    INSN_RAX = 0,
    INSN_RSP = 4,
    INSN_RBP = 5,
    INSN_RSI = 6,
    INSN_RDI = 7,
    INSN_RIP = 16,  /* as a base: of the next instruction */
    INSN_NONE = 17, /* no register */
    INSN_AH = 18,   /* then ch, dh and bh: bits 15 to 8 of the first four */
};

enum insn_segment { INSN_FLAT, INSN_FS, INSN_GS };

struct insn {
    uint8_t op;     /* enum insn_op */
    uint8_t length; /* in bytes, at most INSN_MAX */
    uint8_t size;   /* of the operand: 1, 2, 4 or 8; 0 where it has none */

    bool lock;
    bool rep;           /* a string instruction, to be done rcx times */
    bool has_immediate; /* it is the source, or the port */

    /* Of stores the source: a general register, INSN_AH on, or INSN_NONE. */
    uint8_t reg;
    uint8_t special; /* number of the control or debug register */

    /* The memory operand: segment + base + (index << scale) + displacement. */
    uint8_t segment; /* enum insn_segment */
    uint8_t base;    /* a general register, INSN_RIP or INSN_NONE */
    uint8_t index;   /* a general register or INSN_NONE */
    uint8_t scale;   /* 0 to 3 */
    int32_t displacement;

    int64_t immediate; /* sign-extended */
};

/*
 * Reads one instruction from the first of `count` bytes.  False: it is not
 * one of the above, or the bytes end before it does; `*insn` then says
 * INSN_REFUSED.  `long_mode` is bit L of the code segment.
 */
bool insn_decode(struct insn *insn, const uint8_t *bytes, size_t count,
                 bool long_mode);

/* The same, sooner where it is what page tables are written with. */
bool insn_decode_store(struct insn *insn, const uint8_t *bytes, size_t count,
                       bool long_mode);

static inline bool insn_is_store(const struct insn *insn)
{
    return insn->op >= INSN_MOV;
}
