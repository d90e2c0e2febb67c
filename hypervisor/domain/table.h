/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of domains by id, for the files that make and unmake them.
 *
 * Ids are reused in turn, so that a name of a domain that is gone means
 * nobody for as long as possible.
 */

#ifndef DOMAIN_TABLE_H
#define DOMAIN_TABLE_H

#include <abi/domid.h>

#include "lib/compiler.h"

struct domain;

/*
 * Keep an id for a domain in the making: @wanted, or with DOMID_INVALID the
 * next free one.  -EEXIST, -ENOSPC; -EINVAL: no such id.
 */
int __must_check table_take_id(domid_t wanted, domid_t *domid);

/* Give the id back: there is no domain of that name. */
void table_give_id(domid_t domid);

/* From now on domain_get() finds @d under its id, until table_remove(). */
void table_add(struct domain *d);
void table_remove(struct domain *d);

#endif /* DOMAIN_TABLE_H */
