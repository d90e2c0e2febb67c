/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store for parts of the domain that runs it: a channel for the runtime's
 * store client (rt/store.h) that ends in the store itself.
 *
 * The same bytes go over it as over a guest's ring, so that a part can move
 * to a domain of its own without knowing.
 */

#ifndef STORE_LOCAL_H
#define STORE_LOCAL_H

#include <abi/domid.h>

struct store;
struct xs;

/* A privileged client of domain @domid.  NULL: out of memory. */
struct xs *store_local_open(struct store *store, domid_t domid);

#endif /* STORE_LOCAL_H */
