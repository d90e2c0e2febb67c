/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of guests. */

#include "domain/lifecycle.h"

#include <stdio.h>
#include <string.h>

#include <abi/control.h>
#include <abi/errno.h>
#include <abi/sched.h>

#include <rt/event.h>
#include <rt/thread.h>
#include <rt/time.h>

#include "console/service.h"
#include "domain/guest.h"
#include "domain/hv.h"
#include "domain/load.h"
#include "domain/modules.h"
#include "domain/mutex.h"
#include "domain/nodes.h"
#include "domain/random.h"
#include "net/net.h"
#include "store/server.h"

/* How long to wait for all of a destroyed domain to be let go. */
#define DESTROY_PATIENCE_NS (5 * RT_NS_PER_S)

/* A guest that ends sooner after its start than this, so many times ... */
#define QUICK_END_NS  (10 * RT_NS_PER_S)
#define QUICK_END_MAX 3U /* ... in a row, is not restarted any more */

/* Domains looked at in one hypercall. */
#define LIST_ROOM 64U

static struct mutex lock;
static domid_t self;

/* VIRQ_DOM_EXC wakes the thread that looks, and who waits for an end. */
static struct waitq ends;
static unsigned int end_count; /* of events */

/* --- Creating ------------------------------------------------------------- */

static uint8_t forward_proto(const struct config_forward *f)
{
    return f->udp ? NETWORK_UDP : NETWORK_TCP;
}

static bool add_forwards(struct guest *g, char error[CONFIG_ERROR_BYTES])
{
    for (unsigned int i = 0; i < g->config.forward_count; i++) {
        const struct config_forward *f = &g->config.forward[i];
        int rc =
            network_forward_add(forward_proto(f), f->from, g->vif[0].ip, f->to);

        if (rc) {
            snprintf(error, CONFIG_ERROR_BYTES,
                     "port %u cannot be forwarded: %s", (unsigned int)f->from,
                     hv_error_text(rc));
            return false;
        }
        g->forward_count++;
    }

    return true;
}

static void drop_forwards(struct guest *g)
{
    while (g->forward_count) {
        const struct config_forward *f = &g->config.forward[--g->forward_count];

        (void)network_forward_remove(forward_proto(f), f->from);
    }
}

/* What others know of the domain, in the order that they need it. */
static bool connect(struct guest *g, char error[CONFIG_ERROR_BYTES])
{
    const char *what = "its console cannot be connected";
    int rc = console_connect(g->domid, g->console_port, g->config.name);

    if (rc == 0) {
        what = "its store nodes cannot be written";
        rc = nodes_write(g, self);
    }
    if (rc == 0) {
        what = "the store cannot serve it";
        rc = nodes_introduce(g);
    }
    if (rc)
        snprintf(error, CONFIG_ERROR_BYTES, "%s: %s", what, hv_error_text(rc));

    return rc == 0 && add_forwards(g, error);
}

/* Undo connect(), however far it came; the domain runs no more. */
static void disconnect(struct guest *g)
{
    drop_forwards(g);
    nodes_remove(g, self);
    store_server_domain_gone(g->domid);
    console_disconnect(g->domid);
}

/* True once the hypervisor knows nothing of the domain any more. */
static bool wait_gone(domid_t domid)
{
    uint64_t deadline = rt_now_ns() + DESTROY_PATIENCE_NS;
    struct control_domain_info info;

    while (hv_info(domid, &info) == 0)
        if (!waitq_wait_until(&ends, deadline))
            return false;

    return true;
}

/*
 * End the domain and all that is connected to it; the record stays.  False: it
 * lives on.
 */
static bool tear_down(struct guest *g, char error[CONFIG_ERROR_BYTES])
{
    int rc = hv_destroy(g->domid);

    if (rc && rc != -ABI_ESRCH) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "domain \"%s\" cannot be destroyed: %s", g->config.name,
                 hv_error_text(rc));
        return false;
    }
    disconnect(g);
    guest_clear_domid(g);
    guest_drop_addresses(g);

    return true;
}

/* The same, and wait until its memory is free again.  False: some is not. */
static bool tear_down_wait(struct guest *g, char error[CONFIG_ERROR_BYTES])
{
    domid_t domid = g->domid;

    if (!tear_down(g, error))
        return false;
    if (wait_gone(domid))
        return true;
    snprintf(error, CONFIG_ERROR_BYTES,
             "domain %u has ended, but pages of it are still in use",
             (unsigned int)domid);

    return false;
}

static bool start(struct guest *g, bool paused, char error[CONFIG_ERROR_BYTES])
{
    int rc = 0;

    g->paused = paused;
    g->shut_down = false;
    g->started_ns = rt_now_ns();
    if (!paused)
        rc = hv_unpause(g->domid);
    if (rc)
        snprintf(error, CONFIG_ERROR_BYTES, "it cannot be started: %s",
                 hv_error_text(rc));

    return rc == 0;
}

/* A domain for the record @g.  False: there is none. */
static bool build(struct guest *g, bool paused, char error[CONFIG_ERROR_BYTES])
{
    char ignored[CONFIG_ERROR_BYTES];
    struct load_plan plan;

    if (!load_check(&g->config, &plan, error) || !load_create(g, &plan, error))
        return false;
    if (guest_choose_addresses(g, error) && load_fill(g, &plan, self, error) &&
        connect(g, error) && start(g, paused, error))
        return true;

    (void)tear_down_wait(g, ignored);

    return false;
}

/* Its nodes under /vm would be those of both. */
static bool check_uuid(const struct domain_config *config,
                       char error[CONFIG_ERROR_BYTES])
{
    const struct guest *g;

    if (!config->has_uuid)
        return true;
    TAILQ_FOREACH(g, guest_all(), in_all)
    {
        if (memcmp(g->config.uuid, config->uuid, sizeof(config->uuid)) == 0) {
            snprintf(error, CONFIG_ERROR_BYTES,
                     "the uuid is that of domain \"%s\"", g->config.name);
            return false;
        }
    }

    return true;
}

static struct guest *create_locked(const struct domain_config *config,
                                   bool paused, char error[CONFIG_ERROR_BYTES])
{
    const struct guest *other = guest_find_name(config->name);
    struct guest *g;

    if (!domain_config_check(config, error) || !check_uuid(config, error))
        return NULL;
    if (other) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "the name \"%s\" is taken by domain %u", config->name,
                 (unsigned int)other->domid);
        return NULL;
    }
    g = guest_new(config);
    if (!g) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "the control domain is out of memory");
        return NULL;
    }
    if (!config->has_uuid)
        random_uuid(g->config.uuid);
    if (build(g, paused, error))
        return g;
    guest_free(g);

    return NULL;
}

struct guest *lifecycle_create(const struct domain_config *config, bool paused,
                               char error[CONFIG_ERROR_BYTES])
{
    struct guest *g;

    mutex_lock(&lock);
    g = create_locked(config, paused, error);
    mutex_unlock(&lock);

    return g;
}

/* --- By command ----------------------------------------------------------- */

/* @guest may have gone, or ended and come back, while the lock was held. */
static bool still_there(const struct guest *guest, domid_t domid,
                        char error[CONFIG_ERROR_BYTES])
{
    if (guest_find(domid) == guest)
        return true;
    snprintf(error, CONFIG_ERROR_BYTES, "domain %u is gone already",
             (unsigned int)domid);

    return false;
}

bool lifecycle_destroy(struct guest *guest, char error[CONFIG_ERROR_BYTES])
{
    domid_t domid = guest->domid;
    bool ok;

    mutex_lock(&lock);
    ok = still_there(guest, domid, error);
    if (ok) {
        ok = tear_down_wait(guest, error);
        if (!guest->has_domid)
            guest_free(guest);
    }
    mutex_unlock(&lock);

    return ok;
}

static bool fail_op(const struct guest *g, const char *what, int rc,
                    char error[CONFIG_ERROR_BYTES])
{
    snprintf(error, CONFIG_ERROR_BYTES, "domain \"%s\" cannot be %s: %s",
             g->config.name, what, hv_error_text(rc));

    return false;
}

bool lifecycle_pause(struct guest *guest, char error[CONFIG_ERROR_BYTES])
{
    int rc;

    if (guest->paused) {
        snprintf(error, CONFIG_ERROR_BYTES, "domain \"%s\" is paused already",
                 guest->config.name);
        return false;
    }
    rc = hv_pause(guest->domid);
    guest->paused = rc == 0;

    return rc == 0 || fail_op(guest, "paused", rc, error);
}

bool lifecycle_unpause(struct guest *guest, char error[CONFIG_ERROR_BYTES])
{
    int rc;

    if (!guest->paused) {
        snprintf(error, CONFIG_ERROR_BYTES, "domain \"%s\" is not paused",
                 guest->config.name);
        return false;
    }
    rc = hv_unpause(guest->domid);
    guest->paused = rc != 0;

    return rc == 0 || fail_op(guest, "unpaused", rc, error);
}

bool lifecycle_suspend(struct guest *guest, char error[CONFIG_ERROR_BYTES])
{
    if (guest->resumable)
        return lifecycle_ask(guest, "suspend", error);
    snprintf(
        error, CONFIG_ERROR_BYTES,
        "the kernel of domain \"%s\" could not go on afterwards: it has no "
        "note SUSPEND_CANCEL",
        guest->config.name);

    return false;
}

bool lifecycle_resume(struct guest *guest, char error[CONFIG_ERROR_BYTES])
{
    domid_t domid = guest->domid;
    int rc;

    /* Who looks at ends waits: the next one is noticed, however soon. */
    mutex_lock(&lock);
    if (!still_there(guest, domid, error)) {
        mutex_unlock(&lock);
        return false;
    }
    rc = hv_resume(domid);
    if (rc == 0)
        guest->shut_down = false;
    mutex_unlock(&lock);
    if (rc == -ABI_EINVAL) {
        snprintf(error, CONFIG_ERROR_BYTES, "domain %u is not suspended",
                 (unsigned int)domid);
        return false;
    }

    return rc == 0 || fail_op(guest, "resumed", rc, error);
}

bool lifecycle_ask(struct guest *guest, const char *how,
                   char error[CONFIG_ERROR_BYTES])
{
    domid_t domid = guest->domid;
    int rc = nodes_ask_shutdown(domid, how);

    if (rc) /* The record may have gone while the store was asked. */
        snprintf(error, CONFIG_ERROR_BYTES,
                 "domain %u cannot be asked to end: %s", (unsigned int)domid,
                 hv_error_text(rc));

    return rc == 0;
}

/* --- By themselves -------------------------------------------------------- */

static const char *reason_text(uint32_t reason)
{
    static const char *const texts[] = {
        [SHUTDOWN_poweroff] = "powered off",
        [SHUTDOWN_reboot] = "asked to be restarted",
        [SHUTDOWN_suspend] = "suspended",
        [SHUTDOWN_crash] = "crashed",
        [SHUTDOWN_watchdog] = "was ended by its watchdog",
    };

    return reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "ended";
}

static enum config_action action_for(const struct guest *g, uint32_t reason)
{
    if (reason == SHUTDOWN_poweroff)
        return g->config.on_poweroff;
    if (reason == SHUTDOWN_reboot)
        return g->config.on_reboot;
    if (reason == SHUTDOWN_suspend)
        return ACTION_PRESERVE;

    return g->config.on_crash;
}

/* A guest that cannot live is not brought back for ever. */
static bool may_restart(struct guest *g)
{
    if (rt_now_ns() - g->started_ns >= QUICK_END_NS)
        g->quick_ends = 0;

    return ++g->quick_ends <= QUICK_END_MAX;
}

/* For good; what could not be freed is told. */
static void end(struct guest *g)
{
    char error[CONFIG_ERROR_BYTES];

    if (!tear_down_wait(g, error))
        printf("%s\n", error);
    if (!g->has_domid)
        guest_free(g);
}

static void restart(struct guest *g)
{
    char error[CONFIG_ERROR_BYTES];

    if (!may_restart(g)) {
        printf("domain \"%s\" ended %u times within %u s of its start: "
               "it is not restarted\n",
               g->config.name, QUICK_END_MAX + 1,
               (unsigned int)(QUICK_END_NS / RT_NS_PER_S));
        end(g);
        return;
    }
    /* Pages that are still in use do not keep the new one from being made. */
    (void)tear_down_wait(g, error);
    if (!g->has_domid && build(g, false, error)) {
        printf("domain \"%s\" is restarted as domain %u\n", g->config.name,
               (unsigned int)g->domid);
        return;
    }
    printf("domain \"%s\" cannot be restarted: %s\n", g->config.name, error);
    if (!g->has_domid)
        guest_free(g);
}

static void ended(struct guest *g, const struct control_domain_info *info)
{
    enum config_action action = action_for(g, info->shutdown_reason);

    g->shut_down = true;
    printf("domain \"%s\" (%u) %s%s%.*s: %s\n", g->config.name,
           (unsigned int)g->domid, reason_text(info->shutdown_reason),
           info->crash_reason[0] ? ", " : "", CONTROL_REASON_BYTES,
           info->crash_reason, config_action_name(action));
    if (info->shutdown_reason != SHUTDOWN_suspend) /* It may come back. */
        store_server_domain_shut_down(g->domid);

    switch (action) {
    case ACTION_DESTROY:
        end(g);
        break;
    case ACTION_RESTART:
        restart(g);
        break;
    case ACTION_PRESERVE:
        break;
    }
}

/* Look at all domains, a page of them at a time. */
static void look(void)
{
    static struct control_domain_info info[LIST_ROOM];
    domid_t next = 0;
    uint32_t count;

    do {
        if (hv_list(next, info, LIST_ROOM, &count))
            return;
        for (uint32_t i = 0; i < count; i++) {
            struct guest *g = guest_find(info[i].domid);

            if (g && !g->shut_down && info[i].flags & CONTROL_DOM_shutdown &&
                !(info[i].flags & CONTROL_DOM_dying))
                ended(g, &info[i]);
            next = (domid_t)(info[i].domid + 1);
        }
    } while (count == LIST_ROOM);
}

static void watch_ends(void *arg)
{
    unsigned int seen = 0;

    (void)arg;
    for (;;) {
        while (seen == end_count)
            waitq_wait(&ends);
        mutex_lock(&lock);
        seen = end_count; /* Later ones make it look again. */
        look();
        mutex_unlock(&lock);
    }
}

static void on_end(void *arg)
{
    (void)arg;
    end_count++;
    waitq_wake_all(&ends);
}

int lifecycle_start(domid_t own)
{
    struct thread *t;
    evtchn_port_t port;
    int rc = rt_port_bind_virq(VIRQ_DOM_EXC, &port);

    self = own;
    if (rc == 0)
        rc = rt_port_bind(port, on_end, NULL);
    if (rc)
        return rc;
    t = thread_create("ends", THREAD_STACK_BYTES, watch_ends, NULL);
    if (!t)
        return -ABI_ENOMEM;
    thread_detach(t);

    return 0;
}
