/* SPDX-License-Identifier: BSD-2-Clause */
/* Every register before and after a hypercall. */

#ifndef HYPERCALLS_REGISTERS_H
#define HYPERCALLS_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

struct registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rflags;
    uint64_t xmm[16][2];
};

_Static_assert(offsetof(struct registers, rflags) == 120, "registers.S");
_Static_assert(offsetof(struct registers, xmm) == 128, "registers.S");

void call_with_registers(struct registers *r);

#endif /* HYPERCALLS_REGISTERS_H */
