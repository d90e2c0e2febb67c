/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of a domain of class pv, and the CPUs that know them. */

#include "memory/pv_space.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/regs.h"
#include "memory/m2p.h"
#include "memory/page_type.h"
#include "memory/space.h"

int pv_space_create(struct pv_space *s, domid_t owner, uint64_t reserved,
                    uint64_t max)
{
    int rc;

    *s = (struct pv_space){
        .max_pages = max,
        .lowest = UINT64_MAX,
        .dropping = DROP_END,
    };
    space_init(&s->base, owner);
    s->base.global = true;
    if (cpu_features.xpti)
        return -EOPNOTSUPP;
    rc = frame_reserve(reserved);
    if (!rc)
        s->promised = reserved;
    return rc;
}

struct frame *pv_frame(struct pv_space *s, mfn_t m)
{
    struct frame *f;
    uint64_t i = m.raw - s->ram.first, count = s->ram.end - s->ram.first;

    if (unlikely(s->dying)) /* frame_next() has s->ram for itself. */
        return NULL;
    if (unlikely(i >= count)) {
        struct ram_range r = ram_range_of(m);

        if (!r.end)
            return NULL;
        s->ram = r;
        i = m.raw - r.first;
        count = r.end - r.first;
    }
    f = mfn_to_frame(mfn(s->ram.first + index_nospec(i, count)));
    return likely(atomic_read(&f->owner) == s->base.owner) ? f : NULL;
}

/* --- Coming and going ---------------------------------------------------- */

void pv_frame_join(struct pv_space *s, mfn_t m, uint64_t pfn)
{
    s->pages++;
    s->lowest = MIN(s->lowest, m.raw);
    s->highest = MAX(s->highest, m.raw);
    m2p_set(m, pfn);
}

mfn_t pv_populate(struct pv_space *s, uint64_t pfn)
{
    struct frame *f = NULL;
    mfn_t m = MFN_NONE;

    spin_lock(&s->base.lock);
    if (s->pages < s->max_pages && !s->dying)
        f = frame_alloc(s->base.owner,
                        s->promised ? FRAME_PROMISED : FRAME_GUEST);
    if (f) {
        m = frame_to_mfn(f);
        s->promised -= s->promised != 0;
        pv_frame_join(s, m, pfn);
    }
    spin_unlock(&s->base.lock);
    return m;
}

void pv_frame_leave(struct pv_space *s, struct frame *f)
{
    page_queue_idle(s, f);
    m2p_set(frame_to_mfn(f), M2P_INVALID);
    atomic_write(&f->owner, s->base.owner | PV_LEAVING);
    pv_drop_frame(s, f);
}

int pv_release(struct pv_space *s, mfn_t m)
{
    struct frame *f;
    int rc = -EINVAL;

    spin_lock(&s->base.lock);
    f = pv_frame(s, m);
    if (f && f->progress != PV_SHARED &&
        !(atomic_read(&f->type_info) & FRAME_PINNED)) {
        pv_frame_leave(s, f);
        rc = 0;
    }
    spin_unlock(&s->base.lock);
    return rc;
}

void pv_share_frame(struct pv_space *s, struct frame *f)
{
    spin_lock(&s->base.lock);
    if (f->owner != DOMID_XEN || !frame_get_type(f, FRAME_WRITABLE))
        panic("frame %#lx cannot be shared with domain %u", frame_to_mfn(f).raw,
              s->base.owner);
    f->progress = PV_SHARED;
    f->owner = s->base.owner;
    spin_unlock(&s->base.lock);
}

void pv_unshare_frame(struct pv_space *s, struct frame *f)
{
    spin_lock(&s->base.lock);
    if (f->owner != s->base.owner || f->progress != PV_SHARED)
        panic("frame %#lx is not shared with domain %u", frame_to_mfn(f).raw,
              s->base.owner);
    f->owner = DOMID_XEN;
    f->progress = 0;
    frame_put_type(f);
    if (s->stale)
        pv_flush_all(s);
    spin_unlock(&s->base.lock);
}

int pv_get_frame(struct pv_space *s, mfn_t m, bool write, struct frame **frame)
{
    struct frame *f;
    int rc = -EINVAL;

    spin_lock(&s->base.lock);
    f = pv_frame(s, m);
    if (f)
        rc = frame_try_get(f) && frame_hold_too(f, write) ? 0 : -EBUSY;
    spin_unlock(&s->base.lock);
    *frame = f;
    return rc;
}

static bool is_leaving(const struct pv_space *s, const struct frame *f)
{
    return f->owner == (s->base.owner | PV_LEAVING);
}

void pv_frame_paid(struct pv_space *s, const struct frame *f)
{
    spin_lock(&s->base.lock);
    s->pages -= is_leaving(s, f);
    spin_unlock(&s->base.lock);
}

/*
 * What a neighbour owned when it was mapped is held by its grant for longer;
 * but it may be nobody's, and ours no more.
 */
static void drop_foreign(struct pv_space *s, struct frame *f)
{
    bool leaving = is_leaving(s, f);
    uint32_t refs;

    if (s->stale && f->owner >= DOMID_FIRST_RESERVED)
        pv_flush_all(s);
    refs = atomic_sub(&f->refs, 1);
    assert(refs || leaving || f->owner == DOMID_XEN);
    s->pages -= !refs && leaving;
    if (!frame_refs_usual(refs))
        frame_put_last(f, refs);
}

void pv_drop_frame(struct pv_space *s, struct frame *f)
{
    if (likely(f->owner == s->base.owner))
        frame_put(f);
    else
        drop_foreign(s, f);
}

/* --- Forgetting ---------------------------------------------------------- */

void pv_flush_cpus(struct pv_space *s, uint64_t cpus, const vaddr_t *va)
{
    bool all = !va && !(atomic_read(&s->base.live_cpus) & ~cpus);
    struct tlb_batch batch;

    tlb_batch_init(&batch, &s->base);
    if (va)
        tlb_batch_add(&batch, *va);
    else
        tlb_batch_add_all(&batch);
    tlb_batch_flush_cpus(&batch, cpus);
    if (all)
        s->stale = false;
}

void pv_flush_all(struct pv_space *s)
{
    pv_flush_cpus(s, ~0UL, NULL);
}

void pv_flush_page(struct pv_space *s, vaddr_t va)
{
    pv_flush_cpus(s, ~0UL, &va);
}

/* --- The end ------------------------------------------------------------- */

/* The next frame's number that may be the domain's; false: no more. */
static bool frame_next(struct pv_space *s, mfn_t *m)
{
    while (s->ram.first >= s->ram.end) {
        struct ram_range r = ram_range(s->destroy_range);

        if (!r.end)
            return false;
        s->destroy_range++;
        s->ram.first = MAX(r.first, s->lowest);
        s->ram.end = MIN(r.end, s->highest + 1);
    }
    *m = mfn(s->ram.first++);
    return true;
}

static bool frames_leave(struct pv_space *s, struct page_work *work)
{
    mfn_t m;

    while (work->left >= 0) {
        struct frame *f;

        if (!frame_next(s, &m))
            return true;
        f = mfn_to_frame(m);
        work->left--;
        if (f->owner != s->base.owner)
            continue;
        if (f->progress == PV_SHARED)
            panic("domain %u goes and frame %#lx is still shared with it",
                  s->base.owner, m.raw);
        work->left -= PAGE_WORK_FREE;
        (void)page_unpin_frame(s, f);
        pv_frame_leave(s, f);
    }
    return false;
}

bool pv_space_destroy(struct pv_space *s)
{
    struct page_work work = {PAGE_WORK_QUANTUM};
    bool done;

    spin_lock(&s->base.lock);
    if (!s->dying) {
        s->dying = true;
        s->ram = (struct ram_range){0, 0};
    }
    pv_flush_all(s);
    if (atomic_read(&s->base.live_cpus))
        panic("the space of domain %u goes while CPUs %#lx use it",
              s->base.owner, s->base.live_cpus);

    done = frames_leave(s, &work) && !page_drop(s, &work);
    if (done) {
        frame_unreserve(s->promised);
        s->promised = 0;
    }
    spin_unlock(&s->base.lock);
    return done;
}
