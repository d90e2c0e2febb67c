/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames for other ones: what may be given, what comes for it, and that nothing
 * is lost where it is refused, or where another vCPU wants the frame as well.
 */

#include <string.h>

#include <abi/memory.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/tables.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define FRAMES 16U /* of the largest extent that Cairn has */
#define ORDER  4U
#define MANY   28U /* more than are exchanged without a break */
#define ROUNDS 400U
#define GREF   40U

#define M2P  ((const volatile uint64_t *)MACH2PHYS_ADDRESS)
#define WILD ((void *)0xffff830000000000UL) /* the hypervisor's */

static uint64_t in[MANY + 1], out[MANY + 1];

static long reservation(void)
{
    struct xen_domid_arg arg = {.domid = DOMID_SELF};

    return hypercall_memory_op(XENMEM_current_reservation, &arg);
}

static uint64_t pfn_of(const void *page)
{
    return (uint64_t)(uintptr_t)page / PAGE_SIZE;
}

static struct xen_memory_exchange request(uint64_t in_count, uint32_t in_order,
                                          uint64_t out_count,
                                          uint32_t out_order)
{
    return (struct xen_memory_exchange){
        .in = {.extent_start = hypercall_ptr(in),
               .nr_extents = in_count,
               .extent_order = in_order,
               .domid = DOMID_SELF},
        .out = {.extent_start = hypercall_ptr(out),
                .nr_extents = out_count,
                .extent_order = out_order,
                .domid = DOMID_SELF},
    };
}

static long exchange(struct xen_memory_exchange *x)
{
    return hypercall_memory_op(XENMEM_exchange, x);
}

/* Pages that are mapped nowhere, as what is given and for what comes. */
static void give_pages(unsigned int first, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        page_at(first + i)[9] = 76;
        EXPECT_EQ(map_at(page_at(first + i), 0), 0);
        in[i] = frame_of(page_at(first + i));
        out[i] = pfn_of(page_at(first + i));
    }
}

/* @frame is page @index from now on. */
static void use_frame(unsigned int index, uint64_t frame)
{
    ((uint64_t *)(uintptr_t)start_info->mfn_list)[pfn_of(page_at(index))] =
        frame;
    EXPECT_EQ(map_writable(page_at(index)), 0);
}

/* The same where the M2P has taken something else for the page's number. */
static void rename_frame(unsigned int index, uint64_t frame)
{
    EXPECT_EQ(mmu_one(frame * PAGE_SIZE | MMU_MACHPHYS_UPDATE,
                      pfn_of(page_at(index))),
              0);
    use_frame(index, frame);
}

static void expect_fresh(unsigned int index, uint64_t frame)
{
    EXPECT_EQ(M2P[frame], pfn_of(page_at(index)));
    use_frame(index, frame);
    for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
        if (page_at(index)[i] != 0)
            EXPECT_EQ(i, TABLE_ENTRIES);
}

TEST("frames are exchanged one by one: zeros for the same pages, and as many")
{
    struct xen_memory_exchange x = request(MANY, 0, MANY, 0);
    long before = reservation();

    give_pages(0, MANY);
    REQUIRE_EQ(exchange(&x), 0);
    EXPECT_EQ(x.nr_exchanged, MANY);
    EXPECT_EQ(reservation(), before);
    for (unsigned int i = 0; i < MANY; i++) {
        EXPECT_TRUE(out[i] != in[i]);
        expect_fresh(i, out[i]);
    }
}

TEST("frames from anywhere are exchanged for ones in a row, and back")
{
    for (uint32_t order = 1; order <= ORDER; order++) {
        uint64_t count = FRAMES >> order;
        struct xen_memory_exchange x = request(FRAMES, 0, count, order);
        long before = reservation();

        give_pages(0, FRAMES);
        for (uint64_t i = 0; i < count; i++)
            out[i] = pfn_of(page_at((unsigned int)(i << order)));
        REQUIRE_EQ(exchange(&x), 0);
        EXPECT_EQ(x.nr_exchanged, FRAMES);
        for (uint64_t i = 0; i < FRAMES; i++)
            expect_fresh((unsigned int)i, out[i >> order] + i % (1U << order));

        x = request(count, order, FRAMES, 0);
        memcpy(in, out, sizeof(in));
        for (unsigned int i = 0; i < FRAMES; i++) {
            out[i] = pfn_of(page_at(i));
            EXPECT_EQ(map_at(page_at(i), 0), 0);
        }
        REQUIRE_EQ(exchange(&x), 0);
        EXPECT_EQ(x.nr_exchanged, count);
        for (unsigned int i = 0; i < FRAMES; i++)
            expect_fresh(i, out[i]);
        EXPECT_EQ(reservation(), before);
    }
}

TEST("extents of two sizes, both of several frames")
{
    struct xen_memory_exchange x = request(8, 0, 4, 1);

    give_pages(0, 8);
    for (unsigned int i = 0; i < 4; i++)
        out[i] = pfn_of(page_at(2 * i));
    REQUIRE_EQ(exchange(&x), 0);
    x = request(4, 1, 1, 3);
    memcpy(in, out, sizeof(in));
    out[0] = pfn_of(page_at(0));
    REQUIRE_EQ(exchange(&x), 0);
    EXPECT_EQ(x.nr_exchanged, 4);
    for (unsigned int i = 0; i < 8; i++)
        expect_fresh(i, out[0] + i);
}

TEST("an exchange that is half done goes on there, in whole chunks")
{
    struct xen_memory_exchange x = request(4, 0, 2, 1);

    give_pages(0, 4);
    out[1] = out[2];
    x.nr_exchanged = 3;
    REQUIRE_EQ(exchange(&x), 0);
    EXPECT_EQ(x.nr_exchanged, 4);
    EXPECT_EQ(out[0], pfn_of(page_at(0)));
    use_frame(0, in[0]);
    use_frame(1, in[1]);
    EXPECT_EQ(page_at(1)[9], 76);
    expect_fresh(2, out[1]);
    expect_fresh(3, out[1] + 1);

    x = request(4, 0, 4, 0);
    x.nr_exchanged = 4;
    EXPECT_EQ(exchange(&x), 0);
    x = request(0, 0, 0, 0);
    EXPECT_EQ(exchange(&x), 0);
}

static void refused(struct xen_memory_exchange x, long want)
{
    uint64_t done = x.nr_exchanged;

    EXPECT_EQ(exchange(&x), want);
    EXPECT_EQ(x.nr_exchanged, done);
}

TEST("orders, sums and domains that cannot be are refused before any frame")
{
    struct xen_memory_exchange x = request(1, 0, 1, 0);
    long before = reservation();

    give_pages(0, 1);
    for (uint32_t order = 19; order != 0; order <<= 1) {
        refused(request(1, order, 1, 0), -ABI_EPERM);
        refused(request(1, 0, 1, order), -ABI_EPERM);
        refused(request(1, order, 1, order), -ABI_EPERM);
    }
    if (!on_xen)
        refused(request(1, ORDER + 1, 1, ORDER + 1), -ABI_EPERM);
    refused(request(1, 0, 2, 0), -ABI_EINVAL);
    refused(request(1, 0, 1, 1), -ABI_EINVAL);
    refused(request(3, 0, 1, 1), -ABI_EINVAL);
    refused(request(1, 0, 0, 0), -ABI_EINVAL);
    refused(request(1UL << 63, 1, 0, 0), -ABI_EINVAL);
    refused(request(0, 0, 1UL << 63, 1), -ABI_EINVAL);
    refused(request((1UL << 63) + 1, 1, 2, 0), -ABI_EINVAL);
    refused(request(1UL << 60, 4, 1UL << 60, 4), -ABI_EINVAL);
    x.nr_exchanged = 2;
    refused(x, -ABI_EINVAL);
    x.nr_exchanged = ~0UL;
    refused(x, -ABI_EINVAL);
    x.nr_exchanged = 0;
    x.out.domid = 0x5555;
    refused(x, -ABI_EINVAL);
    x.in.domid = 0x5555;
    refused(x, on_xen ? -ABI_ESRCH : -ABI_EPERM);
    x = request(1, 0, 1, 0);
    EXPECT_EQ(hypercall2(HYPERCALL_memory_op, XENMEM_exchange | 1UL << 6,
                         hypercall_ptr(&x)),
              -ABI_EINVAL);
    EXPECT_EQ(reservation(), before);
    use_frame(0, in[0]);
    EXPECT_EQ(page_at(0)[9], 76);
}

/* Neither alone nor behind a good one, in whose chunk it is or is not. */
static void not_given(uint64_t frame)
{
    struct xen_memory_exchange x = request(1, 0, 1, 0);

    give_pages(0, 3);
    in[0] = frame;
    refused(x, -ABI_EINVAL);
    in[0] = frame_of(page_at(0));
    in[1] = frame;
    refused(request(2, 0, 1, 1), -ABI_EINVAL);
    use_frame(0, in[0]);
    EXPECT_EQ(page_at(0)[9], 76);
    EXPECT_EQ(map_at(page_at(0), 0), 0);

    x = request(3, 0, 3, 0);
    EXPECT_EQ(exchange(&x), -ABI_EINVAL);
    EXPECT_EQ(x.nr_exchanged, 1);
    EXPECT_EQ(out[1], pfn_of(page_at(1)));
    expect_fresh(0, out[0]);
    use_frame(1, frame_of(page_at(1)));
    use_frame(2, in[2]);
    EXPECT_EQ(page_at(2)[9], 76);
}

TEST("frames that are used, or not the domain's, are not given")
{
    struct gnttab_map_grant_ref map;
    const uint64_t *own = (const uint64_t *)(uintptr_t)start_info->pt_base;
    long before = reservation();
    uint64_t gdt = frame_of(page_at(4));

    not_given(frame_of(page_at(3))); /* mapped writable */
    REQUIRE_EQ(map_readable(page_at(3)), 0);
    not_given(frame_of(page_at(3)));
    not_given(frame_of(own));
    not_given(start_info->shared_info / PAGE_SIZE);
    not_given(~0UL);
    not_given(1UL << 40);
    not_given(0); /* no RAM, or the hypervisor's */

    REQUIRE_EQ(pin(page_at(3), 1), 0);
    REQUIRE_EQ(map_at(page_at(3), 0), 0);
    not_given(frame_of(page_at(3))); /* only pinned */
    EXPECT_EQ(unpin(page_at(3)), 0);

    REQUIRE_EQ(map_readable(page_at(4)), 0);
    REQUIRE_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(&gdt), 512), 0);
    REQUIRE_EQ(map_at(page_at(4), 0), 0);
    not_given(gdt);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, 0, 0), 0);

    REQUIRE(grants_init());
    grant_give(GREF, own_domid, page_at(5), 0);
    map = grant_map(own_domid, GREF, grant_slot(0), GNTMAP_host_map);
    REQUIRE_EQ(map.status, GNTST_okay);
    REQUIRE_EQ(map_at(page_at(5), 0), 0);
    not_given(frame_of(page_at(5)));
    EXPECT_EQ(grant_unmap(map.handle, grant_slot(0)), GNTST_okay);
    EXPECT_TRUE(grant_take_back(GREF));
    EXPECT_EQ(reservation(), before);

    /* And then they are. */
    for (unsigned int i = 3; i < 6; i++) {
        struct xen_memory_exchange x = request(1, 0, 1, 0);

        in[0] = frame_of(page_at(i));
        out[0] = pfn_of(page_at(i));
        EXPECT_EQ(exchange(&x), 0);
        expect_fresh(i, out[0]);
    }
}

TEST("a frame that is there twice is given once")
{
    struct xen_memory_exchange x = request(2, 0, 2, 0);

    give_pages(0, 2);
    in[1] = in[0];
    refused(request(2, 0, 1, 1), -ABI_EINVAL);
    EXPECT_EQ(exchange(&x), -ABI_EINVAL);
    EXPECT_EQ(x.nr_exchanged, 1);
    expect_fresh(0, out[0]);
    use_frame(1, frame_of(page_at(1)));
}

TEST("lists that overlap are read and written extent by extent")
{
    struct xen_memory_exchange x = request(MANY, 0, MANY, 0);
    long before = reservation();

    give_pages(0, MANY);
    x.out.extent_start = x.in.extent_start;
    REQUIRE_EQ(exchange(&x), 0);
    for (unsigned int i = 0; i < MANY; i++) {
        EXPECT_EQ(M2P[in[i]], frame_of(page_at(i))); /* taken for a pfn */
        rename_frame(i, in[i]);
    }

    /* What comes for one frame is given for the next. */
    give_pages(0, MANY);
    x.nr_exchanged = 0;
    x.out.extent_start += sizeof(in[0]);
    EXPECT_EQ(exchange(&x), 0);
    rename_frame(0, in[MANY]);
    for (unsigned int i = 1; i < MANY; i++) {
        use_frame(i, frame_of(page_at(i)));
        EXPECT_EQ(page_at(i)[9], 76);
    }
    EXPECT_EQ(reservation(), before);
}

TEST("lists and requests where the guest has none are -EFAULT")
{
    struct xen_memory_exchange x = request(1, 0, 1, 0);
    uint64_t *lists = page_at(8);

    give_pages(0, 1);
    EXPECT_EQ(hypercall_memory_op(XENMEM_exchange, WILD), -ABI_EFAULT);
    x.in.extent_start = hypercall_ptr(WILD);
    refused(x, -ABI_EFAULT);
    x = request(1, 0, 1, 0);
    x.out.extent_start = hypercall_ptr(WILD);
    refused(x, -ABI_EFAULT);

    /* A page that is gone behind the first word of each. */
    REQUIRE_EQ(map_at(page_at(9), 0), 0);
    x = request(2, 0, 2, 0);
    lists[511] = in[0];
    x.in.extent_start = hypercall_ptr(lists + 511);
    EXPECT_EQ(exchange(&x), -ABI_EFAULT);
    EXPECT_EQ(x.nr_exchanged, 1);
    expect_fresh(0, out[0]);
    EXPECT_EQ(map_writable(page_at(9)), 0);
    if (on_xen)
        return; /* The new frame is there, and nobody is told. */

    give_pages(0, 1);
    x = request(1, 0, 1, 0);
    x.out.extent_start = hypercall_ptr(page_at(9));
    page_at(9)[0] = out[0];
    REQUIRE_EQ(map_readable(page_at(9)), 0);
    refused(x, -ABI_EFAULT);
    use_frame(0, in[0]);
    EXPECT_EQ(page_at(0)[9], 76);
}

TEST("frames that narrow addresses reach are there or not, and none is lost")
{
    struct xen_memory_exchange x = request(1, 0, 1, 0);

    give_pages(0, 1);
    x.out.mem_flags = 12;
    refused(x, -ABI_ENOMEM);
    use_frame(0, in[0]);
    EXPECT_EQ(page_at(0)[9], 76);

    give_pages(0, 1);
    x.out.mem_flags = 40;
    REQUIRE_EQ(exchange(&x), 0);
    EXPECT_TRUE(out[0] < 1UL << 28);
    expect_fresh(0, out[0]);
}

/* --- Two vCPUs ------------------------------------------------------------ */

static volatile unsigned int round_begun, round_ended;
static volatile uint64_t wanted;
static long other_rc;
static uint64_t other_out;

/* What the other vCPU does with the frame; 0: it has got it. */
static long other_use(unsigned int kind)
{
    uint64_t frame = wanted, list = frame;
    struct xen_memory_reservation r = {.extent_start = hypercall_ptr(&list),
                                       .nr_extents = 1,
                                       .domid = DOMID_SELF};
    struct xen_memory_exchange x = {
        .in = r,
        .out = {.extent_start = hypercall_ptr(&other_out),
                .nr_extents = 1,
                .domid = DOMID_SELF},
    };

    switch (kind) {
    case 0:
        other_out = pfn_of(page_at(0));
        return exchange(&x);
    case 1:
        return hypercall_memory_op(XENMEM_decrease_reservation, &r) - 1;
    case 2:
        return map_at(page_at(1), frame * PAGE_SIZE | TO_WRITE);
    case 3:
        return mmuext_call(MMUEXT_PIN_L1_TABLE, frame, 0);
    default:
        return grant_copy_in(own_domid, GREF, 0, page_at(2), 64);
    }
}

static void other_vcpu(uint64_t kind)
{
    while (round_ended < ROUNDS) {
        YIELD_UNTIL(round_begun > round_ended);
        other_rc = other_use((unsigned int)kind);
        round_ended++;
    }
}

/* Page 0 has the one frame again that is left; -1: it has been given up. */
static void settle(unsigned int kind, bool ours, bool others)
{
    uint64_t frame = wanted;

    if (ours)
        frame = out[0];
    else if (others && kind == 0)
        frame = other_out;
    if (others && kind == 1) {
        struct xen_memory_reservation r = {.extent_start =
                                               hypercall_ptr(&frame),
                                           .nr_extents = 1,
                                           .domid = DOMID_SELF};

        frame = pfn_of(page_at(0));
        REQUIRE_EQ(hypercall_memory_op(XENMEM_populate_physmap, &r), 1);
    }
    if (others && kind == 2)
        EXPECT_EQ(map_writable(page_at(1)), 0);
    if (others && kind == 3)
        EXPECT_EQ(mmuext_call(MMUEXT_UNPIN_TABLE, frame, 0), 0);
    use_frame(0, frame);
}

TEST("a frame is given away or used, whichever vCPU is first")
{
    long before = reservation();

    SKIP_UNLESS_VCPUS(2);
    REQUIRE(grants_init());
    for (unsigned int kind = 0; kind < 5; kind++) {
        unsigned int first = 0, second = 0;

        round_begun = round_ended = 0;
        REQUIRE(vcpu_start(1, other_vcpu, kind));
        for (unsigned int i = 1; i <= ROUNDS; i++) {
            struct xen_memory_exchange x = request(1, 0, 1, 0);
            bool ours, others;

            give_pages(0, 1);
            wanted = in[0];
            grant_give(GREF, own_domid, page_at(0), 0);
            round_begun = i;
            for (unsigned int n = 0; n < i % 32 * 8; n++)
                __asm__ volatile("pause");
            ours = exchange(&x) == 0;
            YIELD_UNTIL(round_ended == i);
            others = other_rc == 0;
            first += ours;
            second += others;
            if (kind < 4)
                EXPECT_TRUE(on_xen ? !ours || !others : ours != others);
            settle(kind, ours, others);
            EXPECT_TRUE(grant_take_back(GREF));
        }
        REQUIRE(vcpu_wait(1));
        EXPECT_EQ(reservation(), before);
        print("# use %u: %u exchanged, %u used\n", kind, first, second);
    }
}
