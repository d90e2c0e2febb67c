/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operations of control_op, with arguments already copied from the guest
 * and the caller's right already checked.
 *
 * Errors as abi/control.h lists them; -EAGAIN: a quantum is done, what is left
 * is in the structure, call again.
 */

#pragma once

#include "domain/domain.h"
#include "pv/guest_copy.h"

/* Those about the machine, or about a domain to be. */
int __must_check control_host_info(struct control_host_info *op);
int __must_check control_create(struct control_op *op);
int __must_check control_list(struct control_op *op);
int __must_check control_log_read(struct control_log_read *op);
int __must_check control_module(struct control_module *op);
int __must_check control_debug_key(const struct control_debug_key *op);

/* Also finds domains that are dying. */
int __must_check control_destroy(domid_t domid);

/* Those about a domain, which the caller holds. */
int __must_check control_set_region(struct domain *d,
                                    struct control_set_region *op);
/* Into its memory, or out of it. */
int __must_check control_copy(struct domain *d, struct control_copy *op,
                              bool to);
int __must_check control_populate(struct domain *d,
                                  struct control_populate *op);
int __must_check control_set_start(struct domain *d,
                                   const struct control_set_start *op);
