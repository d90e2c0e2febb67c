/* SPDX-License-Identifier: BSD-2-Clause */
/* What the core room calls in the rooms above it. */

#pragma once

/* Input arrived for the initial domain.  Defined by the event room. */
void upcall_console_input(void);

/* A line was added to the log; any lock may be held.  Event room. */
void upcall_log_grew(void);
