/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions handed to the guest's kernel, and the emulated CPUID. */

#include "micro/measure.h"

#include <abi/hypercall.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/machine.h"
#include "framework/print.h"
#include "framework/trap.h"

#include "micro/entry.h"

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

void measure_traps(void)
{
    static const struct operation cpuid = {"forced_cpuid", forced_cpuid, NULL,
                                           check_cpuid};

    micro_hole = hypercall_ptr(hole);
    if (guard_page(hole)) {
        measure_fault("page_fault_iret_hypercall", micro_fault_hypercall);
        measure_fault("page_fault_iretq", micro_fault_iretq);
    } else {
        print("no guard page\n");
    }
    traps_init();
    measure(&cpuid);
}
