/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercall fuzzer.
 *
 * The initial domain is its supervisor (main.c): it makes domains without
 * rights, or with some, whose whole work is to make calls with arguments
 * that are almost right (child.c), and beside them one that does something
 * ordinary and must never notice (witness.c).  What a fuzzing domain does
 * follows from seed, vCPU and the number of the call alone.
 *
 *   calls.c      every call, and what its arguments are; op.h how to write it
 *   values.c     a value of each kind, mostly good, sometimes wild
 *   make.c       choosing a call, filling its arguments, making it
 *   processor.c  what needs no hypercall to hurt
 *
 * Domains of class pv ("class=pv") make the same calls, and besides:
 *
 *   pv_calls.c   the calls of that class
 *   pv_values.c  frames, entries, descriptors
 *   pv_tables.c  trees of tables made and unmade, stores to them
 *   pv_code.c    code of random bytes, in kernel and in user mode
 */

#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/domid.h>

#include "framework/machine.h"

#define FUZZ_VCPUS 2U

/* With those that are only ever started. */
#define FUZZ_VCPUS_MAX 8U

/* Calls of each vCPU that are remembered. */
#define FUZZ_RING 16U

/* Most operations in the table of calls.c. */
#define FUZZ_OPS 192U

#define FUZZ_MAGIC 0x215a5a5546214841UL

enum fuzz_flavour {
    FUZZ_ALONE,   /* one domain, one vCPU: the same calls at every run */
    FUZZ_PAIR,    /* two that share ports and grants */
    FUZZ_SMP,     /* two vCPUs that change each other's arguments */
    FUZZ_DEVICE,  /* with the rights to devices and the console */
    FUZZ_CONTROL, /* with the right to control domains */
    FUZZ_PV_ALONE,
    FUZZ_PV_PAIR,
    FUZZ_PV_SMP, /* two vCPUs, and others that begin in odd ways */
    FUZZ_FLAVOURS,
};

/* What the supervisor tells a fuzzing domain: set before it is copied. */
struct fuzz_order {
    uint64_t seed;
    uint64_t first; /* number of the first call */
    uint64_t calls; /* of vCPU 0 */
    uint64_t trace; /* from this call on each is printed before it is made */
    enum fuzz_flavour flavour;
    domid_t witness;
};

extern struct fuzz_order fuzz_order;

struct fuzz_call {
    uint64_t number;
    uint64_t nr; /* hypercall, or FUZZ_NR_PROCESSOR + what */
    uint64_t args[5];
    int64_t result; /* FUZZ_RUNNING: it has not come back */
};

#define FUZZ_NR_PROCESSOR 0x10000U
#define FUZZ_NR_PV        0xff00U /* struct op's */
#define FUZZ_RUNNING      0x7fffffffffffff00L

/*
 * What a fuzzing domain keeps for its supervisor, who reads it as it runs,
 * and for whoever looks into the memory of a machine that has stopped.
 */
struct fuzz_state {
    uint64_t magic;
    uint64_t seed;
    uint64_t domid;
    uint64_t made[FUZZ_VCPUS];
    struct fuzz_call last[FUZZ_VCPUS][FUZZ_RING];
    uint32_t op_made[FUZZ_OPS]; /* how often each operation was made, */
    uint32_t op_good[FUZZ_OPS]; /* and came back without an error */
    uint64_t finished;          /* all that it was told to make */
};

extern struct fuzz_state fuzz_state;

/* Set by the supervisor in a running domain: a second fuzzing one, or 0. */
extern volatile domid_t fuzz_peer;

/* Domains that a fuzzing one with the right has made itself. */
#define FUZZ_KIDS 4U

/* Text that is an exception wherever one comes in (wild.S). */
extern const char wild_text[], wild_text_end[];

struct fuzzer {
    unsigned int vcpu;
    uint64_t number; /* of the call */
    uint64_t random;
    uint8_t *arena;      /* ARENA_PAGES: what arguments point to */
    uint64_t arena_used; /* by this call */
    bool apart;          /* its structures do not overlap */
    unsigned int level;  /* class pv: of the table that is being filled, */
    uint16_t cs;         /* and of the trap that is being set */
    domid_t kids[FUZZ_KIDS];
    unsigned int kid_count;
};

#define ARENA_PAGES 8U

/* Numbers, from the fuzzer's seed and call alone. */
uint64_t any(struct fuzzer *f);
uint64_t below(struct fuzzer *f, uint64_t limit);
/* True once in @n. */
bool rarely(struct fuzzer *f, uint64_t n);

/* --- values.c --- */

enum kind {
    KIND_WORD,  /* anything */
    KIND_SMALL, /* 0 .. 8, mostly */
    KIND_ZERO,  /* 0, mostly */
    KIND_BYTES, /* a size, small or huge */
    KIND_PORT,
    KIND_VIRQ,
    KIND_FIFO_GFN,
    KIND_PRIORITY,
    KIND_VCPU,
    KIND_DOMID,
    KIND_REMOTE, /* the domid of somebody to talk to */
    KIND_KID,    /* the subject of control_op */
    KIND_NEW_KID,
    KIND_REASON,
    KIND_GREF,
    KIND_HANDLE,
    KIND_SLOT,
    KIND_MAP_FLAGS,
    KIND_COPY_FLAGS,
    KIND_OFFSET,
    KIND_LENGTH,
    KIND_GFN,
    KIND_KID_GFN,
    KIND_PAGES,
    KIND_ORDER,
    KIND_PROT,
    KIND_SPACE,
    KIND_TIME,
    KIND_SOON,
    KIND_MANY_SECONDS, /* more than any run takes: it must be repeatable */
    KIND_VA,           /* of something of ours */
    KIND_AREA,         /* the same, for the hypervisor to write to its frame */
    KIND_CODE_SEGMENT, /* for what follows */
    KIND_TEXT_VA,      /* of an instruction */
    KIND_CALLBACK,
    KIND_SEGMENT,
    KIND_BUFFER, /* the address of whatever */
    KIND_PORTS,  /* the address of a list */
    KIND_GFNS,
    KIND_CLASS,
    KIND_WEIGHT,
    KIND_RIGHTS,
    KIND_VIRT_BASE,
    KIND_SBDF,
    KIND_BAR,
    KIND_CONFIG_OFFSET,
    KIND_CONFIG_SIZE,
    KIND_CONTROL_VERSION,
    KIND_DEVICE_VERSION,
    KIND_VECTOR,
    KIND_TABLE_WORD, /* class pv: machine address of an entry, and a command */
    KIND_ENTRY,      /* for where TABLE_WORD was last, mostly */
    KIND_TABLE,      /* frame of a table */
    KIND_BASE,       /* of one that is good to run on, mostly */
    KIND_PAGE,       /* page-aligned address */
    KIND_FLUSH,
    KIND_FRAMES, /* the address of a list of them */
    KIND_DESCRIPTORS,
    KIND_DESCRIPTOR,
    KIND_PFNS,
    KIND_ENTRY_FLAGS, /* of a grant that an entry maps */
};

uint64_t value_of(struct fuzzer *f, enum kind kind);

/* An address of something of ours. */
uint64_t own_va(struct fuzzer *f);

/* A word near some limit, or any at all. */
uint64_t wild(struct fuzzer *f);

/*
 * Put @size bytes where an argument may lie and return its address; once in
 * a while they straddle two pages, or are partly or wholly out of reach.
 */
uint64_t place(struct fuzzer *f, const void *data, size_t size);

void values_init(void);

/* Write some grant entries, and into grants that are mapped. */
void values_grant(struct fuzzer *f);

/* Whether this domain uses the FIFO ABI, as one of two does. */
bool is_fifo(void);

/* Write into pages that the FIFO ABI's event words and heads may be in. */
void values_fifo(struct fuzzer *f);

/* A privileged domain must not aim at its supervisor or the witness. */
bool is_careful(void);
bool is_spared(domid_t domid);

/* --- calls.c --- */

/* How arguments go into registers. */
enum form {
    FORM_WORDS,         /* fields are registers */
    FORM_CMD,           /* cmd alone */
    FORM_CMD_PTR,       /* cmd, structure */
    FORM_CMD_PTR_COUNT, /* cmd, array, count */
    FORM_CMD_VCPU_PTR,
    FORM_CMD_COUNT_PTR,
    FORM_PTR,  /* structure, whose first word is cmd */
    FORM_LIST, /* array, ended by zeros */
    FORM_MULTICALL,
    FORM_PROCESSOR, /* no call: cmd is what to do */
    FORM_MMU,       /* array, count, done, domain */
    FORM_MMUEXT,    /* the same, of different operations */
    FORM_PV,        /* many calls: cmd is what to do */
};

struct field {
    uint16_t offset;
    uint8_t size;
    uint8_t kind; /* enum kind */
};

struct op {
    const char *name;
    uint16_t nr;
    uint16_t cmd;
    uint16_t weight; /* how often, among others */
    uint8_t form;    /* enum form */
    uint8_t entries; /* most in an array */
    uint16_t status; /* offset of an entry's own result, 0: there is none */
    uint16_t size;   /* of the structure */
    uint16_t field_count;
    const struct field *fields;
    bool fifo;         /* of the FIFO ABI */
    uint32_t flavours; /* bits of fuzz_flavour for which it is often */
};

extern const struct op fuzz_ops[], pv_ops[];
extern const unsigned int fuzz_ops_count, pv_ops_count;

/* Those of the class that is fuzzed. */
static inline bool is_pv(void)
{
    return fuzz_order.flavour >= FUZZ_PV_ALONE;
}

static inline unsigned int fuzz_op_count(void)
{
    return fuzz_ops_count + (is_pv() ? pv_ops_count : 0);
}

static inline const struct op *fuzz_op(unsigned int i)
{
    return i < fuzz_ops_count ? &fuzz_ops[i] : &pv_ops[i - fuzz_ops_count];
}

/* --- make.c --- */

void make_init(void);

/* Call number @f->number, as its seed has it; the next one is then due. */
void make_one(struct fuzzer *f);

/* --- processor.c --- */

/* Something of this call's choice that an ordinary program would not do. */
extern const unsigned int processor_kinds;
void processor_do(struct fuzzer *f, unsigned int what);

/* Somewhere to go with a frame, and a stack below what is in use. */
uint64_t good_stack(struct fuzzer *f);

/* --- pv_values.c --- */

/* Pages that tables are made of; a tree of them is linked in the running one.
 */
#define PV_PAGES  64U
#define PV_CLONES 2U /* the first ones: copies of the running level-4 table */

uint64_t *pv_fuzz_page(unsigned int index);

/* Ours, and what is there is not executed. */
long pv_map(const uint64_t *page, bool write);

/* The level of the table that page @index mostly is; 0: data. */
unsigned int pv_role(unsigned int index);

void pv_values_init(void);
void pv_code_init(void);
uint64_t pv_value_of(struct fuzzer *f, enum kind kind);

/* A frame: one of ours, or of others. */
uint64_t pv_mfn(struct fuzzer *f);
uint64_t pv_page_mfn(struct fuzzer *f);

/* For a table of @level; level 0: any. */
uint64_t pv_entry(struct fuzzer *f, unsigned int level);
uint64_t pv_descriptor(struct fuzzer *f);

/* --- pv_tables.c, pv_code.c --- */

enum pv_what {
    PV_MAKE_TABLE,
    PV_MAKE_TREE,
    PV_RENEW,
    PV_STORE,
    PV_BALLOON,
    PV_MAKE_GDT,
    PV_MAKE_LDT,
    PV_CODE,
    PV_USER_CODE,
};

long pv_tables_do(struct fuzzer *f, enum pv_what what);
long pv_code_do(struct fuzzer *f, enum pv_what what);

/* What runs now is the fuzzer's own again. */
void pv_code_over(const struct fuzzer *f);

/* Undo what would end a domain soon. */
void pv_after(struct fuzzer *f, const struct op *op);

/* Odd registers and tables for another vCPU. */
struct vcpu_guest_context;
void pv_context(struct fuzzer *f, struct vcpu_guest_context *c);

/* --- child.c, witness.c --- */

uint64_t fuzz_child(uint64_t unused);
void fuzz_third(void);

struct witness_state {
    uint32_t port; /* 0: not there yet */
    uint32_t errors;
    uint64_t rounds;
};

extern struct witness_state witness_state;

uint64_t witness_child(uint64_t unused);

#endif /* FUZZ_FUZZ_H */
