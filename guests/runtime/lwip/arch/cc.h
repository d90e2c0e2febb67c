/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP's view of compiler and system; see rt/net.h. */

#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/types.h>

#include <rt/start.h>

#define LWIP_TIMEVAL_PRIVATE  0
#define LWIP_ERRNO_STDINCLUDE 1
/* newlib has ssize_t, but not the constant that lwIP takes as its sign. */
#define SSIZE_MAX INT64_MAX

#define LWIP_PLATFORM_DIAG(arguments)                                          \
    do {                                                                       \
        iprintf arguments;                                                     \
    } while (0)

#define LWIP_PLATFORM_ASSERT(text) rt_panic("lwIP: %s", text)

uint32_t net_random(void);
#define LWIP_RAND() net_random()

/* Sums by eight bytes at a time, in place of lwIP's by four. */
uint16_t net_checksum(const void *data, int size);
#define LWIP_CHKSUM net_checksum

/* First sequence numbers that a stranger cannot guess (RFC 6528). */
#define LWIP_HOOK_FILENAME "net_hooks.h"

#endif /* LWIP_ARCH_CC_H */
