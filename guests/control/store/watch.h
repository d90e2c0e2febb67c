/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches: telling clients that something at or below a path changed.
 *
 * Watches are found by their path, and under a path by the domain that set
 * them.  A change looks at the path and its ancestors, and there only at
 * domains that may read the node: what it costs depends on the depth of the
 * path and the length of the node's permission list, not on how many domains
 * watch "/".
 *
 * A client that does not fetch its events costs bounded memory: an event that
 * is still waiting is not queued twice, and beyond STORE_QUOTA_EVENT_BYTES
 * events of one watch become a single one that names the watched path itself.
 */

#ifndef STORE_WATCH_H
#define STORE_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "store/path.h"
#include "store/store.h"

struct perms;

/*
 * Watch @path (absolute or special); @relative says the client named it
 * relative to its home and wants events so.  One event follows at once.
 * -EEXIST, -E2BIG (too many), -ENOSPC (too many bytes), -ENOMEM.
 */
int watch_add(struct store_client *client, const char *path, const char *token,
              bool relative);

/* -ENOENT. */
int watch_remove(struct store_client *client, const char *path,
                 const char *token);

void watch_remove_all(struct store_client *client);

/*
 * @path changed: tell those who may read it by @now or by @before (either may
 * be NULL).  @exact: only watches on this very path.
 */
void watch_fire(struct store *store, const char *path, bool exact,
                const struct perms *now, const struct perms *before);

/* A domain came or went: STORE_INTRODUCE_DOMAIN, STORE_RELEASE_DOMAIN. */
void watch_fire_special(struct store *store, const char *name);

/*
 * The oldest event as it goes over the wire, path NUL token NUL, and off the
 * list; returns its bytes, 0 when there is none.
 */
size_t watch_next_event(struct store_client *client,
                        char out[XENSTORE_PAYLOAD_MAX]);

#endif /* STORE_WATCH_H */
