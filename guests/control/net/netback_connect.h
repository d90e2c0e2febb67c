/* SPDX-License-Identifier: BSD-2-Clause */
/* Connecting a vif to its frontend's rings, and letting go of them. */

#ifndef CONTROL_NET_NETBACK_CONNECT_H
#define CONTROL_NET_NETBACK_CONNECT_H

struct vif;
struct xs;

/*
 * Read what the frontend in directory @front has published, map its rings and
 * bind its port.  NULL, or why not; the guest wrote those nodes, so nothing in
 * them is believed.  Threads only.
 */
const char *netback_connect(struct xs *xs, struct vif *vif, const char *front);

/*
 * Unmap and unbind; what waits for or from the guest is dropped, its flows
 * are forgotten.  Does nothing to a vif that is not connected.
 */
void netback_disconnect(struct vif *vif);

#endif /* CONTROL_NET_NETBACK_CONNECT_H */
