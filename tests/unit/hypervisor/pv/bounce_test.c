/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of exceptions and events on a guest's stack, their handlers' first
 * registers, and the way back by iret.
 */

/* LINK: hypervisor/pv/bounce.c hypervisor/pv/traps.c */
/* LINK: hypervisor/pv/trap_table.c hypervisor/hypercall/iret.c */
/* LINK: hypervisor/pv/return.c */

#include <setjmp.h>

#include "arch/x86_64/paging.h"
#include "arch/x86_64/upcalls.h"
#include "domain/domain.h"
#include "domain/pv_vcpu.h"
#include "domain/vcpu.h"
#include "event/evtchn.h"
#include "memory/frame.h"
#include "memory/light_near.h"
#include "pv/emulate.h"
#include "pv/guest_copy.h"
#include "pv/traps.h"
#include "unit/test.h"

char unit_test_cpu_area[CPU_AREA_SIZE] __attribute__((aligned(16)));
struct vcpu *percpu_current_vcpu;
bool percpu_need_resched, percpu_slow_return;
const uint8_t upcall_due[2];
const uint8_t *percpu_upcall_bytes;
unsigned int percpu_cpu_id;
uint8_t percpu_guest_mode;

static struct domain domain;
static struct light_space space;
struct trap_entry trap_none[TRAP_GROUP];
static struct vcpu vcpu;
static struct vcpu_info info;
static struct pv_vcpu pv;

/* The guest's stack: at this address, with this much below it. */
#define STACK_BYTES 512U
static uint64_t stack[STACK_BYTES / 8] __attribute__((aligned(16)));
#define STACK_TOP ((uint64_t)(uintptr_t)stack + STACK_BYTES)

static unsigned int crashes, waits, schedules;
static bool no_memory, resolves, cpuid_there;

/* --- Doubles ---------------------------------------------------------------
 */

/* The lowest address that was accessed. */
static uint64_t lowest;

static bool is_reached(uint64_t va, size_t size)
{
    if (va < lowest)
        lowest = va;
    if (no_memory)
        vcpu.wants_memory = vcpu.repeat = true;
    return !no_memory && va >= (uintptr_t)stack && va <= STACK_TOP - size;
}

bool unit_test_guest_word(uint64_t va, void *value, size_t size, bool store)
{
    if (!is_reached(va, size))
        return false;
    memcpy(store ? (void *)va : value, store ? value : (void *)va, size);
    return true;
}

int copy_bytes_from_guest(void *dst, struct guest_ptr src, size_t size)
{
    if (!is_reached(src.va, size))
        return -EFAULT;
    memcpy(dst, (void *)src.va, size);
    return 0;
}

/* The guest's address space: a table, and pages of these kinds from its start.
 */
enum { GUARD, DEMAND_ZERO, PRESENT, PAGES };
static uint64_t l2[PT_ENTRIES], leaves[PT_ENTRIES];
#define SPACE_BASE (1UL << 40)

void *mfn_to_virt(mfn_t m)
{
    EXPECT_EQ(m.raw, 0x77);
    return leaves;
}

static void make_space(void)
{
    memset(&space, 0, sizeof(space));
    memset(l2, 0, sizeof(l2));
    space.first_l2 = l2;
    space.layout.virt_base = SPACE_BASE;
    space.layout.ram_pages = space.near_pages = PAGES;
    l2[0] = pte_make(mfn(0x77), PTE_PRESENT);
    leaves[GUARD] = (uint64_t)(LIGHT_PROT_guard ^ LIGHT_PROT_read_write)
                    << PTE_SOFT_LOW_SHIFT;
    leaves[DEMAND_ZERO] = 0;
    leaves[PRESENT] = pte_make(mfn(1), PTE_PRESENT);
    leaves[PAGES] = leaves[GUARD];
    domain.space = &space;
}

/* The long way of a page fault, which does not come back here. */
static jmp_buf long_way;

void exception_from_guest_only(struct cpu_regs *regs)
{
    (void)regs;
    longjmp(long_way, 1);
}

/* The long way back: as if the guest went on. */
void exception_done(void)
{
    longjmp(long_way, 2);
}

/* A vCPU of class pv: the mode changes and the instructions done for it. */
static unsigned int to_kernel, to_user;
static bool has_user_tables, privileged, table_write, ldt_page;
static uint64_t dr6;

void pv_to_kernel(struct vcpu *v)
{
    EXPECT_PTR(v, &vcpu);
    EXPECT_EQ(percpu_guest_mode, GUEST_USER);
    percpu_guest_mode = GUEST_KERNEL;
    to_kernel++;
}

bool pv_to_user(struct vcpu *v)
{
    EXPECT_PTR(v, &vcpu);
    if (!has_user_tables)
        return false;
    percpu_guest_mode = GUEST_USER;
    to_user++;
    return true;
}

bool emulate_privileged(struct cpu_regs *regs, struct vcpu *v)
{
    (void)regs, (void)v;
    return privileged;
}

bool emulate_table_write(struct cpu_regs *regs, struct vcpu *v, uint64_t cr2)
{
    (void)regs, (void)v, (void)cr2;
    return table_write;
}

/* Of this CPU's LDT, one page. */
#define LDT_AT 0xffff820040800000UL

bool ldt_holds(vaddr_t va)
{
    return va - LDT_AT < PAGE_SIZE;
}

bool pv_ldt_fault(struct vcpu *v, vaddr_t *va)
{
    *va = v->pv->ldt_base + (*va - LDT_AT);
    return ldt_page;
}

void pv_debug_hit(struct vcpu *v, uint64_t value)
{
    (void)v;
    dr6 = value;
}

void pv_set_task_switched(struct vcpu *v, bool set)
{
    v->pv->task_switched = set;
}

void pv_set_iopl(struct vcpu *v, uint8_t iopl)
{
    v->pv->iopl = iopl;
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

int fault_resolve(uint64_t cr2, uint32_t error_code)
{
    (void)cr2, (void)error_code;
    vcpu.wants_memory = no_memory;
    return no_memory ? -ENOMEM : resolves ? 0 : -EFAULT;
}

void crash_with_registers(const char *fmt, ...)
{
    (void)fmt;
    crashes++;
    percpu_need_resched = percpu_slow_return = true;
}

bool cpuid_emulate(struct cpu_regs *regs, uint32_t class)
{
    (void)class;
    if (cpuid_there)
        regs->rip += 7;
    return cpuid_there;
}

const char *exception_name(uint32_t vector)
{
    return vector < 32 ? "#" : "software interrupt";
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
    for (unsigned int i = 0; i < TRAP_GROUPS; i++)
        vcpu.traps[i] = trap_none;
    make_space();
    percpu_guest_mode = GUEST_LIGHT;
    memset(&pv, 0, sizeof(pv));
    to_kernel = to_user = 0;
    has_user_tables = privileged = table_write = ldt_page = false;
    dr6 = 0;
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
    r->rflags = 0x202 | 0x1UL | RFLAGS_DF | RFLAGS_TF | RFLAGS_NT | RFLAGS_AC;
    r->rcx = 0xc;
    r->r11 = 0xb;
    r->rbx = 0xbb;
}

void teardown(void)
{
    for (unsigned int i = 0; i < TRAP_GROUPS; i++)
        if (vcpu.traps[i] != trap_none)
            free(vcpu.traps[i]);
    EXPECT_FALSE(vcpu.repeat);
    for (unsigned int i = 0; i < TRAP_GROUP; i++)
        EXPECT_EQ(trap_none[i].address, 0);
}

static void handler(uint8_t vector, uint8_t flags)
{
    REQUIRE(trap_set(&vcpu, vector, flags, 0x500000 + vector) == 0);
}

static void raise(uint8_t vector, uint32_t error_code, uint64_t cr2)
{
    r->entry_vector = vector;
    r->error_code = error_code;
    if (vector == VECTOR_UD)
        upcall_guest_invalid_opcode(r, &vcpu);
    else
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
    EXPECT_EQ(frame(4), rflags);
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
    EXPECT_TRUE(r->rflags & 0x1UL);
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

/* Whether the fault was left to the long way. */
static bool first(uint64_t cr2)
{
    r->entry_vector = VECTOR_PF;
    r->error_code = 6;
    if (setjmp(long_way))
        return false;
    upcall_guest_page_fault_first(r, &vcpu, cr2);
    return true;
}

TEST("a fault in a guard page enters the handler at once, to return by SYSRET")
{
    handler(VECTOR_PF, TRAP_MASK_EVENTS);
    EXPECT_TRUE(first(SPACE_BASE + 0x123));
    EXPECT_EQ(info.arch.cr2, SPACE_BASE + 0x123);
    EXPECT_EQ(info.evtchn_upcall_mask, 1);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_PF);
    EXPECT_EQ(r->entry_vector, ENTRY_SYSCALL);
    EXPECT_EQ(frame(2), 2);
}

TEST("any other page fault goes the long way, and nothing has changed")
{
    static const uint64_t others[] = {
        SPACE_BASE + DEMAND_ZERO * PAGE_SIZE,
        SPACE_BASE + PRESENT * PAGE_SIZE,
        SPACE_BASE + PAGES * PAGE_SIZE,
        SPACE_BASE - PAGE_SIZE,
        SPACE_BASE - PT_ENTRIES * PAGE_SIZE,
        SPACE_BASE + (1UL << 39),
        0,
        ~0UL,
    };
    struct cpu_regs was;

    handler(VECTOR_PF, 0);
    (void)first(0);
    was = *r;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        EXPECT_FALSE(first(others[i]));
    l2[0] = 0;
    EXPECT_FALSE(first(SPACE_BASE));
    EXPECT_MEM(r, &was, sizeof(was));
    EXPECT_EQ(info.arch.cr2, 0);
}

TEST("a fault in a guard page without a handler goes the long way")
{
    EXPECT_FALSE(first(SPACE_BASE));
    EXPECT_EQ(crashes, 0);
}

TEST("a stack in the upper half takes frames, one of the hypervisor's never")
{
    static const uint64_t stacks[] = {HV_VIRT_START + 64, HV_VIRT_END - 64,
                                      HV_VIRT_END + 16, (1UL << 47) + 64,
                                      HV_VIRT_START};

    handler(VECTOR_DE, 0);
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        r->rsp = stacks[i];
        lowest = ~0UL;
        raise(VECTOR_DE, 0, 0);
        EXPECT_EQ(crashes, i + 1);
        EXPECT_EQ(lowest, GUEST_NOWHERE);
    }
    r->rsp = HV_VIRT_END + 128;
    lowest = ~0UL;
    raise(VECTOR_DE, 0, 0);
    EXPECT_EQ(lowest, HV_VIRT_END + 128 - 56);
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
    EXPECT_PTR(trap_get(&vcpu, 3), NULL);
}

TEST("all 256 vectors have their own handler, until all are forgotten")
{
    for (unsigned int i = 0; i < 256; i++)
        handler((uint8_t)i, 0);
    for (unsigned int i = 0; i < 256; i++)
        EXPECT_EQ(trap_get(&vcpu, (uint8_t)i)->address, 0x500000 + i);
    trap_clear_all(&vcpu);
    for (unsigned int i = 0; i < 256; i++)
        EXPECT_PTR(trap_get(&vcpu, (uint8_t)i), NULL);
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

/* The frame is where a kernel has it when it makes the call. */
static void iret(const struct iret_context *c)
{
    r->rsp = STACK_TOP - sizeof(*c);
    memcpy((void *)r->rsp, c, sizeof(*c));
    r->entry_vector = ENTRY_SYSCALL;
    upcall_iret(r, &vcpu);
}

TEST("iret loads what the frame holds, and the mask from its IF")
{
    struct iret_context c = context();

    info.evtchn_upcall_mask = 1;
    iret(&c);
    EXPECT_EQ(r->rax, 1);
    EXPECT_EQ(r->r11, 2);
    EXPECT_EQ(r->rcx, 3);
    EXPECT_EQ(r->rip, 0x402000);
    EXPECT_EQ(r->rsp, STACK_TOP - 64);
    EXPECT_EQ(info.evtchn_upcall_mask, 0);
    EXPECT_TRUE(r->entry_vector != ENTRY_SYSCALL);

    c.rflags = 0x2;
    iret(&c);
    EXPECT_EQ(info.evtchn_upcall_mask, 1);
    EXPECT_TRUE(r->rflags & RFLAGS_IF);
}

TEST("iret gives no flag that is not a guest's")
{
    struct iret_context c = context();

    c.rflags = ~0ULL;
    iret(&c);
    EXPECT_EQ(r->rflags & (RFLAGS_IOPL | RFLAGS_VM), 0);
    EXPECT_EQ(r->rflags >> 22, 0);
    c.rflags = 0;
    iret(&c);
    EXPECT_EQ(r->rflags, 0x202);
}

TEST("iret takes the kernel's selectors, whatever their lowest bits")
{
    struct iret_context c = context();

    c.cs = SELECTOR_CS64 & ~3U;
    c.ss = 0xffff0000U | (SELECTOR_DS & ~3U);
    iret(&c);
    EXPECT_EQ(r->cs, SELECTOR_CS64);
    EXPECT_EQ(r->ss, SELECTOR_DS);
    EXPECT_EQ(r->rip, 0x402000);
}

TEST("iret to selectors or an address that are none becomes #GP there")
{
    struct iret_context c = context();

    handler(VECTOR_GP, 0);
    c.cs = 0xe008;
    iret(&c);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_GP);
    EXPECT_EQ(frame(3), 0x402000);
    EXPECT_EQ(frame(4), 0xe008);

    c = context();
    c.rip = 1ULL << 63;
    iret(&c);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_GP);
    EXPECT_EQ(frame(3), 1ULL << 63);

    c = context();
    c.ss = 0;
    iret(&c);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_GP);
}

/* --- Class pv --------------------------------------------------------------
 */

/* It runs in @mode; a program has a stack where none can be. */
static void be_pv(uint8_t mode)
{
    vcpu.pv = &pv;
    percpu_guest_mode = mode;
    pv.entry.kernel_sp = STACK_TOP - 5;
    if (mode == GUEST_USER) {
        r->rsp = 0x7fff0000;
        r->cs = 0x33;
        r->ss = 0x2b;
    }
}

TEST("an exception of a program goes to the kernel's stack, with its selectors")
{
    be_pv(GUEST_USER);
    handler(VECTOR_DE, TRAP_MASK_EVENTS);
    raise(VECTOR_DE, 0, 0);
    EXPECT_EQ(to_kernel, 1);
    EXPECT_EQ(r->rip, 0x500000);
    EXPECT_EQ(r->rsp, ((STACK_TOP - 5) & ~15ULL) - 56);
    EXPECT_EQ(frame(3), 0x33);
    EXPECT_EQ(frame(5), 0x7fff0000);
    EXPECT_EQ(frame(6), 0x2b);
    EXPECT_EQ(r->cs, SELECTOR_CS64);
    EXPECT_EQ(info.evtchn_upcall_mask, 1);
}

TEST("an exception of a pv kernel stays on its stack, at privilege level 0")
{
    be_pv(GUEST_KERNEL);
    r->cs = 0x13;
    handler(VECTOR_DE, 0);
    raise(VECTOR_DE, 0, 0);
    EXPECT_EQ(to_kernel, 0);
    EXPECT_EQ(r->rsp, ((STACK_TOP - 3) & ~15ULL) - 56);
    EXPECT_EQ(frame(3), 0x10);
}

TEST("the virtual IOPL is in frames where it is wanted")
{
    be_pv(GUEST_KERNEL);
    handler(VECTOR_DE, 0);
    pv.entry.shown_iopl = 1UL << RFLAGS_IOPL_SHIFT;
    raise(VECTOR_DE, 0, 0);
    EXPECT_EQ(frame(4) & RFLAGS_IOPL, 1UL << RFLAGS_IOPL_SHIFT);
}

TEST("a kernel stack that takes no frame ends the domain")
{
    static const uint64_t stacks[] = {0, 0x8000000000000000, 0xffff830000000100,
                                      ~0ULL};

    handler(VECTOR_DE, 0);
    for (unsigned int i = 0; i < 4; i++) {
        be_pv(GUEST_USER);
        pv.entry.kernel_sp = stacks[i];
        lowest = ~0ULL;
        raise(VECTOR_DE, 0, 0);
        EXPECT_EQ(crashes, i + 1);
        /* No address of the hypervisor's was touched. */
        EXPECT_FALSE(lowest >= HV_VIRT_START && lowest < HV_VIRT_END);
    }
}

TEST("SYSCALL of a program enters its callback with DF clear, or is #UD")
{
    be_pv(GUEST_USER);
    r->entry_vector = ENTRY_SYSCALL;
    pv.entry.syscall = (struct pv_callback){0x700000, true};
    upcall_guest_syscall(r, &vcpu);
    EXPECT_EQ(r->rip, 0x700000);
    EXPECT_EQ(r->rflags & RFLAGS_DF, 0);
    EXPECT_TRUE(frame(4) & RFLAGS_DF);
    EXPECT_EQ(info.evtchn_upcall_mask, 1);
    EXPECT_EQ(to_kernel, 1);

    setup();
    be_pv(GUEST_USER);
    handler(VECTOR_UD, 0);
    upcall_guest_syscall(r, &vcpu);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_UD);
    EXPECT_EQ(frame(2), 0x401000 - 2);
}

TEST("SYSCALL of 32-bit code has a callback of its own, and the other's mask")
{
    be_pv(GUEST_USER);
    r->cs = SELECTOR_CS32;
    pv.entry.syscall = (struct pv_callback){0x700000, true};
    pv.syscall32 = (struct pv_callback){0x710000, false};
    upcall_guest_syscall(r, &vcpu);
    EXPECT_EQ(r->rip, 0x710000);
    EXPECT_EQ(frame(3), 0xe023);
    EXPECT_EQ(info.evtchn_upcall_mask, 1);

    setup();
    be_pv(GUEST_USER);
    handler(VECTOR_UD, 0);
    r->cs = SELECTOR_CS32;
    pv.entry.syscall = (struct pv_callback){0x700000, true};
    pv.syscall32.address = 0;
    upcall_guest_syscall(r, &vcpu);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_UD);
}

TEST("SYSENTER of a program enters its callback, and is #GP without or "
     "elsewhere")
{
    for (unsigned int i = 0; i < 4; i++) {
        setup();
        be_pv(i == 2 ? GUEST_KERNEL : GUEST_USER);
        handler(VECTOR_GP, 0);
        stack[0] = i == 1 ? 0x9090 : 0x340f;
        r->rip = (uint64_t)(uintptr_t)stack;
        pv.sysenter = (struct pv_callback){i == 3 ? 0 : 0x720000, true};
        raise(VECTOR_GP, 0, 0);
        EXPECT_EQ(r->rip, i == 0 ? 0x720000 : 0x500000U + VECTOR_GP);
        if (i == 0) {
            EXPECT_EQ(frame(2), 0);
            EXPECT_EQ(frame(3), 3);
            EXPECT_EQ(frame(5), 0);
            EXPECT_EQ(frame(6), SELECTOR_DS);
            EXPECT_EQ(info.evtchn_upcall_mask, 1);
        }
        teardown();
    }
    setup();
}

TEST("INT n of a program needs a trap of privilege level 3")
{
    handler(VECTOR_GP, 0);
    for (uint8_t dpl = 0; dpl <= 3; dpl++) {
        be_pv(GUEST_USER);
        r->rip = 0x401000;
        handler(0x40, dpl);
        raise(VECTOR_GP, 0x40 << 3 | 2, 0);
        EXPECT_EQ(r->rip, 0x500000U + (dpl == 3 ? 0x40U : VECTOR_GP));
        be_pv(GUEST_KERNEL);
        r->rsp = STACK_TOP;
        r->rip = 0x401000;
        raise(VECTOR_GP, 0x40 << 3 | 2, 0);
        EXPECT_EQ(r->rip, 0x500000U + (dpl >= 1 ? 0x40U : VECTOR_GP));
    }
}

/* What a page fault of @code came to: 0 a handler, else as by setjmp(). */
static int pv_fault(uint8_t mode, uint32_t code, uint64_t cr2)
{
    int way;

    be_pv(mode);
    r->entry_vector = VECTOR_PF;
    r->error_code = code;
    way = setjmp(long_way);
    if (!way)
        upcall_guest_page_fault_first(r, &vcpu, cr2);
    return way;
}

TEST("a page fault tells the mode, whatever ring it was in")
{
    be_pv(GUEST_KERNEL);
    handler(VECTOR_PF, 0);
    EXPECT_EQ(pv_fault(GUEST_KERNEL, 4, 0x1234), 0);
    EXPECT_EQ(frame(2), 0);
    EXPECT_EQ(info.arch.cr2, 0x1234);
    setup();
    vcpu.pv = &pv;
    handler(VECTOR_PF, 0);
    EXPECT_EQ(pv_fault(GUEST_USER, 7, 0x5678), 0);
    EXPECT_EQ(frame(2), 7);
    EXPECT_EQ(info.arch.cr2, 0x5678);
}

TEST("a pv kernel's store to a table is made, or goes to its handler")
{
    be_pv(GUEST_KERNEL);
    handler(VECTOR_PF, 0);
    table_write = true;
    EXPECT_EQ(pv_fault(GUEST_KERNEL, 7, 0x1234), 2);
    EXPECT_EQ(r->rip, 0x401000);
    table_write = false;
    EXPECT_EQ(pv_fault(GUEST_KERNEL, 7, 0x1234), 0);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_PF);
    EXPECT_EQ(frame(2), 3);
    EXPECT_EQ(info.arch.cr2, 0x1234);
}

TEST("a broken table and the processor's own access go the long way")
{
    be_pv(GUEST_KERNEL);
    handler(VECTOR_PF, 0);
    EXPECT_EQ(pv_fault(GUEST_KERNEL, 4 | 8, 0x1234), 1);
    EXPECT_EQ(pv_fault(GUEST_USER, 4 | 8 | 1, 0x1234), 1);
    EXPECT_EQ(pv_fault(GUEST_USER, 0, LDT_AT + 8), 1);
}

TEST("an LDT page is taken, or its fault is at the guest's own address")
{
    be_pv(GUEST_KERNEL);
    handler(VECTOR_PF, 0);
    pv.ldt_base = 0x10000;
    ldt_page = true;
    raise(VECTOR_PF, 0, LDT_AT + 8);
    EXPECT_EQ(r->rip, 0x401000);
    ldt_page = false;
    raise(VECTOR_PF, 0, LDT_AT + 8);
    EXPECT_EQ(info.arch.cr2, 0x10008);
    /* Not if it is the guest that reads there. */
    setup();
    be_pv(GUEST_KERNEL);
    handler(VECTOR_PF, 0);
    ldt_page = true;
    raise(VECTOR_PF, 5, LDT_AT + 8);
    EXPECT_EQ(info.arch.cr2, LDT_AT + 8);
}

TEST("#NM ends the virtual TS first; #DB hands over what DR6 was")
{
    be_pv(GUEST_KERNEL);
    handler(VECTOR_NM, 0);
    handler(VECTOR_DB, 0);
    pv.task_switched = true;
    raise(VECTOR_NM, 0, 0);
    EXPECT_FALSE(pv.task_switched);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_NM);
    raise(VECTOR_DB, 0, 0x4001);
    EXPECT_EQ(dr6, 0x4001);
}

TEST("an NMI comes once, is masked until the next iret, and lost without "
     "handler")
{
    uint64_t rsp;

    be_pv(GUEST_KERNEL);
    pv.nmi_pending = true;
    bounce_nmi(r, &vcpu);
    EXPECT_EQ(r->rip, 0x401000);
    EXPECT_FALSE(pv.nmi_pending);

    handler(VECTOR_NMI, TRAP_MASK_EVENTS);
    pv.nmi_pending = true;
    bounce_nmi(r, &vcpu);
    EXPECT_EQ(r->rip, 0x500000 + VECTOR_NMI);
    rsp = r->rsp;
    pv.nmi_pending = true;
    bounce_nmi(r, &vcpu);
    EXPECT_EQ(r->rsp, rsp);
    EXPECT_TRUE(pv.nmi_pending);

    r->rsp = STACK_TOP - sizeof(struct iret_context);
    memset((void *)r->rsp, 0, sizeof(struct iret_context));
    upcall_iret(r, &vcpu);
    EXPECT_FALSE(pv.entry.nmi_masked);
    EXPECT_TRUE(percpu_slow_return); /* so that the next one is seen */
}

/* iret of a pv kernel to these. */
static void pv_iret(uint64_t cs, uint64_t ss, uint64_t rip, uint64_t rflags,
                    uint64_t flags)
{
    struct iret_context *f;

    be_pv(GUEST_KERNEL);
    r->rsp = STACK_TOP - sizeof(*f);
    f = (void *)r->rsp;
    *f = (struct iret_context){1, 2, 3, flags, rip, cs, rflags, 0x7ffe0000, ss};
    r->entry_vector = ENTRY_SYSCALL;
    percpu_slow_return = false;
    upcall_iret(r, &vcpu);
}

TEST("iret with privilege level 3 goes to user mode, any other stays")
{
    has_user_tables = true;
    for (unsigned int rpl = 0; rpl <= 3; rpl++) {
        setup();
        has_user_tables = true;
        pv_iret(0xe030 | rpl, 0xe02b, 0x402000, 0x202, 0);
        EXPECT_EQ(to_user, rpl == 3);
        EXPECT_EQ(r->cs, 0xe033);
        EXPECT_EQ(r->rip, 0x402000);
        EXPECT_EQ(r->rsp, 0x7ffe0000);
        EXPECT_EQ(r->rax, 1);
        EXPECT_EQ(r->r11, 2);
        EXPECT_EQ(r->rcx, 3);
        EXPECT_TRUE(r->entry_vector != ENTRY_SYSCALL);
    }
}

TEST("iret to user mode without tables of it ends the domain")
{
    pv_iret(0x33, 0x2b, 0x402000, 0x202, 0);
    EXPECT_EQ(crashes, 1);
    EXPECT_EQ(percpu_guest_mode, GUEST_KERNEL);
}

TEST("whatever selectors iret names, ring 3 is where it goes, by IRET")
{
    static const uint16_t selectors[] = {0,      3,      0x10,   0x33,   0xe008,
                                         0xe00b, 0xe010, 0xe043, 0xffff, 0x7f};

    for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        setup();
        has_user_tables = true;
        pv_iret(selectors[i], selectors[i], 0x8000000000000000, 0x202, 0);
        EXPECT_EQ(r->cs & 3, 3);
        EXPECT_EQ(r->ss & 3, 3);
        EXPECT_TRUE(r->entry_vector != ENTRY_SYSCALL);
        EXPECT_EQ(crashes, 0);
    }
}

TEST("iret takes no flag that is not a guest's, and IF is always on")
{
    has_user_tables = true;
    pv_iret(0x33, 0x2b, 0x402000, ~0ULL & ~RFLAGS_IF, 0);
    EXPECT_EQ(r->rflags & (RFLAGS_IOPL | RFLAGS_VM | 3UL << 19), 0);
    EXPECT_TRUE(r->rflags & RFLAGS_IF);
    EXPECT_EQ(info.evtchn_upcall_mask, 1);
}

TEST("iret in a system call leaves rcx and r11 as SYSRET does, by the long way")
{
    has_user_tables = true;
    pv_iret(0xe033, 0xe02b, 0x8000000000000000, 0x202, VGCF_in_syscall);
    EXPECT_EQ(r->rcx, 0x8000000000000000);
    EXPECT_EQ(r->r11, r->rflags);
    EXPECT_TRUE(percpu_slow_return); /* which looks at rip and selectors */
}

TEST("iret of a frame that cannot be read ends the domain")
{
    be_pv(GUEST_KERNEL);
    r->rsp = 0xffff830000000000;
    lowest = ~0ULL;
    upcall_iret(r, &vcpu);
    EXPECT_EQ(crashes, 1);
    EXPECT_FALSE(lowest >= HV_VIRT_START && lowest < HV_VIRT_END);
}
