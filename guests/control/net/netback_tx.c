/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking packets from guests. */

#include "net/netback_tx.h"

#include <stddef.h>

#include "net/copy_batch.h"
#include "net/packet.h"
#include "net/round.h"
#include "net/vif.h"

static struct tx_item item[TX_BATCH_MAX];
static uint32_t item_count, frame_count; /* the latter as on a wire */
static struct copy_batch copies;

struct tx_cursor tx_cursor_at(const struct tx_item *it, uint32_t at)
{
    return (struct tx_cursor){.item = it, .at = at};
}

uint16_t tx_cursor_take(struct tx_cursor *c, uint32_t most,
                        struct copy_end *from)
{
    const struct tx_packet *slots = &c->item->slots;
    uint32_t left;

    while (c->slot < slots->slot_count &&
           c->at >= c->slot_start + slots->part[c->slot].bytes)
        c->slot_start += slots->part[c->slot++].bytes;
    if (c->slot == slots->slot_count)
        return 0;

    *from = (struct copy_end){
        .domid = c->item->vif->domid,
        .ref = slots->part[c->slot].ref,
        .offset =
            (uint16_t)(slots->part[c->slot].offset + c->at - c->slot_start),
    };
    left = c->slot_start + slots->part[c->slot].bytes - c->at;
    if (left > most)
        left = most;
    c->at += left;
    return (uint16_t)left;
}

/*
 * Add copies of the packet's bytes [packet->here, @until).  A packet has at
 * most one copy a slot.
 */
static void add_copies(struct copy_batch *batch, struct tx_item *it,
                       uint16_t until)
{
    struct packet *packet = it->packet;
    struct tx_cursor cursor = tx_cursor_at(it, packet->here);
    struct copy_end from;

    while (packet->here < until) {
        uint16_t bytes =
            tx_cursor_take(&cursor, (uint32_t)(until - packet->here), &from);

        copy_batch_in(batch, &from, packet, packet->here, bytes);
        packet->here = (uint16_t)(packet->here + bytes);
    }
}

static void set_checksum(struct packet *packet, uint16_t flags)
{
    if ((flags & NETTXF_csum_blank) != 0)
        packet->checksum = CHECKSUM_BLANK;
    else if ((flags & NETTXF_data_validated) != 0)
        packet->checksum = CHECKSUM_VALIDATED;
}

static void start_copy(struct vif *vif, struct tx_item *it)
{
    uint16_t until = it->slots.bytes;

    it->packet->from = vif;
    it->packet->bytes = it->slots.bytes;
    set_checksum(it->packet, it->slots.flags);
    if (it->slots.gso_bytes != 0 && until > TX_GSO_LOOK_BYTES)
        until = TX_GSO_LOOK_BYTES;
    else if (vif->header_only && until > SWITCH_LOOK_BYTES)
        until = SWITCH_LOOK_BYTES;

    it->first_op = copies.count;
    add_copies(&copies, it, until);
    it->op_count = copies.count - it->first_op;
}

bool tx_batch_has_room(void)
{
    return frame_count < TX_BATCH_MAX &&
           copy_batch_has_room(&copies, TX_SLOTS_MAX);
}

/* What is to be cut is as many as will be made of it. */
static uint32_t frames(const struct tx_packet *slots)
{
    bool cut = slots->status == NETIF_RSP_OKAY && slots->gso_bytes != 0;

    return cut ? slots->bytes / slots->gso_bytes + 1U : 1;
}

static enum tx_gathered gather_one(struct vif *vif)
{
    struct tx_item *it = &item[item_count];
    struct packet *packet;

    if (!tx_batch_has_room())
        return TX_NO_ROOM;
    packet = packet_alloc();
    if (packet == NULL)
        return TX_STARVED;

    switch (tx_ring_take(&vif->tx, &it->slots)) {
    case RING_TAKEN:
        break;
    case RING_EMPTY:
        packet_free(packet);
        return TX_DRY;
    case RING_BROKEN:
        packet_free(packet);
        return TX_BROKEN;
    }

    it->vif = vif;
    it->packet = NULL;
    it->op_count = 0;
    item_count++;
    frame_count += frames(&it->slots);
    round_dirty(vif);
    if (it->slots.status != NETIF_RSP_OKAY) {
        packet_free(packet);
    } else {
        it->packet = packet;
        start_copy(vif, it);
    }
    return TX_MORE;
}

enum tx_gathered tx_gather(struct vif *vif)
{
    enum tx_gathered result = TX_MORE;
    uint32_t end = frame_count + TX_GUEST_TURN;

    /* Even one whose index goes back and forth has so many tries. */
    for (uint32_t i = 0;
         i < TX_GUEST_TURN && frame_count < end && result == TX_MORE; i++) {
        result = gather_one(vif);
        if (result == TX_DRY && tx_ring_wait(&vif->tx))
            result = TX_MORE;
    }
    return result;
}

static void refuse(struct tx_item *it)
{
    it->slots.status = NETIF_RSP_ERROR;
    packet_free(tx_item_take(it));
}

void tx_batch_run(void (*fn)(struct tx_item *it))
{
    copy_batch_run(&copies);

    for (uint32_t i = 0; i < item_count; i++) {
        struct tx_item *it = &item[i];

        if (it->packet == NULL)
            continue;
        if (!copy_batch_okay(&copies, it->first_op, it->op_count)) {
            refuse(it);
            continue;
        }
        it->vif->stats.tx_packets++;
        it->vif->stats.tx_bytes += it->packet->bytes;
        fn(it);
    }
    copy_batch_reset(&copies);
}

bool tx_item_pull(struct tx_item *it)
{
    /* Its own batch: the other packets' results are still in the first. */
    static struct copy_batch rest;

    if (it->packet->here == it->packet->bytes)
        return true;
    if (it->packet->bytes > ETH_FRAME_MAX) {
        refuse(it); /* No buffer has it; nothing but TCP is cut. */
        return false;
    }

    copy_batch_reset(&rest);
    add_copies(&rest, it, it->packet->bytes);
    copy_batch_run(&rest);
    if (copy_batch_okay(&rest, 0, rest.count))
        return true;
    refuse(it);
    return false;
}

struct packet *tx_item_take(struct tx_item *it)
{
    struct packet *packet = it->packet;

    it->packet = NULL;
    return packet;
}

void tx_batch_answer(void)
{
    for (uint32_t i = 0; i < item_count; i++) {
        struct tx_item *it = &item[i];

        /* A direct delivery read the headers from it until now. */
        if (it->packet != NULL)
            packet_free(tx_item_take(it));
        if (it->slots.status != NETIF_RSP_OKAY)
            it->vif->stats.tx_errors++;
        tx_ring_answer(&it->vif->tx, &it->slots);
    }
    item_count = frame_count = 0;
}
