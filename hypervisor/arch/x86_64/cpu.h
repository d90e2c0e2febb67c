/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor's registers and its single instructions. */

#pragma once

#include "arch/x86_64/guest_access.h"

#define CR0_MP (1UL << 1)
#define CR0_EM (1UL << 2)
#define CR0_TS (1UL << 3)
#define CR0_NE (1UL << 5)
#define CR0_WP (1UL << 16)
#define CR0_AM (1UL << 18)

/* No breakpoint is set, none was hit; SDM 3, table 9-1. */
#define DR7_NONE 0x400UL
#define DR6_NONE 0xffff0ff0UL

/* States that XSAVE keeps. */
#define XCR0_X87    (1UL << 0)
#define XCR0_SSE    (1UL << 1)
#define XCR0_AVX    (1UL << 2)
#define XCR0_AVX512 (7UL << 5) /* all of it or nothing */

#define CR4_TSD        (1UL << 2)
#define CR4_DE         (1UL << 3)
#define CR4_PAE        (1UL << 5)
#define CR4_MCE        (1UL << 6)
#define CR4_PGE        (1UL << 7)
#define CR4_OSFXSR     (1UL << 9)
#define CR4_OSXMMEXCPT (1UL << 10)
#define CR4_UMIP       (1UL << 11)
#define CR4_FSGSBASE   (1UL << 16)
#define CR4_OSXSAVE    (1UL << 18)
#define CR4_SMEP       (1UL << 20)
#define CR4_SMAP       (1UL << 21)

/* The model-specific registers in use. */
#define MSR_APIC_BASE    0x0000001bU
#define MSR_TSC_ADJUST   0x0000003bU
#define MSR_X2APIC_FIRST 0x00000800U /* register 0 of the x2APIC */
#define MSR_EFER         0xc0000080U
#define MSR_STAR         0xc0000081U
#define MSR_LSTAR        0xc0000082U
#define MSR_CSTAR        0xc0000083U
#define MSR_SYSCALL_MASK 0xc0000084U
#define MSR_FS_BASE      0xc0000100U
#define MSR_GS_BASE      0xc0000101U
#define MSR_GS_INACTIVE  0xc0000102U
#define MSR_TSC_AUX      0xc0000103U

#define EFER_SCE (1UL << 0)  /* SYSCALL */
#define EFER_NXE (1UL << 11) /* no-execute pages */

#define APIC_BASE_X2APIC (1UL << 10)
#define APIC_BASE_ENABLE (1UL << 11)

/*
 * read_cr0(), write_cr0() and so on.  CR2 is the address of the last page
 * fault; writing CR3 forgets all translations but global ones.  DR6 says what
 * caused a #DB; DR7 switches breakpoints on.
 */
#define CONTROL_REGISTER_(reg)                                                 \
    static inline uint64_t read_##reg(void)                                    \
    {                                                                          \
        uint64_t value;                                                        \
                                                                               \
        __asm__ __volatile__("mov %%" #reg ", %0" : "=r"(value) : : "memory"); \
        return value;                                                          \
    }                                                                          \
    static inline void write_##reg(uint64_t value)                             \
    {                                                                          \
        __asm__ __volatile__("mov %0, %%" #reg : : "r"(value) : "memory");     \
    }
CONTROL_REGISTER_(cr0)
CONTROL_REGISTER_(cr2)
CONTROL_REGISTER_(cr3)
CONTROL_REGISTER_(cr4)
CONTROL_REGISTER_(dr6)
CONTROL_REGISTER_(dr7)
#undef CONTROL_REGISTER_

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ __volatile__("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

/* Memory is clobbered: what the MSR governs must not move across it. */
static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ __volatile__("wrmsr"
                         :
                         : "c"(msr), "a"((uint32_t)(value & 0xffffffffUL)),
                           "d"((uint32_t)(value >> 32))
                         : "memory");
}

/* False: there is no such register. */
static inline bool __must_check rdmsr_safe(uint32_t msr, uint64_t *value)
{
    uint32_t low = 0, high = 0, found = 0;

    __asm__ __volatile__("1: rdmsr\n"
                         "   mov $1, %[found]\n"
                         "2:\n" EX_TABLE(1b, 2b)
                         : "+a"(low), "+d"(high), [found] "+r"(found)
                         : "c"(msr));
    *value = (uint64_t)high << 32 | low;
    return found;
}

/* Exchange the two GS bases. */
static inline void swapgs(void)
{
    __asm__ __volatile__("swapgs" ::: "memory");
}

/* port_read8(), port_write8() and so on. */
#define PORT_ACCESS_(bits, suffix)                                             \
    static inline uint##bits##_t port_read##bits(uint16_t port)                \
    {                                                                          \
        uint##bits##_t value;                                                  \
                                                                               \
        __asm__ __volatile__("in" suffix " %1, %0"                             \
                             : "=a"(value)                                     \
                             : "Nd"(port));                                    \
        return value;                                                          \
    }                                                                          \
    static inline void port_write##bits(uint16_t port, uint##bits##_t value)   \
    {                                                                          \
        __asm__ __volatile__("out" suffix " %0, %1"                            \
                             :                                                 \
                             : "a"(value), "Nd"(port));                        \
    }
PORT_ACCESS_(8, "b")
PORT_ACCESS_(16, "w")
PORT_ACCESS_(32, "l")
#undef PORT_ACCESS_

/* CR0.TS off: the FPU may be used. */
static inline void clts(void)
{
    __asm__ __volatile__("clts" ::: "memory");
}

struct cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r;

    __asm__ __volatile__("cpuid"
                         : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                         : "a"(leaf), "c"(subleaf));
    return r;
}

/* Check a selector; since a microcode update, empty the fill buffers too. */
static inline void verw(uint16_t selector)
{
    __asm__ __volatile__("verw %0" : : "m"(selector) : "cc", "memory");
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ __volatile__("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Not before all that stands before it is done. */
static inline uint64_t rdtsc_ordered(void)
{
    __asm__ __volatile__("lfence" ::: "memory");
    return rdtsc();
}

/* In a loop that waits for another CPU or a device. */
#ifdef UNIT_TEST
int sched_yield(void);
#define cpu_relax() ((void)sched_yield())
#else
static inline void cpu_relax(void)
{
    __asm__ __volatile__("pause" ::: "memory");
}
#endif

/*
 * Sleep until an interrupt, which is taken here before this returns.  STI
 * opens the gate only after the next instruction, so none is lost between.
 */
static inline void cpu_idle(void)
{
    __asm__ __volatile__("sti; hlt; cli" ::: "memory");
}

/* Take here, on this stack, what has come; with no lock held. */
static inline void cpu_take_interrupts(void)
{
    __asm__ __volatile__("sti; nop; cli" ::: "memory");
}

/* For ever. */
static inline void __noreturn cpu_halt(void)
{
    for (;;)
        __asm__ __volatile__("cli; hlt" ::: "memory");
}

static inline bool is_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* What a processor can do. */
struct cpu_features {
    bool fsgsbase, smep, smap, umip, gib_pages, x2apic, pge, tsc_adjust;
    bool xpti;          /* wanted, not a feature; see regs.h */
    uint8_t maddr_bits; /* width of a machine address */
    uint16_t zero;      /* no padding: CPUs are compared byte by byte */
    uint32_t xstate_size;
    uint64_t xcr0; /* what of it guests are offered; 0: no XSAVE */
};
/* What this machine's can; constant after start_processor(). */
extern struct cpu_features cpu_features;

/*
 * Add to @f what this CPU can do.  NULL, or the name of a feature that Cairn
 * needs and it lacks.
 */
const char *__must_check cpu_features_read(struct cpu_features *f);

/* On another CPU: whether it can do what the first one can. */
bool cpu_features_match(void);

/*
 * Switch on in this CPU what all CPUs have: CR0, CR4, EFER; and its hardware
 * breakpoints off.
 */
void cpu_enable_features(void);
