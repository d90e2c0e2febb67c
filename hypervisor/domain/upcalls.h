/* SPDX-License-Identifier: BSD-2-Clause */
/* What the domain room calls in the rooms above it, to make and unmake. */

#pragma once

#include "core/upcalls.h"
#include "domain/vcpu.h"

/* Event room. */
int __must_check upcall_events_create(struct domain *d, uint32_t max_ports);
bool upcall_events_destroy(struct domain *d); /* a quantum; true when done */
void upcall_events_free(struct domain *d);    /* with the last reference */
void upcall_vcpu_timer(struct vcpu *v);       /* raise VIRQ_TIMER */
void upcall_raise_late(void); /* what could not be raised at its time */

/* Grant room. */
int __must_check upcall_grants_create(struct domain *d, uint32_t max_frames,
                                      uint32_t max_maptrack);
bool upcall_grants_destroy(struct domain *d);
void upcall_grants_free(struct domain *d);

/* Device room: no more DMA of what is assigned to @d, from now on. */
void upcall_devices_quiesce(struct domain *d);

/*
 * A quantum of the same, of resetting the devices, and only then of letting go
 * of the frames they reached; true when done.
 */
bool upcall_devices_release(struct domain *d);
