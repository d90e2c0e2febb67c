/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces of class light: va = virt_base + gfn * 4096.
 *
 * The leaf page tables are the only map from gfn to frame.  What a leaf is:
 *
 *     hole          no such page; an access faults to the guest
 *     guard         RAM the guest made inaccessible; it loses its contents
 *     demand-zero   RAM never touched: the value 0, in a RAM gfn
 *     private       RAM with a frame of its own
 *     granted       another domain's frame, in the grant window
 *     mmio          a device's page, uncached, in the MMIO window
 *     special       shared_info, grant table, boot module: the hypervisor's;
 *                   the first two also where the guest wants them in RAM
 *
 * Leaves that are not present hold no machine address (L1TF), only the
 * protection the page will have.  A present leaf is changed by one atomic
 * instruction, because the processor sets A and D behind our back.  Table
 * pages are freed only with the space, so whoever holds a reference to the
 * domain may walk them.
 *
 * A private page's frame has one reference for the leaf, and one of type
 * FRAME_WRITABLE while the leaf is writable; more references pin it: a pinned
 * page is never discarded and keeps its rights.
 *
 * Pages are populated from the domain's promise first.  The functions here
 * take the space's lock themselves.
 */

#pragma once

#include <abi/domid.h>
#include <abi/light.h>

#include "memory/space.h"
#include "memory/frame.h"

struct light_space {
    struct space base;
    mfn_t root;                 /* (c) the L4 table; MFN_NONE: no space */
    mfn_t guest_root;           /* (c) what the guest runs on; xpti: another */
    uint64_t *root_table;       /* (c) the same in the direct map */
    uint64_t *first_l2;         /* (c) the L2 table that maps gfn 0 */
    uint64_t first_leaf;        /* (c) where below it gfn 0 is */
    uint64_t near_pages;        /* (c) how many pages the table maps */
    struct light_layout layout; /* (c) */
    uint64_t pages;             /* (c) gfns, with all windows */
    uint64_t reserved_pages;    /* (c) RAM frames promised at creation */
    uint64_t reserve_left;      /* (l) promised frames not yet used */
    uint64_t tables_left;       /* (l) promised tables not yet made */
    uint64_t used_pages;        /* (l) RAM pages populated */
    uint64_t table_pages;       /* (l) page-table frames, root included */
    uint32_t tables;            /* (l) mfn + 1 of one, linked by frame.next */
    uint32_t destroy_at;        /* (l) leaves of that one below are gone */
    bool dying;                 /* (l) nothing is to be found here any more */
};

/*
 * Most pages that one call of light_protect() or light_discard() should be
 * given: a caller with more comes back for the rest.
 */
#define LIGHT_QUANTUM 64U

/* What an access to a gfn needs. */
enum light_access {
    LIGHT_READ,
    LIGHT_WRITE,
    LIGHT_EXECUTE,
};

/*
 * Make the tables for RAM at @layout's virt_base and for windows of its sizes
 * behind it, one after the other in the order of the structure, and promise
 * @reserved_pages of RAM plus the page tables it can ever need.  -ENOMEM;
 * -EINVAL: no RAM, or it does not fit the canonical lower or upper half, or
 * meets the hypervisor's own addresses, or more is promised than there is RAM.
 * On failure the space is empty, and light_destroy() says so.
 */
int __must_check light_create(struct light_space *s, domid_t owner,
                              const struct light_layout *layout,
                              uint64_t reserved_pages);

/*
 * Drop pages and tables, at most a quantum a call; true when all is gone.
 * No vCPU of the domain runs any more, and what it mapped of others' grants
 * has been unmapped.
 */
bool light_destroy(struct light_space *s);

/*
 * Resolve a fault at @va: 0 = try the access again; -EFAULT = the guest's own
 * fault; -ENOMEM = the page wants a frame and none is left (the caller blocks
 * the vCPU).
 */
int __must_check light_fault(struct light_space *s, vaddr_t va,
                             enum light_access access);

/*
 * The frame behind RAM page @g, populated and, for a write, allowed to be
 * written, with a reference taken: frame_put() gives it back.  Text counts as
 * writable only with @override, before the domain's first start.
 * -EINVAL: no RAM page; -EACCES: protection; -ENOMEM.
 */
int __must_check light_get_frame(struct light_space *s, gfn_t g,
                                 enum light_access access, bool override,
                                 struct frame **frame);

/*
 * light_op protect and, before the first start with @builder, control_op
 * set_region: LIGHT_PROT_* for RAM pages.  -EINVAL: not wholly RAM, or no such
 * protection; -EACCES: text, or a pinned page would lose a right.  Pages
 * before the refused one have changed.
 */
int __must_check light_protect(struct light_space *s, gfn_t first,
                               uint64_t count, uint32_t prot, bool builder);

/*
 * Back to demand-zero: of @count extents of @pages each, which begin at
 * @first[], those before the refused one.  The answer is how many these are,
 * *@rc why: errors as light_protect().
 */
unsigned int light_discard(struct light_space *s, const uint64_t *first,
                           unsigned int count, uint64_t pages, int *rc);

/*
 * Install the hypervisor's page @m at @g of the special or module window.  No
 * reference is taken: the page must stay until light_destroy() is done.
 * -EINVAL: @g is elsewhere; -EBUSY: something is there.
 */
int __must_check light_map_special(struct light_space *s, gfn_t g, mfn_t m,
                                   bool writable);

/*
 * Move the special page that is at gfn *@at to page @to of RAM or of the
 * special window; a page of RAM there loses its contents, and where it was in
 * RAM is demand-zero.  -EINVAL: @to is elsewhere; -EACCES: text, a pinned page
 * or another special one is there.
 */
int __must_check light_move_special(struct light_space *s, uint64_t *at,
                                    uint64_t to);

/* Map a device's page at @g of the MMIO window, uncached, read-write. */
int __must_check light_map_mmio(struct light_space *s, gfn_t g, mfn_t m);

/*
 * Load the space on this CPU (CR3).  It stays, lazily, while the CPU idles,
 * until the CPU is asked to flush: so this comes before each use of it.
 */
static inline void light_load(struct light_space *s)
{
    if (unlikely(&s->base != this_cpu(loaded_space)))
        space_load(&s->base, s->root, s->guest_root);
}

static inline vaddr_t light_va(const struct light_space *s, gfn_t g)
{
    return s->layout.virt_base + (g.raw << PAGE_SHIFT);
}
