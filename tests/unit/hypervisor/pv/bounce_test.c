/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of exceptions and events on a guest's stack, their handlers' first
 * registers, and the way back by iret.
 */

/* LINK: hypervisor/pv/bounce.c hypervisor/pv/traps.c */
/* LINK: hypervisor/pv/trap_table.c hypervisor/pv/iret.c */
/* LINK: hypervisor/pv/return.c */

#include "arch/x86_64/entry.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/upcalls.h"
#include "arch/x86_64/vectors.h"
#include "domain/domain.h"
#include "domain/fault.h"
#include "domain/vcpu.h"
#include "event/evtchn.h"
#include "memory/pool.h"
#include "pv/bounce.h"
#include "pv/cpuid.h"
#include "pv/crash.h"
#include "pv/guest_copy.h"
#include "pv/iret.h"
#include "pv/trap_table.h"
#include "unit/test.h"

char unit_test_cpu_area[CPU_AREA_SIZE] __attribute__((aligned(16)));
struct vcpu *percpu_current_vcpu;
bool percpu_need_resched, percpu_slow_return;
const uint8_t *percpu_upcall_bytes;
unsigned int percpu_cpu_id;

static struct domain domain;
static struct vcpu vcpu;
static struct vcpu_info info;

/* The guest's stack: at this address, with this much below it. */
#define STACK_BYTES 512U
static uint64_t stack[STACK_BYTES / 8] __attribute__((aligned(16)));
#define STACK_TOP ((uint64_t)(uintptr_t)stack + STACK_BYTES)

static unsigned int crashes, waits, schedules;
static bool no_memory, resolves, cpuid_there;

/* --- Doubles ---------------------------------------------------------------
 */

int copy_bytes_to_guest(struct guest_ptr dst, const void *src, size_t size)
{
    if (no_memory) {
        vcpu.wants_memory = vcpu.repeat = true;
        return -EFAULT;
    }
    if (dst.va < (uintptr_t)stack || dst.va > STACK_TOP - size)
        return -EFAULT;
    memcpy((void *)dst.va, src, size);
    return 0;
}

void *pool_alloc(size_t size)
{
    return calloc(1, size);
}

void fault_wait_for_memory(void)
{
    waits++;
    fault_do_not_wait();
}

bool fault_resolve(uint64_t cr2, uint32_t error_code)
{
    (void)cr2, (void)error_code;
    vcpu.wants_memory = no_memory;
    return resolves || no_memory;
}

void crash_with_registers(const char *fmt, ...)
{
    (void)fmt;
    crashes++;
    percpu_need_resched = true;
}

bool cpuid_emulate(struct cpu_regs *regs)
{
    if (cpuid_there)
        regs->rip += 7;
    return cpuid_there;
}

const char *exception_name(uint32_t vector)
{
    return vector < 32 ? "#" : NULL;
}

/* Another vCPU, or the same: its upcall is not due any more. */
void schedule(void)
{
    schedules++;
    percpu_need_resched = false;
    info.evtchn_upcall_pending = 0;
}

void evtchn_poll_end(struct vcpu *v)
{
    (void)v;
}

/* --- The guest -------------------------------------------------------------
 */

static struct cpu_regs *r;

void setup(void)
{
    memset(&vcpu, 0, sizeof(vcpu));
    memset(&info, 0, sizeof(info));
    memset(stack, 0x5a, sizeof(stack));
    vcpu.domain = &domain;
    vcpu.info = &info;
    percpu_current_vcpu = &vcpu;
    percpu_need_resched = percpu_slow_return = false;
    crashes = waits = schedules = 0;
    no_memory = resolves = cpuid_there = false;
    r = guest_regs();
    memset(r, 0, sizeof(*r));
    r->rip = 0x401000;
    r->cs = SELECTOR_CS64;
    r->ss = SELECTOR_DS;
    r->rsp = STACK_TOP - 3; /* Not aligned, as code may have it. */
    r->rflags = 0x202 | RFLAGS_CF | RFLAGS_DF | RFLAGS_TF | RFLAGS_NT |
                RFLAGS_AC | RFLAGS_IOPL;
    r->rcx = 0xc;
    r->r11 = 0xb;
    r->rbx = 0xbb;
}

void teardown(void)
{
    for (unsigned int i = 0; i < TRAP_GROUPS; i++)
        free(vcpu.traps[i]);
    EXPECT_FALSE(vcpu.repeat);
}

static void handler(uint8_t vector, uint8_t flags)
{
    REQUIRE(trap_set(&vcpu, vector, flags, 0x500000 + vector) == 0);
}

static void raise(uint8_t vector, uint32_t error_code, uint64_t cr2)
{
    r->entry_vector = vector;
    r->error_code = error_code;
    upcall_guest_exception(r, cr2);
}

/* Word @i of the frame. */
static uint64_t frame(unsigned int i)
{
    return ((const uint64_t *)r->rsp)[i];
}

TEST("a frame without an error code holds seven words, in the ABI's order")
{
    uint64_t rsp = r->rsp, rflags = r->rflags;

    handler(VECTOR_DE, 0);
    raise(VECTOR_DE, 0, 0);
    EXPECT_EQ(r->rip, 0x500000);
    EXPECT_EQ(r->rsp, (rsp & ~15ULL) - 56);
    EXPECT_EQ(frame(0), 0xc);
    EXPECT_EQ(frame(1), 0xb);
    EXPECT_EQ(frame(2), 0x401000);
    EXPECT_EQ(frame(3), 0xe030);
    EXPECT_EQ(frame(4), (rflags & ~RFLAGS_IOPL) | RFLAGS_IF);
    EXPECT_EQ(frame(5), rsp);
    EXPECT_EQ(frame(6), 0xe02b);
}

TEST("a frame with an error code has it between r11 and rip")
{
    handler(VECTOR_SS, 0);
    raise(VECTOR_SS, 0xdead, 0);
    EXPECT_EQ(r->rsp, ((STACK_TOP - 3) & ~15ULL) - 64);
    EXPECT_EQ(frame(1), 0xb);
    EXPECT_EQ(frame(2), 0xdead);
    EXPECT_EQ(frame(3), 0x401000);
    EXPECT_EQ(frame(7), 0xe02b);
}

TEST("exactly the exceptions that have an error code get one")
{
    for (unsigned int vector = 0; vector < 20; vector++) {
        bool want =
            vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
        uint64_t rsp;

        if (vector == VECTOR_NMI)
            continue;
        setup();
        rsp = r->rsp & ~15ULL;
        handler((uint8_t)vector, 0);
        raise((uint8_t)vector, 0, 0);
        EXPECT_EQ(rsp - r->rsp, want ? 64 : 56);
        teardown();
    }
    setup();
}

TEST("a handler starts without the flags that would trip it")
{
    handler(VECTOR_DE, 0);
    raise(VECTOR_DE, 0, 0);
    EXPECT_EQ(r->rflags & (RFLAGS_TF | RFLAGS_NT | RFLAGS_AC | RFLAGS_RF), 0);
    EXPECT_TRUE(r->rflags & RFLAGS_IF);
    EXPECT_TRUE(r->rflags & RFLAGS_DF);
    EXPECT_TRUE(r->rflags & RFLAGS_CF);
    EXPECT_EQ(r->cs, SELECTOR_CS64);
    EXPECT_EQ(r->ss, SELECTOR_DS);
    EXPECT_EQ(r->rbx, 0xbb);
}

TEST("the upcall mask goes into cs and, turned round, into IF")
{
    info.evtchn_upcall_mask = 1;
    handler(VECTOR_DE, 0);
    raise(VECTOR_DE, 0, 0);
    EXPECT_EQ(frame(3), 0xe030 | 1ULL << 32);
    EXPECT_EQ(frame(4) & RFLAGS_IF, 0);
    EXPECT_EQ(info.evtchn_upcall_mask, 1);
}

TEST("a mask byte of any value is 1 in the frame")
{
    info.evtchn_upcall_mask = 0xff;
    handler(VECTOR_DE, 0);
    raise(VECTOR_DE, 0, 0);
    EXPECT_EQ(frame(3), 0xe030 | 1ULL << 32);
}

TEST("a handler that asks for it has events masked, others do not")
{
    handler(VECTOR_DE, TRAP_MASK_EVENTS);
    handler(VECTOR_OF, 3);
    raise(VECTOR_OF, 0, 0);
    EXPECT_EQ(info.evtchn_upcall_mask, 0);
    raise(VECTOR_DE, 0, 0);
    EXPECT_EQ(info.evtchn_upcall_mask, 1);
    EXPECT_EQ(frame(3), 0xe030);
}

TEST("no handler ends the domain")
{
    raise(VECTOR_DE, 0, 0);
    EXPECT_EQ(crashes, 1);
}

TEST("a stack that takes no frame ends the domain, whatever it is")
{
    static const uint64_t stacks[] = {0, 8, 0x8000000000000000, ~0ULL, 56};

    handler(VECTOR_DE, 0);
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        r->rsp = stacks[i];
        raise(VECTOR_DE, 0, 0);
        EXPECT_EQ(crashes, i + 1);
        EXPECT_EQ(r->rip, 0x401000);
    }
}

TEST("a frame that finds no memory leaves all as it was, to be repeated")
{
    struct cpu_regs was;

    no_memory = true;
    handler(VECTOR_DE, TRAP_MASK_EVENTS);
    r->entry_vector = VECTOR_DE;
    was = *r;
    raise(VECTOR_DE, 0, 0);
    EXPECT_EQ(waits, 1);
    EXPECT_EQ(crashes, 0);
    EXPECT_MEM(r, &was, sizeof(was));
    EXPECT_EQ(info.evtchn_upcall_mask, 0);
}

TEST("int3 that finds no memory is back on the instruction")
{
    no_memory = true;
    handler(VECTOR_BP, 0);
    raise(VECTOR_BP, 0, 0);
    EXPECT_EQ(r->rip, 0x401000 - 1);
}

TEST("a page fault that is resolved is none of the guest's business")
{
    resolves = true;
    raise(VECTOR_PF, 6, 0x123000);
    EXPECT_EQ(r->rip, 0x401000);
    EXPECT_EQ(info.arch.cr2, 0);
    EXPECT_EQ(crashes, 0);
}

TEST("a page fault for which there is no memory waits")
{
    no_memory = true;
    raise(VECTOR_PF, 6, 0x123000);
    EXPECT_EQ(waits, 1);
    EXPECT_EQ(r->rip, 0x401000);
}

TEST("a page fault of the guest's own has its address, and no user bit")
{
    handler(VECTOR_PF, 0);
    raise(VECTOR_PF, 7, 0x123456);
    EXPECT_EQ(info.arch.cr2, 0x123456);
    EXPECT_EQ(frame(2), 3);
}

TEST("int n goes to a handler that allows it, else it is #GP on itself")
{
    handler(VECTOR_GP, 0);
    handler(0x30, 1);
    handler(0x31, 0);
    raise(VECTOR_GP, 0x30 * 8 + 2, 0);
    EXPECT_EQ(r->rip, 0x500030);
    EXPECT_EQ(frame(2), 0x401002);

    teardown();
    setup();
    handler(VECTOR_GP, 0);
    handler(0x31, 0);
    raise(VECTOR_GP, 0x31 * 8 + 2, 0);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_GP);
    EXPECT_EQ(frame(2), 0x31 * 8 + 2);
    EXPECT_EQ(frame(3), 0x401000);
}

TEST("a #GP of other kinds is no int n")
{
    handler(VECTOR_GP, 0);
    handler(0x30, 3);
    raise(VECTOR_GP, 0x30 * 8 + 4, 0); /* a selector of the LDT */
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_GP);
    raise(VECTOR_GP, 0x30 * 8 + 3, 0); /* an event from outside */
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_GP);
    raise(VECTOR_GP, 0, 0);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_GP);
}

TEST("int 0x80 enters its handler, or is #GP(0x402) on itself")
{
    handler(VECTOR_GP, 0);
    r->rip = 0x401002;
    raise(VECTOR_INT80, 0, 0);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_GP);
    EXPECT_EQ(frame(2), 0x402);
    EXPECT_EQ(frame(3), 0x401000);

    handler(VECTOR_INT80, 0);
    raise(VECTOR_INT80, 0, 0);
    EXPECT_EQ(r->rip, 0x500080);
}

TEST("an invalid instruction that asks for CPUID is answered")
{
    cpuid_there = true;
    raise(VECTOR_UD, 0, 0);
    EXPECT_EQ(r->rip, 0x401007);
    EXPECT_EQ(crashes, 0);
}

TEST("a handler at an address that is none is refused")
{
    EXPECT_EQ(trap_set(&vcpu, 3, 0, 1ULL << 47), -EINVAL);
    EXPECT_EQ(trap_get(&vcpu, 3).address, 0);
}

TEST("all 256 vectors have their own handler, until all are forgotten")
{
    for (unsigned int i = 0; i < 256; i++)
        handler((uint8_t)i, 0);
    for (unsigned int i = 0; i < 256; i++)
        EXPECT_EQ(trap_get(&vcpu, (uint8_t)i).address, 0x500000 + i);
    trap_clear_all(&vcpu);
    for (unsigned int i = 0; i < 256; i++)
        EXPECT_EQ(trap_get(&vcpu, (uint8_t)i).address, 0);
}

TEST("an upcall that is due is delivered, masked, and stays pending")
{
    vcpu.event_callback = 0x600000;
    info.evtchn_upcall_pending = 1;
    upcall_return_to_guest();
    EXPECT_EQ(r->rip, 0x600000);
    EXPECT_EQ(info.evtchn_upcall_mask, 1);
    EXPECT_EQ(info.evtchn_upcall_pending, 1);
    EXPECT_EQ(frame(3), 0xe030);
    EXPECT_TRUE(frame(4) & RFLAGS_IF);
}

TEST("no upcall is delivered while it is masked, or when none is pending")
{
    vcpu.event_callback = 0x600000;
    info.evtchn_upcall_pending = info.evtchn_upcall_mask = 1;
    upcall_return_to_guest();
    EXPECT_EQ(r->rip, 0x401000);
    info.evtchn_upcall_pending = info.evtchn_upcall_mask = 0;
    upcall_return_to_guest();
    EXPECT_EQ(r->rip, 0x401000);
}

TEST("an upcall without a callback ends the domain, and another one runs")
{
    info.evtchn_upcall_pending = 1;
    upcall_return_to_guest();
    EXPECT_EQ(crashes, 1);
    EXPECT_EQ(schedules, 1);
}

static struct iret_context context(void)
{
    return (struct iret_context){
        .rax = 1,
        .r11 = 2,
        .rcx = 3,
        .rip = 0x402000,
        .cs = SELECTOR_CS64,
        .rflags = 0x202,
        .rsp = STACK_TOP - 64,
        .ss = SELECTOR_DS,
    };
}

TEST("iret loads what the frame holds, and the mask from its IF")
{
    struct iret_context c = context();

    info.evtchn_upcall_mask = 1;
    iret_load(&c);
    EXPECT_EQ(r->rax, 1);
    EXPECT_EQ(r->r11, 2);
    EXPECT_EQ(r->rcx, 3);
    EXPECT_EQ(r->rip, 0x402000);
    EXPECT_EQ(r->rsp, STACK_TOP - 64);
    EXPECT_EQ(info.evtchn_upcall_mask, 0);
    EXPECT_TRUE(r->entry_vector != ENTRY_SYSCALL);
    EXPECT_TRUE(percpu_slow_return);

    c.rflags = 0x2;
    iret_load(&c);
    EXPECT_EQ(info.evtchn_upcall_mask, 1);
    EXPECT_TRUE(r->rflags & RFLAGS_IF);
}

TEST("iret gives no flag that is not a guest's")
{
    struct iret_context c = context();

    c.rflags = ~0ULL;
    iret_load(&c);
    EXPECT_EQ(r->rflags & (RFLAGS_IOPL | RFLAGS_VM), 0);
    EXPECT_EQ(r->rflags >> 22, 0);
    c.rflags = 0;
    iret_load(&c);
    EXPECT_EQ(r->rflags, 0x202);
}

TEST("iret takes the kernel's selectors, whatever their lowest bits")
{
    struct iret_context c = context();

    c.cs = SELECTOR_CS64 & ~3U;
    c.ss = 0xffff0000U | (SELECTOR_DS & ~3U);
    iret_load(&c);
    EXPECT_EQ(r->cs, SELECTOR_CS64);
    EXPECT_EQ(r->ss, SELECTOR_DS);
    EXPECT_EQ(r->rip, 0x402000);
}

TEST("iret to selectors or an address that are none becomes #GP there")
{
    struct iret_context c = context();

    handler(VECTOR_GP, 0);
    c.cs = 0xe008;
    iret_load(&c);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_GP);
    EXPECT_EQ(frame(3), 0x402000);
    EXPECT_EQ(frame(4), 0xe008);

    c = context();
    c.rip = 1ULL << 63;
    iret_load(&c);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_GP);
    EXPECT_EQ(frame(3), 1ULL << 63);

    c = context();
    c.ss = 0;
    iret_load(&c);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_GP);
}
