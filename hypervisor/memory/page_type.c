/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Validating tables and undoing it, both piece by piece.
 *
 * A table that is being validated has a count of 1 meanwhile, so that none of
 * its own entries finds it idle.  Only calls from outside work on the drop
 * queue, before anything else: nothing that a validation stands on is undone
 * under it.
 */

#include "memory/page_type.h"

#include "arch/x86_64/paging.h"
#include "memory/descriptor.h"
#include "memory/entry_near.h"

/* Absent entries are looked at together, as most are. */
#define GROUP 8U

static uint32_t type_bits(enum frame_type type)
{
    return (uint32_t)type << FRAME_TYPE_SHIFT;
}

static bool group_is_absent(const uint64_t *e)
{
    return !((e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]) &
             PTE_PRESENT);
}

/* The first entry from @i on that is not in an absent group. */
static unsigned int skip_up(const uint64_t *entry, unsigned int i)
{
    if (i % GROUP == 0)
        while (i < PT_ENTRIES && group_is_absent(&entry[i]))
            i += GROUP;
    return i;
}

/* The same from @i down; it is the one before the result. */
static unsigned int skip_down(const uint64_t *entry, unsigned int i)
{
    if (i % GROUP == 0)
        while (i && group_is_absent(&entry[i - GROUP]))
            i -= GROUP;
    return i;
}

/* The hypervisor's slots count as empty. */
static bool is_own(enum frame_type type, unsigned int i)
{
    return type == FRAME_L4 && i - HV_L4_FIRST < HV_L4_COUNT;
}

/* --- Taking -------------------------------------------------------------- */

static int entry_validate(struct pv_space *s, enum frame_type type,
                          uint64_t *entry, struct page_work *work)
{
    uint64_t e = *entry;
    int rc = 0;

    if (type == FRAME_L1 && entry_is_legal(1, e) && entry_near_get(s, e)) {
        e = entry_adjust(1, e);
        work->left -= PAGE_WORK_PRESENT;
    } else {
        rc = entry_get(s, type, &e, work);
    }
    /* Bits are only added; a processor may do so, too. */
    if (!rc && e != *entry)
        (void)__atomic_fetch_or(entry, e, __ATOMIC_RELAXED);
    return rc;
}

static int entries_get(struct pv_space *s, struct frame *f,
                       enum frame_type type, struct page_work *work)
{
    uint64_t *entry = mfn_to_virt(frame_to_mfn(f));
    unsigned int i = f->progress, from = i;
    int rc = 0;

    while ((i = skip_up(entry, i)) < PT_ENTRIES) {
        work->left -= (int)(1 + (i - from) / GROUP);
        if (entry[i] & PTE_PRESENT && !is_own(type, i))
            rc = work->left < 0 ? -EAGAIN
                                : entry_validate(s, type, &entry[i], work);
        if (rc)
            break;
        from = ++i;
    }
    atomic_write(&f->progress, (uint16_t)i);
    return rc;
}

/* Of a page of descriptors: each is some 16 instructions. */
#define DESCRIPTORS_WORK (int)(PT_ENTRIES * 5 / 4)

/* Descriptors hold nothing. */
static int descriptors_get(struct frame *f, struct page_work *work)
{
    uint64_t *descriptor = mfn_to_virt(frame_to_mfn(f));

    work->left -= DESCRIPTORS_WORK;
    for (unsigned int i = 0; i < PT_ENTRIES; i++)
        if (!descriptor_fix(&descriptor[i]))
            return -EINVAL;
    return 0;
}

/* Nobody has @f as any type: from now on it is @type, and nobody writes it. */
static int type_begin(struct pv_space *s, struct frame *f, enum frame_type type)
{
    uint32_t seen = atomic_read(&f->type_info);
    uint64_t *entry = mfn_to_virt(frame_to_mfn(f));

    if (seen & FRAME_TYPE_COUNT || !frame_try_get(f))
        return -EINVAL;
    if (!atomic_cmpxchg(&f->type_info, &seen,
                        type_bits(type) | FRAME_HELD | 1)) {
        frame_put(f);
        return -EINVAL;
    }
    if (s->stale)
        pv_flush_all(s);
    if (type == FRAME_L4)
        memcpy(&entry[HV_L4_FIRST], hv_l4_slots(),
               HV_L4_COUNT * sizeof(*entry));
    return 0;
}

/* Bring the contents of @f, idle or new, to valid. */
static int table_get(struct pv_space *s, struct frame *f, enum frame_type type,
                     struct page_work *work)
{
    uint32_t held = type_bits(type) | FRAME_HELD;
    int rc = 0;

    if (atomic_read(&f->type_info) & FRAME_HELD)
        atomic_write(&f->type_info, held | 1);
    else
        rc = type_begin(s, f, type);
    if (rc)
        return rc;

    rc = type == FRAME_DESCRIPTORS ? descriptors_get(f, work)
                                   : entries_get(s, f, type, work);
    if (!rc)
        return 0;
    atomic_write(&f->type_info, held);
    if (rc != -EAGAIN)
        page_queue_idle(s, f);
    return rc;
}

static int type_get(struct pv_space *s, struct frame *f, enum frame_type type,
                    struct page_work *work)
{
    uint32_t info = atomic_read(&f->type_info);

    if (info & FRAME_HELD) {
        uint32_t count = info & FRAME_TYPE_COUNT;

        if (frame_type(f) != type) {
            page_queue_idle(s, f);
            if (!count)
                return -EAGAIN;
            return type == FRAME_WRITABLE ? -EBUSY : -EINVAL;
        }
        if (count == FRAME_TYPE_COUNT)
            return -EBUSY;
        if (likely(count)) {
            atomic_write(&f->type_info, info + 1);
            return 0;
        }
    }
    if (type == FRAME_WRITABLE)
        return frame_get_type(f, type) ? 0 : -EBUSY;
    return table_get(s, f, type, work);
}

int page_type_get(struct pv_space *s, mfn_t m, enum frame_type type,
                  struct page_work *work)
{
    struct frame *f = pv_frame(s, m);
    int rc;

    if (!f)
        return -EINVAL;
    if (!frame_try_get(f))
        return -EBUSY;
    work->left -= PAGE_WORK_TYPE;
    rc = type_get(s, f, type, work);
    if (rc)
        frame_put(f);
    return rc;
}

int page_get_type(struct pv_space *s, mfn_t m, enum frame_type type,
                  struct page_work *work)
{
    int rc = page_drop(s, work);

    return rc ? rc : page_type_get(s, m, type, work);
}

/* --- Dropping ------------------------------------------------------------ */

void page_queue_idle(struct pv_space *s, struct frame *f)
{
    uint32_t info = atomic_read(&f->type_info);

    if (!(info & FRAME_HELD) || info & FRAME_TYPE_COUNT || f->next)
        return;
    f->next = s->dropping;
    s->dropping = (uint32_t)frame_to_mfn(f).raw;
}

void page_put_type(struct pv_space *s, struct frame *f)
{
    uint32_t info = atomic_read(&f->type_info);

    if (!(info & FRAME_HELD)) {
        frame_put_type(f);
    } else {
        if (!(info & FRAME_TYPE_COUNT))
            frame_type_underflow(f);
        atomic_write(&f->type_info, info - 1);
        /* A CPU that idles may have it in CR3. */
        if (!((info - 1) & FRAME_TYPE_COUNT) && frame_type(f) == FRAME_L4)
            s->stale = true;
        page_queue_idle(s, f);
    }
    pv_drop_frame(s, f);
}

/* Undo what entries_get() did, from its end on. */
static int entries_put(struct pv_space *s, struct frame *f,
                       struct page_work *work)
{
    const uint64_t *entry = mfn_to_virt(frame_to_mfn(f));
    enum frame_type type = frame_type(f);
    unsigned int i = f->progress, from = i;

    while (work->left >= 0 && (i = skip_down(entry, i))) {
        work->left -= (int)(1 + (from - i) / GROUP);
        from = --i;
        if (!is_own(type, i))
            entry_put(s, type, entry[i], work);
    }
    atomic_write(&f->progress, (uint16_t)i);
    return i ? -EAGAIN : 0;
}

int page_drop(struct pv_space *s, struct page_work *work)
{
    while (s->dropping != DROP_END) {
        struct frame *f = mfn_to_frame(mfn(s->dropping));

        if (work->left < 0)
            return -EAGAIN;
        s->dropping = f->next;
        f->next = 0;
        work->left--;
        /* Who takes one works on the queue first. */
        assert(!frame_type_count(f));
        if (entries_put(s, f, work)) {
            page_queue_idle(s, f);
            return -EAGAIN;
        }
        if (s->stale)
            pv_flush_all(s);
        atomic_write(&f->type_info, 0);
        pv_drop_frame(s, f);
        work->left -= PAGE_WORK_FREE;
    }
    return 0;
}

/* --- Pins ---------------------------------------------------------------- */

int page_pin(struct pv_space *s, mfn_t m, enum frame_type level,
             struct page_work *work)
{
    int rc = page_get_type(s, m, level, work);
    struct frame *f;

    if (rc)
        return rc;
    f = mfn_to_frame(m);
    if (atomic_read(&f->type_info) & FRAME_PINNED) {
        page_put_type(s, f);
        return -EINVAL;
    }
    atomic_write(&f->type_info, f->type_info | FRAME_PINNED);
    return 0;
}

int page_unpin_frame(struct pv_space *s, struct frame *f)
{
    if (!(atomic_read(&f->type_info) & FRAME_PINNED))
        return -EINVAL;
    atomic_write(&f->type_info, f->type_info & ~FRAME_PINNED);
    page_put_type(s, f);
    return 0;
}

int page_unpin(struct pv_space *s, mfn_t m)
{
    struct frame *f = pv_frame(s, m);

    return f ? page_unpin_frame(s, f) : -EINVAL;
}
