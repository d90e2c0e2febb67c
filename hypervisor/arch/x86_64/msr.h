/* SPDX-License-Identifier: BSD-2-Clause */
/* Model-specific registers: the numbers in use, reading and writing. */

#ifndef ARCH_X86_64_MSR_H
#define ARCH_X86_64_MSR_H

#include "arch/x86_64/ex_table.h"

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

#endif /* ARCH_X86_64_MSR_H */
