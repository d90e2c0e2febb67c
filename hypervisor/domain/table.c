/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of domains by id.
 *
 * Lookups come with every grant operation, so the table has a lock for each
 * group of ids rather than one for all; making and unmaking take one more,
 * for the ids in use.
 */

#include "domain/domain.h"

#define LOCK_COUNT 64U

#define WORDS ((DOMAIN_MAX + 63) / 64)

struct domain *initial_domain;

/* (l) of the group; NULL: no domain, or one in the making. */
static struct domain *domains[DOMAIN_MAX];
static struct spinlock group_lock[LOCK_COUNT];

/* Guarded by id_lock: ids taken, how many, and where to look next. */
static struct spinlock id_lock = SPINLOCK_INIT(LOCK_domain_list);
static uint64_t ids_taken[WORDS];
static uint32_t ids_count;
static uint32_t next_id = 1;

static_assert(LOCK_domain_list == 0, "a zeroed lock has that rank");

static struct spinlock *lock_of(domid_t domid)
{
    struct spinlock *lock = &group_lock[domid % LOCK_COUNT];

    __asm__("" : "+r"(lock)); /* One register from here on. */
    return lock;
}

/* The first id from @from on that is taken, or free; DOMAIN_MAX: none. */
static uint32_t find(uint32_t from, bool taken)
{
    for (uint32_t id = from; id < DOMAIN_MAX; id = (id | 63) + 1) {
        uint64_t word = ids_taken[id / 64] ^ (taken ? 0 : ~0ULL);

        word >>= id % 64;
        if (word)
            return MIN(id + (uint32_t)__builtin_ctzll(word), DOMAIN_MAX);
    }
    return DOMAIN_MAX;
}

/* Id 0 is the initial domain's: it is only ever wanted by name. */
int table_take_id(domid_t wanted, domid_t *domid)
{
    uint32_t id = wanted;

    SPIN_GUARD(&id_lock);
    if (wanted == DOMID_INVALID) {
        id = find(next_id, false);
        if (id == DOMAIN_MAX)
            id = find(1, false);
        if (id == DOMAIN_MAX)
            return -ENOSPC;
        next_id = id + 1;
    }
    if (id >= DOMAIN_MAX)
        return -EINVAL;
    if (bit_test(ids_taken, id))
        return -EEXIST;
    ids_taken[id / 64] |= 1ULL << (id % 64);
    ids_count++;
    *domid = (domid_t)id;
    return 0;
}

void table_set(domid_t domid, struct domain *d)
{
    spin_lock(lock_of(domid));
    domains[domid] = d;
    spin_unlock(lock_of(domid));
    if (d)
        return;
    SPIN_GUARD(&id_lock);
    assert(bit_test(ids_taken, domid));
    ids_taken[domid / 64] &= ~(1ULL << (domid % 64));
    ids_count--;
}

/* The domain of that id, dying ones included; held. */
static __in_place struct domain *get_any(domid_t domid)
{
    struct domain *d;

    SPIN_GUARD(lock_of(domid));
    d = domains[domid];
    if (likely(d))
        domain_hold(d);
    return d;
}

struct domain *domain_get(domid_t domid)
{
    struct domain *d = domid < DOMAIN_MAX ? get_any(domid) : NULL;

    if (d && atomic_read(&d->dying)) {
        domain_put(d);
        return NULL;
    }
    return d;
}

struct domain *domain_get_or_self(domid_t domid, struct domain *self)
{
    if (domid == DOMID_SELF || domid == self->domid) {
        domain_hold(self);
        return self;
    }
    return domain_get(domid);
}

struct domain *domain_get_next(domid_t from)
{
    uint32_t id = from;
    struct domain *d = NULL;

    for (; !d && id < DOMAIN_MAX; id++) { /* again: one in the making */
        spin_lock(&id_lock);
        id = find(id, true);
        spin_unlock(&id_lock);
        if (id < DOMAIN_MAX)
            d = get_any((domid_t)id);
    }
    return d;
}

uint32_t domain_count(void)
{
    return atomic_read(&ids_count);
}
