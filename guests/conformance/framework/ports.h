/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channel operations, each as one function with its arguments. */

#ifndef FRAMEWORK_PORTS_H
#define FRAMEWORK_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/event_channel.h>

/* A new port that @remote may bind to; 0: refused, see port_error. */
evtchn_port_t port_alloc_unbound(domid_t remote);

/* A new port bound to @port of @remote; 0: refused, see port_error. */
evtchn_port_t port_bind(domid_t remote, evtchn_port_t port);
evtchn_port_t port_bind_virq(uint32_t virq, uint32_t vcpu);
evtchn_port_t port_bind_ipi(uint32_t vcpu);

/* What the last of the functions above was answered. */
extern long port_error;

long port_close(evtchn_port_t port);
long port_send(evtchn_port_t port);
long port_unmask(evtchn_port_t port);
long port_bind_vcpu(evtchn_port_t port, uint32_t vcpu);

/* status.status is ~0 when the call failed. */
struct evtchn_status port_status(evtchn_port_t port);

/* The bits in shared_info. */
bool port_pending(evtchn_port_t port);
bool port_masked(evtchn_port_t port);
void port_clear(evtchn_port_t port);
void port_mask(evtchn_port_t port);
void port_unmask_local(evtchn_port_t port);

/* This domain's number, which Xen tells those it made only so. */
domid_t port_own_domid(void);

/* How many ports this domain has in use below @limit. */
unsigned int ports_in_use(evtchn_port_t limit);

#endif /* FRAMEWORK_PORTS_H */
