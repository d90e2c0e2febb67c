/* SPDX-License-Identifier: MIT */
/*
 * Hypercall numbers, made from hypercalls.def.
 *
 * The call is SYSCALL with the number in eax and arguments in rdi, rsi, rdx,
 * r10, r8; the result, a signed long, comes back in rax.  rcx and r11 are
 * destroyed, every other register is preserved.
 */

#ifndef ABI_HYPERCALL_H
#define ABI_HYPERCALL_H

enum hypercall_number {
#define HYPERCALL(number, name, args) HYPERCALL_##name = number,
#include <abi/hypercalls.def>
#undef HYPERCALL
};

#endif /* ABI_HYPERCALL_H */
