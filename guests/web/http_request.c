/* SPDX-License-Identifier: BSD-2-Clause */
/* The head of an HTTP request; see http_request.h. */

#include "http_request.h"

#include <string.h>

#define STATUS_BAD_REQUEST      400
#define STATUS_CONTENT_TOO_LONG 413
#define STATUS_URI_TOO_LONG     414
#define STATUS_HEAD_TOO_LONG    431
#define STATUS_NOT_IMPLEMENTED  501
#define STATUS_BAD_VERSION      505

/* No request to us needs a body; one of this size is read and ignored. */
#define BODY_MAX (64U * 1024U)

/* A piece of the head. */
struct span {
    const char *at;
    size_t size;
};

/* What has been seen of the fields, beyond struct http_request. */
struct fields {
    unsigned int hosts;
    bool has_length, close, keep_alive;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* @name is in lower case. */
static bool is(struct span span, const char *name)
{
    size_t i;

    for (i = 0; i < span.size && name[i] != '\0'; i++)
        if (lower(span.at[i]) != name[i])
            return false;
    return i == span.size && name[i] == '\0';
}

/* A character of method and field names. */
static bool is_token(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
        (c >= '0' && c <= '9'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span trim(struct span span)
{
    while (span.size > 0 && is_blank(span.at[0])) {
        span.at++;
        span.size--;
    }
    while (span.size > 0 && is_blank(span.at[span.size - 1]))
        span.size--;
    return span;
}

/* The part of *rest before @stop, which is dropped; all of it if none. */
static struct span cut(struct span *rest, char stop)
{
    const char *end = memchr(rest->at, stop, rest->size);
    struct span part = *rest;

    if (!end) {
        rest->at += rest->size;
        rest->size = 0;
        return part;
    }
    part.size = (size_t)(end - rest->at);
    rest->at += part.size + 1;
    rest->size -= part.size + 1;
    return part;
}

static int hex_digit(char c)
{
    c = lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%41" and the like; NUL and malformed ones are refused. */
static int decode_path(struct span from, char *path)
{
    size_t size = 0;

    for (size_t i = 0; i < from.size; i++) {
        char c = from.at[i];

        if (c == '%') {
            int high = i + 2 < from.size ? hex_digit(from.at[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(from.at[i + 2]) : -1;

            if (low < 0)
                return STATUS_BAD_REQUEST;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if ((unsigned char)c <= ' ' || c == 0x7f)
            return STATUS_BAD_REQUEST;
        if (size == HTTP_PATH_MAX - 1)
            return STATUS_URI_TOO_LONG;
        path[size++] = c;
    }
    path[size] = '\0';
    return 0;
}

/* "/path?query", or the same behind "http://host". */
static int parse_target(struct span target, struct http_request *request)
{
    static const char scheme[] = "http://";
    const size_t scheme_size = sizeof(scheme) - 1;

    if (target.size >= scheme_size &&
        is((struct span){target.at, scheme_size}, scheme)) {
        const char *slash =
            memchr(target.at + scheme_size, '/', target.size - scheme_size);

        if (!slash)
            target = (struct span){"/", 1};
        else
            target =
                (struct span){slash, target.size - (size_t)(slash - target.at)};
    }
    if (target.size == 0 || target.at[0] != '/')
        return STATUS_BAD_REQUEST;
    return decode_path(cut(&target, '?'), request->path);
}

static int parse_version(struct span version, struct http_request *request)
{
    if (version.size != 8 || memcmp(version.at, "HTTP/", 5) != 0 ||
        version.at[6] != '.')
        return STATUS_BAD_REQUEST;
    if (version.at[5] != '1')
        return STATUS_BAD_VERSION;
    request->version_1_1 = version.at[7] != '0';
    return 0;
}

static int parse_request_line(struct span line, struct http_request *request)
{
    struct span method = cut(&line, ' ');
    struct span target = cut(&line, ' ');
    int status;

    if (method.size == 0)
        return STATUS_BAD_REQUEST;
    for (size_t i = 0; i < method.size; i++)
        if (!is_token(method.at[i]))
            return STATUS_BAD_REQUEST;
    request->method = HTTP_OTHER;
    if (method.size == 3 && memcmp(method.at, "GET", 3) == 0)
        request->method = HTTP_GET;
    if (method.size == 4 && memcmp(method.at, "HEAD", 4) == 0)
        request->method = HTTP_HEAD;

    status = parse_version(line, request);
    return status ? status : parse_target(target, request);
}

static int parse_length(struct span value, struct fields *fields,
                        struct http_request *request)
{
    uint64_t size = 0;

    if (fields->has_length || value.size == 0)
        return STATUS_BAD_REQUEST;
    for (size_t i = 0; i < value.size; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return STATUS_BAD_REQUEST;
        size = size * 10 + (uint64_t)(value.at[i] - '0');
        if (size > BODY_MAX)
            return STATUS_CONTENT_TOO_LONG;
    }
    fields->has_length = true;
    request->body_size = size;
    return 0;
}

static void parse_connection(struct span value, struct fields *fields)
{
    while (value.size > 0) {
        struct span option = trim(cut(&value, ','));

        if (is(option, "close"))
            fields->close = true;
        if (is(option, "keep-alive"))
            fields->keep_alive = true;
    }
}

static int parse_field(struct span line, struct fields *fields,
                       struct http_request *request)
{
    struct span value = line;
    struct span name = cut(&value, ':');

    /* No colon; or a line that is folded, which nobody may send. */
    if (name.size == line.size || name.size == 0)
        return STATUS_BAD_REQUEST;
    for (size_t i = 0; i < name.size; i++)
        if (!is_token(name.at[i]))
            return STATUS_BAD_REQUEST;
    for (size_t i = 0; i < value.size; i++)
        if ((unsigned char)value.at[i] < ' ' && value.at[i] != '\t')
            return STATUS_BAD_REQUEST;
    value = trim(value);

    if (is(name, "host"))
        fields->hosts++;
    else if (is(name, "connection"))
        parse_connection(value, fields);
    else if (is(name, "content-length"))
        return parse_length(value, fields, request);
    else if (is(name, "transfer-encoding"))
        return STATUS_NOT_IMPLEMENTED;
    else if (is(name, "if-none-match")) {
        request->if_none_match = value.at;
        request->if_none_match_size = value.size;
    }
    return 0;
}

/* The next line of *rest, without its end; false: it is not complete. */
static bool next_line(struct span *rest, struct span *line)
{
    const char *end = memchr(rest->at, '\n', rest->size);

    if (!end)
        return false;
    *line = cut(rest, '\n');
    if (line->size > 0 && line->at[line->size - 1] == '\r')
        line->size--;
    return true;
}

/* 0: the line with nothing in it has come; 1: not yet; else a status. */
static int parse_fields(struct span *rest, struct fields *fields,
                        struct http_request *request)
{
    struct span line;

    while (next_line(rest, &line)) {
        int status;

        if (line.size == 0)
            return 0;
        status = parse_field(line, fields, request);
        if (status)
            return status;
    }
    return 1;
}

int http_request_parse(const char *data, size_t size,
                       struct http_request *request)
{
    struct fields fields = {.hosts = 0};
    bool all = size >= HTTP_HEAD_MAX;
    struct span rest = {data, all ? HTTP_HEAD_MAX : size};
    struct span line;
    int status;

    memset(request, 0, sizeof(*request));

    /* Empty lines before a request are to be passed over. */
    do {
        if (!next_line(&rest, &line))
            return all ? -STATUS_HEAD_TOO_LONG : 0;
    } while (line.size == 0);

    status = parse_request_line(line, request);
    if (status == 0)
        status = parse_fields(&rest, &fields, request);
    if (status == 1)
        return all ? -STATUS_HEAD_TOO_LONG : 0;
    if (status)
        return -status;
    if (fields.hosts > 1 || (request->version_1_1 && fields.hosts == 0))
        return -STATUS_BAD_REQUEST;
    request->keep_alive =
        !fields.close && (request->version_1_1 || fields.keep_alive);
    return (int)(rest.at - data);
}
