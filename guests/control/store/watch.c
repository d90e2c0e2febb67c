/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches and their events.
 *
 *   store.watch_points --path--> point --domid--> group --> watch, watch ...
 *
 * A watch is in the list of its group and of its client; its waiting events
 * are in its own list and, in order of time, in the client's.
 */

#include "store/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/perms.h"
#include "store/quota.h"

/* Beyond so many different waiting events a watch says only "look again". */
#define EVENTS_PER_WATCH_MAX 32U

struct watch_point {
    struct table_link link;
    struct table groups;
    char path[];
};

struct watch_group {
    struct table_link link;
    struct watch_point *point;
    domid_t domid;
    bool privileged;
    struct watch_list watches;
};

struct watch_event {
    TAILQ_ENTRY(watch_event) in_client;
    TAILQ_ENTRY(watch_event) in_watch;
    struct watch *watch;
    char path[]; /* as the client wants it; "" in watch->again */
};

struct watch {
    TAILQ_ENTRY(watch) in_client;
    TAILQ_ENTRY(watch) in_group;
    struct store_client *client;
    struct watch_group *group;
    struct watch_event_list events;
    uint32_t event_count;
    bool relative;
    bool again_waits;          /* @again is in the lists */
    struct watch_event *again; /* names the watched path */
    char token[];
};

/* --- The index ------------------------------------------------------------ */

static uint32_t path_hash(const char *path)
{
    return table_hash(path, strlen(path), 0);
}

static struct watch_point *point_find(struct store *store, const char *path)
{
    struct table_link *l = table_first(&store->watch_points, path_hash(path));

    for (; l; l = table_next(l)) {
        struct watch_point *p = table_entry(l, struct watch_point, link);

        if (strcmp(p->path, path) == 0)
            return p;
    }

    return NULL;
}

static struct watch_point *point_get(struct store *store, const char *path)
{
    struct watch_point *p = point_find(store, path);

    if (p)
        return p;

    p = calloc(1, sizeof(*p) + strlen(path) + 1);
    if (!p)
        return NULL;
    strcpy(p->path, path);
    table_insert(&store->watch_points, &p->link, path_hash(path));

    return p;
}

static void point_put_if_empty(struct store *store, struct watch_point *p)
{
    if (p->groups.count)
        return;
    table_remove(&store->watch_points, &p->link);
    table_clear(&p->groups);
    free(p);
}

static struct watch_group *group_find(struct watch_point *p, domid_t domid)
{
    struct table_link *l = table_first(&p->groups, domid);

    return l ? table_entry(l, struct watch_group, link) : NULL;
}

static struct watch_group *group_get(struct watch_point *p,
                                     const struct store_client *client)
{
    struct watch_group *g = group_find(p, client->domid);

    if (g)
        return g;

    g = calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->point = p;
    g->domid = client->domid;
    g->privileged = client->privileged;
    TAILQ_INIT(&g->watches);
    table_insert(&p->groups, &g->link, client->domid); /* hash: the domid */

    return g;
}

static void group_put_if_empty(struct store *store, struct watch_group *g)
{
    struct watch_point *p = g->point;

    if (!TAILQ_EMPTY(&g->watches))
        return;
    table_remove(&p->groups, &g->link);
    free(g);
    point_put_if_empty(store, p);
}

/* --- Events --------------------------------------------------------------- */

static size_t event_bytes(const struct watch_event *e)
{
    return sizeof(*e) + strlen(e->path) + 1;
}

static void event_append(struct watch_event *e)
{
    struct watch *w = e->watch;
    struct store_client *client = w->client;
    bool was_empty = TAILQ_EMPTY(&client->events);

    TAILQ_INSERT_TAIL(&client->events, e, in_client);
    TAILQ_INSERT_TAIL(&w->events, e, in_watch);
    w->event_count++;
    store_client_charge_event(client, event_bytes(e));
    client->store->event_count++;
    if (was_empty && client->wake)
        client->wake(client);
}

/* Off the lists; frees all but the watch's own. */
static void event_take(struct watch_event *e)
{
    struct watch *w = e->watch;

    TAILQ_REMOVE(&w->client->events, e, in_client);
    TAILQ_REMOVE(&w->events, e, in_watch);
    w->event_count--;
    store_client_uncharge_event(w->client, event_bytes(e));
    if (e == w->again)
        w->again_waits = false;
    else
        free(e);
}

/* @path as this watch's client names it: relative paths lack the home. */
static const char *path_for(const struct watch *w, const char *path)
{
    char home[32];
    int size;

    if (!w->relative)
        return path;
    size = snprintf(home, sizeof(home), "/local/domain/%u/",
                    (unsigned int)w->client->domid);

    return strncmp(path, home, (size_t)size) == 0 ? path + size : path;
}

static bool event_waits(const struct watch *w, const char *path)
{
    const struct watch_event *e;

    TAILQ_FOREACH(e, &w->events, in_watch)
    if (strcmp(e->path, path) == 0)
        return true;

    return false;
}

static bool has_room(const struct watch *w, size_t bytes)
{
    if (w->client->privileged)
        return true;

    return w->event_count < EVENTS_PER_WATCH_MAX &&
           w->client->event_bytes + bytes <= STORE_QUOTA_EVENT_BYTES &&
           store_client_has_room(w->client, bytes);
}

static void event_queue(struct watch *w, const char *full_path)
{
    const char *path = path_for(w, full_path);
    size_t bytes = sizeof(struct watch_event) + strlen(path) + 1;
    struct watch_event *e = NULL;

    if (w->again_waits)
        return; /* It will look at everything below anyway. */
    if (!w->client->privileged && event_waits(w, path))
        return;
    if (has_room(w, bytes))
        e = malloc(bytes);
    if (!e) {
        w->again_waits = true;
        event_append(w->again);
        return;
    }
    e->watch = w;
    strcpy(e->path, path);
    event_append(e);
}

size_t watch_next_event(struct store_client *client,
                        char out[XENSTORE_PAYLOAD_MAX])
{
    struct watch_event *e = TAILQ_FIRST(&client->events);
    const struct watch *w;
    size_t path_bytes, token_bytes;
    const char *path;

    if (!e)
        return 0;
    w = e->watch;
    path = e == w->again ? path_for(w, w->group->point->path) : e->path;

    /* Both fit together: watch_add() saw to the token, paths are bounded. */
    path_bytes = strlen(path) + 1;
    token_bytes = strlen(w->token) + 1;
    if (path_bytes + token_bytes > XENSTORE_PAYLOAD_MAX) {
        path = path_for(w, w->group->point->path);
        path_bytes = strlen(path) + 1;
    }
    memcpy(out, path, path_bytes);
    memcpy(out + path_bytes, w->token, token_bytes);
    event_take(e);

    return path_bytes + token_bytes;
}

/* --- Setting and removing ------------------------------------------------- */

static struct watch *watch_find(const struct watch_group *g,
                                const struct store_client *client,
                                const char *token)
{
    struct watch *w;

    TAILQ_FOREACH(w, &g->watches, in_group)
    if (w->client == client && strcmp(w->token, token) == 0)
        return w;

    return NULL;
}

static struct watch *watch_new(struct store_client *client, const char *token,
                               bool relative)
{
    struct watch *w = calloc(1, sizeof(*w) + strlen(token) + 1);
    struct watch_event *again = calloc(1, sizeof(*again) + 1);

    if (!w || !again) {
        free(w);
        free(again);
        return NULL;
    }
    strcpy(w->token, token);
    w->client = client;
    w->relative = relative;
    w->again = again;
    again->watch = w;
    TAILQ_INIT(&w->events);

    return w;
}

static size_t watch_bytes(const char *path, const char *token)
{
    return sizeof(struct watch) + sizeof(struct watch_event) +
           sizeof(struct watch_point) + strlen(path) + strlen(token) + 3;
}

static int check_room(struct store_client *client, const char *path,
                      const char *token)
{
    /* An event must be able to carry the watched path with the token. */
    if (strlen(path) + strlen(token) + 2 > XENSTORE_PAYLOAD_MAX)
        return -EINVAL;
    if (!client->privileged && client->watch_count >= STORE_QUOTA_WATCHES)
        return -E2BIG;

    return store_client_charge(client, watch_bytes(path, token));
}

/* The group that @client's watches on @path belong to; NULL without memory. */
static struct watch_group *group_for(struct store_client *client,
                                     const char *path)
{
    struct watch_point *p = point_get(client->store, path);
    struct watch_group *g;

    if (!p)
        return NULL;
    g = group_get(p, client);
    if (!g)
        point_put_if_empty(client->store, p);

    return g;
}

static int watch_enter(struct store_client *client, const char *path,
                       const char *token, bool relative)
{
    struct watch_group *g = group_for(client, path);
    struct watch *w;

    if (!g)
        return -ENOMEM;
    w = watch_new(client, token, relative);
    if (!w) {
        group_put_if_empty(client->store, g);
        return -ENOMEM;
    }
    w->group = g;
    TAILQ_INSERT_TAIL(&g->watches, w, in_group);
    TAILQ_INSERT_TAIL(&client->watches, w, in_client);
    client->watch_count++;
    event_queue(w, path);

    return 0;
}

int watch_add(struct store_client *client, const char *path, const char *token,
              bool relative)
{
    struct watch_point *p = point_find(client->store, path);
    struct watch_group *g = p ? group_find(p, client->domid) : NULL;
    int rc;

    if (g && watch_find(g, client, token))
        return -EEXIST;

    rc = check_room(client, path, token);
    if (rc)
        return rc;
    rc = watch_enter(client, path, token, relative);
    if (rc)
        store_client_uncharge(client, watch_bytes(path, token));

    return rc;
}

static void watch_drop(struct watch *w)
{
    struct store_client *client = w->client;
    struct watch_group *g = w->group;

    while (!TAILQ_EMPTY(&w->events))
        event_take(TAILQ_FIRST(&w->events));
    TAILQ_REMOVE(&g->watches, w, in_group);
    TAILQ_REMOVE(&client->watches, w, in_client);
    client->watch_count--;
    store_client_uncharge(client, watch_bytes(g->point->path, w->token));
    free(w->again);
    free(w);
    group_put_if_empty(client->store, g);
}

int watch_remove(struct store_client *client, const char *path,
                 const char *token)
{
    struct watch_point *p = point_find(client->store, path);
    struct watch_group *g = p ? group_find(p, client->domid) : NULL;
    struct watch *w = g ? watch_find(g, client, token) : NULL;

    if (!w)
        return -ENOENT;
    watch_drop(w);

    return 0;
}

void watch_remove_all(struct store_client *client)
{
    while (!TAILQ_EMPTY(&client->watches))
        watch_drop(TAILQ_FIRST(&client->watches));
}

/* --- Firing --------------------------------------------------------------- */

static void fire_group(struct watch_group *g, const char *path)
{
    struct watch *w;

    TAILQ_FOREACH(w, &g->watches, in_group)
    event_queue(w, path);
}

static bool may_read(const struct watch_group *g, const struct perms *now,
                     const struct perms *before)
{
    return g->privileged || (now && perms_of(now, g->domid) & PERM_READ) ||
           (before && perms_of(before, g->domid) & PERM_READ);
}

/* Few groups, or a node that all may read: ask each of the point's groups. */
static void fire_all_groups(struct watch_point *p, const char *path,
                            const struct perms *now, const struct perms *before)
{
    struct table_link *l = NULL;

    while ((l = table_each(&p->groups, l)) != NULL) {
        struct watch_group *g = table_entry(l, struct watch_group, link);

        if (may_read(g, now, before))
            fire_group(g, path);
    }
}

/* Who reads is on the list: ask those, but each once. */
static void fire_listed(struct store *store, struct watch_point *p,
                        const char *path, const struct perms *now,
                        const struct perms *before)
{
    domid_t root_owner = perms_owner(store->tree.root->perms);
    const struct perms *lists[2] = {now, before};
    struct watch_group *g = group_find(p, root_owner);

    if (g)
        fire_group(g, path);

    for (unsigned int i = 0; i < 2; i++) {
        for (uint32_t k = 0; lists[i] && k < lists[i]->count; k++) {
            domid_t domid = lists[i]->entry[k].domid;

            /* A second event of the same path is not queued for a guest. */
            g = domid == root_owner ? NULL : group_find(p, domid);
            if (g && may_read(g, now, before))
                fire_group(g, path);
        }
    }
}

/* As many groups as a permission list may have entries are quick to ask. */
static void fire_point(struct store *store, const char *at, const char *path,
                       const struct perms *now, const struct perms *before)
{
    struct watch_point *p = point_find(store, at);

    if (!p)
        return;
    if (p->groups.count <= STORE_QUOTA_PERMS || (now && perms_all_read(now)) ||
        (before && perms_all_read(before)))
        fire_all_groups(p, path, now, before);
    else
        fire_listed(store, p, path, now, before);
}

void watch_fire(struct store *store, const char *path, bool exact,
                const struct perms *now, const struct perms *before)
{
    char at[STORE_PATH_BYTES];

    fire_point(store, path, path, now, before);
    if (exact || path[0] != '/')
        return;

    strcpy(at, path);
    while (strcmp(at, "/") != 0) {
        path_to_parent(at);
        fire_point(store, at, path, now, before);
    }
}

void watch_fire_special(struct store *store, const char *name)
{
    bool introduce = strcmp(name, STORE_INTRODUCE_DOMAIN) == 0;

    watch_fire(store, name, true,
               introduce ? store->introduce_perms : store->release_perms, NULL);
}
