/* SPDX-License-Identifier: BSD-2-Clause */
/* A parent and a child that xl started: see pair.h. */

#include "framework/pair.h"

#include <string.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/grants.h"
#include "framework/ports.h"
#include "framework/test.h"

#define LOG_BYTES       3072U
#define PARENT_SLOT     15U /* of the child's grant slots */
#define MEETING_NS      20000000000UL
#define MEETING_STEP    5000000UL
#define PARENT_SAYS_END 0UL

/* The lent page. */
struct pair_page {
    evtchn_port_t port; /* of the parent, reserved for the child */
    uint32_t order;     /* counts orders; fn and argument are the last one's */
    uint64_t fn;
    uint64_t argument;
    uint32_t done; /* the order that was carried out */
    uint32_t failures;
    uint64_t result;
    uint32_t log_size;
    char log[LOG_BYTES];
};

_Static_assert(sizeof(struct pair_page) <= PAGE_SIZE, "one page is lent");

PAGES(lent, 1);

static struct pair_page *pair;
static evtchn_port_t port;

domid_t pair_peer(void)
{
    return (domid_t)option_number("peer", DOMID_INVALID);
}

bool pair_is_child(void)
{
    const char *role = option("role");

    return role != NULL && strncmp(role, "child", 5) == 0;
}

bool pair_has_child(void)
{
    return option("peer") != NULL && !pair_is_child();
}

/* Sleep until the other side has sent something, or @deadline. */
static void wait_for_peer(uint64_t deadline)
{
    struct sched_poll op = {
        .ports = hypercall_ptr(&port), .nr_ports = 1, .timeout = deadline};

    hypercall_sched_op(SCHEDOP_poll, &op);
}

/* --- The child --------------------------------------------------------------
 */

static void log_to_parent(const char *text, size_t size)
{
    if (size > LOG_BYTES - pair->log_size)
        size = LOG_BYTES - pair->log_size;
    memcpy(pair->log + pair->log_size, text, size);
    pair->log_size += (uint32_t)size;
}

/*
 * Nobody can tell us when the parent is there, for that takes a channel, which
 * it offers in its page: so try now and then.
 */
static bool meet_parent(void)
{
    uint64_t deadline = now_ns() + MEETING_NS;
    uint64_t at = grant_slot(PARENT_SLOT);

    while (now_ns() < deadline) {
        if (grant_map(pair_peer(), PAIR_REF, at, GNTMAP_host_map).status ==
            GNTST_okay) {
            pair = (struct pair_page *)(uintptr_t)at;
            port = port_bind(pair_peer(), pair->port);
            return port != 0;
        }
        sleep_until(now_ns() + MEETING_STEP);
    }
    return false;
}

static void carry_out(void)
{
    uint64_t (*fn)(uint64_t) = (uint64_t(*)(uint64_t))(uintptr_t)pair->fn;
    void (*console)(const char *, size_t) = print_sink;

    pair->log_size = 0;
    print_sink = log_to_parent;
    test_failures = 0;
    mask_upcalls();
    trap_hook = NULL;
    pair->result = fn(pair->argument);
    pair->failures = test_failures;
    print_sink = console;
}

_Noreturn void pair_obey(void)
{
    uint32_t order;

    parent_domid = pair_peer();
    if (!meet_parent()) {
        print("the parent is not there\n");
        machine_end(SHUTDOWN_crash);
    }
    for (;;) {
        while (port_clear(port),
               order = __atomic_load_n(&pair->order, __ATOMIC_ACQUIRE),
               order == pair->done)
            wait_for_peer(0);
        if (pair->fn == PARENT_SAYS_END)
            machine_end(SHUTDOWN_poweroff);
        carry_out();
        __atomic_store_n(&pair->done, order, __ATOMIC_RELEASE);
        port_send(port);
    }
}

/* --- The parent -------------------------------------------------------------
 */

static bool lend(void)
{
    if (pair)
        return true;
    if (!grants_init())
        return false;
    pair = (struct pair_page *)(void *)lent;
    port = port_alloc_unbound(pair_peer());
    port_mask(port);
    pair->port = port;
    grant_give(PAIR_REF, pair_peer(), lent, 0);
    return port != 0;
}

/* An event sent before the child has bound is lost, but then it looks first. */
bool pair_start(uint64_t (*fn)(uint64_t), uint64_t argument)
{
    if (!lend())
        return false;
    pair->fn = (uint64_t)(uintptr_t)fn;
    pair->argument = argument;
    __atomic_store_n(&pair->order, pair->order + 1, __ATOMIC_RELEASE);
    port_send(port);
    return true;
}

bool pair_wait(struct pair_answer *answer, uint64_t timeout_ns)
{
    uint64_t deadline = now_ns() + timeout_ns;
    uint32_t size;

    while (port_clear(port),
           __atomic_load_n(&pair->done, __ATOMIC_ACQUIRE) != pair->order) {
        if (now_ns() >= deadline)
            return false;
        wait_for_peer(deadline);
    }
    size = pair->log_size < LOG_BYTES ? pair->log_size : LOG_BYTES;
    for (uint32_t i = 0; i < size; i++)
        print("%c", pair->log[i]);
    answer->result = pair->result;
    answer->failures = pair->failures;
    return true;
}

void pair_end(void)
{
    if (pair_has_child())
        (void)pair_start((uint64_t(*)(uint64_t))PARENT_SAYS_END, 0);
}
