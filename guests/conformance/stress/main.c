/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bosses: see stress.h.
 *
 * Options: steps=N of each boss, or seconds=N, whichever is over first; seed=N.
 */

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/grants.h"
#include "framework/ports.h"
#include "framework/test.h"
#include "framework/vcpu.h"
#include "stress/stress.h"

#define USUAL_STEPS 20000UL
#define WARM_STEPS  300UL
#define NO_LIMIT    1000000UL /* seconds */
#define KINDS       16U

/* Records of the hypervisor are in pools, which keep some frames. */
#define SLACK_FRAMES 64U

static struct boss {
    uint64_t random, steps;
    uint64_t made[KINDS], good[KINDS];
    volatile uint64_t step;
    char buffer[8192];
} bosses[VCPU_COUNT];

static unsigned int failures;
static uint64_t deadline;

static void failed(const char *what, uint64_t value)
{
    __atomic_fetch_add(&failures, 1, __ATOMIC_SEQ_CST);
    print("stress: FAILED: %s (%lx)\n", what, value);
}

/*
 * What an operation on a domain may answer while others do theirs: it is not
 * there, or not in the state for it, or there is no room.
 */
static bool is_expected(long rc)
{
    switch (-rc) {
    case 0:
    case ABI_ESRCH:
    case ABI_EINVAL:
    case ABI_EBUSY:
    case ABI_EEXIST:
    case ABI_ENOSPC:
    case ABI_ENOMEM:
    case ABI_EACCES:
    case ABI_EFAULT:
    case ABI_EAGAIN:
        return true;
    default:
        return rc > 0;
    }
}

static long on(uint32_t cmd, domid_t domid)
{
    struct control_op op = {.cmd = cmd, .domid = domid};

    return control(&op);
}

/* --- What a boss does, to domain @domid --------------------------------------
 */

/* One maker at a time: two would write into each other's. */
static long do_make(struct boss *b, domid_t domid)
{
    static bool making[SLOTS];
    bool *lock = &making[domid - FIRST_DOMID];
    long rc;

    if (__atomic_exchange_n(lock, true, __ATOMIC_ACQUIRE))
        return 0;
    rc = make_worker(domid, random_below(&b->random, 1UL << 40));
    __atomic_store_n(lock, false, __ATOMIC_RELEASE);
    return rc;
}

static long do_destroy(struct boss *b, domid_t domid)
{
    (void)b;
    return on(CONTROL_OP_destroy, domid);
}

static long do_pause(struct boss *b, domid_t domid)
{
    (void)b;
    return on(CONTROL_OP_pause, domid);
}

static long do_unpause(struct boss *b, domid_t domid)
{
    (void)b;
    return on(CONTROL_OP_unpause, domid);
}

static long do_shutdown(struct boss *b, domid_t domid)
{
    struct control_op op = {.cmd = CONTROL_OP_shutdown,
                            .domid = domid,
                            .u.shutdown.reason =
                                (uint32_t)random_below(&b->random, 6)};

    return control(&op);
}

static long do_weight(struct boss *b, domid_t domid)
{
    struct control_op op = {.cmd = CONTROL_OP_set_sched,
                            .domid = domid,
                            .u.set_sched.weight =
                                1 + (uint32_t)random_below(&b->random, 1000)};

    return control(&op);
}

static long do_list(struct boss *b, domid_t domid)
{
    struct control_op op = {
        .cmd = CONTROL_OP_list,
        .domid = domid,
        .u.list = {.buffer = hypercall_ptr(b->buffer), .room = 8},
    };

    return control(&op);
}

static long do_look(struct boss *b, domid_t domid)
{
    uint64_t value = 0;
    struct child child = {.domid = domid};

    (void)b;
    if (child_peek(&child, (const void *)(uintptr_t)&worker_broken, &value,
                   sizeof(value)) &&
        value != 0)
        failed("a worker found", value);
    return 0;
}

static long do_copy(struct boss *b, domid_t domid)
{
    extern char rt_image_end[];
    bool to = random_below(&b->random, 2);
    struct control_op op = {
        .cmd = to ? CONTROL_OP_copy_to : CONTROL_OP_copy_from,
        .domid = domid,
        .u.copy = {.gfn = frame_of(rt_image_end) + 48,
                   .buffer = hypercall_ptr(b->buffer),
                   .offset = (uint32_t)random_below(&b->random, 4096),
                   .size = (uint32_t)random_below(&b->random, 8192)},
    };

    return control(&op);
}

static long do_seed_grant(struct boss *b, domid_t domid)
{
    struct control_op op = {
        .cmd = CONTROL_OP_seed_grant,
        .domid = domid,
        .u.seed_grant = {.ref = (uint32_t)random_below(&b->random, 8),
                         .to = random_domid(&b->random),
                         .gfn = frame_of(b)},
    };

    return control(&op);
}

/* Two workers are wired: a port in one for the other. */
static long do_wire(struct boss *b, domid_t domid)
{
    struct evtchn_alloc_unbound op = {.dom = domid,
                                      .remote_dom = random_domid(&b->random)};

    return hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op);
}

static long do_bind(struct boss *b, domid_t domid)
{
    struct evtchn_alloc_unbound alloc = {.dom = domid, .remote_dom = 0};
    struct evtchn_bind_interdomain op = {.remote_dom = domid};
    struct evtchn_send send;
    struct evtchn_close close;
    long rc = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &alloc);

    (void)b;
    if (rc != 0)
        return rc;
    op.remote_port = alloc.port;
    rc = hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &op);
    if (rc != 0)
        return rc;
    send.port = close.port = op.local_port;
    hypercall_event_channel_op(EVTCHNOP_send, &send);
    return hypercall_event_channel_op(EVTCHNOP_close, &close);
}

static long do_status(struct boss *b, domid_t domid)
{
    struct evtchn_status op = {
        .dom = domid, .port = (evtchn_port_t)random_below(&b->random, PORTS)};

    return hypercall_event_channel_op(EVTCHNOP_status, &op);
}

static long do_reset(struct boss *b, domid_t domid)
{
    struct evtchn_reset op = {.dom = domid};

    if (random_below(&b->random, 8))
        return 0;
    return hypercall_event_channel_op(EVTCHNOP_reset, &op);
}

/* A worker is told to lend to us, too; each boss has slots of its own. */
static long do_map(struct boss *b, domid_t domid)
{
    unsigned int slot =
        (unsigned int)((b - bosses) * 4 + (long)random_below(&b->random, 4));
    struct control_op seed = {
        .cmd = CONTROL_OP_seed_grant,
        .domid = domid,
        .u.seed_grant = {.ref = (uint32_t)(b - bosses),
                         .gfn = frame_of(bosses) + 2},
    };
    struct gnttab_map_grant_ref op;

    control(&seed);
    op = grant_map(domid, (grant_ref_t)(b - bosses), grant_slot(slot),
                   GNTMAP_host_map);
    if (op.status != GNTST_okay)
        return 0;
    *(volatile uint64_t *)(uintptr_t)grant_slot(slot) += 1;
    if (grant_unmap(op.handle, grant_slot(slot)) != GNTST_okay)
        failed("a page cannot be given back", domid);
    return 1;
}

static const struct {
    const char *name;
    long (*run)(struct boss *b, domid_t domid);
    unsigned int weight;
} kinds[] = {
    {"make", do_make, 30},        {"destroy", do_destroy, 8},
    {"pause", do_pause, 6},       {"unpause", do_unpause, 12},
    {"shutdown", do_shutdown, 3}, {"weight", do_weight, 6},
    {"list", do_list, 4},         {"look", do_look, 10},
    {"copy", do_copy, 20},        {"seed_grant", do_seed_grant, 10},
    {"wire", do_wire, 15},        {"bind", do_bind, 15},
    {"status", do_status, 10},    {"reset", do_reset, 2},
    {"map", do_map, 20},
};

#define KIND_COUNT ((unsigned int)(sizeof(kinds) / sizeof(kinds[0])))

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) <= KINDS, "counted in a boss");

static unsigned int choose(struct boss *b)
{
    unsigned int sum = 0, n = 0;
    uint64_t at;

    for (unsigned int i = 0; i < KIND_COUNT; i++)
        sum += kinds[i].weight;
    at = random_below(&b->random, sum);
    while (at >= kinds[n].weight)
        at -= kinds[n++].weight;
    return n;
}

static void boss(uint64_t id)
{
    struct boss *b = &bosses[id];

    for (b->step = 0;
         b->step < b->steps && failures == 0 && now_ns() < deadline;
         b->step++) {
        unsigned int n = choose(b);
        domid_t domid = random_domid(&b->random);
        long rc = kinds[n].run(b, domid);

        b->made[n]++;
        b->good[n] += rc >= 0;
        if (!is_expected(rc)) {
            failed(kinds[n].name, (uint64_t)rc);
            return;
        }
    }
}

/* --- All of it ---------------------------------------------------------------
 */

static void destroy_all(void)
{
    for (domid_t domid = FIRST_DOMID; domid < FIRST_DOMID + SLOTS; domid++) {
        do_look(&bosses[0], domid);
        while (on(CONTROL_OP_destroy, domid) == -ABI_EAGAIN)
            ;
        if (on(CONTROL_OP_destroy, domid) != -ABI_ESRCH)
            failed("a domain does not go", domid);
    }
}

static void run(uint64_t seed, uint64_t steps)
{
    unsigned int count = vcpu_count();

    for (unsigned int i = 0; i < count; i++) {
        bosses[i].random = (seed * VCPU_COUNT + i) * 0x9e3779b97f4a7c15UL + 1;
        bosses[i].steps = steps;
    }
    for (unsigned int i = 1; i < count; i++)
        if (!vcpu_start(i, boss, i))
            failed("no vCPU", i);
    boss(0);
    for (unsigned int i = 1; i < count; i++) {
        struct sched_poll poll = {0};

        while (!vcpu_done(i)) {
            poll.timeout = now_ns() + 1000000;
            hypercall_sched_op(SCHEDOP_poll, &poll);
        }
    }
    destroy_all();
}

static struct control_host_info host(void)
{
    struct control_op op = {.cmd = CONTROL_OP_host_info};

    if (control(&op) != 0)
        failed("no host_info", 0);
    return op.u.host_info;
}

static void check_leaks(const struct control_host_info *before)
{
    struct control_host_info after = host();

    print("# pages free: %lu before, %lu after; promised: %lu, %lu\n",
          before->free_pages, after.free_pages, before->unreserved_pages,
          after.unreserved_pages);
    if (after.free_pages + SLACK_FRAMES < before->free_pages)
        failed("pages were lost", before->free_pages - after.free_pages);
    if (after.unreserved_pages + SLACK_FRAMES < before->unreserved_pages)
        failed("promises were lost",
               before->unreserved_pages - after.unreserved_pages);
    if (after.domain_count != 1)
        failed("domains are left", after.domain_count);
    if (ports_in_use(256) != 0)
        failed("ports are left", ports_in_use(256));
}

static uint64_t sum_steps(void)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < VCPU_COUNT; i++)
        sum += bosses[i].step;
    return sum;
}

static void print_totals(void)
{
    for (unsigned int n = 0; n < KIND_COUNT; n++) {
        uint64_t made = 0, good = 0;

        for (unsigned int i = 0; i < VCPU_COUNT; i++) {
            made += bosses[i].made[n];
            good += bosses[i].good[n];
        }
        print("# op %s: %lu made, %lu good\n", kinds[n].name, made, good);
    }
}

_Noreturn void guest_main(void)
{
    uint64_t steps = option_number("steps", USUAL_STEPS);
    uint64_t seed = option_number("seed", 1);
    struct control_host_info before;

    grants_init();
    deadline = ~0UL;
    run(~seed, WARM_STEPS);
    before = host();
    deadline = now_ns() + option_number("seconds", NO_LIMIT) * 1000000000UL;
    run(seed, steps);
    check_leaks(&before);
    print_totals();
    print("stress: %lu steps by %u vCPUs, seed %lu: %s\n", sum_steps(),
          vcpu_count(), seed, failures ? "FAILED" : "passed");
    machine_end(failures ? SHUTDOWN_crash : SHUTDOWN_poweroff);
}
