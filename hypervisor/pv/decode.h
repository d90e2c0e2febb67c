/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an instruction of a guest says, for the few instructions that class pv
 * executes in the guest's place: those which fault because ring 3 may not
 * execute them, and stores to page tables, which are mapped read-only.
 * Operate.h says what such an instruction does.
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

enum insn_op {
    INSN_REFUSED,

    /* Those of the system.  What they read and write is the caller's affair. */
    INSN_CLTS,
    INSN_WBINVD,   /* and wbnoinvd */
    INSN_READ_CR,  /* reg = control register `special`: 0, 2, 3 or 4 */
    INSN_WRITE_CR, /* control register `special` = reg */
    INSN_READ_DR,  /* the same with debug registers 0 to 7 */
    INSN_WRITE_DR,
    INSN_RDTSC,
    INSN_RDTSCP,
    INSN_RDMSR,
    INSN_WRMSR,
    INSN_CPUID,
    INSN_XSETBV,
    INSN_CLI,
    INSN_STI,
    INSN_IN, /* of `size` bytes; insn_port() says where */
    INSN_OUT,
    INSN_INS, /* one element to or from insn_address() */
    INSN_OUTS,

    /* Stores to memory: insn_store() computes them. */
    INSN_MOV, /* also movnti */
    INSN_STOS,
    INSN_XCHG,
    INSN_XADD,
    INSN_CMPXCHG,
    INSN_NOT,
    INSN_NEG,
    INSN_INC,
    INSN_DEC,
    INSN_BTS,
    INSN_BTR,
    INSN_BTC,
    INSN_ADD, /* these six in the order of their encoding */
    INSN_OR,
    INSN_ADC,
    INSN_SBB,
    INSN_AND,
    INSN_SUB,
    INSN_XOR, /* encoded 6; 7, cmp, does not store */
};

/* General registers by their number in an encoding, and what is none. */
enum insn_register {
    INSN_RAX,
    INSN_RCX,
    INSN_RDX,
    INSN_RBX,
    INSN_RSP,
    INSN_RBP,
    INSN_RSI,
    INSN_RDI,
    INSN_RIP = 16, /* base only: of the next instruction */
    INSN_NONE,
};

enum insn_segment {
    INSN_FLAT,
    INSN_FS,
    INSN_GS,
};

struct insn {
    uint8_t op;     /* enum insn_op */
    uint8_t length; /* in bytes, at most INSN_MAX */
    uint8_t size;   /* of the operand: 1, 2, 4 or 8; 0 where it has none */

    bool lock;
    bool rep;           /* a string instruction, to be done rcx times */
    bool has_immediate; /* it is the source, or the port */
    bool high_byte;     /* the register is ah, ch, dh or bh: reg is 0 to 3 */

    uint8_t reg;     /* 0 to 15; of stores the source or, for stos, rax */
    uint8_t special; /* number of the control or debug register */

    /* The memory operand: segment + base + (index << scale) + displacement. */
    uint8_t segment; /* enum insn_segment */
    uint8_t base;    /* 0 to 15, INSN_RIP or INSN_NONE (then no operand, or
                        one without a base) */
    uint8_t index;   /* 0 to 15 or INSN_NONE */
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

static inline bool insn_is_store(const struct insn *insn)
{
    return insn->op >= INSN_MOV;
}
