/* SPDX-License-Identifier: BSD-2-Clause */
/* How another CPU comes from real mode to C; trampoline.S. */

#ifndef ARCH_X86_64_TRAMPOLINE_H
#define ARCH_X86_64_TRAMPOLINE_H

#include <stdint.h>

/*
 * Real-mode code to be copied to the page where a CPU starts, anywhere in the
 * first MiB; it is the same wherever it lies.
 */
extern const char trampoline[], trampoline_end[];

/*
 * The stack for the next CPU to arrive, which takes it, sets 0 and calls
 * upcall_start_cpu() on it.  One that finds 0 halts.
 */
extern uint64_t trampoline_stack;

#endif /* ARCH_X86_64_TRAMPOLINE_H */
