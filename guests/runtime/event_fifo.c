/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels, FIFO ABI: 131,071 ports instead of 4,095.
 *
 * Only programs that call rt_events_use_fifo() have this file in them.  Words
 * come by pages, when a port in them is first bound; a word that is not there
 * yet keeps its event in the hypervisor.  All ports have one priority, so there
 * is one queue to take from.
 */

#include <rt/event.h>

#include <stdbool.h>

#include <abi/errno.h>
#include <abi/shared_info.h>

#include <rt/hypercall.h>
#include <rt/page.h>
#include <rt/start.h>

#include "event_abi.h"
#include "internal.h"

#define PAGE_PORTS EVTCHN_FIFO_PAGE_PORTS

/*
 * Events taken in one pass, at most: who sends without end must not keep the
 * loop from its timers.
 */
#define PASS_MAX 1024U

static uint32_t *pages[EVTCHN_FIFO_PORTS / PAGE_PORTS];
static unsigned int page_count;
static struct evtchn_fifo_control *control;

/* The queue has something, and where it goes on; 0: at its head. */
static uint32_t ready;
static evtchn_port_t next;

static uint32_t *word_of(evtchn_port_t port)
{
    return &pages[port / PAGE_PORTS][port % PAGE_PORTS];
}

static int register_page(uint32_t *page)
{
    struct evtchn_expand_array op = {.array_gfn = rt_frame_of(page)};
    int rc = (int)hypercall_event_channel_op(EVTCHNOP_expand_array, &op);

    if (rc == 0)
        pages[page_count++] = page;
    return rc;
}

static int prepare(evtchn_port_t port)
{
    while (port / PAGE_PORTS >= page_count) {
        uint32_t *page = page_alloc(1);
        int rc;

        if (!page)
            return -ABI_ENOMEM;
        for (unsigned int i = 0; i < PAGE_PORTS; i++)
            page[i] = EVTCHN_WORD_MASKED;
        rc = register_page(page);
        if (rc) {
            page_free(page, 1);
            return rc;
        }
    }
    return 0;
}

static void mask(evtchn_port_t port)
{
    if (port / PAGE_PORTS < page_count)
        __atomic_fetch_or(word_of(port), EVTCHN_WORD_MASKED, __ATOMIC_SEQ_CST);
}

/* True: not masked any more, and nothing was pending. */
static bool unmask_idle(uint32_t *word)
{
    uint32_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);

    while (seen & EVTCHN_WORD_MASKED && !(seen & EVTCHN_WORD_PENDING)) {
        /* A busy word is the hypervisor's for a moment. */
        seen &= ~EVTCHN_WORD_BUSY;
        if (__atomic_compare_exchange_n(word, &seen, seen & ~EVTCHN_WORD_MASKED,
                                        false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return true;
    }
    return !(seen & EVTCHN_WORD_MASKED);
}

static void unmask(evtchn_port_t port)
{
    struct evtchn_unmask op = {.port = port};

    if (!unmask_idle(word_of(port)))
        hypercall_event_channel_op(EVTCHNOP_unmask, &op);
}

static void clear(evtchn_port_t port)
{
    if (port / PAGE_PORTS < page_count)
        __atomic_fetch_and(word_of(port), ~EVTCHN_WORD_PENDING,
                           __ATOMIC_SEQ_CST);
}

/* Only the hypervisor links: it does when it unmasks what is pending. */
static void raise(evtchn_port_t port)
{
    struct evtchn_unmask op = {.port = port};

    if (!(__atomic_fetch_or(word_of(port), EVTCHN_WORD_PENDING,
                            __ATOMIC_SEQ_CST) &
          EVTCHN_WORD_MASKED))
        hypercall_event_channel_op(EVTCHNOP_unmask, &op);
}

/* The next port of the queue, taken out of it. */
static evtchn_port_t take(void)
{
    evtchn_port_t port = next;

    if (!port)
        port = __atomic_load_n(&control->head[EVTCHN_FIFO_DEFAULT],
                               __ATOMIC_SEQ_CST);
    next = __atomic_fetch_and(word_of(port),
                              ~(EVTCHN_WORD_LINKED | EVTCHN_WORD_LINK_MASK),
                              __ATOMIC_SEQ_CST) &
           EVTCHN_WORD_LINK_MASK;
    if (!next)
        ready = 0;
    return port;
}

static void handle_if_due(evtchn_port_t port,
                          void (*handle)(evtchn_port_t port))
{
    uint32_t word = __atomic_load_n(word_of(port), __ATOMIC_SEQ_CST);

    if ((word & (EVTCHN_WORD_PENDING | EVTCHN_WORD_MASKED)) !=
        EVTCHN_WORD_PENDING)
        return;
    clear(port);
    handle(port);
}

static void dispatch(void (*handle)(evtchn_port_t port))
{
    ready |= __atomic_exchange_n(&control->ready, 0, __ATOMIC_SEQ_CST);
    for (unsigned int i = 0; ready && i < PASS_MAX; i++) {
        handle_if_due(take(), handle);
        ready |= __atomic_exchange_n(&control->ready, 0, __ATOMIC_SEQ_CST);
    }
    if (ready) /* The loop comes back before it sleeps. */
        __atomic_store_n(&rt_shared_info->vcpu_info[0].evtchn_upcall_pending, 1,
                         __ATOMIC_SEQ_CST);
}

static const struct event_abi event_fifo = {
    .port_end = EVTCHN_FIFO_PORTS,
    .prepare = prepare,
    .mask = mask,
    .unmask = unmask,
    .clear = clear,
    .raise = raise,
    .dispatch = dispatch,
};

/* The first page's words are masked as the ports are now. */
static uint32_t *first_page(void)
{
    uint32_t *page = page_alloc(1);

    for (unsigned int i = 0; page && i < PAGE_PORTS; i++)
        page[i] = rt_shared_info->evtchn_mask[i / 64] >> i % 64 & 1
                      ? EVTCHN_WORD_MASKED
                      : 0;
    return page;
}

int rt_events_use_fifo(void)
{
    struct evtchn_init_control op = {.vcpu = 0};
    uint32_t *page = first_page();
    int rc = -ABI_ENOMEM;

    control = page_alloc_zero(1);
    if (page && control) {
        op.control_gfn = rt_frame_of(control);
        rc = (int)hypercall_event_channel_op(EVTCHNOP_init_control, &op);
    }
    if (rc == 0) {
        /* There is no way back: what fails now ends the program. */
        if (register_page(page) != 0 || rt_events_switch(&event_fifo) != 0)
            rt_panic("FIFO event channels are not whole");
        return 0;
    }
    if (page)
        page_free(page, 1);
    if (control)
        page_free(control, 1);
    return rc;
}
