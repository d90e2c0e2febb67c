/* SPDX-License-Identifier: BSD-2-Clause */
/* Hurting without a hypercall: instructions, exceptions, frames, stacks. */

#include <string.h>

#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/trap.h"
#include "fuzz/fuzz.h"

#define SELECTORS   12U
#define FRAME_WORDS 9U
#define PLAIN_FLAGS 0x202U

extern const char wild_int[];
extern const char rt_text_start[], rt_text_end[];

#define CS32 0xe023U /* flat, ring 3 */

void wild_iret(const void *frame);
void wild_iretq(const void *frame);
void wild_lret(uint64_t rip, uint64_t cs);
void wild_stack(uint64_t rsp, uint64_t what);
void wild_flags(uint64_t flags);
void wild_registers(const void *words);
_Noreturn void fault_leave(void);

static uint64_t selector(struct fuzzer *f)
{
    static const uint16_t known[SELECTORS] = {
        0,      FLAT_RING3_CS64, FLAT_RING3_DS, CS32, 0xe008, 0xe010,
        0xe030, 0xe02a,          0x33,          0x2b, 0x8,    0x10};

    return rarely(f, 4) ? any(f) & 0xffff : known[below(f, SELECTORS)];
}

/* Below what is in use: whose stack it is tells which vCPU runs there. */
uint64_t good_stack(struct fuzzer *f)
{
    return (uint64_t)(uintptr_t)__builtin_frame_address(0) - 1024 -
           below(f, 128) * 8;
}

/*
 * Not into our text with any code segment but our own, which may be one of 32
 * bits, class pv's own, too: what IRET would be there is the emulator's fault,
 * see pv_code.c.  A power of two is where our text begins.
 */
static uint64_t landing_at(uint64_t rip, uint64_t cs)
{
    uint64_t text = hypercall_ptr(rt_text_start);

    if (((uint16_t)cs | 3) == FLAT_RING3_CS64 ||
        rip - text >= hypercall_ptr(rt_text_end) - text)
        return rip;
    return hypercall_ptr(wild_text);
}

/* Where to go with that code segment; never out of step. */
static uint64_t landing(struct fuzzer *f, uint64_t cs)
{
    uint64_t rip = rarely(f, 3) ? wild(f) : (uint64_t)(uintptr_t)fault_leave;

    return landing_at(rip, cs);
}

static uint64_t flags(struct fuzzer *f)
{
    static const uint64_t bits[] = {
        RFLAGS_TF, RFLAGS_IF, RFLAGS_DF, RFLAGS_NT, RFLAGS_AC, 0x3000,
        0x10000,   0x20000,   0x180000,  0x200000,  0x1,       0xfffffUL << 22};

    if (rarely(f, 6))
        return any(f);
    return PLAIN_FLAGS ^
           (rarely(f, 2) ? bits[below(f, sizeof(bits) / sizeof(bits[0]))] : 0);
}

/* --- Frames ----------------------------------------------------------------
 */

static void do_iret(struct fuzzer *f)
{
    struct iret_context *frame = (void *)(f->arena + PAGE_SIZE);
    uint64_t cs = rarely(f, 4) ? selector(f) : FLAT_RING3_CS64;

    *frame = (struct iret_context){
        .rax = any(f),
        .r11 = any(f),
        .rcx = any(f),
        .flags = rarely(f, 2) ? 0 : wild(f),
        .rip = landing(f, cs),
        .cs = cs,
        .rflags = flags(f),
        .rsp = rarely(f, 64) ? wild(f) : good_stack(f),
        .ss = rarely(f, 4) ? selector(f) : FLAT_RING3_DS,
    };
    if (rarely(f, 4))
        ((uint64_t *)(void *)frame)[below(f, FRAME_WORDS - 2)] = wild(f);
    /* In class pv the level says which mode it is, and here is the kernel. */
    if (is_pv() && !rarely(f, 64))
        frame->cs &= ~3UL;
    frame->rip = landing_at(frame->rip, frame->cs);
    wild_iret(rarely(f, 256) ? (void *)(uintptr_t)wild(f) : frame);
}

static void do_iretq(struct fuzzer *f)
{
    uint64_t *frame = (uint64_t *)(void *)(f->arena + PAGE_SIZE);

    frame[1] = selector(f);
    frame[0] = landing(f, frame[1]);
    frame[2] = flags(f);
    frame[3] = good_stack(f);
    frame[4] = selector(f);
    wild_iretq(frame);
}

static void do_lret(struct fuzzer *f)
{
    uint64_t cs = selector(f);

    wild_lret(landing(f, cs), cs);
}

static void do_stack(struct fuzzer *f)
{
    uint64_t rsp = rarely(f, 64) ? wild(f) : good_stack(f) + below(f, 8);

    wild_stack(rsp, any(f));
}

static void do_flags(struct fuzzer *f)
{
    wild_flags(flags(f));
}

static void do_registers(struct fuzzer *f)
{
    uint64_t list[11];

    for (unsigned int i = 0; i < 11; i++)
        list[i] = any(f);
    wild_registers(list);
}

/* --- Exceptions ------------------------------------------------------------
 */

static void do_int(struct fuzzer *f)
{
    uint64_t n = rarely(f, 2) ? below(f, 32) : below(f, 256);
    void (*stub)(void) = (void (*)(void))(uintptr_t)(wild_int + n * 4);

    stub();
}

static void do_read(struct fuzzer *f)
{
    (void)*(volatile uint8_t *)(uintptr_t)value_of(f, KIND_VA);
}

static void do_write(struct fuzzer *f)
{
    *(volatile uint64_t *)(uintptr_t)value_of(f, KIND_VA) = any(f);
}

static void do_jump(struct fuzzer *f)
{
    void (*to)(void) = (void (*)(void))(uintptr_t)value_of(f, KIND_VA);

    to();
}

static void do_divide(struct fuzzer *f)
{
    uint32_t by = (uint32_t)below(f, 2), low = (uint32_t)any(f);

    __asm__ volatile("xor %%edx, %%edx; div %1" : "+a"(low) : "r"(by) : "edx");
}

/* The prefix that makes CPUID the hypervisor's. */
static void do_cpuid(struct fuzzer *f)
{
    static const uint32_t bases[] = {0, 0x40000000, 0x40000100, 0x80000000};
    uint32_t a, b, c = (uint32_t)wild(f), d;

    a = rarely(f, 4) ? (uint32_t)wild(f)
                     : bases[below(f, 4)] + (uint32_t)below(f, 32);
    if (rarely(f, 2))
        __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    else
        __asm__ volatile(FORCED_EMULATION_PREFIX "cpuid"
                         : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
}

static void do_prefix(struct fuzzer *f)
{
    if (rarely(f, 2))
        __asm__ volatile(FORCED_EMULATION_PREFIX "nop");
    else
        __asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6f");
}

static void do_segment(struct fuzzer *f)
{
    uint16_t value = (uint16_t)selector(f);

    switch (below(f, 5)) {
    case 0:
        __asm__ volatile("mov %0, %%ds" : : "r"((uint32_t)value));
        break;
    case 1:
        __asm__ volatile("mov %0, %%es" : : "r"((uint32_t)value));
        break;
    case 2:
        __asm__ volatile("mov %0, %%fs" : : "r"((uint32_t)value));
        break;
    case 3:
        __asm__ volatile("mov %0, %%gs" : : "r"((uint32_t)value));
        break;
    default:
        __asm__ volatile("mov %0, %%ss" : : "r"((uint32_t)value));
        break;
    }
}

/* --- The floating-point unit -----------------------------------------------
 */

static void do_fpu_state(struct fuzzer *f)
{
    uint64_t *area = (uint64_t *)(void *)(f->arena + 3 * PAGE_SIZE);

    for (unsigned int i = 0; i < 80; i++)
        area[i] = rarely(f, 4) ? any(f) : 0;
    if (rarely(f, 2))
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
    else
        __asm__ volatile("xrstor64 (%0)"
                         :
                         : "r"(area), "a"(~0U), "d"(rarely(f, 2) ? ~0U : 0U)
                         : "memory");
}

/* An exception that is not masked, at the next instruction or the one after. */
static void do_fpu_error(struct fuzzer *f)
{
    uint16_t control = (uint16_t)any(f);
    uint32_t mxcsr = (uint32_t)any(f) & 0xffff;

    __asm__ volatile("fninit; fldcw %0; fldz; fld1; fdivp; fwait"
                     :
                     : "m"(control));
    __asm__ volatile("ldmxcsr %0; divss %%xmm0, %%xmm1; fninit" : : "m"(mxcsr));
}

/* --- What only a kernel may --------------------------------------------------
 */

#define INSTRUCTION(name, text)                                                \
    static void do_##name(struct fuzzer *f)                                    \
    {                                                                          \
        uint64_t a = any(f), c = rarely(f, 2) ? any(f) : below(f, 0x200),      \
                 d = any(f);                                                   \
                                                                               \
        __asm__ volatile(text : "+a"(a), "+c"(c), "+d"(d) : : "memory");       \
    }

INSTRUCTION(hlt, "hlt")
INSTRUCTION(cli, "cli")
INSTRUCTION(sti, "sti")
INSTRUCTION(in, "inl %%dx, %%eax")
INSTRUCTION(out, "outb %%al, %%dx")
INSTRUCTION(rdmsr, "rdmsr")
INSTRUCTION(wrmsr, "wrmsr")
INSTRUCTION(rdpmc, "rdpmc")
INSTRUCTION(rdtsc, "rdtsc")
INSTRUCTION(cr_read, "mov %%cr0, %%rax; mov %%cr3, %%rcx")
INSTRUCTION(cr_write, "mov %%rax, %%cr3")
INSTRUCTION(dr, "mov %%rax, %%dr7")
INSTRUCTION(sgdt, "sub $16, %%rsp; sgdt (%%rsp); add $16, %%rsp")
INSTRUCTION(smsw, "smsw %%rax; sldt %%cx; str %%dx")
INSTRUCTION(lgdt, "sub $16, %%rsp; lgdt (%%rsp); add $16, %%rsp")
INSTRUCTION(lldt, "lldt %%ax")
INSTRUCTION(invlpg, "invlpg (%%rsp)")
INSTRUCTION(wbinvd, "wbinvd")
INSTRUCTION(clts, "clts")
INSTRUCTION(swapgs, "swapgs")
INSTRUCTION(sysenter, "sysenter")
INSTRUCTION(sysret, "sysretq")
INSTRUCTION(xsetbv, "xsetbv")
INSTRUCTION(vmcall, "vmcall")
INSTRUCTION(vmmcall, "vmmcall")
INSTRUCTION(monitor, "mov %%rsp, %%rax; monitor; mwait")
INSTRUCTION(icebp, ".byte 0xf1")
INSTRUCTION(wrfsbase, "wrfsbase %%rax; rdgsbase %%rcx")
INSTRUCTION(undefined, ".byte 0x0f, 0xff")
INSTRUCTION(stac, "stac")

static void (*const kinds[])(struct fuzzer *) = {
    do_iret,    do_iret,      do_iret,      do_iret,      do_iretq,
    do_lret,    do_stack,     do_flags,     do_flags,     do_int,
    do_int,     do_int,       do_read,      do_write,     do_write,
    do_jump,    do_divide,    do_cpuid,     do_cpuid,     do_prefix,
    do_segment, do_fpu_state, do_fpu_error, do_registers, do_hlt,
    do_cli,     do_sti,       do_in,        do_out,       do_rdmsr,
    do_wrmsr,   do_rdpmc,     do_rdtsc,     do_cr_read,   do_cr_write,
    do_dr,      do_sgdt,      do_smsw,      do_lgdt,      do_lldt,
    do_invlpg,  do_wbinvd,    do_clts,      do_swapgs,    do_sysenter,
    do_sysret,  do_xsetbv,    do_vmcall,    do_vmmcall,   do_monitor,
    do_icebp,   do_wrfsbase,  do_undefined, do_stac,
};

const unsigned int processor_kinds = sizeof(kinds) / sizeof(kinds[0]);

void processor_do(struct fuzzer *f, unsigned int what)
{
    kinds[what](f);
}
