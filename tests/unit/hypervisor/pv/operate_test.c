/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What class pv computes for the stores it executes, beside the processor of
 * this machine, which executes the same bytes with the same registers, flags
 * and memory.
 */

/* LINK: hypervisor/pv/decode.c hypervisor/pv/operate.c */

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pv/operate.h"
#include "unit/hypervisor/pv/insn_random.h"
#include "unit/hypervisor/pv/insn_text.h"
#include "unit/test.h"

#define RUNS      200000U
#define AREA      4096U /* of memory the instruction may write to */
#define WINDOW    64U   /* bytes of it that are set and compared */
#define GS_BASE   0x123456789000UL
#define SET_GS    0x1001 /* arch_prctl */
#define ALL_FLAGS 0x8d5UL
#define FLAG_AF   0x10UL

void __noreturn assert_failed(const char *file, int line, const char *belief)
{
    printf("%s:%d: %s\n", file, line, belief);
    abort();
}

/*
 * processor_run() loads every register and the flags from `processor` and
 * jumps to processor_code, which ends in a jump to processor_end, where all is
 * stored again.
 */
struct processor {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rflags, code, caller_rsp;
};

extern struct processor processor;
struct processor processor;

void processor_run(void);
void processor_end(void);

/* clang-format off */
__asm__(
    ".text\n"
    ".macro each, op\n"
    "    \\op rax, 0\n"   "    \\op rcx, 8\n"   "    \\op rdx, 16\n"
    "    \\op rbx, 24\n"  "    \\op rsp, 32\n"  "    \\op rbp, 40\n"
    "    \\op rsi, 48\n"  "    \\op rdi, 56\n"  "    \\op r8, 64\n"
    "    \\op r9, 72\n"   "    \\op r10, 80\n"  "    \\op r11, 88\n"
    "    \\op r12, 96\n"  "    \\op r13, 104\n" "    \\op r14, 112\n"
    "    \\op r15, 120\n"
    ".endm\n"
    ".macro load, reg, at\n"
    "    mov processor+\\at(%rip), %\\reg\n"
    ".endm\n"
    ".macro save, reg, at\n"
    "    mov %\\reg, processor+\\at(%rip)\n"
    ".endm\n"
    ".globl processor_run, processor_end\n"
    "processor_run:\n"
    "    push %rbx\n" "    push %rbp\n" "    push %r12\n"
    "    push %r13\n" "    push %r14\n" "    push %r15\n"
    "    mov %rsp, processor+144(%rip)\n"
    "    push processor+128(%rip)\n"
    "    popf\n"
    "    each load\n"
    "    jmp *processor+136(%rip)\n"
    "processor_end:\n"
    "    each save\n"
    "    mov processor+144(%rip), %rsp\n"
    "    pushf\n"
    "    pop processor+128(%rip)\n"
    "    cld\n"
    "    pop %r15\n" "    pop %r14\n" "    pop %r13\n"
    "    pop %r12\n" "    pop %rbp\n" "    pop %rbx\n"
    "    ret\n");
/* clang-format on */

static uint8_t *code, *area;
static unsigned int done[INSN_NAMES], failures;
static sigjmp_buf fault_jump;

static void on_fault(int number)
{
    siglongjmp(fault_jump, number);
}

/* Both below 2 GiB, so that every form of address reaches the area. */
static void *map_low(int protection)
{
    void *at = mmap(NULL, AREA, protection,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

    REQUIRE(at != MAP_FAILED);
    return at;
}

static void prepare(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    static uint8_t stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};

    if (code)
        return;
    area = map_low(PROT_READ | PROT_WRITE);
    code = map_low(PROT_READ | PROT_WRITE | PROT_EXEC);
    REQUIRE(sigaltstack(&alternate, NULL) == 0);
    for (unsigned int i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
    REQUIRE(syscall(SYS_arch_prctl, SET_GS, GS_BASE) == 0);
}

/* Between the registers in the order of their numbers and a guest's. */
static void copy_registers(uint64_t *numbered, struct cpu_regs *regs,
                           bool to_regs)
{
    uint64_t *const field[] = {&regs->rax, &regs->rcx, &regs->rdx, &regs->rbx,
                               &regs->rsp, &regs->rbp, &regs->rsi, &regs->rdi,
                               &regs->r8,  &regs->r9,  &regs->r10, &regs->r11,
                               &regs->r12, &regs->r13, &regs->r14, &regs->r15};

    for (unsigned int i = 0; i < 16; i++)
        *(to_regs ? field[i] : numbered + i) =
            *(to_regs ? numbered + i : field[i]);
}

/* The processor does it; false if it faulted. */
static bool execute(const uint8_t *bytes, size_t length, struct cpu_regs *regs)
{
    static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0};
    void (*const end)(void) = processor_end;

    memcpy(code, bytes, length);
    memcpy(code + length, jump, sizeof(jump));
    memcpy(code + length + sizeof(jump), &end, sizeof(end));
    copy_registers(&processor.rax, regs, false);
    processor.rflags = regs->rflags;
    processor.code = (uintptr_t)code;
    if (sigsetjmp(fault_jump, 1)) {
        __asm__ volatile("cld");
        return false;
    }
    processor_run();
    copy_registers(&processor.rax, regs, true);
    regs->rflags = processor.rflags;
    regs->rip += length;
    return true;
}

/* Puts a displacement of 32 bits in place, wherever the encoding has it. */
static bool set_displacement(uint8_t *bytes, struct insn *insn, int32_t to)
{
    uint8_t tried[INSN_MAX];
    struct insn other, want = *insn;

    want.displacement = to;
    for (unsigned int at = 2; at + 4 <= insn->length; at++) {
        memcpy(tried, bytes, INSN_MAX);
        memcpy(tried + at, &to, 4);
        if (insn_decode(&other, tried, INSN_MAX, true) &&
            memcmp(&other, &want, sizeof(want)) == 0) {
            memcpy(bytes, tried, INSN_MAX);
            *insn = want;
            return true;
        }
    }
    return false;
}

/* Changes registers or the displacement until the operand is at `target`. */
static bool aim(uint8_t *bytes, struct insn *insn, struct cpu_regs *regs,
                uint64_t target)
{
    uint64_t off = target - insn_address(insn, regs, 0, GS_BASE);

    if (insn->base < INSN_RIP)
        *insn_register(regs, insn->base) += off;
    else if (!set_displacement(bytes, insn,
                               (int32_t)((uint64_t)insn->displacement + off)))
        return false;
    return insn_address(insn, regs, 0, GS_BASE) == target;
}

/* What the store would do, in the area that `memory` is a copy of. */
static bool emulate(const struct insn *insn, struct cpu_regs *regs,
                    uint8_t *memory)
{
    uint64_t next = regs->rip + insn->length, old;
    struct insn_effect effect;
    uint64_t at;

    while (regs->rip != next) {
        at = insn_address(insn, regs, 0, GS_BASE) - (uintptr_t)area;
        if (at > AREA - 8)
            return false;
        memcpy(&old, memory + at, 8);
        if (!insn_store(insn, regs, old, &effect))
            return false;
        if (insn->size < 8 && effect.value >> 8 * insn->size)
            return false;
        memcpy(memory + at, &effect.value, insn->size);
        insn_commit(insn, &effect, regs);
    }
    return true;
}

/* Flags that the architecture leaves undefined. */
static uint64_t undefined_flags(const struct insn *insn)
{
    switch (insn->op) {
    case INSN_AND:
    case INSN_OR:
    case INSN_XOR:
        return FLAG_AF;
    case INSN_BTS:
    case INSN_BTR:
    case INSN_BTC:
        return ALL_FLAGS & ~0x41UL; /* all but CF and ZF */
    default:
        return 0;
    }
}

/* A random store and registers with which it hits the area. */
static bool make(uint8_t *bytes, struct insn *insn, struct cpu_regs *regs,
                 uint64_t target)
{
    random_insn(bytes);
    if (!insn_decode(insn, bytes, INSN_MAX, true) || !insn_is_store(insn))
        return false;
    if (insn->segment == INSN_FS)
        return false; /* this program's own */
    memset(regs, 0, sizeof(*regs));
    for (unsigned int i = 0; i < 16; i++)
        *insn_register(regs, i) = random_value();
    if (insn->base >= INSN_RIP && insn->index != INSN_NONE)
        *insn_register(regs, insn->index) &= 0xffffff;
    if (insn->rep)
        regs->rcx = 1 + random_below(3);
    regs->rip = (uintptr_t)code;
    regs->rflags = 0x202 | (random_next() & (ALL_FLAGS | RFLAGS_DF));
    return aim(bytes, insn, regs, target);
}

static void complain(const uint8_t *bytes, const struct insn *insn,
                     const struct cpu_regs *before, const struct cpu_regs *got,
                     const struct cpu_regs *want)
{
    if (failures++ >= 10)
        return;
    for (unsigned int i = 0; i < insn->length; i++)
        printf("%02x ", bytes[i]);
    printf("%s: flags %lx -> %lx, processor %lx\n", insn_text(insn),
           before->rflags, got->rflags, want->rflags);
    for (unsigned int i = 0; i < 16; i++)
        if (((const uint64_t *)got)[i] != ((const uint64_t *)want)[i])
            printf("    word %u: %lx -> %lx, processor %lx\n", i,
                   ((const uint64_t *)before)[i], ((const uint64_t *)got)[i],
                   ((const uint64_t *)want)[i]);
}

static bool run_one(void)
{
    static uint8_t memory[AREA];
    uint64_t target = (uintptr_t)area + AREA / 2, value = random_value();
    uint8_t *window = area + AREA / 2 - WINDOW / 2;
    struct cpu_regs before, got, want;
    uint8_t bytes[INSN_MAX];
    uint64_t ignored;
    struct insn insn;

    if (!make(bytes, &insn, &before, target))
        return false;
    for (unsigned int i = 0; i < WINDOW; i++)
        window[i] = (uint8_t)random_next();
    memcpy(area + AREA / 2, &value, 8);
    if (insn.op == INSN_CMPXCHG && random_below(2) && insn.base != INSN_RAX &&
        insn.index != INSN_RAX)
        before.rax = random_below(8) ? value : value ^ 1UL << random_below(64);
    memcpy(memory + (window - area), window, WINDOW);
    got = want = before;
    ignored = undefined_flags(&insn);
    done[insn.op]++;
    if (!emulate(&insn, &got, memory) || !execute(bytes, insn.length, &want) ||
        ((got.rflags ^ want.rflags) & ~ignored)) {
        complain(bytes, &insn, &before, &got, &want);
        return true;
    }
    got.rflags = want.rflags;
    if (memcmp(&got, &want, sizeof(got)) != 0 ||
        memcmp(window, memory + (window - area), WINDOW) != 0)
        complain(bytes, &insn, &before, &got, &want);
    return true;
}

TEST("memory, registers and flags are what the processor makes of them")
{
    unsigned int least = RUNS, ran = 0;

    prepare();
    while (ran < RUNS)
        ran += run_one();
    EXPECT_EQ(failures, 0);
    for (unsigned int i = INSN_MOV; i < INSN_NAMES; i++)
        if (done[i] < least)
            least = done[i];
    printf("%u executed, the rarest kind %u times\n", ran, least);
    EXPECT_TRUE(least >= 500);
}

static struct insn decoded(const char *bytes)
{
    struct insn insn;

    EXPECT_TRUE(
        insn_decode(&insn, (const uint8_t *)bytes, strlen(bytes), true));
    return insn;
}

TEST("an address is the sum of its parts, which wraps")
{
    struct cpu_regs regs = {.rax = 0x1000,
                            .rcx = 0x10,
                            .rdi = -8UL,
                            .rsi = 0x66,
                            .rip = 0xffffffff81000000};
    struct insn insn;

    insn = decoded(
        "\x64\x48\x89\x44\x88\x80"); /* mov %rax,%fs:-128(%rax,%rcx,4) */
    EXPECT_EQ(insn_address(&insn, &regs, 0x7f0000000000, 1), 0x7f0000000fc0);
    insn = decoded("\x65\x48\x89\x47\x10"); /* mov %rax,%gs:16(%rdi) */
    EXPECT_EQ(insn_address(&insn, &regs, 1, 0x5000), 0x5008);
    insn = decoded("\x48\x89\x05\xf0\xff\xff\xff"); /* mov %rax,-16(%rip) */
    EXPECT_EQ(insn_address(&insn, &regs, 1, 2), 0xffffffff80fffff7);
    insn = decoded("\x65\x6f"); /* outsl %gs:(%rsi) */
    EXPECT_EQ(insn_address(&insn, &regs, 1, 0x5000), 0x5066);
    insn = decoded("\x65\x6d"); /* insl, which has no override */
    EXPECT_EQ(insn_address(&insn, &regs, 1, 0x5000), -8);
}

TEST("a bit's number may lead far from the operand, either way")
{
    struct cpu_regs regs = {.rdi = 0x1000};
    struct insn q = decoded("\x48\x0f\xab\x07"); /* bts %rax,(%rdi) */
    struct insn l = decoded("\x0f\xab\x07");
    struct insn w = decoded("\x66\x0f\xab\x07");

    regs.rax = 63;
    EXPECT_EQ(insn_address(&q, &regs, 0, 0), 0x1000);
    EXPECT_EQ(insn_address(&l, &regs, 0, 0), 0x1004);
    EXPECT_EQ(insn_address(&w, &regs, 0, 0), 0x1006);
    regs.rax = -1UL;
    EXPECT_EQ(insn_address(&q, &regs, 0, 0), 0xff8);
    EXPECT_EQ(insn_address(&l, &regs, 0, 0), 0xffc);
    EXPECT_EQ(insn_address(&w, &regs, 0, 0), 0xffe);
    regs.rax = 0x5fffffff0; /* of which a smaller operand takes a part */
    EXPECT_EQ(insn_address(&q, &regs, 0, 0), 0x1000 + 0xbffffff8);
    EXPECT_EQ(insn_address(&l, &regs, 0, 0), 0x1000 - 4);
    EXPECT_EQ(insn_address(&w, &regs, 0, 0), 0x1000 - 2);
}

TEST("retiring ends RF and moves rip; a repetition stays until its last")
{
    struct cpu_regs regs = {.rcx = 2,
                            .rdi = 0x1000,
                            .rsi = 0x2000,
                            .rip = 0x100,
                            .rflags = 0x202 | RFLAGS_RF | RFLAGS_TF};
    struct insn rdmsr = decoded("\x0f\x32"), insw = decoded("\xf3\x66\x6d");
    struct insn outsl = decoded("\x6f");

    insn_retire(&rdmsr, &regs);
    EXPECT_EQ(regs.rip, 0x102);
    EXPECT_EQ(regs.rflags, 0x202 | RFLAGS_TF);
    EXPECT_EQ(regs.rcx, 2);

    insn_retire(&insw, &regs);
    EXPECT_EQ(regs.rip, 0x102);
    EXPECT_EQ(regs.rdi, 0x1002);
    EXPECT_EQ(regs.rcx, 1);
    insn_retire(&insw, &regs);
    EXPECT_EQ(regs.rip, 0x105);
    EXPECT_EQ(regs.rdi, 0x1004);
    EXPECT_EQ(regs.rcx, 0);

    regs.rflags |= RFLAGS_DF;
    insn_retire(&outsl, &regs);
    EXPECT_EQ(regs.rip, 0x106);
    EXPECT_EQ(regs.rsi, 0x1ffc);
    EXPECT_EQ(regs.rdi, 0x1004);
    EXPECT_EQ(regs.rcx, 0);
}

TEST("a repetition of none moves nothing but rip")
{
    static const char *const strings[] = {"\xf3\x6c", "\xf2\x6e"};

    for (unsigned int i = 0; i < 2; i++) {
        struct cpu_regs regs = {.rdi = 0x1000, .rsi = 0x2000};
        struct insn insn = decoded(strings[i]);

        insn_retire(&insn, &regs);
        EXPECT_EQ(regs.rip, 2);
        EXPECT_EQ(regs.rcx, 0);
        EXPECT_EQ(regs.rdi, 0x1000);
        EXPECT_EQ(regs.rsi, 0x2000);
    }
}

TEST("what is no store, and a repetition of none, is refused")
{
    struct cpu_regs regs = {.rcx = 0};
    struct insn rdmsr = decoded("\x0f\x32"), insb = decoded("\x6c");
    struct insn rep = decoded("\xf3\xab"), once = decoded("\xab");
    struct insn_effect effect;

    EXPECT_FALSE(insn_store(&rdmsr, &regs, 0, &effect));
    EXPECT_FALSE(insn_store(&insb, &regs, 0, &effect));
    EXPECT_FALSE(insn_store(&rep, &regs, 0, &effect));
    EXPECT_TRUE(insn_store(&once, &regs, 0, &effect));
    regs.rcx = 1;
    EXPECT_TRUE(insn_store(&rep, &regs, 0, &effect));
}

TEST("nothing changes before the commit, and then what the effect says")
{
    struct cpu_regs regs = {.rax = 0x1122334455667788,
                            .rdi = 0x1000,
                            .rip = 0x100,
                            .rflags = 0x2d7};
    struct insn xadd = decoded("\xf0\x0f\xc1\x07"); /* lock xadd %eax,(%rdi) */
    const struct cpu_regs before = regs;
    struct insn_effect effect;

    EXPECT_TRUE(insn_store(&xadd, &regs, 0xffffffff00000001, &effect));
    EXPECT_MEM(&regs, &before, sizeof(regs));
    EXPECT_EQ(effect.value, 0x55667789);
    insn_commit(&xadd, &effect, &regs);
    EXPECT_EQ(regs.rax, 1);
    EXPECT_EQ(regs.rflags, 0x202);
    EXPECT_EQ(regs.rip, 0x104);
}

TEST("a port is in the instruction or in dx")
{
    struct cpu_regs regs = {.rdx = 0xabcd03f8};
    struct insn fixed = decoded("\xe6\x80"), dx = decoded("\xee");

    EXPECT_EQ(insn_port(&fixed, &regs), 0x80);
    EXPECT_EQ(insn_port(&dx, &regs), 0x3f8);
}

TEST("a register is written as wide as the processor writes it")
{
    struct cpu_regs regs = {.rax = -1UL, .r15 = -1UL};

    insn_register_set(&regs, 0, 1, 0x1234);
    EXPECT_EQ(regs.rax, 0xffffffffffffff34);
    insn_register_set(&regs, 0, 2, 0x15678);
    EXPECT_EQ(regs.rax, 0xffffffffffff5678);
    insn_register_set(&regs, 0, 4, 0x19abcdef0);
    EXPECT_EQ(regs.rax, 0x9abcdef0);
    insn_register_set(&regs, 15, 8, 5);
    EXPECT_EQ(regs.r15, 5);
}
