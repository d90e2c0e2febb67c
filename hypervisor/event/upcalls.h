/* SPDX-License-Identifier: BSD-2-Clause */
/* What the event room calls in the rooms above it. */

#ifndef EVENT_UPCALLS_H
#define EVENT_UPCALLS_H

#include <stdint.h>

/* The port bound to device interrupt @pirq was closed.  Device room. */
void upcall_pirq_closed(uint32_t pirq);

#endif /* EVENT_UPCALLS_H */
