/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions handed to the guest's kernel, and emulated instructions. */

#include "micro/measure.h"

#include <abi/hypercall.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/machine.h"
#include "framework/print.h"
#include "framework/trap.h"

#include "micro/entry.h"

#define MSR_FS_BASE 0xc0000100U
#define CR0_PG      0x80000000L

PAGES(hole, 1);

static uint64_t faults_before;

static void count_faults(void)
{
    faults_before = micro_faults;
}

static long check_fault(long rc)
{
    return rc != 0 || micro_faults == faults_before + 1 ? rc : 1;
}

static void measure_fault(const char *name, const char *handler)
{
    struct trap_info table[2] = {
        {.vector = TRAP_PF,
         .cs = FLAT_RING3_CS64,
         .address = hypercall_ptr(handler)},
    };
    struct operation op = {name, micro_fault, count_faults, check_fault};

    if (hypercall_set_trap_table(table) == 0)
        measure(&op);
}

OPERATION(forced_cpuid)
{
    uint32_t a = 0, b, c = 0, d;

    __asm__ volatile(FORCED_EMULATION_PREFIX "cpuid"
                     : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return a;
}

/* Leaf 0 says which leaves there are, and there are some. */
static long check_cpuid(long rc)
{
    return rc > 0 ? 0 : 1;
}

/* A register that class pv may read: its own base of FS. */
OPERATION(read_msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_FS_BASE));
    return (long)(low | high);
}

OPERATION(read_cr0)
{
    long cr0;

    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    return cr0;
}

static long check_cr0(long rc)
{
    return rc & CR0_PG ? 0 : 1;
}

static void measure_emulated(void)
{
    static const struct operation msr = {"rdmsr", read_msr, NULL, NULL};
    static const struct operation cr0 = {"read_cr0", read_cr0, NULL, check_cr0};

    measure(&msr);
    measure(&cr0);
}

void measure_traps(void)
{
    static const struct operation cpuid = {"forced_cpuid", forced_cpuid, NULL,
                                           check_cpuid};

    micro_hole = hypercall_ptr(upper(hole));
    if (guard_page(hole)) {
        measure_fault("page_fault_iret_hypercall", micro_fault_hypercall);
        measure_fault("page_fault_iretq", micro_fault_iretq);
    } else {
        print("no guard page\n");
    }
    traps_init();
    measure(&cpuid);
    if (!on_cairn)
        measure_emulated();
}
