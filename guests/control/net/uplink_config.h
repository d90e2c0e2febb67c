/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line's word on how the uplink gets its address. */

#ifndef CONTROL_NET_UPLINK_CONFIG_H
#define CONTROL_NET_UPLINK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uplink_config {
    bool dhcp;
    bool fixed; /* the three below are given */
    uint32_t address, netmask, gateway;
};

/*
 * "dhcp", "ADDRESS/BITS,GATEWAY", or both, joined by a comma.  NULL, or what
 * is wrong.
 */
const char *uplink_config_parse(struct uplink_config *config, const char *text);

#endif /* CONTROL_NET_UPLINK_CONFIG_H */
