/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 *
 * Whose checksum is believed, and whose is not:
 *
 *  - An IPv4 header that is routed is verified, whoever sent it.
 *  - TCP, UDP and ICMP checksums of packets that pass are not verified but
 *    updated by the difference, so a packet that was damaged before it came
 *    here is still recognised as damaged by the one who receives it.
 *  - An ICMP error that is translated is verified first, as its checksum is
 *    made anew afterwards and would hide damage otherwise.
 *  - A packet from the uplink is never marked as validated for a guest.
 *  - A guest that leaves its checksum blank is answered for by computing the
 *    whole of it here; the partial sum it left behind is not used.
 */

#ifndef CONTROL_NET_CHECKSUM_H
#define CONTROL_NET_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/ip4.h"

/* Add @bytes to a running @sum; all parts but the last have an even size. */
uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t bytes);

/* The checksum field's value for a running sum. */
uint16_t checksum_finish(uint64_t sum);

/* The same over one range; 0 if the range holds its own correct checksum. */
static inline uint16_t checksum(const uint8_t *data, size_t bytes)
{
    return checksum_finish(checksum_add(0, data, bytes));
}

/* @field covered @before and now covers @after. */
uint16_t checksum_update16(uint16_t field, uint16_t before, uint16_t after);
uint16_t checksum_update32(uint16_t field, uint32_t before, uint32_t after);

/* What a blank TCP checksum field holds: of the addresses and @bytes of TCP. */
uint16_t checksum_of_pseudo_header(const uint8_t *ip, size_t bytes);

/*
 * Compute the TCP or UDP checksum of a packet that is wholly present.  False:
 * it is a fragment, too short, or no TCP and no UDP, so it has none.
 */
bool checksum_complete(struct ip4_view *view);

#endif /* CONTROL_NET_CHECKSUM_H */
