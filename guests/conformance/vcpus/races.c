/* SPDX-License-Identifier: BSD-2-Clause */
/* Two vCPUs at once: on one argument, on one vCPU, and each for the other. */

#include <string.h>

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/ports.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define ROUNDS 100U
#define FRESH  2U
#define TARGET 3U

static volatile unsigned int arrived, won[2];
static struct vcpu_guest_context context;
static volatile bool running, stop;

/* Both sides go on together. */
static void meet(unsigned int round)
{
    __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
    while (arrived < 2 * round)
        vcpu_yield();
}

static void note_running(uint64_t unused)
{
    (void)unused;
    running = true;
}

static void initialise_fresh(uint64_t side)
{
    meet(1);
    won[side] =
        hypercall_vcpu_op(VCPUOP_initialise, FRESH, &context) == 0 ? 1 : 0;
}

TEST("of two that initialise one vCPU, one does")
{
    SKIP_UNLESS_VCPUS(FRESH + 1);
    /* No earlier case has started it: on Xen they share a domain. */
    REQUIRE(hypercall_vcpu_op(VCPUOP_up, FRESH, NULL) == -ABI_EINVAL);
    context = *vcpu_own_context(FRESH);
    arrived = 0;
    running = false;
    REQUIRE(vcpu_start(1, initialise_fresh, 1));
    initialise_fresh(0);
    REQUIRE(vcpu_wait(1));
    EXPECT_EQ(won[0] + won[1], 1);
    REQUIRE(vcpu_start(FRESH, note_running, 0));
    EXPECT_TRUE(vcpu_wait(FRESH));
    EXPECT_TRUE(running);
}

PAGES(info_pages, 2);

static void move_info(uint64_t side)
{
    struct vcpu_register_vcpu_info arg = {
        .mfn = frame_of(info_pages + side * PAGE_SIZE), .offset = 64};

    meet(1);
    won[side] =
        hypercall_vcpu_op(VCPUOP_register_vcpu_info, TARGET, &arg) == 0 ? 1 : 0;
}

TEST("of two that move one vcpu_info, one does")
{
    const struct vcpu_info *info;

    SKIP_UNLESS_VCPUS(TARGET + 1);
    /* An earlier case may just have let it go. */
    YIELD_UNTIL(hypercall_vcpu_op(VCPUOP_is_up, TARGET, NULL) == 0);
    arrived = 0;
    REQUIRE(vcpu_start(1, move_info, 1));
    move_info(0);
    REQUIRE(vcpu_wait(1));
    EXPECT_EQ(won[0] + won[1], 1);
    info = (const void *)(info_pages + won[1] * PAGE_SIZE + 64);
    EXPECT_EQ(info->evtchn_upcall_pending, 1);
}

static void get_up(uint64_t unused)
{
    (void)unused;
    while (!stop) {
        EXPECT_EQ(hypercall_vcpu_op(VCPUOP_up, 2, NULL), 0);
        vcpu_yield();
    }
}

static volatile uint64_t counter;

static void count(uint64_t unused)
{
    (void)unused;
    while (!stop)
        counter++;
}

TEST("a vCPU survives a storm of up and down")
{
    uint64_t before;

    SKIP_UNLESS_VCPUS(3);
    stop = false;
    counter = 0;
    REQUIRE(vcpu_start(2, count, 0));
    REQUIRE(vcpu_start(1, get_up, 0));
    for (unsigned int i = 0; i < ROUNDS; i++) {
        struct vcpu_runstate_info info;

        EXPECT_EQ(hypercall_vcpu_op(VCPUOP_down, 2, NULL), 0);
        EXPECT_TRUE(hypercall_vcpu_op(VCPUOP_is_up, 2, NULL) >= 0);
        EXPECT_EQ(hypercall_vcpu_op(VCPUOP_get_runstate_info, 2, &info), 0);
        vcpu_yield();
    }
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_up, 2, NULL), 0);
    before = counter;
    YIELD_UNTIL(counter > before);
    stop = true;
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_up, 2, NULL), 0);
    REQUIRE(vcpu_wait(1));
    REQUIRE(vcpu_wait(2));
}

static struct vcpu_runstate_info areas[2];

static void change_area(uint64_t side)
{
    uint64_t va = hypercall_ptr(&areas[side]), none = 0;

    for (unsigned int i = 0; i < ROUNDS; i++) {
        EXPECT_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 2,
                                    i % 8 ? &va : &none),
                  0);
        if (i % 16 == 0)
            vcpu_yield();
    }
}

TEST("two give a running vCPU its runstate area by turns")
{
    uint64_t none = 0;

    SKIP_UNLESS_VCPUS(3);
    stop = false;
    REQUIRE(vcpu_start(2, count, 0));
    REQUIRE(vcpu_start(1, change_area, 1));
    change_area(0);
    REQUIRE(vcpu_wait(1));
    stop = true;
    REQUIRE(vcpu_wait(2));
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 2, &none),
              0);
}

/* --- No wake-up is lost --------------------------------------------------- */

static evtchn_port_t ball[2];

/* Answer every event of one's own port with one on the other's. */
static void play(uint64_t side, void (*sleep)(uint64_t side))
{
    for (unsigned int i = 0; i < ROUNDS; i++) {
        while (!port_pending(ball[side]))
            sleep(side);
        port_clear(ball[side]);
        if (port_send(ball[!side]) != 0)
            EXPECT_EQ(i, ROUNDS);
    }
}

static void sleep_by_poll(uint64_t side)
{
    struct sched_poll poll = {.ports = hypercall_ptr(&ball[side]),
                              .nr_ports = 1};

    EXPECT_EQ(hypercall_sched_op(SCHEDOP_poll, &poll), 0);
}

/*
 * With upcalls masked until the hypervisor unmasks them: the handler takes the
 * event, so what it notes is looked at.
 */
static volatile bool seen[2];

static bool note_event(struct trap_frame *frame)
{
    unsigned int self = vcpu_self();
    struct vcpu_info *v = &shared_info->vcpu_info[self];

    if (frame->vector != TRAP_UPCALL)
        return false;
    v->evtchn_upcall_pending = 0;
    __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    seen[self] = port_pending(ball[self]);
    /* Back to masked. */
    frame->cs |= 1UL << 32;
    frame->rflags &= ~RFLAGS_IF;
    return true;
}

static void sleep_by_block(uint64_t side)
{
    (void)side;
    hypercall_sched_op(SCHEDOP_block, NULL);
    mask_upcalls();
}

static void poll_side(uint64_t side)
{
    play(side, sleep_by_poll);
}

static void block_side(uint64_t side)
{
    play(side, sleep_by_block);
}

static void play_a_game(vcpu_fn *fn)
{
    for (unsigned int i = 0; i < 2; i++) {
        ball[i] = port_bind_ipi(i);
        REQUIRE(ball[i] != 0);
        if (fn == poll_side)
            port_mask(ball[i]);
        else /* Xen leaves a port's mask as it was. */
            port_unmask_local(ball[i]);
    }
    REQUIRE(vcpu_start(1, fn, 1));
    EXPECT_EQ(port_send(ball[0]), 0);
    fn(0);
    REQUIRE(vcpu_wait(1));
    for (unsigned int i = 0; i < 2; i++)
        port_close(ball[i]);
}

TEST("two that poll for each other's masked events lose none")
{
    SKIP_UNLESS_VCPUS(2);
    play_a_game(poll_side);
}

TEST("two that block for each other's events lose none")
{
    SKIP_UNLESS_VCPUS(2);
    trap_hook = note_event;
    play_a_game(block_side);
    trap_hook = NULL;
    mask_upcalls();
}

static void busy_with_events(uint64_t unused)
{
    (void)unused;
    counter = 0;
    unmask_upcalls();
    while (!stop)
        ;
    mask_upcalls();
}

static bool count_event(struct trap_frame *frame)
{
    if (frame->vector == TRAP_UPCALL && vcpu_self() == 1)
        counter++;
    return false;
}

TEST("an event interrupts a vCPU that runs and asks for nothing")
{
    SKIP_UNLESS_VCPUS(2);
    ball[1] = port_bind_ipi(1);
    REQUIRE(ball[1] != 0);
    stop = false;
    trap_hook = count_event;
    REQUIRE(vcpu_start(1, busy_with_events, 0));
    for (unsigned int i = 1; i <= 50; i++) {
        uint64_t before = counter;

        EXPECT_EQ(port_send(ball[1]), 0);
        YIELD_UNTIL(counter > before || !port_pending(ball[1]));
    }
    stop = true;
    REQUIRE(vcpu_wait(1));
    trap_hook = NULL;
    EXPECT_TRUE(counter > 0);
    port_close(ball[1]);
}

/* --- Against the control domain ------------------------------------------- */

static uint64_t storm_of_four(uint64_t unused)
{
    (void)unused;
    stop = false;
    if (!vcpu_start(2, count, 0) || !vcpu_start(1, get_up, 0))
        return 1;
    for (;;) {
        hypercall_vcpu_op(VCPUOP_down, 2, NULL);
        vcpu_yield();
    }
}

TEST("a domain in a storm is paused, told of, moved and ended")
{
    static const struct child_limits limits = {.vcpus = 3};
    struct control_op op = {0};
    struct child child;

    SKIP_ON_XEN("children are made by control_op");
    for (unsigned int i = 0; i < 10; i++) {
        if (!child_start(&child, &limits, storm_of_four, 0))
            return;
        for (unsigned int j = 0; j < 10; j++) {
            op.domid = child.domid;
            op.cmd = CONTROL_OP_pause;
            EXPECT_EQ(control(&op), 0);
            op.cmd = CONTROL_OP_vcpu_info;
            op.u.vcpu_info = (struct control_vcpu_info){.vcpu = j % 3};
            EXPECT_EQ(control(&op), 0);
            EXPECT_TRUE(op.u.vcpu_info.state != RUNSTATE_running);
            op.u.vcpu_info.vcpu = 3;
            EXPECT_EQ(control(&op), -ABI_ENOENT);
            memset(&op.u, 0, sizeof(op.u));
            op.cmd = CONTROL_OP_unpause;
            EXPECT_EQ(control(&op), 0);
            EXPECT_EQ(child_schedule(&child, CHILD_KEEP, j % 2 ? 0 : 70,
                                     CHILD_KEEP, j % 3 ? ~0UL : 1),
                      0);
            vcpu_yield();
        }
        child_destroy(&child);
    }
}
