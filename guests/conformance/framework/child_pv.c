/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children of class pv: page N is mapped at N pages, as the builder of such a
 * guest does it; behind the image are start_info, the list of frames, and the
 * tables.
 */

#include <string.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/tables.h"
#include "framework/test.h"

/* As many at once, and as many pages of each. */
#define CHILDREN  2U
#define PAGES_MAX 4096U

#define LEVEL_1 1U
#define LEVEL_4 4U

#define WORDS (PAGE_SIZE / sizeof(uint64_t))

extern const char rt_text_start[], rt_text_end[];
extern char rt_image_end[];

static uint64_t lists[CHILDREN][PAGES_MAX];
static const struct child *users[CHILDREN];

/* Page numbers of what lies behind the image. */
struct plan {
    uint64_t pages, start_info, list, tables, end;
};

static uint64_t tables_of_level_1(const struct plan *p)
{
    return (p->pages + TABLE_ENTRIES - 1) / TABLE_ENTRIES;
}

static struct plan plan_for(uint64_t pages)
{
    struct plan p = {.pages = pages};

    p.start_info = hypercall_ptr(rt_image_end) / PAGE_SIZE;
    p.list = p.start_info + 1;
    p.tables = p.list + (pages + WORDS - 1) / WORDS;
    p.end = p.tables + LEVEL_4 - LEVEL_1 + tables_of_level_1(&p);
    return p;
}

static bool take_list(struct child *child)
{
    for (unsigned int i = 0; i < CHILDREN; i++) {
        if (users[i])
            continue;
        users[i] = child;
        child->mfn = lists[i];
        return true;
    }
    return false;
}

void child_pv_forget(struct child *child)
{
    for (unsigned int i = 0; i < CHILDREN; i++)
        if (users[i] == child)
            users[i] = NULL;
    child->mfn = NULL;
}

static long populate(const struct child *child, uint64_t pages)
{
    struct control_op op = {
        .cmd = CONTROL_OP_populate,
        .domid = child->domid,
        .u.populate = {.count = pages, .buffer = hypercall_ptr(child->mfn)},
    };

    return control(&op);
}

/* --- What is written ------------------------------------------------------ */

static uint64_t page[WORDS];

static long put_list(const struct child *child, const struct plan *p)
{
    long rc = 0;

    for (uint64_t at = 0; at < p->pages && rc == 0; at += WORDS) {
        uint64_t left = p->pages - at;

        memset(page, 0xff, sizeof(page));
        for (uint64_t i = 0; i < WORDS && i < left; i++)
            page[i] = child->mfn[at + i];
        rc = child_copy_page(child, p->list + at / WORDS, page);
    }
    return rc;
}

/* Leaves: of tables for reading only, and of text to be executed. */
static uint64_t leaf(const struct child *child, const struct plan *p,
                     uint64_t pfn)
{
    uint64_t va = pfn * PAGE_SIZE, flags = TO_WRITE | PTE_NX;

    if (pfn >= p->tables && pfn < p->end)
        flags = TO_READ | PTE_NX;
    if (va >= hypercall_ptr(rt_text_start) && va < hypercall_ptr(rt_text_end))
        flags = TO_READ;
    return child->mfn[pfn] * PAGE_SIZE | flags;
}

/* Levels 4, 3, 2 and then those of level 1: each page has the next one. */
static long put_tables(const struct child *child, const struct plan *p)
{
    uint64_t pfn = p->tables;
    long rc = 0;

    for (unsigned int level = LEVEL_4; level > LEVEL_1 && rc == 0; level--) {
        uint64_t count = level == LEVEL_1 + 1 ? tables_of_level_1(p) : 1;

        memset(page, 0, sizeof(page));
        for (uint64_t i = 0; i < count; i++)
            page[i] = child->mfn[pfn + 1 + i] * PAGE_SIZE | TO_TABLE;
        rc = child_copy_page(child, pfn++, page);
    }
    for (uint64_t first = 0; first < p->pages && rc == 0;
         first += TABLE_ENTRIES) {
        memset(page, 0, sizeof(page));
        for (uint64_t i = 0; i < TABLE_ENTRIES && first + i < p->pages; i++)
            page[i] = leaf(child, p, first + i);
        rc = child_copy_page(child, pfn++, page);
    }
    return rc;
}

static long put_start_info(const struct child *child, const struct plan *p)
{
    struct control_domain_info info;
    struct control_op op = {
        .cmd = CONTROL_OP_list,
        .domid = child->domid,
        .u.list = {.buffer = hypercall_ptr(&info), .room = 1},
    };
    struct start_info *si = (struct start_info *)(void *)page;
    long rc = control(&op);

    if (rc != 0)
        return rc;
    memset(page, 0, sizeof(page));
    memcpy(si->magic, START_INFO_MAGIC, sizeof(START_INFO_MAGIC));
    si->nr_pages = p->pages;
    si->shared_info = info.shared_info * PAGE_SIZE;
    si->pt_base = p->tables * PAGE_SIZE;
    si->nr_pt_frames = p->end - p->tables;
    si->mfn_list = p->list * PAGE_SIZE;
    return child_copy_page(child, p->start_info, page);
}

long child_pv_fill(struct child *child, uint64_t pages)
{
    struct plan p = plan_for(pages);
    long rc;

    if (pages > PAGES_MAX || p.end > pages || !take_list(child))
        return -ABI_ENOMEM;
    rc = populate(child, pages);
    if (rc == 0)
        rc = put_list(child, &p);
    if (rc == 0)
        rc = put_tables(child, &p);
    if (rc == 0)
        rc = put_start_info(child, &p);
    return rc;
}

long child_pv_start(struct child *child, uint64_t pages, uint64_t rip,
                    uint64_t rsp)
{
    struct plan p = plan_for(pages);
    struct control_op op = {
        .cmd = CONTROL_OP_set_start,
        .domid = child->domid,
        .u.set_start = {.rip = rip,
                        .rsp = rsp,
                        .rsi = p.start_info * PAGE_SIZE,
                        .l4 = child->mfn[p.tables]},
    };

    return control(&op);
}
