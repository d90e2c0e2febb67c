/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercall handlers, one per line of abi/hypercalls.def.
 *
 * Each takes the guest's five argument registers and returns what goes to
 * rax.  A handler that has done a quantum of work stores its progress in the
 * guest's argument registers (or structures) and returns
 * hypercall_continue(): the guest makes the same call again by itself, after
 * whatever is pending was delivered.
 */

#ifndef HYPERCALL_HYPERCALL_H
#define HYPERCALL_HYPERCALL_H

#include <stdint.h>

#include "arch/x86_64/regs.h"

#define HYPERCALL(number, name, args)                                          \
    long hypercall_##name(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,  \
                          uint64_t a5);
#include <abi/hypercalls.def>
#undef HYPERCALL

/* Returned by a handler that must be made again; never seen by a guest. */
long hypercall_continue(void);

/* Call number @nr: for dispatch and multicall.  -ENOSYS if there is none. */
long hypercall_call(uint64_t nr, const uint64_t args[5]);

#endif /* HYPERCALL_HYPERCALL_H */
