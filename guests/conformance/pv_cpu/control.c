/* SPDX-License-Identifier: BSD-2-Clause */
/* Control registers, model-specific registers, ports and CPUID. */

#include <string.h>

#include <abi/physdev.h>

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define CR0_TS 0x8UL

struct access {
    uint64_t value;
    uint32_t index;
};

#define CONTROL_REGISTER(n)                                                    \
    static void read_cr##n(void *a)                                            \
    {                                                                          \
        __asm__ volatile("mov %%cr" #n ", %0"                                  \
                         : "=r"(((struct access *)a)->value));                 \
    }                                                                          \
    static void write_cr##n(void *a)                                           \
    {                                                                          \
        __asm__ volatile("mov %0, %%cr" #n                                     \
                         :                                                     \
                         : "r"(((struct access *)a)->value)                    \
                         : "memory");                                          \
    }
CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)
CONTROL_REGISTER(8)

static void read_msr(void *a)
{
    struct access *access = a;
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(access->index));
    access->value = (uint64_t)high << 32 | low;
}

static void write_msr(void *a)
{
    struct access *access = a;

    __asm__ volatile("wrmsr"
                     :
                     : "c"(access->index), "a"(access->value),
                       "d"(access->value >> 32)
                     : "memory");
}

/* True: it did not fault. */
static bool rdmsr(uint32_t index, uint64_t *value)
{
    struct access a = {.index = index};
    bool ok = !fault_probe(read_msr, &a);

    *value = a.value;
    return ok;
}

static bool wrmsr(uint32_t index, uint64_t value)
{
    struct access a = {.index = index, .value = value};

    return !fault_probe(write_msr, &a);
}

TEST("of CR0 only TS can be changed")
{
    struct access a;
    uint64_t was;

    REQUIRE(!fault_probe(read_cr0, &a));
    was = a.value;
    EXPECT_EQ(was & CR0_TS, 0);
    EXPECT_EQ(was & 0x80010001, 0x80010001);
    for (unsigned int bit = 0; bit < 64; bit++) {
        a.value = was ^ 1UL << bit;
        EXPECT_EQ(!fault_probe(write_cr0, &a), bit == 3);
        if (bit == 3) {
            a.value = was;
            EXPECT_FALSE(fault_probe(write_cr0, &a));
        }
    }
    EXPECT_FALSE(fault_probe(read_cr0, &a));
    EXPECT_EQ(a.value, was);
}

static void use_fpu(void *unused)
{
    (void)unused;
    __asm__ volatile("fnop");
}

static void clts(void *unused)
{
    (void)unused;
    __asm__ volatile("clts");
}

TEST("with TS set the next use of the FPU is #NM, and clears it")
{
    EXPECT_EQ(hypercall1(HYPERCALL_fpu_taskswitch, 1), 0);
    EXPECT_TRUE(fault_probe(use_fpu, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_NM);
    EXPECT_FALSE(fault_probe(use_fpu, NULL));
    EXPECT_EQ(hypercall1(HYPERCALL_fpu_taskswitch, 1), 0);
    EXPECT_FALSE(fault_probe(clts, NULL));
    EXPECT_FALSE(fault_probe(use_fpu, NULL));
    EXPECT_EQ(hypercall1(HYPERCALL_fpu_taskswitch, 1), 0);
    EXPECT_EQ(hypercall1(HYPERCALL_fpu_taskswitch, 0), 0);
    EXPECT_FALSE(fault_probe(use_fpu, NULL));
}

TEST("a vCPU can be given an FPU while TS is set for one's own, which stays")
{
    static struct vcpu_guest_context context;

    SKIP_UNLESS_VCPUS(2);
    context = *vcpu_context(1, 0x1000);
    context.flags |= VGCF_i387_valid;
    EXPECT_EQ(hypercall1(HYPERCALL_fpu_taskswitch, 1), 0);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_initialise, 1, &context), 0);
    EXPECT_TRUE(fault_probe(use_fpu, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_NM);
    EXPECT_FALSE(fault_probe(use_fpu, NULL));
}

TEST("CR2 is what was last stored there")
{
    struct access a = {.value = 0x123456789};

    EXPECT_FALSE(fault_probe(write_cr2, &a));
    EXPECT_EQ(shared_info->vcpu_info[0].arch.cr2, 0x123456789);
    a.value = 0;
    EXPECT_FALSE(fault_probe(read_cr2, &a));
    EXPECT_EQ(a.value, 0x123456789);
}

TEST("CR3 is the machine address of the tables, and only of tables")
{
    const void *base = (const void *)(uintptr_t)start_info->pt_base;
    struct access a = {.value = 0};
    const uint64_t bad[] = {0, machine_of(page_at(0)), PTE_FRAME, 1UL << 45,
                            machine_of(builders_table(page_at(0), 3))};

    EXPECT_FALSE(fault_probe(read_cr3, &a));
    EXPECT_EQ(a.value, machine_of(base));
    EXPECT_FALSE(fault_probe(write_cr3, &a));
    for (unsigned int i = 0; i < 5; i++) {
        a.value = bad[i];
        EXPECT_TRUE(fault_probe(write_cr3, &a));
        EXPECT_EQ(trap_seen.vector, TRAP_GP);
    }
    memcpy(page_at(0), base, PAGE_SIZE);
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    a.value = machine_of(page_at(0));
    EXPECT_FALSE(fault_probe(write_cr3, &a));
    EXPECT_FALSE(fault_probe(read_cr3, &a));
    EXPECT_EQ(a.value, machine_of(page_at(0)));
    a.value = machine_of(base);
    EXPECT_FALSE(fault_probe(write_cr3, &a));
}

TEST("CR4 shows what can be had, and what cannot is dropped")
{
    struct access a;
    uint64_t first;

    REQUIRE(!fault_probe(read_cr4, &a));
    first = a.value;
    EXPECT_EQ(first & 0x620, 0x620); /* PAE, OSFXSR, OSXMMEXCPT */
    for (unsigned int bit = 0; bit < 64; bit++) {
        /* Not TSD, DE, FSGSBASE, OSXSAVE: these are the guest's. */
        if (bit == 2 || bit == 3 || bit == 16 || bit == 18)
            continue;
        a.value = first ^ 1UL << bit;
        EXPECT_FALSE(fault_probe(write_cr4, &a));
        EXPECT_FALSE(fault_probe(read_cr4, &a));
        EXPECT_EQ(a.value, first);
    }
    a.value = first | 0x8;
    EXPECT_FALSE(fault_probe(write_cr4, &a));
    EXPECT_FALSE(fault_probe(read_cr4, &a));
    EXPECT_EQ(a.value, first | 0x8);
    /* Then a breakpoint for I/O may be set, and 4 is not 6. */
    EXPECT_EQ(hypercall2(HYPERCALL_set_debugreg, 7, 2UL << 16), 0);
    EXPECT_EQ(hypercall1(HYPERCALL_get_debugreg, 4), -ABI_ENODEV);
    EXPECT_EQ(hypercall2(HYPERCALL_set_debugreg, 7, 0), 0);
    a.value = first;
    EXPECT_FALSE(fault_probe(write_cr4, &a));
}

TEST("there is no CR8")
{
    struct access a = {.value = 0};

    EXPECT_TRUE(fault_probe(read_cr8, &a));
    EXPECT_TRUE(fault_probe(write_cr8, &a));
}

/* Registers that some guest may read; all others it may not. */
static bool may_read(uint32_t index)
{
    static const struct {
        uint32_t first, last;
    } known[] = {
        {0x10, 0x10},
        {0x17, 0x17},
        {0x1b, 0x1b},
        {0x3a, 0x3a},
        {0x48, 0x49},
        {0x8b, 0x8b},
        {0xce, 0xce},
        {0x10a, 0x10b},
        {0x140, 0x140},
        {0x179, 0x17b},
        {0x198, 0x199},
        {0x19c, 0x19c},
        {0x1a0, 0x1a0},
        {0x1d9, 0x1d9},
        {0x277, 0x277},
        {0x280, 0x29f},
        {0x345, 0x345},
        {0x400, 0x47f},
        {0x40000000, 0x40000000},
        {0xc0000080, 0xc0000080},
        {0xc0000100, 0xc0000103},
        {0xc0010010, 0xc0010010},
        {0xc0010015, 0xc0010015},
        {0xc001001f, 0xc001001f},
        {0xc0010044, 0xc0010047},
        {0xc0010055, 0xc0010055},
        {0xc0010058, 0xc0010058},
        {0xc0010061, 0xc001006b},
        {0xc0011019, 0xc001101b},
        {0xc0011027, 0xc0011027},
        {0xc0011029, 0xc0011029},
        {0xc0000408, 0xc000040a},
        {0x0, 0x1},
        {0xc0000400, 0xc0000407},
        {0xc0002000, 0xc0002fff},
    };

    for (unsigned int i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (index >= known[i].first && index <= known[i].last)
            return true;
    return false;
}

/* Those that a guest sets for itself. */
static bool is_own(uint32_t index)
{
    return index == 0x40000000 || index == 0xc0000080 ||
           (index >= 0xc0000100 && index <= 0xc0000103) ||
           (index >= 0x179 && index <= 0x17b) || /* machine checks, if any */
           (index >= 0x400 && index <= 0x47f);
}

static const struct {
    uint32_t first, count;
} msr_ranges[] = {{0, 0x1200},        {0x1c00, 0x10},      {0x40000000, 0x110},
                  {0x4b564d00, 8},    {0xc0000000, 0x420}, {0xc0010000, 0x120},
                  {0xc0010200, 0x80}, {0xc0011000, 0x40},  {0x80000000, 4},
                  {0xfffffff0, 16}};
#define MSR_RANGES (sizeof(msr_ranges) / sizeof(msr_ranges[0]))

TEST("registers that are not known to be harmless cannot be read")
{
    uint64_t value;

    CAIRN_ONLY("it shows old counters, and what drivers look for");
    for (unsigned int r = 0; r < MSR_RANGES; r++)
        for (uint32_t i = 0; i < msr_ranges[r].count; i++) {
            uint32_t index = msr_ranges[r].first + i;

            if (rdmsr(index, &value) && !may_read(index))
                EXPECT_EQ(index, 0);
        }
}

TEST("no register of the machine's can be changed")
{
    uint64_t before, after;

    for (unsigned int r = 0; r < MSR_RANGES; r++)
        for (uint32_t i = 0; i < msr_ranges[r].count; i++) {
            uint32_t index = msr_ranges[r].first + i;
            bool readable;

            if (is_own(index))
                continue;
            readable = rdmsr(index, &before);
            (void)wrmsr(index, 0);
            (void)wrmsr(index, 0xffff82d040200000);
            (void)wrmsr(index, ~0UL);
            if (readable && index != 0x10) {
                EXPECT_TRUE(rdmsr(index, &after));
                if (before != after) {
                    EXPECT_EQ(index, 0);
                    EXPECT_EQ(after, before);
                }
            }
        }
}

TEST("what leads into the hypervisor can be neither read nor written")
{
    /* SYSENTER's three, STAR, LSTAR, CSTAR, FMASK. */
    static const uint32_t ways[] = {
        0x174, 0x175, 0x176, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084};
    uint64_t value;

    for (unsigned int i = 0; i < 7; i++) {
        EXPECT_FALSE(rdmsr(ways[i], &value));
        EXPECT_FALSE(wrmsr(ways[i], 0xe033));
    }
}

TEST("bases that are not canonical are #GP")
{
    static const uint64_t bad[] = {0x0000800000000000, 0x8000000000000000,
                                   0xffff7fffffffffff};
    uint64_t before, after;

    for (uint32_t index = 0xc0000100; index <= 0xc0000102; index++) {
        EXPECT_TRUE(rdmsr(index, &before));
        for (unsigned int i = 0; i < 3; i++)
            EXPECT_FALSE(wrmsr(index, bad[i]));
        EXPECT_TRUE(rdmsr(index, &after));
        EXPECT_EQ(after, before);
        EXPECT_TRUE(wrmsr(index, 0xffff830000000000));
        EXPECT_TRUE(rdmsr(index, &after));
        EXPECT_EQ(after, 0xffff830000000000);
        EXPECT_TRUE(wrmsr(index, before));
    }
}

TEST("EFER stays as it is")
{
    uint64_t efer;

    REQUIRE(rdmsr(0xc0000080, &efer));
    EXPECT_EQ(efer & 0x1d01, 0xd01); /* SCE, LME, LMA, NX, but not SVME */
    EXPECT_TRUE(wrmsr(0xc0000080, efer));
    for (unsigned int bit = 0; bit < 64; bit++)
        EXPECT_FALSE(wrmsr(0xc0000080, efer ^ 1UL << bit));
}

TEST("a hypercall page is written into a page of ours only")
{
    uint64_t m = machine_of(page_at(0));

    EXPECT_TRUE(wrmsr(0x40000000, m));
    EXPECT_EQ(page_at(0)[0] & 0xffffff, 0x534151); /* push rcx, push r11 */
    EXPECT_FALSE(wrmsr(0x40000000, m | 1));
    EXPECT_FALSE(wrmsr(0x40000000, PTE_FRAME));
    EXPECT_FALSE(wrmsr(0x40000000, 1UL << 45));
    memset(page_at(0), 0, PAGE_SIZE);
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    for (unsigned int level = 1; level <= 4; level++) {
        REQUIRE_EQ(pin(page_at(0), level), 0);
        EXPECT_FALSE(wrmsr(0x40000000, m));
        EXPECT_EQ(page_at(0)[0], 0);
        REQUIRE_EQ(unpin(page_at(0)), 0);
    }
}

/* A port that nothing is at. */
#define NO_PORT 0x5550U

static void read_port(void *a)
{
    struct access *access = a;
    uint32_t value = 0;

    __asm__ volatile("inl %w1, %0" : "=a"(value) : "d"(access->index));
    access->value = value;
}

static void write_port(void *a)
{
    struct access *access = a;

    __asm__ volatile("outl %0, %w1"
                     :
                     : "a"((uint32_t)access->value), "d"(access->index));
}

static long set_iopl(uint32_t iopl)
{
    struct physdev_set_iopl op = {.iopl = iopl};

    return hypercall2(HYPERCALL_physdev_op, PHYSDEVOP_set_iopl,
                      hypercall_ptr(&op));
}

static long set_bitmap(const void *bitmap, uint32_t ports)
{
    struct physdev_set_iobitmap op = {.bitmap = hypercall_ptr(bitmap),
                                      .nr_ports = ports};

    return hypercall2(HYPERCALL_physdev_op, PHYSDEVOP_set_iobitmap,
                      hypercall_ptr(&op));
}

TEST("ports are #GP until the level or the bitmap allows them")
{
    struct access a = {.index = NO_PORT, .value = 0};

    EXPECT_TRUE(fault_probe(read_port, &a));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_TRUE(fault_probe(write_port, &a));
    EXPECT_EQ(set_iopl(4), -ABI_EINVAL);
    EXPECT_EQ(set_iopl(1), 0);
    EXPECT_FALSE(fault_probe(read_port, &a));
    EXPECT_EQ(a.value, 0xffffffff);
    EXPECT_FALSE(fault_probe(write_port, &a));
    EXPECT_EQ(set_iopl(0), 0);
    EXPECT_TRUE(fault_probe(read_port, &a));

    memset(page_at(0), 0xff, 2 * PAGE_SIZE);
    EXPECT_EQ(set_bitmap(page_at(0), 65536), 0);
    EXPECT_TRUE(fault_probe(read_port, &a));
    ((uint8_t *)page_at(0))[NO_PORT / 8] = 0xf0;
    EXPECT_FALSE(fault_probe(read_port, &a));
    EXPECT_EQ(a.value, 0xffffffff);
    ((uint8_t *)page_at(0))[NO_PORT / 8] = 0xf8; /* the last byte's port */
    EXPECT_TRUE(fault_probe(read_port, &a));
    EXPECT_EQ(set_bitmap(page_at(0), NO_PORT), 0); /* it ends before */
    EXPECT_TRUE(fault_probe(read_port, &a));
    EXPECT_EQ(set_bitmap(page_at(0), 65537), -ABI_EINVAL);
    EXPECT_EQ(set_bitmap((const void *)0xffff830000000000, 65536), -ABI_EINVAL);
    EXPECT_EQ(set_bitmap(NULL, 0), 0);
}

TEST("a bitmap that is gone allows nothing")
{
    struct access a = {.index = NO_PORT};

    EXPECT_EQ(set_bitmap(page_at(0), 65536), 0);
    EXPECT_EQ(map_at(page_at(2), 0), 0);
    EXPECT_EQ(
        map_at((uint8_t *)page_at(0) + NO_PORT / 8 / PAGE_SIZE * PAGE_SIZE, 0),
        0);
    EXPECT_TRUE(fault_probe(read_port, &a));
    EXPECT_EQ(set_bitmap(NULL, 0), 0);
}

TEST("the machine's ports read as if nothing were there")
{
    static const uint32_t ports[] = {0x20,  0x40,  0x60,  0x70,  0x80,
                                     0x3f8, 0x3fc, 0xcf8, 0xcfc, 0x604};

    SKIP_ON_XEN_DOM0("there it has the machine's ports");
    EXPECT_EQ(set_iopl(1), 0);
    for (unsigned int i = 0; i < 10; i++) {
        struct access a = {.index = ports[i], .value = 0x2000};

        EXPECT_FALSE(fault_probe(write_port, &a));
        EXPECT_FALSE(fault_probe(read_port, &a));
        if (ports[i] != 0xcf8 && ports[i] != 0x60 && ports[i] != 0x40 &&
            ports[i] != 0x70)
            EXPECT_EQ(a.value, 0xffffffff);
    }
    EXPECT_EQ(set_iopl(0), 0);
}

struct leaf {
    uint32_t a, b, c, d;
};

static struct leaf cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct leaf l = {.a = leaf, .c = subleaf};

    __asm__ volatile(FORCED_EMULATION_PREFIX "cpuid"
                     : "+a"(l.a), "=b"(l.b), "+c"(l.c), "=d"(l.d));
    return l;
}

TEST("features that no guest of class pv can have are hidden")
{
    struct leaf l = cpuid(1, 0);

    EXPECT_EQ(l.c >> 31, 1);
    EXPECT_EQ(l.b >> 24, 0);
    /* DTES64, MONITOR, DS-CPL, VMX, SMX, EIST, TM2, PDCM, PCID, DCA, deadline
     */
    EXPECT_EQ(l.c & 0x010681fc, 0);
    /* VME, PSE, PGE, PSE36, DS, ACPI, TM; MTRR is for who has devices */
    EXPECT_EQ(l.d & 0x2062200a, 0);
    EXPECT_TRUE((l.d & 0x1000) == 0 || (on_xen && initial_domain));
    l = cpuid(7, 0);
    EXPECT_EQ(l.b & 0x00100480U, 0); /* SMEP, SMAP, INVPCID */
    EXPECT_EQ(l.c & 0x0001001cU, 0); /* UMIP, PKU, OSPKE, LA57 */
    l = cpuid(0x80000001, 0);
    EXPECT_EQ(l.d & 1U << 26, 0); /* PAGE1GB */
    EXPECT_EQ(l.c & 1U << 2, 0);  /* SVM */
    l = cpuid(0xa, 0);
    EXPECT_EQ(l.a | l.b | l.c | l.d, 0);
    l = cpuid(0x8000000a, 0);
    EXPECT_EQ(l.a | l.b | l.c | l.d, 0);
    l = cpuid(0x40000000, 0);
    EXPECT_EQ(l.b, 0x566e6558);
    EXPECT_EQ(l.a & 0xffffff00, 0x40000000);
}
