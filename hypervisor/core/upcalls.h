/* SPDX-License-Identifier: BSD-2-Clause */
/* What the core room calls in the rooms above it. */

#pragma once

/* Raise VIRQ_* @virq, a global one, of the initial domain.  Event room. */
void upcall_raise_global(uint32_t virq);

/* A line was added to the log; any lock may be held.  Event room. */
void upcall_log_grew(void);
