/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Client of the store (xenstored's wire protocol).
 *
 * The core is asynchronous: xs_request() sends, and a function is called with
 * the reply.  Above it are calls that wait, for threads.  Below it is a
 * channel that carries bytes: the shared ring of a guest, or whatever the
 * domain that runs the store plugs in to reach itself.
 *
 * Errors are negative numbers of abi/errno.h: those the store names
 * (-ABI_ENOENT, -ABI_EACCES, ...; a name that is not in abi/errno.def becomes
 * -ABI_EIO), -ABI_ENOMEM, -ABI_E2BIG for what no message can hold, and
 * -ABI_ENODEV once the channel is broken or where there is no store.
 */

#ifndef RT_STORE_H
#define RT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/domid.h>
#include <abi/io/xs_wire.h>

struct xs;
struct xs_channel;

/* --- Channels ------------------------------------------------------------ */

/*
 * The owner of a channel fills in ops and calls xs_channel_ready() from the
 * loop's context whenever bytes arrived, room appeared, or it broke; never from
 * within one of the ops.
 */
struct xs_channel_ops {
    /* Take up to @size bytes towards the store; returns how many. */
    size_t (*send)(struct xs_channel *channel, const void *data, size_t size);
    /* Give up to @size bytes from the store; returns how many. */
    size_t (*receive)(struct xs_channel *channel, void *data, size_t size);
    /* Something was sent or received: tell the other side. */
    void (*notify)(struct xs_channel *channel);
};

struct xs_channel {
    const struct xs_channel_ops *ops;
    bool broken;   /* set by the owner: nothing more will come */
    struct xs *xs; /* the client's */
};

void xs_channel_ready(struct xs_channel *channel);

/* A client over @channel.  NULL: out of memory. */
struct xs *xs_open(struct xs_channel *channel);

/*
 * End a client: what waits for an answer is told -ABI_ENODEV, watches end.
 * Not from within a function that it called.
 */
void xs_close(struct xs *xs);

/*
 * The domain's own client: over the ring of the start page, or what was set.
 * NULL: this domain has no store.
 */
struct xs *xs_default(void);
void xs_set_default(struct xs *xs);

/* --- Asynchronous -------------------------------------------------------- */

/* 0: no transaction. */
typedef uint32_t xs_tx_t;

/*
 * @rc is 0 or negative.  @data holds the reply's @size bytes and a NUL behind
 * them; it is valid during the call only.
 */
typedef void (*xs_reply_fn)(void *arg, int rc, const char *data, size_t size);

/* One piece of a request's payload. */
struct xs_part {
    const void *data;
    size_t size;
};

/*
 * Send a request of @type; @reply(@arg, ...) is called once, from the loop's
 * context, also when the channel breaks.  @reply may be NULL.  A negative
 * result: nothing was sent, and @reply will not be called.
 */
int xs_request(struct xs *xs, enum xsd_sockmsg_type type, xs_tx_t tx,
               const struct xs_part *parts, size_t part_count,
               xs_reply_fn reply, void *arg);

/* The commonest of them: one path, and one path with a value. */
int xs_read_async(struct xs *xs, const char *path, xs_reply_fn reply,
                  void *arg);
int xs_write_async(struct xs *xs, const char *path, const char *value,
                   xs_reply_fn reply, void *arg);
int xs_rm_async(struct xs *xs, const char *path, xs_reply_fn reply, void *arg);

/*
 * A watch.  @fn(@arg, path) is called from the loop's context once soon after
 * registration, and for each change at or below the path.
 */
struct xs_watch;
typedef void (*xs_watch_fn)(void *arg, const char *path);
int xs_watch_async(struct xs *xs, const char *path, xs_watch_fn fn, void *arg,
                   struct xs_watch **watch);

/* No call of its function follows, from any context. */
void xs_unwatch(struct xs_watch *watch);

/* --- Waiting: threads only ------------------------------------------------ */

/* *value is malloc'd, with a NUL behind its *size bytes; size may be NULL. */
int xs_read(struct xs *xs, xs_tx_t tx, const char *path, char **value,
            size_t *size);

/* A decimal number of at most @max; -ABI_EINVAL: it is not one. */
int xs_read_number(struct xs *xs, xs_tx_t tx, const char *path, uint64_t max,
                   uint64_t *number);

int xs_write(struct xs *xs, xs_tx_t tx, const char *path, const char *value);
int xs_write_bytes(struct xs *xs, xs_tx_t tx, const char *path,
                   const void *data, size_t size);
int xs_printf(struct xs *xs, xs_tx_t tx, const char *path, const char *format,
              ...) __attribute__((format(printf, 4, 5)));
int xs_mkdir(struct xs *xs, xs_tx_t tx, const char *path);
int xs_rm(struct xs *xs, xs_tx_t tx, const char *path);

/*
 * The names below @path: *names is one malloc'd block, an array of *count
 * strings.
 */
int xs_directory(struct xs *xs, xs_tx_t tx, const char *path, char ***names,
                 size_t *count);

/* Permissions: the first entry is the owner, with everybody else's rights. */
struct xs_perm {
    domid_t domid;
    char access; /* 'n', 'r', 'w' or 'b' */
};
int xs_get_perms(struct xs *xs, xs_tx_t tx, const char *path,
                 struct xs_perm **perms, size_t *count);
int xs_set_perms(struct xs *xs, xs_tx_t tx, const char *path,
                 const struct xs_perm *perms, size_t count);

int xs_watch(struct xs *xs, const char *path, xs_watch_fn fn, void *arg,
             struct xs_watch **watch);

/*
 * Transactions: -ABI_EAGAIN from the end says that somebody else changed what
 * was used, and that all of it must be done again.
 */
int xs_transaction_start(struct xs *xs, xs_tx_t *tx);
int xs_transaction_end(struct xs *xs, xs_tx_t tx, bool commit);

#endif /* RT_STORE_H */
