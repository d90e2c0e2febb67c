/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The web guests that the command line asks for, for who just wants to see
 * Cairn at work:
 *
 *     guests=16 port=9000 guest-memory=16
 *
 * makes web-0001 ... web-0016 from boot module web.elf, and forwards port
 * 9000 of the uplink to the first one, 9001 to the second, and so on.
 */

#ifndef BOOT_GUESTS_H
#define BOOT_GUESTS_H

#include <abi/domid.h>

/* Make them, wait until they are connected, and say so.  Threads only. */
void boot_guests(domid_t self);

#endif /* BOOT_GUESTS_H */
