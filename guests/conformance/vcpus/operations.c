/* SPDX-License-Identifier: BSD-2-Clause */
/* vcpu_op on further vCPUs, and what reaches them. */

#include <string.h>

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/ports.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define MS 1000000UL

/* Longer than anything here takes. */
#define LONG_NS (20000 * MS)

static volatile uint64_t counter;
static volatile bool stop;

static void count(uint64_t unused)
{
    (void)unused;
    while (!stop)
        counter++;
}

static bool start_counting(void)
{
    stop = false;
    counter = 0;
    if (!vcpu_start(1, count, 0))
        return false;
    while (counter == 0)
        vcpu_yield();
    return true;
}

static void end_counting(void)
{
    stop = true;
    vcpu_wait(1);
}

static long op(unsigned int cmd, unsigned int vcpu, void *arg)
{
    return hypercall_vcpu_op(cmd, vcpu, arg);
}

TEST("no operation knows a vCPU that does not exist")
{
    uint64_t arg[16] = {0};

    for (unsigned int cmd = 0; cmd <= 13; cmd++) {
        EXPECT_EQ(op(cmd, 8191, arg), -ABI_ENOENT);
        EXPECT_EQ(op(cmd, ~0U, arg), -ABI_ENOENT);
    }
    EXPECT_EQ(op(99, 8191, arg), -ABI_ENOENT);
    EXPECT_EQ(op(99, 0, arg), -ABI_ENOSYS);
}

TEST("down stops a vCPU that runs, and up lets it go on where it was")
{
    uint64_t before, deadline;

    SKIP_UNLESS_VCPUS(2);
    REQUIRE(start_counting());
    deadline = now_ns() + 2000 * MS;
    EXPECT_EQ(op(VCPUOP_is_up, 1, NULL), 1);
    EXPECT_EQ(op(VCPUOP_up, 1, NULL), 0); /* it is */
    EXPECT_EQ(op(VCPUOP_down, 1, NULL), 0);
    EXPECT_EQ(op(VCPUOP_is_up, 1, NULL), 0);
    EXPECT_EQ(op(VCPUOP_down, 1, NULL), 0); /* it is */
    do { /* On another CPU, that its host may hold up, it stops in a moment. */
        before = counter;
        sleep_until(now_ns() + 10 * MS);
    } while (counter != before && now_ns() < deadline);
    EXPECT_EQ(counter, before);
    EXPECT_EQ(op(VCPUOP_up, 1, NULL), 0);
    YIELD_UNTIL(counter > before);
    end_counting();
}

static void go_down(uint64_t unused)
{
    (void)unused;
    counter = 1;
    counter = 2 + (uint64_t)op(VCPUOP_down, 1, NULL);
}

TEST("down of oneself returns 0 after the next up")
{
    SKIP_UNLESS_VCPUS(2);
    counter = 0;
    REQUIRE(vcpu_start(1, go_down, 0));
    YIELD_UNTIL(counter != 0 && op(VCPUOP_is_up, 1, NULL) == 0);
    EXPECT_EQ(counter, 1);
    EXPECT_EQ(op(VCPUOP_up, 1, NULL), 0);
    REQUIRE(vcpu_wait(1));
    EXPECT_EQ(counter, 2);
}

static uint64_t all_go_down(uint64_t unused)
{
    (void)unused;
    if (!start_counting())
        return 1;
    op(VCPUOP_down, 0, NULL);
    return 1; /* Nobody gets it up again. */
}

static void take_down_the_first(uint64_t unused)
{
    (void)unused;
    while (op(VCPUOP_is_up, 0, NULL))
        vcpu_yield();
    op(VCPUOP_down, 1, NULL);
}

static uint64_t one_after_the_other(uint64_t unused)
{
    (void)unused;
    if (vcpu_start(1, take_down_the_first, 0))
        op(VCPUOP_down, 0, NULL);
    return 1;
}

TEST("the last vCPU that goes down powers its domain off")
{
    static const struct child_limits limits = {.vcpus = 2};
    struct child child;

    SKIP_ON_XEN("children are made by control_op");
    if (!child_start(&child, &limits, one_after_the_other, 0))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_FALSE(child.finished);
    EXPECT_EQ(child.info.shutdown_reason, SHUTDOWN_poweroff);
    child_destroy(&child);
}

TEST("a domain whose vCPU runs on elsewhere is ended")
{
    static const struct child_limits limits = {.vcpus = 2};
    struct child child;

    SKIP_ON_XEN("children are made by control_op");
    for (int i = 0; i < 20; i++) {
        if (!child_start(&child, &limits, all_go_down, 0))
            return;
        sleep_until(now_ns() + MS);
        child_destroy(&child);
    }
}

TEST("the run states of another vCPU say what it does")
{
    struct vcpu_runstate_info info = {0};

    SKIP_UNLESS_VCPUS(2);
    REQUIRE(start_counting());
    EXPECT_EQ(op(VCPUOP_get_runstate_info, 1, &info), 0);
    EXPECT_TRUE(info.state == RUNSTATE_running ||
                info.state == RUNSTATE_runnable);
    EXPECT_TRUE(info.time[RUNSTATE_running] > 0);
    end_counting();
    EXPECT_EQ(op(VCPUOP_get_runstate_info, 1, &info), 0);
    EXPECT_EQ(info.state, RUNSTATE_offline);
    EXPECT_EQ(
        hypercall3(HYPERCALL_vcpu_op, VCPUOP_get_runstate_info, 1, 1UL << 63),
        -ABI_EFAULT);
}

TEST("a runstate area of another vCPU follows it")
{
    static struct vcpu_runstate_info area;
    uint64_t va = hypercall_ptr(&area), none = 0, since;

    SKIP_UNLESS_VCPUS(2);
    EXPECT_EQ(op(VCPUOP_register_runstate_memory_area, 1, &va), 0);
    REQUIRE(start_counting());
    EXPECT_TRUE(area.state != RUNSTATE_offline);
    since = area.state_entry_time;
    end_counting();
    /* Its own area it writes when it changes, which may be a moment later. */
    YIELD_UNTIL(*(volatile int32_t *)&area.state == RUNSTATE_offline);
    EXPECT_TRUE(area.state_entry_time > since);
    EXPECT_TRUE(area.time[RUNSTATE_running] > 0);
    EXPECT_EQ(op(VCPUOP_register_runstate_memory_area, 1, &none), 0);
}

TEST("the singleshot timer is a vCPU's own")
{
    struct vcpu_set_singleshot_timer arg = {.timeout_abs_ns = 1};

    SKIP_UNLESS_VCPUS(2);
    EXPECT_EQ(op(VCPUOP_set_singleshot_timer, 1, &arg), -ABI_EINVAL);
    EXPECT_EQ(op(VCPUOP_stop_singleshot_timer, 1, NULL), -ABI_EINVAL);
}

static volatile evtchn_port_t port;

/* Sleeps until its own timer strikes. */
static void wait_for_timer(uint64_t ns)
{
    struct vcpu_set_singleshot_timer arg = {.timeout_abs_ns = now_ns() + ns,
                                            .flags = VCPU_SSHOTTMR_future};
    evtchn_port_t mine = port;
    struct sched_poll poll = {.ports = hypercall_ptr(&mine), .nr_ports = 1};

    EXPECT_EQ(op(VCPUOP_set_singleshot_timer, 1, &arg), 0);
    hypercall_sched_op(SCHEDOP_poll, &poll);
    counter = now_ns() >= arg.timeout_abs_ns;
}

TEST("the timer of a vCPU is delivered to it")
{
    SKIP_UNLESS_VCPUS(2);
    port = port_bind_virq(VIRQ_TIMER, 1);
    REQUIRE(port != 0);
    counter = 0;
    REQUIRE(vcpu_start(1, wait_for_timer, 10 * MS));
    REQUIRE(vcpu_wait(1));
    EXPECT_EQ(counter, 1);
    EXPECT_TRUE(port_pending(port));
    port_close(port);
}

TEST("a periodic timer can be set for another vCPU, and ticks while that runs")
{
    struct vcpu_set_periodic_timer arg = {.period_ns = 2 * MS};
    uint64_t limit = now_ns() + LONG_NS;

    SKIP_UNLESS_VCPUS(2);
    port = port_bind_virq(VIRQ_TIMER, 1);
    REQUIRE(port != 0);
    REQUIRE(start_counting());
    EXPECT_EQ(op(VCPUOP_set_periodic_timer, 1, &arg), 0);
    for (int i = 0; i < 4; i++) {
        while (!port_pending(port) && now_ns() < limit)
            vcpu_yield();
        EXPECT_TRUE(port_pending(port));
        port_clear(port);
    }
    EXPECT_EQ(op(VCPUOP_stop_periodic_timer, 1, NULL), 0);
    end_counting();
    port_close(port);
}

PAGES(info_page, 1);

TEST("vcpu_info of another vCPU moves only while it is off line, and once")
{
    struct vcpu_register_vcpu_info arg = {.mfn = frame_of(info_page),
                                          .offset = 256};
    struct vcpu_info *info = (void *)(info_page + 256);

    SKIP_UNLESS_VCPUS(3);
    REQUIRE(start_counting());
    EXPECT_EQ(op(VCPUOP_register_vcpu_info, 1, &arg), -ABI_EINVAL);
    end_counting();
    EXPECT_EQ(op(VCPUOP_register_vcpu_info, 2, &arg), 0);
    EXPECT_EQ(info->evtchn_upcall_pending, 1);
    EXPECT_EQ(info->evtchn_upcall_mask, 1);
    EXPECT_EQ(info->evtchn_pending_sel, ~0UL);
    EXPECT_EQ(op(VCPUOP_register_vcpu_info, 2, &arg), -ABI_EINVAL);
}

TEST("a further copy of the time tells the same time")
{
    static struct vcpu_time_info copy;
    const struct vcpu_time_info *own = &shared_info->vcpu_info[0].time;
    uint64_t va = hypercall_ptr(&copy), none = 0, bad = 1UL << 63;

    EXPECT_EQ(op(VCPUOP_register_vcpu_time_memory_area, 0, &va), 0);
    EXPECT_EQ(copy.version & 1, 0);
    EXPECT_EQ(copy.tsc_to_system_mul, own->tsc_to_system_mul);
    EXPECT_EQ(copy.tsc_shift, own->tsc_shift);
    EXPECT_EQ(op(VCPUOP_register_vcpu_time_memory_area, 0, &none), 0);
    EXPECT_EQ(op(VCPUOP_register_vcpu_time_memory_area, 0, &bad), -ABI_EFAULT);
    EXPECT_EQ(hypercall3(HYPERCALL_vcpu_op,
                         VCPUOP_register_vcpu_time_memory_area, 0, bad),
              -ABI_EFAULT);
}

TEST("a vCPU is tied to no processor")
{
    uint64_t physid;

    SKIP_ON_XEN_DOM0("its vCPUs may be tied to processors");
    EXPECT_EQ(op(VCPUOP_get_physid, 0, &physid), -ABI_EINVAL);
}

TEST("class light takes no NMI")
{
    SKIP_ON_XEN("Xen has one to send");
    EXPECT_EQ(op(VCPUOP_send_nmi, 0, NULL), -ABI_ENOSYS);
}
