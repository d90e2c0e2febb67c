/* SPDX-License-Identifier: BSD-2-Clause */
/* What the store holds about a domain. */

#include "domain/nodes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <abi/errno.h>
#include <abi/grant_table.h>
#include <abi/io/xenbus.h>

#include <rt/store.h>
#include <rt/thread.h>

#include "config/net_text.h"
#include "domain/guest.h"

#define PATH_BYTES 128

/* How often a transaction is tried that others disturb. */
#define TRIES_MAX 10

/* Whose a node is. */
enum access {
    ACCESS_TOOLSTACK, /* the guest may read */
    ACCESS_GUEST,     /* the guest may write; it is the owner */
};

/* Nodes are written one after the other; the first error ends it. */
struct writer {
    struct xs *xs;
    xs_tx_t tx;
    domid_t self;
    domid_t guest;
    int rc;
};

static void set_access(struct writer *w, const char *path, enum access access)
{
    struct xs_perm toolstack[] = {{w->self, 'n'}, {w->guest, 'r'}};
    struct xs_perm guest[] = {{w->guest, 'n'}, {w->self, 'r'}};

    if (w->rc)
        return;
    w->rc = access == ACCESS_GUEST
                ? xs_set_perms(w->xs, w->tx, path, guest, 2)
                : xs_set_perms(w->xs, w->tx, path, toolstack, 2);
}

static void make(struct writer *w, enum access access, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A directory, whose later children have the same rights. */
static void make(struct writer *w, enum access access, const char *format, ...)
{
    char path[PATH_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    if (w->rc == 0)
        w->rc = xs_mkdir(w->xs, w->tx, path);
    set_access(w, path, access);
}

static void put(struct writer *w, const char *dir, const char *name,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

static void put(struct writer *w, const char *dir, const char *name,
                const char *format, ...)
{
    char path[PATH_BYTES], value[PATH_BYTES];
    va_list args;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    va_start(args, format);
    vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    if (w->rc == 0)
        w->rc = xs_write(w->xs, w->tx, path, value);
}

/* --- A guest's nodes ------------------------------------------------------ */

static void home_of(char path[PATH_BYTES], domid_t domid)
{
    snprintf(path, PATH_BYTES, "/local/domain/%u", (unsigned int)domid);
}

static void write_vm(struct writer *w, const struct guest *g)
{
    char uuid[UUID_TEXT_BYTES], vm[PATH_BYTES], home[PATH_BYTES];

    uuid_format(g->config.uuid, uuid);
    snprintf(vm, sizeof(vm), "/vm/%s", uuid);
    home_of(home, g->domid);
    make(w, ACCESS_TOOLSTACK, "%s", vm);
    put(w, vm, "uuid", "%s", uuid);
    put(w, vm, "name", "%s", g->config.name);
    put(w, home, "vm", "%s", vm);
}

static void write_memory(struct writer *w, const struct guest *g,
                         const char *home)
{
    unsigned int memory = g->config.memory_mib;
    unsigned int maxmem = g->config.maxmem_mib ? g->config.maxmem_mib : memory;

    put(w, home, "memory/target", "%u", memory * 1024);
    put(w, home, "memory/static-max", "%u", maxmem * 1024);
}

static void write_rings(struct writer *w, const struct guest *g,
                        const char *home)
{
    put(w, home, "store/port", "%u", (unsigned int)g->store_port);
    put(w, home, "store/ring-ref", "%llu", (unsigned long long)g->store_gfn);
    put(w, home, "console/port", "%u", (unsigned int)g->console_port);
    put(w, home, "console/ring-ref", "%llu",
        (unsigned long long)g->console_gfn);
    put(w, home, "console/backend-id", "%u", (unsigned int)w->self);
    put(w, home, "console/limit", "%u", 1024U * 1024U);
    put(w, home, "console/type", "xenconsoled");
}

/* What the guest writes itself. */
static void write_own_places(struct writer *w, const char *home)
{
    static const char *const places[] = {"data",
                                         "drivers",
                                         "feature",
                                         "attr",
                                         "error",
                                         "control/shutdown",
                                         "control/sysrq",
                                         "control/feature-poweroff",
                                         "control/feature-reboot",
                                         "control/feature-suspend"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        make(w, ACCESS_GUEST, "%s/%s", home, places[i]);
    put(w, home, "control/platform-feature-multiprocessor-suspend", "1");
    put(w, home, "control/platform-feature-xs_reset_watches", "1");
}

static void write_cpus(struct writer *w, const struct guest *g,
                       const char *home)
{
    unsigned int count =
        g->config.maxvcpus ? g->config.maxvcpus : g->config.vcpus;

    for (unsigned int i = 0; i < count; i++) {
        char name[PATH_BYTES];

        snprintf(name, sizeof(name), "cpu/%u/availability", i);
        put(w, home, name, i < g->config.vcpus ? "online" : "offline");
    }
}

static void write_home(struct writer *w, const struct guest *g)
{
    char home[PATH_BYTES];

    home_of(home, g->domid);
    make(w, ACCESS_TOOLSTACK, "%s", home);
    put(w, home, "name", "%s", g->config.name);
    put(w, home, "domid", "%u", (unsigned int)g->domid);
    write_cpus(w, g, home);
    put(w, home, "device", "%s", "");
    write_memory(w, g, home);
    write_rings(w, g, home);
    write_own_places(w, home);
    write_vm(w, g);
}

/* --- Devices -------------------------------------------------------------- */

static void write_vif_address(struct writer *w, const char *dir,
                              const struct guest_vif *vif)
{
    char mac[MAC_TEXT_BYTES], ip[IPV4_TEXT_BYTES];

    mac_format(vif->mac, mac);
    ipv4_format(vif->ip, ip);
    put(w, dir, "mac", "%s", mac);
    put(w, dir, "ip", "%s", ip);
}

static void write_front(struct writer *w, const struct guest *g,
                        unsigned int handle, const char *front,
                        const char *back)
{
    char text[IPV4_TEXT_BYTES];

    make(w, ACCESS_GUEST, "%s", front);
    put(w, front, "backend", "%s", back);
    put(w, front, "backend-id", "%u", (unsigned int)w->self);
    put(w, front, "handle", "%u", handle);
    write_vif_address(w, front, &g->vif[handle]);
    ipv4_format(INSIDE_NETMASK, text);
    put(w, front, "netmask", "%s", text);
    ipv4_format(INSIDE_GATEWAY, text);
    put(w, front, "gateway", "%s", text);
    put(w, front, "state", "%d", XenbusStateInitialising);
}

static void write_back(struct writer *w, const struct guest *g,
                       unsigned int handle, const char *front, const char *back)
{
    make(w, ACCESS_TOOLSTACK, "%s", back);
    put(w, back, "frontend", "%s", front);
    put(w, back, "frontend-id", "%u", (unsigned int)g->domid);
    put(w, back, "handle", "%u", handle);
    put(w, back, "online", "1");
    write_vif_address(w, back, &g->vif[handle]);
    put(w, back, "state", "%d", XenbusStateInitialising);
}

static void write_vifs(struct writer *w, const struct guest *g)
{
    char front[PATH_BYTES], back[PATH_BYTES];

    for (unsigned int i = 0; i < g->vif_count; i++) {
        snprintf(front, sizeof(front), "/local/domain/%u/device/vif/%u",
                 (unsigned int)g->domid, i);
        snprintf(back, sizeof(back), "/local/domain/%u/backend/vif/%u/%u",
                 (unsigned int)w->self, (unsigned int)g->domid, i);
        write_front(w, g, i, front, back);
        write_back(w, g, i, front, back);
    }
}

/* --- All of it ------------------------------------------------------------ */

static int end(struct writer *w)
{
    int rc = xs_transaction_end(w->xs, w->tx, w->rc == 0);

    return w->rc ? w->rc : rc;
}

static int try_write(const struct guest *g, domid_t self)
{
    struct writer w = {.xs = xs_default(), .self = self, .guest = g->domid};
    int rc = xs_transaction_start(w.xs, &w.tx);

    if (rc)
        return rc;
    write_home(&w, g);
    write_vifs(&w, g);

    return end(&w);
}

int nodes_write(const struct guest *guest, domid_t self)
{
    int rc = -ABI_EAGAIN;

    for (int i = 0; rc == -ABI_EAGAIN && i < TRIES_MAX; i++)
        rc = try_write(guest, self);

    return rc;
}

void nodes_remove(const struct guest *g, domid_t self)
{
    char path[PATH_BYTES], uuid[UUID_TEXT_BYTES];
    struct xs *xs = xs_default();

    snprintf(path, sizeof(path), "/local/domain/%u/backend/vif/%u",
             (unsigned int)self, (unsigned int)g->domid);
    (void)xs_rm(xs, 0, path);
    home_of(path, g->domid);
    (void)xs_rm(xs, 0, path);
    uuid_format(g->config.uuid, uuid);
    snprintf(path, sizeof(path), "/vm/%s", uuid);
    (void)xs_rm(xs, 0, path);
}

int nodes_write_own(domid_t self)
{
    struct writer w = {.xs = xs_default(), .self = self, .guest = self};
    char home[PATH_BYTES];

    home_of(home, self);
    put(&w, home, "name", "control");
    put(&w, home, "domid", "%u", (unsigned int)self);
    put(&w, home, "backend/vif", "%s", "");
    put(&w, "/tool", "toolstack", "cairn");

    return w.rc;
}

/* --- Introducing ---------------------------------------------------------- */

struct wait {
    struct waitq queue;
    bool done;
    int rc;
};

static void on_reply(void *arg, int rc, const char *data, size_t size)
{
    struct wait *w = arg;

    (void)data;
    (void)size;
    w->rc = rc;
    w->done = true;
    waitq_wake_all(&w->queue);
}

int nodes_introduce(const struct guest *g)
{
    struct wait w = {.done = false};
    char text[64];
    int size, rc;

    /* Three texts, each with its NUL. */
    size = snprintf(text, sizeof(text), "%u%c%llu%c%u", (unsigned int)g->domid,
                    0, (unsigned long long)g->store_gfn, 0,
                    (unsigned int)g->store_port);
    rc = xs_request(xs_default(), XS_INTRODUCE, 0,
                    &(struct xs_part){text, (size_t)size + 1}, 1, on_reply, &w);
    if (rc)
        return rc;
    while (!w.done)
        waitq_wait(&w.queue);

    return w.rc;
}

int nodes_ask_shutdown(domid_t domid, const char *how)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown",
             (unsigned int)domid);

    return xs_write(xs_default(), 0, path, how);
}
