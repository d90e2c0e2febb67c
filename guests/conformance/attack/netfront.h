/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network frontend, as small as can be, whose parts attacks use in whatever
 * order they like.
 */

#ifndef ATTACK_NETFRONT_H
#define ATTACK_NETFRONT_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/event_channel.h>
#include <abi/io/netif.h>

/* Grants of the rings, and of the buffers behind them. */
#define TX_REF   16U
#define RX_REF   17U
#define DATA_REF 18U
#define BUFFERS  8U

#define FRONT "device/vif/0/"

/* The pages that the references lend. */
extern uint8_t *const buffers;
extern struct netif_tx_ring *const tx;
extern struct netif_rx_ring *const rx;
extern evtchn_port_t net_port;

bool write_number(const char *path, uint32_t value);

/* Wait for the backend's state; false: seconds went by. */
bool front_wait_backend(char state);

/* Empty rings, lent, a port, and all of it in the store but the state. */
bool front_prepare(void);

/* The same once the backend waits, and Connected. */
bool front_connect(void);

/* Closed in the usual order, and Initialising again. */
void front_disconnect(void);

/* False: the backend does not answer within a second. */
bool front_send(unsigned int buffer, uint16_t size);

#endif /* ATTACK_NETFRONT_H */
