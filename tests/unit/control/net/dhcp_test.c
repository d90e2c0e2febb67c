/* SPDX-License-Identifier: BSD-2-Clause */
/* What the DHCP server answers, and to whom it does not. */
/* LINK: guests/control/net/dhcp.c guests/control/net/ip4.c */
/* LINK: guests/control/net/checksum.c */

#include "net/dhcp.h"

#include <stdlib.h>

#include "packets.h"
#include "test.h"

#define SERVER IP4(10, 64, 0, 1)
#define CLIENT IP4(10, 64, 0, 9)
#define DNS    IP4(10, 0, 2, 3)

#define MESSAGE 240U /* bytes before the options */

static const uint8_t client_mac[] = {2, 0, 0, 0, 0, 9};
static const uint8_t server_mac[] = {2, 0, 0, 0, 0, 1};

static const struct dhcp_lease lease = {client_mac, server_mac,          CLIENT,
                                        SERVER,     IP4(255, 255, 0, 0), DNS};

static uint8_t frame[2048];
static struct ip4_view view;
static size_t size;

/* A message with these options; false: no packet for the server. */
static bool ask(uint32_t src, uint32_t dst, const uint8_t *options,
                size_t bytes)
{
    struct test_packet p;
    uint8_t *m;

    test_udp(&p, src, 68, dst, 67, MESSAGE + bytes);
    m = p.ip + IP4_HEADER_BYTES + UDP_HEADER_BYTES;
    memset(m, 0, MESSAGE);
    m[0] = 1;
    m[1] = 1;
    m[2] = 6;
    wire_put32(m + 4, 0x12345678);
    wire_put16(m + 10, 0x8000);
    memcpy(m + 28, client_mac, 6);
    wire_put32(m + 236, 0x63825363);
    memcpy(m + MESSAGE, options, bytes);
    memset(frame, 0xee, sizeof(frame));
    memcpy(frame + ETH_HEADER_BYTES, p.ip, p.bytes);

    return ip4_parse(&view, frame + ETH_HEADER_BYTES, p.bytes, p.bytes) &&
           dhcp_is_request(&view, SERVER);
}

static uint8_t *message(void)
{
    return frame + ETH_HEADER_BYTES + IP4_HEADER_BYTES + UDP_HEADER_BYTES;
}

/* The value of an option of the answer; NULL: it has none. */
static const uint8_t *option(uint8_t code)
{
    const uint8_t *at = message() + MESSAGE;

    while (*at != 255 && *at != code)
        at += 2 + at[1];

    return *at == code ? at + 2 : NULL;
}

static uint8_t answer(void)
{
    size = dhcp_answer(frame, &view, &lease);
    if (!size)
        return 0;
    /* Whatever it says, its lengths and both checksums are right. */
    REQUIRE(ip4_parse(&view, frame + ETH_HEADER_BYTES, size - ETH_HEADER_BYTES,
                      size - ETH_HEADER_BYTES));
    EXPECT_EQ(view.payload_bytes + IP4_HEADER_BYTES + ETH_HEADER_BYTES, size);
    EXPECT_EQ(view.src, SERVER);
    EXPECT_EQ(view.dst, UINT32_MAX);
    EXPECT_EQ(wire_get16(view.payload + PORT_DST), 68);
    EXPECT_EQ(message()[0], 2);
    EXPECT_EQ(wire_get32(message() + 4), 0x12345678);
    REQUIRE(option(53) != NULL);

    return option(53)[0];
}

#define ASK(src, dst, ...)                                                     \
    ask(src, dst, (const uint8_t[]){__VA_ARGS__},                              \
        sizeof((const uint8_t[]){__VA_ARGS__}))

TEST("a discover is offered the port's address, with router and name server")
{
    REQUIRE(ASK(0, UINT32_MAX, 53, 1, 1, 255));
    EXPECT_EQ(answer(), 2);
    EXPECT_EQ(wire_get32(message() + 16), CLIENT);
    EXPECT_EQ(wire_get32(option(1)), IP4(255, 255, 0, 0));
    EXPECT_EQ(wire_get32(option(3)), SERVER);
    EXPECT_EQ(wire_get32(option(6)), DNS);
    EXPECT_EQ(wire_get32(option(54)), SERVER);
    EXPECT_TRUE(wire_get32(option(51)) >= 3600);
    EXPECT_EQ(frame[0], 255);
    EXPECT_MEM(frame + 6, server_mac, 6);
}

TEST("a request for that address is confirmed, for another refused")
{
    REQUIRE(ASK(0, UINT32_MAX, 53, 1, 3, 50, 4, 10, 64, 0, 9, 54, 4, 10, 64, 0,
                1, 255));
    EXPECT_EQ(answer(), 5);
    EXPECT_EQ(wire_get32(message() + 16), CLIENT);
    REQUIRE(ASK(0, UINT32_MAX, 53, 1, 3, 50, 4, 10, 64, 0, 8, 255));
    EXPECT_EQ(answer(), 6);
    EXPECT_EQ(wire_get32(message() + 16), 0);
    EXPECT_TRUE(option(51) == NULL);
}

TEST("a client that has chosen another server, or gives up, hears nothing")
{
    REQUIRE(ASK(0, UINT32_MAX, 53, 1, 3, 50, 4, 10, 64, 0, 9, 54, 4, 10, 64, 0,
                2, 255));
    EXPECT_EQ(answer(), 0);
    REQUIRE(ASK(CLIENT, SERVER, 53, 1, 7, 255));
    EXPECT_EQ(answer(), 0);
}

TEST("a renewal and an inform go to the server itself")
{
    REQUIRE(ASK(CLIENT, SERVER, 53, 1, 3, 255));
    wire_put32(message() + 12, CLIENT);
    EXPECT_EQ(answer(), 5);
    REQUIRE(ASK(CLIENT, SERVER, 53, 1, 8, 255));
    EXPECT_EQ(answer(), 5);
    EXPECT_EQ(wire_get32(message() + 16), 0);
}

TEST("what is no request is none")
{
    EXPECT_FALSE(ASK(0, IP4(10, 64, 0, 7), 53, 1, 1, 255));
    REQUIRE(ASK(0, UINT32_MAX, 53, 1, 1, 255));
    message()[0] = 2;
    EXPECT_EQ(answer(), 0);
    REQUIRE(ASK(0, UINT32_MAX, 53, 1, 1, 255));
    message()[30] ^= 1; /* somebody else's MAC */
    EXPECT_EQ(answer(), 0);
    REQUIRE(ASK(0, UINT32_MAX, 53, 1, 1, 255));
    message()[236] ^= 1;
    EXPECT_EQ(answer(), 0);
    REQUIRE(ASK(0, UINT32_MAX, 53, 9, 1));
    EXPECT_EQ(answer(), 0);
    REQUIRE(ASK(0, UINT32_MAX, 0, 0, 53));
    EXPECT_EQ(answer(), 0);
}

TEST("random options of random sizes are read within the message")
{
    uint8_t options[400];

    srand(3);
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)rand() % sizeof(options);

        for (size_t i = 0; i < n; i++)
            options[i] = (uint8_t)(rand() % 3 ? rand() : rand() % 60);
        if (ask(0, UINT32_MAX, options, n))
            (void)answer();
    }
}
