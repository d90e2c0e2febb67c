/* SPDX-License-Identifier: BSD-2-Clause */
/* How a CPU waits: a moment, for an interrupt, for ever. */

#pragma once

/* In a loop that waits for another CPU or a device. */
static inline void cpu_relax(void)
{
    __asm__ __volatile__("pause" ::: "memory");
}

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
