/* SPDX-License-Identifier: BSD-2-Clause */
/* Until the vCPU's side is there. */

#include "domain/pv_vcpu.h"

__attribute__((weak)) void pv_set_ldt(struct vcpu *v, uint64_t base,
                                      uint32_t entries)
{
    (void)v, (void)base, (void)entries;
}
