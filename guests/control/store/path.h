/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths of store nodes.
 *
 * An absolute path is "/" or "/a/b": components of A-Z a-z 0-9 - _ @, none
 * empty, no slash at the end, and no more than PATH_DEPTH_MAX.  A relative one
 * is what follows "/local/domain/DOMID/".  Two names are no paths but may be
 * watched: "@introduceDomain" and "@releaseDomain".
 */

#ifndef STORE_PATH_H
#define STORE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include <abi/domid.h>
#include <abi/io/xs_wire.h>

#define STORE_PATH_BYTES (XENSTORE_ABS_PATH_MAX + 1) /* with its NUL */

/*
 * Components of a path: several times what anybody needs.  It bounds what a
 * request costs, and whoever walks the tree by recursion.
 */
#define PATH_DEPTH_MAX 32U

#define STORE_INTRODUCE_DOMAIN "@introduceDomain"
#define STORE_RELEASE_DOMAIN   "@releaseDomain"

bool path_is_special(const char *path);

/*
 * Make @text, as a client of domain @domid wrote it, into an absolute path.
 * -EINVAL when it is no path.
 */
int path_resolve(char out[STORE_PATH_BYTES], const char *text, domid_t domid);

/* Cut the last component off: "/a/b" to "/a", "/a" to "/".  Not for "/". */
void path_to_parent(char *path);

/* The last component of an absolute path that is not "/". */
const char *path_name(const char *path);

/* Is @path @ancestor itself or below it? */
bool path_is_within(const char *path, const char *ancestor);

/* How many components: 0 for "/". */
size_t path_depth(const char *path);

#endif /* STORE_PATH_H */
