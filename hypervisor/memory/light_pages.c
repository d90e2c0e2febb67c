/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RAM of a light space: populating on demand, protecting, discarding.
 *
 * A frame leaves the space only after its translation is gone everywhere:
 * frames to be freed wait on a list until the batch was flushed.
 */

#include "memory/light_near.h"
#include "memory/upcalls.h"

/* A discarded page keeps its protection. */
#define PROT_SAME (LIGHT_PROT_execute + 1)

/*
 * Pages get another protection, or lose their contents: what to flush, and what
 * follows when that is done.
 */
struct change {
    struct tlb_batch flushes;
    uint32_t prot;   /* wanted: LIGHT_PROT_*, PROT_SAME: they are discarded */
    bool builder;    /* text may change */
    uint32_t frames; /* mfn + 1, linked by frame.next; the leaf's typed
                        references to them go, and without contents they do */
};

static bool loses_contents(const struct change *c)
{
    return c->prot == LIGHT_PROT_guard || c->prot == PROT_SAME;
}

/* The promise is filled up first, whoever the frame was taken from. */
static void guest_frame_free(struct light_space *s, struct frame *f)
{
    if (s->reserve_left == s->reserved_pages) {
        frame_put(f);
        return;
    }
    s->reserve_left++;
    frame_free_to_reserve(f);
}

/* Give the demand-zero page at @leaf a frame. */
static int populate(struct light_space *s, uint64_t *leaf)
{
    uint32_t prot = leaf_prot(*leaf);
    struct frame *f = frame_alloc(
        s->base.owner, s->reserve_left ? FRAME_PROMISED : FRAME_GUEST);

    if (!f)
        return -ENOMEM;
    if (s->reserve_left)
        s->reserve_left--;
    if (prot == LIGHT_PROT_read_write)
        light_type_frame(f, FRAME_WRITABLE);
    s->used_pages++;

    /* Absent until now: the processor has no say in it, and sees it clear. */
    __atomic_store_n(leaf, leaf_private(frame_to_mfn(f), prot),
                     __ATOMIC_RELEASE);
    return 0;
}

static inline bool prot_allows(uint32_t prot, enum light_access access)
{
    static const uint8_t allowed[] = {
        [LIGHT_PROT_guard] = 0,
        [LIGHT_PROT_read] = 1U << LIGHT_READ,
        [LIGHT_PROT_read_write] = 1U << LIGHT_READ | 1U << LIGHT_WRITE,
        [LIGHT_PROT_execute] = 1U << LIGHT_READ | 1U << LIGHT_EXECUTE,
    };

    return allowed[prot] >> access & 1;
}

/* Of light_fault() if @frame is NULL. */
int light_get_frame(struct light_space *s, gfn_t g, enum light_access access,
                    bool override, struct frame **frame)
{
    uint64_t *leaf;
    uint32_t prot;
    int rc = 0;

    SPIN_GUARD(&s->base.lock);
    if (s->dying || g.raw >= s->layout.ram_pages)
        return -EINVAL;
    leaf = light_leaf(s, index_nospec(g.raw, s->layout.ram_pages), true);
    prot = leaf_prot(*leaf);
    if (frame && leaf_is_foreign(*leaf))
        return -EACCES;
    if (!prot_allows(prot, access) && !(override && prot != LIGHT_PROT_guard))
        return -EACCES;

    /* It may be there: another vCPU was faster, or a right grew. */
    if (!(*leaf & PTE_PRESENT))
        rc = populate(s, leaf);
    if (rc || !frame)
        return rc;
    *frame = mfn_to_frame(pte_mfn(*leaf));
    return frame_try_get(*frame) ? 0 : -EBUSY;
}

/* Addresses below the space are in pages above its last. */
int light_fault(struct light_space *s, vaddr_t va, enum light_access access)
{
    gfn_t g = gfn((va - s->layout.virt_base) >> PAGE_SHIFT);
    int rc = light_get_frame(s, g, access, false, NULL);

    return rc == -EINVAL || rc == -EACCES ? -EFAULT : rc;
}

static void change_init(struct change *c, struct light_space *s, uint32_t prot,
                        bool builder)
{
    tlb_batch_init(&c->flushes, &s->base);
    c->prot = prot;
    c->builder = builder;
    c->frames = 0;
}

static void change_finish(struct change *c, struct light_space *s)
{
    bool freed = c->frames && loses_contents(c);

    tlb_batch_flush(&c->flushes);
    while (c->frames) {
        struct frame *f = mfn_to_frame(mfn(c->frames - 1));

        c->frames = f->next;
        f->next = 0;
        if (frame_type_count(f))
            frame_put_type(f);
        if (loses_contents(c))
            guest_frame_free(s, f);
    }
    /* Another vCPU of this domain may wait for what is its own again. */
    if (freed && unlikely(atomic_read(&frames_wanted)))
        upcall_promise_refilled(s);
}

/* Of a present, private leaf; @prot is what it is to be or what stays. */
static int leaf_change(struct light_space *s, uint64_t page, uint64_t *leaf,
                       uint32_t prot, struct change *c)
{
    uint32_t old_prot = leaf_prot(*leaf);
    mfn_t m = pte_mfn(*leaf);
    struct frame *f = mfn_to_frame(m);
    bool reduces = loses_contents(c) || old_prot != LIGHT_PROT_read;

    /* The space's lock keeps a second reference from being made. */
    if (reduces && atomic_read(&f->refs) > 1)
        return -EACCES;

    if (loses_contents(c)) {
        (void)atomic_exchange(leaf, leaf_absent(prot));
        s->used_pages--;
    } else {
        if (prot == LIGHT_PROT_read_write)
            light_type_frame(f, FRAME_WRITABLE);
        (void)atomic_exchange(leaf, leaf_private(m, prot));
    }
    if (reduces)
        tlb_batch_add(&c->flushes, light_va(s, gfn(page)));
    if (loses_contents(c) || old_prot == LIGHT_PROT_read_write) {
        f->next = c->frames;
        c->frames = (uint32_t)m.raw + 1;
    }
    return 0;
}

static int page_change(struct light_space *s, uint64_t page, struct change *c)
{
    uint32_t old_prot, prot = c->prot;
    bool stays = prot == PROT_SAME || prot == LIGHT_PROT_read_write;
    uint64_t *leaf = light_leaf(s, page, !stays);

    if (!leaf)
        return 0; /* That is what a page without a table is. */
    old_prot = leaf_prot(*leaf);
    if (leaf_is_foreign(*leaf) ||
        (old_prot == LIGHT_PROT_execute && !c->builder))
        return -EACCES;
    if (prot == old_prot)
        return 0;
    if (prot == PROT_SAME)
        prot = old_prot;
    if (*leaf & PTE_PRESENT)
        return leaf_change(s, page, leaf, prot, c);
    atomic_write(leaf, leaf_absent(prot));
    return 0;
}

/* The pages before the refused one have changed. */
static int range_change(struct light_space *s, uint64_t first, uint64_t count,
                        struct change *c)
{
    int rc = 0;

    if (s->dying || first > s->layout.ram_pages ||
        count > s->layout.ram_pages - first)
        return -EINVAL;
    for (uint64_t i = 0; i < count && !rc; i++)
        rc = page_change(s, index_nospec(first + i, s->layout.ram_pages), c);
    return rc;
}

int light_protect(struct light_space *s, gfn_t first, uint64_t count,
                  uint32_t prot, bool builder)
{
    struct change c;
    int rc;

    if (prot > LIGHT_PROT_execute || (prot == LIGHT_PROT_execute && !builder))
        return -EINVAL;

    change_init(&c, s, prot, builder);
    SPIN_GUARD(&s->base.lock);
    rc = range_change(s, first.raw, count, &c);
    change_finish(&c, s);
    return rc;
}

unsigned int light_discard(struct light_space *s, const uint64_t *first,
                           unsigned int count, uint64_t pages, int *rc)
{
    struct change c;
    unsigned int done = 0;

    *rc = 0;
    change_init(&c, s, PROT_SAME, false);
    SPIN_GUARD(&s->base.lock);
    while (done < count && !(*rc = range_change(s, first[done], pages, &c)))
        done++;
    change_finish(&c, s);
    return done;
}

static int special_move(struct light_space *s, uint64_t from, uint64_t to,
                        struct change *c)
{
    uint64_t *leaf;
    int rc;

    if (s->dying)
        return -EINVAL;
    if (from == to)
        return 0;
    leaf = light_leaf(s, to, true);
    rc = page_change(s, to, c);
    if (rc)
        return rc;
    atomic_write(leaf, atomic_exchange(light_leaf(s, from, false), 0));
    tlb_batch_add(&c->flushes, light_va(s, gfn(from)));
    return 0;
}

int light_move_special(struct light_space *s, uint64_t *at, uint64_t to)
{
    struct change c;
    int rc;

    if (to >= s->layout.ram_pages &&
        !in_window(to, s->layout.special_gfn, LIGHT_SPECIAL_PAGES))
        return -EINVAL;

    change_init(&c, s, PROT_SAME, false);
    SPIN_GUARD(&s->base.lock);
    rc = special_move(s, *at, index_nospec(to, s->pages), &c);
    if (!rc)
        *at = to;
    change_finish(&c, s);
    return rc;
}
