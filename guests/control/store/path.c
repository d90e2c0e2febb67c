/* SPDX-License-Identifier: BSD-2-Clause */
/* Checking and taking apart the paths of store nodes. */

#include "store/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_path_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '/' || c == '_' ||
           c == '@';
}

static bool is_valid(const char *text)
{
    size_t size = strlen(text);

    if (size == 0 || strstr(text, "//"))
        return false;
    if (size > 1 && text[size - 1] == '/')
        return false;
    for (size_t i = 0; i < size; i++)
        if (!is_path_char(text[i]))
            return false;

    return true;
}

bool path_is_special(const char *path)
{
    return strcmp(path, STORE_INTRODUCE_DOMAIN) == 0 ||
           strcmp(path, STORE_RELEASE_DOMAIN) == 0;
}

int path_resolve(char out[STORE_PATH_BYTES], const char *text, domid_t domid)
{
    size_t max = text[0] == '/' ? XENSTORE_ABS_PATH_MAX : XENSTORE_REL_PATH_MAX;
    int count;

    if (strlen(text) > max || !is_valid(text))
        return -EINVAL;

    if (text[0] == '/')
        count = snprintf(out, STORE_PATH_BYTES, "%s", text);
    else if (text[0] != '@')
        count = snprintf(out, STORE_PATH_BYTES, "/local/domain/%u/%s",
                         (unsigned int)domid, text);
    else
        return -EINVAL;

    return count < (int)STORE_PATH_BYTES && path_depth(out) <= PATH_DEPTH_MAX
               ? 0
               : -EINVAL;
}

void path_to_parent(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == path)
        slash++; /* The root keeps its slash. */
    *slash = '\0';
}

const char *path_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

bool path_is_within(const char *path, const char *ancestor)
{
    size_t size = strlen(ancestor);

    if (strcmp(ancestor, "/") == 0)
        return path[0] == '/';

    return strncmp(path, ancestor, size) == 0 &&
           (path[size] == '\0' || path[size] == '/');
}

size_t path_depth(const char *path)
{
    size_t depth = 0;

    if (strcmp(path, "/") == 0)
        return 0;
    for (; *path; path++)
        depth += *path == '/';

    return depth;
}
