/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network backends: following the store.
 *
 * Each directory backend/vif/DOMID/HANDLE is a guest's interface.  Whoever
 * makes it writes `frontend`, `frontend-id`, `mac`, `ip` and `online`; from
 * then on its state is ours:
 *
 *            directory is complete          front Connected, rings mapped
 *   (none) --------------------> InitWait ------------------------> Connected
 *                                  ^  ^                                  |
 *             front Initialising   |  '----- front Initialising ---.     |
 *                                  |                               |     |
 *                               Closed <--- front Closed ---- Closing <--'
 *                                                               front Closing,
 *                                                               or gone: Closed
 *
 * What cannot be used is explained in the node `error` beside the state.
 * Removing the directory ends the interface.
 */

#ifndef CONTROL_NET_NETBACK_H
#define CONTROL_NET_NETBACK_H

#include <abi/io/xenbus.h>

struct vif;

/* Start following, from a thread.  Negative: what the store answered. */
int netback_init(void);

/* Call @fn for each interface there is, in no order. */
void netback_each(void (*fn)(void *arg, const struct vif *vif,
                             enum xenbus_state state),
                  void *arg);

#endif /* CONTROL_NET_NETBACK_H */
