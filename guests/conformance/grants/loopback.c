/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants of a domain to itself: maps, copies and every status. */

#include <string.h>

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/test.h"

#define REF    20U
#define NOBODY ((domid_t)0x5555)

PAGES(page, 1);
PAGES(other, 1);
PAGES(two_pages, 2);

static uint16_t flags_of(grant_ref_t ref)
{
    return __atomic_load_n(&grants[ref].flags, __ATOMIC_SEQ_CST);
}

static void write_byte(void *address)
{
    *(volatile uint8_t *)address = 0x5a;
}

static void read_byte(void *address)
{
    *(volatile uint8_t *)address;
}

static uint8_t *slot(unsigned int index)
{
    return (uint8_t *)(uintptr_t)grant_slot(index);
}

TEST("the table has a size, and a greatest size")
{
    struct gnttab_query_size op = {.dom = DOMID_SELF};

    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_query_size, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_okay);
    EXPECT_TRUE(op.nr_frames >= 1);
    EXPECT_TRUE(op.max_nr_frames >= op.nr_frames);
}

TEST("setup_table beyond the greatest size is refused")
{
    static uint64_t list[256];
    struct gnttab_setup_table op = {.dom = DOMID_SELF,
                                    .nr_frames = 0x10000000,
                                    .frame_list = hypercall_ptr(list)};

    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_general_error);
    op.nr_frames = ~0U;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_general_error);
}

TEST("setup_table and query_size of no domain are bad_domain")
{
    struct gnttab_setup_table setup = {.dom = NOBODY, .nr_frames = 1};
    struct gnttab_query_size query = {.dom = NOBODY};

    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0);
    EXPECT_EQ(setup.status, GNTST_bad_domain);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_query_size, &query, 1), 0);
    EXPECT_EQ(query.status, GNTST_bad_domain);
}

TEST("the version is 1, and no other one can be had")
{
    struct gnttab_get_version get = {.dom = DOMID_SELF};
    struct gnttab_set_version set = {.version = 1};

    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_set_version, &set, 1), 0);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_get_version, &get, 1), 0);
    EXPECT_EQ(get.version, 1);
    set.version = 3;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_set_version, &set, 1),
              -ABI_EINVAL);
    set.version = 0;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_set_version, &set, 1),
              -ABI_EINVAL);
}

TEST("a mapped grant is the granted page, marked as in use until unmapped")
{
    struct gnttab_map_grant_ref op;

    memset(page, 0x11, PAGE_SIZE);
    grant_give(REF, own_domid, page, 0);
    op = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    REQUIRE_EQ(op.status, GNTST_okay);
    EXPECT_EQ(slot(0)[100], 0x11);
    slot(0)[100] = 0x22;
    EXPECT_EQ(page[100], 0x22);
    EXPECT_EQ(flags_of(REF) & (GTF_reading | GTF_writing),
              GTF_reading | GTF_writing);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    EXPECT_EQ(flags_of(REF) & (GTF_reading | GTF_writing), 0);
    EXPECT_TRUE(grant_take_back(REF));
    EXPECT_TRUE(fault_probe(read_byte, slot(0)));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
}

TEST("a readonly mapping cannot be written through")
{
    struct gnttab_map_grant_ref op;

    grant_give(REF, own_domid, page, 0);
    op = grant_map(own_domid, REF, grant_slot(1),
                   GNTMAP_host_map | GNTMAP_readonly);
    REQUIRE_EQ(op.status, GNTST_okay);
    EXPECT_EQ(flags_of(REF) & (GTF_reading | GTF_writing), GTF_reading);
    EXPECT_FALSE(fault_probe(read_byte, slot(1)));
    EXPECT_TRUE(fault_probe(write_byte, slot(1)));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_EQ(trap_seen.error, PF_PRESENT | PF_WRITE);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(1)), GNTST_okay);
    EXPECT_TRUE(grant_take_back(REF));
}

TEST("writing goes with the last writable mapping, reading with the last")
{
    struct gnttab_map_grant_ref rw, ro;

    grant_give(REF, own_domid, page, 0);
    rw = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    ro = grant_map(own_domid, REF, grant_slot(1),
                   GNTMAP_host_map | GNTMAP_readonly);
    REQUIRE_EQ(rw.status, GNTST_okay);
    REQUIRE_EQ(ro.status, GNTST_okay);
    EXPECT_TRUE(rw.handle != ro.handle);
    EXPECT_EQ(grant_unmap(rw.handle, grant_slot(0)), GNTST_okay);
    EXPECT_EQ(flags_of(REF) & (GTF_reading | GTF_writing), GTF_reading);
    EXPECT_EQ(grant_unmap(ro.handle, grant_slot(1)), GNTST_okay);
    EXPECT_EQ(flags_of(REF) & (GTF_reading | GTF_writing), 0);
    EXPECT_TRUE(grant_take_back(REF));
}

/* What a map of a certain entry answers. */
static int16_t map_status(domid_t domid, grant_ref_t ref, uint32_t flags)
{
    struct gnttab_map_grant_ref op =
        grant_map(domid, ref, grant_slot(2), flags);

    if (op.status == GNTST_okay)
        EXPECT_EQ(grant_unmap(op.handle, grant_slot(2)), GNTST_okay);
    return op.status;
}

TEST("a map that asks for no mapping is bad_gntref")
{
    grant_give(REF, own_domid, page, 0);
    EXPECT_EQ(map_status(own_domid, REF, 0), GNTST_bad_gntref);
    grant_take_back(REF);
}

TEST("a reference beyond the table is bad_gntref")
{
    EXPECT_EQ(map_status(own_domid, 0x100000, GNTMAP_host_map),
              GNTST_bad_gntref);
    EXPECT_EQ(map_status(own_domid, ~0U, GNTMAP_host_map), GNTST_bad_gntref);
}

TEST("a grant of no domain, or of DOMID_SELF, is bad_domain")
{
    grant_give(REF, own_domid, page, 0);
    EXPECT_EQ(map_status(NOBODY, REF, GNTMAP_host_map), GNTST_bad_domain);
    EXPECT_EQ(map_status(DOMID_SELF, REF, GNTMAP_host_map), GNTST_bad_domain);
    grant_take_back(REF);
}

TEST("an entry that is not granted, or to another, is a general error")
{
    grants[REF].flags = 0;
    EXPECT_EQ(map_status(own_domid, REF, GNTMAP_host_map), GNTST_general_error);
    grant_give(REF, NOBODY, page, 0);
    EXPECT_EQ(map_status(own_domid, REF, GNTMAP_host_map), GNTST_general_error);
    grants[REF].flags = 0;
    grant_give(REF, own_domid, page, 0);
    grants[REF].flags = GTF_accept_transfer;
    EXPECT_EQ(map_status(own_domid, REF, GNTMAP_host_map), GNTST_general_error);
    grants[REF].flags = 0;
}

TEST("a readonly grant cannot be mapped writable")
{
    grant_give(REF, own_domid, page, GTF_readonly);
    EXPECT_EQ(map_status(own_domid, REF, GNTMAP_host_map), GNTST_general_error);
    EXPECT_EQ(map_status(own_domid, REF, GNTMAP_host_map | GNTMAP_readonly),
              GNTST_okay);
    EXPECT_TRUE(grant_take_back(REF));
}

TEST("a frame that the granter does not own is refused")
{
    static const uint32_t frames[] = {0x7fffffff, 0xffffffff, 0x00f00000};

    for (unsigned int i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        grant_give(REF, own_domid, page, 0);
        grants[REF].frame = frames[i];
        EXPECT_TRUE(map_status(own_domid, REF, GNTMAP_host_map) < 0);
        EXPECT_TRUE(grant_copy_in(own_domid, REF, 0, other, 8) < 0);
        EXPECT_TRUE(grant_take_back(REF));
    }
}

TEST("a mapping cannot be put where no mapping may be")
{
    static const uint64_t addresses[] = {0x0000800000000000, 0x8000000000000000,
                                         0xffff820000000000, 0xffff800000000000,
                                         0x00007f0000000000, ~0UL};

    grant_give(REF, own_domid, page, 0);
    for (unsigned int i = 0; i < sizeof(addresses) / sizeof(addresses[0]);
         i++) {
        struct gnttab_map_grant_ref op =
            grant_map(own_domid, REF, addresses[i], GNTMAP_host_map);

        EXPECT_TRUE(op.status < 0);
    }
    EXPECT_EQ(flags_of(REF) & (GTF_reading | GTF_writing), 0);
    EXPECT_TRUE(grant_take_back(REF));
}

TEST("class light maps grants in the grant window only, once each page")
{
    struct gnttab_map_grant_ref op, again;

    SKIP_ON_XEN("class pv maps where it likes");
    grant_give(REF, own_domid, page, 0);
    op = grant_map(own_domid, REF, hypercall_ptr(other), GNTMAP_host_map);
    EXPECT_TRUE(op.status < 0);
    op = grant_map(own_domid, REF, grant_slot(0) + 8, GNTMAP_host_map);
    EXPECT_TRUE(op.status < 0);
    op = grant_map(own_domid, REF,
                   grant_slot(0) + layout.grant_pages * PAGE_SIZE,
                   GNTMAP_host_map);
    EXPECT_TRUE(op.status < 0);
    op = grant_map(own_domid, REF, grant_slot(0) - PAGE_SIZE, GNTMAP_host_map);
    EXPECT_TRUE(op.status < 0);
    op = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    EXPECT_EQ(op.status, GNTST_okay);
    again = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    EXPECT_TRUE(again.status < 0);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    EXPECT_TRUE(grant_take_back(REF));
}

TEST("a handle that is not ours is bad_handle, a second unmap too")
{
    struct gnttab_map_grant_ref op;

    EXPECT_EQ(grant_unmap(0x12345, grant_slot(0)), GNTST_bad_handle);
    EXPECT_EQ(grant_unmap(~0U, grant_slot(0)), GNTST_bad_handle);
    grant_give(REF, own_domid, page, 0);
    op = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    REQUIRE_EQ(op.status, GNTST_okay);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_bad_handle);
    EXPECT_TRUE(grant_take_back(REF));
}

TEST("an unmap with the address of another mapping is refused")
{
    struct gnttab_map_grant_ref one, two;

    memset(other, 0x77, PAGE_SIZE);
    grant_give(REF, own_domid, page, 0);
    grant_give(REF + 1, own_domid, other, 0);
    one = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    two = grant_map(own_domid, REF + 1, grant_slot(1), GNTMAP_host_map);
    REQUIRE_EQ(one.status, GNTST_okay);
    REQUIRE_EQ(two.status, GNTST_okay);
    EXPECT_TRUE(grant_unmap(one.handle, grant_slot(1)) < 0);
    EXPECT_EQ(slot(1)[0], 0x77);
    EXPECT_EQ(grant_unmap(two.handle, grant_slot(1)), GNTST_okay);
    EXPECT_EQ(grant_unmap(one.handle, grant_slot(0)), GNTST_okay);
    EXPECT_TRUE(grant_take_back(REF));
    EXPECT_TRUE(grant_take_back(REF + 1));
}

TEST("a copy moves the bytes asked for and no others")
{
    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        page[i] = (uint8_t)i;
    memset(other, 0xee, PAGE_SIZE);
    grant_give(REF, own_domid, page, GTF_readonly);
    EXPECT_EQ(grant_copy_in(own_domid, REF, 10, other + 100, 50), GNTST_okay);
    EXPECT_EQ(other[99], 0xee);
    EXPECT_EQ(other[100], 10);
    EXPECT_EQ(other[149], 59);
    EXPECT_EQ(other[150], 0xee);
    EXPECT_EQ(flags_of(REF) & (GTF_reading | GTF_writing), 0);
    EXPECT_TRUE(grant_take_back(REF));
}

TEST("a copy of a whole page, and of nothing")
{
    memset(page, 0x42, PAGE_SIZE);
    memset(other, 0, PAGE_SIZE);
    grant_give(REF, own_domid, other, 0);
    EXPECT_EQ(grant_copy_out(page, own_domid, REF, 0, PAGE_SIZE), GNTST_okay);
    EXPECT_EQ(memcmp(page, other, PAGE_SIZE), 0);
    EXPECT_EQ(grant_copy_out(page, own_domid, REF, 0, 0), GNTST_okay);
    EXPECT_TRUE(grant_take_back(REF));
}

TEST("a copy over the end of a page is bad_copy_arg")
{
    grant_give(REF, own_domid, other, 0);
    EXPECT_EQ(grant_copy_out(page, own_domid, REF, 1, PAGE_SIZE),
              GNTST_bad_copy_arg);
    EXPECT_EQ(grant_copy_out(page, own_domid, REF, 0xffff, 1),
              GNTST_bad_copy_arg);
    EXPECT_EQ(grant_copy_out(page, own_domid, REF, 0xf000, 0x2000),
              GNTST_bad_copy_arg);
    EXPECT_EQ(grant_copy_out(page + 4000, own_domid, REF, 0, 100),
              GNTST_bad_copy_arg);
    EXPECT_EQ(grant_copy_out(page, own_domid, REF, 0, 0xffff),
              GNTST_bad_copy_arg);
    EXPECT_TRUE(grant_take_back(REF));
}

TEST("a copy into a readonly grant is refused")
{
    memset(other, 0x33, PAGE_SIZE);
    grant_give(REF, own_domid, other, GTF_readonly);
    EXPECT_EQ(grant_copy_out(page, own_domid, REF, 0, 16), GNTST_general_error);
    EXPECT_EQ(other[0], 0x33);
    EXPECT_TRUE(grant_take_back(REF));
}

TEST("a copy from a frame that is not ours is refused")
{
    struct gnttab_copy op = {
        .source = {.u.gmfn = 0x7fffffff, .domid = DOMID_SELF},
        .dest = {.u.gmfn = frame_of(other), .domid = DOMID_SELF},
        .len = 16,
    };

    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    EXPECT_TRUE(op.status < 0);
    op.source.u.gmfn = ~0UL;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    EXPECT_TRUE(op.status < 0);
    op.source.u.gmfn = frame_of(page);
    op.dest.u.gmfn = 1UL << 40;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    EXPECT_TRUE(op.status < 0);
}

TEST("a batch has a status an entry, in order")
{
    struct gnttab_copy ops[3];

    memset(page, 1, PAGE_SIZE);
    memset(other, 2, PAGE_SIZE);
    for (int i = 0; i < 3; i++)
        ops[i] = (struct gnttab_copy){
            .source = {.u.gmfn = frame_of(page), .domid = DOMID_SELF},
            .dest = {.u.gmfn = frame_of(other),
                     .domid = DOMID_SELF,
                     .offset = (uint16_t)(i * 16)},
            .len = 16,
        };
    ops[1].len = 5000;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, ops, 3), 0);
    EXPECT_EQ(ops[0].status, GNTST_okay);
    EXPECT_EQ(ops[1].status, GNTST_bad_copy_arg);
    EXPECT_EQ(ops[2].status, GNTST_okay);
    EXPECT_EQ(other[0], 1);
    EXPECT_EQ(other[16], 2);
    EXPECT_EQ(other[32], 1);
}

TEST("a batch that runs off its memory is -EFAULT, what came before is done")
{
    struct gnttab_copy *last =
        (struct gnttab_copy *)(void *)(two_pages + PAGE_SIZE) - 1;

    REQUIRE(guard_page(two_pages + PAGE_SIZE));
    memset(page, 9, 16);
    memset(other, 0, 16);
    *last = (struct gnttab_copy){
        .source = {.u.gmfn = frame_of(page), .domid = DOMID_SELF},
        .dest = {.u.gmfn = frame_of(other), .domid = DOMID_SELF},
        .len = 16,
        .status = 77,
    };
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, last, 2), -ABI_EFAULT);
    EXPECT_EQ(last->status, GNTST_okay);
    EXPECT_EQ(other[15], 9);
    EXPECT_TRUE(unguard_page(two_pages + PAGE_SIZE));
}

TEST("counts that are negative, or not one where one is wanted, are -EINVAL")
{
    uint64_t arg[64] = {0};

    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, arg, ~0U), -ABI_EINVAL);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_map_grant_ref, arg, 1U << 31),
              -ABI_EINVAL);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, arg, 2),
              -ABI_EINVAL);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_query_size, arg, 2),
              -ABI_EINVAL);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, arg, 0), 0);
}

TEST("an unknown grant operation is -ENOSYS or -EINVAL")
{
    uint64_t arg[64] = {0};
    long rc = hypercall_grant_table_op(99, arg, 1);

    EXPECT_TRUE(rc == -ABI_ENOSYS || rc == -ABI_EINVAL);
}

/* --- A granter that changes its mind behind the hypervisor's back ----------
 */

TEST("an entry cleared while mapped leaves the mapping, and can be unmapped")
{
    struct gnttab_map_grant_ref op;

    memset(page, 0x44, PAGE_SIZE);
    grant_give(REF, own_domid, page, 0);
    op = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    REQUIRE_EQ(op.status, GNTST_okay);
    memset(&grants[REF], 0, sizeof(grants[REF]));
    EXPECT_EQ(slot(0)[5], 0x44);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    grants[REF].flags = 0;
}

TEST("a frame changed while mapped does not change the mapping")
{
    struct gnttab_map_grant_ref op, again;

    memset(page, 0x44, PAGE_SIZE);
    memset(other, 0x55, PAGE_SIZE);
    grant_give(REF, own_domid, page, 0);
    op = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    REQUIRE_EQ(op.status, GNTST_okay);
    grants[REF].frame = (uint32_t)frame_of(other);
    again = grant_map(own_domid, REF, grant_slot(1), GNTMAP_host_map);
    EXPECT_EQ(slot(0)[0], 0x44);
    if (again.status == GNTST_okay) {
        /* An entry in use keeps naming what it named when it was pinned. */
        EXPECT_EQ(slot(1)[0], 0x44);
        EXPECT_EQ(grant_unmap(again.handle, grant_slot(1)), GNTST_okay);
    }
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    grants[REF].flags = 0;
}

TEST("flags that only the hypervisor may set give no right")
{
    grant_give(REF, own_domid, page, GTF_readonly | GTF_writing | GTF_reading);
    EXPECT_EQ(map_status(own_domid, REF, GNTMAP_host_map), GNTST_general_error);
    grants[REF].flags = 0;
}

TEST("text cannot be granted for writing")
{
    extern const char rt_text_start[];
    static uint8_t before[64];

    SKIP_ON_XEN("its builder maps text writable");
    memcpy(before, rt_text_start, sizeof(before));
    grant_give(REF, own_domid, rt_text_start, 0);
    EXPECT_TRUE(map_status(own_domid, REF, GNTMAP_host_map) < 0);
    EXPECT_TRUE(grant_copy_out(page, own_domid, REF, 0, 64) < 0);
    EXPECT_EQ(memcmp(before, rt_text_start, sizeof(before)), 0);
    EXPECT_EQ(map_status(own_domid, REF, GNTMAP_host_map | GNTMAP_readonly),
              GNTST_okay);
    grants[REF].flags = 0;
    EXPECT_TRUE(grant_copy_in(own_domid, REF, 0, rt_text_start, 8) < 0);
}

TEST("a page that was never touched can be granted, and reads as zero")
{
    uint8_t *fresh;
    struct gnttab_map_grant_ref op;

    SKIP_ON_XEN("its memory is all there from the start");
    fresh = (uint8_t *)(uintptr_t)(layout.virt_base +
                                   (layout.ram_pages - 5) * PAGE_SIZE);
    grant_give(REF, own_domid, fresh, 0);
    op = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    REQUIRE_EQ(op.status, GNTST_okay);
    EXPECT_EQ(slot(0)[9], 0);
    slot(0)[9] = 0x66;
    EXPECT_EQ(fresh[9], 0x66);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    EXPECT_TRUE(grant_take_back(REF));
}

TEST("a page that is mapped elsewhere cannot be discarded or protected")
{
    struct gnttab_map_grant_ref op;
    struct light_discard discard = {.count = 1};
    struct light_protect protect = {.count = 1, .prot = LIGHT_PROT_guard};

    SKIP_ON_XEN("light_op is Cairn's");
    discard.gfn = protect.gfn = frame_of(page);
    page[0] = 0x71;
    grant_give(REF, own_domid, page, 0);
    op = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    REQUIRE_EQ(op.status, GNTST_okay);
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_discard, &discard), -ABI_EACCES);
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_protect, &protect), -ABI_EACCES);
    EXPECT_EQ(slot(0)[0], 0x71);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_discard, &discard), 0);
    EXPECT_EQ(page[0], 0);
    EXPECT_TRUE(grant_take_back(REF));
}
