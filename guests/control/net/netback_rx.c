/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing packets to guests. */

#include "net/netback_rx.h"

#include <stddef.h>

#include <rt/page.h>
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
    uint16_t gso_bytes; /* not 0: the slot behind is told this */
    bool direct;
    bool continues; /* the packet of the delivery before */
};

/* A packet that is not cut: slots that it takes, and copies. */
#define LARGE_SLOTS_MAX (UINT16_MAX / PAGE_BYTES + 2)
#define LARGE_OPS_MAX   (LARGE_SLOTS_MAX + TX_SLOTS_MAX + 1)

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
        d->vif->stats.rx_packets += !d->continues;
        d->vif->stats.rx_bytes += d->bytes;
        d->vif->stats.direct += d->direct && !d->continues;
    } else {
        response.status = NETIF_RSP_ERROR;
        /* What belongs together still does. */
        response.flags &= NETRXF_more_data | NETRXF_extra_info;
        d->vif->stats.rx_errors++;
    }
    rx_ring_answer(&d->vif->rx, &response);
    if (d->gso_bytes != 0)
        rx_ring_answer_gso(&d->vif->rx, d->gso_bytes);
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

/*
 * Bytes of the packet, from the cursor on and up to @until, that are still in
 * the sender's pages; @to is where its byte @start goes.
 */
static void copy_across(struct tx_cursor *cursor, uint32_t start,
                        uint32_t until, struct copy_end to)
{
    struct copy_end from;

    while (cursor->at < until) {
        to.offset = (uint16_t)(cursor->at - start);
        copy_batch_across(&copies, &from, &to,
                          tx_cursor_take(cursor, until - cursor->at, &from));
    }
}

static bool deliver_direct(struct vif *to, const struct tx_item *item)
{
    const struct packet *packet = item->packet;
    struct tx_cursor cursor;
    struct copy_end end;
    struct delivery *d = begin(to, packet, &end);

    if (d == NULL)
        return false;
    cursor = tx_cursor_at(item, packet->here);
    copy_batch_out(&copies, packet, 0, &end, packet->here);
    copy_across(&cursor, 0, packet->bytes, end);
    d->op_count = copies.count - d->first_op;
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

/*
 * Fill one buffer of @to with the packet's bytes from @start on.  NULL: it took
 * back what it had posted.
 */
static struct delivery *fill_slot(struct vif *to, const struct tx_item *item,
                                  struct tx_cursor *cursor, uint32_t start)
{
    const struct packet *packet = item->packet;
    uint32_t until = start + PAGE_BYTES;
    struct copy_end end;
    struct delivery *d = begin(to, packet, &end);

    if (d == NULL)
        return NULL;
    d->continues = start != 0;
    if (d->continues)
        d->flags = 0;
    if (until < packet->bytes)
        d->flags |= NETRXF_more_data;
    else
        until = packet->bytes;
    if (start == 0)
        copy_batch_out(&copies, packet, 0, &end, packet->here);
    copy_across(cursor, start, until, end);
    d->op_count = copies.count - d->first_op;
    d->bytes = (uint16_t)(until - start);
    d->direct = true;
    return d;
}

/* The slot that extra information takes, whose buffer stays empty. */
static void take_extra_slot(struct delivery *d, uint16_t gso_bytes)
{
    struct netif_rx_request unused;

    if (!take_buffer(d->vif, &unused))
        return;
    d->flags |= NETRXF_extra_info;
    d->gso_bytes = gso_bytes;
}

bool rx_deliver_large(struct vif *to, const struct tx_item *item)
{
    const struct packet *packet = item->packet;
    struct tx_cursor cursor = tx_cursor_at(item, packet->here);
    uint32_t slots = (packet->bytes + PAGE_BYTES - 1) / PAGE_BYTES + 1;

    if (!to->connected || !to->front_gso || to->rx_queued > 0 ||
        !rx_ring_has(&to->rx, slots))
        return false;
    /* In one piece: its responses follow each other. */
    if (delivery_count + slots > DELIVERIES_MAX ||
        !copy_batch_has_room(&copies, LARGE_OPS_MAX + TX_SLOTS_MAX + 1))
        rx_flush();
    for (uint32_t start = 0; start < packet->bytes; start += PAGE_BYTES) {
        struct delivery *d = fill_slot(to, item, &cursor, start);

        if (d == NULL)
            break;
        if (start == 0)
            take_extra_slot(d, item->slots.gso_bytes);
    }
    return true;
}
