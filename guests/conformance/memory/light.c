/* SPDX-License-Identifier: BSD-2-Clause */
/* The address space of class light: what may be done with which page. */

#include <string.h>

#include <abi/domid.h>
#include <abi/hypercall.h>
#include <abi/memory.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/test.h"

#define ONLY_CAIRN SKIP_ON_XEN("class light is Cairn's")

extern const char rt_text_start[], rt_text_end[];
extern char rt_image_end[];

PAGES(page, 1);
PAGES(pages, 4);

static const uint8_t constant[] = {0xc3, 1, 2, 3};

static void read_at(void *address)
{
    *(volatile uint8_t *)address;
}

static void write_at(void *address)
{
    *(volatile uint8_t *)address = 0xa5;
}

static void jump_to(void *address)
{
    ((void (*)(void))address)();
}

static long protect(uint64_t gfn, uint64_t count, uint32_t prot)
{
    struct light_protect op = {.gfn = gfn, .count = count, .prot = prot};

    return hypercall_light_op(LIGHT_OP_protect, &op);
}

static long discard(uint64_t gfn, uint64_t count)
{
    struct light_discard op = {.gfn = gfn, .count = count};

    return hypercall_light_op(LIGHT_OP_discard, &op);
}

static void *gfn_va(uint64_t gfn)
{
    return (void *)(uintptr_t)(layout.virt_base + gfn * PAGE_SIZE);
}

/* Expect @fn(@address) to fault as #PF with @error and its address. */
static void expect_fault(void (*fn)(void *), const void *address,
                         uint64_t error)
{
    EXPECT_TRUE(fault_probe(fn, (void *)(uintptr_t)address));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_EQ(trap_seen.error, error);
    EXPECT_EQ(trap_seen_cr2, hypercall_ptr(address));
}

TEST("the windows lie behind RAM and behind each other")
{
    ONLY_CAIRN;
    EXPECT_EQ(layout.virt_base % PAGE_SIZE, 0);
    EXPECT_TRUE(layout.ram_pages > 0);
    EXPECT_TRUE(layout.special_gfn >= layout.ram_pages);
    EXPECT_TRUE(layout.grant_pages == 0 ||
                layout.grant_gfn >= layout.special_gfn + LIGHT_SPECIAL_PAGES);
    EXPECT_TRUE(layout.module_pages == 0 ||
                layout.module_gfn >= layout.grant_gfn + layout.grant_pages);
    EXPECT_TRUE(layout.mmio_pages == 0 ||
                layout.mmio_gfn >= layout.module_gfn + layout.module_pages);
}

TEST("a write to text is bounced with code 3 and its address")
{
    ONLY_CAIRN;
    expect_fault(write_at, rt_text_start + 5, PF_PRESENT | PF_WRITE);
}

TEST("a write to read-only data is bounced with code 3")
{
    ONLY_CAIRN;
    NEEDS_INITIAL_DOMAIN; /* a child's builder leaves it writable */
    expect_fault(write_at, constant, PF_PRESENT | PF_WRITE);
}

TEST("a jump into data is bounced as a fetch from a page that is there")
{
    ONLY_CAIRN;
    page[0] = 0xc3;
    expect_fault(jump_to, page, PF_PRESENT | PF_FETCH);
    EXPECT_EQ(trap_seen.rip, hypercall_ptr(page));
}

TEST("a jump into read-only data is bounced")
{
    ONLY_CAIRN;
    expect_fault(jump_to, constant, PF_PRESENT | PF_FETCH);
}

TEST("a jump into memory that was never touched is bounced")
{
    void *fresh;

    ONLY_CAIRN;
    fresh = gfn_va(layout.ram_pages - 9);
    EXPECT_TRUE(fault_probe(jump_to, fresh));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_EQ(trap_seen.error & PF_FETCH, PF_FETCH);
}

TEST("the first page holds nothing: null pointers fault")
{
    ONLY_CAIRN;
    EXPECT_TRUE(fault_probe(read_at, NULL));
    EXPECT_TRUE(fault_probe(write_at, (void *)8));
    EXPECT_TRUE(fault_probe(jump_to, NULL));
}

TEST("memory that was never touched reads as zero and can be written")
{
    uint8_t *fresh;

    ONLY_CAIRN;
    fresh = gfn_va(layout.ram_pages - 3);
    for (size_t i = 0; i < PAGE_SIZE; i++)
        EXPECT_EQ(fresh[i], 0);
    memset(fresh, 0x3c, PAGE_SIZE);
    EXPECT_EQ(fresh[4095], 0x3c);
}

TEST("a touched page costs one frame, a discarded one none")
{
    uint64_t before, after;
    uint8_t *fresh;

    ONLY_CAIRN;
    fresh = gfn_va(layout.ram_pages - 4);
    fresh[0] = 1; /* its page tables are there now */
    EXPECT_EQ(discard(layout.ram_pages - 4, 1), 0);
    before = free_pages();
    fresh[0] = 1;
    after = free_pages();
    EXPECT_EQ(before - after, 1);
    EXPECT_EQ(discard(layout.ram_pages - 4, 1), 0);
    EXPECT_EQ(free_pages(), before);
    EXPECT_EQ(fresh[0], 0);
}

TEST("a discarded page reads as zero")
{
    ONLY_CAIRN;
    memset(pages, 0x77, sizeof(pages));
    EXPECT_EQ(discard(frame_of(pages), 4), 0);
    for (size_t i = 0; i < sizeof(pages); i += 512)
        EXPECT_EQ(pages[i], 0);
    pages[3] = 9;
    EXPECT_EQ(pages[3], 9);
}

TEST("a page made read-only can be read, and writes fault with code 3")
{
    ONLY_CAIRN;
    page[0] = 0x42;
    EXPECT_EQ(protect(frame_of(page), 1, LIGHT_PROT_read), 0);
    EXPECT_EQ(page[0], 0x42);
    expect_fault(write_at, page, PF_PRESENT | PF_WRITE);
    EXPECT_EQ(protect(frame_of(page), 1, LIGHT_PROT_read_write), 0);
    EXPECT_FALSE(fault_probe(write_at, page));
    EXPECT_EQ(page[0], 0xa5);
}

TEST("a guard page faults at any access, and keeps its contents or is zero")
{
    ONLY_CAIRN;
    memset(page, 0x55, PAGE_SIZE);
    EXPECT_EQ(protect(frame_of(page), 1, LIGHT_PROT_guard), 0);
    expect_fault(read_at, page + 1, 0);
    expect_fault(write_at, page + 2, PF_WRITE);
    expect_fault(jump_to, page, PF_FETCH);
    EXPECT_EQ(protect(frame_of(page), 1, LIGHT_PROT_read_write), 0);
    EXPECT_FALSE(fault_probe(write_at, page));
    EXPECT_TRUE(page[1] == 0x55 || page[1] == 0);
}

TEST("several pages are protected together, and only those")
{
    ONLY_CAIRN;
    EXPECT_EQ(protect(frame_of(pages) + 1, 2, LIGHT_PROT_guard), 0);
    EXPECT_FALSE(fault_probe(write_at, pages));
    EXPECT_TRUE(fault_probe(write_at, pages + PAGE_SIZE));
    EXPECT_TRUE(fault_probe(write_at, pages + 2 * PAGE_SIZE));
    EXPECT_FALSE(fault_probe(write_at, pages + 3 * PAGE_SIZE));
    EXPECT_EQ(protect(frame_of(pages) + 1, 2, LIGHT_PROT_read_write), 0);
    EXPECT_FALSE(fault_probe(write_at, pages + PAGE_SIZE));
}

TEST("nothing becomes executable, and text changes for nobody")
{
    uint64_t text;

    ONLY_CAIRN;
    text = frame_of(rt_text_start);
    EXPECT_EQ(protect(frame_of(page), 1, LIGHT_PROT_execute), -ABI_EINVAL);
    EXPECT_EQ(protect(text, 1, LIGHT_PROT_read_write), -ABI_EACCES);
    EXPECT_EQ(protect(text, 1, LIGHT_PROT_read), -ABI_EACCES);
    EXPECT_EQ(protect(text, 1, LIGHT_PROT_guard), -ABI_EACCES);
    EXPECT_EQ(discard(text, 1), -ABI_EACCES);
    expect_fault(write_at, rt_text_start, PF_PRESENT | PF_WRITE);
}

TEST("a range that has text in it is refused as a whole")
{
    uint64_t end;

    ONLY_CAIRN;
    end = frame_of(rt_text_end + PAGE_SIZE - 1);
    EXPECT_EQ(protect(end - 1, 2, LIGHT_PROT_read), -ABI_EACCES);
    EXPECT_EQ(discard(end - 1, 2), -ABI_EACCES);
    EXPECT_EQ(constant[1], 1);
}

TEST("a protection that is none is -EINVAL")
{
    ONLY_CAIRN;
    EXPECT_EQ(protect(frame_of(page), 1, 4), -ABI_EINVAL);
    EXPECT_EQ(protect(frame_of(page), 1, ~0U), -ABI_EINVAL);
}

TEST("a range that is not wholly RAM is -EINVAL, however it is written")
{
    static const struct {
        uint64_t gfn_from_ram_end, count;
    } ranges[] = {
        {0, 1},
        {~0UL, 2}, /* the last page and one behind */
        {1UL << 36, 1},
        {~0UL, ~0UL}, /* wraps around */
        {~0UL - 5, ~0UL - 3},
        {0x000fffffffffffff, 1},
        {0xfffffffffffff000, 0x2000},
    };

    ONLY_CAIRN;
    for (unsigned int i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        uint64_t gfn = layout.ram_pages + ranges[i].gfn_from_ram_end;

        EXPECT_EQ(protect(gfn, ranges[i].count, LIGHT_PROT_read), -ABI_EINVAL);
        EXPECT_EQ(discard(gfn, ranges[i].count), -ABI_EINVAL);
    }
    EXPECT_EQ(protect(frame_of(page), 1UL << 52, LIGHT_PROT_read), -ABI_EINVAL);
    EXPECT_EQ(protect(layout.special_gfn, 1, LIGHT_PROT_read), -ABI_EINVAL);
    EXPECT_EQ(discard(layout.special_gfn, 1), -ABI_EINVAL);
}

TEST("a range of nothing changes nothing")
{
    long rc;

    ONLY_CAIRN;
    rc = protect(frame_of(page), 0, LIGHT_PROT_guard);
    EXPECT_TRUE(rc == 0 || rc == -ABI_EINVAL);
    EXPECT_FALSE(fault_probe(write_at, page));
}

TEST("behind the last window there is nothing")
{
    uint64_t end;

    ONLY_CAIRN;
    end = layout.mmio_pages ? layout.mmio_gfn + layout.mmio_pages
                            : layout.special_gfn + LIGHT_SPECIAL_PAGES +
                                  layout.grant_pages + layout.module_pages;
    EXPECT_TRUE(fault_probe(read_at, gfn_va(end + 100000)));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_EQ(trap_seen.error & PF_PRESENT, 0);
}

TEST("an empty slot of the grant window faults")
{
    ONLY_CAIRN;
    EXPECT_TRUE(fault_probe(read_at, (void *)(uintptr_t)grant_slot(1)));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_EQ(trap_seen.error, 0);
}

TEST("arguments in memory that was never touched are read and written")
{
    struct light_layout *fresh;

    ONLY_CAIRN;
    fresh = gfn_va(layout.ram_pages - 7);
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_layout, fresh), 0);
    EXPECT_EQ(fresh->ram_pages, layout.ram_pages);
    EXPECT_EQ(hypercall2(HYPERCALL_light_op, LIGHT_OP_protect,
                         hypercall_ptr(gfn_va(layout.ram_pages - 8))),
              0);
}

static uint64_t touch_all(uint64_t unused)
{
    uint64_t touched = 0;

    (void)unused;
    for (uint64_t gfn = frame_of(rt_image_end); gfn < layout.ram_pages; gfn++) {
        *(volatile uint8_t *)gfn_va(gfn) = 1;
        touched++;
    }
    return touched;
}

TEST("a domain can touch all it was promised")
{
    static const struct child_limits limits = {.extra_pages = 2048};
    struct child child;
    uint64_t before;

    ONLY_CAIRN;
    /* The first one leaves pools that are kept for the next. */
    EXPECT_TRUE(child_run(&child, touch_all, 0));
    before = free_pages();
    if (!child_start(&child, &limits, touch_all, 0))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_EQ(child.result, 2048);
    EXPECT_TRUE(child.info.used_pages >= 2048);
    EXPECT_TRUE(child.info.used_pages <= child.info.max_pages);
    child_destroy(&child);
    EXPECT_EQ(free_pages(), before);
}

/* Pages touched, and how many extents around the last one are had. */
static uint64_t grow(uint64_t unused)
{
    uint64_t gfns[] = {layout.ram_pages - 1, layout.ram_pages};
    struct xen_memory_reservation op = {.extent_start = hypercall_ptr(gfns),
                                        .nr_extents = 2,
                                        .domid = DOMID_SELF};
    uint64_t touched = touch_all(unused);

    return touched << 8 |
           (uint8_t)hypercall_memory_op(XENMEM_populate_physmap, &op);
}

TEST("a domain grows beyond its promise up to its maximum, and no further")
{
    static const struct child_limits limits = {.extra_pages = 512,
                                               .unpromised = 700};
    struct child child;

    ONLY_CAIRN;
    if (!child_start(&child, &limits, grow, 0))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_EQ(child.result, 1212 << 8 | 1);
    EXPECT_TRUE(child.info.used_pages >= 1212);
    EXPECT_TRUE(child.info.used_pages > child.info.reserved_pages);
    EXPECT_TRUE(child.info.used_pages <= child.info.max_pages);
    child_destroy(&child);
}

static uint64_t find_dirt(uint64_t unused)
{
    uint64_t dirty = 0;

    (void)unused;
    for (uint64_t gfn = frame_of(rt_image_end); gfn < layout.ram_pages; gfn++) {
        const uint64_t *word = gfn_va(gfn);

        for (unsigned int i = 0; i < 512; i++)
            dirty += word[i] != 0;
    }
    return dirty;
}

static uint64_t fill_all(uint64_t unused)
{
    (void)unused;
    for (uint64_t gfn = frame_of(rt_image_end); gfn < layout.ram_pages; gfn++)
        memset(gfn_va(gfn), 0xdb, PAGE_SIZE);
    return 0;
}

TEST("memory comes to a domain as zeros, whoever had it before")
{
    static const struct child_limits limits = {.extra_pages = 1024};
    struct child child;

    ONLY_CAIRN;
    for (int round = 0; round < 2; round++) {
        if (!child_start(&child, &limits, fill_all, 0))
            return;
        EXPECT_TRUE(child_wait(&child));
        child_destroy(&child);
        if (!child_start(&child, &limits, find_dirt, 0))
            return;
        EXPECT_TRUE(child_wait(&child));
        EXPECT_TRUE(child.finished);
        EXPECT_EQ(child.result, 0);
        child_destroy(&child);
    }
}
