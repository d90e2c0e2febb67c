/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console service: it takes what guests print, keeps it, and passes it to
 * who is attached, and what that one types to the guest.
 *
 * A guest that prints without end has its port masked for the rest of a
 * period after so many events, so its neighbours hardly notice.
 */

#ifndef CONSOLE_SERVICE_H
#define CONSOLE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/domid.h>

/* Bytes that all guests' logs together may take, and one of them. */
#define CONSOLE_POOL_BYTES (16U * 1024U * 1024U)
#define CONSOLE_LOG_BYTES  (64U * 1024U)

void console_service_start(void);

/*
 * Serve the console of @domid, which was just built; @name stands before its
 * lines where they are mixed with others'.  Negative numbers of abi/errno.h.
 */
int console_connect(domid_t domid, uint32_t port, const char *name);

/* Take what is left in the ring and disconnect; the log goes too. */
void console_disconnect(domid_t domid);

/*
 * Have what @domid prints passed to @output, from the loop's context; first
 * what the log holds, at once.  -ABI_ESRCH: it has no console; -ABI_EBUSY:
 * somebody is attached.  @output with a size of 0: the console went away.
 */
typedef void (*console_output_fn)(void *arg, const char *text, size_t size);
int console_attach(domid_t domid, console_output_fn output, void *arg);
void console_detach(domid_t domid);

/* Type @size bytes; returns how many found room in the guest's ring. */
size_t console_type(domid_t domid, const char *text, size_t size);

/*
 * Copy from the log of @domid as log_read(); 0 when there is nothing, also if
 * there is no such console.
 */
size_t console_read_log(domid_t domid, uint64_t *position, char *out,
                        size_t room);

/* Pass each whole line of every guest to stdout, behind the guest's name. */
void console_echo(bool on);

struct console_stats {
    uint32_t consoles;
    uint64_t pool_bytes, pool_max_bytes;
};
void console_stats(struct console_stats *stats);

struct console_usage {
    uint64_t printed_bytes, log_bytes, throttled_count;
};
bool console_usage(domid_t domid, struct console_usage *usage);

#endif /* CONSOLE_SERVICE_H */
