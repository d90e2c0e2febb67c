/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of the wire protocol: taking the payload apart, and the replies.
 */

#include "store/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/ops.h"
#include "store/path.h"
#include "store/perms.h"
#include "store/quota.h"
#include "store/transaction.h"
#include "store/watch.h"

/* What a handler works on. */
struct call {
    struct store_client *client;
    struct transaction *t; /* NULL outside of one */
    const char *payload;
    size_t bytes;
    size_t at; /* how far next_text() has come */
    struct store_message *reply;
};

/* --- Payloads ------------------------------------------------------------- */

/* The next text up to its NUL; NULL when there is no whole one left. */
static const char *next_text(struct call *c)
{
    const char *text = c->payload + c->at;
    size_t left = c->bytes - c->at;
    size_t bytes = left ? strnlen(text, left) : 0;

    if (bytes == left)
        return NULL;
    c->at += bytes + 1;

    return text;
}

/* The next text as a decimal number of at most @max. */
static int next_number(struct call *c, uint64_t max, uint64_t *out)
{
    const char *text = next_text(c);
    uint64_t n = 0;

    if (!text || !*text)
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || n > max / 10)
            return -EINVAL;
        n = n * 10 + (uint64_t)(*text - '0');
        if (n > max)
            return -EINVAL;
    }
    *out = n;

    return 0;
}

/* The next text as a path. */
static int next_path(struct call *c, char path[STORE_PATH_BYTES])
{
    const char *text = next_text(c);

    return text ? path_resolve(path, text, c->client->domid) : -EINVAL;
}

/* A payload that is one path and nothing else. */
static int only_path(struct call *c, char path[STORE_PATH_BYTES])
{
    int rc = next_path(c, path);

    return rc == 0 && c->at != c->bytes ? -EINVAL : rc;
}

/* --- Replies -------------------------------------------------------------- */

static int reply_bytes(struct call *c, const void *data, size_t bytes)
{
    if (bytes > XENSTORE_PAYLOAD_MAX)
        return -E2BIG;
    if (bytes)
        memcpy(c->reply->payload, data, bytes);
    c->reply->header.len = (uint32_t)bytes;

    return 0;
}

static int reply_text(struct call *c, const char *text)
{
    return reply_bytes(c, text, strlen(text) + 1);
}

static int reply_ok(struct call *c, int rc)
{
    return rc ? rc : reply_text(c, "OK");
}

static const char *error_name(int rc)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {EINVAL, "EINVAL"},       {EACCES, "EACCES"}, {EEXIST, "EEXIST"},
        {EISDIR, "EISDIR"},       {ENOENT, "ENOENT"}, {ENOMEM, "ENOMEM"},
        {ENOSPC, "ENOSPC"},       {EIO, "EIO"},       {ENOSYS, "ENOSYS"},
        {ENOTEMPTY, "ENOTEMPTY"}, {EROFS, "EROFS"},   {EBUSY, "EBUSY"},
        {EAGAIN, "EAGAIN"},       {E2BIG, "E2BIG"},   {EPERM, "EPERM"},
        {EISCONN, "EISCONN"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == -rc)
            return names[i].name;

    return "EIO";
}

static void reply_error(struct call *c, int rc)
{
    c->reply->header.type = XS_ERROR;
    (void)reply_text(c, error_name(rc));
}

/* --- Nodes ---------------------------------------------------------------- */

static int do_read(struct call *c)
{
    char path[STORE_PATH_BYTES];
    struct ops_view node;
    int rc = only_path(c, path);

    if (rc == 0)
        rc = ops_read(c->client, c->t, path, &node);

    return rc ? rc : reply_bytes(c, node.value, node.value_bytes);
}

static int do_directory(struct call *c)
{
    char path[STORE_PATH_BYTES];
    struct ops_listing list;
    int rc = only_path(c, path);

    if (rc == 0)
        rc = ops_list(c->client, c->t, path, 0, c->reply->payload,
                      XENSTORE_PAYLOAD_MAX, &list);
    if (rc)
        return rc;
    if (list.bytes < list.total)
        return -E2BIG;
    c->reply->header.len = (uint32_t)list.bytes;

    return 0;
}

static int do_directory_part(struct call *c)
{
    char path[STORE_PATH_BYTES];
    char *out = c->reply->payload;
    struct ops_listing list;
    uint64_t offset;
    /* Room for the generation, up to 20 digits, and the NUL of the end. */
    const size_t head_max = 21, room = XENSTORE_PAYLOAD_MAX - head_max - 1;
    size_t head;
    int rc = next_path(c, path);

    if (rc == 0)
        rc = next_number(c, UINT32_MAX, &offset);
    if (rc == 0)
        rc = ops_list(c->client, c->t, path, offset, out + head_max, room,
                      &list);
    if (rc)
        return rc;

    head = (size_t)snprintf(out, head_max, "%llu",
                            (unsigned long long)list.generation) +
           1;
    memmove(out + head, out + head_max, list.bytes);
    c->reply->header.len = (uint32_t)(head + list.bytes);
    if (offset + list.bytes >= list.total)
        out[c->reply->header.len++] = '\0';

    return 0;
}

static int do_write(struct call *c)
{
    char path[STORE_PATH_BYTES];
    int rc = next_path(c, path);

    if (rc == 0)
        rc = ops_write(c->client, c->t, path, c->payload + c->at,
                       (uint32_t)(c->bytes - c->at));

    return reply_ok(c, rc);
}

static int do_mkdir(struct call *c)
{
    char path[STORE_PATH_BYTES];
    int rc = only_path(c, path);

    return reply_ok(c, rc ? rc : ops_mkdir(c->client, c->t, path));
}

static int do_rm(struct call *c)
{
    char path[STORE_PATH_BYTES];
    int rc = only_path(c, path);

    return reply_ok(c, rc ? rc : ops_remove(c->client, c->t, path));
}

/* --- Permissions ---------------------------------------------------------- */

static struct perms **special_perms(struct store *store, const char *name)
{
    if (strcmp(name, STORE_INTRODUCE_DOMAIN) == 0)
        return &store->introduce_perms;
    if (strcmp(name, STORE_RELEASE_DOMAIN) == 0)
        return &store->release_perms;

    return NULL;
}

static int reply_perms(struct call *c, const struct perms *perms)
{
    size_t bytes = perms_format(perms, c->reply->payload, XENSTORE_PAYLOAD_MAX);

    if (bytes > XENSTORE_PAYLOAD_MAX)
        return -E2BIG;
    c->reply->header.len = (uint32_t)bytes;

    return 0;
}

static int do_get_perms(struct call *c)
{
    const char *text = next_text(c);
    struct perms **special = text ? special_perms(c->client->store, text) : 0;
    char path[STORE_PATH_BYTES];
    struct ops_view node;
    int rc;

    if (special)
        return c->client->privileged ? reply_perms(c, *special) : -EACCES;

    c->at = 0;
    rc = only_path(c, path);
    if (rc == 0)
        rc = ops_read(c->client, c->t, path, &node);

    return rc ? rc : reply_perms(c, node.perms);
}

static int set_special(struct call *c, struct perms **special,
                       struct perms *perms)
{
    if (!c->client->privileged)
        return -EACCES;
    perms_put(*special);
    *special = perms;

    return 0;
}

static int do_set_perms(struct call *c)
{
    const char *text = next_text(c);
    struct perms **special = text ? special_perms(c->client->store, text) : 0;
    char path[STORE_PATH_BYTES];
    struct perms *perms;
    int rc = 0;

    if (!text)
        return -EINVAL;
    if (!special)
        rc = path_resolve(path, text, c->client->domid);
    if (rc == 0)
        rc = perms_parse(&perms, c->payload + c->at, c->bytes - c->at);
    if (rc)
        return rc;

    rc = special ? set_special(c, special, perms)
                 : ops_set_perms(c->client, c->t, path, perms);
    if (rc)
        perms_put(perms);

    return reply_ok(c, rc);
}

/* --- Watches, transactions ------------------------------------------------ */

/* The two texts of WATCH and UNWATCH. */
static int watch_texts(struct call *c, char path[STORE_PATH_BYTES],
                       bool *relative, const char **token)
{
    const char *text = next_text(c);
    int rc = 0;

    *token = next_text(c);
    if (!text || !*token)
        return -EINVAL;
    *relative = text[0] != '/' && text[0] != '@';
    if (path_is_special(text))
        strcpy(path, text);
    else
        rc = path_resolve(path, text, c->client->domid);

    return rc;
}

static int do_watch(struct call *c)
{
    char path[STORE_PATH_BYTES];
    const char *token;
    bool relative;
    int rc = watch_texts(c, path, &relative, &token);

    return reply_ok(c, rc ? rc : watch_add(c->client, path, token, relative));
}

static int do_unwatch(struct call *c)
{
    char path[STORE_PATH_BYTES];
    const char *token;
    bool relative;
    int rc = watch_texts(c, path, &relative, &token);

    return reply_ok(c, rc ? rc : watch_remove(c->client, path, token));
}

static int do_reset_watches(struct call *c)
{
    store_client_reset(c->client);

    return reply_ok(c, 0);
}

static int do_transaction_start(struct call *c)
{
    struct transaction *t;
    char text[16];
    int rc;

    if (c->t)
        return -EBUSY;
    rc = transaction_start(c->client, &t);
    if (rc)
        return rc;
    snprintf(text, sizeof(text), "%u", (unsigned int)t->id);

    return reply_text(c, text);
}

static int do_transaction_end(struct call *c)
{
    const char *text = next_text(c);
    struct transaction *t = c->t;

    if (!t)
        return -ENOENT;
    if (!text || (strcmp(text, "T") != 0 && strcmp(text, "F") != 0))
        return -EINVAL;
    if (text[0] == 'T')
        return reply_ok(c, transaction_commit(t));
    transaction_drop(t);

    return reply_ok(c, 0);
}

/* --- Domains -------------------------------------------------------------- */

static int do_get_domain_path(struct call *c)
{
    char path[32];
    uint64_t domid;
    int rc = next_number(c, UINT16_MAX, &domid);

    if (rc)
        return rc;
    snprintf(path, sizeof(path), "/local/domain/%u", (unsigned int)domid);

    return reply_text(c, path);
}

static int next_domid(struct call *c, uint64_t *domid)
{
    if (!c->client->privileged)
        return -EACCES;

    return next_number(c, DOMID_FIRST_RESERVED - 1, domid);
}

static int do_introduce(struct call *c)
{
    struct store_domains *domains = &c->client->store->domains;
    uint64_t domid, gfn, port;
    int rc = next_domid(c, &domid);

    if (rc == 0)
        rc = next_number(c, UINT64_MAX, &gfn);
    if (rc == 0)
        rc = next_number(c, INT32_MAX, &port);
    if (rc)
        return rc;
    if (port == 0 || !domains->introduce)
        return -EINVAL;

    return reply_ok(c, domains->introduce(domains->context, (domid_t)domid, gfn,
                                          (uint32_t)port));
}

static int do_release(struct call *c)
{
    struct store_domains *domains = &c->client->store->domains;
    uint64_t domid;
    int rc = next_domid(c, &domid);

    if (rc)
        return rc;
    if (!domains->release)
        return -EINVAL;

    return reply_ok(c, domains->release(domains->context, (domid_t)domid));
}

static int do_is_domain_introduced(struct call *c)
{
    struct store_domains *domains = &c->client->store->domains;
    uint64_t domid;
    int rc = next_domid(c, &domid);

    if (rc)
        return rc;

    return reply_text(
        c, domains->is_introduced &&
                   domains->is_introduced(domains->context, (domid_t)domid)
               ? "T"
               : "F");
}

/* CONTROL knows "help" and "quota". */
static int do_control(struct call *c)
{
    const char *command = next_text(c);
    char text[256];

    if (!c->client->privileged)
        return -EACCES;
    if (!command)
        return -EINVAL;
    if (strcmp(command, "help") == 0)
        return reply_text(c, "help quota");
    if (strcmp(command, "quota") != 0)
        return -EINVAL;

    snprintf(text, sizeof(text),
             "nodes %u\nwatches %u\nnode-bytes %u\ntransactions %u\n"
             "transaction-nodes %u\noutstanding %u\nperms %u\n",
             STORE_QUOTA_NODES, STORE_QUOTA_WATCHES, STORE_QUOTA_NODE_BYTES,
             STORE_QUOTA_TRANSACTIONS, STORE_QUOTA_TRANSACTION_NODES,
             STORE_QUOTA_OUTSTANDING, STORE_QUOTA_PERMS);

    return reply_text(c, text);
}

/* --- Dispatch ------------------------------------------------------------- */

typedef int (*handler_fn)(struct call *c);

static handler_fn handler_of(uint32_t type)
{
    static const handler_fn handlers[] = {
        [XS_CONTROL] = do_control,
        [XS_DIRECTORY] = do_directory,
        [XS_READ] = do_read,
        [XS_GET_PERMS] = do_get_perms,
        [XS_WATCH] = do_watch,
        [XS_UNWATCH] = do_unwatch,
        [XS_TRANSACTION_START] = do_transaction_start,
        [XS_TRANSACTION_END] = do_transaction_end,
        [XS_INTRODUCE] = do_introduce,
        [XS_RELEASE] = do_release,
        [XS_GET_DOMAIN_PATH] = do_get_domain_path,
        [XS_WRITE] = do_write,
        [XS_MKDIR] = do_mkdir,
        [XS_RM] = do_rm,
        [XS_SET_PERMS] = do_set_perms,
        [XS_IS_DOMAIN_INTRODUCED] = do_is_domain_introduced,
        [XS_RESET_WATCHES] = do_reset_watches,
        [XS_DIRECTORY_PART] = do_directory_part,
    };

    return type < sizeof(handlers) / sizeof(handlers[0]) ? handlers[type]
                                                         : NULL;
}

static int dispatch(struct call *c, const struct xsd_sockmsg *header)
{
    handler_fn handler = handler_of(header->type);

    if (!handler)
        return -ENOSYS;
    if (header->tx_id) {
        c->t = transaction_find(c->client, header->tx_id);
        if (!c->t)
            return -ENOENT;
    }

    return handler(c);
}

void store_request(struct store_client *client,
                   const struct xsd_sockmsg *header, const char *payload,
                   struct store_message *reply)
{
    struct call c = {
        .client = client,
        .payload = payload,
        .bytes = header->len,
        .reply = reply,
    };
    int rc;

    client->store->request_count++;
    reply->header = *header;
    reply->header.len = 0;
    rc = dispatch(&c, header);
    if (rc)
        reply_error(&c, rc);
}

bool store_next_event(struct store_client *client,
                      struct store_message *message)
{
    size_t bytes = watch_next_event(client, message->payload);

    message->header =
        (struct xsd_sockmsg){.type = XS_WATCH_EVENT, .len = (uint32_t)bytes};

    return bytes != 0;
}
