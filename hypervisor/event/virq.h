/* SPDX-License-Identifier: BSD-2-Clause */
/* Which virtual interrupts each vCPU has for itself. */

#ifndef EVENT_VIRQ_H
#define EVENT_VIRQ_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/event_channel.h>

static inline bool virq_is_per_vcpu(uint32_t virq)
{
    return virq == VIRQ_TIMER || virq == VIRQ_DEBUG || virq == VIRQ_XENPROF ||
           virq == VIRQ_XENPMU;
}

#endif /* EVENT_VIRQ_H */
