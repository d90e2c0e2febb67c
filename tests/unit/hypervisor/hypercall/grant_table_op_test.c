/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grant_table_op's way through arrays: quanta, faults in the middle, and
 * waiting for memory.  The operations themselves are the fakes below.
 */

/* LINK: hypervisor/hypercall/grant_table_op.c hypervisor/pv/guest_copy.c */

#include <abi/grant_table.h>

#include "domain/domain.h"
#include "domain/vcpu.h"
#include "grant/grant.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "memory/frame.h"
#include "memory/pv_space.h"
#include "pv/guest_copy.h"
#include "test.h"

#define QUANTUM 10U

static struct domain self = {.domid = 7};
static struct pv_space space; /* it has it if it is of class pv */
static struct vcpu vcpu = {.domain = &self};
struct vcpu *percpu_current_vcpu = &vcpu;

static unsigned int maps, unmaps, copies, continues;
static uint64_t args[6];
static int grow_rc;
static unsigned int no_memory_at; /* the copy that finds none */

void assert_failed(const char *file, int line, const char *belief)
{
    printf("%s:%d: %s\n", file, line, belief);
    abort();
}

bool unit_test_guest_word(uint64_t va, void *value, size_t size, bool store)
{
    if (va >= 1UL << 47)
        return false;
    memcpy(store ? (void *)va : value, store ? value : (void *)va, size);
    return true;
}

long hypercall_continue(void)
{
    continues++;
    vcpu.repeat = true;
    return 0;
}

void hypercall_set_arg(unsigned int n, uint64_t value)
{
    args[n] = value;
}

/* There is one domain besides. */
static struct domain other = {.domid = 9};

struct domain *domain_get_or_self(domid_t domid, struct domain *d)
{
    if (domid == DOMID_SELF || domid == d->domid)
        return d;
    return domid == other.domid ? &other : NULL;
}

void domain_put(struct domain *d)
{
    EXPECT_TRUE(d == &self || d == &other);
}

void grant_map(struct domain *d, struct gnttab_map_grant_ref *op)
{
    EXPECT_PTR(d, &self);
    maps++;
    op->status = (int16_t)-op->dom;
    op->handle = op->ref + 1;
}

void grant_unmap(struct domain *d, struct gnttab_unmap_grant_ref *ops,
                 unsigned int count)
{
    EXPECT_PTR(d, &self);
    EXPECT_TRUE(count <= GRANT_UNMAP_BATCH);
    unmaps += count;
    for (unsigned int i = 0; i < count; i++)
        ops[i].status = (int16_t)-ops[i].handle;
}

static void copy(struct domain *d, struct gnttab_copy *op)
{
    EXPECT_PTR(d, &self);
    op->status = GNTST_okay;
    if (++copies == no_memory_at) {
        op->status = GNTST_eagain;
        vcpu.repeat = vcpu.wants_memory = true;
    }
}

void grant_copy(struct domain *d, struct gnttab_copy *op)
{
    EXPECT_TRUE(d->pv == NULL);
    copy(d, op);
}

void grant_copy_pv(struct domain *d, struct gnttab_copy *op)
{
    EXPECT_TRUE(d->pv != NULL);
    copy(d, op);
}

int grant_grow(struct domain *d, uint32_t nr_frames)
{
    EXPECT_PTR(d, &self);
    (void)nr_frames;
    return grow_rc;
}

uint64_t grant_frame_gfn(const struct domain *d, uint32_t index)
{
    (void)d;
    return 1000 + index;
}

void grant_counts(struct domain *d, uint32_t *frames_used, uint32_t *frames_max,
                  uint32_t *maptrack_used, uint32_t *maptrack_max)
{
    (void)d;
    *frames_used = 3;
    *frames_max = 9;
    *maptrack_used = *maptrack_max = 0;
}

void setup(void)
{
    maps = unmaps = copies = continues = no_memory_at = 0;
    grow_rc = 0;
    self.rights = 0;
    self.pv = NULL;
    vcpu.repeat = vcpu.wants_memory = false;
    memset(args, 0, sizeof(args));
}

static long call(uint64_t cmd, const void *array, uint64_t count)
{
    return hypercall_grant_table_op(cmd, (uintptr_t)array, count);
}

TEST("each element of a short array gets its own status, in one call")
{
    struct gnttab_map_grant_ref op[QUANTUM];

    for (uint32_t i = 0; i < QUANTUM; i++)
        op[i] = (struct gnttab_map_grant_ref){.ref = i, .dom = (domid_t)i};
    EXPECT_EQ(call(GNTTABOP_map_grant_ref, op, QUANTUM), 0);
    EXPECT_EQ(continues, 0);
    for (uint32_t i = 0; i < QUANTUM; i++) {
        EXPECT_EQ(op[i].status, -(int16_t)i);
        EXPECT_EQ(op[i].handle, i + 1);
        EXPECT_EQ(op[i].ref, i);
    }
}

TEST("a long array goes on where it was, a quantum at a time")
{
    static struct gnttab_unmap_grant_ref op[3 * QUANTUM + 5];
    uint64_t at = (uintptr_t)op, left = 3 * QUANTUM + 5;
    unsigned int calls = 1;

    for (uint32_t i = 0; i < 3 * QUANTUM + 5; i++)
        op[i].handle = i;
    while (hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, at, left),
           vcpu.repeat) {
        vcpu.repeat = false;
        EXPECT_EQ(args[2], at + QUANTUM * sizeof(op[0]));
        EXPECT_EQ(args[3], left - QUANTUM);
        at = args[2];
        left = args[3];
        calls++;
    }
    EXPECT_EQ(calls, 4);
    EXPECT_EQ(unmaps, 3 * QUANTUM + 5);
    for (uint32_t i = 0; i < 3 * QUANTUM + 5; i++)
        EXPECT_EQ(op[i].status, -(int16_t)i);
}

TEST("a single unmap is the same as an array of one")
{
    struct gnttab_unmap_grant_ref op = {.handle = 4, .host_addr = 0x1234};

    EXPECT_EQ(call(GNTTABOP_unmap_grant_ref, &op, 1), 0);
    EXPECT_EQ(op.status, -4);
    EXPECT_EQ(op.host_addr, 0x1234);
    EXPECT_EQ(unmaps, 1);
}

TEST("nothing is done for nothing, whatever its address")
{
    EXPECT_EQ(call(GNTTABOP_map_grant_ref, (void *)HV_VIRT_START, 0), 0);
    EXPECT_EQ(call(GNTTABOP_unmap_grant_ref, (void *)HV_VIRT_START, 0), 0);
    EXPECT_EQ(call(GNTTABOP_copy, (void *)HV_VIRT_START, 0), 0);
    EXPECT_EQ(continues, 0);
}

TEST("an array of the hypervisor's own memory is nobody's")
{
    static const uint64_t cmds[] = {0, 1, 2, 5, 6, 8, 10};

    for (size_t i = 0; i < 2 * sizeof(cmds) / sizeof(cmds[0]); i++) {
        self.pv = i % 2 ? &space : NULL;
        EXPECT_EQ(call(cmds[i / 2], (void *)DIRECT_MAP_BASE, 1), -EFAULT);
        EXPECT_EQ(call(cmds[i / 2], (void *)(HV_VIRT_START - 8), 1), -EFAULT);
    }
    EXPECT_EQ(maps + unmaps + copies, 0);
}

TEST("a copy that waits for memory goes on from its element, written nowhere")
{
    struct gnttab_copy op[5];

    for (unsigned int pv = 0; pv < 2; pv++) {
        setup();
        self.pv = pv ? &space : NULL;
        memset(op, 0x55, sizeof(op));
        no_memory_at = 3;
        EXPECT_EQ(call(GNTTABOP_copy, op, 5), -EFAULT);
        EXPECT_TRUE(vcpu.repeat);
        EXPECT_EQ(args[2], (uintptr_t)&op[2]);
        EXPECT_EQ(args[3], 3);
        EXPECT_EQ(op[1].status, GNTST_okay);
        EXPECT_EQ(op[2].status, 0x5555);
        EXPECT_EQ(op[0].source.u.gmfn, 0x5555555555555555);
    }
}

TEST("counts and commands as the abi says")
{
    struct gnttab_query_size op = {.dom = DOMID_SELF};

    EXPECT_EQ(call(GNTTABOP_query_size, &op, 0), -EINVAL);
    EXPECT_EQ(call(GNTTABOP_query_size, &op, 2), -EINVAL);
    EXPECT_EQ(call(GNTTABOP_copy, &op, 0x80000000), -EINVAL);
    EXPECT_EQ(call(GNTTABOP_copy, &op, ~0UL), -EINVAL);
    EXPECT_EQ(call(3, &op, 1), -ENOSYS);
    EXPECT_EQ(call(4, &op, 1), -ENOSYS);
    EXPECT_EQ(call(99, &op, 1), -ENOSYS);
    EXPECT_EQ(call(1UL << 32, &op, 1), -EINVAL);
    EXPECT_EQ(call((1UL << 32) + GNTTABOP_copy, &op, 1), -EINVAL);
}

TEST("a domain asks for its own table only")
{
    struct gnttab_query_size op = {.dom = DOMID_SELF};

    EXPECT_EQ(call(GNTTABOP_query_size, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_okay);
    EXPECT_EQ(op.max_nr_frames, 9);
    op.dom = 7;
    EXPECT_EQ(call(GNTTABOP_query_size, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_okay);
    op.dom = 9;
    EXPECT_EQ(call(GNTTABOP_query_size, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_permission_denied);
    op.dom = 8;
    EXPECT_EQ(call(GNTTABOP_query_size, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_bad_domain);
}

TEST("the version of others' tables is denied, of no one's -ESRCH")
{
    struct gnttab_get_version op = {.dom = 9};

    EXPECT_EQ(call(GNTTABOP_get_version, &op, 1), -EPERM);
    op.dom = 8;
    EXPECT_EQ(call(GNTTABOP_get_version, &op, 1), -ESRCH);
    op.dom = DOMID_SELF;
    EXPECT_EQ(call(GNTTABOP_get_version, &op, 1), 0);
    EXPECT_EQ(op.version, 1);
}

TEST("setup_table lists the gfns it was asked for, or says why not")
{
    uint64_t list[4] = {0};
    struct gnttab_setup_table op = {
        .dom = DOMID_SELF,
        .nr_frames = 3,
        .frame_list = (uintptr_t)list,
    };

    EXPECT_EQ(call(GNTTABOP_setup_table, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_okay);
    EXPECT_EQ(list[0], 1000);
    EXPECT_EQ(list[2], 1002);
    EXPECT_EQ(list[3], 0);

    grow_rc = -EINVAL;
    EXPECT_EQ(call(GNTTABOP_setup_table, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_general_error);
    grow_rc = -EAGAIN;
    EXPECT_EQ(call(GNTTABOP_setup_table, &op, 1), 0);
    EXPECT_EQ(continues, 1);
    grow_rc = 0;
    op.frame_list = HV_VIRT_START;
    EXPECT_EQ(call(GNTTABOP_setup_table, &op, 1), -EFAULT);
}

TEST("there is version 1 and no other")
{
    static const struct {
        uint32_t version;
        int rc;
        uint32_t left;
    } cases[] = {
        {1, 0, 1},
        {2, -ENOSYS, 1},
        {0, -EINVAL, 0},
        {3, -EINVAL, 3},
    };
    struct gnttab_get_version get = {.dom = DOMID_SELF};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gnttab_set_version set = {.version = cases[i].version};

        EXPECT_EQ(call(GNTTABOP_set_version, &set, 1), cases[i].rc);
        EXPECT_EQ(set.version, cases[i].left);
    }
    EXPECT_EQ(call(GNTTABOP_get_version, &get, 1), 0);
    EXPECT_EQ(get.version, 1);
}

TEST("a cache flush is checked, and allowed to those who know devices")
{
    struct gnttab_cache_flush op = {
        .offset = 4000, .length = 97, .op = GNTTAB_CACHE_CLEAN};

    EXPECT_EQ(call(GNTTABOP_cache_flush, &op, 1), -EINVAL);
    op.length = 96;
    EXPECT_EQ(call(GNTTABOP_cache_flush, &op, 1), -EPERM);
    self.rights = DOMAIN_RIGHT_DEVICE;
    EXPECT_EQ(call(GNTTABOP_cache_flush, &op, 1), 0);
    op.op = 4;
    EXPECT_EQ(call(GNTTABOP_cache_flush, &op, 1), -EINVAL);
}
