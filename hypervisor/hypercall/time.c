/* SPDX-License-Identifier: BSD-2-Clause */
/* set_timer_op: the vCPU's one-shot timer. */

#include "domain/vcpu.h"
#include "hypercall/hypercall.h"

long hypercall_set_timer_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                            uint64_t a5)
{
    (void)a2, (void)a3, (void)a4, (void)a5;
    vcpu_set_timer(current, a1);
    return 0;
}
