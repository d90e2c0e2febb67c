/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the store, as small as can be: one request, and its reply
 * waited for.
 */

#ifndef ATTACK_STORE_H
#define ATTACK_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/io/xs_wire.h>

/* The page shared with the store, and the port to it. */
struct xenstore_domain_interface *store_page(void);
void store_notify(void);

/* Put raw bytes into the ring, as far as there is room; tells how many. */
size_t store_put(const void *data, size_t size);

/*
 * Ask @type with @size bytes; the reply's text goes to @reply, with a NUL.
 * Its length, or -1: an error, or nothing within a second.
 */
int store_ask(uint32_t type, const void *data, size_t size, char *reply,
              size_t room);

/* Value of a node; false: there is none. */
bool store_read(const char *path, char *value, size_t room);
bool store_write(const char *path, const char *value);

#endif /* ATTACK_STORE_H */
