/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making, connecting and ending backends as the store says.
 *
 * Events only mark a backend; one thread does what follows, since talking to
 * the store means waiting for it.  A guest cannot hold the thread up: nothing
 * here waits for a guest.
 */

#include "net/netback.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>
#include <rt/store.h>
#include <rt/thread.h>
#include <rt/time.h>
#include <rt/timer.h>
#include <rt/xenbus.h>

#include "config/net_text.h"
#include "net/netback_connect.h"
#include "net/pace.h"
#include "net/router.h"
#include "net/vif.h"

#define ROOT "backend/vif"

/* "backend/vif/65535/4294967295/" and the longest name used below it. */
#define PATH_BYTES 96

#define BUCKETS 1024U

/*
 * Steps of a frontend that are followed at once, and then one in so long: a
 * connection costs a dozen requests to the store and a change of mappings, and
 * is made and ended by one word of the guest.  A step that came and went
 * meanwhile is not followed at all.
 */
static const struct pace_limit steps = {.every_ns = RT_NS_PER_S / 4,
                                        .at_once = 32};

struct backend {
    struct backend *next;       /* of its bucket */
    struct backend *dirty_next; /* waits for the thread */
    bool dirty;
    bool ready;  /* its directory was complete, its port exists */
    bool failed; /* its directory makes no sense; it waits for its removal */
    enum xenbus_state state, front_state;
    enum xenbus_state followed; /* the frontend's, when we last acted on it */
    struct pace pace;
    struct rt_timer later; /* it made too many steps; go on then */
    char *front;           /* the frontend's directory */
    struct xenbus_follow *follow;
    struct vif vif;
};

static struct backend *bucket[BUCKETS];
static struct {
    struct backend *first, *last;
} dirty;
static bool rescan; /* nodes may have come that no event names */
static struct waitq wakeup;
static struct xs *xs;

/* --- The set of backends -------------------------------------------------- */

static struct backend **backend_at(domid_t domid, uint32_t handle)
{
    struct backend **at = &bucket[(domid ^ handle << 8) % BUCKETS];

    while (*at != NULL &&
           ((*at)->vif.domid != domid || (*at)->vif.handle != handle))
        at = &(*at)->next;
    return at;
}

static void mark(struct backend *back)
{
    if (!back->dirty) {
        back->dirty = true;
        back->dirty_next = NULL;
        if (dirty.first == NULL)
            dirty.first = back;
        else
            dirty.last->dirty_next = back;
        dirty.last = back;
    }
    waitq_wake_all(&wakeup);
}

static void go_on(void *arg)
{
    mark(arg);
}

/* The backend of that name, new if need be. */
static void mark_name(domid_t domid, uint32_t handle)
{
    struct backend **at = backend_at(domid, handle);

    if (*at == NULL) {
        *at = calloc(1, sizeof(**at));
        if (*at == NULL) {
            printf("net: no memory for vif%u.%u\n", domid, handle);
            return;
        }
        (*at)->vif.domid = domid;
        (*at)->vif.handle = handle;
        (*at)->later = (struct rt_timer){.fn = go_on, .arg = *at};
    }
    mark(*at);
}

static void mark_domain(domid_t domid)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct backend *b = bucket[i]; b != NULL; b = b->next)
            if (b->vif.domid == domid)
                mark(b);
}

static void path_of(const struct backend *back, const char *name,
                    char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, ROOT "/%u/%u%s%s", back->vif.domid,
             back->vif.handle, name[0] != '\0' ? "/" : "", name);
}

/* --- Events --------------------------------------------------------------- */

/* Names that somebody else than we writes. */
static bool is_input(const char *name)
{
    static const char *const names[] = {"",    "frontend", "frontend-id",
                                        "mac", "ip",       "online"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Split "backend/vif/DOMID/HANDLE/NAME"; the count of parts behind ROOT. */
static int split(const char *path, domid_t *domid, uint32_t *handle,
                 const char **name)
{
    unsigned long number;
    char *end;

    *name = "";
    path += strlen(ROOT);
    if (*path++ != '/')
        return 0;
    number = strtoul(path, &end, 10);
    if (end == path || number > UINT16_MAX || (*end != '/' && *end != '\0'))
        return -1;
    *domid = (domid_t)number;
    if (*end++ == '\0')
        return 1;

    path = end;
    number = strtoul(path, &end, 10);
    if (end == path || number > UINT32_MAX || (*end != '/' && *end != '\0'))
        return -1;
    *handle = (uint32_t)number;
    if (*end == '/')
        *name = end + 1;
    return 2;
}

static void tree_changed(void *arg, const char *path)
{
    const char *name;
    domid_t domid;
    uint32_t handle;

    (void)arg;
    switch (split(path, &domid, &handle, &name)) {
    case 0:
        rescan = true;
        waitq_wake_all(&wakeup);
        break;
    case 1:
        mark_domain(domid);
        break;
    case 2:
        if (is_input(name))
            mark_name(domid, handle);
        break;
    default:
        break;
    }
}

static void front_changed(void *arg, enum xenbus_state state)
{
    struct backend *back = arg;

    back->front_state = state;
    mark(back);
}

/* --- Writing -------------------------------------------------------------- */

struct node {
    const char *name, *value;
};

static int write_nodes(xs_tx_t tx, const struct backend *back,
                       const struct node *nodes, size_t count)
{
    char path[PATH_BYTES], *front;
    int rc;

    path_of(back, "frontend", path);
    rc = xs_read(xs, tx, path, &front, NULL);
    if (rc != 0)
        return rc;
    free(front);

    for (size_t i = 0; i < count && rc == 0; i++) {
        path_of(back, nodes[i].name, path);
        rc = xs_write(xs, tx, path, nodes[i].value);
    }
    return rc;
}

/*
 * Write all of them, or none.  -ABI_ENOENT: the directory was removed
 * meanwhile; writing to it would bring it back, and nobody would remove it a
 * second time.
 */
static int publish(const struct backend *back, const struct node *nodes,
                   size_t count)
{
    int rc;

    do {
        xs_tx_t tx;

        rc = xs_transaction_start(xs, &tx);
        if (rc != 0)
            return rc;
        rc = write_nodes(tx, back, nodes, count);
        if (rc == 0)
            rc = xs_transaction_end(xs, tx, true);
        else
            xs_transaction_end(xs, tx, false);
    } while (rc == -ABI_EAGAIN);
    return rc;
}

static void set_state(struct backend *back, enum xenbus_state state)
{
    const char text[] = {(char)('0' + state), '\0'};
    const struct node node = {"state", text};
    int rc;

    if (back->state == state)
        return;
    back->state = state;
    rc = publish(back, &node, 1);
    if (rc != 0 && rc != -ABI_ENOENT)
        printf("net: vif%u.%u: its state cannot be written (error %d)\n",
               back->vif.domid, back->vif.handle, -rc);
}

static void explain(struct backend *back, const char *why)
{
    const struct node node = {"error", why};

    if (vif_may_log(&back->vif))
        printf("net: vif%u.%u: %s\n", back->vif.domid, back->vif.handle, why);
    publish(back, &node, 1);
}

/* Everything that a frontend may ask for, and InitWait, at one go. */
static int offer(struct backend *back)
{
    static const struct node nodes[] = {
        {"feature-rx-copy", "1"},
        {"feature-sg", "1"},
        {"feature-gso-tcpv4", "1"},
        {"state", "2"},
    };
    int rc = publish(back, nodes, sizeof(nodes) / sizeof(nodes[0]));

    if (rc == 0)
        back->state = XenbusStateInitWait;
    return rc;
}

/* --- Making --------------------------------------------------------------- */

/* A node of the backend's directory; NULL: it is not there (yet). */
static char *read_node(const struct backend *back, const char *name)
{
    char path[PATH_BYTES], *value;

    path_of(back, name, path);
    return xs_read(xs, 0, path, &value, NULL) == 0 ? value : NULL;
}

static const char *add_port(struct backend *back, const char *mac,
                            const char *ip)
{
    uint8_t mac_bytes[ETH_ADDR_BYTES];
    uint32_t address;

    if (!mac_parse(mac, mac_bytes))
        return "its mac is not of the form 00:16:3e:12:34:56";
    if (!ipv4_parse(ip, &address))
        return "its ip is not of the form 10.64.0.2";
    if (!switch_port_add(&router_get()->sw, &back->vif.port, mac_bytes,
                         address))
        return "its mac or ip is in use, or its ip is not one of the inside "
               "network";
    return NULL;
}

static void start(struct backend *back)
{
    const char *why;
    int rc;

    back->ready = true;
    rc = offer(back);
    if (rc == 0)
        rc = xenbus_follow(xs, back->front, front_changed, back, &back->follow);
    why = rc == 0 ? NULL : "the store does not let it be offered";
    if (why != NULL)
        explain(back, why);
}

/* Once all nodes are there; until then, each one that comes is an event. */
static void make(struct backend *back)
{
    char *id = read_node(back, "frontend-id"), *mac = read_node(back, "mac");
    char *ip = read_node(back, "ip");

    if (id != NULL && mac != NULL && ip != NULL) {
        const char *why = strtoul(id, NULL, 10) != back->vif.domid
                              ? "its frontend-id is not the domain's"
                              : add_port(back, mac, ip);

        back->failed = why != NULL;
        if (why != NULL)
            explain(back, why);
        else
            start(back);
    }
    free(id);
    free(mac);
    free(ip);
}

/* --- Following the frontend ------------------------------------------------
 */

static void connect(struct backend *back)
{
    const char *why;

    if (back->vif.connected || back->state != XenbusStateInitWait)
        return;
    why = netback_connect(xs, &back->vif, back->front);
    if (why == NULL) {
        set_state(back, XenbusStateConnected);
        return;
    }
    explain(back, why);
    set_state(back, XenbusStateClosing);
}

static void disconnect(struct backend *back, enum xenbus_state state)
{
    netback_disconnect(&back->vif);
    set_state(back, state);
}

static void follow_front(struct backend *back)
{
    switch (back->front_state) {
    case XenbusStateInitialising:
        if (back->state != XenbusStateInitWait) {
            netback_disconnect(&back->vif);
            if (offer(back) != 0)
                explain(back, "the store does not let it be offered again");
        }
        break;
    case XenbusStateConnected:
        connect(back);
        break;
    case XenbusStateClosing:
        disconnect(back, XenbusStateClosing);
        break;
    case XenbusStateClosed:
        disconnect(back, XenbusStateClosed);
        break;
    case XenbusStateUnknown:
        /* Not there yet, or gone without a word. */
        if (back->vif.connected)
            disconnect(back, XenbusStateClosed);
        break;
    case XenbusStateInitWait:
    case XenbusStateInitialised:
    case XenbusStateReconfiguring:
    case XenbusStateReconfigured:
        break; /* netfront goes straight to Connected. */
    }
}

/* False: the timer will ask again. */
static bool may_follow(struct backend *back)
{
    if (back->front_state == back->followed)
        return true;
    if (!pace_take(&back->pace, &steps, rt_now_ns())) {
        if (!rt_timer_armed(&back->later))
            rt_timer_arm(&back->later, pace_next(&back->pace, &steps));
        return false;
    }
    back->followed = back->front_state;
    return true;
}

/* --- Ending --------------------------------------------------------------- */

static void end(struct backend *back)
{
    struct backend **at = backend_at(back->vif.domid, back->vif.handle);

    if (back->follow != NULL)
        xenbus_unfollow(back->follow);
    rt_timer_cancel(&back->later);
    netback_disconnect(&back->vif);
    if (back->ready)
        switch_port_remove(&router_get()->sw, &back->vif.port);
    *at = back->next;
    free(back->front);
    free(back);
}

/* --- The thread ------------------------------------------------------------
 */

static void look_at(struct backend *back)
{
    char *front = read_node(back, "frontend");

    if (front == NULL) {
        /* Marked again while the store was asked: it is on the list still. */
        if (!back->dirty)
            end(back);
        return;
    }
    if (back->front == NULL)
        back->front = front;
    else
        free(front);

    if (!back->ready && !back->failed)
        make(back);
    if (back->follow != NULL && may_follow(back))
        follow_front(back);
}

static void mark_handles(domid_t domid)
{
    char path[PATH_BYTES], **names;
    size_t count;

    snprintf(path, sizeof(path), ROOT "/%u", domid);
    if (xs_directory(xs, 0, path, &names, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++)
        mark_name(domid, (uint32_t)strtoul(names[i], NULL, 10));
    free(names);
}

/* What is there already, and what is not there any more. */
static void scan(void)
{
    char **names;
    size_t count;

    rescan = false;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct backend *b = bucket[i]; b != NULL; b = b->next)
            mark(b);
    if (xs_directory(xs, 0, ROOT, &names, &count) != 0)
        return; /* No backend yet. */
    for (size_t i = 0; i < count; i++)
        mark_handles((domid_t)strtoul(names[i], NULL, 10));
    free(names);
}

static void serve(void *arg)
{
    (void)arg;
    for (;;) {
        if (rescan) {
            scan();
        } else if (dirty.first != NULL) {
            struct backend *back = dirty.first;

            dirty.first = back->dirty_next;
            back->dirty = false;
            look_at(back);
        } else {
            waitq_wait(&wakeup);
        }
    }
}

int netback_init(void)
{
    struct xs_watch *watch;
    struct thread *thread;

    xs = xs_default();
    if (xs == NULL)
        return -ABI_ENODEV;
    thread = thread_create("netback", THREAD_STACK_BYTES, serve, NULL);
    if (thread == NULL)
        return -ABI_ENOMEM;
    thread_detach(thread);
    /* Its first event asks for a scan. */
    return xs_watch(xs, ROOT, tree_changed, NULL, &watch);
}

void netback_each(void (*fn)(void *arg, const struct vif *vif,
                             enum xenbus_state state),
                  void *arg)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct backend *b = bucket[i]; b != NULL; b = b->next)
            if (b->ready)
                fn(arg, &b->vif, b->state);
}
