/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks on the control domain through the pages it shares with a guest:
 * store, console and network rings with contents that cannot be.
 */

#include "attack/attack.h"

#include <string.h>

#include <abi/io/console.h>
#include <abi/io/xs_wire.h>

#include <rt/hypercall.h>

#include "attack/netfront.h"
#include "attack/store.h"
#include "framework/ports.h"
#include "framework/test.h"

#define MS 1000000UL

/* --- The store -------------------------------------------------------------
 */

static void random_message(void)
{
    static char message[sizeof(struct xsd_sockmsg) + 512];
    struct xsd_sockmsg *header = (struct xsd_sockmsg *)(void *)message;
    size_t size = sizeof(*header) + random_below(300);

    for (size_t i = sizeof(*header); i < sizeof(message); i++)
        message[i] = random_below(3) ? "/local/domain\0"[random_below(14)]
                                     : (char)random_next();
    header->type = (uint32_t)random_below(26);
    header->req_id = (uint32_t)random_next();
    header->tx_id = (uint32_t)random_below(4);
    header->len = (uint32_t)(size - sizeof(*header));
    /* The reply is not waited for: it piles up until it blocks. */
    store_put(message, size);
    store_notify();
    store_page()->rsp_cons = store_page()->rsp_prod;
}

void attack_store(void)
{
    static const char secret[] = "/local/domain/0/attacked";
    struct xenstore_domain_interface *ring = store_page();
    char value[64];

    if (store_write(secret, "by a guest"))
        broken("wrote another domain's node", 0);
    if (store_ask(XS_RM, "/local", 7, NULL, 0) >= 0)
        broken("removed /local", 0);
    if (store_ask(XS_INTRODUCE,
                  "5\0"
                  "1\0"
                  "1\0",
                  6, NULL, 0) >= 0)
        broken("introduced a domain", 5);
    if (store_read("/local/domain/0/name", value, sizeof(value)) && !value[0])
        broken("read an empty name", 0);
    for (uint64_t n = rounds(300); n > 0; n--) {
        random_message();
        idle_ns(MS / 5);
    }
    /* Lengths and indices that cannot be. */
    for (uint64_t n = rounds(100); n > 0; n--) {
        struct xsd_sockmsg header = {.type = XS_WRITE,
                                     .len = (uint32_t)random_next()};

        store_put(&header, sizeof(header));
        store_notify();
        idle_ns(MS);
        ring->req_prod = (uint32_t)random_next();
        ring->req_cons = (uint32_t)random_next();
        ring->rsp_prod = (uint32_t)random_next();
        ring->rsp_cons = (uint32_t)random_next();
        store_notify();
        idle_ns(MS);
    }
}

/* @prefix and the digits of @n behind it, from @at on; returns the end. */
static char *put_digits(char *at, const char *prefix, uint64_t n)
{
    while (*prefix)
        *at++ = *prefix++;
    for (uint64_t digits = n + 100000; digits > 0; digits /= 10)
        *at++ = (char)('0' + digits % 10);
    return at;
}

/* As many nodes, watches and transactions as it gets. */
void attack_store_flood(void)
{
    unsigned int nodes = 0, watches = 0, transactions = 0;
    char path[48];

    for (uint64_t n = 0; n < rounds(3000); n++) {
        /* Some to a folder: one with many names is too big for a node. */
        char *at = put_digits(put_digits(path, "data/", n / 50), "/", n);

        *at = '\0';
        if (!store_write(path, "flood"))
            break;
        nodes++;
    }
    for (unsigned int n = 0; n < 500; n++) {
        path[0] = 'd';
        memcpy(path + 1, "ata\0tok", 8);
        path[8] = (char)('a' + n % 26);
        path[9] = (char)('a' + n / 26);
        path[10] = '\0';
        if (store_ask(XS_WATCH, path, 11, NULL, 0) < 0)
            break;
        watches++;
    }
    for (unsigned int n = 0; n < 500; n++) {
        if (store_ask(XS_TRANSACTION_START, "", 1, NULL, 0) < 0)
            break;
        transactions++;
    }
    print("attack store-flood: %u nodes, %u watches, %u transactions\n", nodes,
          watches, transactions);
    if (nodes >= 3000 || watches >= 500 || transactions >= 500)
        broken("there is no quota", nodes);
}

/* --- The console ------------------------------------------------------------
 */

void attack_console(void)
{
    struct xencons_interface *ring =
        (void *)(uintptr_t)(layout.virt_base +
                            start_info->console.domU.mfn * PAGE_SIZE);
    evtchn_port_t port = start_info->console.domU.evtchn;

    /* Rubbish, control characters and escape sequences, without a pause. */
    for (uint64_t n = rounds(3000); n > 0; n--) {
        for (unsigned int i = 0; i < XENCONS_OUT_BYTES; i++)
            ring->out[i] = (char)random_next();
        ring->out_prod = ring->out_cons + XENCONS_OUT_BYTES;
        port_send(port);
        if (n % 64 == 0)
            idle_ns(MS);
    }
    for (uint64_t n = rounds(300); n > 0; n--) {
        ring->out_prod = (uint32_t)random_next();
        ring->out_cons = (uint32_t)random_next();
        ring->in_prod = (uint32_t)random_next();
        ring->in_cons = (uint32_t)random_next();
        port_send(port);
        idle_ns(MS);
    }
}

/* --- The network -------------------------------------------------------------
 */

/* A request near what is right, and sometimes far from it. */
static void random_request(struct netif_tx_request *request)
{
    request->gref = random_below(4) ? DATA_REF + (uint32_t)random_below(BUFFERS)
                                    : (uint32_t)random_next();
    request->offset = (uint16_t)(random_below(4) ? 0 : random_next());
    request->size =
        (uint16_t)(random_below(4) ? 60 + random_below(1500) : random_next());
    request->flags =
        (uint16_t)(random_below(3) ? random_below(3) : random_next());
    request->id = (uint16_t)random_next();
}

static void send_rubbish(uint64_t packets)
{
    while (packets > 0) {
        unsigned int burst = 1 + (unsigned int)random_below(60);
        uint32_t prod = tx->h.req_prod;

        for (unsigned int i = 0; i < BUFFERS * PAGE_SIZE; i += 8)
            *(uint64_t *)(void *)(buffers + i) = random_next();
        for (unsigned int i = 0; i < burst; i++)
            random_request(&tx->slot[(prod + i) % NETIF_TX_RING_SLOTS].req);
        __atomic_store_n(&tx->h.req_prod, prod + burst, __ATOMIC_SEQ_CST);
        for (unsigned int i = 0; i < 8; i++) {
            uint32_t at = rx->h.req_prod++;

            rx->slot[at % NETIF_RX_RING_SLOTS].req = (struct netif_rx_request){
                .id = (uint16_t)at,
                .gref = random_below(4) ? DATA_REF : (uint32_t)random_next()};
        }
        port_send(net_port);
        /* Change it while the other side may be reading. */
        for (unsigned int i = 0; i < 200; i++)
            random_request(&tx->slot[random_below(NETIF_TX_RING_SLOTS)].req);
        idle_ns(MS / 2);
        packets -= packets < burst ? packets : burst;
    }
}

/* Connect and disconnect as fast as the backend follows, for a while. */
void attack_net_toggle(void)
{
    static const char both[] = "device/vif/0/state\0"
                               "4"
                               "device/vif/0/state\0"
                               "1";
    uint64_t end = now_ns() + rounds(5) * 1000 * MS;
    char path[256], value[16];
    unsigned int connections = 0;
    const size_t size = (sizeof(both) - 1) / 2;

    if (!front_connect() || !store_read("device/vif/0/backend", path, 200)) {
        print("attack net-toggle: not connected\n");
        return;
    }
    strcat(path, "/state");
    for (bool up = true; now_ns() < end;) {
        store_ask(XS_WRITE, up ? both + size : both, size, NULL, 0);
        if (!store_read(path, value, sizeof(value)))
            break;
        if (!up && value[0] == '4')
            connections++;
        if (value[0] == (up ? '2' : '4'))
            up = !up;
    }
    print("attack net-toggle: %u connections\n", connections);
    if (connections > 16 + 2 * rounds(5))
        broken("it may connect too often", connections);
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Our own addresses, as the store has them. */
static bool own_addresses(uint8_t mac[6], uint8_t ip[4])
{
    char text[32];
    const char *at = text;

    if (!store_read("device/vif/0/mac", text, sizeof(text)))
        return false;
    for (int i = 0; i < 6; i++)
        mac[i] =
            (uint8_t)(hex_digit(text[3 * i]) << 4 | hex_digit(text[3 * i + 1]));
    if (!store_read("device/vif/0/ip", text, sizeof(text)))
        return false;
    for (int i = 0; i < 4; i++) {
        for (ip[i] = 0; *at >= '0' && *at <= '9'; at++)
            ip[i] = (uint8_t)(ip[i] * 10 + *at - '0');
        at++;
    }
    return true;
}

/* The router answers for its address, 10.64.0.1. */
static bool ask_router_mac(const uint8_t mac[6], const uint8_t ip[4],
                           uint8_t router[6])
{
    static const uint8_t head[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
    static const uint8_t address[] = {10, 64, 0, 1};
    uint8_t *frame = buffers, *reply = buffers + PAGE_SIZE;

    memset(frame, 0xff, 6);
    memcpy(frame + 6, mac, 6);
    memcpy(frame + 12, head, sizeof(head));
    memcpy(frame + 22, mac, 6);
    memcpy(frame + 28, ip, 4);
    memset(frame + 32, 0, 6);
    memcpy(frame + 38, address, 4);
    rx->slot[0].req = (struct netif_rx_request){.gref = DATA_REF + 1};
    rx->h.req_prod = 1;
    (void)front_send(0, 60);
    for (int i = 0; i < 100 && rx->h.rsp_prod == 0; i++)
        idle_ns(MS);
    memcpy(router, reply + 22, 6);
    return rx->h.rsp_prod != 0;
}

static void ip_checksum(uint8_t *header)
{
    uint32_t sum = 0;

    header[10] = header[11] = 0;
    for (int i = 0; i < 20; i += 2)
        sum += (uint32_t)header[i] << 8 | header[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16));
    header[10] = (uint8_t)(sum >> 8);
    header[11] = (uint8_t)sum;
}

/* A word to each address of the uplink's network, over and over. */
void attack_net_scan(void)
{
    uint8_t mac[6], ip[4], *frame = buffers;
    static const uint8_t head[] = {8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17};
    static const uint8_t udp[] = {1, 1, 1, 1, 0, 8, 0, 0};
    unsigned int count = 0;

    if (!front_connect() || !own_addresses(mac, ip) ||
        !ask_router_mac(mac, ip, frame)) {
        print("attack net-scan: not connected\n");
        return;
    }
    memcpy(frame + 6, mac, 6);
    memcpy(frame + 12, head, sizeof(head));
    memcpy(frame + 26, ip, 4);
    memcpy(frame + 34, udp, sizeof(udp));
    for (uint64_t n = rounds(20); n > 0; n--) {
        for (unsigned int host = 16; host < 255; host++) {
            const uint8_t to[] = {10, 0, 2, (uint8_t)host};

            memcpy(frame + 30, to, sizeof(to));
            ip_checksum(frame + 14);
            (void)front_send(0, 60);
            count++;
        }
    }
    print("attack net-scan: %u packets\n", count);
}

/*
 * An index beyond what the ring can hold, and all in it is well formed: who
 * believes it sends each packet twice, and answers nobody.
 */
void attack_net_overshoot(void)
{
    if (!front_connect()) {
        print("attack net-overshoot: not connected\n");
        return;
    }
    for (unsigned int i = 0; i < NETIF_TX_RING_SLOTS; i++)
        tx->slot[i].req = (struct netif_tx_request){
            .gref = DATA_REF, .id = (uint16_t)i, .size = 60};
    __atomic_store_n(&tx->h.req_prod, 2 * NETIF_TX_RING_SLOTS,
                     __ATOMIC_SEQ_CST);
    port_send(net_port);
    idle_ns(200 * MS);
    if (tx->h.rsp_prod != 0)
        broken("requests that cannot be were answered", tx->h.rsp_prod);
}

void attack_net(void)
{
    for (uint64_t n = rounds(5); n > 0; n--) {
        if (!front_connect()) {
            print("attack net: not connected in round %lu\n", n);
            front_disconnect();
            continue;
        }
        send_rubbish(2000);
        /* Indices that cannot be. */
        for (int i = 0; i < 20; i++) {
            tx->h.req_prod = (uint32_t)random_next();
            rx->h.req_prod = (uint32_t)random_next();
            tx->h.rsp_prod = (uint32_t)random_next();
            rx->h.rsp_prod = (uint32_t)random_next();
            port_send(net_port);
            idle_ns(MS);
        }
        front_disconnect();
    }
    /* Nodes that cannot be. */
    write_number("device/vif/0/tx-ring-ref", 0xffffffff);
    write_number("device/vif/0/rx-ring-ref", 7);
    store_write("device/vif/0/event-channel", "99999999999999999999");
    store_write("device/vif/0/state", "4");
    idle_ns(100 * MS);
    store_write("device/vif/0/state", "frog");
    store_write("device/vif/0/backend", "/local/domain/0/backend/vif/1/0");
    store_write("device/vif/0/state", "1");
}
