/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets through real rounds: rings, batches, switch, NAT.  Around them are a
 * machine of a few pages that carries out grant copies, and a card and a stack
 * that only take down what they get.
 */
/* LINK: guests/control/net/round.c guests/control/net/router.c */
/* LINK: guests/control/net/netback_tx.c guests/control/net/netback_rx.c */
/* LINK: guests/control/net/netback_cut.c */
/* LINK: guests/control/net/netback_ring.c guests/control/net/copy_batch.c */
/* LINK: guests/control/net/packet.c guests/control/net/switch.c */
/* LINK: guests/control/net/dhcp.c */
/* LINK: guests/control/net/nat.c guests/control/net/nat_flow.c */
/* LINK: guests/control/net/nat_icmp.c guests/control/net/nat_tcp.c */
/* LINK: guests/control/net/ip4.c guests/control/net/checksum.c */
/* LINK: guests/control/net/siphash.c */

#include <rt/event.h>
#include <rt/grant.h>
#include <rt/net.h>
#include <rt/page.h>
#include <rt/time.h>
#include <rt/timer.h>

#include "drivers/pci.h"
#include "net/inside.h"
#include "net/netback_rx.h"
#include "net/netback_tx.h"
#include "net/packet.h"
#include "net/round.h"
#include "net/router.h"
#include "net/secret.h"
#include "net/uplink.h"
#include "net/vif.h"
#include "packets.h"
#include "test.h"

#define ROUTER IP4(10, 64, 0, 1)
#define UPLINK IP4(10, 0, 2, 15)
#define REMOTE IP4(192, 0, 2, 7)

#define GUESTS      3
#define GUEST_PAGES 600U
#define RX_PAGES    256U /* references below are receive buffers */

static const uint8_t card_mac[] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

struct guest {
    struct vif vif;
    struct netif_tx_ring tx;
    struct netif_rx_ring rx;
    uint8_t page[GUEST_PAGES][4096];
    uint32_t rx_seen, events;
    uint16_t next_page;
};
static struct guest guest[GUESTS];

/* --- The machine ---------------------------------------------------------- */

static uint64_t now;
static uint32_t copies, copy_calls;
static void (*on_second_call)(void);
static bool work_queued;
static void (*work_fn)(void *arg);

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
    return now;
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

static struct packet *card_out[4096];
static uint32_t card_out_count, card_holds;
static struct packet *card_in;
static uint32_t stack_count, uplink_stack_count;

const uint8_t *uplink_mac(void)
{
    return card_mac;
}

void uplink_route(struct packet *packet, uint32_t destination)
{
    EXPECT_EQ(wire_get32(packet->frame + ETH_HEADER_BYTES + IP4_DST),
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
    EXPECT_EQ(packet->here, packet->bytes);
    stack_count++;
}

static void card_done(void)
{
    while (card_out_count > 0)
        packet_free(card_out[--card_out_count]);
}

/* --- Guests ----------------------------------------------------------------
 */

static uint32_t address_of(int g)
{
    return ROUTER + 1 + (uint32_t)g;
}

static void mac_of(int g, uint8_t *mac)
{
    memcpy(mac, (const uint8_t[]){0, 0x16, 0x3e, 0, 0, (uint8_t)(g + 1)}, 6);
}

static void post(int g, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = guest[g].rx.h.req_prod++ % NETIF_RX_RING_SLOTS;

        guest[g].rx.slot[at].req =
            (struct netif_rx_request){.id = (uint16_t)at, .gref = at};
    }
}

static void run(void)
{
    for (int i = 0; work_queued && i < 1000; i++) {
        work_queued = false;
        work_fn(NULL);
    }
    EXPECT_FALSE(work_queued);
}

void setup(void)
{
    static bool started;

    now = 1000000000;
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
        REQUIRE(switch_port_add(&router_get()->sw, &guest[g].vif.port, mac,
                                address_of(g)));
        REQUIRE(nat_guest_add(&router_get()->nat, &guest[g].vif.nat,
                              address_of(g)));
        tx_ring_attach(&guest[g].vif.tx, &guest[g].tx);
        rx_ring_attach(&guest[g].vif.rx, &guest[g].rx);
        guest[g].vif.connected = true;
    }
    copies = copy_calls = stack_count = uplink_stack_count = card_holds = 0;
}

/* Whatever a test has done, no packet is lost. */
void teardown(void)
{
    card_done();
    for (int g = 0; g < GUESTS; g++) {
        round_forget(&guest[g].vif);
        rx_drop_queue(&guest[g].vif);
        switch_port_remove(&router_get()->sw, &guest[g].vif.port);
        nat_guest_remove(&router_get()->nat, &guest[g].vif.nat);
    }
    work_queued = false;
    EXPECT_EQ(packet_used_count(), 0);
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

static void to_router(int g, const struct test_packet *p, uint16_t flags,
                      size_t piece)
{
    send_frame(g, router_get()->sw.router_mac, p, flags, piece);
}

static void to_guest(int g, int to, const struct test_packet *p, uint16_t flags,
                     size_t piece)
{
    uint8_t mac[6];

    mac_of(to, mac);
    send_frame(g, mac, p, flags, piece);
}

/* The next frame guest @g has got; NULL: none.  Its response is in *rsp. */
static const uint8_t *got(int g, struct netif_rx_response *rsp)
{
    uint32_t at = guest[g].rx_seen % NETIF_RX_RING_SLOTS;

    if (guest[g].rx_seen == guest[g].rx.h.rsp_prod)
        return NULL;
    guest[g].rx_seen++;
    *rsp = guest[g].rx.slot[at].rsp;
    EXPECT_EQ(rsp->id, at);
    return guest[g].page[at] + rsp->offset;
}

static void expect_packet(const uint8_t *frame, const struct test_packet *p)
{
    REQUIRE(frame != NULL);
    EXPECT_MEM(frame + ETH_HEADER_BYTES, p->ip, p->bytes);
}

static int tx_status(int g, uint32_t index)
{
    return guest[g].tx.slot[index % NETIF_TX_RING_SLOTS].rsp.status;
}

static void from_card(const struct test_packet *p)
{
    struct packet *packet = packet_alloc();

    eth_header(packet->frame, card_mac, card_mac, ETH_TYPE_IP4);
    memcpy(packet->frame + ETH_HEADER_BYTES, p->ip, p->bytes);
    packet->bytes = packet->here = (uint16_t)(ETH_HEADER_BYTES + p->bytes);
    packet->next = card_in;
    card_in = packet;
    round_wake();
}

/* --- Tests -----------------------------------------------------------------
 */

TEST("a guest's packet goes out translated, in one copy, and is answered")
{
    struct test_packet p;

    test_udp(&p, address_of(0), 7, REMOTE, 53, 1000);
    to_router(0, &p, 0, 4096);
    run();
    EXPECT_EQ(card_out_count, 1);
    EXPECT_EQ(wire_get32(card_out[0]->frame + ETH_HEADER_BYTES + IP4_SRC),
              UPLINK);
    EXPECT_MEM(card_out[0]->frame + ETH_HEADER_BYTES + 28, p.ip + 28, 1000);
    EXPECT_EQ(copies, 1);
    EXPECT_EQ(copy_calls, 1);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 1);
    EXPECT_EQ(tx_status(0, 0), NETIF_RSP_OKAY);
    EXPECT_EQ(guest[0].events, 1);
}

TEST("many packets of several guests cost one hypercall")
{
    struct test_packet p;

    for (int g = 0; g < GUESTS; g++) {
        for (uint16_t i = 0; i < 16; i++) {
            test_udp(&p, address_of(g), i, REMOTE, 53, 100);
            to_router(g, &p, 0, 4096);
        }
    }
    run();
    EXPECT_EQ(card_out_count, 48);
    EXPECT_EQ(copy_calls, 1);
    for (int g = 0; g < GUESTS; g++)
        EXPECT_EQ(guest[g].events, 1);
}

TEST("a packet from outside reaches its guest in one copy")
{
    struct netif_rx_response rsp;
    struct test_packet p;
    const uint8_t *frame;
    uint8_t mac[6];

    EXPECT_EQ(
        nat_forward_add(&router_get()->nat, PROTO_TCP, 9000, address_of(1), 80),
        0);
    post(1, 2);
    test_tcp(&p, REMOTE, 5, UPLINK, 9000, TCP_SYN, 1, 0, 0);
    from_card(&p);
    run();
    frame = got(1, &rsp);
    REQUIRE(frame != NULL);
    mac_of(1, mac);
    EXPECT_MEM(frame + ETH_DST, mac, 6);
    EXPECT_EQ(wire_get32(frame + ETH_HEADER_BYTES + IP4_DST), address_of(1));
    EXPECT_EQ(rsp.status, ETH_HEADER_BYTES + 40);
    EXPECT_EQ(rsp.flags, 0); /* nothing was validated */
    EXPECT_EQ(copies, 1);
    EXPECT_TRUE(got(1, &rsp) == NULL);
    EXPECT_EQ(nat_forward_remove(&router_get()->nat, PROTO_TCP, 9000), 0);
}

TEST("guest to guest: the second packet goes straight from page to page")
{
    struct netif_rx_response rsp;
    struct test_packet p;

    post(1, 10);
    test_udp(&p, address_of(0), 1, address_of(1), 2, 1400);
    to_guest(0, 1, &p, 0, 4096);
    run();
    expect_packet(got(1, &rsp), &p);
    EXPECT_EQ(guest[1].vif.stats.direct, 0);

    copies = 0;
    test_udp(&p, address_of(0), 3, address_of(1), 4, 1300);
    to_guest(0, 1, &p, NETTXF_csum_blank, 4096);
    run();
    expect_packet(got(1, &rsp), &p);
    EXPECT_EQ(rsp.flags, NETRXF_csum_blank | NETRXF_data_validated);
    EXPECT_EQ(guest[1].vif.stats.direct, 1);
    EXPECT_EQ(copies, 3); /* headers in, headers out, the rest across */
    EXPECT_EQ(tx_status(0, 1), NETIF_RSP_OKAY);
}

TEST("packets in pieces of any size arrive whole, on both ways")
{
    struct netif_rx_response rsp;
    struct test_packet p;
    uint32_t sent = 0;

    for (size_t piece = 90; piece < 1600; piece += 37) {
        for (int i = 0; i < 2; i++) {
            post(2, 1);
            test_udp(&p, address_of(0), 1, address_of(2), 2, 1472);
            p.ip[100] = (uint8_t)piece;
            to_guest(0, 2, &p, NETTXF_data_validated, piece);
            run();
            expect_packet(got(2, &rsp), &p);
            EXPECT_EQ(rsp.status, ETH_FRAME_MAX);
            EXPECT_EQ(rsp.flags, NETRXF_data_validated);
            sent++;
        }
    }
    EXPECT_TRUE(guest[2].vif.stats.direct >= sent - 1);
    for (size_t piece = 90; piece < 1600; piece += 37) {
        test_udp(&p, address_of(0), 1, REMOTE, 2, 1472);
        to_router(0, &p, 0, piece);
        run();
        EXPECT_MEM(card_out[0]->frame + 14 + 28, p.ip + 28, 1472);
        card_done();
    }
}

TEST("a blank checksum is completed for the uplink and for simple guests")
{
    struct netif_rx_response rsp;
    struct test_packet p, want;
    const uint8_t *frame;

    guest[1].vif.front_no_checksum = true;
    post(1, 4);
    for (int i = 0; i < 2; i++) { /* from the buffer, and from the pages */
        test_udp(&p, address_of(0), 1, address_of(1), 2, 1000);
        want = p;
        wire_put16(p.ip + IP4_HEADER_BYTES + UDP_CHECKSUM, 0x1234);
        to_guest(0, 1, &p, NETTXF_csum_blank | NETTXF_data_validated, 4096);
        run();
        frame = got(1, &rsp);
        expect_packet(frame, &want);
        EXPECT_EQ(rsp.flags & NETRXF_csum_blank, 0);
    }

    test_tcp(&p, address_of(0), 1, REMOTE, 2, TCP_SYN, 1, 2, 1);
    wire_put16(p.ip + IP4_HEADER_BYTES + TCP_CHECKSUM, 0x1234);
    to_router(0, &p, NETTXF_csum_blank | NETTXF_data_validated, 4096);
    run();
    REQUIRE(card_out_count == 1);
    memcpy(p.ip, card_out[0]->frame + ETH_HEADER_BYTES, p.bytes);
    EXPECT_TRUE(test_sums_right(&p));
}

TEST("a blank checksum of what has none is dropped")
{
    struct netif_rx_response rsp;
    struct test_packet p;

    post(1, 4);
    test_echo(&p, address_of(0), address_of(1), ICMP_ECHO, 1);
    to_guest(0, 1, &p, NETTXF_csum_blank, 4096);
    test_echo(&p, address_of(0), REMOTE, ICMP_ECHO, 1);
    to_router(0, &p, NETTXF_csum_blank, 4096);
    run();
    EXPECT_TRUE(got(1, &rsp) == NULL);
    EXPECT_EQ(card_out_count, 0);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 2);
}

TEST("frames wait for buffers, in order, and not beyond their limit")
{
    struct netif_rx_response rsp;
    struct test_packet p;
    uint32_t count = 0;

    for (uint16_t i = 0; i < 200; i++) {
        test_udp(&p, address_of(0), i, address_of(1), 2, 500);
        to_guest(0, 1, &p, 0, 4096);
        run();
    }
    EXPECT_EQ(guest[1].vif.rx_queued, VIF_RX_QUEUE_MAX);
    EXPECT_EQ(guest[1].vif.stats.rx_dropped, 200 - VIF_RX_QUEUE_MAX);
    EXPECT_EQ(guest[1].rx.h.req_event, 1);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 200); /* the sender is not held up */

    for (int i = 0; i < 7; i++) {
        const uint8_t *frame;

        post(1, 10);
        round_activate(&guest[1].vif);
        run();
        while ((frame = got(1, &rsp)) != NULL)
            EXPECT_EQ(wire_get16(frame + 34), count++);
    }
    EXPECT_EQ(count, VIF_RX_QUEUE_MAX);
}

TEST("a frame that comes after buffers were posted stays behind those waiting")
{
    struct netif_rx_response rsp;
    struct test_packet p;
    const uint8_t *frame;

    for (uint16_t i = 0; i < 3; i++) {
        if (i == 2)
            post(1, 10); /* Its event has not been seen yet. */
        test_udp(&p, address_of(0), i, address_of(1), 2, 500);
        to_guest(0, 1, &p, 0, 4096);
        run();
    }
    round_activate(&guest[1].vif);
    run();
    for (uint16_t i = 0; i < 3; i++) {
        frame = got(1, &rsp);
        REQUIRE(frame != NULL);
        EXPECT_EQ(wire_get16(frame + 34), i);
    }
}

TEST("a guest that never posts loses what waits after ten seconds")
{
    struct test_packet p;

    test_udp(&p, address_of(0), 1, address_of(1), 2, 500);
    to_guest(0, 1, &p, 0, 4096);
    run();
    EXPECT_EQ(guest[1].vif.rx_queued, 1);
    EXPECT_TRUE(rt_timer_armed(&guest[1].vif.rx_timer));
    guest[1].vif.rx_timer.slot = 0;
    now += 5000000000;
    guest[1].vif.rx_timer.fn(guest[1].vif.rx_timer.arg);
    EXPECT_EQ(guest[1].vif.rx_queued, 1);
    EXPECT_TRUE(rt_timer_armed(&guest[1].vif.rx_timer));
    now += 5000000000;
    guest[1].vif.rx_timer.slot = 0;
    guest[1].vif.rx_timer.fn(guest[1].vif.rx_timer.arg);
    EXPECT_EQ(guest[1].vif.rx_queued, 0);
    EXPECT_FALSE(rt_timer_armed(&guest[1].vif.rx_timer));
}

TEST("pages that cannot be read give an error, and only for their packet")
{
    struct test_packet p;

    for (uint16_t i = 0; i < 3; i++) {
        test_udp(&p, address_of(0), i, REMOTE, 53, 100);
        to_router(0, &p, 0, 4096);
    }
    guest[0].tx.slot[1].req.gref = 100000;
    run();
    EXPECT_EQ(card_out_count, 2);
    EXPECT_EQ(tx_status(0, 0), NETIF_RSP_OKAY);
    EXPECT_EQ(tx_status(0, 1), NETIF_RSP_ERROR);
    EXPECT_EQ(tx_status(0, 2), NETIF_RSP_OKAY);
}

TEST("buffers that cannot be written give an error, and are passed over")
{
    struct netif_rx_response rsp;
    struct test_packet p;

    post(1, 2);
    guest[1].rx.slot[0].req.gref = 100000;
    for (int i = 0; i < 2; i++) {
        test_udp(&p, address_of(0), 1, address_of(1), 2, 500);
        to_guest(0, 1, &p, 0, 4096);
    }
    run();
    EXPECT_TRUE(got(1, &rsp) != NULL);
    EXPECT_EQ(rsp.status, NETIF_RSP_ERROR);
    expect_packet(got(1, &rsp), &p);
    EXPECT_EQ(guest[1].vif.stats.rx_errors, 1);
}

TEST("ARP is answered to the guest that asked")
{
    struct netif_rx_response rsp;
    const uint8_t *frame;
    uint8_t arp[42], mac[6];

    memset(arp, 0, sizeof(arp));
    mac_of(0, mac);
    eth_header(arp, (const uint8_t[]){255, 255, 255, 255, 255, 255}, mac,
               ETH_TYPE_ARP);
    wire_put16(arp + 14, 1);
    wire_put16(arp + 16, ETH_TYPE_IP4);
    arp[18] = 6;
    arp[19] = 4;
    wire_put16(arp + 20, ARP_REQUEST);
    memcpy(arp + 22, mac, 6);
    wire_put32(arp + 28, address_of(0));
    wire_put32(arp + 38, ROUTER);
    memcpy(guest[0].page[300], arp, sizeof(arp));
    guest[0].tx.slot[0].req =
        (struct netif_tx_request){.gref = 300, .size = sizeof(arp)};
    guest[0].tx.h.req_prod = 1;
    post(0, 1);
    round_activate(&guest[0].vif);
    run();
    frame = got(0, &rsp);
    REQUIRE(frame != NULL);
    EXPECT_EQ(rsp.status, 42);
    EXPECT_MEM(frame + 22, router_get()->sw.router_mac, 6);
}

TEST("the router's own packets reach the stack")
{
    struct test_packet p;

    test_echo(&p, address_of(0), ROUTER, ICMP_ECHO, 1);
    to_router(0, &p, 0, 4096);
    test_udp(&p, REMOTE, 67, UPLINK, 68, 100);
    from_card(&p);
    run();
    EXPECT_EQ(stack_count, 1);
    EXPECT_EQ(uplink_stack_count, 1);
}

TEST("inside addresses do not come in from outside")
{
    struct netif_rx_response rsp;
    struct test_packet p;

    post(1, 2);
    test_udp(&p, address_of(0), 67, UPLINK, 68, 100);
    from_card(&p);
    test_udp(&p, REMOTE, 67, address_of(1), 68, 100);
    from_card(&p);
    run();
    EXPECT_EQ(uplink_stack_count, 0);
    EXPECT_TRUE(got(1, &rsp) == NULL);
    EXPECT_EQ(router_get()->uplink_foreign, 2);
}

TEST("a guest whose packets wait for the uplink waits; others go on")
{
    struct test_packet p;

    card_holds = 1;
    for (uint16_t i = 0; i < 200; i++) {
        test_udp(&p, address_of(0), i, REMOTE, 53, 100);
        to_router(0, &p, 0, 4096);
    }
    run();
    EXPECT_EQ(guest[0].vif.uplink_queued, VIF_UPLINK_QUEUE_MAX);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, VIF_UPLINK_QUEUE_MAX);

    test_udp(&p, address_of(1), 1, REMOTE, 53, 100);
    to_router(1, &p, 0, 4096);
    run();
    EXPECT_EQ(guest[1].tx.h.rsp_prod, 1);

    card_holds = 0;
    guest[0].vif.uplink_queued = 0;
    card_done();
    round_wake();
    run();
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 200);
}

TEST("guests that stall at the uplink leave packets for what comes in")
{
    static struct packet *taken[PACKETS_MAX];
    struct test_packet p;
    uint32_t count = 0;

    while (packet_free_count() > 640)
        taken[count++] = packet_alloc();
    card_holds = 1;
    for (uint16_t i = 0; i < 100; i++) {
        test_udp(&p, address_of(0), i, REMOTE, 53, 100);
        to_router(0, &p, 0, 4096);
    }
    run();
    EXPECT_TRUE(guest[0].vif.uplink_queued <= 640 / 32 + TX_GUEST_TURN);
    EXPECT_TRUE(guest[0].vif.uplink_queued > 0);

    card_holds = 0;
    guest[0].vif.uplink_queued = 0;
    card_done();
    while (count > 0)
        packet_free(taken[--count]);
    round_wake();
    run();
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 100);
}

TEST("without packet buffers guests wait, and go on when there are some")
{
    static struct packet *all[PACKETS_MAX];
    struct test_packet p;
    uint32_t count = 0;

    while (count < PACKETS_MAX && (all[count] = packet_alloc()) != NULL)
        count++;
    EXPECT_EQ(count, PACKETS_MAX);
    test_udp(&p, address_of(0), 1, REMOTE, 53, 100);
    to_router(0, &p, 0, 4096);
    run();
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 0);
    packet_free(all[--count]);
    EXPECT_TRUE(work_queued);
    run();
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 1);
    while (count > 0)
        packet_free(all[--count]);
}

TEST("a guest that breaks its ring is stopped, and nobody else")
{
    struct netif_rx_response rsp;
    struct test_packet p;

    post(0, 4);
    guest[0].tx.h.req_prod = 1000;
    round_activate(&guest[0].vif);
    test_udp(&p, address_of(1), 1, REMOTE, 53, 100);
    to_router(1, &p, 0, 4096);
    run();
    EXPECT_TRUE(guest[0].vif.stopped);
    EXPECT_EQ(card_out_count, 1);

    test_udp(&p, address_of(1), 1, address_of(0), 53, 100);
    to_guest(1, 0, &p, 0, 4096);
    run();
    EXPECT_TRUE(got(0, &rsp) == NULL);
    EXPECT_EQ(guest[0].vif.rx_queued, 0);
    EXPECT_EQ(guest[1].tx.h.rsp_prod, 2);
}

TEST("the guest that sends most delays the others by one turn")
{
    struct test_packet p;

    for (uint16_t i = 0; i < 256; i++) {
        test_udp(&p, address_of(0), i, REMOTE, 53, 100);
        to_router(0, &p, 0, 4096);
    }
    test_udp(&p, address_of(1), 1, REMOTE, 53, 100);
    to_router(1, &p, 0, 4096);
    work_queued = false;
    work_fn(NULL);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, TX_GUEST_TURN);
    EXPECT_EQ(guest[1].tx.h.rsp_prod, 1);
    EXPECT_TRUE(work_queued);
    run();
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 256);
}

TEST("a guest can go away in the middle of everything")
{
    struct test_packet p;

    for (uint16_t i = 0; i < 100; i++) {
        test_udp(&p, address_of(1), i, address_of(0), 53, 100);
        to_guest(1, 0, &p, 0, 4096);
    }
    work_queued = false;
    work_fn(NULL);
    guest[0].vif.connected = false;
    round_forget(&guest[0].vif);
    rx_drop_queue(&guest[0].vif);
    run();
    EXPECT_EQ(guest[1].tx.h.rsp_prod, 100);
    EXPECT_EQ(packet_used_count(), 0);
}

/* --- TCP packets that are to be cut -----------------------------------------
 */

#define LARGE_HEADERS (ETH_HEADER_BYTES + 40)
#define SEGMENT       1448U
#define SEQUENCE      0xfffff000U /* it wraps */

static uint8_t large[65536], collected[65536];

/* A packet with @data bytes of TCP data; the bytes of the frame. */
static uint32_t make_large(int g, uint32_t dst, const uint8_t *dst_mac,
                           uint32_t data)
{
    uint8_t *ip = large + ETH_HEADER_BYTES, *tcp = ip + 20, mac[6];
    struct test_packet p;

    mac_of(g, mac);
    eth_header(large, dst_mac, mac, ETH_TYPE_IP4);
    test_tcp(&p, address_of(g), 80, dst, 5, TCP_ACK | TCP_PSH | TCP_FIN,
             SEQUENCE, 1, 0);
    wire_put16(p.ip + IP4_TOTAL, (uint16_t)(40 + data));
    wire_put16(p.ip + IP4_ID, 0xffff);
    test_ip_sum(&p);
    memcpy(ip, p.ip, 40);
    wire_put16(tcp + TCP_CHECKSUM, 0xbeef);
    for (uint32_t i = 0; i < data; i++)
        large[LARGE_HEADERS + i] = (uint8_t)(i * 31 + i / 4096);
    return LARGE_HEADERS + data;
}

static union netif_tx_slot *next_tx_slot(int g)
{
    return &guest[g].tx.slot[guest[g].tx.h.req_prod++ % NETIF_TX_RING_SLOTS];
}

/* The guest sends it in pieces of @piece bytes, the first with the headers. */
static void send_large(int g, uint32_t bytes, uint32_t piece)
{
    struct guest *from = &guest[g];

    for (uint32_t at = 0; at < bytes; at += piece) {
        uint32_t part = bytes - at < piece ? bytes - at : piece;
        uint16_t page = from->next_page++, flags = NETTXF_csum_blank;
        union netif_tx_slot *slot = next_tx_slot(g);

        if (from->next_page == GUEST_PAGES)
            from->next_page = RX_PAGES;
        memcpy(from->page[page] + 4096 - part, large + at, part);
        if (at + part < bytes)
            flags |= NETTXF_more_data;
        if (at == 0)
            flags |= NETTXF_extra_info;
        slot->req = (struct netif_tx_request){
            .gref = page,
            .offset = (uint16_t)(4096 - part),
            .flags = flags,
            .size = (uint16_t)(at == 0 ? bytes : part),
        };
        if (at == 0)
            next_tx_slot(g)->extra = (struct netif_extra_info){
                .type = NETIF_EXTRA_TYPE_GSO,
                .u.gso = {.size = SEGMENT, .type = NETIF_GSO_TYPE_TCPV4}};
    }
    round_activate(&from->vif);
}

static void large_to_guest(int g, int to, uint32_t data, uint32_t piece)
{
    uint8_t mac[6];

    mac_of(to, mac);
    send_large(g, make_large(g, address_of(to), mac, data), piece);
    run();
}

/* What guest @g got uncut is what was sent; the count of its slots. */
static uint32_t expect_uncut(int g, uint32_t bytes)
{
    struct netif_rx_response rsp;
    uint32_t at = 0, slots = 0;

    do {
        const uint8_t *buffer = got(g, &rsp);

        REQUIRE(buffer != NULL);
        REQUIRE(rsp.status > 0);
        memcpy(collected + at, buffer, (size_t)rsp.status);
        at += (uint32_t)rsp.status;
        EXPECT_EQ(rsp.flags & ~NETRXF_more_data,
                  slots ? 0
                        : NETRXF_csum_blank | NETRXF_data_validated |
                              NETRXF_extra_info);
        if (slots++ == 0) {
            const struct netif_extra_info *extra =
                &guest[g]
                     .rx.slot[guest[g].rx_seen++ % NETIF_RX_RING_SLOTS]
                     .extra;

            EXPECT_EQ(extra->type, NETIF_EXTRA_TYPE_GSO);
            EXPECT_EQ(extra->flags, 0);
            EXPECT_EQ(extra->u.gso.size, SEGMENT);
            EXPECT_EQ(extra->u.gso.type, NETIF_GSO_TYPE_TCPV4);
        }
    } while (rsp.flags & NETRXF_more_data);
    EXPECT_EQ(at, bytes);
    EXPECT_MEM(collected, large, bytes);
    return slots;
}

/* A part's headers are right, and its data goes where its number says. */
static void expect_part(const uint8_t *frame, uint32_t data, bool is_whole)
{
    const uint8_t *ip = frame + ETH_HEADER_BYTES, *tcp = ip + 20;
    uint32_t from = wire_get32(tcp + TCP_SEQUENCE) - SEQUENCE;
    uint32_t bytes = wire_get16(ip + IP4_TOTAL) - 40U;
    struct test_packet p = {.bytes = bytes + 40};

    REQUIRE(bytes <= SEGMENT && from + bytes <= data);
    EXPECT_EQ(from % SEGMENT, 0);
    EXPECT_EQ(test_sum(ip, 20), 0);
    EXPECT_EQ(wire_get16(ip + IP4_ID), (uint16_t)(0xffff + from / SEGMENT));
    EXPECT_EQ(tcp[TCP_FLAGS],
              from + bytes == data ? TCP_ACK | TCP_PSH | TCP_FIN : TCP_ACK);
    memcpy(p.ip, ip, p.bytes);
    if (!is_whole) /* as whoever completes it goes on from what is there */
        wire_put16(p.ip + 20 + TCP_CHECKSUM, test_sum(p.ip + 20, p.bytes - 20));
    EXPECT_TRUE(test_sums_right(&p));
    memcpy(collected + from, frame + LARGE_HEADERS, bytes);
}

TEST("a packet to be cut passes whole to a guest that takes such")
{
    guest[1].vif.front_gso = true;
    for (uint32_t piece = 3700; piece <= 4096; piece += 44) {
        for (uint32_t data = 1; data < 65000; data += 5000) {
            uint32_t slots = (LARGE_HEADERS + data + 4095) / 4096;

            post(1, slots + 1);
            large_to_guest(0, 1, data, piece);
            EXPECT_EQ(expect_uncut(1, LARGE_HEADERS + data), slots);
            EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);
            EXPECT_TRUE(tx_status(0, guest[0].tx.h.rsp_prod - 1) >= 0);
        }
    }
    EXPECT_EQ(guest[1].vif.stats.rx_packets, guest[0].vif.stats.tx_packets);
    EXPECT_EQ(guest[1].vif.stats.rx_bytes, guest[0].vif.stats.tx_bytes);
    EXPECT_EQ(guest[1].vif.stats.rx_errors, 0);
}

TEST("it is cut for a guest that takes none, and where buffers do not suffice")
{
    struct netif_rx_response rsp;

    for (int takes = 0; takes < 2; takes++) {
        const uint8_t *frame;
        uint32_t count = 0;

        guest[1].vif.front_gso = takes;
        post(1, takes ? 7 : 60); /* uncut it takes 9 */
        memset(collected, 0, sizeof(collected));
        large_to_guest(0, 1, 30000, 4000);
        while (count < 21) {
            if (takes && count == 7) {
                post(1, 14);
                round_activate(&guest[1].vif);
                run();
            }
            frame = got(1, &rsp);
            REQUIRE(frame != NULL);
            EXPECT_EQ(rsp.flags, NETRXF_csum_blank | NETRXF_data_validated);
            expect_part(frame, 30000, false);
            count++;
        }
        EXPECT_TRUE(got(1, &rsp) == NULL);
        EXPECT_MEM(collected, large + LARGE_HEADERS, 30000);
        rx_ring_attach(&guest[1].vif.rx, &guest[1].rx);
        guest[1].rx.h.req_prod = guest[1].rx.h.rsp_prod = 0;
        guest[1].rx_seen = 0;
        rx_ring_attach(&guest[1].vif.rx, &guest[1].rx);
    }
}

TEST("it is cut for the uplink and for the stack, with checksums")
{
    struct test_packet p;

    test_tcp(&p, address_of(0), 80, REMOTE, 5, TCP_SYN, SEQUENCE, 0, 0);
    to_router(0, &p, 0, 4096);
    run();
    card_done();
    for (uint32_t data = 1; data < 65000; data += 3000) {
        send_large(0, make_large(0, REMOTE, router_get()->sw.router_mac, data),
                   4096);
        run();
        REQUIRE(card_out_count == (data + SEGMENT - 1) / SEGMENT);
        for (uint32_t i = 0; i < card_out_count; i++)
            expect_part(card_out[i]->frame, data, true);
        EXPECT_MEM(collected, large + LARGE_HEADERS, data);
        card_done();
    }
    send_large(0, make_large(0, ROUTER, router_get()->sw.router_mac, 10000),
               4096);
    run();
    EXPECT_EQ(stack_count, 7);
}

TEST("what says that it is to be cut, but is nothing to cut, is dropped")
{
    static const struct {
        uint16_t at;
        uint8_t value;
    } wrong[] = {
        {14 + IP4_PROTO, PROTO_UDP},
        {14 + IP4_PROTO, PROTO_ICMP},
        {14 + IP4_FRAGMENT, 0x20},
        {14 + IP4_TOTAL, 0x10}, /* bytes behind the data */
        {34 + TCP_DATA_OFFSET, 0x40},
        {34 + TCP_FLAGS, TCP_SYN},
        {34 + TCP_FLAGS, TCP_RST | TCP_ACK},
        {34 + TCP_FLAGS, TCP_URG | TCP_ACK},
    };
    struct netif_rx_response rsp;
    uint64_t before = router_get()->uncuttable;
    uint32_t sent = 0, bytes;
    uint8_t mac[6];

    guest[1].vif.front_gso = true;
    post(1, 100);
    mac_of(1, mac);
    for (int to_card = 0; to_card < 2; to_card++) {
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
            bytes = to_card ? make_large(0, REMOTE, router_get()->sw.router_mac,
                                         8000)
                            : make_large(0, address_of(1), mac, 8000);
            large[wrong[i].at] = wrong[i].value;
            wire_put16(large + 14 + IP4_CHECKSUM, 0);
            wire_put16(large + 14 + IP4_CHECKSUM, test_sum(large + 14, 20));
            send_large(0, bytes, 4096);
            run();
            sent++;
        }
    }
    EXPECT_EQ(router_get()->uncuttable, before + sent);
    EXPECT_TRUE(got(1, &rsp) == NULL);
    EXPECT_EQ(card_out_count, 0);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);

    /* Headers that leave no room for the data of a part. */
    bytes = make_large(0, REMOTE, router_get()->sw.router_mac, 8000);
    large[34 + TCP_DATA_OFFSET] = 0xf0;
    send_large(0, bytes, 4096);
    run();
    EXPECT_EQ(tx_status(0, guest[0].tx.h.rsp_prod - 1), NETIF_RSP_ERROR);
    /* A request for an address, and what is no request of anybody's. */
    bytes = make_large(0, REMOTE, router_get()->sw.router_mac, 8000);
    wire_put16(large + ETH_TYPE, ETH_TYPE_ARP);
    send_large(0, bytes, 4096);
    run();
    EXPECT_EQ(card_out_count, 0);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);
}

TEST("data that cannot be read or written is an error of that packet alone")
{
    struct netif_rx_response rsp;
    uint8_t mac[6];
    int errors = 0;

    mac_of(1, mac);
    for (int takes = 0; takes < 2; takes++) {
        guest[1].vif.front_gso = takes;
        post(1, 40);
        send_large(0, make_large(0, address_of(1), mac, 8000), 3000);
        guest[0]
            .tx.slot[(guest[0].tx.h.req_prod - 1) % NETIF_TX_RING_SLOTS]
            .req.gref = 100000;
        run();
        while (got(1, &rsp)) {
            errors += rsp.status < 0;
            if (rsp.flags & NETRXF_extra_info)
                guest[1].rx_seen++;
        }
        EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);
    }
    /* Cut, its sender is told; whole, its receiver. */
    EXPECT_EQ(tx_status(0, 1), NETIF_RSP_NULL);
    EXPECT_EQ(tx_status(0, 0), NETIF_RSP_ERROR);
    EXPECT_EQ(errors, 1);
    EXPECT_FALSE(guest[1].vif.stopped);
}

static uint32_t left_posted;

/* Guest 1 takes back all of its buffers but some. */
static void take_back(void)
{
    guest[1].rx.h.req_prod = guest[1].rx.h.rsp_prod + left_posted;
}

TEST("a receiver that takes back what it has posted harms nobody else")
{
    struct test_packet p;
    uint8_t mac[6];

    guest[1].vif.front_gso = true;
    mac_of(1, mac);
    for (left_posted = 0; left_posted < 18; left_posted++) {
        /* So many copies that there is a call between counting and taking. */
        for (int i = 0; i < 13; i++) {
            post(2, 1);
            test_udp(&p, address_of(0), 1, address_of(2), 2, 1472);
            to_guest(0, 2, &p, 0, 90);
            if (i == 0)
                run();
        }
        post(1, 18);
        copy_calls = 0;
        on_second_call = take_back;
        send_large(0, make_large(0, address_of(1), mac, 60000), 4096);
        run();
        EXPECT_TRUE(on_second_call == NULL);
        EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);
        EXPECT_EQ(guest[1].vif.rx_queued, 0);
    }
    EXPECT_FALSE(guest[0].vif.stopped);
}

TEST("large packets are a turn of their own")
{
    struct test_packet p;
    uint8_t mac[6];

    guest[1].vif.front_gso = true;
    post(1, 250);
    mac_of(1, mac);
    for (int i = 0; i < 10; i++)
        send_large(0, make_large(0, address_of(1), mac, 30000), 4096);
    test_udp(&p, address_of(2), 1, REMOTE, 53, 100);
    to_router(2, &p, 0, 4096);
    work_queued = false;
    work_fn(NULL);
    EXPECT_EQ(guest[0].vif.stats.tx_packets, 1);
    EXPECT_EQ(guest[2].tx.h.rsp_prod, 1);
    run();
    EXPECT_EQ(guest[0].vif.stats.tx_packets, 10);
}
