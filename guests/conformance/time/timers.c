/* SPDX-License-Identifier: BSD-2-Clause */
/* Time, timers and vcpu_op. */

#include <string.h>

#include <abi/hypercall.h>
#include <abi/vcpu.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/ports.h"
#include "framework/test.h"

#define MS 1000000UL

static evtchn_port_t timer_port;

/* Wait for the timer's event until @limit; true: it came. */
static bool wait_timer(uint64_t limit)
{
    struct sched_poll op = {
        .ports = hypercall_ptr(&timer_port), .nr_ports = 1, .timeout = limit};

    while (!port_pending(timer_port)) {
        if (now_ns() >= limit)
            return false;
        hypercall_sched_op(SCHEDOP_poll, &op);
    }
    return true;
}

static void begin(void)
{
    /* Xen starts a domain with a tick of 100 Hz. */
    hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    hypercall_set_timer_op(0);
    timer_port = port_bind_virq(VIRQ_TIMER, 0);
    port_clear(timer_port);
}

static void end(void)
{
    hypercall_set_timer_op(0);
    port_close(timer_port);
}

TEST("time never goes back, and moves")
{
    uint64_t last = now_ns(), first = last;

    for (int i = 0; i < 20000; i++) {
        uint64_t now = now_ns();

        if (now < last)
            EXPECT_EQ(now, last);
        last = now;
    }
    EXPECT_TRUE(last > first);
}

TEST("the scale turns the TSC into nanoseconds")
{
    const struct vcpu_time_info *t = &shared_info->vcpu_info[0].time;
    uint64_t start = now_ns(), ticks = rdtsc();

    EXPECT_TRUE(t->tsc_to_system_mul >> 31);
    EXPECT_EQ(t->version & 1, 0);
    while (rdtsc() - ticks < 1000000)
        ;
    EXPECT_TRUE(now_ns() > start);
    EXPECT_TRUE(now_ns() - start < 1000 * MS);
}

TEST("the wall clock is later than 2019")
{
    uint64_t seconds =
        (uint64_t)shared_info->wc_sec_hi << 32 | shared_info->wc_sec;

    EXPECT_TRUE(seconds > 1546300800);
    EXPECT_EQ(shared_info->wc_version & 1, 0);
    EXPECT_TRUE(shared_info->wc_nsec < 1000000000);
}

TEST("a timer in the past fires at once")
{
    begin();
    EXPECT_EQ(hypercall_set_timer_op(1), 0);
    EXPECT_TRUE(wait_timer(now_ns() + 1000 * MS));
    end();
}

TEST("a timer in the future fires then, not before")
{
    uint64_t when;

    begin();
    when = now_ns() + 15 * MS;
    EXPECT_EQ(hypercall_set_timer_op(when), 0);
    EXPECT_FALSE(port_pending(timer_port));
    EXPECT_TRUE(wait_timer(when + 2000 * MS));
    EXPECT_TRUE(now_ns() >= when);
    end();
}

TEST("a timer set to 0 does not fire")
{
    begin();
    hypercall_set_timer_op(now_ns() + 20 * MS);
    EXPECT_EQ(hypercall_set_timer_op(0), 0);
    EXPECT_FALSE(wait_timer(now_ns() + 60 * MS));
    end();
}

TEST("a timer that is set again fires once, at the later time")
{
    uint64_t start;

    begin();
    start = now_ns();
    hypercall_set_timer_op(start + 5 * MS);
    hypercall_set_timer_op(start + 40 * MS);
    EXPECT_TRUE(wait_timer(start + 2000 * MS));
    EXPECT_TRUE(now_ns() >= start + 40 * MS);
    port_clear(timer_port);
    EXPECT_FALSE(wait_timer(now_ns() + 30 * MS));
    end();
}

TEST("times that are no times do no harm")
{
    static const uint64_t times[] = {~0UL, 1UL << 63, 1UL << 62, 1UL << 51};

    begin();
    for (unsigned int i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        EXPECT_EQ(hypercall_set_timer_op(times[i]), 0);
        sleep_until(now_ns() + MS);
    }
    end();
}

TEST("the singleshot timer fires once, and can be stopped")
{
    struct vcpu_set_singleshot_timer op;

    begin();
    op =
        (struct vcpu_set_singleshot_timer){.timeout_abs_ns = now_ns() + 5 * MS};
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &op), 0);
    EXPECT_TRUE(wait_timer(now_ns() + 2000 * MS));
    port_clear(timer_port);
    op.timeout_abs_ns = 1;
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &op), 0);
    EXPECT_TRUE(wait_timer(now_ns() + 2000 * MS));
    port_clear(timer_port);
    op.timeout_abs_ns = now_ns() + 20 * MS;
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &op), 0);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
    EXPECT_FALSE(wait_timer(now_ns() + 60 * MS));
    end();
}

TEST("vCPU 0 is up, others do not exist")
{
    static const unsigned int others[] = {8191, 0x7fffffff, ~0U};

    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_is_up, 0, NULL), 1);
    for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        EXPECT_EQ(hypercall_vcpu_op(VCPUOP_is_up, others[i], NULL),
                  -ABI_ENOENT);
        EXPECT_EQ(hypercall_vcpu_op(VCPUOP_up, others[i], NULL), -ABI_ENOENT);
        EXPECT_EQ(hypercall_vcpu_op(VCPUOP_down, others[i], NULL), -ABI_ENOENT);
    }
}

TEST("an unknown vcpu operation is -ENOSYS")
{
    uint64_t arg[8] = {0};

    EXPECT_EQ(hypercall_vcpu_op(99, 0, arg), -ABI_ENOSYS);
    EXPECT_EQ(hypercall_vcpu_op(~0U, 0, arg), -ABI_ENOSYS);
}

TEST("the periodic timer can be stopped, and is refused below 1 ms")
{
    static const uint64_t bad[] = {0, 1000, 999999, 1UL << 62, 1UL << 63, ~0UL};

    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct vcpu_set_periodic_timer op = {.period_ns = bad[i]};

        EXPECT_EQ(hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &op),
                  -ABI_EINVAL);
    }
    EXPECT_EQ(
        hypercall3(HYPERCALL_vcpu_op, VCPUOP_set_periodic_timer, 0, 1UL << 63),
        -ABI_EFAULT);
}

TEST("the periodic timer comes again and again, until it is stopped")
{
    struct vcpu_set_periodic_timer op = {.period_ns = 5 * MS};
    uint64_t start, first = 0;

    begin();
    start = now_ns();
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &op), 0);
    for (int i = 0; i < 5; i++) {
        uint64_t limit = now_ns() + 2000 * MS;

        /* While the vCPU runs, that is: a sleep ends when another event comes.
         */
        while (!port_pending(timer_port) && now_ns() < limit)
            ;
        EXPECT_TRUE(port_pending(timer_port));
        if (i == 0)
            first = now_ns();
        port_clear(timer_port);
    }
    EXPECT_TRUE(now_ns() - start >= 15 * MS);
    EXPECT_TRUE(now_ns() - first >= 10 * MS);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    port_clear(timer_port);
    EXPECT_FALSE(wait_timer(now_ns() + 30 * MS));
    end();
}

TEST("the run states add up to the time since the start")
{
    struct vcpu_runstate_info a, b;
    uint64_t sum_a = 0, sum_b = 0, before, after;

    before = now_ns();
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, &a), 0);
    sleep_until(now_ns() + 30 * MS);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, &b), 0);
    after = now_ns();
    for (int i = 0; i < RUNSTATE_COUNT; i++) {
        sum_a += a.time[i];
        sum_b += b.time[i];
    }
    EXPECT_EQ(a.state, RUNSTATE_running);
    EXPECT_TRUE(b.time[RUNSTATE_blocked] >= a.time[RUNSTATE_blocked] + 20 * MS);
    EXPECT_TRUE(sum_b - sum_a >= 30 * MS);
    EXPECT_TRUE(sum_b - sum_a <= after - before + MS);
    EXPECT_TRUE(b.state_entry_time > a.state_entry_time);
}

TEST("a runstate area is kept up to date over a sleep")
{
    static struct vcpu_runstate_info area;
    uint64_t va = hypercall_ptr(&area), none = 0, blocked;

    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &va),
              0);
    sleep_until(now_ns() + 5 * MS);
    EXPECT_EQ(area.state, RUNSTATE_running);
    blocked = area.time[RUNSTATE_blocked];
    sleep_until(now_ns() + 20 * MS);
    EXPECT_TRUE(area.time[RUNSTATE_blocked] >= blocked + 15 * MS);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &none),
              0);
}

TEST("a runstate area at a bad address never lets the host crash")
{
    static const uint64_t bad[] = {0x0000800000000000, 0x8000000000000000,
                                   0xffff820000000000, 0x00007ffffffff000, 8};
    uint64_t none = 0;

    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint64_t va = bad[i];
        long rc =
            hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &va);

        EXPECT_TRUE(rc <= 0);
        sleep_until(now_ns() + MS);
    }
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &none),
              0);
}

extern const char rt_text_start[];

PAGES(info_page, 2);

static uint64_t register_info(uint64_t unused)
{
    struct vcpu_register_vcpu_info op = {.mfn = frame_of(info_page)};
    struct vcpu_info *info = (void *)(info_page + 512);
    static const uint32_t offsets[] = {1, 7, 4096, 4040, 4033, ~0U};

    (void)unused;
    for (unsigned int i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        long rc;

        op.offset = offsets[i];
        rc = hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &op);
        EXPECT_TRUE(rc == -ABI_ENXIO || rc == -ABI_EINVAL);
    }
    op.offset = 512;
    op.mfn = 0x7fffffff;
    EXPECT_TRUE(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &op) < 0);
    op.mfn = ~0UL;
    EXPECT_TRUE(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &op) < 0);
    op.mfn = frame_of(rt_text_start);
    EXPECT_TRUE(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &op) < 0);
    op.mfn = frame_of(info_page);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &op), 0);
    EXPECT_EQ(info->evtchn_upcall_pending, 1);
    EXPECT_EQ(info->evtchn_pending_sel, ~0UL);
    EXPECT_TRUE(info->time.version != 0);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &op),
              -ABI_EINVAL);
    return info->evtchn_upcall_mask;
}

TEST("vcpu_info moves once, to a page of the domain and nowhere else")
{
    struct child child;

    SKIP_ON_XEN("children are made by control_op");
    EXPECT_TRUE(child_run(&child, register_info, 0));
    EXPECT_EQ(child.result, 1);
}

TEST("a yield returns 0")
{
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_yield, NULL), 0);
}

TEST("remote_shutdown of no domain is -ESRCH")
{
    struct sched_remote_shutdown op = {.domain_id = 0x5555,
                                       .reason = SHUTDOWN_crash};

    EXPECT_EQ(hypercall_sched_op(SCHEDOP_remote_shutdown, &op), -ABI_ESRCH);
}

static uint64_t shut_down_parent(uint64_t unused)
{
    struct sched_remote_shutdown op = {.domain_id = 0,
                                       .reason = SHUTDOWN_crash};

    (void)unused;
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_remote_shutdown, &op), -ABI_EPERM);
    op.domain_id = own_domid;
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_remote_shutdown, &op), -ABI_EPERM);
    op.domain_id = DOMID_SELF;
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_remote_shutdown, &op), -ABI_ESRCH);
    return 0;
}

TEST("without rights no domain can be shut down by its id, not even one's own")
{
    struct child child;

    SKIP_ON_XEN("children are made by control_op");
    EXPECT_TRUE(child_run(&child, shut_down_parent, 0));
}

static uint64_t let_watchdog_bite(uint64_t unused)
{
    struct sched_watchdog op = {.timeout = 1};

    (void)unused;
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_watchdog, &op), 1);
    sleep_until(now_ns() + 10000 * MS);
    return 0;
}

TEST("a watchdog shuts the domain down that does not set it anew")
{
    struct child child;

    SKIP_ON_XEN("it would be the only domain");
    if (!child_start(&child, NULL, let_watchdog_bite, 0))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_FALSE(child.finished);
    EXPECT_EQ(child.info.shutdown_reason, SHUTDOWN_watchdog);
    child_destroy(&child);
}

TEST("watchdogs are started, set anew and stopped, and there are two")
{
    struct sched_watchdog op = {.timeout = 1000};

    EXPECT_EQ(hypercall_sched_op(SCHEDOP_watchdog, &op), 1);
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_watchdog, &op), 2);
    /* Xen returns this one with its upper half clear. */
    EXPECT_EQ((int32_t)hypercall_sched_op(SCHEDOP_watchdog, &op), -ABI_ENOSPC);
    op.id = 1;
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_watchdog, &op), 0);
    op.timeout = 0;
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_watchdog, &op), 0);
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_watchdog, &op), -ABI_EINVAL);
    op.id = 2;
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_watchdog, &op), 0);
    op.id = 3;
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_watchdog, &op), -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HYPERCALL_sched_op, SCHEDOP_watchdog, 1UL << 63),
              -ABI_EFAULT);
}
