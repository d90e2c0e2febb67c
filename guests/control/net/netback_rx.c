/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing packets to guests. */

#include "net/netback_rx.h"

#include <stddef.h>

#include <rt/time.h>

#include "net/checksum.h"
#include "net/copy_batch.h"
#include "net/netback_tx.h"
#include "net/packet.h"
#include "net/round.h"
#include "net/vif.h"

#define DELIVERIES_MAX 128U

/* A slot that was taken, to be answered when its copies are done. */
struct delivery {
    struct vif *vif;
    struct packet *packet; /* to be freed then, or NULL */
    uint32_t first_op, op_count;
    uint16_t id, flags, bytes;
    bool direct;
};

static struct delivery delivery[DELIVERIES_MAX];
static uint32_t delivery_count;
static struct copy_batch copies;

/* --- Checksums ------------------------------------------------------------ */

/* The checksum is blank, and @to cannot complete it. */
static bool must_complete(const struct vif *to, const struct packet *packet)
{
    return packet->checksum == CHECKSUM_BLANK && to->front_no_checksum;
}

static uint16_t flags_for(const struct packet *packet)
{
    switch ((enum packet_checksum)packet->checksum) {
    case CHECKSUM_BLANK:
        return NETRXF_csum_blank | NETRXF_data_validated;
    case CHECKSUM_VALIDATED:
        return NETRXF_data_validated;
    case CHECKSUM_UNKNOWN:
        break;
    }
    return 0;
}

/* --- Carrying out --------------------------------------------------------- */

static void conclude(struct delivery *d)
{
    struct netif_rx_response response = {.id = d->id, .flags = d->flags};

    if (copy_batch_okay(&copies, d->first_op, d->op_count)) {
        response.status = (int16_t)d->bytes;
        d->vif->stats.rx_packets++;
        d->vif->stats.rx_bytes += d->bytes;
        d->vif->stats.direct += d->direct;
    } else {
        response.status = NETIF_RSP_ERROR;
        response.flags = 0;
        d->vif->stats.rx_errors++;
    }
    rx_ring_answer(&d->vif->rx, &response);
    round_dirty(d->vif);
    if (d->packet != NULL)
        packet_free(d->packet);
}

void rx_flush(void)
{
    copy_batch_run(&copies);
    for (uint32_t i = 0; i < delivery_count; i++)
        conclude(&delivery[i]);
    delivery_count = 0;
    copy_batch_reset(&copies);
}

/* --- Taking a buffer ------------------------------------------------------ */

static bool take_buffer(struct vif *to, struct netif_rx_request *request)
{
    do {
        switch (rx_ring_take(&to->rx, request)) {
        case RING_TAKEN:
            return true;
        case RING_BROKEN:
            return false;
        case RING_EMPTY:
            break;
        }
    } while (rx_ring_wait(&to->rx));
    return false;
}

/* NULL: the guest has posted none. */
static struct delivery *begin(struct vif *to, const struct packet *packet,
                              struct copy_end *end)
{
    struct netif_rx_request request;
    struct delivery *d;

    if (delivery_count == DELIVERIES_MAX ||
        !copy_batch_has_room(&copies, TX_SLOTS_MAX + 1))
        rx_flush();
    if (!take_buffer(to, &request))
        return NULL;

    *end = (struct copy_end){.domid = to->domid, .ref = request.gref};
    d = &delivery[delivery_count++];
    *d = (struct delivery){
        .vif = to,
        .id = request.id,
        .flags = flags_for(packet),
        .bytes = packet->bytes,
        .first_op = copies.count,
    };
    return d;
}

static bool deliver_now(struct vif *to, struct packet *packet)
{
    struct copy_end end;
    struct delivery *d = begin(to, packet, &end);

    if (d == NULL)
        return false;
    copy_batch_out(&copies, packet, 0, &end, packet->bytes);
    d->op_count = 1;
    d->packet = packet;
    return true;
}

/* --- Waiting -------------------------------------------------------------- */

static void patience_over(void *arg)
{
    struct vif *vif = arg;
    uint64_t due = vif->rx_progress_ns + VIF_RX_PATIENCE_NS;

    if (vif->rx_queued == 0)
        return;
    if (rt_now_ns() < due)
        rt_timer_arm(&vif->rx_timer, due);
    else
        rx_drop_queue(vif);
}

static void wait_in_queue(struct vif *to, struct packet *packet)
{
    if (to->rx.broken ||
        to->rx_queued >= packet_queue_limit(VIF_RX_QUEUE_MAX)) {
        to->stats.rx_dropped++;
        packet_free(packet);
        return;
    }

    packet->next = NULL;
    if (to->rx_queued++ == 0) {
        to->rx_first = packet;
        to->rx_progress_ns = rt_now_ns();
    } else {
        to->rx_last->next = packet;
    }
    to->rx_last = packet;

    if (!rt_timer_armed(&to->rx_timer)) {
        to->rx_timer.fn = patience_over;
        to->rx_timer.arg = to;
        rt_timer_arm(&to->rx_timer, to->rx_progress_ns + VIF_RX_PATIENCE_NS);
    }
}

void rx_drop_queue(struct vif *vif)
{
    while (vif->rx_queued > 0) {
        struct packet *packet = vif->rx_first;

        vif->rx_first = packet->next;
        vif->rx_queued--;
        vif->stats.rx_dropped++;
        packet_free(packet);
    }
    vif->rx_first = vif->rx_last = NULL;
}

void rx_resume(struct vif *vif)
{
    while (vif->rx_queued > 0) {
        struct packet *packet = vif->rx_first, *next = packet->next;

        if (!deliver_now(vif, packet))
            return;
        vif->rx_first = next;
        vif->rx_queued--;
        vif->rx_progress_ns = rt_now_ns();
    }
}

/* --- Delivering ----------------------------------------------------------- */

/* False: it has no checksum that could be completed. */
static bool complete(struct packet *packet)
{
    struct ip4_view view;

    if (!ip4_parse(&view, packet->frame + ETH_HEADER_BYTES,
                   packet->here - (size_t)ETH_HEADER_BYTES,
                   packet->bytes - (size_t)ETH_HEADER_BYTES) ||
        !checksum_complete(&view))
        return false;
    packet->checksum = CHECKSUM_VALIDATED;
    return true;
}

void rx_deliver(struct vif *to, struct packet *packet)
{
    if (!to->connected || (must_complete(to, packet) && !complete(packet))) {
        to->stats.rx_dropped++;
        packet_free(packet);
        return;
    }
    /* Behind those that wait already. */
    if (to->rx_queued > 0 || !deliver_now(to, packet))
        wait_in_queue(to, packet);
}

/* The part of the packet that is still in the sender's pages. */
static uint32_t copy_across(const struct tx_item *item, struct copy_end *to)
{
    const struct tx_packet *slots = &item->slots;
    uint16_t start = 0, at = item->packet->here;
    uint32_t count = 0;

    for (uint8_t i = 0; i < slots->slot_count; i++) {
        uint16_t end = (uint16_t)(start + slots->part[i].bytes);

        if (at < end) {
            struct copy_end from = {
                .domid = item->vif->domid,
                .ref = slots->part[i].ref,
                .offset = (uint16_t)(slots->part[i].offset + at - start),
            };

            to->offset = at;
            copy_batch_across(&copies, &from, to, (uint16_t)(end - at));
            count++;
            at = end;
        }
        start = end;
    }
    return count;
}

static bool deliver_direct(struct vif *to, const struct tx_item *item)
{
    const struct packet *packet = item->packet;
    struct copy_end end;
    struct delivery *d = begin(to, packet, &end);

    if (d == NULL)
        return false;
    copy_batch_out(&copies, packet, 0, &end, packet->here);
    d->op_count = 1 + copy_across(item, &end);
    d->direct = true;
    return true;
}

void rx_deliver_item(struct vif *to, struct tx_item *item)
{
    bool whole = item->packet->here == item->packet->bytes;

    if (!whole && to->connected && to->rx_queued == 0 &&
        !must_complete(to, item->packet) && deliver_direct(to, item))
        return;
    if (tx_item_pull(item))
        rx_deliver(to, tx_item_take(item));
}
