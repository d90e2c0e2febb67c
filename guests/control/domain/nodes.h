/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the store holds about a domain: the nodes that the toolstack writes
 * for guests and backends to find one another.
 *
 * All of these wait: threads only.  Errors are negative numbers of
 * abi/errno.h.
 */

#ifndef DOMAIN_NODES_H
#define DOMAIN_NODES_H

#include <abi/domid.h>

struct guest;

/* The nodes of the control domain itself. */
int nodes_write_own(domid_t self);

/* All nodes of @guest, in one transaction. */
int nodes_write(const struct guest *guest, domid_t self);

/* Remove them again; what is gone already is no error. */
void nodes_remove(const struct guest *guest, domid_t self);

/* Tell the store's server to serve the guest's ring. */
int nodes_introduce(const struct guest *guest);

/* Ask the guest to end: @how is "poweroff" or "reboot". */
int nodes_ask_shutdown(domid_t domid, const char *how);

#endif /* DOMAIN_NODES_H */
