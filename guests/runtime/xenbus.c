/* SPDX-License-Identifier: BSD-2-Clause */
/* The states of a split driver's halves; see rt/xenbus.h. */

#include <rt/xenbus.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>

#include <rt/thread.h>

static const char *const state_names[] = {
    "unknown", "initialising", "waiting",       "initialised",  "connected",
    "closing", "closed",       "reconfiguring", "reconfigured",
};

enum xenbus_state xenbus_state_parse(const char *text)
{
    if (!text || text[0] < '1' || text[0] > '8' || text[1] != '\0')
        return XenbusStateUnknown;
    return (enum xenbus_state)(text[0] - '0');
}

const char *xenbus_state_name(enum xenbus_state state)
{
    return state_names[state];
}

/* "@dir/state"; NULL: out of memory. */
static char *state_path(const char *dir)
{
    size_t size = strlen(dir) + sizeof("/state");
    char *path = malloc(size);

    if (path)
        sniprintf(path, size, "%s/state", dir);
    return path;
}

int xenbus_read_state(struct xs *xs, xs_tx_t tx, const char *dir,
                      enum xenbus_state *state)
{
    char *path = state_path(dir);
    char *text;
    int rc = path ? xs_read(xs, tx, path, &text, NULL) : -ABI_ENOMEM;

    free(path);
    if (rc == 0) {
        *state = xenbus_state_parse(text);
        free(text);
    }
    return rc;
}

int xenbus_write_state(struct xs *xs, xs_tx_t tx, const char *dir,
                       enum xenbus_state state)
{
    char text[2] = {(char)('0' + state), '\0'};
    char *path = state_path(dir);
    int rc = path ? xs_write(xs, tx, path, text) : -ABI_ENOMEM;

    free(path);
    return rc;
}

/*
 * Following: the watch says that something happened, a read says what.  One
 * read is under way at a time; an event meanwhile asks for another.
 */
struct xenbus_follow {
    struct xs *xs;
    xenbus_follow_fn fn;
    void *arg;
    struct xs_watch *watch;
    enum xenbus_state state;
    bool told; /* fn knows `state` */
    bool reading, again, ended;
    char path[];
};

static void read_state(struct xenbus_follow *follow);

static void have_state(void *arg, int rc, const char *data, size_t size)
{
    struct xenbus_follow *follow = arg;
    enum xenbus_state state;

    (void)size;
    follow->reading = false;
    if (follow->ended) {
        free(follow);
        return;
    }
    state = xenbus_state_parse(rc == 0 ? data : NULL);
    if (follow->again)
        read_state(follow);
    if (follow->told && state == follow->state)
        return;
    follow->told = true;
    follow->state = state;
    follow->fn(follow->arg, state); /* May end it; nothing comes after. */
}

static void read_state(struct xenbus_follow *follow)
{
    follow->again = follow->reading;
    if (follow->reading)
        return;
    follow->reading =
        xs_read_async(follow->xs, follow->path, have_state, follow) == 0;
}

static void state_event(void *arg, const char *path)
{
    (void)path;
    read_state(arg);
}

int xenbus_follow(struct xs *xs, const char *dir, xenbus_follow_fn fn,
                  void *arg, struct xenbus_follow **result)
{
    char *path = state_path(dir);
    struct xenbus_follow *follow;
    int rc;

    if (!path)
        return -ABI_ENOMEM;
    follow = calloc(1, sizeof(*follow) + strlen(path) + 1);
    if (!follow) {
        free(path);
        return -ABI_ENOMEM;
    }
    follow->xs = xs;
    follow->fn = fn;
    follow->arg = arg;
    strcpy(follow->path, path);
    rc = xs_watch_async(xs, path, state_event, follow, &follow->watch);
    free(path);
    if (rc != 0) {
        free(follow);
        return rc;
    }
    *result = follow;
    return 0;
}

void xenbus_unfollow(struct xenbus_follow *follow)
{
    xs_unwatch(follow->watch);
    if (follow->reading)
        follow->ended = true; /* have_state() frees it. */
    else
        free(follow);
}

/* --- Waiting -------------------------------------------------------------- */

struct state_wait {
    struct waitq waiters;
    unsigned int mask;
    bool reached;
    enum xenbus_state state;
};

static void wait_event(void *arg, enum xenbus_state state)
{
    struct state_wait *wait = arg;

    wait->state = state;
    wait->reached = (wait->mask >> state & 1) != 0;
    if (wait->reached)
        waitq_wake_all(&wait->waiters);
}

int xenbus_wait_state(struct xs *xs, const char *dir, unsigned int mask,
                      uint64_t deadline_ns, enum xenbus_state *state)
{
    struct state_wait wait = {.mask = mask};
    struct xenbus_follow *follow;
    bool in_time = true;
    int rc = xenbus_follow(xs, dir, wait_event, &wait, &follow);

    if (rc != 0)
        return rc;
    while (!wait.reached && in_time)
        in_time = waitq_wait_until(&wait.waiters, deadline_ns);
    xenbus_unfollow(follow);
    if (!wait.reached)
        return -ABI_EAGAIN;
    *state = wait.state;
    return 0;
}
