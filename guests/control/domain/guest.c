/* SPDX-License-Identifier: BSD-2-Clause */
/* The guests that this control domain has built. */

#include "domain/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/net_text.h"

static struct table by_domid, by_name, by_ip, by_mac;
static struct guest_list all = TAILQ_HEAD_INITIALIZER(all);

struct guest_list *guest_all(void)
{
    return &all;
}

uint32_t guest_count(void)
{
    return by_name.count;
}

/* --- Finding -------------------------------------------------------------- */

struct guest *guest_find(domid_t domid)
{
    struct table_link *l = table_first(&by_domid, domid);

    return l ? table_entry(l, struct guest, by_domid) : NULL;
}

struct guest *guest_find_name(const char *name)
{
    struct table_link *l =
        table_first(&by_name, table_hash(name, strlen(name), 0));

    for (; l; l = table_next(l)) {
        struct guest *g = table_entry(l, struct guest, by_name);

        if (strcmp(g->config.name, name) == 0)
            return g;
    }

    return NULL;
}

struct guest *guest_find_ip(uint32_t ip)
{
    struct table_link *l = table_first(&by_ip, ip);

    return l ? table_entry(l, struct guest_vif, by_ip)->guest : NULL;
}

static uint32_t mac_hash(const uint8_t mac[6])
{
    return table_hash(mac, 6, 0);
}

struct guest *guest_find_mac(const uint8_t mac[6])
{
    struct table_link *l = table_first(&by_mac, mac_hash(mac));

    for (; l; l = table_next(l)) {
        struct guest_vif *vif = table_entry(l, struct guest_vif, by_mac);

        if (memcmp(vif->mac, mac, sizeof(vif->mac)) == 0)
            return vif->guest;
    }

    return NULL;
}

struct guest *guest_find_text(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (text[0] >= '0' && text[0] <= '9' && *end == '\0')
        return n < DOMID_FIRST_RESERVED ? guest_find((domid_t)n) : NULL;

    return guest_find_name(text);
}

/* --- Records -------------------------------------------------------------- */

struct guest *guest_new(const struct domain_config *config)
{
    struct guest *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    g->config = *config;
    table_insert(&by_name, &g->by_name,
                 table_hash(config->name, strlen(config->name), 0));
    TAILQ_INSERT_TAIL(&all, g, in_all);

    return g;
}

void guest_free(struct guest *g)
{
    guest_clear_domid(g);
    guest_drop_addresses(g);
    table_remove(&by_name, &g->by_name);
    TAILQ_REMOVE(&all, g, in_all);
    free(g);
}

void guest_set_domid(struct guest *g, domid_t domid)
{
    g->domid = domid;
    g->has_domid = true;
    table_insert(&by_domid, &g->by_domid, domid); /* hash: the domid */
}

void guest_clear_domid(struct guest *g)
{
    if (g->has_domid)
        table_remove(&by_domid, &g->by_domid);
    g->has_domid = false;
}

/* --- Addresses ------------------------------------------------------------ */

static bool is_usable(uint32_t ip)
{
    uint32_t host = ip & ~INSIDE_NETMASK;

    return (ip & INSIDE_NETMASK) == INSIDE_NETWORK && host != 0 &&
           host != ~INSIDE_NETMASK && ip != INSIDE_GATEWAY;
}

/* Near what the domain's number suggests; 0: none is free. */
static uint32_t free_ip(domid_t domid)
{
    uint32_t size = ~INSIDE_NETMASK, host = (uint32_t)domid + 1;

    for (uint32_t i = 0; i <= size; i++, host++) {
        uint32_t ip = INSIDE_NETWORK | (host & size);

        if (is_usable(ip) && !guest_find_ip(ip))
            return ip;
    }

    return 0;
}

static bool choose_ip(const struct guest *g, const struct config_vif *wanted,
                      uint32_t *ip, char error[CONFIG_ERROR_BYTES])
{
    const struct guest *other;
    char text[IPV4_TEXT_BYTES];

    *ip = wanted->ip ? wanted->ip : free_ip(g->domid);
    ipv4_format(*ip, text);
    if (*ip == 0) {
        snprintf(error, CONFIG_ERROR_BYTES, "no inside address is free");
        return false;
    }
    if (!is_usable(*ip)) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "ip=%s is no guest's address of the inside network "
                 "10.64.0.0/16",
                 text);
        return false;
    }
    other = guest_find_ip(*ip);
    if (other)
        snprintf(error, CONFIG_ERROR_BYTES,
                 "ip=%s is the address of domain \"%s\"", text,
                 other->config.name);

    return !other;
}

/* The prefix that guests' cards have, and what makes the address unique. */
static void derive_mac(uint32_t ip, uint8_t mac[6])
{
    const uint8_t derived[6] = {
        0x00,       0x16, 0x3e, (uint8_t)(ip >> 16 & 0x7f), (uint8_t)(ip >> 8),
        (uint8_t)ip};

    memcpy(mac, derived, sizeof(derived));
}

/* Somebody may have asked for what would follow from the address. */
static bool choose_mac(uint32_t ip, const struct config_vif *wanted,
                       uint8_t mac[6], char error[CONFIG_ERROR_BYTES])
{
    const struct guest *other;
    char text[MAC_TEXT_BYTES];

    if (wanted->has_mac) {
        memcpy(mac, wanted->mac, sizeof(wanted->mac));
    } else {
        derive_mac(ip, mac);
        if (guest_find_mac(mac))
            mac[3] |= 0x80;
    }
    other = guest_find_mac(mac);
    mac_format(mac, text);
    if (other)
        snprintf(error, CONFIG_ERROR_BYTES,
                 "mac=%s is the address of domain \"%s\"", text,
                 other->config.name);

    return !other;
}

bool guest_choose_addresses(struct guest *g, char error[CONFIG_ERROR_BYTES])
{
    for (unsigned int i = 0; i < g->config.vif_count; i++) {
        struct config_vif *wanted = &g->config.vif[i];
        struct guest_vif *vif = &g->vif[i];

        if (!choose_ip(g, wanted, &vif->ip, error) ||
            !choose_mac(vif->ip, wanted, vif->mac, error))
            return false;
        vif->guest = g;

        /* Who comes back after a restart is found where it was. */
        wanted->ip = vif->ip;
        memcpy(wanted->mac, vif->mac, sizeof(wanted->mac));
        wanted->has_mac = true;
        table_insert(&by_ip, &vif->by_ip, vif->ip); /* hash: the address */
        table_insert(&by_mac, &vif->by_mac, mac_hash(vif->mac));
        g->vif_count++;
    }

    return true;
}

void guest_drop_addresses(struct guest *g)
{
    while (g->vif_count) {
        struct guest_vif *vif = &g->vif[--g->vif_count];

        table_remove(&by_ip, &vif->by_ip);
        table_remove(&by_mac, &vif->by_mac);
    }
}
