/* SPDX-License-Identifier: BSD-2-Clause */
/* The FIFO ABI as a guest uses it: see fifo.h. */

#include "events/fifo.h"

#include <rt/hypercall.h>

#include "framework/ports.h"
#include "framework/test.h"
#include "framework/vcpu.h"

PAGES(control_page, 1);
PAGES(word_pages, FIFO_PAGES_MAX);

long fifo_init_control(uint64_t gfn, uint32_t offset, uint32_t vcpu)
{
    struct evtchn_init_control op = {
        .control_gfn = gfn, .offset = offset, .vcpu = vcpu};
    long rc = hypercall_event_channel_op(EVTCHNOP_init_control, &op);

    if (rc == 0)
        EXPECT_EQ(op.link_bits, EVTCHN_FIFO_LINK_BITS);
    return rc;
}

long fifo_expand_array(uint64_t gfn)
{
    struct evtchn_expand_array op = {.array_gfn = gfn};

    return hypercall_event_channel_op(EVTCHNOP_expand_array, &op);
}

long fifo_set_priority(evtchn_port_t port, uint32_t priority)
{
    struct evtchn_set_priority op = {.port = port, .priority = priority};

    return hypercall_event_channel_op(EVTCHNOP_set_priority, &op);
}

uint64_t fifo_control_frame(void)
{
    return frame_of(control_page);
}

uint64_t fifo_word_frame(unsigned int page)
{
    return frame_of(word_pages + page * PAGE_SIZE);
}

volatile uint32_t *fifo_word(evtchn_port_t port)
{
    return (volatile uint32_t *)(void *)word_pages + port;
}

volatile struct evtchn_fifo_control *fifo_control(unsigned int vcpu)
{
    return (volatile void *)(control_page + vcpu * FIFO_CONTROL_BYTES);
}

void fifo_clean(void)
{
    for (evtchn_port_t port = 0; port < EVTCHN_FIFO_PORTS; port++)
        if (*fifo_word(port))
            *fifo_word(port) = 0;
    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        ((volatile uint8_t *)control_page)[i] = 0;
}

/* LINKED and the link go in one step; the sender may set other bits. */
static uint32_t unlink_word(volatile uint32_t *word)
{
    return __atomic_fetch_and(
        word, ~(EVTCHN_WORD_LINKED | EVTCHN_WORD_LINK_MASK), __ATOMIC_SEQ_CST);
}

static unsigned int take_queue(unsigned int vcpu, unsigned int queue,
                               void (*fn)(evtchn_port_t port))
{
    unsigned int count = 0;
    evtchn_port_t port =
        __atomic_load_n(&fifo_control(vcpu)->head[queue], __ATOMIC_SEQ_CST);

    while (port) {
        volatile uint32_t *word = fifo_word(port);
        evtchn_port_t next = unlink_word(word) & EVTCHN_WORD_LINK_MASK;

        if (!(*word & EVTCHN_WORD_MASKED) &&
            __atomic_fetch_and(word, ~EVTCHN_WORD_PENDING, __ATOMIC_SEQ_CST) &
                EVTCHN_WORD_PENDING) {
            fn(port);
            count++;
        }
        port = next;
    }
    return count;
}

unsigned int fifo_take(unsigned int vcpu, void (*fn)(evtchn_port_t port))
{
    unsigned int count = 0;
    uint32_t ready;

    __atomic_store_n(&shared_info->vcpu_info[vcpu].evtchn_upcall_pending, 0,
                     __ATOMIC_SEQ_CST);
    ready =
        __atomic_exchange_n(&fifo_control(vcpu)->ready, 0, __ATOMIC_SEQ_CST);
    for (; ready; ready &= ready - 1)
        count += take_queue(vcpu, (unsigned int)__builtin_ctz(ready), fn);
    return count;
}

static void ignore(evtchn_port_t port)
{
    (void)port;
}

bool fifo_begin(unsigned int vcpus, unsigned int pages)
{
    unsigned int before = test_failures;

    fifo_clean();
    for (unsigned int i = 0; i < vcpus; i++)
        EXPECT_EQ(
            fifo_init_control(fifo_control_frame(), i * FIFO_CONTROL_BYTES, i),
            0);
    for (unsigned int i = 0; i < pages; i++)
        EXPECT_EQ(fifo_expand_array(fifo_word_frame(i)), 0);

    /* Xen raises once more what was pending before an earlier switch. */
    for (unsigned int i = 0; i < vcpus && pages; i++)
        (void)fifo_take(i, ignore);
    return test_failures == before;
}

void fifo_end(void)
{
    struct evtchn_reset op = {.dom = DOMID_SELF};

    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_reset, &op), 0);
    for (unsigned int i = 0; i < vcpu_count(); i++)
        shared_info->vcpu_info[i].evtchn_upcall_pending = 0;
}
