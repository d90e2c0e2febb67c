/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and the like as text. */

#include "config/net_text.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A decimal number up to @max; moves *text behind it. */
static bool take_number(const char **text, uint32_t max, uint32_t *out)
{
    uint32_t n = 0;
    const char *c = *text;

    for (; *c >= '0' && *c <= '9'; c++) {
        n = n * 10 + (uint32_t)(*c - '0');
        if (n > max)
            return false;
    }
    if (c == *text)
        return false;
    *text = c;
    *out = n;

    return true;
}

bool ipv4_parse(const char *text, uint32_t *ip)
{
    uint32_t value = 0, part;

    for (int i = 0; i < 4; i++) {
        if (i && *text++ != '.')
            return false;
        if (!take_number(&text, 255, &part))
            return false;
        value = value << 8 | part;
    }
    *ip = value;

    return *text == '\0' && value != 0;
}

void ipv4_format(uint32_t ip, char out[IPV4_TEXT_BYTES])
{
    snprintf(out, IPV4_TEXT_BYTES, "%u.%u.%u.%u", (unsigned int)(ip >> 24),
             (unsigned int)(ip >> 16 & 255), (unsigned int)(ip >> 8 & 255),
             (unsigned int)(ip & 255));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;

    return -1;
}

static bool take_hex_byte(const char **text, uint8_t *out)
{
    int high = hex_digit((*text)[0]), low;

    if (high < 0)
        return false;
    low = hex_digit((*text)[1]);
    if (low < 0)
        return false;
    *out = (uint8_t)(high << 4 | low);
    *text += 2;

    return true;
}

bool mac_parse(const char *text, uint8_t mac[6])
{
    static const uint8_t zero[6];

    for (int i = 0; i < 6; i++) {
        if (i && *text++ != ':')
            return false;
        if (!take_hex_byte(&text, &mac[i]))
            return false;
    }

    return *text == '\0' && !(mac[0] & 1) && memcmp(mac, zero, 6) != 0;
}

void mac_format(const uint8_t mac[6], char out[MAC_TEXT_BYTES])
{
    snprintf(out, MAC_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
             mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* Where a UUID's text has its dashes: before these bytes. */
static bool dash_before(int i)
{
    return i == 4 || i == 6 || i == 8 || i == 10;
}

bool uuid_parse(const char *text, uint8_t uuid[16])
{
    for (int i = 0; i < 16; i++) {
        if (dash_before(i) && *text++ != '-')
            return false;
        if (!take_hex_byte(&text, &uuid[i]))
            return false;
    }

    return *text == '\0';
}

void uuid_format(const uint8_t uuid[16], char out[UUID_TEXT_BYTES])
{
    size_t at = 0;

    for (int i = 0; i < 16; i++)
        at += (size_t)snprintf(out + at, UUID_TEXT_BYTES - at,
                               dash_before(i) ? "-%02x" : "%02x", uuid[i]);
}

bool forward_parse(const char *text, bool *udp, uint16_t *from, uint16_t *to)
{
    uint32_t a, b;

    *udp = strncmp(text, "udp:", 4) == 0;
    if (!*udp && strncmp(text, "tcp:", 4) != 0)
        return false;
    text += 4;
    if (!take_number(&text, UINT16_MAX, &a) || strncmp(text, "->", 2) != 0)
        return false;
    text += 2;
    if (!take_number(&text, UINT16_MAX, &b) || *text || !a || !b)
        return false;
    *from = (uint16_t)a;
    *to = (uint16_t)b;

    return true;
}
