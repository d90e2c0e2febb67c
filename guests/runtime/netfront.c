/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network frontend: the handshake through the store, and the data path.
 *
 *                 backend offers (InitWait)        backend Connected
 *         DOWN ------------------------> OFFERED ------------------> UP
 *          ^                                |                        |
 *          '--------------------------------+------------------------'
 *                  backend closing, closed, gone, or ring broken
 *
 * In OFFERED the rings are there and the backend has been told.  Coming back
 * from DOWN makes everything anew.
 */

#include <rt/netfront.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>

#include <rt/event.h>
#include <rt/time.h>
#include <rt/timer.h>
#include <rt/xenbus.h>

#include "netfront_link.h"

#define PATH_BYTES 64
#define MAC_BYTES  6

/* After so long without a frame, the buffers give their memory back. */
#define REST_NS (5 * RT_NS_PER_S)

/* Frames taken in one go, so that timers and threads have their turn. */
#define RX_BUDGET 256U

enum front_state {
    FRONT_DOWN,
    FRONT_OFFERED,
    FRONT_UP,
};

struct netfront {
    const struct netfront_ops *ops;
    void *arg;
    struct xs *xs;
    enum front_state state;
    enum xenbus_state backend_state;
    bool reading_nodes; /* connect() is waiting for the store */
    bool starved;       /* a frame found no room; tell when there is some */
    uint8_t mac[MAC_BYTES];
    domid_t backend_id;
    char dir[PATH_BYTES]; /* "device/vif/N" */
    char *backend_dir;
    struct xs_watch *backend_watch; /* on dir/backend */
    struct xenbus_follow *follow;
    struct rt_work flush;
    struct rt_timer rest;
    uint64_t frames_seen; /* when `rest` was armed */
    struct netfront_stats stats;
    struct netfront_link link;
};

static void write_node(struct netfront *front, const char *name,
                       unsigned long value)
{
    char path[PATH_BYTES + 32], text[24];

    sniprintf(path, sizeof(path), "%s/%s", front->dir, name);
    sniprintf(text, sizeof(text), "%lu", value);
    xs_write_async(front->xs, path, text, NULL, NULL);
}

static void read_node(struct netfront *front, const char *name,
                      xs_reply_fn reply)
{
    char path[PATH_BYTES + 32];

    sniprintf(path, sizeof(path), "%s/%s", front->dir, name);
    if (xs_read_async(front->xs, path, reply, front) != 0)
        reply(front, -ABI_ENOMEM, "", 0);
}

static void write_state(struct netfront *front, enum xenbus_state state)
{
    write_node(front, "state", state);
}

/* --- Connecting ----------------------------------------------------------- */

static void go_down(struct netfront *front)
{
    if (front->state == FRONT_DOWN)
        return;
    rt_timer_cancel(&front->rest);
    if (front->state == FRONT_UP)
        front->ops->link(front->arg, false);
    front->state = FRONT_DOWN;
    front->starved = false;
    netfront_link_close(&front->link);
}

static void port_event(void *arg);

static void offer(struct netfront *front)
{
    struct netfront_link *link = &front->link;

    if (netfront_link_open(link, front->backend_id, port_event, front) != 0)
        return;
    write_node(front, "tx-ring-ref", link->tx_page.ref);
    write_node(front, "rx-ring-ref", link->rx_page.ref);
    write_node(front, "event-channel", link->port);
    write_node(front, "request-rx-copy", 1);
    write_node(front, "feature-rx-notify", 1);
    /* Frames come and go with finished checksums. */
    write_node(front, "feature-no-csum-offload", 1);
    /* The store keeps the order, so this is seen last. */
    write_state(front, XenbusStateConnected);
    front->state = FRONT_OFFERED;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* "00:16:3e:00:00:05" */
static bool parse_mac(const char *text, uint8_t *mac)
{
    for (int i = 0; i < MAC_BYTES; i++) {
        int high = hex_digit(text[0]);
        int low = high >= 0 ? hex_digit(text[1]) : -1;

        if (low < 0 || text[2] != (i + 1 < MAC_BYTES ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
        text += 3;
    }
    return true;
}

static void have_mac(void *arg, int rc, const char *data, size_t size)
{
    struct netfront *front = arg;

    (void)size;
    front->reading_nodes = false;
    if (rc != 0 || !parse_mac(data, front->mac))
        return;
    /* The backend may have changed its mind meanwhile. */
    if (front->backend_state == XenbusStateInitWait &&
        front->state == FRONT_DOWN)
        offer(front);
}

static void have_backend_id(void *arg, int rc, const char *data, size_t size)
{
    struct netfront *front = arg;
    unsigned long id;
    char *end;

    (void)size;
    id = strtoul(data, &end, 10);
    if (rc != 0 || end == data || *end != '\0' || id >= DOMID_FIRST_RESERVED) {
        front->reading_nodes = false;
        return;
    }
    front->backend_id = (domid_t)id;
    read_node(front, "mac", have_mac);
}

static void connect_front(struct netfront *front)
{
    if (front->reading_nodes)
        return;
    front->reading_nodes = true;
    read_node(front, "backend-id", have_backend_id);
}

/* Start over, unless the device is being taken away for good. */
static void have_online(void *arg, int rc, const char *data, size_t size)
{
    struct netfront *front = arg;

    (void)size;
    if (rc == 0 && strcmp(data, "1") == 0 &&
        front->backend_state == XenbusStateClosed)
        write_state(front, XenbusStateInitialising);
}

static void backend_closed(struct netfront *front)
{
    size_t size = strlen(front->backend_dir) + sizeof("/online");
    char *path = malloc(size);

    go_down(front);
    write_state(front, XenbusStateClosed);
    if (!path)
        return;
    sniprintf(path, size, "%s/online", front->backend_dir);
    xs_read_async(front->xs, path, have_online, front);
    free(path);
}

static void backend_connected(struct netfront *front)
{
    if (front->state != FRONT_OFFERED)
        return;
    front->state = FRONT_UP;
    front->stats.connects++;
    front->ops->link(front->arg, true);
}

static void backend_changed(void *arg, enum xenbus_state state)
{
    struct netfront *front = arg;

    front->backend_state = state;
    switch (state) {
    case XenbusStateInitWait:
        /* A backend that offers again has forgotten what it had. */
        go_down(front);
        connect_front(front);
        break;
    case XenbusStateConnected:
        backend_connected(front);
        break;
    case XenbusStateClosing:
        go_down(front);
        write_state(front, XenbusStateClosed);
        break;
    case XenbusStateClosed:
        backend_closed(front);
        break;
    case XenbusStateUnknown:
        go_down(front);
        break;
    case XenbusStateInitialising:
    case XenbusStateInitialised:
    case XenbusStateReconfiguring:
    case XenbusStateReconfigured:
        break;
    }
}

/* The device appeared, was given to another backend, or went away. */
static void have_backend(void *arg, int rc, const char *data, size_t size)
{
    struct netfront *front = arg;

    (void)size;
    if (rc == 0 && front->backend_dir && strcmp(data, front->backend_dir) == 0)
        return;
    if (front->follow) {
        xenbus_unfollow(front->follow);
        front->follow = NULL;
        front->backend_state = XenbusStateUnknown;
        go_down(front);
    }
    free(front->backend_dir);
    front->backend_dir = rc == 0 ? strdup(data) : NULL;
    if (front->backend_dir)
        xenbus_follow(front->xs, front->backend_dir, backend_changed, front,
                      &front->follow);
}

static void backend_event(void *arg, const char *path)
{
    (void)path;
    read_node(arg, "backend", have_backend);
}

/* --- Data ----------------------------------------------------------------- */

static void break_off(struct netfront *front)
{
    iprintf("%s: the backend broke the ring protocol\n", front->dir);
    go_down(front);
    write_state(front, XenbusStateClosed);
}

/*
 * Armed by traffic, and again only if there was more of it meanwhile: a guest
 * at rest has no timer.
 */
static void watch_for_rest(struct netfront *front)
{
    if (rt_timer_armed(&front->rest))
        return;
    front->frames_seen = front->stats.rx_frames + front->stats.tx_frames;
    rt_timer_arm(&front->rest, rt_now_ns() + REST_NS);
}

static void rest_due(void *arg)
{
    struct netfront *front = arg;

    if (front->frames_seen != front->stats.rx_frames + front->stats.tx_frames)
        watch_for_rest(front);
    else
        netfront_link_rest(&front->link);
}

static void receive(struct netfront *front)
{
    struct front_rx *rx = &front->link.rx;
    uint32_t posted = front_rx_posted(rx);
    uint32_t count = 0;
    const uint8_t *data;
    size_t size;

    while (count < RX_BUDGET && front_rx_next(rx, &data, &size)) {
        count++;
        if (size <= NETFRONT_FRAME_MAX) {
            front->stats.rx_frames++;
            front->stats.rx_bytes += size;
            front->ops->receive(front->arg, data, size);
        } else {
            front->stats.rx_errors++;
        }
        front_rx_repost(rx);
    }
    if (count == 0)
        return;
    /* All were full: frames may be waiting for buffers. */
    if (count >= posted)
        netfront_link_more_rx(&front->link);
    if (front_rx_publish(rx))
        rt_port_notify(front->link.port);
    front->ops->received_all(front->arg);
    watch_for_rest(front);
}

static void reap(struct netfront *front)
{
    struct front_tx *tx = &front->link.tx;

    front_tx_reap(tx);
    if (!front->starved || tx->broken)
        return;
    if (!front_tx_buffer(tx) && front_tx_ask_event(tx))
        front_tx_reap(tx);
    if (front_tx_buffer(tx)) {
        front->starved = false;
        front->ops->room(front->arg);
    }
}

static void port_event(void *arg)
{
    struct netfront *front = arg;

    if (front->state == FRONT_DOWN)
        return;
    receive(front);
    reap(front);
    if (front->link.rx.broken || front->link.tx.broken)
        break_off(front);
    else if (front_rx_ask_event(&front->link.rx))
        rt_port_raise(front->link.port);
}

/* Once for all frames of a round. */
static void flush(void *arg)
{
    struct netfront *front = arg;

    if (front->state != FRONT_UP)
        return;
    if (front_tx_publish(&front->link.tx))
        rt_port_notify(front->link.port);
    watch_for_rest(front);
}

uint8_t *netfront_frame(struct netfront *front)
{
    struct front_tx *tx = &front->link.tx;
    uint8_t *buffer;

    if (front->state != FRONT_UP)
        return NULL;
    buffer = front_tx_buffer(tx);
    if (!buffer) {
        front_tx_reap(tx);
        buffer = front_tx_buffer(tx);
    }
    if (!buffer && netfront_link_more_tx(&front->link))
        buffer = front_tx_buffer(tx);
    if (!buffer) {
        front->stats.tx_no_room++;
        front->starved = true;
        /* Whatever was finished meanwhile is found in the next round. */
        if (front_tx_ask_event(tx))
            rt_port_raise(front->link.port);
    }
    return buffer;
}

void netfront_send(struct netfront *front, size_t size)
{
    front_tx_push(&front->link.tx, (uint16_t)size);
    front->stats.tx_frames++;
    front->stats.tx_bytes += size;
    rt_work_queue(&front->flush);
}

const uint8_t *netfront_mac(const struct netfront *front)
{
    return front->mac;
}

const struct netfront_stats *netfront_stats(struct netfront *front)
{
    front->stats.tx_errors = front->link.tx.errors;
    return &front->stats;
}

int netfront_create(struct xs *xs, unsigned int index,
                    const struct netfront_ops *ops, void *arg,
                    struct netfront **result)
{
    struct netfront *front;
    char path[PATH_BYTES + 32];
    int rc;

    if (!xs)
        return -ABI_ENODEV;
    front = calloc(1, sizeof(*front));
    if (!front)
        return -ABI_ENOMEM;
    front->xs = xs;
    front->ops = ops;
    front->arg = arg;
    front->flush = (struct rt_work){.fn = flush, .arg = front};
    front->rest = (struct rt_timer){.fn = rest_due, .arg = front};
    sniprintf(front->dir, sizeof(front->dir), "device/vif/%u", index);
    sniprintf(path, sizeof(path), "%s/backend", front->dir);
    rc = xs_watch_async(xs, path, backend_event, front, &front->backend_watch);
    if (rc != 0) {
        free(front);
        return rc;
    }
    *result = front;
    return 0;
}
