/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Privileged instructions: who may, what they do, and that nothing else of the
 * machine is reached.  Registers of the processor are this file's.
 */

/* LINK: hypervisor/pv/emulate.c hypervisor/pv/decode.c */
/* LINK: hypervisor/pv/operate.c hypervisor/domain/pv_debug.c */

#include "arch/x86_64/address_map.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/regs.h"
#include "domain/domain.h"
#include "domain/pv_vcpu.h"
#include "pv/emulate.h"
#include "pv/guest_copy.h"
#include "pv/traps.h"
#include "unit/test.h"

char unit_test_cpu_area[CPU_AREA_SIZE] __attribute__((aligned(16)));
struct vcpu *percpu_current_vcpu;
uint8_t percpu_guest_mode;
bool percpu_slow_return;
const uint8_t *percpu_upcall_bytes;
const uint8_t upcall_due[2];

static struct domain domain;
static struct vcpu_info info;
static struct vcpu vcpu;
static struct pv_vcpu pv;
static struct cpu_regs regs;

/* The guest's memory: code at its beginning, the last page not readable. */
#define CODE 0x10000UL
static uint8_t memory[2 * PAGE_SIZE];
static size_t readable;

static unsigned int single_steps, mode_changes;
static uint64_t seen_msr, seen_value, cr4, xcr0;
static bool msr_there;
static int base_rc;

/* --- Doubles ---------------------------------------------------------------
 */

void __noreturn assert_failed(const char *file, int line, const char *belief)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, belief);
    abort();
}

static void *at(uint64_t va, size_t size)
{
    return va >= CODE && va - CODE + size <= readable ? &memory[va - CODE]
                                                      : NULL;
}

bool unit_test_guest_word(uint64_t va, void *value, size_t size, bool store)
{
    void *p = at(va, size);

    if (p)
        memcpy(store ? p : value, store ? value : p, size);
    return p;
}

int copy_bytes_from_guest(void *dst, struct guest_ptr src, size_t size)
{
    void *p = at(src.va, size);

    if (p)
        memcpy(dst, p, size);
    return p ? 0 : -EFAULT;
}

int copy_bytes_to_guest(struct guest_ptr dst, const void *src, size_t size)
{
    void *p = at(dst.va, size);

    if (p)
        memcpy(p, src, size);
    return p ? 0 : -EFAULT;
}

void pv_to_kernel(struct vcpu *v)
{
    (void)v;
    percpu_guest_mode = GUEST_KERNEL;
    mode_changes++;
}

bool pv_to_user(struct vcpu *v)
{
    (void)v;
    percpu_guest_mode = GUEST_USER;
    mode_changes++;
    return true;
}

void pv_set_task_switched(struct vcpu *v, bool set)
{
    v->pv->task_switched = set;
}

uint64_t pv_visible_cr4(const struct vcpu *v)
{
    (void)v;
    return 0x620;
}

void pv_write_cr4(struct vcpu *v, uint64_t value)
{
    (void)v;
    cr4 = value;
}

bool pv_write_xcr0(struct vcpu *v, uint64_t value)
{
    (void)v;
    xcr0 = value;
    return value & 1;
}

int pv_set_kernel_base(struct vcpu *v, mfn_t l4, struct page_work *work)
{
    (void)work;
    if (!base_rc)
        v->pv->entry.kernel_l4 = l4;
    return base_rc;
}

bool msr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    (void)v;
    seen_msr = msr;
    *value = 0x1122334455667788;
    return msr_there;
}

bool msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    (void)v;
    seen_msr = msr;
    seen_value = value;
    return msr_there;
}

void cpuid_answer(struct cpu_regs *r, uint32_t class)
{
    (void)class;
    r->rax = 0xc0;
}

bool bounce_trap(struct cpu_regs *r, uint8_t vector, bool has_error_code)
{
    (void)r, (void)has_error_code;
    EXPECT_EQ(vector, VECTOR_DB);
    single_steps++;
    return true;
}

/* --- The guest -------------------------------------------------------------
 */

void setup(void)
{
    memset(&vcpu, 0, sizeof(vcpu));
    memset(&pv, 0, sizeof(pv));
    memset(&regs, 0, sizeof(regs));
    memset(memory, 0xcc, sizeof(memory));
    readable = PAGE_SIZE;
    vcpu.domain = &domain;
    vcpu.info = &info;
    vcpu.pv = &pv;
    pv.entry.kernel_l4 = mfn(0x1234);
    pv.debugreg[6] = DR6_NONE;
    pv.debugreg[7] = DR7_NONE;
    percpu_current_vcpu = NULL; /* no register of this processor changes */
    percpu_guest_mode = GUEST_KERNEL;
    single_steps = mode_changes = 0;
    msr_there = true;
    base_rc = 0;
    regs.cs = SELECTOR_CS64;
    regs.rflags = 0x202;
}

void teardown(void)
{
}

/* Execute these bytes. */
#define DO(...)                                                                \
    execute_((const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))
static bool execute_(const uint8_t *bytes, size_t size)
{
    memcpy(memory, bytes, size);
    regs.rip = CODE;
    return emulate_privileged(&regs, &vcpu);
}

#define CLTS      0x0f, 0x06
#define WBINVD    0x0f, 0x09
#define RDMSR     0x0f, 0x32
#define WRMSR     0x0f, 0x30
#define XSETBV    0x0f, 0x01, 0xd1
#define CLI       0xfa
#define STI       0xfb
#define IN_AL_DX  0xec
#define IN_EAX_DX 0xed
#define OUT_DX_AL 0xee
#define HLT       0xf4
#define RAX_CR(n) 0x0f, 0x20, 0xc0 | (n) << 3
#define CR_RAX(n) 0x0f, 0x22, 0xc0 | (n) << 3
#define RAX_DR(n) 0x0f, 0x21, 0xc0 | (n) << 3
#define DR_RAX(n) 0x0f, 0x23, 0xc0 | (n) << 3

TEST("a program may have none of a kernel's instructions")
{
    percpu_guest_mode = GUEST_USER;
    EXPECT_FALSE(DO(CLTS));
    EXPECT_FALSE(DO(WBINVD));
    EXPECT_FALSE(DO(RDMSR));
    EXPECT_FALSE(DO(WRMSR));
    EXPECT_FALSE(DO(XSETBV));
    EXPECT_FALSE(DO(RAX_CR(0)));
    EXPECT_FALSE(DO(CR_RAX(3)));
    EXPECT_FALSE(DO(RAX_DR(7)));
    EXPECT_FALSE(DO(DR_RAX(7)));
    EXPECT_FALSE(DO(0x0f, 0x31)); /* rdtsc, where the kernel wants a fault */
    EXPECT_EQ(regs.rip, CODE);
}

TEST("nobody may have what the ABI does not list")
{
    EXPECT_FALSE(DO(HLT));
    EXPECT_FALSE(DO(0x0f, 0x01, 0xf8));       /* swapgs */
    EXPECT_FALSE(DO(0x0f, 0x01, 0x10));       /* lgdt */
    EXPECT_FALSE(DO(0x0f, 0x01, 0x38));       /* invlpg */
    EXPECT_FALSE(DO(0x0f, 0x07));             /* sysret */
    EXPECT_FALSE(DO(0x44, 0x0f, 0x22, 0xc0)); /* mov cr8 */
    EXPECT_FALSE(DO(RAX_CR(1)));
    EXPECT_FALSE(DO(0x90));
}

TEST("control registers read as they are shown")
{
    info.arch.cr2 = 0x777;
    EXPECT_TRUE(DO(RAX_CR(2)));
    EXPECT_EQ(regs.rax, 0x777);
    EXPECT_EQ(regs.rip, CODE + 3);
    EXPECT_TRUE(DO(RAX_CR(3)));
    EXPECT_EQ(regs.rax, 0x1234000);
    EXPECT_TRUE(DO(RAX_CR(4)));
    EXPECT_EQ(regs.rax, 0x620);
}

TEST("writing CR3 is a new base pointer, refused or begun again")
{
    regs.rax = 0x5678000;
    EXPECT_TRUE(DO(CR_RAX(3)));
    EXPECT_EQ(pv.entry.kernel_l4.raw, 0x5678);
    base_rc = -EINVAL;
    EXPECT_FALSE(DO(CR_RAX(3)));
    base_rc = -EAGAIN;
    EXPECT_TRUE(DO(CR_RAX(3)));
    EXPECT_EQ(regs.rip, CODE);
    EXPECT_FALSE(vcpu.repeat);
}

TEST("MSRs are read into two halves and written from them")
{
    regs.rcx = 0xffffffff00000174;
    EXPECT_TRUE(DO(RDMSR));
    EXPECT_EQ(seen_msr, 0x174);
    EXPECT_EQ(regs.rax, 0x55667788);
    EXPECT_EQ(regs.rdx, 0x11223344);
    regs.rax = 0xffffffff00000001;
    regs.rdx = 0xffffffff00000002;
    EXPECT_TRUE(DO(WRMSR));
    EXPECT_EQ(seen_value, 0x200000001);
    msr_there = false;
    EXPECT_FALSE(DO(RDMSR));
    EXPECT_FALSE(DO(WRMSR));
}

TEST("xsetbv takes register 0 only, and what makes sense")
{
    regs.rax = 3;
    EXPECT_TRUE(DO(XSETBV));
    EXPECT_EQ(xcr0, 3);
    regs.rax = 2;
    EXPECT_FALSE(DO(XSETBV));
    regs.rax = 3;
    regs.rcx = 1;
    EXPECT_FALSE(DO(XSETBV));
}

/* Whether cli and a byte from port @port are allowed. */
static bool allowed(uint16_t port)
{
    bool in;

    regs.rdx = port;
    regs.rax = 0;
    in = DO(IN_AL_DX);
    if (in)
        EXPECT_EQ(regs.rax, 0xff);
    return in;
}

TEST("ports and the interrupt flag follow the virtual IOPL and the mode")
{
    for (uint8_t iopl = 0; iopl <= 3; iopl++) {
        pv.iopl = iopl;
        percpu_guest_mode = GUEST_KERNEL;
        EXPECT_EQ(allowed(0x80), iopl >= 1);
        EXPECT_EQ(DO(CLI), iopl >= 1);
        pv.entry.shows_iopl = true; /* its kernel is at level 0 */
        EXPECT_TRUE(allowed(0x80));
        pv.entry.shows_iopl = false;
        percpu_guest_mode = GUEST_USER;
        EXPECT_EQ(allowed(0x80), iopl == 3);
        EXPECT_EQ(DO(STI), iopl == 3);
    }
}

TEST("an I/O bitmap allows single ports, as the kernel maps it")
{
    pv.io_bitmap = CODE + 0x100;
    pv.io_bitmap_ports = 0x100;
    memset(&memory[0x100], 0xff, 0x20);
    memory[0x100 + 0x80 / 8] = 0xfe;
    percpu_guest_mode = GUEST_USER;
    EXPECT_TRUE(allowed(0x80));
    EXPECT_EQ(percpu_guest_mode, GUEST_USER);
    EXPECT_EQ(mode_changes, 2);
    EXPECT_FALSE(allowed(0x81));
    EXPECT_FALSE(allowed(0x7f));
    regs.rdx = 0x80;
    EXPECT_FALSE(DO(IN_EAX_DX)); /* four ports */
    memory[0x110] = 0;
    EXPECT_TRUE(DO(IN_EAX_DX));
    EXPECT_EQ(regs.rax, 0xffffffff);
    regs.rdx = 0x86; /* ends in the next byte */
    EXPECT_FALSE(DO(IN_EAX_DX));
    memory[0x111] = 0xfc;
    EXPECT_TRUE(DO(IN_EAX_DX));
    EXPECT_FALSE(allowed(0x100)); /* beyond it */
    EXPECT_FALSE(allowed(0xffff));
    pv.io_bitmap = CODE + PAGE_SIZE; /* not there */
    EXPECT_FALSE(allowed(0x80));
}

TEST("ins stores ones where it may, once for each execution")
{
    pv.iopl = 1;
    regs.rdi = CODE + 0x800;
    regs.rcx = 2;
    EXPECT_TRUE(DO(0xf3, 0x6d)); /* rep insl */
    EXPECT_EQ(regs.rip, CODE);
    EXPECT_EQ(regs.rcx, 1);
    EXPECT_EQ(memory[0x803], 0xff);
    EXPECT_EQ(memory[0x804], 0xcc);
    EXPECT_TRUE(DO(0xf3, 0x6d));
    EXPECT_EQ(regs.rip, CODE + 2);
    regs.rdi = CODE + PAGE_SIZE - 2;
    EXPECT_FALSE(DO(0x6d));
}

TEST("an instruction at the end of what can be read is read as far as it goes")
{
    static const uint8_t clts[] = {CLTS};

    memcpy(&memory[PAGE_SIZE - 2], clts, 2);
    regs.rip = CODE + PAGE_SIZE - 2;
    EXPECT_TRUE(emulate_privileged(&regs, &vcpu));
    EXPECT_EQ(regs.rip, CODE + PAGE_SIZE);
    memory[PAGE_SIZE - 1] = 0x0f;
    regs.rip = CODE + PAGE_SIZE - 1;
    EXPECT_FALSE(emulate_privileged(&regs, &vcpu));
    regs.rip = 0xffff830000000000;
    EXPECT_FALSE(emulate_privileged(&regs, &vcpu));
}

TEST("a single step ends after what was executed in its place")
{
    EXPECT_TRUE(DO(CLTS));
    EXPECT_EQ(single_steps, 0);
    regs.rflags |= RFLAGS_TF;
    EXPECT_TRUE(DO(CLTS));
    EXPECT_EQ(single_steps, 1);
    EXPECT_TRUE(pv.debugreg[6] & 1UL << 14);
}

TEST("no breakpoint is at an address of the hypervisor's, or at none")
{
    static const uint64_t bad[] = {HV_VIRT_START,      HV_VIRT_START + 1,
                                   0xffff820000124380, 0xffff830000000000,
                                   HV_VIRT_END - 1,    1UL << 47,
                                   0x8000000000000000};
    static const uint64_t good[] = {0, (1UL << 47) - 1, HV_VIRT_END, ~0UL};

    for (unsigned int n = 0; n < 4; n++) {
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
            EXPECT_EQ(pv_set_debugreg(&vcpu, n, bad[i]), -EPERM);
            regs.rax = bad[i];
            EXPECT_FALSE(DO(DR_RAX(n)));
            EXPECT_EQ(pv.debugreg[n], 0);
        }
        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
            EXPECT_EQ(pv_set_debugreg(&vcpu, n, good[i]), 0);
        pv.debugreg[n] = 0;
    }
}

TEST("DR6 and DR7 take no reserved bit, no GD, and I/O only with CR4.DE")
{
    EXPECT_EQ(pv_set_debugreg(&vcpu, 7, 1UL << 32), -EINVAL);
    EXPECT_EQ(pv_set_debugreg(&vcpu, 6, 1UL << 63), -EINVAL);
    EXPECT_EQ(pv_set_debugreg(&vcpu, 7, 1UL << 13), -EPERM);
    EXPECT_EQ(pv_set_debugreg(&vcpu, 7, 0xdfff & ~(1U << 13)), 0);
    EXPECT_EQ(pv.debugreg[7], 0x7ff);
    EXPECT_EQ(pv_set_debugreg(&vcpu, 6, 0), 0);
    EXPECT_EQ(pv.debugreg[6], DR6_NONE);
    for (unsigned int n = 0; n < 4; n++)
        EXPECT_EQ(pv_set_debugreg(&vcpu, 7, 2UL << (16 + 4 * n) | 1), -EPERM);
    pv.cr4 = CR4_DE;
    EXPECT_EQ(pv_set_debugreg(&vcpu, 7, 2UL << 16 | 1), 0);
}

TEST("DR4 and DR5 are DR6 and DR7, but with CR4.DE none; there are no others")
{
    uint64_t value = 0;

    EXPECT_EQ(pv_set_debugreg(&vcpu, 5, 0), 0);
    EXPECT_EQ(pv_get_debugreg(&vcpu, 4, &value), 0);
    EXPECT_EQ(value, DR6_NONE);
    EXPECT_EQ(pv_get_debugreg(&vcpu, 5, &value), 0);
    EXPECT_EQ(value, DR7_NONE);
    pv.cr4 = CR4_DE;
    EXPECT_EQ(pv_get_debugreg(&vcpu, 4, &value), -ENODEV);
    EXPECT_EQ(pv_set_debugreg(&vcpu, 5, 0), -ENODEV);
    EXPECT_EQ(pv_get_debugreg(&vcpu, 8, &value), -ENODEV);
}
