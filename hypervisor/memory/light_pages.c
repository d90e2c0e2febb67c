/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RAM of a light space: populating on demand, protecting, discarding.
 *
 * A frame leaves the space only after its translation is gone everywhere:
 * frames to be freed wait on a list until the batch was flushed.
 */

#include "memory/light.h"

#include "arch/x86_64/nospec.h"
#include "core/panic.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "memory/frame.h"
#include "memory/light_leaf.h"
#include "memory/tlb_batch.h"
#include "memory/upcalls.h"

/* Rights taken away: what to flush, and what follows when that is done. */
struct removal {
    struct tlb_batch flushes;
    uint32_t gone;     /* frames to free: mfn + 1, linked by frame.next */
    uint32_t readonly; /* frames to take the typed reference from, the same */
};

static struct frame *guest_frame_alloc(struct light_space *s)
{
    if (s->reserve_left == 0)
        return frame_alloc(s->owner, FRAME_GUEST);
    s->reserve_left--;
    return frame_alloc_reserved(s->owner);
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

/* The leaf's typed reference, for what may write to the frame. */
static void writable_get(struct frame *f)
{
    if (!frame_get_type(f, FRAME_WRITABLE))
        panic("RAM frame %#lx is of type %d", frame_to_mfn(f).raw,
              frame_type(f));
}

int light_populate(struct light_space *s, uint64_t *leaf)
{
    uint32_t prot = leaf_prot(*leaf);
    struct frame *f = guest_frame_alloc(s);

    if (!f)
        return -ENOMEM;
    if (prot == LIGHT_PROT_read_write)
        writable_get(f);
    s->used_pages++;

    /* Absent until now: the processor has no say in it. */
    atomic_write(leaf, leaf_private(frame_to_mfn(f), prot));
    return 0;
}

static bool prot_allows(uint32_t prot, enum light_access access)
{
    switch (access) {
    case LIGHT_READ:
        return prot != LIGHT_PROT_guard;
    case LIGHT_WRITE:
        return prot == LIGHT_PROT_read_write;
    case LIGHT_EXECUTE:
        return prot == LIGHT_PROT_execute;
    }
    return false;
}

static inline uint64_t *leaf_make(struct light_space *s, uint64_t page)
{
    uint64_t *leaf = light_leaf_near(s, page);

    return likely(leaf != NULL) ? leaf : light_leaf_make(s, page);
}

static int page_fault(struct light_space *s, uint64_t page,
                      enum light_access access)
{
    uint64_t *leaf = leaf_make(s, page);

    if (!prot_allows(leaf_prot(*leaf), access))
        return -EFAULT;
    if (*leaf & PTE_PRESENT)
        return 0; /* Another vCPU was faster, or a right grew. */
    return light_populate(s, leaf);
}

int light_fault(struct light_space *s, vaddr_t va, enum light_access access)
{
    uint64_t page = (va - s->layout.virt_base) >> PAGE_SHIFT;
    int rc;

    if (va < s->layout.virt_base || page >= s->layout.ram_pages)
        return -EFAULT;
    page = index_nospec(page, s->layout.ram_pages);

    spin_lock(&s->lock);
    rc = s->dying ? -EFAULT : page_fault(s, page, access);
    spin_unlock(&s->lock);
    return rc;
}

/* Make page @page such that @access is possible, if its protection allows. */
static int page_prepare(struct light_space *s, uint64_t page,
                        enum light_access access, bool override)
{
    uint64_t *leaf = leaf_make(s, page);
    uint32_t prot = leaf_prot(*leaf);

    if (leaf_is_foreign(*leaf) ||
        (!prot_allows(prot, access) && !(override && prot != LIGHT_PROT_guard)))
        return -EACCES;
    return *leaf & PTE_PRESENT ? 0 : light_populate(s, leaf);
}

static int page_get_frame(struct light_space *s, uint64_t page,
                          enum light_access access, bool override,
                          struct frame **frame)
{
    int rc;

    if (s->dying)
        return -EINVAL;
    rc = page_prepare(s, page, access, override);
    if (rc)
        return rc;
    *frame = mfn_to_frame(pte_mfn(*light_leaf(s, page)));
    return frame_try_get(*frame) ? 0 : -EBUSY;
}

int light_get_frame(struct light_space *s, gfn_t g, enum light_access access,
                    bool override, struct frame **frame)
{
    uint64_t page;
    int rc;

    if (g.raw >= s->layout.ram_pages)
        return -EINVAL;
    page = index_nospec(g.raw, s->layout.ram_pages);

    spin_lock(&s->lock);
    rc = page_get_frame(s, page, access, override, frame);
    spin_unlock(&s->lock);
    return rc;
}

static void removal_init(struct removal *removal, struct light_space *s)
{
    tlb_batch_init(&removal->flushes, s);
    removal->gone = 0;
    removal->readonly = 0;
}

static void chain_add(uint32_t *chain, struct frame *f)
{
    f->next = *chain;
    *chain = (uint32_t)frame_to_mfn(f).raw + 1;
}

static struct frame *chain_take(uint32_t *chain)
{
    struct frame *f;

    if (*chain == 0)
        return NULL;
    f = mfn_to_frame(mfn(*chain - 1));
    *chain = f->next;
    f->next = 0;
    return f;
}

static void removal_finish(struct removal *removal, struct light_space *s)
{
    bool freed = false;
    struct frame *f;

    tlb_batch_flush(&removal->flushes);
    while ((f = chain_take(&removal->readonly)))
        frame_put_type(f);
    while ((f = chain_take(&removal->gone))) {
        if (frame_type_count(f))
            frame_put_type(f);
        guest_frame_free(s, f);
        freed = true;
    }
    /* Another vCPU of this domain may wait for what is its own again. */
    if (freed && unlikely(atomic_read(&frames_wanted)))
        upcall_promise_refilled(s);
}

/* Take the frame of a present, private leaf away; @prot is what stays. */
static int page_remove(struct light_space *s, uint64_t page, uint64_t *leaf,
                       uint32_t prot, struct removal *removal)
{
    struct frame *f = mfn_to_frame(pte_mfn(*leaf));

    /* The space's lock keeps a second reference from being made. */
    if (atomic_read(&f->refs) > 1)
        return -EACCES;

    (void)atomic_exchange(leaf, leaf_absent(prot));
    s->used_pages--;
    tlb_batch_add(&removal->flushes, light_va(s, gfn(page)));
    chain_add(&removal->gone, f);
    return 0;
}

/* A present, private leaf gets another protection that is not guard. */
static int page_reprotect(struct light_space *s, uint64_t page, uint64_t *leaf,
                          uint32_t prot, struct removal *removal)
{
    uint32_t old_prot = leaf_prot(*leaf);
    mfn_t m = pte_mfn(*leaf);
    struct frame *f = mfn_to_frame(m);

    if (old_prot != LIGHT_PROT_read && atomic_read(&f->refs) > 1)
        return -EACCES;

    if (prot == LIGHT_PROT_read_write)
        writable_get(f);
    (void)atomic_exchange(leaf, leaf_private(m, prot));
    if (old_prot != LIGHT_PROT_read)
        tlb_batch_add(&removal->flushes, light_va(s, gfn(page)));
    if (old_prot == LIGHT_PROT_read_write)
        chain_add(&removal->readonly, f);
    return 0;
}

static int page_protect(struct light_space *s, uint64_t page, uint32_t prot,
                        bool builder, struct removal *removal)
{
    uint64_t *leaf = light_leaf(s, page);
    uint32_t old_prot;

    if (!leaf) {
        if (prot == LIGHT_PROT_read_write)
            return 0; /* what a page without a table is */
        leaf = light_leaf_make(s, page);
    }

    old_prot = leaf_prot(*leaf);
    if (leaf_is_foreign(*leaf) || (old_prot == LIGHT_PROT_execute && !builder))
        return -EACCES;
    if (old_prot == prot)
        return 0;
    if (!(*leaf & PTE_PRESENT)) {
        atomic_write(leaf, leaf_absent(prot));
        return 0;
    }
    if (prot == LIGHT_PROT_guard)
        return page_remove(s, page, leaf, prot, removal);
    return page_reprotect(s, page, leaf, prot, removal);
}

static int page_discard(struct light_space *s, uint64_t page,
                        struct removal *removal)
{
    uint64_t *leaf = light_leaf(s, page);
    uint32_t prot;

    if (!leaf)
        return 0;
    prot = leaf_prot(*leaf);
    if (leaf_is_foreign(*leaf) || prot == LIGHT_PROT_execute)
        return -EACCES;
    if (!(*leaf & PTE_PRESENT))
        return 0;
    return page_remove(s, page, leaf, prot, removal);
}

static bool range_is_ram(const struct light_space *s, uint64_t first,
                         uint64_t count)
{
    return !s->dying && first <= s->layout.ram_pages &&
           count <= s->layout.ram_pages - first;
}

/* Page @i of a range that is RAM; in speculation, too. */
static uint64_t ram_page(const struct light_space *s, uint64_t first,
                         uint64_t i)
{
    return index_nospec(first + i, s->layout.ram_pages);
}

int light_protect(struct light_space *s, gfn_t first, uint64_t count,
                  uint32_t prot, bool builder)
{
    struct removal removal;
    int rc = 0;

    if (prot > LIGHT_PROT_execute || (prot == LIGHT_PROT_execute && !builder))
        return -EINVAL;

    removal_init(&removal, s);
    spin_lock(&s->lock);
    if (!range_is_ram(s, first.raw, count))
        rc = -EINVAL;
    for (uint64_t i = 0; i < count && !rc; i++)
        rc =
            page_protect(s, ram_page(s, first.raw, i), prot, builder, &removal);
    removal_finish(&removal, s);
    spin_unlock(&s->lock);
    return rc;
}

static int extent_discard(struct light_space *s, uint64_t first, uint64_t pages,
                          struct removal *removal)
{
    int rc = range_is_ram(s, first, pages) ? 0 : -EINVAL;

    for (uint64_t i = 0; i < pages && !rc; i++)
        rc = page_discard(s, ram_page(s, first, i), removal);
    return rc;
}

unsigned int light_discard_extents(struct light_space *s, const uint64_t *first,
                                   unsigned int count, uint64_t pages, int *rc)
{
    struct removal removal;
    unsigned int done;

    *rc = 0;
    removal_init(&removal, s);
    spin_lock(&s->lock);
    for (done = 0; done < count; done++) {
        *rc = extent_discard(s, first[done], pages, &removal);
        if (*rc)
            break;
    }
    removal_finish(&removal, s);
    spin_unlock(&s->lock);
    return done;
}

static int special_move(struct light_space *s, uint64_t from, uint64_t to,
                        struct removal *removal)
{
    uint64_t *leaf;
    int rc;

    if (s->dying)
        return -EINVAL;
    if (from == to)
        return 0;
    leaf = leaf_make(s, to);
    rc = page_discard(s, to, removal);
    if (rc)
        return rc;
    atomic_write(leaf, atomic_exchange(light_leaf(s, from), 0));
    tlb_batch_add(&removal->flushes, light_va(s, gfn(from)));
    return 0;
}

int light_move_special(struct light_space *s, uint64_t *at, uint64_t to)
{
    struct removal removal;
    int rc;

    if (to >= s->layout.ram_pages &&
        !(to >= s->layout.special_gfn &&
          to - s->layout.special_gfn < LIGHT_SPECIAL_PAGES))
        return -EINVAL;

    removal_init(&removal, s);
    spin_lock(&s->lock);
    rc = special_move(s, *at, index_nospec(to, s->pages), &removal);
    if (!rc)
        *at = to;
    removal_finish(&removal, s);
    spin_unlock(&s->lock);
    return rc;
}
