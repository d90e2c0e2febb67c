/* SPDX-License-Identifier: BSD-2-Clause */
/* Class pv: tables, trees, descriptor pages, frames given up and got again. */

#include <string.h>

#include <abi/memory.h>
#include <abi/mmu.h>
#include <abi/trap.h>
#include <abi/vcpu.h>

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/trap.h"
#include "fuzz/fuzz.h"

#define FILLED_MOST 16U
#define LINKS_MOST                                                             \
    4U /* of tables above level 1: what they refer to must fit                 \
        */
#define GDT_PAGES  4U
#define SLOTS_USED 64U /* of a descriptor page */

/* One that no running table is a copy of. */
static unsigned int some_page(struct fuzzer *f)
{
    return PV_CLONES + (unsigned int)below(f, PV_PAGES - PV_CLONES);
}

/* --- Frames ----------------------------------------------------------------
 */

static uint64_t *place_in_list(const uint64_t *page)
{
    return (uint64_t *)(uintptr_t)start_info->mfn_list +
           hypercall_ptr(page) / PAGE_SIZE;
}

/* The page's frame has been given up: get another. */
static long refill(uint64_t *page)
{
    uint64_t frame = hypercall_ptr(page) / PAGE_SIZE;
    struct xen_memory_reservation op = {
        .extent_start = hypercall_ptr(&frame),
        .nr_extents = 1,
        .domid = DOMID_SELF,
    };
    long rc = hypercall_memory_op(XENMEM_populate_physmap, &op);

    if (rc == 1)
        *place_in_list(page) = frame;
    return rc == 1 ? pv_map(page, true) : rc;
}

static long give_up(const uint64_t *page)
{
    uint64_t frame = frame_of(page);
    struct xen_memory_reservation op = {
        .extent_start = hypercall_ptr(&frame),
        .nr_extents = 1,
        .domid = DOMID_SELF,
    };

    return hypercall_memory_op(XENMEM_decrease_reservation, &op);
}

/* Writable and empty, if it can be had. */
static long renew(uint64_t *page)
{
    long rc;

    (void)unpin(page);
    rc = pv_map(page, true);
    if (rc != 0)
        rc = refill(page);
    if (rc == 0)
        memset(page, 0, PAGE_SIZE);
    return rc;
}

static long renew_some(struct fuzzer *f)
{
    long rc = 0;

    for (uint64_t n = 1 + below(f, 4); n > 0; n--)
        rc |= renew(pv_fuzz_page(some_page(f)));
    return rc;
}

/* Its frame, which may still be used, for another one. */
static long exchange(uint64_t *page)
{
    uint64_t old = frame_of(page), new = hypercall_ptr(page) / PAGE_SIZE;
    struct xen_memory_exchange op = {
        .in = {.extent_start = hypercall_ptr(&old),
               .nr_extents = 1,
               .domid = DOMID_SELF},
        .out = {.extent_start = hypercall_ptr(&new),
                .nr_extents = 1,
                .domid = DOMID_SELF},
    };
    long rc = hypercall_memory_op(XENMEM_exchange, &op);

    if (rc == 0) {
        *place_in_list(page) = new;
        (void)pv_map(page, true);
    }
    return rc;
}

/* With and without its mapping taken first, and what replaces it. */
static long balloon(struct fuzzer *f)
{
    uint64_t *page = pv_fuzz_page(some_page(f));
    long rc;

    if (rarely(f, 2))
        (void)map_at(page, 0);
    if (rarely(f, 2))
        return exchange(page);
    rc = give_up(page);
    if (rc == 1 && !rarely(f, 4))
        rc = refill(page);
    return rc;
}

/* --- Tables ----------------------------------------------------------------
 */

static void fill(struct fuzzer *f, uint64_t *page, unsigned int level)
{
    uint64_t count = below(f, level > 1 ? LINKS_MOST : FILLED_MOST);

    if (rarely(f, 24))
        count = TABLE_ENTRIES;

    for (uint64_t n = 0; n < count; n++)
        page[count == TABLE_ENTRIES ? n : below(f, rarely(f, 2) ? 8 : 512)] =
            pv_entry(f, level);
}

static long make_table(struct fuzzer *f, unsigned int index, unsigned int level)
{
    uint64_t *page = pv_fuzz_page(index);
    long rc = renew(page);

    if (rc != 0)
        return rc;
    fill(f, page, level);
    rc = pv_map(page, false);
    if (rc == 0 && !rarely(f, 4))
        rc = pin(page, level);
    return rc;
}

static long make_any_table(struct fuzzer *f)
{
    unsigned int index = some_page(f), level = pv_role(index);

    if (level == 0 || rarely(f, 16))
        level = 1 + (unsigned int)below(f, 4);
    return make_table(f, index, level);
}

/* One of each level from 1 up, each in an entry of the next, and in ours. */
static long make_tree(struct fuzzer *f)
{
    const void *l4 = (const void *)(uintptr_t)start_info->pt_base;
    uint64_t entry = 0;
    long rc = 0;

    for (unsigned int level = 1; level < 4 && rc == 0; level++) {
        uint64_t *page;
        unsigned int index = some_page(f);

        while (pv_role(index) != level)
            index = some_page(f);
        page = pv_fuzz_page(index);
        rc = renew(page);
        if (rc != 0)
            return rc;
        if (level == 1 || rarely(f, 4))
            fill(f, page, level);
        page[below(f, 4)] = entry;
        rc = pv_map(page, false);
        entry = entry_for(page, TO_TABLE);
    }
    return rc ? rc : mmu_one(entry_at(l4, FREE_SLOT), entry);
}

/* --- Stores ----------------------------------------------------------------
 */

static void store(volatile void *at, uint64_t value, unsigned int how)
{
    volatile uint64_t *word = at;
    uint64_t old = *word;

    switch (how) {
    case 0:
        *(volatile uint32_t *)at = (uint32_t)value;
        break;
    case 1:
        *(volatile uint16_t *)at = (uint16_t)value;
        break;
    case 2:
        *(volatile uint8_t *)at = (uint8_t)value;
        break;
    case 3:
        (void)__atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
        break;
    case 4:
        (void)__atomic_compare_exchange_n(word, &old, value, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        break;
    case 5:
        (void)__atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
        break;
    case 6:
        __asm__ volatile("lock btsq %1, %0" : "+m"(*word) : "r"(value % 64));
        break;
    case 7:
        __asm__ volatile("lock btrq $1, %0" : "+m"(*word));
        break;
    case 8:
        __asm__ volatile("movsq" : : "D"(word), "S"(&value) : "memory");
        break;
    case 9:
        __asm__ volatile("rep stosq"
                         :
                         : "D"(word), "a"(value), "c"(value % 4)
                         : "memory");
        break;
    case 10:
        __asm__ volatile("orq %1, %0" : "+m"(*word) : "r"(value));
        break;
    case 11:
        __asm__ volatile("andq %1, %0" : "+m"(*word) : "r"(value));
        break;
    default:
        *word = value;
        break;
    }
}

#define STORES 20U /* most of them plain */

static long store_to_tables(struct fuzzer *f)
{
    unsigned int index = some_page(f);
    uint64_t at = hypercall_ptr(pv_fuzz_page(index));

    at += 8 * below(f, rarely(f, 2) ? 8 : TABLE_ENTRIES);
    if (rarely(f, 8))
        at = value_of(f, KIND_PAGE) + 8 * below(f, TABLE_ENTRIES);
    if (rarely(f, 16))
        at += below(f, 8);
    store((volatile void *)(uintptr_t)at, pv_entry(f, pv_role(index)),
          (unsigned int)below(f, STORES));
    return 0;
}

/* --- Descriptors -----------------------------------------------------------
 */

static long make_descriptors(struct fuzzer *f, uint64_t *page)
{
    static const uint64_t plain[] = {0x00affb000000ffff, 0x00cff3000000ffff};
    bool odd = rarely(f, 2);
    long rc = renew(page);

    if (rc != 0)
        return rc;
    for (uint64_t n = below(f, SLOTS_USED); n > 0; n--)
        page[below(f, SLOTS_USED)] =
            odd ? pv_descriptor(f) : plain[below(f, 2)];
    return rarely(f, 8) ? 0 : pv_map(page, false);
}

/* DS, ES, FS and GS: what is there is loaded again when the vCPU goes on. */
static void use_selectors(void *selectors)
{
    uint32_t *s = selectors;

    __asm__ volatile("mov %0, %%fs" : : "r"(s[0]));
    __asm__ volatile("mov %0, %%es" : : "r"(s[1]));
    __asm__ volatile("mov %0, %%gs" : : "r"(s[2]));
    __asm__ volatile("mov %0, %%ds" : : "r"(s[3]));
    __asm__ volatile("lar %0, %0; lsl %1, %1; verr %w2; verw %w3"
                     : "+r"(s[0]), "+r"(s[1])
                     : "r"(s[2]), "r"(s[3]));
}

static void try_selectors(struct fuzzer *f, uint64_t bits)
{
    uint32_t s[4];

    for (unsigned int i = 0; i < 4; i++)
        s[i] =
            (uint32_t)(below(f, rarely(f, 8) ? 8192 : SLOTS_USED) << 3 | bits);
    fault_probe(use_selectors, s);
}

static long make_gdt(struct fuzzer *f)
{
    uint64_t frames[GDT_PAGES], count = 1 + below(f, GDT_PAGES);
    long rc = 0;

    for (uint64_t i = 0; i < count && rc == 0; i++) {
        uint64_t *page = pv_fuzz_page(some_page(f));

        frames[i] = frame_of(page);
        rc = rarely(f, 2) ? make_descriptors(f, page) : pv_map(page, false);
    }
    if (rc == 0)
        rc = hypercall2(HYPERCALL_set_gdt, hypercall_ptr(frames),
                        count * TABLE_ENTRIES - below(f, TABLE_ENTRIES));
    try_selectors(f, below(f, 4));
    return rc;
}

static long make_ldt(struct fuzzer *f)
{
    uint64_t *page = pv_fuzz_page(some_page(f));
    long rc = make_descriptors(f, page);

    if (rc == 0)
        rc = mmuext_call(MMUEXT_SET_LDT, hypercall_ptr(page),
                         below(f, 4 * TABLE_ENTRIES));
    try_selectors(f, 4 | below(f, 4));
    return rc;
}

long pv_tables_do(struct fuzzer *f, enum pv_what what)
{
    switch (what) {
    case PV_MAKE_TABLE:
        return make_any_table(f);
    case PV_MAKE_TREE:
        return make_tree(f);
    case PV_RENEW:
        return renew_some(f);
    case PV_STORE:
        return store_to_tables(f);
    case PV_BALLOON:
        return balloon(f);
    case PV_MAKE_GDT:
        return make_gdt(f);
    case PV_MAKE_LDT:
        return make_ldt(f);
    case PV_CODE:
    case PV_USER_CODE:
        break;
    }
    return 0;
}

/* --- Before and after others -----------------------------------------------
 */

void pv_after(struct fuzzer *f, const struct op *op)
{
    pv_code_over(f);
    if (op->nr == HYPERCALL_set_debugreg || op->form == FORM_PROCESSOR ||
        op->form == FORM_PV)
        hypercall2(HYPERCALL_set_debugreg, 7, 0);
    /* memset() is made of vectors. */
    hypercall1(HYPERCALL_fpu_taskswitch, 0);
}

void pv_context(struct fuzzer *f, struct vcpu_guest_context *c)
{
    if (rarely(f, 3)) {
        c->gdt_ents = below(f, 16 * TABLE_ENTRIES);
        for (unsigned int i = 0; i < 16; i++)
            c->gdt_frames[i] = value_of(f, KIND_TABLE);
    }
    if (rarely(f, 3)) {
        c->ldt_base = value_of(f, KIND_PAGE);
        c->ldt_ents = below(f, 16 * TABLE_ENTRIES);
        c->user_regs.fs = (uint16_t)any(f);
        c->user_regs.ds = (uint16_t)any(f);
    }
    if (rarely(f, 3))
        c->ctrlreg[3] = value_of(f, KIND_BASE) * PAGE_SIZE;
    if (rarely(f, 3))
        c->ctrlreg[1] = value_of(f, KIND_TABLE) * PAGE_SIZE;
    if (rarely(f, 4))
        c->flags ^= 1U << below(f, 6);
    if (rarely(f, 4))
        c->debugreg[below(f, 8)] = wild(f);
    if (rarely(f, 4))
        c->user_regs.cs = (uint16_t)any(f);
}
