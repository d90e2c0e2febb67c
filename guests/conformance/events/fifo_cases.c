/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FIFO event channels: every operation, every documented error, delivery word
 * by word, and a guest that writes into the words what it likes.  Each case
 * ends with a reset, back to 2-level.
 */

#include <abi/sched.h>

#include <rt/hypercall.h>

#include "events/fifo.h"
#include "framework/ports.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define PENDING EVTCHN_WORD_PENDING
#define MASKED  EVTCHN_WORD_MASKED
#define LINKED  EVTCHN_WORD_LINKED
#define BUSY    EVTCHN_WORD_BUSY
#define QUEUE   (1U << EVTCHN_FIFO_DEFAULT)

#define NO_FRAME (1UL << 45)

/* In a domain with a console or a store, a reset would take their ports. */
#define SKIP_UNLESS_INITIAL()                                                  \
    do {                                                                       \
        if (own_domid != 0 && !on_cairn)                                       \
            SKIP("a reset would close the console's port");                    \
    } while (0)

static evtchn_port_t taken[64];
static unsigned int taken_count;

static void note(evtchn_port_t port)
{
    taken[taken_count++ % 64] = port;
}

static unsigned int take(unsigned int vcpu)
{
    taken_count = 0;
    return fifo_take(vcpu, note);
}

TEST("expand_array and set_priority need FIFO")
{
    evtchn_port_t port = port_bind_ipi(0);

    EXPECT_EQ(fifo_expand_array(fifo_word_frame(0)), -ABI_EOPNOTSUPP);
    EXPECT_EQ(fifo_expand_array(NO_FRAME), -ABI_EOPNOTSUPP);
    EXPECT_EQ(fifo_set_priority(port, 0), -ABI_ENOSYS);
    EXPECT_EQ(fifo_set_priority(~0U, 0), -ABI_EINVAL);
    port_close(port);
}

TEST("init_control refuses a vCPU, an offset, or a page that is none")
{
    static const uint32_t vcpus[] = {64, 8191, ~0U};
    static const uint32_t offsets[] = {1,    4,        4096 - 64, 4096,
                                       8192, 1U << 31, ~7U};

    SKIP_UNLESS_INITIAL();
    for (unsigned int i = 0; i < sizeof(vcpus) / sizeof(vcpus[0]); i++)
        EXPECT_EQ(fifo_init_control(fifo_control_frame(), 0, vcpus[i]),
                  -ABI_ENOENT);
    for (unsigned int i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
        EXPECT_EQ(fifo_init_control(fifo_control_frame(), offsets[i], 0),
                  -ABI_EINVAL);
    EXPECT_EQ(fifo_init_control(NO_FRAME, 0, 0), -ABI_EINVAL);
    EXPECT_EQ(fifo_init_control(~0UL, 0, 0), -ABI_EINVAL);
    fifo_end();
}

TEST("a refused init_control leaves the domain able to use events")
{
    evtchn_port_t port;

    SKIP_UNLESS_INITIAL();
    EXPECT_EQ(fifo_init_control(NO_FRAME, 0, 0), -ABI_EINVAL);
    REQUIRE(fifo_begin(1, 1));
    port = port_bind_ipi(0);
    EXPECT_EQ(port_send(port), 0);
    EXPECT_EQ(take(0), 1);
    fifo_end();
}

TEST("a vCPU has one control block, and a second is -EINVAL")
{
    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, 1));
    EXPECT_EQ(fifo_init_control(fifo_control_frame(), 0, 0), -ABI_EINVAL);
    EXPECT_EQ(fifo_init_control(fifo_word_frame(0), 8, 0), -ABI_EINVAL);
    fifo_end();
}

TEST("the 128th page of words is the last one")
{
    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, FIFO_PAGES_MAX));
    EXPECT_EQ(fifo_expand_array(fifo_word_frame(0)), -ABI_ENOSPC);
    fifo_end();
}

TEST("expand_array of a page that is none is -EINVAL")
{
    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, 0));
    EXPECT_EQ(fifo_expand_array(NO_FRAME), -ABI_EINVAL);
    EXPECT_EQ(fifo_expand_array(~0UL), -ABI_EINVAL);
    EXPECT_EQ(fifo_expand_array(fifo_word_frame(0)), 0);
    fifo_end();
}

TEST("arguments that cannot be read are -EFAULT")
{
    void *bad = (void *)0xffff820000000000UL;

    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_init_control, bad),
              -ABI_EFAULT);
    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_expand_array, bad),
              -ABI_EFAULT);
    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_set_priority, bad),
              -ABI_EFAULT);
}

TEST("a send links the port and sets ready bit and upcall_pending")
{
    evtchn_port_t a, b;

    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, 1));
    a = port_bind_ipi(0);
    b = port_bind_ipi(0);
    EXPECT_EQ(port_send(a), 0);
    EXPECT_EQ(*fifo_word(a), PENDING | LINKED);
    EXPECT_EQ(fifo_control(0)->ready, QUEUE);
    EXPECT_EQ(fifo_control(0)->head[EVTCHN_FIFO_DEFAULT], a);
    EXPECT_EQ(shared_info->vcpu_info[0].evtchn_upcall_pending, 1);
    EXPECT_EQ(port_send(b), 0);
    EXPECT_EQ(port_send(b), 0);
    EXPECT_EQ(*fifo_word(a), PENDING | LINKED | b);
    EXPECT_EQ(*fifo_word(b), PENDING | LINKED);
    EXPECT_EQ(take(0), 2);
    EXPECT_EQ(taken[0], a);
    EXPECT_EQ(taken[1], b);

    /* The queue that has run empty begins anew. */
    EXPECT_EQ(port_send(b), 0);
    EXPECT_EQ(fifo_control(0)->head[EVTCHN_FIFO_DEFAULT], b);
    EXPECT_EQ(take(0), 1);
    fifo_end();
}

TEST("an event between two ports of FIFO arrives")
{
    evtchn_port_t near, far;

    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, 1));
    far = port_alloc_unbound(own_domid);
    near = port_bind(own_domid, far);
    EXPECT_EQ(take(0), 1);
    EXPECT_EQ(taken[0], near);
    EXPECT_EQ(port_send(near), 0);
    EXPECT_EQ(take(0), 1);
    EXPECT_EQ(taken[0], far);
    fifo_end();
}

TEST("an upcall comes for an event of FIFO")
{
    evtchn_port_t port;
    unsigned int before = upcall_count;

    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, 1));
    port = port_bind_ipi(0);
    EXPECT_EQ(port_send(port), 0);
    EXPECT_EQ(upcall_count, before);
    unmask_upcalls();
    EXPECT_EQ(upcall_count, before + 1);
    EXPECT_EQ(take(0), 1);
    EXPECT_EQ(port_send(port), 0);
    EXPECT_EQ(upcall_count, before + 2);
    mask_upcalls();
    fifo_end();
}

TEST("priorities have queues of their own")
{
    evtchn_port_t low, high;

    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, 1));
    low = port_bind_ipi(0);
    high = port_bind_ipi(0);
    EXPECT_EQ(fifo_set_priority(low, 15), 0);
    EXPECT_EQ(fifo_set_priority(high, 0), 0);
    EXPECT_EQ(fifo_set_priority(low, 16), -ABI_EINVAL);
    EXPECT_EQ(fifo_set_priority(low, ~0U), -ABI_EINVAL);
    EXPECT_EQ(fifo_set_priority(~0U, 1), -ABI_EINVAL);
    EXPECT_EQ(port_send(low), 0);
    EXPECT_EQ(port_send(high), 0);
    EXPECT_EQ(fifo_control(0)->ready, 0x8001);
    EXPECT_EQ(take(0), 2);
    EXPECT_EQ(taken[0], high);
    EXPECT_EQ(taken[1], low);
    fifo_end();
}

TEST("a masked word becomes pending, unlinked, until it is unmasked")
{
    evtchn_port_t port;

    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, 1));
    port = port_bind_ipi(0);
    *fifo_word(port) = MASKED;
    EXPECT_EQ(port_send(port), 0);
    EXPECT_EQ(*fifo_word(port), MASKED | PENDING);
    EXPECT_EQ(fifo_control(0)->ready, 0);
    EXPECT_EQ(port_unmask(port), 0);
    EXPECT_EQ(*fifo_word(port), LINKED | PENDING);
    EXPECT_EQ(take(0), 1);
    *fifo_word(port) = MASKED;
    EXPECT_EQ(port_unmask(port), 0);
    EXPECT_EQ(*fifo_word(port), 0);
    EXPECT_EQ(port_unmask(~0U), -ABI_EINVAL);
    fifo_end();
}

TEST("a port that is pending and unlinked is linked when it is sent again")
{
    evtchn_port_t port;

    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, 1));
    port = port_bind_ipi(0);
    *fifo_word(port) = PENDING;
    EXPECT_EQ(port_send(port), 0);
    EXPECT_EQ(take(0), 1);
    fifo_end();
}

TEST("what was pending in 2-level is raised when its word is there")
{
    evtchn_port_t pending, idle, late;

    SKIP_UNLESS_INITIAL();
    pending = port_bind_ipi(0);
    idle = port_bind_ipi(0);
    late = port_bind_ipi(0);
    EXPECT_EQ(port_send(pending), 0);
    REQUIRE(fifo_begin(1, 0));
    EXPECT_EQ(port_send(late), 0);
    EXPECT_EQ(take(0), 0);
    EXPECT_EQ(fifo_expand_array(fifo_word_frame(0)), 0);
    EXPECT_EQ(take(0), 2);
    EXPECT_EQ(taken[0], pending);
    EXPECT_EQ(taken[1], late);
    EXPECT_EQ(*fifo_word(idle), 0);
    fifo_end();
}

TEST("words keep the mask that the guest has written before")
{
    evtchn_port_t port;

    SKIP_UNLESS_INITIAL();
    port = port_bind_ipi(0);
    EXPECT_EQ(port_send(port), 0);
    REQUIRE(fifo_begin(1, 0));
    *fifo_word(port) = MASKED;
    EXPECT_EQ(fifo_expand_array(fifo_word_frame(0)), 0);
    EXPECT_EQ(*fifo_word(port), MASKED | PENDING);
    EXPECT_EQ(port_unmask(port), 0);
    EXPECT_TRUE(take(0) >= 1); /* and on Xen what was pending long ago */
    EXPECT_EQ(*fifo_word(port), 0);
    fifo_end();
}

TEST("a closed port is not pending, and while linked it is not given again")
{
    evtchn_port_t port, other;

    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, 1));
    port = port_bind_ipi(0);
    EXPECT_EQ(port_send(port), 0);
    EXPECT_EQ(port_close(port), 0);
    EXPECT_EQ(*fifo_word(port), LINKED);
    other = port_bind_ipi(0);
    EXPECT_TRUE(other != port);
    EXPECT_EQ(take(0), 0);
    EXPECT_EQ(port_bind_ipi(0), port);
    fifo_end();
}

TEST("a poll sees words that are pending, masked too")
{
    evtchn_port_t port;
    struct sched_poll op = {.nr_ports = 1};

    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, 1));
    port = port_bind_ipi(0);
    op.ports = hypercall_ptr(&port);
    *fifo_word(port) = MASKED;
    EXPECT_EQ(port_send(port), 0);
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_poll, &op), 0);
    EXPECT_EQ(*fifo_word(port), MASKED | PENDING);
    fifo_end();
}

TEST("a port moved to another vCPU, or another priority, joins that queue")
{
    evtchn_port_t near, far, other;

    SKIP_UNLESS_INITIAL();
    SKIP_UNLESS_VCPUS(2);
    REQUIRE(fifo_begin(2, 1));
    other = port_bind_ipi(0);
    far = port_alloc_unbound(own_domid);
    near = port_bind(own_domid, far);
    EXPECT_EQ(take(0), 1);
    EXPECT_EQ(port_send(near), 0);
    EXPECT_EQ(take(0), 1);
    EXPECT_EQ(port_bind_vcpu(far, 1), 0);
    EXPECT_EQ(port_send(near), 0);
    EXPECT_EQ(port_send(other), 0); /* must not be linked behind it */
    EXPECT_EQ(take(0), 1);
    EXPECT_EQ(taken[0], other);
    EXPECT_EQ(take(1), 1);
    EXPECT_EQ(taken[0], far);
    EXPECT_EQ(fifo_set_priority(far, 2), 0);
    EXPECT_EQ(port_send(near), 0);
    EXPECT_EQ(fifo_control(1)->ready, 1U << 2);
    EXPECT_EQ(take(1), 1);
    fifo_end();
}

TEST("a vCPU without control block is not told, and is after it has one")
{
    evtchn_port_t port;

    SKIP_UNLESS_INITIAL();
    SKIP_UNLESS_VCPUS(2);
    REQUIRE(fifo_begin(1, 1));
    port = port_bind_ipi(1);
    EXPECT_EQ(port_send(port), 0);
    EXPECT_EQ(*fifo_word(port) & LINKED, 0);
    EXPECT_EQ(fifo_init_control(fifo_control_frame(), FIFO_CONTROL_BYTES, 1),
              0);
    EXPECT_EQ(port_send(port), 0);
    EXPECT_EQ(take(1), 1);
    fifo_end();
}

TEST("after a reset 2-level works as before, and FIFO once more")
{
    evtchn_port_t port;

    SKIP_UNLESS_INITIAL();
    for (int i = 0; i < 3; i++) {
        REQUIRE(fifo_begin(1, 2));
        port = port_bind_ipi(0);
        EXPECT_EQ(port_send(port), 0);
        EXPECT_EQ(take(0), 1);
        fifo_end();
        port = port_bind_ipi(0);
        if (on_cairn) /* Xen leaves what was pending before the switch. */
            EXPECT_FALSE(port_pending(port));
        port_clear(port);
        EXPECT_EQ(port_send(port), 0);
        EXPECT_TRUE(port_pending(port));
        EXPECT_EQ(*fifo_word(port), 0);
        port_clear(port);
        fifo_end();
    }
}

/* Ports before the one that is sent: Xen looks at each for a free one. */
#define MANY_CAIRN 10000U
#define MANY_XEN   5000U

TEST("more ports than 2-level has: a send on the last one arrives")
{
    unsigned int many = on_cairn ? MANY_CAIRN : MANY_XEN;
    evtchn_port_t last = 0;

    SKIP_UNLESS_INITIAL();
    REQUIRE(fifo_begin(1, many / EVTCHN_FIFO_PAGE_PORTS + 2));
    for (unsigned int i = 0; i < many; i++)
        last = port_bind_ipi(0);
    EXPECT_TRUE(last >= many);
    EXPECT_EQ(port_send(last), 0);
    EXPECT_EQ(port_send(last - 1), 0);
    EXPECT_EQ(take(0), 2);
    EXPECT_EQ(taken[0], last);
    EXPECT_EQ(taken[1], last - 1);
    EXPECT_EQ(port_status(last).status, EVTCHNSTAT_ipi);
    EXPECT_EQ(port_close(last), 0);
    EXPECT_EQ(port_bind_ipi(0), last);
    fifo_end();
    EXPECT_EQ(port_send(last), -ABI_EINVAL);
}

TEST("the port behind the last one is -ENOSPC, and all come back")
{
    evtchn_port_t last = 0, port;

    SKIP_ON_XEN("it looks through all ports for each");
    REQUIRE(fifo_begin(1, FIFO_PAGES_MAX));
    while ((port = port_bind_ipi(0)))
        last = port;
    EXPECT_EQ(port_error, -ABI_ENOSPC);
    EXPECT_EQ(last, EVTCHN_FIFO_PORTS - 1);
    EXPECT_EQ(port_send(last), 0);
    EXPECT_EQ(take(0), 1);
    EXPECT_EQ(taken[0], last);
    fifo_end();
    EXPECT_EQ(ports_in_use(EVTCHN_FIFO_PORTS), 0);
}

TEST("a page of a thousand ports that wait is raised whole")
{
    unsigned int count = 0;

    SKIP_UNLESS_INITIAL();
    for (unsigned int i = 0; i < 1000; i++)
        port_send(port_bind_ipi(0));
    REQUIRE(fifo_begin(1, 0));
    EXPECT_EQ(fifo_expand_array(fifo_word_frame(0)), 0);
    count = take(0);
    EXPECT_EQ(count, 1000);
    fifo_end();
}

/*
 * Whatever lies in the words and blocks: sends answer 0, and once the guest
 * has cleaned up, all works.
 */
static void must_survive(void (*spoil)(evtchn_port_t a, evtchn_port_t b))
{
    evtchn_port_t a, b, c;

    REQUIRE(fifo_begin(1, 1));
    a = port_bind_ipi(0);
    b = port_bind_ipi(0);
    c = port_bind_ipi(0);
    for (unsigned int i = 0; i < 20; i++) {
        EXPECT_EQ(port_send(a), 0);
        spoil(a, b);
        EXPECT_EQ(port_send(b), 0);
        spoil(b, c);
        EXPECT_EQ(port_send(c), 0);
        EXPECT_EQ(port_unmask(a), 0);
    }
    fifo_clean();
    EXPECT_EQ(port_send(a), 0);
    EXPECT_EQ(port_send(b), 0);
    EXPECT_EQ(port_send(c), 0);
    EXPECT_EQ(take(0), 3);
    fifo_end();
}

static void link_to_itself(evtchn_port_t a, evtchn_port_t b)
{
    (void)b;
    *fifo_word(a) = LINKED | a;
}

static void link_far_away(evtchn_port_t a, evtchn_port_t b)
{
    *fifo_word(a) = LINKED | EVTCHN_WORD_LINK_MASK;
    *fifo_word(b) = LINKED | 5000; /* no word there */
}

static void fill_with_ones(evtchn_port_t a, evtchn_port_t b)
{
    *fifo_word(a) = *fifo_word(b) = ~0U;
    for (unsigned int i = 0; i < EVTCHN_FIFO_PRIORITIES; i++)
        fifo_control(0)->head[i] = ~0U;
    fifo_control(0)->ready = ~0U;
}

static void stay_busy(evtchn_port_t a, evtchn_port_t b)
{
    *fifo_word(a) |= BUSY;
    *fifo_word(b) |= BUSY;
    fifo_control(0)->ready = 0;
}

TEST("words that link to themselves stop nobody")
{
    SKIP_UNLESS_INITIAL();
    must_survive(link_to_itself);
}

TEST("links to ports that have no word are followed by nobody")
{
    SKIP_UNLESS_INITIAL();
    must_survive(link_far_away);
}

TEST("words and blocks full of ones do no harm")
{
    SKIP_UNLESS_INITIAL();
    must_survive(fill_with_ones);
}

TEST("words that stay busy hold up nobody")
{
    SKIP_UNLESS_INITIAL();
    must_survive(stay_busy);
}

TEST("a control block that lies among the event words does no harm")
{
    evtchn_port_t port;

    SKIP_UNLESS_INITIAL();
    fifo_clean();
    EXPECT_EQ(fifo_init_control(fifo_word_frame(0), 0, 0), 0);
    EXPECT_EQ(fifo_expand_array(fifo_word_frame(0)), 0);
    EXPECT_EQ(fifo_expand_array(fifo_word_frame(0)), 0);
    for (unsigned int i = 0; i < 30; i++) {
        port = port_bind_ipi(0);
        EXPECT_EQ(port_send(port), 0);
    }
    fifo_end();
}

TEST("pages that are registered can be neither guarded nor discarded")
{
    SKIP_ON_XEN("there is no guard of a page");
    REQUIRE(fifo_begin(1, 1));
    EXPECT_FALSE(guard_page((void *)(uintptr_t)fifo_word(0)));
    EXPECT_FALSE(guard_page((void *)(uintptr_t)fifo_control(0)));
    fifo_end();
    EXPECT_TRUE(guard_page((void *)(uintptr_t)fifo_word(0)));
    EXPECT_TRUE(unguard_page((void *)(uintptr_t)fifo_word(0)));
}
