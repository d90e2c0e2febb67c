/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domain that must never notice: it answers each event with one, keeps its
 * memory, and sees time go forward.
 */

#include <abi/sched.h>

#include <rt/hypercall.h>

#include "framework/ports.h"
#include "framework/test.h"
#include "fuzz/fuzz.h"

#define KEPT_PAGES  64U
#define PAGES_ROUND 4U
#define PAGE_WORDS  (PAGE_SIZE / sizeof(uint64_t))

struct witness_state witness_state;

PAGES(kept, KEPT_PAGES);

static uint64_t *page_words(unsigned int page)
{
    return (uint64_t *)(void *)(kept + page * PAGE_SIZE);
}

static void fill_page(unsigned int page)
{
    for (unsigned int i = 0; i < PAGE_WORDS; i++)
        page_words(page)[i] = page * 0x9e3779b97f4a7c15UL + i;
}

static bool page_is_kept(unsigned int page)
{
    for (unsigned int i = 0; i < PAGE_WORDS; i++)
        if (page_words(page)[i] != page * 0x9e3779b97f4a7c15UL + i)
            return false;
    return true;
}

static void wait_for(evtchn_port_t port)
{
    struct sched_poll poll = {.ports = hypercall_ptr(&port), .nr_ports = 1};

    while (!port_pending(port))
        hypercall_sched_op(SCHEDOP_poll, &poll);
    port_clear(port);
}

static void look(void)
{
    static unsigned int page;
    static uint64_t last;
    uint64_t now = now_ns();

    witness_state.errors += now < last;
    last = now;
    for (unsigned int i = 0; i < PAGES_ROUND; i++) {
        witness_state.errors += !page_is_kept(page);
        page = (page + 1) % KEPT_PAGES;
    }
}

uint64_t witness_child(uint64_t unused)
{
    evtchn_port_t port = port_alloc_unbound(0);

    (void)unused;
    for (unsigned int i = 0; i < KEPT_PAGES; i++)
        fill_page(i);
    witness_state.port = port;
    /* Its end is the supervisor's wish only. */
    for (;;) {
        wait_for(port);
        look();
        witness_state.rounds++;
        port_send(port);
    }
}
