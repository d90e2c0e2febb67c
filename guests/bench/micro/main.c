/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bench guest: what single operations of the hypervisor cost.  The same
 * image is the initial domain of Cairn, in class light or pv, and of Xen, in
 * class pv. It starts as the conformance guests do, and its operations are on
 * itself.
 */

#include "framework/test.h"

#include "micro/entry.h"
#include "micro/measure.h"

static void measure_all(void)
{
    measure_hypercalls();
    measure_events();
    measure_grants();
    measure_traps();
    measure_memory();
    measure_tables();
    measure_spaces();
}

_Noreturn void guest_main(void)
{
    static const struct operation thousand = {.name = "thousand_nops",
                                              .run = micro_thousand};

    unsigned int crowd = (unsigned int)option_number("crowd", 0);

    measure_init();
    measure(&thousand);
    if (crowd)
        measure_crowd(crowd);
    else
        measure_from_upper_half(measure_all);
    print("@@ bench done\n");
    machine_end(on_cairn ? SHUTDOWN_poweroff : SHUTDOWN_reboot);
}
