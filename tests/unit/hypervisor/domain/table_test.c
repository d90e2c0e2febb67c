/* SPDX-License-Identifier: BSD-2-Clause */
/* Domain ids: taken, given back, reused in turn; lookups and references. */

/* LINK: hypervisor/domain/table.c */

#include "unit/test.h"

#include "domain/domain.h"

static int locks;

void spin_lock(struct spinlock *lock) __lock_primitive
{
    EXPECT_EQ(lock->next++, lock->serving);
    locks++;
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    lock->serving++;
    locks--;
}

void assert_failed(const char *file, int line, const char *belief)
{
    test_report(false, true, file, (unsigned int)line, belief);
    abort();
}

void domain_put(struct domain *d)
{
    d->refs--;
}

void teardown(void)
{
    EXPECT_EQ(locks, 0);
    EXPECT_EQ(domain_count(), 0);
}

static domid_t take(domid_t wanted)
{
    domid_t id = DOMID_INVALID;

    EXPECT_EQ(table_take_id(wanted, &id), 0);
    return id;
}

TEST("ids begin at 1 and are not used again at once")
{
    domid_t first = take(DOMID_INVALID), id;

    EXPECT_EQ(first, 1);
    table_set(first, NULL);
    id = take(DOMID_INVALID);
    EXPECT_EQ(id, 2);
    table_set(id, NULL);
}

TEST("a wanted id is given if it is free")
{
    domid_t id = 0;

    EXPECT_EQ(take(0), 0);
    EXPECT_EQ(take(4711), 4711);
    EXPECT_EQ(table_take_id(4711, &id), -EEXIST);
    EXPECT_EQ(table_take_id(DOMAIN_MAX, &id), -EINVAL);
    EXPECT_EQ(table_take_id(DOMID_SELF, &id), -EINVAL);
    table_set(0, NULL);
    table_set(4711, NULL);
}

TEST("all ids but 0 are given before there is -ENOSPC, and each once")
{
    static bool seen[DOMAIN_MAX];
    domid_t id;

    for (uint32_t i = 1; i < DOMAIN_MAX; i++) {
        REQUIRE(table_take_id(DOMID_INVALID, &id) == 0);
        REQUIRE(id >= 1 && id < DOMAIN_MAX);
        REQUIRE(!seen[id]);
        seen[id] = true;
    }
    EXPECT_EQ(table_take_id(DOMID_INVALID, &id), -ENOSPC);
    EXPECT_EQ(domain_count(), DOMAIN_MAX - 1);

    table_set(777, NULL);
    EXPECT_EQ(take(DOMID_INVALID), 777);
    for (domid_t i = 1; i < DOMAIN_MAX; i++)
        table_set(i, NULL);
}

TEST("a domain is found while it is in the table and not dying, and held")
{
    struct domain d = {.domid = take(DOMID_INVALID), .refs = 1};

    EXPECT_PTR(domain_get(d.domid), NULL);
    table_set(d.domid, &d);
    EXPECT_PTR(domain_get(d.domid), &d);
    EXPECT_EQ(d.refs, 2);
    d.dying = true;
    EXPECT_PTR(domain_get(d.domid), NULL);
    EXPECT_EQ(d.refs, 2);
    EXPECT_PTR(domain_get_next(0), &d);
    EXPECT_EQ(d.refs, 3);
    table_set(d.domid, NULL);
    EXPECT_PTR(domain_get_next(0), NULL);
}

TEST("names of nobody find nobody; DOMID_SELF and one's own id find oneself")
{
    struct domain d = {.domid = take(DOMID_INVALID), .refs = 1, .dying = true};

    EXPECT_PTR(domain_get(DOMID_SELF), NULL);
    EXPECT_PTR(domain_get(DOMID_INVALID), NULL);
    EXPECT_PTR(domain_get(0xffff), NULL);
    EXPECT_PTR(domain_get_or_self(DOMID_SELF, &d), &d);
    EXPECT_PTR(domain_get_or_self(d.domid, &d), &d);
    EXPECT_EQ(d.refs, 3);
    EXPECT_PTR(domain_get_or_self((domid_t)(d.domid + 1), &d), NULL);
    table_set(d.domid, NULL);
}

TEST("domains are walked in ascending order, gaps and all")
{
    static const domid_t ids[] = {0, 1, 63, 64, 1000, DOMAIN_MAX - 1};
    struct domain d[6];
    domid_t from = 0;

    memset(d, 0, sizeof(d));
    for (int i = 5; i >= 0; i--) {
        d[i].domid = take(ids[i]);
        table_set(d[i].domid, &d[i]);
    }
    for (int i = 0; i < 6; i++) {
        struct domain *next = domain_get_next(from);

        REQUIRE(next == &d[i]);
        from = (domid_t)(next->domid + 1);
    }
    EXPECT_PTR(domain_get_next(from), NULL);
    EXPECT_PTR(domain_get_next(0xffff), NULL);
    for (int i = 0; i < 6; i++)
        table_set(d[i].domid, NULL);
}
