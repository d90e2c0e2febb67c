/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of an HTTP/1.x request, taken apart.
 *
 * Bytes come from anybody: nothing is assumed about them, and what the
 * standard (RFC 9112) calls malformed is refused rather than guessed at.
 */

#ifndef WEB_HTTP_REQUEST_H
#define WEB_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A head that is longer is refused. */
#define HTTP_HEAD_MAX 4096U

/* A path that is longer, decoded, is no file of ours. */
#define HTTP_PATH_MAX 128U

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_OTHER,
};

struct http_request {
    enum http_method method;
    bool keep_alive;
    bool version_1_1;
    uint64_t body_size;        /* bytes that follow the head */
    char path[HTTP_PATH_MAX];  /* decoded, without the query */
    const char *if_none_match; /* into the head; NULL: absent */
    size_t if_none_match_size;
};

/*
 * Parse the head at the start of @data.
 *
 *   > 0  its size; *request is filled
 *   0    it is not complete yet
 *   < 0  it is refused: minus the status to answer with, and to close after
 */
int http_request_parse(const char *data, size_t size,
                       struct http_request *request);

#endif /* WEB_HTTP_REQUEST_H */
