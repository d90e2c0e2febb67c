/* SPDX-License-Identifier: BSD-2-Clause */
/* Making domains: what create and the builder's operations take and refuse. */

#include <string.h>

#include <abi/cpuid.h>
#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/test.h"

#define ONLY_CAIRN SKIP_ON_XEN("control_op is Cairn's")

extern const char rt_text_start[];
extern char rt_image_end[];

static struct control_op good_create(void)
{
    return (struct control_op){
        .cmd = CONTROL_OP_create,
        .domid = DOMID_INVALID,
        .u.create = {.class = CAIRN_CLASS_LIGHT,
                     .vcpu_count = 1,
                     .reserved_pages = 64,
                     .max_pages = 64,
                     .max_ports = 16,
                     .grant_frames = 1,
                     .maptrack_max = 8,
                     .grant_window = 8,
                     .weight = 256},
    };
}

static long destroy(domid_t domid)
{
    struct control_op op = {.cmd = CONTROL_OP_destroy, .domid = domid};
    long rc;

    do
        rc = control(&op);
    while (rc == -ABI_EAGAIN);
    return rc;
}

/* Try it; what should not have been made is taken away again. */
static long try_create(struct control_op op)
{
    long rc = control(&op);

    if (rc == 0)
        destroy(op.domid);
    return rc;
}

static uint64_t do_nothing(uint64_t argument)
{
    return argument + 1;
}

TEST("a domain can be made, is listed, and goes")
{
    struct control_op op = good_create();
    struct control_domain_info info;
    struct control_op list = {
        .cmd = CONTROL_OP_list,
        .u.list = {.buffer = hypercall_ptr(&info), .room = 1}};

    ONLY_CAIRN;
    EXPECT_EQ(control(&op), 0);
    EXPECT_TRUE(op.domid != 0 && op.domid < DOMID_FIRST_RESERVED);
    list.domid = op.domid;
    EXPECT_EQ(control(&list), 0);
    EXPECT_EQ(list.u.list.count, 1);
    EXPECT_EQ(info.domid, op.domid);
    EXPECT_EQ(info.flags & CONTROL_DOM_paused, CONTROL_DOM_paused);
    EXPECT_EQ(info.reserved_pages, 64);
    EXPECT_EQ(info.max_pages, 64);
    EXPECT_EQ(info.vcpu_count, 1);
    EXPECT_EQ(info.weight, 256);
    EXPECT_EQ(destroy(op.domid), 0);
    EXPECT_EQ(destroy(op.domid), -ABI_ESRCH);
}

TEST("create refuses each argument that makes no sense")
{
    struct control_op op;

    ONLY_CAIRN;
#define BAD(field, value, error)                                               \
    do {                                                                       \
        op = good_create();                                                    \
        op.u.create.field = (value);                                           \
        test_input = #field " = " #value;                                      \
        EXPECT_EQ(try_create(op), (error));                                    \
    } while (0)
    BAD(class, 2, -ABI_EOPNOTSUPP);
    BAD(class, 7, -ABI_EOPNOTSUPP);
    BAD(class, ~0U, -ABI_EOPNOTSUPP);
    BAD(vcpu_count, 0, -ABI_EINVAL);
    BAD(vcpu_count, 33, -ABI_EINVAL);
    BAD(vcpu_count, ~0U, -ABI_EINVAL);
    BAD(weight, 0, -ABI_EINVAL);
    BAD(weight, 65536, -ABI_EINVAL);
    BAD(rights, 0x10, -ABI_EPERM); /* one that nobody has */
    BAD(rights, ~0U, -ABI_EPERM);
    BAD(max_pages, 0, -ABI_EINVAL);
    BAD(max_pages, 63, -ABI_EINVAL); /* below what is reserved */
    BAD(max_pages, ~0UL, -ABI_EINVAL);
    BAD(virt_base, 0x123, -ABI_EINVAL);
    BAD(virt_base, 0x0000800000000000, -ABI_EINVAL);
    BAD(virt_base, 0xffff820000000000, -ABI_EINVAL);
    BAD(virt_base, 0xfffffffffffff000, -ABI_EINVAL);
    BAD(grant_frames, 1000, -ABI_EINVAL);
    BAD(max_ports, 1U << 20, -ABI_EINVAL);
#undef BAD
    test_input = NULL;
}

TEST("a reservation that cannot be kept is -ENOMEM")
{
    struct control_op op = good_create();

    ONLY_CAIRN;
    op.u.create.reserved_pages = op.u.create.max_pages = 1UL << 22;
    EXPECT_EQ(try_create(op), -ABI_ENOMEM);
    op.u.create.reserved_pages = free_pages() + 100;
    op.u.create.max_pages = op.u.create.reserved_pages;
    EXPECT_EQ(try_create(op), -ABI_ENOMEM);
}

TEST("a domain number is given once")
{
    struct control_op op = good_create(), again;

    ONLY_CAIRN;
    op.domid = 4242;
    again = op;
    EXPECT_EQ(control(&op), 0);
    EXPECT_EQ(op.domid, 4242);
    EXPECT_EQ(control(&again), -ABI_EEXIST);
    EXPECT_EQ(destroy(4242), 0);
    again = good_create();
    again.domid = 0;
    EXPECT_EQ(control(&again), -ABI_EEXIST);
    again.domid = DOMID_SELF;
    EXPECT_TRUE(control(&again) < 0);
}

TEST("reservations are promises: the machine's memory can be promised once")
{
    struct control_op host = {.cmd = CONTROL_OP_host_info}, first, second;
    uint64_t half;

    ONLY_CAIRN;
    EXPECT_EQ(control(&host), 0);
    half = host.u.host_info.unreserved_pages / 2 + 100;
    first = good_create();
    first.u.create.reserved_pages = first.u.create.max_pages = half;
    second = first;
    EXPECT_EQ(control(&first), 0);
    EXPECT_EQ(try_create(second), -ABI_ENOMEM);
    EXPECT_EQ(destroy(first.domid), 0);
    EXPECT_EQ(try_create(second), 0);
}

/* A paused child to try the builder's operations on. */
static bool make(struct child *child)
{
    return child_make(child, NULL, do_nothing, 41);
}

static long copy(unsigned int cmd, domid_t domid, struct control_copy args)
{
    struct control_op op = {.cmd = cmd, .domid = domid, .u.copy = args};

    return control(&op);
}

PAGES(buffer, 2);

TEST("copy_to and copy_from move bytes, and refuse what is out of bounds")
{
    struct child child;
    uint64_t gfn;

    ONLY_CAIRN;
    if (!make(&child))
        return;
    gfn = frame_of(rt_image_end) + 20;
    memset(buffer, 0x3b, sizeof(buffer));
    EXPECT_EQ(copy(CONTROL_OP_copy_to, child.domid,
                   (struct control_copy){.gfn = gfn,
                                         .buffer = hypercall_ptr(buffer),
                                         .offset = 4000,
                                         .size = 200}),
              0);
    memset(buffer, 0, sizeof(buffer));
    EXPECT_EQ(copy(CONTROL_OP_copy_from, child.domid,
                   (struct control_copy){.gfn = gfn,
                                         .buffer = hypercall_ptr(buffer),
                                         .offset = 3999,
                                         .size = 202}),
              0);
    EXPECT_EQ(buffer[0], 0);
    EXPECT_EQ(buffer[1], 0x3b);
    EXPECT_EQ(buffer[200], 0x3b);
    EXPECT_EQ(buffer[201], 0);
#define REFUSED(error, ...)                                                    \
    do {                                                                       \
        struct control_copy args = {                                           \
            .gfn = gfn, .buffer = hypercall_ptr(buffer), .size = 16};          \
        struct control_copy changed = args;                                    \
                                                                               \
        test_input = #__VA_ARGS__;                                             \
        __VA_ARGS__;                                                           \
        EXPECT_EQ(copy(CONTROL_OP_copy_to, child.domid, changed), (error));    \
        EXPECT_EQ(copy(CONTROL_OP_copy_from, child.domid, changed), (error));  \
    } while (0)
    REFUSED(-ABI_EINVAL, changed.offset = 4096);
    REFUSED(-ABI_EINVAL, changed.offset = ~0U);
    REFUSED(-ABI_EINVAL, changed.size = CONTROL_COPY_MAX + 1);
    REFUSED(-ABI_EINVAL, changed.size = ~0U);
    REFUSED(-ABI_EINVAL, changed.gfn = 1UL << 40);
    REFUSED(-ABI_EINVAL, changed.gfn = ~0UL);
    REFUSED(-ABI_EFAULT, changed.buffer = 0x8000000000000000);
    REFUSED(-ABI_EFAULT, changed.buffer = 0xffff820000000000);
#undef REFUSED
    test_input = NULL;
    child_destroy(&child);
}

TEST("text is written before the first start, and never after it")
{
    struct child child;
    struct control_copy args = {.buffer = hypercall_ptr(buffer), .size = 16};

    ONLY_CAIRN;
    if (!make(&child))
        return;
    args.gfn = frame_of(rt_text_start);
    memcpy(buffer, rt_text_start, 16);
    EXPECT_EQ(copy(CONTROL_OP_copy_to, child.domid, args), 0);
    EXPECT_EQ(control(&(struct control_op){.cmd = CONTROL_OP_unpause,
                                           .domid = child.domid}),
              0);
    EXPECT_TRUE(child_wait(&child));
    EXPECT_EQ(child.result, 42);
    EXPECT_EQ(copy(CONTROL_OP_copy_to, child.domid, args), -ABI_EACCES);
    EXPECT_EQ(copy(CONTROL_OP_copy_from, child.domid, args), 0);
    child_destroy(&child);
}

TEST("regions and registers are set before the first start, and never after")
{
    struct child child;
    struct control_op region = {
        .cmd = CONTROL_OP_set_region,
        .u.set_region = {.count = 1, .prot = LIGHT_PROT_execute}};
    struct control_op start = {.cmd = CONTROL_OP_set_start};

    ONLY_CAIRN;
    if (!child_start(&child, NULL, do_nothing, 1))
        return;
    EXPECT_TRUE(child_wait(&child));
    region.domid = start.domid = child.domid;
    region.u.set_region.gfn = frame_of(buffer);
    EXPECT_TRUE(control(&region) < 0);
    EXPECT_TRUE(control(&start) < 0);
    child_destroy(&child);
}

TEST("regions and registers out of bounds are -EINVAL")
{
    struct child child;
    struct control_op op;

    ONLY_CAIRN;
    if (!make(&child))
        return;
    op = (struct control_op){.cmd = CONTROL_OP_set_region,
                             .domid = child.domid,
                             .u.set_region = {.gfn = 1UL << 40, .count = 1}};
    EXPECT_EQ(control(&op), -ABI_EINVAL);
    op.u.set_region.gfn = 16;
    op.u.set_region.count = ~0UL - 8;
    EXPECT_EQ(control(&op), -ABI_EINVAL);
    op.u.set_region.count = 1;
    op.u.set_region.prot = 9;
    EXPECT_EQ(control(&op), -ABI_EINVAL);
    op = (struct control_op){.cmd = CONTROL_OP_set_start,
                             .domid = child.domid,
                             .u.set_start = {.vcpu = 1}};
    EXPECT_TRUE(control(&op) < 0);
    op.u.set_start = (struct control_set_start){.rip = 0x0000800000000000};
    EXPECT_EQ(control(&op), -ABI_EINVAL);
    op = (struct control_op){
        .cmd = CONTROL_OP_seed_grant,
        .domid = child.domid,
        .u.seed_grant = {.ref = GNTTAB_NR_RESERVED, .to = 0, .gfn = 16}};
    EXPECT_EQ(control(&op), -ABI_EINVAL);
    op.u.seed_grant.ref = 0;
    op.u.seed_grant.gfn = 1UL << 40;
    EXPECT_TRUE(control(&op) < 0);
    child_destroy(&child);
}

static uint64_t count_up(uint64_t where)
{
    volatile uint64_t *here = (volatile uint64_t *)(uintptr_t)where;

    while (where != 0)
        (*here)++;
    return 0;
}

static uint64_t counter;

static uint64_t child_counter(struct child *child)
{
    uint64_t value = 0;

    child_peek(child, &counter, &value, sizeof(value));
    return value;
}

TEST("pauses are counted, and a paused domain stands still")
{
    struct child child;
    struct control_op op = {.cmd = CONTROL_OP_pause};
    uint64_t a, b;

    ONLY_CAIRN;
    if (!child_start(&child, NULL, count_up, hypercall_ptr(&counter)))
        return;
    op.domid = child.domid;
    sleep_until(now_ns() + 5000000);
    EXPECT_EQ(control(&op), 0);
    EXPECT_EQ(control(&op), 0);
    a = child_counter(&child);
    EXPECT_TRUE(a > 0);
    op.cmd = CONTROL_OP_unpause;
    EXPECT_EQ(control(&op), 0);
    sleep_until(now_ns() + 5000000);
    b = child_counter(&child);
    EXPECT_EQ(a, b);
    EXPECT_EQ(control(&op), 0);
    sleep_until(now_ns() + 5000000);
    EXPECT_TRUE(child_counter(&child) > b);
    EXPECT_TRUE(control(&op) < 0); /* it is not paused */
    child_destroy(&child);
}

TEST("a domain cannot destroy, pause or build itself")
{
    struct control_op op = {.cmd = CONTROL_OP_destroy, .domid = 0};

    ONLY_CAIRN;
    EXPECT_TRUE(control(&op) < 0);
    op.domid = DOMID_SELF;
    EXPECT_TRUE(control(&op) < 0);
    op = (struct control_op){.cmd = CONTROL_OP_pause, .domid = 0};
    EXPECT_TRUE(control(&op) < 0);
    op = (struct control_op){.cmd = CONTROL_OP_set_region,
                             .domid = 0,
                             .u.set_region = {.gfn = frame_of(buffer),
                                              .count = 1,
                                              .prot = LIGHT_PROT_execute}};
    EXPECT_TRUE(control(&op) < 0);
}

TEST("shutdown ends another domain, with the reason given")
{
    struct child child;
    struct control_op op = {.cmd = CONTROL_OP_shutdown,
                            .u.shutdown = {.reason = SHUTDOWN_watchdog}};

    ONLY_CAIRN;
    if (!child_start(&child, NULL, count_up, hypercall_ptr(&counter)))
        return;
    op.domid = child.domid;
    EXPECT_EQ(control(&op), 0);
    EXPECT_TRUE(child_wait(&child));
    EXPECT_EQ(child.info.shutdown_reason, SHUTDOWN_watchdog);
    child_destroy(&child);
}

TEST("lists are ascending, as long as asked for, and stay in their buffer")
{
    static struct control_domain_info infos[8];
    struct child children[3];
    struct control_op op = {
        .cmd = CONTROL_OP_list,
        .u.list = {.buffer = hypercall_ptr(infos), .room = 2}};

    ONLY_CAIRN;
    for (int i = 0; i < 3; i++) {
        if (!make(&children[i]))
            return;
    }
    EXPECT_EQ(control(&op), 0);
    EXPECT_EQ(op.u.list.count, 2);
    EXPECT_EQ(infos[0].domid, 0);
    EXPECT_EQ(infos[0].flags & CONTROL_DOM_initial, CONTROL_DOM_initial);
    EXPECT_TRUE(infos[1].domid > 0);
    EXPECT_EQ(infos[2].max_pages, 0);
    op.domid = 0;
    op.u.list.buffer = hypercall_ptr(infos);
    op.u.list.room = 8;
    op.u.list.count = 0;
    EXPECT_EQ(control(&op), 0);
    EXPECT_EQ(op.u.list.count, 4);
    for (uint32_t i = 1; i < op.u.list.count; i++)
        EXPECT_TRUE(infos[i].domid > infos[i - 1].domid);
    op.domid = DOMID_FIRST_RESERVED - 1;
    op.u.list.count = 0;
    EXPECT_EQ(control(&op), 0);
    EXPECT_EQ(op.u.list.count, 0);
    op.domid = 0;
    op.u.list.room = ~0U;
    op.u.list.buffer = 0x8000000000000000;
    EXPECT_EQ(control(&op), -ABI_EFAULT);
    for (int i = 0; i < 3; i++)
        child_destroy(&children[i]);
}

TEST("weights outside 1 to 65535 are -EINVAL")
{
    struct child child;
    struct control_op op = {.cmd = CONTROL_OP_set_sched};

    ONLY_CAIRN;
    if (!make(&child))
        return;
    op.domid = child.domid;
    EXPECT_EQ(control(&op), -ABI_EINVAL);
    op.u.set_sched.weight = 65536;
    EXPECT_EQ(control(&op), -ABI_EINVAL);
    op.u.set_sched.weight = 512;
    EXPECT_EQ(control(&op), 0);
    child_destroy(&child);
}
