/* SPDX-License-Identifier: BSD-2-Clause */
/* VCPUOP_initialise: the registers and handlers a further vCPU begins with. */

#ifndef HYPERCALL_VCPU_CONTEXT_H
#define HYPERCALL_VCPU_CONTEXT_H

#include <abi/vcpu.h>

#include "pv/guest_copy.h"

struct vcpu;

/*
 * Errors as VCPUOP_initialise has them: -EFAULT, -EEXIST it has registers,
 * -EINVAL an address or size that cannot be, -ENOMEM.
 */
long vcpu_initialise(struct vcpu *v, struct guest_ptr arg);

#endif /* HYPERCALL_VCPU_CONTEXT_H */
