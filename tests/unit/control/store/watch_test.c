/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches: who is told what, and what waiting events may cost. */
/* LINK: guests/control/lib/table.c guests/control/store/path.c */
/* LINK: guests/control/store/perms.c guests/control/store/tree.c */
/* LINK: guests/control/store/transaction.c guests/control/store/watch.c */
/* LINK: guests/control/store/view.c guests/control/store/ops.c */
/* LINK: guests/control/store/store.c guests/control/store/request.c */

#include "control/store/store_calls.h"

#include "store/quota.h"
#include "store/watch.h"

static struct store store;
static struct store_client root, one, two;
static unsigned int wakes;

static void wake(struct store_client *client)
{
    (void)client;
    wakes++;
}

void setup(void)
{
    store_init(&store, 0);
    store_client_init(&root, &store, 0, true, NULL);
    store_client_init(&one, &store, 1, false, wake);
    store_client_init(&two, &store, 2, false, NULL);
    call(&root, XS_MKDIR, 0, "/local/domain/1|");
    call(&root, XS_SET_PERMS, 0, "/local/domain/1|n1|");
    call(&root, XS_MKDIR, 0, "/local/domain/2|");
    call(&root, XS_SET_PERMS, 0, "/local/domain/2|n2|");
    wakes = 0;
}

void teardown(void)
{
    store_client_reset(&root);
    store_client_reset(&one);
    store_client_reset(&two);
    EXPECT_EQ(store.watch_points.count, 0);
    store_destroy(&store);
}

TEST("a watch fires at once, then for changes at and below its path")
{
    EXPECT_STR(call(&root, XS_WATCH, 0, "/a/b|tok|"), "OK|");
    EXPECT_STR(event(&root), "/a/b|tok|");
    EXPECT_STR(event(&root), "");
    call(&root, XS_WRITE, 0, "/a/b|1");
    EXPECT_STR(event(&root), "/a/b|tok|");
    call(&root, XS_WRITE, 0, "/a/b/c/d|1");
    EXPECT_STR(event(&root), "/a/b/c/d|tok|");
    call(&root, XS_WRITE, 0, "/a/bb|1");
    call(&root, XS_WRITE, 0, "/a|1");
    EXPECT_STR(event(&root), "");
    call(&root, XS_SET_PERMS, 0, "/a/b/c|r0|");
    EXPECT_STR(event(&root), "/a/b/c|tok|");
    EXPECT_STR(event(&root), "");
}

TEST("removing a tree tells above once, and below those who watch exactly")
{
    call(&root, XS_WRITE, 0, "/a/b/c/d|1");
    call(&root, XS_WATCH, 0, "/a|up|");
    call(&root, XS_WATCH, 0, "/a/b|at|");
    call(&root, XS_WATCH, 0, "/a/b/c|in|");
    call(&root, XS_WATCH, 0, "/a/b/c/d|leaf|");
    while (*event(&root))
        ;
    call(&root, XS_RM, 0, "/a/b|");
    EXPECT_STR(event(&root), "/a/b/c/d|leaf|");
    EXPECT_STR(event(&root), "/a/b/c|in|");
    EXPECT_STR(event(&root), "/a/b|at|");
    EXPECT_STR(event(&root), "/a/b|up|");
    EXPECT_STR(event(&root), "");
}

TEST("a watch by a relative path gets relative paths")
{
    call(&one, XS_WATCH, 0, "dev|t|");
    EXPECT_STR(event(&one), "dev|t|");
    call(&one, XS_WRITE, 0, "dev/x|1");
    EXPECT_STR(event(&one), "dev/x|t|");
    call(&one, XS_WATCH, 0, "/local/domain/1/dev|t|"); /* the same node */
    EXPECT_STR(answer, "EEXIST|");
    call(&one, XS_WATCH, 0, "/local/domain/1/dev|u|");
    EXPECT_STR(event(&one), "/local/domain/1/dev|u|");
}

TEST("nobody hears of nodes it may not read")
{
    call(&two, XS_WATCH, 0, "/|all|");
    EXPECT_STR(event(&two), "/|all|");
    call(&one, XS_WRITE, 0, "secret|1");
    EXPECT_STR(event(&two), "");
    call(&one, XS_SET_PERMS, 0, "secret|n1|r2|");
    EXPECT_STR(event(&two), "/local/domain/1/secret|all|");
    call(&one, XS_WRITE, 0, "secret|2");
    EXPECT_STR(event(&two), "/local/domain/1/secret|all|");
    call(&one, XS_SET_PERMS, 0, "secret|n1|"); /* It could until now. */
    EXPECT_STR(event(&two), "/local/domain/1/secret|all|");
    call(&one, XS_RM, 0, "secret|");
    EXPECT_STR(event(&two), "");
}

TEST("with many watching the root still only readers are told, each once")
{
    struct store_client many[20];

    for (unsigned int i = 0; i < 20; i++) {
        store_client_init(&many[i], &store, (domid_t)(10 + i), false, NULL);
        call(&many[i], XS_WATCH, 0, "/|t|");
        event(&many[i]);
    }
    call(&root, XS_WATCH, 0, "/|t|");
    event(&root);
    call(&root, XS_MKDIR, 0, "/n|");
    call(&root, XS_SET_PERMS, 0, "/n|n0|r13|b17|n18|");
    for (unsigned int i = 0; i < 20; i++)
        EXPECT_STR(event(&many[i]), i == 3 || i == 7 ? "/n|t|" : "");
    EXPECT_STR(event(&root), "/n|t|");
    EXPECT_STR(event(&root), "/n|t|");
    EXPECT_STR(event(&root), "");
    call(&root, XS_SET_PERMS, 0, "/n|r0|");
    for (unsigned int i = 0; i < 20; i++) {
        EXPECT_STR(event(&many[i]), "/n|t|");
        EXPECT_STR(event(&many[i]), "");
        store_client_reset(&many[i]);
    }
}

TEST("a token is what tells two watches on one path apart")
{
    EXPECT_STR(call(&one, XS_WATCH, 0, "a|x|"), "OK|");
    EXPECT_STR(call(&one, XS_WATCH, 0, "a|y|"), "OK|");
    EXPECT_STR(call(&one, XS_WATCH, 0, "a|x|"), "EEXIST|");
    EXPECT_STR(call(&one, XS_UNWATCH, 0, "a|z|"), "ENOENT|");
    EXPECT_STR(call(&one, XS_UNWATCH, 0, "a|x|"), "OK|");
    EXPECT_STR(event(&one), "a|y|");
    EXPECT_STR(event(&one), "");
    EXPECT_STR(call(&one, XS_WATCH, 0, "a|"), "EINVAL|");
    EXPECT_STR(call(&one, XS_WATCH, 0, "a"), "EINVAL|");
    EXPECT_STR(call(&one, XS_WATCH, 0, "@other|t|"), "EINVAL|");
    EXPECT_STR(call(&one, XS_RESET_WATCHES, 0, "|"), "OK|");
    EXPECT_STR(call(&one, XS_UNWATCH, 0, "a|y|"), "ENOENT|");
}

TEST("the special names can be watched by all, but are heard by readers")
{
    EXPECT_STR(call(&one, XS_WATCH, 0, "@releaseDomain|t|"), "OK|");
    EXPECT_STR(event(&one), "@releaseDomain|t|");
    call(&root, XS_WATCH, 0, "@releaseDomain|t|");
    event(&root);
    watch_fire_special(&store, "@releaseDomain");
    EXPECT_STR(event(&root), "@releaseDomain|t|");
    EXPECT_STR(event(&one), "");
    EXPECT_STR(call(&one, XS_SET_PERMS, 0, "@releaseDomain|r1|"), "EACCES|");
    EXPECT_STR(call(&root, XS_SET_PERMS, 0, "@releaseDomain|n0|r1|"), "OK|");
    EXPECT_STR(call(&root, XS_GET_PERMS, 0, "@releaseDomain|"), "n0|r1|");
    watch_fire_special(&store, "@releaseDomain");
    EXPECT_STR(event(&one), "@releaseDomain|t|");
    watch_fire_special(&store, "@introduceDomain");
    EXPECT_STR(event(&one), "");
}

TEST("too many watches, and too long tokens, are refused")
{
    char text[4096];

    for (unsigned int i = 0; i < STORE_QUOTA_WATCHES; i++) {
        snprintf(text, sizeof(text), "w%u|t|", i);
        EXPECT_STR(call(&one, XS_WATCH, 0, text), "OK|");
    }
    EXPECT_STR(call(&one, XS_WATCH, 0, "more|t|"), "E2BIG|");
    call(&one, XS_RESET_WATCHES, 0, "|");

    memset(text, 't', sizeof(text));
    text[0] = '/';
    text[1] = '|';
    text[4000] = '|';
    for (unsigned int i = 0; i < STORE_QUOTA_WATCHES; i++) {
        text[2] = (char)('a' + i % 26);
        text[3] = (char)('a' + i / 26);
        if (strcmp(call_bytes(&one, XS_WATCH, 0, text, 4001), "OK|") != 0)
            break;
    }
    EXPECT_STR(answer, "ENOSPC|");
    EXPECT_TRUE(one.charged_bytes <= STORE_QUOTA_BYTES);
}

TEST("a path and a token that fit no event are refused")
{
    char text[XENSTORE_PAYLOAD_MAX];

    memset(text, 'x', sizeof(text));
    text[1000] = '|';
    text[4095] = '|';
    /* Its absolute name is longer by /local/domain/1/. */
    EXPECT_STR(call_bytes(&one, XS_WATCH, 0, text, 4096), "EINVAL|");
}

TEST("an event that waits already is not queued again")
{
    call(&one, XS_WATCH, 0, "a|t|");
    event(&one);
    wakes = 0;
    for (int i = 0; i < 100; i++)
        call(&one, XS_WRITE, 0, "a|x");
    EXPECT_EQ(wakes, 1);
    EXPECT_STR(event(&one), "a|t|");
    EXPECT_STR(event(&one), "");
}

TEST("a guest that fetches no events costs bounded memory, and misses nothing")
{
    unsigned int count = 0;
    bool again = false;
    char text[64];

    call(&root, XS_MKDIR, 0, "/big|");
    call(&root, XS_SET_PERMS, 0, "/big|r0|");
    call(&one, XS_WATCH, 0, "/big|t|");
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), "/big/node-%d|", i);
        call(&root, XS_MKDIR, 0, text);
    }
    EXPECT_TRUE(one.event_bytes <= STORE_QUOTA_EVENT_BYTES + 64);
    event(&one); /* the first one, of the watch itself */
    while (*event(&one)) {
        count++;
        again |= strcmp(answer, "/big|t|") == 0;
    }
    EXPECT_TRUE(again);
    EXPECT_TRUE(count < 100);
    call(&root, XS_MKDIR, 0, "/big/last|");
    EXPECT_STR(event(&one), "/big/last|t|");
}

TEST("a watch removed with events waiting leaves none")
{
    call(&one, XS_WATCH, 0, "a|t|");
    call(&one, XS_WRITE, 0, "a/b|x");
    call(&one, XS_UNWATCH, 0, "a|t|");
    EXPECT_STR(event(&one), "");
    EXPECT_EQ(one.event_bytes, 0);
    EXPECT_EQ(one.charged_bytes, 0);
}
