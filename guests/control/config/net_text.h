/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and the like as text. */

#ifndef CONFIG_NET_TEXT_H
#define CONFIG_NET_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define IPV4_TEXT_BYTES 16
#define MAC_TEXT_BYTES  18
#define UUID_TEXT_BYTES 37

/* "10.64.0.2"; host byte order. */
bool ipv4_parse(const char *text, uint32_t *ip);
void ipv4_format(uint32_t ip, char out[IPV4_TEXT_BYTES]);

/* "00:16:3e:00:00:01"; false for groups and for all zeros. */
bool mac_parse(const char *text, uint8_t mac[6]);
void mac_format(const uint8_t mac[6], char out[MAC_TEXT_BYTES]);

bool uuid_parse(const char *text, uint8_t uuid[16]);
void uuid_format(const uint8_t uuid[16], char out[UUID_TEXT_BYTES]);

/* "tcp:9000->80", "udp:53->53". */
bool forward_parse(const char *text, bool *udp, uint16_t *from, uint16_t *to);

#endif /* CONFIG_NET_TEXT_H */
