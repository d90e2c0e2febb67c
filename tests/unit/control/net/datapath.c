/* SPDX-License-Identifier: BSD-2-Clause */
/* The datapath of datapath.h. */

#include "control/net/datapath.h"

#include <stdlib.h>

#include <rt/event.h>
#include <rt/grant.h>
#include <rt/net.h>
#include <rt/page.h>
#include <rt/time.h>
#include <rt/timer.h>

#include "doubles/check.h"
#include "drivers/pci.h"
#include "net/inside.h"
#include "net/netback_rx.h"
#include "net/packet.h"
#include "net/round.h"
#include "net/router.h"
#include "net/secret.h"
#include "net/uplink.h"

static const uint8_t card_mac[] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

struct guest guest[GUESTS];

/* --- The machine ---------------------------------------------------------- */

uint64_t clock_ns;
uint32_t copies, copy_calls;
void (*on_second_call)(void);
bool work_queued;
void (*work_fn)(void *arg);

void *page_alloc(size_t count)
{
    return aligned_alloc(4096, count * 4096);
}

void page_free(void *va, size_t count)
{
    (void)count;
    free(va);
}

uint64_t rt_frame_of(const volatile void *va)
{
    return (uintptr_t)va / 4096;
}

int dma_map(const void *va, uint32_t count, uint64_t *maddr)
{
    for (uint32_t i = 0; i < count; i++)
        maddr[i] = (uintptr_t)va + i * 4096UL;
    return 0;
}

/* The address of one end of a copy; NULL: the hypervisor refuses it. */
static uint8_t *resolve(const struct gnttab_copy_ptr *end, bool lent,
                        uint16_t len)
{
    if (end->offset + len > 4096)
        return NULL;
    if (!lent)
        return end->domid == DOMID_SELF
                   ? (uint8_t *)(end->u.gmfn * 4096) + end->offset
                   : NULL;
    if (end->domid < 1 || end->domid > GUESTS || end->u.ref >= GUEST_PAGES)
        return NULL;
    return guest[end->domid - 1].page[end->u.ref] + end->offset;
}

int rt_grant_copy(struct gnttab_copy *op, uint32_t count)
{
    if (++copy_calls == 2 && on_second_call) {
        on_second_call();
        on_second_call = NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *from = resolve(
            &op[i].source, (op[i].flags & GNTCOPY_source_gref) != 0, op[i].len);
        uint8_t *to = resolve(
            &op[i].dest, (op[i].flags & GNTCOPY_dest_gref) != 0, op[i].len);

        copies++;
        op[i].status = from && to ? GNTST_okay : GNTST_bad_gntref;
        if (from && to)
            memcpy(to, from, op[i].len);
    }
    return 0;
}

uint64_t rt_now_ns(void)
{
    return clock_ns;
}

int rt_timer_arm(struct rt_timer *timer, uint64_t deadline_ns)
{
    timer->deadline_ns = deadline_ns;
    timer->slot = 1;
    return 0;
}

void rt_timer_cancel(struct rt_timer *timer)
{
    timer->slot = 0;
}

void rt_work_queue(struct rt_work *work)
{
    work_fn = work->fn;
    work_queued = true;
}

void rt_port_mask(evtchn_port_t port)
{
    (void)port;
}

void rt_port_unmask(evtchn_port_t port)
{
    (void)port;
}

int rt_port_notify(evtchn_port_t port)
{
    guest[port].events++;
    return 0;
}

void net_activity(void)
{
}

struct siphash_key secret_key(void)
{
    return (struct siphash_key){3, 4};
}

uint64_t secret_random(void)
{
    return 0x112233445566;
}

/* --- Card and stack --------------------------------------------------------
 */

struct packet *card_out[CARD_MAX];
uint32_t card_out_count, card_holds;
static struct packet *card_in;
uint32_t stack_count, uplink_stack_count;

const uint8_t *uplink_mac(void)
{
    return card_mac;
}

void uplink_route(struct packet *packet, uint32_t destination)
{
    CHECK(wire_get32(packet->frame + ETH_HEADER_BYTES + IP4_DST) ==
          destination);
    card_out[card_out_count++] = packet;
    if (card_holds)
        packet->from->uplink_queued++;
}

void uplink_to_stack(const struct packet *packet)
{
    (void)packet;
    uplink_stack_count++;
}

void uplink_receive(void)
{
    while (card_in != NULL) {
        struct packet *packet = card_in;

        card_in = packet->next;
        router_from_uplink(packet);
    }
}

bool uplink_flush(void)
{
    return false;
}

void inside_input(const struct packet *packet)
{
    CHECK(packet->here == packet->bytes);
    stack_count++;
}

void card_done(void)
{
    while (card_out_count > 0)
        packet_free(card_out[--card_out_count]);
}

/* --- Guests ----------------------------------------------------------------
 */

uint32_t address_of(int g)
{
    return ROUTER + 1 + (uint32_t)g;
}

void mac_of(int g, uint8_t *mac)
{
    memcpy(mac, (const uint8_t[]){0, 0x16, 0x3e, 0, 0, (uint8_t)(g + 1)}, 6);
}

void post(int g, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = guest[g].rx.h.req_prod++ % NETIF_RX_RING_SLOTS;

        guest[g].rx.slot[at].req =
            (struct netif_rx_request){.id = (uint16_t)at, .gref = at};
    }
}

void run(void)
{
    for (int i = 0; work_queued && i < 1000; i++) {
        work_queued = false;
        work_fn(NULL);
    }
    CHECK(!work_queued);
}

void datapath_make(void)
{
    static bool started;

    clock_ns = 1000000000;
    if (!started) {
        packet_pool_pin();
        round_init();
        router_init(ROUTER, IP4(255, 255, 0, 0));
        started = true;
    }
    router_set_uplink_address(UPLINK);
    for (int g = 0; g < GUESTS; g++) {
        uint8_t mac[6];

        memset(&guest[g], 0, sizeof(guest[g]));
        mac_of(g, mac);
        guest[g].vif.domid = (domid_t)(g + 1);
        guest[g].vif.evtchn = (evtchn_port_t)g;
        guest[g].next_page = RX_PAGES;
        guest[g].tx.h.req_event = guest[g].tx.h.rsp_event = 1;
        guest[g].rx.h.req_event = guest[g].rx.h.rsp_event = 1;
        CHECK(switch_port_add(&router_get()->sw, &guest[g].vif.port, mac,
                              address_of(g)));
        CHECK(nat_guest_add(&router_get()->nat, &guest[g].vif.nat,
                            address_of(g)));
        tx_ring_attach(&guest[g].vif.tx, &guest[g].tx);
        rx_ring_attach(&guest[g].vif.rx, &guest[g].rx);
        guest[g].vif.connected = true;
    }
    copies = copy_calls = stack_count = uplink_stack_count = card_holds = 0;
}

/* Whatever a test has done, no packet is lost. */
void datapath_end(void)
{
    card_done();
    for (int g = 0; g < GUESTS; g++) {
        round_forget(&guest[g].vif);
        rx_drop_queue(&guest[g].vif);
        switch_port_remove(&router_get()->sw, &guest[g].vif.port);
        nat_guest_remove(&router_get()->nat, &guest[g].vif.nat);
    }
    work_queued = false;
    CHECK(packet_used_count() == 0);
}

/* Guest @g sends a frame in pieces of at most @piece bytes. */
static void send_frame(int g, const uint8_t *dst_mac,
                       const struct test_packet *p, uint16_t flags,
                       size_t piece)
{
    struct guest *from = &guest[g];
    uint8_t frame[2048], mac[6];
    size_t bytes = ETH_HEADER_BYTES + p->bytes, at = 0;

    mac_of(g, mac);
    eth_header(frame, dst_mac, mac, ETH_TYPE_IP4);
    memcpy(frame + ETH_HEADER_BYTES, p->ip, p->bytes);
    while (at < bytes) {
        size_t part = bytes - at < piece ? bytes - at : piece;
        uint16_t page = from->next_page++;
        uint16_t offset = (uint16_t)(page * 13 % 1000);
        uint32_t slot = from->tx.h.req_prod++ % NETIF_TX_RING_SLOTS;

        if (from->next_page == GUEST_PAGES)
            from->next_page = RX_PAGES;
        memcpy(from->page[page] + offset, frame + at, part);
        from->tx.slot[slot].req = (struct netif_tx_request){
            .gref = page,
            .offset = offset,
            .flags =
                (uint16_t)(flags | (at + part < bytes ? NETTXF_more_data : 0)),
            .id = (uint16_t)slot,
            .size = (uint16_t)(at == 0 ? bytes : part),
        };
        at += part;
    }
    round_activate(&from->vif);
}

void to_router(int g, const struct test_packet *p, uint16_t flags, size_t piece)
{
    send_frame(g, router_get()->sw.router_mac, p, flags, piece);
}

void to_guest(int g, int to, const struct test_packet *p, uint16_t flags,
              size_t piece)
{
    uint8_t mac[6];

    mac_of(to, mac);
    send_frame(g, mac, p, flags, piece);
}

/* The next frame guest @g has got; NULL: none.  Its response is in *rsp. */
const uint8_t *got(int g, struct netif_rx_response *rsp)
{
    uint32_t at = guest[g].rx_seen % NETIF_RX_RING_SLOTS;

    if (guest[g].rx_seen == guest[g].rx.h.rsp_prod)
        return NULL;
    guest[g].rx_seen++;
    *rsp = guest[g].rx.slot[at].rsp;
    CHECK(rsp->id == at);
    return guest[g].page[at] + rsp->offset;
}

int tx_status(int g, uint32_t index)
{
    return guest[g].tx.slot[index % NETIF_TX_RING_SLOTS].rsp.status;
}

void from_card(const struct test_packet *p)
{
    struct packet *packet = packet_alloc();

    eth_header(packet->frame, card_mac, card_mac, ETH_TYPE_IP4);
    memcpy(packet->frame + ETH_HEADER_BYTES, p->ip, p->bytes);
    packet->bytes = packet->here = (uint16_t)(ETH_HEADER_BYTES + p->bytes);
    packet->next = card_in;
    card_in = packet;
    round_wake();
}
