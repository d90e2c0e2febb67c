/* SPDX-License-Identifier: BSD-2-Clause */
/* Transactions: all at once or not at all, and nobody waits. */
/* LINK: guests/control/lib/table.c guests/control/store/path.c */
/* LINK: guests/control/store/perms.c guests/control/store/tree.c */
/* LINK: guests/control/store/transaction.c guests/control/store/watch.c */
/* LINK: guests/control/store/view.c guests/control/store/ops.c */
/* LINK: guests/control/store/store.c guests/control/store/request.c */

#include "control/store/store_calls.h"

#include "store/quota.h"
#include "store/tree.h"

static struct store store;
static struct store_client root, one, two;

void setup(void)
{
    store_init(&store, 0);
    store_client_init(&root, &store, 0, true, NULL);
    store_client_init(&one, &store, 1, false, NULL);
    store_client_init(&two, &store, 2, false, NULL);
    call(&root, XS_MKDIR, 0, "/local/domain/1|");
    call(&root, XS_SET_PERMS, 0, "/local/domain/1|n1|");
    call(&root, XS_MKDIR, 0, "/shared|");
    call(&root, XS_SET_PERMS, 0, "/shared|b0|");
}

void teardown(void)
{
    store_client_reset(&root);
    store_client_reset(&one);
    store_client_reset(&two);
    EXPECT_EQ(one.transaction_count, 0);
    store_destroy(&store);
}

static uint32_t start(struct store_client *c)
{
    return (uint32_t)atoi(call(c, XS_TRANSACTION_START, 0, "|"));
}

TEST("changes are seen inside at once, and outside at the end")
{
    uint32_t t = start(&one);

    EXPECT_TRUE(t != 0);
    EXPECT_STR(call(&one, XS_WRITE, t, "a/b|1"), "OK|");
    EXPECT_STR(call(&one, XS_READ, t, "a/b|"), "1");
    EXPECT_STR(call(&one, XS_DIRECTORY, t, "a|"), "b|");
    EXPECT_STR(call(&one, XS_READ, 0, "a/b|"), "ENOENT|");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "OK|");
    EXPECT_STR(call(&one, XS_READ, 0, "a/b|"), "1");
    EXPECT_STR(call(&one, XS_READ, t, "a/b|"), "ENOENT|");
    EXPECT_EQ(tree_owned_count(&store.tree, 1), 3);
}

TEST("an abandoned transaction changes nothing")
{
    uint32_t t = start(&one);

    call(&one, XS_WRITE, t, "a|1");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "F|"), "OK|");
    EXPECT_STR(call(&one, XS_READ, 0, "a|"), "ENOENT|");
    EXPECT_EQ(tree_owned_count(&store.tree, 1), 1);
}

TEST("who read what another changed must try again")
{
    uint32_t t;

    call(&root, XS_WRITE, 0, "/shared/x|old");
    t = start(&one);
    EXPECT_STR(call(&one, XS_READ, t, "/shared/x|"), "old");
    call(&two, XS_WRITE, 0, "/shared/x|new");
    EXPECT_STR(call(&one, XS_READ, t, "/shared/x|"), "old");
    call(&one, XS_WRITE, t, "mine|1");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "EAGAIN|");
    EXPECT_STR(call(&one, XS_READ, 0, "mine|"), "ENOENT|");
    EXPECT_STR(call(&one, XS_READ, 0, "/shared/x|"), "new");
    EXPECT_EQ(store.conflict_count, 1);
}

TEST("who found a node missing that came meanwhile must try again")
{
    uint32_t t = start(&one);

    EXPECT_STR(call(&one, XS_READ, t, "/shared/y|"), "ENOENT|");
    call(&two, XS_WRITE, 0, "/shared/y|1");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "EAGAIN|");
}

TEST("who listed a directory that grew meanwhile must try again")
{
    uint32_t t = start(&one);

    call(&one, XS_DIRECTORY, t, "/shared|");
    call(&two, XS_WRITE, 0, "/shared/y|1");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "EAGAIN|");
}

TEST("two who make different nodes in one directory both succeed")
{
    uint32_t t = start(&one), u = start(&two);

    call(&one, XS_WRITE, t, "/shared/one|1");
    call(&two, XS_WRITE, u, "/shared/two|2");
    EXPECT_STR(call(&two, XS_TRANSACTION_END, u, "T|"), "OK|");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "OK|");
    EXPECT_STR(call(&root, XS_DIRECTORY, 0, "/shared|"), "two|one|");
}

TEST("two who make the same node: the second must try again")
{
    uint32_t t = start(&one), u = start(&two);

    call(&one, XS_WRITE, t, "/shared/n|1");
    call(&two, XS_WRITE, u, "/shared/n|2");
    EXPECT_STR(call(&two, XS_TRANSACTION_END, u, "T|"), "OK|");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "EAGAIN|");
    EXPECT_STR(call(&root, XS_READ, 0, "/shared/n|"), "2");
}

TEST("removing in a transaction takes what is below, old and new")
{
    uint32_t t;

    call(&one, XS_WRITE, 0, "a/b/c|1");
    t = start(&one);
    call(&one, XS_WRITE, t, "a/b/new|1");
    EXPECT_STR(call(&one, XS_RM, t, "a|"), "OK|");
    EXPECT_STR(call(&one, XS_READ, t, "a/b/c|"), "ENOENT|");
    EXPECT_STR(call(&one, XS_READ, t, "a/b/new|"), "ENOENT|");
    EXPECT_STR(call(&one, XS_READ, 0, "a/b/c|"), "1");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "OK|");
    EXPECT_STR(call(&one, XS_DIRECTORY, 0, "/local/domain/1|"), "");
    EXPECT_EQ(tree_owned_count(&store.tree, 1), 1);
}

TEST("a tree that grew below while it was removed: try again")
{
    uint32_t t;

    call(&root, XS_WRITE, 0, "/shared/a/b|1");
    t = start(&root);
    call(&root, XS_RM, t, "/shared/a|");
    call(&two, XS_WRITE, 0, "/shared/a/b/late|1");
    EXPECT_STR(call(&root, XS_TRANSACTION_END, t, "T|"), "EAGAIN|");
    EXPECT_STR(call(&root, XS_READ, 0, "/shared/a/b/late|"), "1");
}

TEST("a node removed and made again is changed, and empty below")
{
    uint32_t t;

    call(&one, XS_WRITE, 0, "a/b|1");
    call(&one, XS_WATCH, 0, "a|t|");
    event(&one);
    t = start(&one);
    call(&one, XS_RM, t, "a|");
    call(&one, XS_WRITE, t, "a/c|2");
    EXPECT_STR(call(&one, XS_DIRECTORY, t, "a|"), "c|");
    EXPECT_STR(event(&one), "");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "OK|");
    EXPECT_STR(call(&one, XS_DIRECTORY, 0, "a|"), "c|");
    EXPECT_STR(event(&one), "a|t|");
    EXPECT_EQ(tree_owned_count(&store.tree, 1), 3);
}

TEST("a guest that makes anew what the toolstack made owns it then")
{
    uint32_t t;

    call(&root, XS_WRITE, 0, "/shared/n|1");
    t = start(&two); /* It owns nothing yet: its account opens here. */
    call(&two, XS_RM, t, "/shared/n|");
    call(&two, XS_WRITE, t, "/shared/n|2");
    EXPECT_STR(call(&two, XS_TRANSACTION_END, t, "T|"), "OK|");
    EXPECT_STR(call(&root, XS_GET_PERMS, 0, "/shared/n|"), "b2|");
    EXPECT_EQ(tree_owned_count(&store.tree, 2), 1);
}

TEST("events of a transaction come at its end, one a path")
{
    uint32_t t;

    call(&root, XS_WATCH, 0, "/local/domain/1|t|");
    event(&root);
    t = start(&one);
    call(&one, XS_WRITE, t, "a/b|1");
    call(&one, XS_WRITE, t, "a/b|2");
    EXPECT_STR(event(&root), "");
    call(&one, XS_TRANSACTION_END, t, "T|");
    EXPECT_STR(event(&root), "/local/domain/1/a/b|t|");
    EXPECT_STR(event(&root), "");
}

TEST("reading alone makes no event and no new generation")
{
    uint32_t t = start(&one), u = start(&two);

    call(&root, XS_WATCH, 0, "/|t|");
    event(&root);
    call(&one, XS_READ, t, "/shared|");
    call(&two, XS_READ, u, "/shared|");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "OK|");
    EXPECT_STR(call(&two, XS_TRANSACTION_END, u, "T|"), "OK|");
    EXPECT_STR(event(&root), "");
}

TEST("wrong uses are refused")
{
    uint32_t t = start(&one);

    EXPECT_STR(call(&one, XS_TRANSACTION_START, t, "|"), "EBUSY|");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "X|"), "EINVAL|");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, ""), "EINVAL|");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, 0, "T|"), "ENOENT|");
    EXPECT_STR(call(&two, XS_READ, t, "/shared|"), "ENOENT|");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "OK|");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "ENOENT|");
}

TEST("a guest has at most its quota of transactions, nodes and bytes")
{
    char text[2048];
    uint32_t t;

    for (unsigned int i = 0; i < STORE_QUOTA_TRANSACTIONS; i++)
        EXPECT_TRUE(start(&one) != 0);
    EXPECT_STR(call(&one, XS_TRANSACTION_START, 0, "|"), "ENOSPC|");
    call(&one, XS_RESET_WATCHES, 0, "|");

    t = start(&one);
    for (unsigned int i = 0; i < STORE_QUOTA_TRANSACTION_NODES; i++) {
        snprintf(text, sizeof(text), "x%u|", i);
        if (strcmp(call(&one, XS_READ, t, text), "ENOENT|") != 0)
            break;
    }
    EXPECT_STR(answer, "ENOSPC|");
    call(&one, XS_RESET_WATCHES, 0, "|");
    EXPECT_EQ(one.charged_bytes, 0);

    t = start(&one);
    memset(text, 'v', sizeof(text));
    for (unsigned int i = 0; i < 500; i++) {
        int at = snprintf(text, sizeof(text), "d/x%u|", i);

        text[at] = 'v';
        if (strcmp(call_bytes(&one, XS_WRITE, t, text, 1500), "OK|") != 0)
            break;
    }
    EXPECT_STR(answer, "ENOSPC|");
    EXPECT_TRUE(one.charged_bytes <= STORE_QUOTA_BYTES);
}

TEST("a node quota cannot be passed by two transactions")
{
    char text[32];
    uint32_t t, u;

    for (unsigned int i = 0; i < STORE_QUOTA_NODES - 20; i++) {
        snprintf(text, sizeof(text), "d%u/n%u|x", i / 100, i);
        call(&one, XS_WRITE, 0, text);
    }
    t = start(&one);
    u = start(&one);
    while (tree_owned_count(&store.tree, 1) < STORE_QUOTA_NODES - 1) {
        snprintf(text, sizeof(text), "f%u|x", tree_owned_count(&store.tree, 1));
        call(&one, XS_WRITE, 0, text);
    }
    EXPECT_STR(call(&one, XS_WRITE, t, "t1|x"), "OK|");
    EXPECT_STR(call(&one, XS_WRITE, t, "t2|x"), "ENOSPC|");
    EXPECT_STR(call(&one, XS_WRITE, u, "u1|x"), "OK|");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, t, "T|"), "OK|");
    EXPECT_STR(call(&one, XS_TRANSACTION_END, u, "T|"), "ENOSPC|");
    EXPECT_EQ(tree_owned_count(&store.tree, 1), STORE_QUOTA_NODES);
}

/* Against a plain model: a set of paths with values, one client at a time. */
TEST("a thousand random transactions leave what a plain model has")
{
    static const char *const names[] = {"a", "a/b", "a/b/c", "a/d", "e", "e/f"};
    char model[6][8], next[6][8], text[64];
    unsigned int seed = 1;

    memset(model, 0, sizeof(model));
    for (int round = 0; round < 1000; round++) {
        uint32_t t = start(&one);

        memcpy(next, model, sizeof(model));
        for (int step = 0; step < 5; step++) {
            unsigned int k = (seed = seed * 1103515245 + 12345) >> 16;
            const char *name = names[k % 6];
            bool write = k & 64;

            snprintf(text, sizeof(text), write ? "%s|%u" : "%s|", name,
                     k % 1000);
            call(&one, write ? XS_WRITE : XS_RM, t, text);
            for (unsigned int i = 0; i < 6; i++) {
                bool below = strncmp(names[i], name, strlen(name)) == 0;
                bool above = strncmp(name, names[i], strlen(names[i])) == 0;

                if (!write && below)
                    next[i][0] = '\0';
                if (write && above && !next[i][0])
                    strcpy(next[i], "-"); /* there, without a value */
                if (write && strcmp(names[i], name) == 0)
                    snprintf(next[i], sizeof(next[i]), "%u", k % 1000);
            }
        }
        call(&one, XS_TRANSACTION_END, t, round % 3 ? "T|" : "F|");
        EXPECT_STR(answer, "OK|");
        if (round % 3)
            memcpy(model, next, sizeof(model));
        for (unsigned int i = 0; i < 6; i++) {
            snprintf(text, sizeof(text), "%s|", names[i]);
            EXPECT_STR(call(&one, XS_READ, 0, text), !model[i][0] ? "ENOENT|"
                                                     : model[i][0] == '-'
                                                         ? ""
                                                         : model[i]);
        }
    }
}
