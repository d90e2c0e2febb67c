/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of guests: finding them, and their addresses. */
/* LINK: guests/control/domain/guest.c guests/control/lib/table.c */
/* LINK: guests/control/config/net_text.c */

#include "test.h"

#include "domain/guest.h"

static char error[CONFIG_ERROR_BYTES];

void teardown(void)
{
    while (!TAILQ_EMPTY(guest_all()))
        guest_free(TAILQ_FIRST(guest_all()));
    EXPECT_EQ(guest_count(), 0);
    EXPECT_PTR(guest_find_ip(INSIDE_NETWORK + 2), NULL);
}

static struct guest *make(const char *name, domid_t domid, uint32_t ip)
{
    struct domain_config config = {.vif_count = 1};
    struct guest *g;

    strcpy(config.name, name);
    config.vif[0].ip = ip;
    g = guest_new(&config);
    guest_set_domid(g, domid);

    return g;
}

TEST("a guest is found by name, by number, and by either as text")
{
    struct guest *a = make("a", 1, 0), *b = make("7up", 2, 0);

    EXPECT_PTR(guest_find(1), a);
    EXPECT_PTR(guest_find(3), NULL);
    EXPECT_PTR(guest_find_name("7up"), b);
    EXPECT_PTR(guest_find_text("2"), b);
    EXPECT_PTR(guest_find_text("7up"), b);
    EXPECT_PTR(guest_find_text("a"), a);
    EXPECT_PTR(guest_find_text(""), NULL);
    EXPECT_PTR(guest_find_text("99999999999"), NULL);
    EXPECT_PTR(guest_find_text("65537"), NULL);
    guest_clear_domid(a);
    EXPECT_PTR(guest_find(1), NULL);
    EXPECT_PTR(guest_find_name("a"), a);
}

TEST("an address follows from the number, and the MAC from the address")
{
    struct guest *g = make("a", 1, 0);

    REQUIRE(guest_choose_addresses(g, error));
    EXPECT_EQ(g->vif[0].ip, 0x0a400002);
    EXPECT_MEM(g->vif[0].mac, "\x00\x16\x3e\x40\x00\x02", 6);
    EXPECT_PTR(guest_find_ip(0x0a400002), g);
    guest_drop_addresses(g);
    EXPECT_PTR(guest_find_ip(0x0a400002), NULL);
}

TEST("no address comes twice, and none is the router's or a group's")
{
    struct guest *a = make("a", 1, 0x0a400003), *b = make("b", 2, 0);
    struct guest *c = make("c", 0xfffe, 0);
    struct guest *d = make("d", 3, 0x0a400003), *e = make("e", 4, 0x0a400001);
    struct guest *f = make("f", 5, 0x0a40ffff), *g = make("g", 6, 0x0b000002);

    EXPECT_TRUE(guest_choose_addresses(a, error));
    EXPECT_TRUE(guest_choose_addresses(b, error));
    EXPECT_EQ(b->vif[0].ip, 0x0a400004);
    EXPECT_TRUE(guest_choose_addresses(c, error));
    EXPECT_EQ(c->vif[0].ip, 0x0a400002);
    EXPECT_FALSE(guest_choose_addresses(d, error));
    EXPECT_STR(error, "ip=10.64.0.3 is the address of domain \"a\"");
    EXPECT_FALSE(guest_choose_addresses(e, error));
    EXPECT_FALSE(guest_choose_addresses(f, error));
    EXPECT_FALSE(guest_choose_addresses(g, error));
    EXPECT_STR(error, "ip=11.0.0.2 is no guest's address of the inside "
                      "network 10.64.0.0/16");
}

TEST("no MAC comes twice, whoever asks for it first")
{
    static const uint8_t mac[6] = {0x00, 0x16, 0x3e, 0x40, 0x00, 0x03};
    struct guest *a = make("a", 1, 0x0a400009), *b = make("b", 2, 0);
    struct guest *c = make("c", 3, 0);

    memcpy(a->config.vif[0].mac, mac, sizeof(mac));
    a->config.vif[0].has_mac = true;
    memcpy(c->config.vif[0].mac, mac, sizeof(mac));
    c->config.vif[0].has_mac = true;
    EXPECT_TRUE(guest_choose_addresses(a, error));
    EXPECT_TRUE(guest_choose_addresses(b, error)); /* it would follow */
    EXPECT_MEM(b->vif[0].mac, "\x00\x16\x3e\xc0\x00\x03", 6);
    EXPECT_FALSE(guest_choose_addresses(c, error));
    EXPECT_STR(error, "mac=00:16:3e:40:00:03 is the address of domain \"a\"");
    EXPECT_EQ(c->vif_count, 0);
    guest_drop_addresses(a);
    EXPECT_PTR(guest_find_mac(mac), NULL);
    EXPECT_TRUE(guest_choose_addresses(c, error));
}

TEST("a guest that comes back under another number keeps its addresses")
{
    struct guest *g = make("a", 1, 0);
    struct guest_vif before;

    REQUIRE(guest_choose_addresses(g, error));
    before = g->vif[0];
    guest_drop_addresses(g);
    guest_clear_domid(g);
    guest_set_domid(g, 9);

    REQUIRE(guest_choose_addresses(g, error));
    EXPECT_EQ(g->vif[0].ip, before.ip);
    EXPECT_MEM(g->vif[0].mac, before.mac, sizeof(before.mac));
}

TEST("twenty thousand guests are found as fast as two")
{
    char name[16];

    for (unsigned int i = 1; i <= 20000; i++) {
        snprintf(name, sizeof(name), "web-%05u", i);
        EXPECT_TRUE(guest_choose_addresses(make(name, (domid_t)i, 0), error));
    }
    for (unsigned int i = 1; i <= 20000; i++) {
        snprintf(name, sizeof(name), "web-%05u", i);
        EXPECT_EQ(guest_find_name(name)->domid, i);
        EXPECT_EQ(guest_find_ip(INSIDE_NETWORK + i + 1)->domid, i);
    }
}
