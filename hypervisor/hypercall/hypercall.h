/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercall handlers, one per line of abi/hypercalls.def.
 *
 * Each takes as many of the guest's argument registers as it has arguments, and
 * returns what goes to rax.  A handler that has done a quantum of work stores
 * its progress, with hypercall_set_arg() or in the guest's own structure, and
 * returns hypercall_continue(): the guest makes the same call again by itself,
 * after whatever is pending was delivered.  It works the same inside a
 * multicall.
 *
 * A copy that found no memory makes the call again too, from its beginning and
 * once there is memory; its handler just returns the -EFAULT it got.  So what
 * a handler changes must wait for its arguments to be read.
 */

#pragma once

#include "domain/vcpu.h"
#include "pv/guest_copy.h"

#define HYPERCALL_PARAMS_0 void
#define HYPERCALL_PARAMS_1 uint64_t a1
#define HYPERCALL_PARAMS_2 uint64_t a1, uint64_t a2
#define HYPERCALL_PARAMS_3 uint64_t a1, uint64_t a2, uint64_t a3
#define HYPERCALL_PARAMS_4 uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4
#define HYPERCALL(number, name, args)                                          \
    long hypercall_##name(HYPERCALL_PARAMS_##args);
#include <abi/hypercalls.def>
#undef HYPERCALL

/* The value to return when the call is to be made again. */
long __must_check hypercall_continue(void);

/* Argument @n, 1 to 5, of the call as it will be made again. */
void hypercall_set_arg(unsigned int n, uint64_t value);

/*
 * What a number that is none of ours, but one of Xen's, is answered; beyond the
 * last of them there is only -ENOSYS.
 */
#define HYPERCALL_REFUSED_LAST 48U
long hypercall_refused(uint64_t nr, uint64_t a1);

/*
 * Whom a call is about: the domain that @domid names, held.  -ESRCH: there is
 * none; -EPERM: it is not the caller, which may not do @operation to others.
 */
int __must_check subject_get(domid_t domid, enum policy_operation operation,
                             struct domain **subject);

/*
 * VCPUOP_initialise: the registers and handlers that a further vCPU begins
 * with.  -EFAULT, -EEXIST it has registers, -EINVAL an address or size that
 * cannot be, -ENOMEM.
 */
long vcpu_initialise(struct vcpu *v, struct guest_ptr arg);

/*
 * Inside a multicall, what is not made of it yet; else NULL.  The arguments of
 * the call being made are then not in the guest's registers but in its list.
 */
struct list_rest;
DECLARE_PER_CPU(struct list_rest *, multicall_rest);
void multicall_set_arg(struct list_rest *rest, unsigned int n, uint64_t value);
