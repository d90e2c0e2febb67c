/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks by running, faulting and crashing. */

#include "attack/attack.h"

#include <abi/hypercall.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/test.h"

extern const char rt_text_start[];

void attack_crash(void)
{
    hypercall_set_trap_table(NULL);
    *(volatile int *)8 = 1;
}

/* A processor is taken by the hypervisor's timer or not at all. */
void attack_loop(void)
{
    mask_upcalls();
    __asm__ volatile("1: jmp 1b");
}

void attack_loop_open(void)
{
    unmask_upcalls();
    __asm__ volatile("1: pause; jmp 1b");
}

static void write_text(void *where)
{
    *(volatile uint8_t *)where = 0x90;
}

void attack_text(void)
{
    uint8_t before = (uint8_t)rt_text_start[64];

    for (uint64_t n = rounds(20000); n > 0; n--) {
        if (!fault_probe(write_text, (void *)(uintptr_t)(rt_text_start + 64)))
            broken("text was written", n);
    }
    if ((uint8_t)rt_text_start[64] != before)
        broken("text has changed", (uint8_t)rt_text_start[64]);
    /* Data that is run is no better. */
    for (uint64_t n = rounds(2000); n > 0; n--) {
        static uint8_t code[16] = {0xc3};

        if (!fault_probe((void (*)(void *))(uintptr_t)code, NULL))
            broken("data was executed", n);
    }
}

static void bad_access(void *unused)
{
    (void)unused;
    *(volatile uint8_t *)random_next();
}

/* Exceptions as fast as they go. */
void attack_faults(void)
{
    for (uint64_t n = rounds(50000); n > 0; n--)
        fault_probe(bad_access, NULL);
}

void attack_yield(void)
{
    for (;;)
        hypercall_sched_op(SCHEDOP_yield, NULL);
}
