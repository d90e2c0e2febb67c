/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Class pv: code that nobody wrote, as the kernel and as its user.  It is made
 * of what the hypervisor has to do for a guest, and of anything; it ends by an
 * exception, or by a timer's event.
 */

#include <string.h>

#include <abi/mmu.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"
#include "framework/trap.h"
#include "framework/vcpu.h"
#include "fuzz/fuzz.h"

#define REGISTERS     14U
#define CODE_BYTES    160U
#define LONGEST       15U
#define TURN_NS       30000U
#define USER_STACK_AT (5 * PAGE_SIZE)

extern const char rt_text_start[], rt_text_end[];

PAGES(code, FUZZ_VCPUS);

static volatile bool in_code[FUZZ_VCPUS];

_Noreturn void wild_code(uint64_t rip, const uint64_t *registers, uint64_t rsp);
_Noreturn void wild_user(const void *frame, const uint64_t *registers);
_Noreturn void fault_leave(void);
extern uint64_t fault_resume[]; /* framework/trap.c: 0: in no probe */

struct pattern {
    uint8_t size;
    uint8_t bytes[4];
    uint8_t random; /* bytes behind: what is accessed, and a number */
};

static const struct pattern patterns[] = {
    {2, {0x0f, 0x20}, 1}, /* mov from cr, */
    {2, {0x0f, 0x22}, 1}, /* to cr, */
    {2, {0x0f, 0x21}, 1}, /* from dr, */
    {2, {0x0f, 0x23}, 1}, /* to dr */
    {2, {0x0f, 0x00}, 5}, /* sldt, str, lldt, ltr, verr, verw */
    {2, {0x0f, 0x01}, 5}, /* sgdt .. invlpg, swapgs, xgetbv, xsetbv */
    {2, {0x0f, 0x06}, 0}, /* clts */
    {2, {0x0f, 0x08}, 0}, /* invd */
    {2, {0x0f, 0x09}, 0}, /* wbinvd */
    {2, {0x0f, 0x30}, 0}, /* wrmsr */
    {2, {0x0f, 0x32}, 0}, /* rdmsr */
    {2, {0x0f, 0x33}, 0}, /* rdpmc */
    {2, {0x0f, 0x31}, 0}, /* rdtsc */
    {2, {0x0f, 0xa2}, 0}, /* cpuid */
    {2, {0x0f, 0xae}, 5}, /* fxsave .. xrstor, fences, fsbase */
    {2, {0x0f, 0xc7}, 5}, /* cmpxchg16b, xsaves, rdrand */
    {2, {0x0f, 0x02}, 5}, /* lar */
    {2, {0x0f, 0xb2}, 5}, /* lss */
    {1, {0xe4}, 1},       /* in, out */
    {1, {0xe7}, 1},
    {1, {0xec}, 0},
    {1, {0xef}, 0},
    {2, {0xf3, 0x6c}, 0}, /* rep ins, outs */
    {2, {0xf2, 0x6f}, 0},
    {2, {0x66, 0x6d}, 0},
    {1, {0xf4}, 0},                   /* hlt */
    {1, {0xfa}, 0},                   /* cli */
    {1, {0xfb}, 0},                   /* sti */
    {1, {0x9c}, 0},                   /* pushf */
    {1, {0x9d}, 0},                   /* popf */
    {2, {0x48, 0xcb}, 0},             /* lretq */
    {1, {0xff}, 5},                   /* call and jump, far ones too */
    {1, {0xcd}, 1},                   /* int */
    {1, {0xcc}, 0},                   /* int3 */
    {2, {0x0f, 0x05}, 0},             /* syscall */
    {2, {0x0f, 0x34}, 0},             /* sysenter */
    {2, {0x0f, 0x07}, 0},             /* sysret */
    {2, {0x48, 0x89}, 5},             /* mov to memory */
    {2, {0x48, 0xc7}, 9},             /* the same, a number */
    {2, {0x48, 0x87}, 5},             /* xchg */
    {3, {0xf0, 0x48, 0x01}, 5},       /* lock add */
    {4, {0xf0, 0x48, 0x0f, 0xb1}, 5}, /* lock cmpxchg */
    {4, {0xf0, 0x48, 0x0f, 0xba}, 6}, /* lock bts and others */
    {2, {0x48, 0xab}, 0},             /* stos, movs */
    {2, {0xf3, 0xa4}, 0},
    {2, {0x0f, 0x11}, 5}, /* movups to memory */
    {2, {0x0f, 0xe7}, 5}, /* movntq */
    {1, {0xd9}, 5},       /* the FPU */
    {1, {0xdd}, 5},
    {1, {0xc5}, 6}, /* VEX, EVEX */
    {1, {0x62}, 8},
};

#define PATTERNS (sizeof(patterns) / sizeof(patterns[0]))

/* One instruction, or what may be one; how long it is. */
static unsigned int instruction(struct fuzzer *f, uint8_t *to)
{
    static const uint8_t prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e,
                                       0x64, 0x65, 0x48, 0x41, 0x4c, 0x40};
    struct pattern anything = {.random = 1 + (uint8_t)below(f, 10)};
    const struct pattern *p = &patterns[below(f, PATTERNS)];
    unsigned int size = 0;

    if (rarely(f, 8))
        p = &anything;
    if (rarely(f, 4))
        to[size++] = prefixes[below(f, sizeof(prefixes))];
    memcpy(to + size, p->bytes, p->size);
    size += p->size;
    for (unsigned int i = 0; i < p->random; i++)
        to[size++] = (uint8_t)any(f);
    /* Memory through a register, mostly. */
    if (p->random > 1 && p->size > 0 && !rarely(f, 3)) {
        to[size - p->random] &= 0x3f;
        size -= p->random - 1U;
        if (p->random == 9 || p->random == 6) /* a number follows */
            size += p->random - 5U;
    }
    return size;
}

/*
 * What the emulator does and no processor would, from ring 3: IRET with an
 * operand of 32 bits enters virtual-8086 mode, and MOV to a segment's register
 * takes CS, LDTR, TR and with a REX prefix GDTR for one.  So only what is made
 * here, and text, is executed, and these are not in it; processor.c has IRET of
 * 64 bits, pv_tables.c what moves selectors.
 */
static bool is_emulators_fault(uint8_t byte)
{
    return byte == 0xcf || byte == 0x8e;
}

static void make_code(struct fuzzer *f)
{
    uint8_t *to = code + f->vcpu * PAGE_SIZE;
    unsigned int size = 0, end = (unsigned int)below(f, CODE_BYTES);

    while (size < end)
        size += instruction(f, to + size);
    for (unsigned int i = 0; i < size; i++)
        to[i] ^= is_emulators_fault(to[i]);
    /* Wherever it comes out of step, it meets this. */
    for (unsigned int i = 0; i < 2 * LONGEST; i++)
        to[size + i] = i % 2 ? 0x0b : 0x0f;
}

#define TEXT_BYTES (hypercall_ptr(rt_text_end) - hypercall_ptr(rt_text_start))

static void make_registers(struct fuzzer *f, uint64_t *r)
{
    static const uint32_t msrs[] = {
        0x10,       0x1b,       0x3a,       0x8b,       0x174,      0x179,
        0x1a0,      0x1d9,      0x277,      0x2ff,      0x48,       0x49,
        0xc0000080, 0xc0000081, 0xc0000082, 0xc0000084, 0xc0000100, 0xc0000101,
        0xc0000102, 0xc0000103, 0x40000000, 0xc0010015, 0xc001001f, 0xda0};

    for (unsigned int i = 0; i < REGISTERS; i++) {
        switch (below(f, 6)) {
        case 0:
            r[i] = wild(f);
            break;
        case 1:
            r[i] = msrs[below(f, sizeof(msrs) / sizeof(msrs[0]))];
            break;
        case 2:
            r[i] = below(f, 64);
            break;
        default:
            r[i] = pv_value_of(f, KIND_PAGE) + 8 * below(f, TABLE_ENTRIES);
            if (r[i] - hypercall_ptr(rt_text_start) < TEXT_BYTES)
                r[i] = 0;
            break;
        }
    }
}

/* It has had its turn: that is as good as an exception. */
static bool leave_code(struct trap_frame *frame)
{
    unsigned int vcpu = vcpu_self();

    if (frame->vector != TRAP_UPCALL || vcpu >= FUZZ_VCPUS || !in_code[vcpu] ||
        fault_resume[vcpu] == 0)
        return false;
    in_code[vcpu] = false;
    shared_info->vcpu_info[vcpu].evtchn_upcall_mask = 1;
    fault_leave();
}

static void run_kernel(struct fuzzer *f, const uint64_t *registers)
{
    wild_code(hypercall_ptr(code + f->vcpu * PAGE_SIZE), registers,
              good_stack(f));
}

/* On tables that show a program what the kernel sees, and ends here again. */
static void run_user(struct fuzzer *f, const uint64_t *registers)
{
    struct iret_context frame = {
        .rax = registers[0],
        .rcx = wild(f),
        .rip = hypercall_ptr(code + f->vcpu * PAGE_SIZE),
        .cs = FLAT_RING3_CS64,
        .rflags = RFLAGS_IF,
        .rsp = hypercall_ptr(f->arena) + USER_STACK_AT,
        .ss = FLAT_RING3_DS,
    };
    struct callback_register back = {
        .type = CALLBACKTYPE_syscall,
        .flags = CALLBACKF_mask_events,
        .address = trap_stub(TRAP_UD),
    };
    uint64_t l4 =
        rarely(f, 2) ? start_info->pt_base : hypercall_ptr(pv_fuzz_page(0));

    if (rarely(f, 4))
        frame.cs = any(f) & 0xffff;
    if (rarely(f, 8))
        frame.rflags = any(f);
    if (rarely(f, 8))
        frame.flags = VGCF_in_syscall;
    hypercall_callback_op(CALLBACKOP_register, &back);
    back.type = rarely(f, 2) ? CALLBACKTYPE_sysenter : CALLBACKTYPE_syscall32;
    hypercall_callback_op(CALLBACKOP_register, &back);
    hypercall2(HYPERCALL_stack_switch, FLAT_RING3_DS, good_stack(f) & ~15UL);
    if (mmuext_call(MMUEXT_NEW_USER_BASEPTR,
                    frame_of((const void *)(uintptr_t)l4), 0) == 0)
        wild_user(&frame, registers);
}

void pv_code_over(const struct fuzzer *f)
{
    in_code[f->vcpu] = false;
}

void pv_code_init(void)
{
    for (unsigned int v = 0; v < FUZZ_VCPUS; v++)
        (void)map_writable(code + v * PAGE_SIZE);
}

long pv_code_do(struct fuzzer *f, enum pv_what what)
{
    struct vcpu_info *v = &shared_info->vcpu_info[f->vcpu];
    uint64_t registers[REGISTERS];

    trap_hook = leave_code;
    make_code(f);
    /* For whoever looks what it was. */
    memcpy(&fuzz_state.last[f->vcpu][f->number % FUZZ_RING].args[1],
           code + f->vcpu * PAGE_SIZE, 4 * sizeof(uint64_t));
    make_registers(f, registers);
    in_code[f->vcpu] = true;
    hypercall_set_timer_op(now_ns() + TURN_NS);
    if (what == PV_USER_CODE && !rarely(f, 64)) {
        run_user(f, registers);
    } else {
        __atomic_store_n(&v->evtchn_upcall_mask, 0, __ATOMIC_SEQ_CST);
        run_kernel(f, registers);
    }
    return 0;
}
