/* SPDX-License-Identifier: BSD-2-Clause */
/* The debug keys, as the linker has gathered them. */

#include "arch/x86_64/smp.h"

extern const struct debug_key debug_keys_start[], debug_keys_end[];

static void print_help(void)
{
    for (const struct debug_key *k = debug_keys_start; k < debug_keys_end; k++)
        log_info("  %c  %s", k->key, k->help);
}
DEBUG_KEY('?', "this list", print_help);

static void print_interrupts(void)
{
    for (unsigned int cpu = 0; cpu < cpu_count; cpu++) {
        const struct cpu_counts *n = &per_cpu(cpu_counts, cpu);

        log_info("CPU %u: %lu of the timer, %lu of devices, %lu of the "
                 "console, %lu of CPUs, %lu NMIs, %lu stray",
                 cpu, n->timer, n->device, n->console, n->ipi, n->nmi,
                 n->stray);
        log_info("  %lu IPIs sent, %lu flushes, %lu CR3 loads", n->ipis_sent,
                 n->flushes, n->cr3_loads);
    }
}
DEBUG_KEY('i', "interrupts taken and sent, flushes", print_interrupts);

void debug_key_press(char key)
{
    for (const struct debug_key *k = debug_keys_start; k < debug_keys_end; k++)
        if (k->key == key) {
            log_info("debug key %c: %s", key, k->help);
            k->print();
            return;
        }
    if (key > ' ' && key < 0x7f)
        log_info("no debug key %c; ? lists them", key);
}
