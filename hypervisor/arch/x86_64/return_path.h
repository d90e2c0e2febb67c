/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What entry.S looks at when a hypercall is done: whether it may go straight
 * back to the guest, or has to call upcall_return_to_guest() first.
 */

#ifndef ARCH_X86_64_RETURN_PATH_H
#define ARCH_X86_64_RETURN_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/percpu.h"

/* There is work, or the guest's frame may no longer be fit for SYSRET. */
DECLARE_PER_CPU(bool, slow_return);

/*
 * Two bytes of the guest's: an upcall is due when the first is not 0 and the
 * second is.
 */
DECLARE_PER_CPU(const uint8_t *, upcall_bytes);

static inline void return_slowly(void)
{
    this_cpu(slow_return) = true;
}

#endif /* ARCH_X86_64_RETURN_PATH_H */
