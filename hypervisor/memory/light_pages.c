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
    uint32_t frames; /* mfn + 1, linked by frame.next; the leaf's typed
                        references to them go, and they themselves: */
    bool keep;       /* not these */
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

static inline uint64_t *leaf_make(struct light_space *s, uint64_t page)
{
    uint64_t *leaf = light_leaf_near(s, page);

    return likely(leaf != NULL) ? leaf : light_leaf_make(s, page);
}

/* Make the page at @leaf such that @access is possible, if its protection
 * allows. */
static inline int page_prepare(struct light_space *s, uint64_t *leaf,
                               enum light_access access, bool override)
{
    uint32_t prot = leaf_prot(*leaf);

    if (!prot_allows(prot, access) && !(override && prot != LIGHT_PROT_guard))
        return -EACCES;

    /* It may be there: another vCPU was faster, or a right grew. */
    return *leaf & PTE_PRESENT ? 0 : light_populate(s, leaf);
}

int light_fault(struct light_space *s, vaddr_t va, enum light_access access)
{
    uint64_t page = (va - s->layout.virt_base) >> PAGE_SHIFT;
    int rc = -EACCES;

    if (va < s->layout.virt_base || page >= s->layout.ram_pages)
        return -EFAULT;
    page = index_nospec(page, s->layout.ram_pages);

    spin_lock(&s->lock);
    if (!s->dying)
        rc = page_prepare(s, leaf_make(s, page), access, false);
    spin_unlock(&s->lock);
    return rc == -EACCES ? -EFAULT : rc;
}

static int page_get_frame(struct light_space *s, uint64_t page,
                          enum light_access access, bool override,
                          struct frame **frame)
{
    uint64_t *leaf;
    int rc;

    if (s->dying)
        return -EINVAL;
    leaf = leaf_make(s, page);
    rc = leaf_is_foreign(*leaf) ? -EACCES
                                : page_prepare(s, leaf, access, override);
    if (rc)
        return rc;
    *frame = mfn_to_frame(pte_mfn(*leaf));
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
    removal->frames = 0;
    removal->keep = false;
}

static void removal_add(struct removal *removal, struct frame *f)
{
    f->next = removal->frames;
    removal->frames = (uint32_t)frame_to_mfn(f).raw + 1;
}

static void removal_finish(struct removal *removal, struct light_space *s)
{
    bool freed = false;

    tlb_batch_flush(&removal->flushes);
    while (removal->frames) {
        struct frame *f = mfn_to_frame(mfn(removal->frames - 1));

        removal->frames = f->next;
        f->next = 0;
        if (frame_type_count(f))
            frame_put_type(f);
        if (removal->keep)
            continue;
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
    removal_add(removal, f);
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
        removal_add(removal, f);
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
    removal.keep = prot != LIGHT_PROT_guard;
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
