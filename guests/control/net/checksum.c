/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum.
 *
 * Ones' complement addition does not mind the order of bytes, so words are
 * added as the processor loads them, eight bytes at a time, and only the
 * folded result is put into network order.
 */

#include "net/checksum.h"

#include <string.h>

#include "net/wire.h"

static uint64_t add_carry(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t bytes)
{
    uint64_t word;

    for (; bytes >= sizeof(word); data += sizeof(word), bytes -= sizeof(word)) {
        memcpy(&word, data, sizeof(word));
        sum = add_carry(sum, word);
    }

    word = 0;
    memcpy(&word, data, bytes);
    return add_carry(sum, word);
}

static uint16_t fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & UINT32_MAX);
    sum = (sum >> 32) + (sum & UINT32_MAX);
    sum = (sum >> 16) + (sum & UINT16_MAX);
    sum = (sum >> 16) + (sum & UINT16_MAX);
    return (uint16_t)sum;
}

uint16_t checksum_finish(uint64_t sum)
{
    return (uint16_t)~__builtin_bswap16(fold(sum));
}

uint16_t checksum_update16(uint16_t field, uint16_t before, uint16_t after)
{
    /* RFC 1624, equation 3. */
    uint32_t sum = (uint16_t)~field + (uint32_t)(uint16_t)~before + after;

    return (uint16_t)~fold(sum);
}

uint16_t checksum_update32(uint16_t field, uint32_t before, uint32_t after)
{
    field = checksum_update16(field, (uint16_t)(before >> 16),
                              (uint16_t)(after >> 16));
    return checksum_update16(field, (uint16_t)before, (uint16_t)after);
}

/* Addresses, protocol and length, in the order of the pseudo header. */
static uint64_t pseudo_header(const uint8_t *ip, size_t bytes)
{
    uint8_t pseudo[12];

    memcpy(pseudo, ip + IP4_SRC, 8);
    pseudo[8] = 0;
    pseudo[9] = ip[IP4_PROTO];
    wire_put16(pseudo + 10, (uint16_t)bytes);
    return checksum_add(0, pseudo, sizeof(pseudo));
}

uint16_t checksum_of_pseudo_header(const uint8_t *ip, size_t bytes)
{
    return (uint16_t)~checksum_finish(pseudo_header(ip, bytes));
}

/* @bytes of TCP or UDP whose checksum field holds 0. */
static uint16_t transport(const struct ip4_view *view, size_t bytes)
{
    return checksum_finish(
        checksum_add(pseudo_header(view->ip, bytes), view->payload, bytes));
}

bool checksum_complete(struct ip4_view *view)
{
    size_t bytes = view->payload_bytes;
    uint16_t field;
    uint8_t *at;

    if (!ip4_has_transport(view) || view->payload_here != view->payload_bytes)
        return false;

    if (view->proto == PROTO_TCP) {
        at = view->payload + TCP_CHECKSUM;
    } else if (view->proto == PROTO_UDP) {
        at = view->payload + UDP_CHECKSUM;
        bytes = wire_get16(view->payload + UDP_LENGTH);
    } else {
        return false;
    }

    wire_put16(at, 0);
    field = transport(view, bytes);
    /* In UDP, 0 says that there is no checksum. */
    if (view->proto == PROTO_UDP && field == 0)
        field = UINT16_MAX;
    wire_put16(at, field);
    return true;
}
