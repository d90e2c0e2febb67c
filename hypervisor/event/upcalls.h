/* SPDX-License-Identifier: BSD-2-Clause */
/* What the event room calls in the rooms above it. */

#pragma once

struct domain;

/*
 * @port of @d, bound to device interrupt @pirq, was closed.  No lock is held.
 * Device room.
 */
void upcall_pirq_closed(struct domain *d, uint32_t pirq, uint32_t port);
