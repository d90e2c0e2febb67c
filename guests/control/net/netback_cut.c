/* SPDX-License-Identifier: BSD-2-Clause */
/* Cutting TCP packets: see netback_cut.h. */

#include "net/netback_cut.h"

#include <stddef.h>

#include "net/checksum.h"
#include "net/copy_batch.h"
#include "net/netback_tx.h"
#include "net/packet.h"

/* Parts of the largest packet, and slots whose borders they cross. */
#define PARTS_MAX (UINT16_MAX / TX_GSO_MIN + 1)

_Static_assert(PARTS_MAX + TX_SLOTS_MAX <= COPY_BATCH_MAX, "in one batch");

static struct {
    struct packet *packet;
    uint32_t first_op, op_count;
} part[PARTS_MAX];
static struct copy_batch copies;

static size_t tcp_header_bytes(const struct ip4_view *view)
{
    return (size_t)(view->payload[TCP_DATA_OFFSET] >> 4) * 4;
}

bool tx_item_is_cuttable(const struct tx_item *item,
                         const struct ip4_view *view)
{
    return view->proto == PROTO_TCP && ip4_has_transport(view) &&
           tcp_header_bytes(view) <= view->payload_here &&
           tcp_header_bytes(view) < view->payload_bytes &&
           ETH_HEADER_BYTES + view->header_bytes + view->payload_bytes ==
               item->packet->bytes &&
           !(view->payload[TCP_FLAGS] & (TCP_SYN | TCP_RST | TCP_URG));
}

/* Copy the data at the cursor behind the part's headers. */
static void add_data(struct tx_cursor *cursor, struct packet *to)
{
    struct copy_end from;

    while (to->here < to->bytes) {
        uint16_t bytes =
            tx_cursor_take(cursor, (uint32_t)(to->bytes - to->here), &from);

        copy_batch_in(&copies, &from, to, to->here, bytes);
        to->here = (uint16_t)(to->here + bytes);
    }
}

/* The part's own headers: number @n, @data bytes behind the first one's. */
static void set_headers(struct packet *to, size_t header_bytes, uint32_t n,
                        uint32_t data, bool is_last)
{
    uint8_t *ip = to->frame + ETH_HEADER_BYTES;
    size_t ip_bytes = (size_t)(ip[IP4_VERSION_IHL] & 15) * 4;
    uint8_t *tcp = ip + ip_bytes;

    wire_put16(ip + IP4_TOTAL, (uint16_t)(to->bytes - ETH_HEADER_BYTES));
    wire_put16(ip + IP4_ID, (uint16_t)(wire_get16(ip + IP4_ID) + n));
    wire_put16(ip + IP4_CHECKSUM, 0);
    wire_put16(ip + IP4_CHECKSUM, checksum(ip, ip_bytes));
    wire_put32(tcp + TCP_SEQUENCE, wire_get32(tcp + TCP_SEQUENCE) + data);
    if (!is_last)
        tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (n != 0)
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    wire_put16(
        tcp + TCP_CHECKSUM,
        checksum_of_pseudo_header(ip, to->bytes - ETH_HEADER_BYTES - ip_bytes));
    to->here = (uint16_t)header_bytes;
}

/* All parts, their data on the way.  How many there are. */
static uint32_t begin(struct tx_item *item, size_t header_bytes)
{
    uint16_t size = item->slots.gso_bytes, bytes = item->packet->bytes;
    struct tx_cursor cursor = tx_cursor_at(item, (uint32_t)header_bytes);
    uint32_t n = 0;

    for (uint32_t at = (uint32_t)header_bytes; at < bytes; at += size, n++) {
        uint16_t data = bytes - at < size ? (uint16_t)(bytes - at) : size;
        struct packet *p = packet_alloc();

        if (p == NULL)
            break;
        p->from = item->vif;
        p->checksum = CHECKSUM_BLANK;
        p->bytes = (uint16_t)(header_bytes + data);
        memcpy(p->frame, item->packet->frame, header_bytes);
        set_headers(p, header_bytes, n, at - (uint32_t)header_bytes,
                    at + data == bytes);
        part[n].packet = p;
        part[n].first_op = copies.count;
        add_data(&cursor, p);
        part[n].op_count = copies.count - part[n].first_op;
    }
    return n;
}

uint32_t tx_item_cut(struct tx_item *item, const struct ip4_view *view,
                     void (*each)(struct tx_item *part, void *arg), void *arg)
{
    uint32_t size = item->slots.gso_bytes;
    size_t header_bytes =
        ETH_HEADER_BYTES + view->header_bytes + tcp_header_bytes(view);
    size_t data = item->packet->bytes - header_bytes;
    uint32_t count;

    if (header_bytes + size > ETH_FRAME_MAX) {
        item->slots.status = NETIF_RSP_ERROR;
        return 0;
    }
    copy_batch_reset(&copies);
    count = begin(item, header_bytes);
    copy_batch_run(&copies);
    for (uint32_t i = 0; i < count; i++) {
        struct tx_item one = {.vif = item->vif, .packet = part[i].packet};

        if (copy_batch_okay(&copies, part[i].first_op, part[i].op_count)) {
            each(&one, arg);
        } else {
            item->slots.status = NETIF_RSP_ERROR;
            packet_free(one.packet);
        }
    }
    return (uint32_t)((data + size - 1) / size) - count;
}
