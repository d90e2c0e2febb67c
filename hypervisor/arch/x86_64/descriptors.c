/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables.  The TSS shares the page of the GDT's last entries: both
 * are what the CPU itself reads on every way in.
 */

#include "arch/x86_64/segment.h"

#include "arch/x86_64/regs.h"

DEFINE_PER_CPU(bool, slow_return) = true;
DEFINE_PER_CPU(const uint8_t *, upcall_bytes);
const uint8_t upcall_due[2] = {1, 0};
DEFINE_PER_CPU(uint8_t, guest_mode);
DEFINE_PER_CPU(const struct pv_entry *, pv_entry);

static_assert(CPU_AREA_VARS == CPU_AREA_STACK_TOP,
              "entry.S finds variables behind the stack");
static_assert(CPU_AREAS_BASE + CPU_MAX * CPU_AREA_SIZE <= GDT_AREAS_BASE,
              "the areas fit");

uintptr_t area_of(uintptr_t base, unsigned int cpu)
{
    assert(cpu < CPU_MAX);
    return base + cpu * CPU_AREA_SIZE;
}

#define MSR_SYSENTER_CS 0x174U

/* AMD64 manual 2, section 12.2.5. */
struct __attribute__((packed)) tss {
    uint32_t reserved0;
    uint64_t rsp[3]; /* by ring */
    uint64_t reserved1;
    uint64_t ist[7]; /* ist[0] is IST 1 */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
};
static_assert(sizeof(struct tss) == 104, "the CPU's");

/* The page at selector SELECTOR_RESERVED. */
struct reserved_page {
    uint64_t entry[512 - 128];
    struct tss tss;
};
static_assert(sizeof(struct reserved_page) <= 4096, "one page");

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

struct idt_gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};
static_assert(sizeof(struct idt_gate) == 16, "the CPU's");

#define GATE_INTERRUPT 0x8e /* present, DPL 0; clears IF */
#define GATE_DPL3      0x60

enum { IST_NMI = 1, IST_DF, IST_MC, IST_DB };

/* Made while boot.S's tables let us, and read-only ever after. */
extern char zero_page[];

static struct idt_gate idt[256] __section(".data.rel.ro") __page_aligned;

const void *idt_page(void)
{
    return idt;
}

/* What can strike before the stack is ours has one of its own. */
static const uint8_t ist_of[ARRAY_SIZE(idt)] = {
    [VECTOR_NMI] = IST_NMI,
    [VECTOR_DF] = IST_DF,
    [VECTOR_MC] = IST_MC,
    [VECTOR_DB] = IST_DB,
};

static void make_idt(void)
{
    const char *stubs = cpu_features.xpti ? xpti_vector_stubs : vector_stubs;

    for (unsigned int v = 0; v < ARRAY_SIZE(idt); v++) {
        uint64_t stub = (uintptr_t)stubs + v * VECTOR_STUB_SIZE;
        /* INT n of a guest elsewhere is a #GP that names n. */
        bool guest_may_raise =
            v == VECTOR_BP || v == VECTOR_OF || v == VECTOR_INT80;

        idt[v] = (struct idt_gate){
            .offset_low = (uint16_t)stub,
            .offset_middle = (uint16_t)(stub >> 16),
            .offset_high = (uint32_t)(stub >> 32),
            .selector = SELECTOR_HV_CS,
            .ist = ist_of[v],
            .type = GATE_INTERRUPT | (guest_may_raise ? GATE_DPL3 : 0),
        };
    }
}

static void make_gdt(struct reserved_page *page, unsigned int cpu)
{
    uint64_t tss = (uintptr_t)&page->tss;
    uint64_t *entry = page->entry;

#define ENTRY_(selector) entry[((selector)-SELECTOR_RESERVED) / 8]
    /* Accessed already, so that loading one never writes. */
    ENTRY_(SELECTOR_HV_CS) = 0x00af9b000000ffff;
    ENTRY_(SELECTOR_HV_DS) = 0x00cf93000000ffff;
    ENTRY_(SELECTOR_CS32) = 0x00cffb000000ffff;
    ENTRY_(SELECTOR_DS) = 0x00cff3000000ffff;
    ENTRY_(SELECTOR_CS64) = 0x00affb000000ffff;
    /* An available 64-bit TSS: base in three pieces and an entry more. */
    ENTRY_(SELECTOR_TSS) = (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 |
                           0x89UL << 40 | (tss >> 24 & 0xff) << 56;
    ENTRY_(SELECTOR_TSS + 8) = tss >> 32;
    /* LSL tells a program in ring 3 which CPU it runs on. */
    ENTRY_(SELECTOR_PER_CPU) = 0x0040f50000000000 | cpu;
#undef ENTRY_
}

static void make_tss(struct tss *tss, uintptr_t area)
{
    tss->rsp[0] =
        area + (cpu_features.xpti ? CPU_AREA_ENTRY_TOP : CPU_AREA_STACK_TOP);
    tss->ist[IST_NMI - 1] = area + CPU_AREA_NMI_TOP;
    tss->ist[IST_DF - 1] = area + CPU_AREA_DF_TOP;
    tss->ist[IST_MC - 1] = area + CPU_AREA_MC_TOP;
    tss->ist[IST_DB - 1] = area + CPU_AREA_DB_TOP;
    tss->io_map = sizeof(*tss); /* beyond the limit: no ports for ring 3 */
}

static void load_tables(uintptr_t gdt)
{
    struct table_pointer gdtr = {.limit = GDT_LIMIT, .base = gdt};
    struct table_pointer idtr = {.limit = sizeof(idt) - 1,
                                 .base = (uintptr_t)idt};

    __asm__ __volatile__("lgdt %0\n\t"
                         "push %1\n\t"
                         "lea 1f(%%rip), %%rax\n\t"
                         "push %%rax\n\t"
                         "lretq\n"
                         "1:\n\t"
                         "lidt %2\n\t"
                         "ltr %w3\n\t"
                         "lldt %w4"
                         :
                         : "m"(gdtr), "i"(SELECTOR_HV_CS), "m"(idtr),
                           "r"(SELECTOR_TSS), "r"(0)
                         : "rax", "memory");
}

static void load_syscall_msrs(unsigned int cpu)
{
    const char *stubs = cpu_features.xpti ? xpti_syscall_stubs : syscall_stubs;
    uint64_t stub = (uintptr_t)stubs + cpu * SYSCALL_STUB_SIZE;

    wrmsr(MSR_STAR,
          (uint64_t)SELECTOR_CS32 << 48 | (uint64_t)SELECTOR_HV_CS << 32);
    wrmsr(MSR_LSTAR, stub);
    /*
     * From 32-bit code on AMD's; where programs are that may do it, there is no
     * xpti.  A hypercall may go back into 64-bit code.
     */
    if (!cpu_features.xpti)
        stub = (uintptr_t)syscall32_stubs + cpu * SYSCALL_STUB_SIZE;
    wrmsr(MSR_CSTAR, stub);
    wrmsr(MSR_SYSCALL_MASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL |
                                RFLAGS_NT | RFLAGS_RF | RFLAGS_AC);
    wrmsr(MSR_SYSENTER_CS, 0); /* SYSENTER is a #GP. */
}

void gdt_map(unsigned int page, mfn_t m)
{
    vaddr_t va = area_of(GDT_AREAS_BASE, this_cpu(cpu_id)) + page * PAGE_SIZE;
    maddr_t none = (uintptr_t)zero_page - IMAGE_BASE;

    assert(page < SELECTOR_RESERVED / PAGE_SIZE);
    hv_remap(va, mfn_eq(m, MFN_NONE) ? none | PTE_PRESENT
                                     : pte_make(m, PTE_PRESENT | PTE_WRITE));
}

void ldt_map(unsigned int page, mfn_t m)
{
    assert(page < LDT_PAGES);
    hv_remap(area_of(LDT_AREAS_BASE, this_cpu(cpu_id)) + page * PAGE_SIZE,
             mfn_eq(m, MFN_NONE) ? 0 : pte_make(m, PTE_PRESENT | PTE_WRITE));
}

bool ldt_holds(vaddr_t va)
{
    return va - area_of(LDT_AREAS_BASE, this_cpu(cpu_id)) <
           LDT_PAGES * PAGE_SIZE;
}

void ldt_load(uint32_t entries)
{
    uint64_t base = area_of(LDT_AREAS_BASE, this_cpu(cpu_id));
    uint64_t *descriptor =
        (uint64_t *)(area_of(GDT_AREAS_BASE, this_cpu(cpu_id)) + SELECTOR_LDT);

    if (entries) {
        descriptor[0] = (entries * 8UL - 1) | (base & 0xffffff) << 16 |
                        0x82UL << 40 | (base >> 24 & 0xff) << 56;
        descriptor[1] = base >> 32;
    }
    __asm__ __volatile__("lldt %w0"
                         :
                         : "r"(entries ? SELECTOR_LDT : 0)
                         : "memory");
}

void descriptors_init_cpu(unsigned int cpu)
{
    uintptr_t gdt = area_of(GDT_AREAS_BASE, cpu);
    struct reserved_page *page =
        (struct reserved_page *)(gdt + SELECTOR_RESERVED);

    if (cpu == 0)
        make_idt();
    make_tss(&page->tss, area_of(CPU_AREAS_BASE, cpu));
    make_gdt(page, cpu);
    load_tables(gdt);
    load_syscall_msrs(cpu);
}
