/* SPDX-License-Identifier: BSD-2-Clause */
/* Two vCPUs on the same ports at the same time. */

#include <rt/hypercall.h>

#include <abi/sched.h>

#include "events/fifo.h"
#include "framework/ports.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define ROUNDS 3000U
#define PORTS  8U

static evtchn_port_t near[PORTS], far[PORTS];
static volatile bool stop;

/* What was sent through each channel, and what its receiver has seen. */
static volatile uint32_t sent[PORTS], seen[PORTS];

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

static bool connect_all(void)
{
    bool ok = true;

    for (unsigned int i = 0; i < PORTS; i++) {
        far[i] = port_alloc_unbound(own_domid);
        near[i] = port_bind(own_domid, far[i]);
        sent[i] = seen[i] = 0;
        ok = ok && near[i];
    }
    stop = false;
    return ok;
}

static void close_all(void)
{
    for (unsigned int i = 0; i < PORTS; i++) {
        port_close(near[i]);
        port_close(far[i]);
        port_clear(near[i]);
        port_clear(far[i]);
    }
}

static void mark_seen(evtchn_port_t port)
{
    for (unsigned int i = 0; i < PORTS; i++)
        if (far[i] == port)
            seen[i] = __atomic_load_n(&sent[i], __ATOMIC_SEQ_CST);
}

static bool all_seen(void)
{
    for (unsigned int i = 0; i < PORTS; i++)
        if (seen[i] != sent[i])
            return false;
    return true;
}

static void send_all(uint64_t seed)
{
    uint32_t state = (uint32_t)seed;

    for (unsigned int n = 0; n < ROUNDS; n++) {
        unsigned int i = next_random(&state) % PORTS;

        __atomic_fetch_add(&sent[i], 1, __ATOMIC_SEQ_CST);
        port_send(near[i]);
    }
    stop = true;
    port_send(near[0]); /* Who has seen all may be waiting for more. */
}

/* Ask for upcall_pending in a poll, too: a lost wake-up would never end. */
static void poll_for(const evtchn_port_t *ports, uint32_t count)
{
    struct sched_poll op = {
        .ports = hypercall_ptr(ports), .nr_ports = count, .timeout = 0};

    hypercall_sched_op(SCHEDOP_poll, &op);
}

TEST("no event is lost between two vCPUs, 2-level")
{
    SKIP_UNLESS_VCPUS(2);
    REQUIRE(connect_all());
    REQUIRE(vcpu_start(1, send_all, 1));
    while (!stop || !all_seen()) {
        poll_for(far, PORTS);
        for (unsigned int i = 0; i < PORTS; i++)
            if (port_pending(far[i])) {
                port_clear(far[i]);
                mark_seen(far[i]);
            }
        if (stop && !all_seen())
            for (unsigned int i = 0; i < PORTS; i++)
                if (!port_pending(far[i]))
                    EXPECT_EQ(seen[i], sent[i]);
        if (test_failures)
            break;
    }
    EXPECT_TRUE(vcpu_wait(1));
    close_all();
}

TEST("no event is lost between two vCPUs, FIFO")
{
    unsigned int idle = 0;

    SKIP_UNLESS_VCPUS(2);
    if (own_domid != 0 && !on_cairn)
        SKIP("a reset would close the console's port");
    REQUIRE(fifo_begin(2, 1));
    REQUIRE(connect_all());
    REQUIRE(vcpu_start(1, send_all, 2));
    while (!all_seen() || !stop) {
        bool done = stop;

        if (fifo_take(0, mark_seen) == 0)
            vcpu_yield();
        /* Nothing is queued any more, so all must have been seen. */
        if (done && fifo_take(0, mark_seen) == 0 && idle++ == 3)
            break;
    }
    EXPECT_TRUE(vcpu_wait(1));
    fifo_take(0, mark_seen);
    for (unsigned int i = 0; i < PORTS; i++)
        EXPECT_EQ(seen[i], sent[i]);
    fifo_end();
}

static void mask_and_unmask(uint64_t seed)
{
    uint32_t state = (uint32_t)seed;

    while (!stop) {
        unsigned int i = next_random(&state) % PORTS;

        __atomic_fetch_or(fifo_word(far[i]), EVTCHN_WORD_MASKED,
                          __ATOMIC_SEQ_CST);
        port_unmask(far[i]);
    }
}

TEST("no event is lost while another vCPU masks and unmasks, FIFO")
{
    SKIP_UNLESS_VCPUS(2);
    if (own_domid != 0 && !on_cairn)
        SKIP("a reset would close the console's port");
    REQUIRE(fifo_begin(2, 1));
    REQUIRE(connect_all());
    REQUIRE(vcpu_start(1, mask_and_unmask, 3));
    for (unsigned int n = 0; n < ROUNDS; n++) {
        __atomic_fetch_add(&sent[n % PORTS], 1, __ATOMIC_SEQ_CST);
        port_send(near[n % PORTS]);
        if (n % 16 == 0)
            fifo_take(0, mark_seen);
    }
    stop = true;
    EXPECT_TRUE(vcpu_wait(1));
    for (unsigned int i = 0; i < PORTS; i++)
        EXPECT_EQ(port_unmask(far[i]), 0);
    fifo_take(0, mark_seen);
    for (unsigned int i = 0; i < PORTS; i++)
        EXPECT_EQ(seen[i], sent[i]);
    fifo_end();
}

static void scribble(uint64_t seed)
{
    uint32_t state = (uint32_t)seed;

    while (!stop) {
        evtchn_port_t port = next_random(&state) % (2 * PORTS + 2);

        *fifo_word(port) = next_random(&state) << 16 | next_random(&state);
        if (next_random(&state) % 8 == 0)
            fifo_control(0)->ready = next_random(&state);
        fifo_control(0)->head[next_random(&state) % EVTCHN_FIFO_PRIORITIES] =
            next_random(&state);
    }
}

TEST("a vCPU that scribbles over words and heads harms only its own queues")
{
    SKIP_UNLESS_VCPUS(2);
    if (own_domid != 0 && !on_cairn)
        SKIP("a reset would close the console's port");
    REQUIRE(fifo_begin(2, 1));
    REQUIRE(connect_all());
    REQUIRE(vcpu_start(1, scribble, 4));
    for (unsigned int n = 0; n < ROUNDS; n++) {
        EXPECT_EQ(port_send(near[n % PORTS]), 0);
        EXPECT_EQ(port_unmask(far[n % PORTS]), 0);
        EXPECT_EQ(port_bind_vcpu(far[n % PORTS], n / PORTS % 2), 0);
        EXPECT_EQ(fifo_set_priority(far[n % PORTS], n % 16), 0);
    }
    stop = true;
    EXPECT_TRUE(vcpu_wait(1));
    fifo_clean();
    for (unsigned int i = 0; i < PORTS; i++) {
        EXPECT_EQ(port_bind_vcpu(far[i], 0), 0);
        EXPECT_EQ(port_send(near[i]), 0);
    }
    EXPECT_EQ(fifo_take(0, mark_seen), PORTS);
    fifo_end();
}

static void close_and_bind(uint64_t seed)
{
    uint32_t state = (uint32_t)seed;

    while (!stop) {
        struct evtchn_bind_interdomain op = {.remote_dom = DOMID_SELF};
        struct evtchn_close close;
        unsigned int i = next_random(&state) % PORTS;

        close.port = near[i];
        hypercall_event_channel_op(EVTCHNOP_close, &close);
        op.remote_port = far[i];
        if (hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &op) == 0)
            near[i] = op.local_port;
    }
}

TEST("sends and binds race with closes, and every port comes back")
{
    unsigned int before = ports_in_use(EVTCHN_2L_PORTS);

    SKIP_UNLESS_VCPUS(2);
    REQUIRE(connect_all());
    REQUIRE(vcpu_start(1, close_and_bind, 5));
    for (unsigned int n = 0; n < ROUNDS; n++) {
        long rc = port_send(near[n % PORTS]);

        EXPECT_TRUE(rc == 0 || rc == -ABI_EINVAL);
        rc = port_send(far[n % PORTS]);
        EXPECT_EQ(rc, 0);
        EXPECT_EQ(port_bind_vcpu(far[n % PORTS], n % 2), 0);
        EXPECT_EQ(port_unmask(far[n % PORTS]), 0);
    }
    stop = true;
    EXPECT_TRUE(vcpu_wait(1));
    close_all();
    EXPECT_EQ(ports_in_use(EVTCHN_2L_PORTS), before);
    for (unsigned int i = 0; i < 64; i++)
        shared_info->evtchn_pending[i] = 0;
}

static void close_the_other_end(uint64_t unused)
{
    (void)unused;
    while (!stop) {
        for (unsigned int i = 0; i < PORTS; i++) {
            struct evtchn_close op = {.port = far[i]};

            hypercall_event_channel_op(EVTCHNOP_close, &op);
        }
    }
}

TEST("both ends of a channel are closed at once, each once")
{
    unsigned int before = ports_in_use(EVTCHN_2L_PORTS);

    SKIP_UNLESS_VCPUS(2);
    stop = false;
    REQUIRE(connect_all());
    REQUIRE(vcpu_start(1, close_the_other_end, 0));
    for (unsigned int n = 0; n < ROUNDS / PORTS; n++) {
        for (unsigned int i = 0; i < PORTS; i++) {
            long rc = port_close(near[i]);

            EXPECT_TRUE(rc == 0 || rc == -ABI_EINVAL);
            rc = port_close(far[i]);
            EXPECT_TRUE(rc == 0 || rc == -ABI_EINVAL);
        }
        for (unsigned int i = 0; i < PORTS; i++) {
            far[i] = port_alloc_unbound(own_domid);
            near[i] = port_bind(own_domid, far[i]);
        }
    }
    stop = true;
    EXPECT_TRUE(vcpu_wait(1));
    close_all();
    EXPECT_EQ(ports_in_use(EVTCHN_2L_PORTS), before);
    for (unsigned int i = 0; i < 64; i++)
        shared_info->evtchn_pending[i] = 0;
}

static void use_fifo(uint64_t unused)
{
    (void)unused;
    while (!stop) {
        struct evtchn_init_control control = {.control_gfn =
                                                  fifo_control_frame(),
                                              .offset = FIFO_CONTROL_BYTES,
                                              .vcpu = 1};
        struct evtchn_expand_array array = {.array_gfn = fifo_word_frame(0)};

        hypercall_event_channel_op(EVTCHNOP_init_control, &control);
        hypercall_event_channel_op(EVTCHNOP_expand_array, &array);
    }
}

TEST("resets race with init_control and expand_array, and no pin is left")
{
    struct evtchn_reset op = {.dom = DOMID_SELF};

    SKIP_ON_XEN("a reset that races with another one is -EBUSY there");
    SKIP_UNLESS_VCPUS(2);
    stop = false;
    REQUIRE(vcpu_start(1, use_fifo, 0));
    for (unsigned int n = 0; n < ROUNDS / 8; n++) {
        evtchn_port_t port = port_bind_ipi(0);

        port_send(port);
        EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_reset, &op), 0);
    }
    stop = true;
    EXPECT_TRUE(vcpu_wait(1));
    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_reset, &op), 0);
    EXPECT_TRUE(guard_page((void *)(uintptr_t)fifo_word(0)));
    EXPECT_TRUE(unguard_page((void *)(uintptr_t)fifo_word(0)));
    fifo_clean();
}
