/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Light address spaces: making, loading and unmaking them, with their page
 * tables of four levels, made as pages are first touched, freed with the space.
 *
 * Every table it can ever need is promised when the space is created, so a
 * page that has a frame never lacks a table.  That is one frame for 2 MiB of
 * the layout, windows included: promised pages can be anywhere in it, so a
 * smaller promise could be broken.
 */

#include "memory/light.h"

#include "arch/x86_64/regs.h"
#include "memory/light_near.h"

/*
 * The page below the non-canonical hole stays empty: a SYSCALL at its very
 * end would return to an address at which SYSRET faults in ring 0.
 */
#define LOWER_END ((1UL << 47) - PAGE_SIZE)

/* Beyond any address space, and so little that sums of such do not wrap. */
#define LAYOUT_PAGES_END (1UL << 40)

/*
 * Work a call of tables_destroy() may do, in empty leaves looked at: some
 * ten instructions each.  Freeing a frame is worth as many as this.
 */
#define DESTROY_WORK       1536U
#define DESTROY_FRAME_COST 16U

#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

/* --- Tables ------------------------------------------------------------- */

void light_type_frame(struct frame *f, enum frame_type type)
{
    if (!frame_get_type(f, type))
        panic("frame %#lx is of type %d already", frame_to_mfn(f).raw,
              frame_type(f));
}

/* A table of @level, which nobody can free but tables_destroy(). */
static mfn_t table_alloc(struct light_space *s, unsigned int level)
{
    struct frame *f;

    if (s->tables_left == 0)
        panic("the space of domain %u needs more tables than promised",
              s->base.owner);
    f = frame_alloc(DOMID_XEN, FRAME_PROMISED);
    light_type_frame(f, (enum frame_type)(FRAME_L1 + level - 1));
    f->next = s->tables;
    s->tables = (uint32_t)frame_to_mfn(f).raw + 1;
    s->tables_left--;
    s->table_pages++;
    return frame_to_mfn(f);
}

/* Write an entry of a table of @level; the guest's L4 table follows ours. */
static void entry_write(struct light_space *s, unsigned int level,
                        uint64_t *entry, uint64_t value)
{
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
    if (level == 4 && !mfn_eq(s->guest_root, s->root)) {
        uint64_t *guests = mfn_to_virt(s->guest_root);

        atomic_write(&guests[entry - s->root_table], value);
    }
}

/*
 * The entry for @va in a table of @level, 1 is a leaf.  NULL: there is no such
 * table; with @make it is made, and all above it.
 */
static uint64_t *entry_at(struct light_space *s, vaddr_t va, unsigned int level,
                          bool make)
{
    uint64_t *table = s->root_table;

    for (unsigned int at = 4; at > level; at--) {
        uint64_t *entry = &table[pt_index(va, at)];

        if (!(atomic_read(entry) & PTE_PRESENT)) {
            if (!make)
                return NULL;
            /* A table is cleared before the processor can see it. */
            entry_write(s, at, entry,
                        pte_make(table_alloc(s, at - 1), TABLE_FLAGS));
        }
        table = table_of_entry(*entry);
    }
    return &table[pt_index(va, level)];
}

uint64_t *light_leaf_walk(struct light_space *s, uint64_t page, bool make)
{
    return entry_at(s, light_va(s, gfn(page)), 1, make);
}

static uint64_t tables_needed(const struct light_space *s)
{
    uint64_t tables = cpu_features.xpti ? 2 : 1; /* the roots */
    vaddr_t first = s->layout.virt_base, last = light_va(s, gfn(s->pages - 1));

    for (unsigned int level = 1; level < 4; level++) {
        /* Addresses that one table maps are equal from that bit on. */
        unsigned int shift = PT_SHIFT_L1 + 9 * level;

        tables += (last >> shift) - (first >> shift) + 1;
    }
    return tables;
}

static void root_make(struct light_space *s)
{
    vaddr_t base = s->layout.virt_base;

    s->root = table_alloc(s, 4);
    s->root_table = mfn_to_virt(s->root);
    memcpy(&s->root_table[HV_L4_FIRST], hv_l4_slots(),
           HV_L4_COUNT * sizeof(uint64_t));
    s->guest_root = s->root;
    if (cpu_features.xpti) {
        s->guest_root = table_alloc(s, 4);
        ((uint64_t *)mfn_to_virt(s->guest_root))[XPTI_L4_INDEX] = xpti_l4_entry;
    }
    s->first_l2 = entry_at(s, base, 2, true) - pt_index(base, 2);
    s->first_leaf = pt_index(base, 2) * PT_ENTRIES + pt_index(base, 1);
    s->near_pages = PT_ENTRIES * PT_ENTRIES - s->first_leaf;
}

/* Let go of what @leaf maps, nowhere loaded; returns the work it was. */
static unsigned int leaf_destroy(struct light_space *s, uint64_t *leaf)
{
    uint64_t old = *leaf;
    struct frame *f;

    if (!(old & PTE_PRESENT))
        return 1;
    if ((old & LEAF_SOFT_MASK) == LEAF_GRANTED)
        panic("domain %u still maps the grant of a frame %#lx", s->base.owner,
              pte_mfn(old).raw);

    atomic_write(leaf, 0);
    if ((old & LEAF_SOFT_MASK) != LEAF_PRIVATE)
        return 1;

    f = mfn_to_frame(pte_mfn(old));
    frame_let_go(f, old & PTE_WRITE);
    s->used_pages--;
    return DESTROY_FRAME_COST;
}

/* In the order they are listed: nobody walks from one to another any more. */
static bool tables_destroy(struct light_space *s)
{
    unsigned int work = 0;

    while (s->tables) {
        struct frame *f = mfn_to_frame(mfn(s->tables - 1));
        uint64_t *leaf = mfn_to_virt(frame_to_mfn(f));
        uint32_t leaves = frame_type(f) == FRAME_L1 ? PT_ENTRIES : 0;

        while (s->destroy_at < leaves && work < DESTROY_WORK)
            work += leaf_destroy(s, &leaf[s->destroy_at++]);
        if (work >= DESTROY_WORK)
            return false;
        s->tables = f->next;
        s->destroy_at = 0;
        s->table_pages--;
        f->next = 0;
        frame_let_go(f, true);
        work += DESTROY_FRAME_COST;
    }
    s->root = MFN_NONE;
    s->first_l2 = NULL;
    return true;
}

/* --- Spaces ------------------------------------------------------------- */

/* Put the windows behind RAM, one after the other; how many gfns there are. */
static uint64_t layout_place(struct light_layout *l)
{
    l->special_gfn = l->ram_pages;
    l->grant_gfn = l->special_gfn + LIGHT_SPECIAL_PAGES;
    l->module_gfn = l->grant_gfn + l->grant_pages;
    l->mmio_gfn = l->module_gfn + l->module_pages;
    return l->mmio_gfn + l->mmio_pages;
}

/* Whether @pages from @base on are addresses that may be a guest's. */
static bool range_is_guests(vaddr_t base, uint64_t pages)
{
    vaddr_t end;

    if (base & ~PAGE_MASK ||
        __builtin_add_overflow(base, pages << PAGE_SHIFT, &end))
        return false;
    return end <= LOWER_END || base >= HV_VIRT_END;
}

int light_create(struct light_space *s, domid_t owner,
                 const struct light_layout *layout, uint64_t reserved_pages)
{
    int rc;

    *s = (struct light_space){
        .root = MFN_NONE,
        .layout = *layout,
    };
    space_init(&s->base, owner);
    s->pages = layout_place(&s->layout);

    if ((layout->ram_pages | layout->grant_pages | layout->module_pages |
         layout->mmio_pages) >= LAYOUT_PAGES_END ||
        !range_is_guests(layout->virt_base, s->pages) ||
        layout->ram_pages == 0 || reserved_pages > layout->ram_pages)
        return -EINVAL;

    s->tables_left = tables_needed(s);
    rc = frame_reserve(reserved_pages + s->tables_left);
    if (rc)
        return rc;
    s->reserved_pages = reserved_pages;
    s->reserve_left = reserved_pages;
    root_make(s);
    return 0;
}

bool light_destroy(struct light_space *s)
{
    struct tlb_batch batch;

    if (mfn_eq(s->root, MFN_NONE))
        return true;
    tlb_batch_init(&batch, &s->base);
    tlb_batch_add_all(&batch);
    tlb_batch_flush(&batch);
    if (atomic_read(&s->base.live_cpus))
        panic("the space of domain %u goes while CPUs %#lx use it",
              s->base.owner, s->base.live_cpus);

    SPIN_GUARD(&s->base.lock);
    s->dying = true;
    if (!tables_destroy(s))
        return false;
    frame_unreserve(s->reserve_left + s->tables_left);
    s->reserve_left = 0;
    s->tables_left = 0;
    return true;
}
