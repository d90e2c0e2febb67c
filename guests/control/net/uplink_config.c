/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the uplink's settings. */

#include "net/uplink_config.h"

#include <string.h>

#include "net/ip4.h"

/* A decimal number up to @max; *text moves behind it. */
static bool parse_number(const char **text, uint32_t max, uint32_t *number)
{
    const char *at = *text;

    *number = 0;
    while (*at >= '0' && *at <= '9') {
        *number = *number * 10 + (uint32_t)(*at++ - '0');
        if (*number > max)
            return false;
    }
    if (at == *text)
        return false;
    *text = at;
    return true;
}

/* Dotted; *text moves behind it. */
static bool parse_ip4(const char **text, uint32_t *address)
{
    *address = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t byte;

        if (i > 0 && *(*text)++ != '.')
            return false;
        if (!parse_number(text, 255, &byte))
            return false;
        *address = *address << 8 | byte;
    }
    return true;
}

static const char *parse_fixed(struct uplink_config *config, const char *text)
{
    uint32_t bits;

    if (!parse_ip4(&text, &config->address) || *text++ != '/' ||
        !parse_number(&text, 30, &bits) || bits == 0)
        return "the address must look like 10.0.2.15/24";
    if (*text++ != ',' || !parse_ip4(&text, &config->gateway) || *text != '\0')
        return "a gateway must follow the address, as in "
               "10.0.2.15/24,10.0.2.2";

    config->netmask = UINT32_MAX << (32 - bits);
    if (ip4_is_martian(config->address) ||
        ((config->address ^ config->gateway) & config->netmask) != 0 ||
        config->address == config->gateway)
        return "the gateway must be another address of the same network";
    config->fixed = true;
    return NULL;
}

const char *uplink_config_parse(struct uplink_config *config, const char *text)
{
    *config = (struct uplink_config){0};
    if (text == NULL || strcmp(text, "dhcp") == 0) {
        config->dhcp = true;
        return NULL;
    }
    if (strncmp(text, "dhcp,", 5) == 0) {
        config->dhcp = true;
        text += 5;
    }
    return parse_fixed(config, text);
}
