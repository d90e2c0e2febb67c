/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the server has to give: files built in from www/, and pages made anew
 * for each request.
 */

#ifndef WEB_CONTENT_H
#define WEB_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct content {
    const char *type;
    const char *etag; /* NULL: changes with each request */
    const char *data;
    size_t size;
    bool constant; /* data stays as it is for ever */
};

/* A made page is no larger. */
#define CONTENT_PAGE_MAX 4096U

/* Find @path; false: there is no such thing. */
bool content_find(const char *path, struct content *content);

/* A short page about an error. */
void content_error(int status, const char *reason, struct content *content);

/* What the pages tell about this guest. */
struct guest_facts {
    char name[64];
    int domid; /* negative: unknown */
};
extern struct guest_facts guest_facts;

/* Made by embed.sh from www/, ascending by path. */
struct embedded_file {
    const char *path;
    const char *type;
    const char *etag;
    const char *data;
    size_t size;
};
extern const struct embedded_file embedded_files[];
extern const size_t embedded_file_count;

#endif /* WEB_CONTENT_H */
