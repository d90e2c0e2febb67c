/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store's server: it carries the rings of all guests that were introduced.
 *
 * Each connection is found by its domain in a hash table, and works when its
 * own port is pending or one of its watches fired; connections with more to do
 * take turns.
 */

#ifndef STORE_SERVER_H
#define STORE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/domid.h>

struct store;
struct xs;

/*
 * Start the store of this domain, which owns the root: @self is its id.
 * Makes its client the runtime's default one.  -ABI_ENOMEM.
 */
int store_server_start(domid_t self);

/* For a part that wants a client of its own.  NULL: out of memory. */
struct xs *store_server_open(void);

/*
 * Domain @domid has shut down: tell who watches @releaseDomain, once until it
 * is introduced again.
 */
void store_server_domain_shut_down(domid_t domid);

/* Domain @domid is no more: drop its connection and the nodes it owns. */
void store_server_domain_gone(domid_t domid);

struct store_server_stats {
    uint64_t nodes, connections, watch_points;
    uint64_t requests, events, conflicts;
    uint64_t guest_bytes; /* all guests together: see STORE_POOL_BYTES */
};
void store_server_stats(struct store_server_stats *stats);

/* What domain @domid uses of its quotas; false: it has no connection. */
struct store_server_usage {
    uint32_t nodes, watches, transactions;
    uint64_t bytes;
    const char *error; /* why it is not served, NULL while it is */
};
bool store_server_usage(domid_t domid, struct store_server_usage *usage);

#endif /* STORE_SERVER_H */
