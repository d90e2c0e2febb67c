/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests: nodes, permissions, quotas, paths. */
/* LINK: guests/control/lib/table.c guests/control/store/path.c */
/* LINK: guests/control/store/perms.c guests/control/store/tree.c */
/* LINK: guests/control/store/transaction.c guests/control/store/watch.c */
/* LINK: guests/control/store/view.c guests/control/store/ops.c */
/* LINK: guests/control/store/store.c guests/control/store/request.c */

#include "control/store/store_calls.h"

#include "store/path.h"
#include "store/quota.h"
#include "store/tree.h"

static struct store store;
static struct store_client root, one, two; /* domains 0, 1, 2 */

void setup(void)
{
    store_init(&store, 0);
    store_client_init(&root, &store, 0, true, NULL);
    store_client_init(&one, &store, 1, false, NULL);
    store_client_init(&two, &store, 2, false, NULL);
    call(&root, XS_MKDIR, 0, "/local/domain/1|");
    call(&root, XS_SET_PERMS, 0, "/local/domain/1|n1|");
    call(&root, XS_MKDIR, 0, "/local/domain/2|");
    call(&root, XS_SET_PERMS, 0, "/local/domain/2|n2|");
}

void teardown(void)
{
    store_client_reset(&root);
    store_client_reset(&one);
    store_client_reset(&two);
    store_destroy(&store);
}

TEST("what is written is read, NULs and all, and listed in order")
{
    EXPECT_STR(call(&root, XS_WRITE, 0, "/a/b/c|x|y"), "OK|");
    EXPECT_STR(call(&root, XS_READ, 0, "/a/b/c|"), "x|y");
    EXPECT_STR(call(&root, XS_READ, 0, "/a/b|"), "");
    EXPECT_STR(call(&root, XS_WRITE, 0, "/a/z|"), "OK|");
    EXPECT_STR(call(&root, XS_WRITE, 0, "/a/y|1"), "OK|");
    EXPECT_STR(call(&root, XS_DIRECTORY, 0, "/a|"), "b|z|y|");
    EXPECT_STR(call(&root, XS_DIRECTORY, 0, "/a/y|"), "");
    EXPECT_STR(call(&root, XS_DIRECTORY, 0, "/|"), "local|a|");
}

TEST("a relative path begins at the caller's own node")
{
    EXPECT_STR(call(&one, XS_WRITE, 0, "data/k|v"), "OK|");
    EXPECT_STR(call(&root, XS_READ, 0, "/local/domain/1/data/k|"), "v");
    EXPECT_STR(call(&two, XS_READ, 0, "data/k|"), "ENOENT|");
}

TEST("what is no path is refused")
{
    static const char *const bad[] = {"",
                                      "|",
                                      "/a//b|",
                                      "/a/|",
                                      "a/|",
                                      "/a b|",
                                      "//|",
                                      "/\x80|",
                                      "/a|b|",
                                      "@x|",
                                      "@releaseDomain|",
                                      "/a"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT_STR(call(&root, XS_READ, 0, bad[i]), "EINVAL|");
    EXPECT_EQ(answer_type, XS_ERROR);
}

/* Whoever lists the tree goes down by recursion, on a small stack. */
TEST("a guest cannot make the tree deeper than 32 levels")
{
    char path[STORE_PATH_BYTES] = "data";

    for (int depth = 4; depth < 32; depth++)
        strcat(path, "/d");
    strcat(path, "|");
    EXPECT_STR(call(&one, XS_MKDIR, 0, path), "OK|");
    strcpy(strchr(path, '|'), "/d|");
    EXPECT_STR(call(&one, XS_MKDIR, 0, path), "EINVAL|");
    EXPECT_STR(call(&one, XS_WATCH, 0, path), "EINVAL|");
    EXPECT_STR(call(&root, XS_MKDIR, 0, path), "EINVAL|");
}

TEST("a path may have 3072 bytes, a relative one 2048, and none more")
{
    char text[4096];

    memset(text, 'a', sizeof(text));
    text[0] = '/';
    text[3072] = '|';
    EXPECT_STR(call_bytes(&root, XS_MKDIR, 0, text, 3073), "OK|");
    text[3072] = 'a';
    text[3073] = '|';
    EXPECT_STR(call_bytes(&root, XS_MKDIR, 0, text, 3074), "EINVAL|");
    text[0] = 'a';
    text[2048] = '|';
    EXPECT_STR(call_bytes(&root, XS_MKDIR, 0, text, 2049), "OK|");
    text[2048] = 'a';
    text[2049] = '|';
    EXPECT_STR(call_bytes(&root, XS_MKDIR, 0, text, 2050), "EINVAL|");
}

TEST("what is missing is ENOENT to who may read above it, EACCES to others")
{
    EXPECT_STR(call(&one, XS_READ, 0, "none|"), "ENOENT|");
    EXPECT_STR(call(&one, XS_READ, 0, "none/deeper|"), "ENOENT|");
    EXPECT_STR(call(&two, XS_READ, 0, "/local/domain/1/none|"), "EACCES|");
    EXPECT_STR(call(&one, XS_READ, 0, "/none|"), "EACCES|");
    EXPECT_STR(call(&root, XS_READ, 0, "/none|"), "ENOENT|");
}

TEST("rights are the owner's, the listed one's, or the default")
{
    call(&one, XS_WRITE, 0, "k|v");
    EXPECT_STR(call(&one, XS_GET_PERMS, 0, "k|"), "n1|");
    EXPECT_STR(call(&two, XS_READ, 0, "/local/domain/1/k|"), "EACCES|");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "k|n1|r2|"), "OK|");
    EXPECT_STR(call(&two, XS_READ, 0, "/local/domain/1/k|"), "v");
    EXPECT_STR(call(&two, XS_WRITE, 0, "/local/domain/1/k|x"), "EACCES|");
    EXPECT_STR(call(&two, XS_RM, 0, "/local/domain/1/k|"), "EACCES|");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "k|n1|w2|"), "OK|");
    EXPECT_STR(call(&two, XS_READ, 0, "/local/domain/1/k|"), "EACCES|");
    EXPECT_STR(call(&two, XS_WRITE, 0, "/local/domain/1/k|x"), "OK|");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "k|b1|"), "OK|");
    EXPECT_STR(call(&two, XS_READ, 0, "/local/domain/1/k|"), "x");
}

TEST("only the owner sets permissions, and it cannot give the node away")
{
    call(&one, XS_WRITE, 0, "k|v");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "k|n2|"), "EPERM|");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "k|b1|b2|"), "OK|");
    EXPECT_STR(call(&two, XS_SET_PERMS, 0, "/local/domain/1/k|n2|"), "EACCES|");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "k|n1|r2|r3|r4|r5|r6|"), "ENOSPC|");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "k|q1|"), "EINVAL|");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "k|r|"), "EINVAL|");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "k|r70000|"), "EINVAL|");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "k|r1"), "EINVAL|");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "k|"), "EINVAL|");
    EXPECT_STR(call(&root, XS_SET_PERMS, 0, "/local/domain/1/k|n2|"), "OK|");
    EXPECT_STR(call(&one, XS_READ, 0, "k|"), "EACCES|");
}

TEST("a node made by a guest is the guest's, wherever it may write")
{
    call(&root, XS_MKDIR, 0, "/shared|");
    call(&root, XS_SET_PERMS, 0, "/shared|b0|");
    EXPECT_STR(call(&one, XS_WRITE, 0, "/shared/x/y|1"), "OK|");
    EXPECT_STR(call(&root, XS_GET_PERMS, 0, "/shared/x|"), "b1|");
    EXPECT_EQ(tree_owned_count(&store.tree, 1), 3);
    EXPECT_STR(call(&root, XS_WRITE, 0, "/shared/z|1"), "OK|");
    EXPECT_STR(call(&root, XS_GET_PERMS, 0, "/shared/z|"), "b0|");
}

TEST("removal takes all below, and a missing child of a node is no error")
{
    call(&one, XS_WRITE, 0, "a/b/c|1");
    call(&one, XS_WRITE, 0, "a/d|1");
    EXPECT_EQ(tree_owned_count(&store.tree, 1), 5);
    EXPECT_STR(call(&one, XS_RM, 0, "a|"), "OK|");
    EXPECT_EQ(tree_owned_count(&store.tree, 1), 1);
    EXPECT_STR(call(&one, XS_RM, 0, "a|"), "OK|");
    EXPECT_STR(call(&one, XS_RM, 0, "a/b|"), "ENOENT|");
    EXPECT_STR(call(&root, XS_RM, 0, "/|"), "EINVAL|");
    EXPECT_STR(call(&one, XS_RM, 0, "/local|"), "EACCES|");
}

TEST("MKDIR of what is there changes nothing")
{
    call(&one, XS_WRITE, 0, "a|v");
    EXPECT_STR(call(&one, XS_MKDIR, 0, "a|"), "OK|");
    EXPECT_STR(call(&one, XS_READ, 0, "a|"), "v");
}

TEST("a guest owns at most its quota of nodes")
{
    char text[32];

    for (unsigned int i = 1; i < STORE_QUOTA_NODES; i++) {
        /* Spread, as a directory is a record with a limit of its own. */
        snprintf(text, sizeof(text), "d%u/n%u|x", i / 100, i);
        if (strcmp(call(&one, XS_WRITE, 0, text), "OK|") != 0)
            break;
    }
    EXPECT_STR(answer, "ENOSPC|");
    EXPECT_EQ(tree_owned_count(&store.tree, 1), STORE_QUOTA_NODES);
    EXPECT_STR(call(&one, XS_WRITE, 0, "more|x"), "ENOSPC|");
    EXPECT_STR(call(&one, XS_READ, 0, "more|"), "ENOENT|");
    EXPECT_STR(call(&one, XS_RM, 0, "d0/n1|"), "OK|");
    EXPECT_STR(call(&one, XS_WRITE, 0, "more/than/one|x"), "ENOSPC|");
    EXPECT_STR(call(&one, XS_WRITE, 0, "more|x"), "OK|");
    EXPECT_STR(call(&two, XS_WRITE, 0, "other|x"), "OK|");
}

/* As much as one guest gets; returns how many nodes. */
static unsigned int fill(struct store_client *c)
{
    static char text[2048];
    unsigned int made = 0;
    int head;

    do {
        head = snprintf(text, sizeof(text), "d/%u|", made % 500);
        if (made >= 500)
            head = snprintf(text, sizeof(text), "e/%u|", made % 500);
        memset(text + head, 'x', 1900);
    } while (strcmp(call_bytes(c, XS_WRITE, 0, text, (size_t)head + 1900),
                    "OK|") == 0 &&
             ++made);

    return made;
}

/* 40 guests would do: each may own 1000 nodes of 2 KiB. */
TEST("many guests together cannot take the control domain's memory")
{
    enum { GUESTS = 40 };
    static struct store_client guest[GUESTS];
    static char text[32];

    for (unsigned int i = 0; i < GUESTS; i++) {
        store_client_init(&guest[i], &store, (domid_t)(10 + i), false, NULL);
        snprintf(text, sizeof(text), "/local/domain/%u|", 10 + i);
        call(&root, XS_MKDIR, 0, text);
        snprintf(text, sizeof(text), "/local/domain/%u|n%u|", 10 + i, 10 + i);
        call(&root, XS_SET_PERMS, 0, text);
        /* The last one has what every guest is certain of. */
        EXPECT_TRUE(fill(&guest[i]) >= (i ? 5 : 950));
    }
    EXPECT_TRUE(store.tree.bytes <
                STORE_POOL_BYTES + GUESTS * STORE_CERTAIN_BYTES);
    EXPECT_STR(call(&guest[0], XS_WATCH, 0, "w|t|"), "ENOSPC|");
    EXPECT_STR(call(&guest[0], XS_TRANSACTION_START, 0, "|"), "ENOSPC|");
    EXPECT_STR(call(&one, XS_WRITE, 0, "k|v"), "OK|");
    EXPECT_STR(call(&one, XS_WATCH, 0, "k|t|"), "OK|");
    EXPECT_STR(event(&one), "k|t|");
    EXPECT_STR(call(&root, XS_WRITE, 0, "/k|v"), "OK|");

    for (unsigned int i = 0; i < GUESTS; i++) {
        store_client_reset(&guest[i]);
        store_forget_domain(&store, (domid_t)(10 + i));
    }
    store_client_reset(&one);
    store_forget_domain(&store, 1);
    EXPECT_EQ(store_guest_bytes(&store), tree_owned_bytes(&store.tree, 2));
}

TEST("a record of a guest stays below its quota of bytes")
{
    char text[4096];
    size_t max = STORE_QUOTA_NODE_BYTES - STORE_NODE_HEADER_BYTES -
                 STORE_NODE_PERM_BYTES - 1;

    memset(text, 'v', sizeof(text));
    text[0] = 'k';
    text[1] = '|';
    EXPECT_STR(call_bytes(&one, XS_WRITE, 0, text, 2 + max), "OK|");
    EXPECT_STR(call_bytes(&one, XS_WRITE, 0, text, 2 + max + 1), "ENOSPC|");
    EXPECT_STR(call_bytes(&one, XS_WRITE, 0, text, 2 + max), "OK|");
    EXPECT_STR(call(&one, XS_WRITE, 0, "k/child|x"), "ENOSPC|");
    EXPECT_STR(call(&root, XS_WRITE, 0, "/local/domain/1/k/child|x"), "OK|");
}

TEST("a directory too long for one reply comes in parts")
{
    char text[64], seen[16384];
    unsigned int parts = 0;
    size_t at = 0;

    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "/many/node-%04d|", i);
        call(&root, XS_MKDIR, 0, text);
    }
    EXPECT_STR(call(&root, XS_DIRECTORY, 0, "/many|"), "E2BIG|");
    for (;;) {
        size_t head;

        snprintf(text, sizeof(text), "/many|%zu|", at);
        call(&root, XS_DIRECTORY_PART, 0, text);
        head = strcspn(answer, "|") + 1;
        memcpy(seen + at, answer + head, answer_bytes - head);
        at += answer_bytes - head;
        parts++;
        if (at >= 2 && seen[at - 1] == '|' && seen[at - 2] == '|')
            break;
        REQUIRE(parts < 10 && answer_bytes > head);
    }
    EXPECT_EQ(at, 10000 + 1);
    EXPECT_TRUE(parts > 1);
    EXPECT_MEM(seen, "node-0000|node-0001|", 20);
    EXPECT_MEM(seen + 9990, "node-0999||", 11);
    call(&root, XS_DIRECTORY_PART, 0, "/many|10000|");
    EXPECT_EQ(answer[answer_bytes - 1], '|');
}

TEST("what only the toolstack may ask for is EACCES to a guest")
{
    static const uint32_t types[] = {XS_CONTROL, XS_INTRODUCE, XS_RELEASE,
                                     XS_IS_DOMAIN_INTRODUCED};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        EXPECT_STR(call(&one, types[i], 0, "1|1|1|"), "EACCES|");
    EXPECT_STR(call(&one, XS_GET_DOMAIN_PATH, 0, "12|"), "/local/domain/12|");
    EXPECT_STR(call(&one, XS_GET_DOMAIN_PATH, 0, "x|"), "EINVAL|");
    EXPECT_STR(call(&one, XS_GET_DOMAIN_PATH, 0, "99999|"), "EINVAL|");
    EXPECT_STR(call(&root, XS_INTRODUCE, 0, "1|1|0|"), "EINVAL|");
    EXPECT_STR(call(&root, XS_IS_DOMAIN_INTRODUCED, 0, "1|"), "F|");
    EXPECT_STR(call(&root, 99, 0, ""), "ENOSYS|");
    EXPECT_STR(call(&root, XS_WATCH_EVENT, 0, ""), "ENOSYS|");
    EXPECT_STR(call(&root, 20, 0, ""), "ENOSYS|");
    EXPECT_STR(call(&root, UINT32_MAX, 0, ""), "ENOSYS|");
}

TEST("a dead domain's nodes go, wherever they are, with what is below")
{
    call(&root, XS_MKDIR, 0, "/shared|");
    call(&root, XS_SET_PERMS, 0, "/shared|b0|");
    call(&one, XS_WRITE, 0, "/shared/x/y|1");
    call(&two, XS_WRITE, 0, "/shared/z|1");
    call(&two, XS_WRITE, 0, "/shared/x/two|1");
    call(&one, XS_WRITE, 0, "a/b|1");
    store_forget_domain(&store, 1);
    EXPECT_EQ(tree_owned_count(&store.tree, 1), 0);
    EXPECT_STR(call(&root, XS_DIRECTORY, 0, "/shared|"), "z|");
    EXPECT_STR(call(&root, XS_DIRECTORY, 0, "/local/domain|"), "2|");
    EXPECT_EQ(tree_owned_count(&store.tree, 2), 2);
}
