/* SPDX-License-Identifier: BSD-2-Clause */
/* Client of the store: the calls that wait, for threads. */

#define _GNU_SOURCE /* vasprintf */

#include <rt/store.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>

#include <rt/thread.h>

#include "store_watch.h"

/* One request under way, on the stack of the thread that waits for it. */
struct call {
    struct waitq waiters;
    bool done;
    int rc;
    char *data; /* malloc'd copy with a NUL behind it */
    size_t size;
};

static void call_done(void *arg, int rc, const char *data, size_t size)
{
    struct call *call = arg;

    call->rc = rc;
    if (rc == 0) {
        call->data = malloc(size + 1);
        if (call->data) {
            memcpy(call->data, data, size);
            call->data[size] = '\0';
            call->size = size;
        } else {
            call->rc = -ABI_ENOMEM;
        }
    }
    call->done = true;
    waitq_wake_all(&call->waiters);
}

/* 0: call->data is the caller's to free. */
static int call_wait(struct call *call, int rc)
{
    if (rc != 0)
        return rc;
    while (!call->done)
        waitq_wait(&call->waiters);
    return call->rc;
}

static int call_parts(struct xs *xs, enum xsd_sockmsg_type type, xs_tx_t tx,
                      const struct xs_part *parts, size_t part_count,
                      struct call *call)
{
    *call = (struct call){.done = false};
    return call_wait(
        call, xs_request(xs, type, tx, parts, part_count, call_done, call));
}

static int call_path(struct xs *xs, enum xsd_sockmsg_type type, xs_tx_t tx,
                     const char *path, struct call *call)
{
    struct xs_part part = {path, strlen(path) + 1};

    return call_parts(xs, type, tx, &part, 1, call);
}

/* For requests whose answer is "OK". */
static int discard(struct call *call, int rc)
{
    if (rc == 0)
        free(call->data);
    return rc;
}

int xs_read(struct xs *xs, xs_tx_t tx, const char *path, char **value,
            size_t *size)
{
    struct call call;
    int rc = call_path(xs, XS_READ, tx, path, &call);

    if (rc != 0)
        return rc;
    *value = call.data;
    if (size)
        *size = call.size;
    return 0;
}

int xs_read_number(struct xs *xs, xs_tx_t tx, const char *path, uint64_t max,
                   uint64_t *number)
{
    uint64_t result = 0;
    char *value, *at;
    int rc = xs_read(xs, tx, path, &value, NULL);

    if (rc != 0)
        return rc;
    if (value[0] == '\0')
        rc = -ABI_EINVAL;
    for (at = value; rc == 0 && *at != '\0'; at++) {
        unsigned int digit = (unsigned int)(*at - '0');

        if (digit > 9 || result > (max - digit) / 10)
            rc = -ABI_EINVAL;
        else
            result = result * 10 + digit;
    }
    free(value);
    if (rc == 0)
        *number = result;
    return rc;
}

int xs_write_bytes(struct xs *xs, xs_tx_t tx, const char *path,
                   const void *data, size_t size)
{
    struct xs_part parts[] = {{path, strlen(path) + 1}, {data, size}};
    struct call call;

    return discard(&call, call_parts(xs, XS_WRITE, tx, parts, 2, &call));
}

int xs_write(struct xs *xs, xs_tx_t tx, const char *path, const char *value)
{
    return xs_write_bytes(xs, tx, path, value, strlen(value));
}

int xs_printf(struct xs *xs, xs_tx_t tx, const char *path, const char *format,
              ...)
{
    char *text;
    va_list args;
    int size, rc;

    va_start(args, format);
    size = vasprintf(&text, format, args);
    va_end(args);
    if (size < 0)
        return -ABI_ENOMEM;
    rc = xs_write_bytes(xs, tx, path, text, (size_t)size);
    free(text);
    return rc;
}

int xs_mkdir(struct xs *xs, xs_tx_t tx, const char *path)
{
    struct call call;

    return discard(&call, call_path(xs, XS_MKDIR, tx, path, &call));
}

int xs_rm(struct xs *xs, xs_tx_t tx, const char *path)
{
    struct call call;

    return discard(&call, call_path(xs, XS_RM, tx, path, &call));
}

/* Pointers first, then the @size bytes of strings that @data holds. */
static char **string_array(const char *data, size_t size, size_t *count)
{
    size_t strings = 0, i = 0;
    char **array, *copy;

    for (const char *at = data; at < data + size; at += strlen(at) + 1)
        strings++;
    array = malloc((strings + 1) * sizeof(*array) + size + 1);
    if (!array)
        return NULL;
    copy = (char *)(array + strings + 1);
    memcpy(copy, data, size + 1);
    for (char *at = copy; at < copy + size; at += strlen(at) + 1)
        array[i++] = at;
    array[i] = NULL;
    *count = i;
    return array;
}

int xs_directory(struct xs *xs, xs_tx_t tx, const char *path, char ***names,
                 size_t *count)
{
    struct call call;
    int rc = call_path(xs, XS_DIRECTORY, tx, path, &call);

    if (rc != 0)
        return rc;
    *names = string_array(call.data, call.size, count);
    free(call.data);
    return *names ? 0 : -ABI_ENOMEM;
}

/* "r12" and the like, each with a NUL behind it. */
static int parse_perms(char **texts, size_t count, struct xs_perm *perms)
{
    for (size_t i = 0; i < count; i++) {
        unsigned long domid;
        char *end;

        if (texts[i][0] == '\0' || !strchr("nrwb", texts[i][0]))
            return -ABI_EIO;
        domid = strtoul(texts[i] + 1, &end, 10);
        if (end == texts[i] + 1 || *end != '\0' || domid > UINT16_MAX)
            return -ABI_EIO;
        perms[i].access = texts[i][0];
        perms[i].domid = (domid_t)domid;
    }
    return 0;
}

int xs_get_perms(struct xs *xs, xs_tx_t tx, const char *path,
                 struct xs_perm **perms, size_t *count)
{
    struct call call;
    char **texts;
    int rc = call_path(xs, XS_GET_PERMS, tx, path, &call);

    if (rc != 0)
        return rc;
    texts = string_array(call.data, call.size, count);
    free(call.data);
    if (!texts)
        return -ABI_ENOMEM;
    *perms = malloc((*count + 1) * sizeof(**perms));
    rc = *perms ? parse_perms(texts, *count, *perms) : -ABI_ENOMEM;
    free(texts);
    if (rc != 0)
        free(*perms);
    return rc;
}

int xs_set_perms(struct xs *xs, xs_tx_t tx, const char *path,
                 const struct xs_perm *perms, size_t count)
{
    /* Letter, five digits, NUL: more never fits into a message. */
    const size_t entry_max = 7;
    struct xs_part parts[2] = {{path, strlen(path) + 1}, {NULL, 0}};
    struct call call;
    char *text;
    int rc;

    if (count > XENSTORE_PAYLOAD_MAX / entry_max)
        return -ABI_E2BIG;
    text = malloc(count * entry_max + 1);
    if (!text)
        return -ABI_ENOMEM;
    for (size_t i = 0; i < count; i++)
        parts[1].size +=
            1 + (size_t)sprintf(text + parts[1].size, "%c%u", perms[i].access,
                                (unsigned int)perms[i].domid);
    parts[1].data = text;
    rc = discard(&call, call_parts(xs, XS_SET_PERMS, tx, parts, 2, &call));
    free(text);
    return rc;
}

int xs_watch(struct xs *xs, const char *path, xs_watch_fn fn, void *arg,
             struct xs_watch **watch)
{
    struct call call = {.done = false};
    int rc = call_wait(
        &call, xs_watch_request(xs, path, fn, arg, watch, call_done, &call));

    if (rc == 0)
        free(call.data);
    else if (*watch)
        xs_unwatch(*watch);
    return rc;
}

int xs_transaction_start(struct xs *xs, xs_tx_t *tx)
{
    struct xs_part part = {"", 1};
    struct call call;
    int rc = call_parts(xs, XS_TRANSACTION_START, 0, &part, 1, &call);

    if (rc != 0)
        return rc;
    *tx = (xs_tx_t)strtoul(call.data, NULL, 10);
    free(call.data);
    return *tx ? 0 : -ABI_EIO;
}

int xs_transaction_end(struct xs *xs, xs_tx_t tx, bool commit)
{
    struct xs_part part = {commit ? "T" : "F", 2};
    struct call call;

    return discard(&call,
                   call_parts(xs, XS_TRANSACTION_END, tx, &part, 1, &call));
}
