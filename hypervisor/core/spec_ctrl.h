/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Defences against reading by speculation: what this processor needs, what
 * the operator wants (spec-ctrl=), and doing it.  docs/threat-model.md has the
 * policy and its reasons.
 */

#pragma once

/* X-macro: SPEC(NAME, name in spec-ctrl=, what it does). */
#define SPEC_DEFENCES(SPEC)                                                    \
    SPEC(XPTI, "xpti") /* guests run on tables without the hypervisor */       \
    SPEC(IBPB, "ibpb") /* branch predictor emptied between domains */          \
    SPEC(VERW, "verw") /* fill buffers emptied between domains */              \
    SPEC(IBRS, "ibrs") /* ring 3 does not steer ring 0's predictions */

enum spec_defence {
#define SPEC_ENUM_(name, text) SPEC_##name,
    SPEC_DEFENCES(SPEC_ENUM_) SPEC_COUNT
};
#define SPEC_BIT(name) (1U << SPEC_##name)

extern uint32_t spec_active; /* SPEC_BIT()s; constant after spec_init() */

/* Decide; after the options are known, before CPUs are set up. */
void spec_init(void);

/* Switch on in this CPU what stays on. */
void spec_init_cpu(void);

void spec_flush_out_of_line(void);

/* This CPU goes from one domain to another. */
static inline void spec_flush(void)
{
    if (unlikely(spec_active & (SPEC_BIT(IBPB) | SPEC_BIT(VERW))))
        spec_flush_out_of_line();
}
