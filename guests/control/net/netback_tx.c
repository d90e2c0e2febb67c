/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking packets from guests. */

#include "net/netback_tx.h"

#include <stddef.h>

#include "net/copy_batch.h"
#include "net/packet.h"
#include "net/round.h"
#include "net/vif.h"

static struct tx_item item[TX_BATCH_MAX];
static uint32_t item_count;
static struct copy_batch copies;

/*
 * Add copies of the packet's bytes [packet->here, @until).  A packet has at
 * most one copy a slot.
 */
static void add_copies(struct copy_batch *batch, struct tx_item *it,
                       uint16_t until)
{
    const struct tx_packet *slots = &it->slots;
    uint16_t start = 0, here = it->packet->here;

    for (uint8_t i = 0; i < slots->slot_count && here < until; i++) {
        uint16_t end = (uint16_t)(start + slots->part[i].bytes);
        uint16_t stop = end < until ? end : until;

        if (here < stop) {
            struct copy_end from = {
                .domid = it->vif->domid,
                .ref = slots->part[i].ref,
                .offset = (uint16_t)(slots->part[i].offset + here - start),
            };

            copy_batch_in(batch, &from, it->packet, here,
                          (uint16_t)(stop - here));
            here = stop;
        }
        start = end;
    }
    it->packet->here = here;
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
    if (vif->header_only && until > SWITCH_LOOK_BYTES)
        until = SWITCH_LOOK_BYTES;

    it->first_op = copies.count;
    add_copies(&copies, it, until);
    it->op_count = copies.count - it->first_op;
}

static enum tx_gathered gather_one(struct vif *vif)
{
    struct tx_item *it = &item[item_count];
    struct packet *packet;

    if (item_count == TX_BATCH_MAX ||
        !copy_batch_has_room(&copies, TX_SLOTS_MAX))
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

    for (uint32_t i = 0; i < TX_GUEST_TURN && result == TX_MORE; i++) {
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
    item_count = 0;
}
