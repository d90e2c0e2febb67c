/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTTP/1.1 server, on lwIP's raw API.
 *
 * A connection answers one request at a time, in order; what has come of the
 * next ones stays in lwIP's buffers until then, so a client that does not read
 * its answers fills its own window and nothing else.  Everything runs in the
 * event loop's context.
 */

#ifndef WEB_HTTP_SERVER_H
#define WEB_HTTP_SERVER_H

#include <stdint.h>

#define HTTP_PORT 80

/*
 * Connections: each costs about a kilobyte.  One more takes the place of the
 * one that has asked for nothing longest, and is refused if there is none.
 */
#define HTTP_CONNECTIONS_MAX 256U

/* A connection that completes no request, and takes nothing, is closed. */
#define HTTP_IDLE_SECONDS 30U

struct http_server_stats {
    uint64_t requests; /* answered, errors included */
    uint64_t refused;  /* connections over the limit */
    unsigned int connections;
};
extern struct http_server_stats http_server_stats;

/* Listen.  Negative: lwIP's err_t. */
int http_server_start(void);

#endif /* WEB_HTTP_SERVER_H */
