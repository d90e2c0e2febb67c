/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain beyond its promise, on a machine without memory, meets a page that
 * is not there yet in every way that there is.  It waits, and then whatever it
 * did has happened once and is right.
 */

#include <string.h>

#include <abi/cpuid.h>
#include <abi/hypercall.h>
#include <abi/multicall.h>
#include <abi/vcpu.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/grants.h"
#include "framework/ports.h"
#include "framework/test.h"

#define FRESH_PAGES 600U
#define MS          1000000UL

/* Domains that are nothing but a promise; the last takes what is left. */
#define SMALL_HOGS   60U
#define HOGS_MAX     200U
#define HOG_PAGES    8U
#define HOG_OVERHEAD 12U /* tables and records, about */

#define ONLY_CAIRN SKIP_ON_XEN("class light is Cairn's")

static void *page_at(uint64_t gfn)
{
    return (void *)(uintptr_t)(layout.virt_base + gfn * PAGE_SIZE);
}

/* --- The one that waits --------------------------------------------------- */

PAGES(pattern, 1);

static void touch(uint8_t *fresh)
{
    EXPECT_EQ(*(volatile uint8_t *)fresh, 0);
    *(volatile uint8_t *)fresh = 1;
}

static void hypercall_writes(uint8_t *fresh)
{
    struct light_layout *l = (struct light_layout *)(void *)fresh;

    EXPECT_EQ(hypercall_light_op(LIGHT_OP_layout, l), 0);
    EXPECT_EQ(l->ram_pages, layout.ram_pages);
}

/* Zeros, which protect nothing. */
static void hypercall_reads(uint8_t *fresh)
{
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_protect, fresh), 0);
}

static void string_is_written(uint8_t *fresh)
{
    EXPECT_EQ(hypercall_xen_version(1, fresh), 0); /* extraversion */
    EXPECT_EQ(fresh[0], '.');
}

static int16_t copy(const volatile void *from, const volatile void *to)
{
    struct gnttab_copy op = {
        .source = {.u.gmfn = frame_of(from), .domid = DOMID_SELF},
        .dest = {.u.gmfn = frame_of(to), .domid = DOMID_SELF},
        .len = PAGE_SIZE,
    };

    op.status = 77;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    return op.status;
}

static void copy_to(uint8_t *fresh)
{
    EXPECT_EQ(copy(pattern, fresh), GNTST_okay);
    EXPECT_EQ(fresh[PAGE_SIZE - 1], 0x5a);
}

static void copy_from(uint8_t *fresh)
{
    static uint8_t to[PAGE_SIZE] __attribute__((aligned(4096)));

    memset(to, 0xff, sizeof(to));
    EXPECT_EQ(copy(fresh, to), GNTST_okay);
    EXPECT_EQ(to[17], 0);
}

static void frame_is_pushed_helper(void *top)
{
    __asm__ volatile("mov %0, %%rsp; ud2" : : "r"(top) : "memory");
}

static void frame_is_pushed(uint8_t *fresh)
{
    EXPECT_TRUE(fault_probe(frame_is_pushed_helper, fresh + PAGE_SIZE));
    EXPECT_EQ(trap_seen.vector, TRAP_UD);
    EXPECT_EQ(trap_seen.rsp, hypercall_ptr(fresh + PAGE_SIZE));
}

/* Ports are made once: a call made twice would leave a hole. */
static void list_is_made(uint8_t *fresh)
{
    static struct evtchn_alloc_unbound ports[2];
    static struct multicall_entry list[4];

    for (int i = 0; i < 2; i++)
        ports[i] = (struct evtchn_alloc_unbound){.dom = DOMID_SELF};
    memset(list, 0, sizeof(list));
    list[0] = (struct multicall_entry){
        .op = HYPERCALL_event_channel_op,
        .args = {EVTCHNOP_alloc_unbound, hypercall_ptr(&ports[0])}};
    list[1] = (struct multicall_entry){
        .op = HYPERCALL_light_op,
        .args = {LIGHT_OP_layout, hypercall_ptr(fresh)}};
    list[2] = list[0];
    list[2].args[1] = hypercall_ptr(&ports[1]);
    EXPECT_EQ(hypercall2(HYPERCALL_multicall, hypercall_ptr(list), 3), 0);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(list[i].result, 0);
    EXPECT_EQ(ports[1].port, ports[0].port + 1);
    port_close(ports[1].port);
    port_close(ports[0].port);
}

static void area_is_registered(uint8_t *fresh)
{
    uint64_t va = hypercall_ptr(fresh), none = 0;

    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &va),
              0);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &none),
              0);
}

static void (*const ways[])(uint8_t *fresh) = {
    touch,     hypercall_writes, hypercall_reads, string_is_written,  copy_to,
    copy_from, frame_is_pushed,  list_is_made,    area_is_registered,
};

static void read_at(void *page)
{
    (void)*(volatile uint8_t *)page;
}

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static uint64_t meet_fresh_pages(uint64_t unused)
{
    uint64_t gfn, first = layout.ram_pages - FRESH_PAGES;

    (void)unused;
    memset(pattern, 0x5a, sizeof(pattern));
    /* First all that is promised, but for guards. */
    for (gfn = 0; gfn < first; gfn++)
        (void)fault_probe(read_at, page_at(gfn));
    for (; gfn < layout.ram_pages && test_failures == 0; gfn++) {
        ways[gfn % WAYS](page_at(gfn));
        if (test_failures)
            print("way %lu, page %lu\n", gfn % WAYS, gfn - first);
    }
    return gfn - first;
}

static uint64_t touch_nothing(uint64_t unused)
{
    return unused;
}

/* --- Its world ------------------------------------------------------------ */

static domid_t hogs[HOGS_MAX];
static unsigned int hog_count;

static uint64_t unreserved(void)
{
    struct control_op op = {.cmd = CONTROL_OP_host_info};

    return control(&op) == 0 ? op.u.host_info.unreserved_pages : 0;
}

static bool hog_make(uint64_t pages)
{
    struct control_op op = {
        .cmd = CONTROL_OP_create,
        .domid = DOMID_INVALID,
        .u.create = {.class = CAIRN_CLASS_LIGHT,
                     .vcpu_count = 1,
                     .virt_base = layout.virt_base,
                     .reserved_pages = pages,
                     .max_pages = pages,
                     .max_ports = 1,
                     .grant_frames = 1,
                     .weight = 256},
    };

    if (hog_count == HOGS_MAX || control(&op) != 0)
        return false;
    hogs[hog_count++] = op.domid;
    return true;
}

static void hog_destroy_last(void)
{
    struct control_op op = {.cmd = CONTROL_OP_destroy};

    if (hog_count == 0)
        return;
    op.domid = hogs[--hog_count];
    EXPECT_EQ(control(&op), 0);
}

/* Promise all there is: the small pieces last, to be given back first. */
static void hogs_make(void)
{
    uint64_t small = SMALL_HOGS * (HOG_PAGES + HOG_OVERHEAD);

    while (unreserved() > small && hog_make(unreserved() - small))
        ;
    while (hog_make(HOG_PAGES))
        ;
    while (hog_make(1))
        ;
}

static uint32_t flags_of(domid_t domid)
{
    static struct control_domain_info info;
    struct control_op op = {
        .cmd = CONTROL_OP_list,
        .domid = domid,
        .u.list = {.buffer = hypercall_ptr(&info), .room = 1},
    };

    return control(&op) == 0 ? info.flags : 0;
}

TEST("whatever meets a page when memory is gone waits, then is right")
{
    static const struct child_limits limits = {.unpromised = FRESH_PAGES};
    uint64_t before, waits = 0;
    struct child child;

    ONLY_CAIRN;
    EXPECT_TRUE(child_run(&child, touch_nothing, 0));
    before = free_pages();
    if (!child_make(&child, &limits, meet_fresh_pages, 0))
        return;
    hogs_make();
    {
        struct control_op op = {.cmd = CONTROL_OP_unpause,
                                .domid = child.domid};

        REQUIRE_EQ(control(&op), 0);
    }
    while (!(flags_of(child.domid) & CONTROL_DOM_shutdown) && hog_count) {
        sleep_until(now_ns() + 2 * MS);
        if (flags_of(child.domid) & CONTROL_DOM_blocked) {
            waits++;
            hog_destroy_last();
        }
    }
    EXPECT_TRUE(waits > WAYS);
    EXPECT_TRUE(child_wait(&child));
    EXPECT_TRUE(child.finished);
    EXPECT_EQ(child.result, FRESH_PAGES);
    while (hog_count)
        hog_destroy_last();
    child_destroy(&child);
    EXPECT_TRUE(free_pages() + 16 >= before);
}

/* Grow the grant table and bind ports until nothing more can be had. */
static uint64_t grow_all(uint64_t unused)
{
    struct gnttab_query_size size = {.dom = DOMID_SELF};
    evtchn_port_t port;
    long rc = 0;

    (void)unused;
    for (uint32_t idx = 1; rc == 0; idx++) {
        struct gnttab_setup_table op = {.dom = DOMID_SELF,
                                        .nr_frames = idx + 1};
        static uint64_t list[64];

        op.frame_list = hypercall_ptr(list);
        rc = hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1);
        rc = rc == 0 ? op.status : rc;
    }
    do
        port = port_alloc_unbound(DOMID_SELF);
    while (port != 0);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_query_size, &size, 1), 0);
    return size.nr_frames;
}

#define GREEDY 16U

TEST("guests that want all records leave the privileged domain what it needs")
{
    static const struct child_limits limits = {.grant_frames = 64,
                                               .max_ports = 1000};
    static struct child greedy[GREEDY];
    static evtchn_port_t ports[500];
    struct control_op op = {.cmd = CONTROL_OP_unpause};
    unsigned int starved = 0, bound = 0;

    ONLY_CAIRN;
    for (unsigned int i = 0; i < GREEDY; i++) {
        if (!child_make(&greedy[i], &limits, grow_all, 0))
            return;
    }
    hogs_make();
    for (unsigned int i = 0; i < GREEDY; i++) {
        op.domid = greedy[i].domid;
        REQUIRE_EQ(control(&op), 0);
        EXPECT_TRUE(child_wait(&greedy[i]));
        EXPECT_TRUE(greedy[i].finished);
        starved += greedy[i].result < 64;
    }
    EXPECT_TRUE(starved > 0);

    /* And yet here is what other domains are served with. */
    while (bound < 500 && (ports[bound] = port_alloc_unbound(0)) != 0)
        bound++;
    EXPECT_EQ(bound, 500);
    EXPECT_TRUE(grant_table(4) != NULL);
    while (bound)
        EXPECT_EQ(port_close(ports[--bound]), 0);
    while (hog_count)
        hog_destroy_last();
    for (unsigned int i = 0; i < GREEDY; i++)
        child_destroy(&greedy[i]);
}
