/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: binding, and finding out what is pending.
 *
 * The hypervisor sets three levels of one bit: pending[port], the selector
 * bit of its word, upcall_pending.  The loop clears them from the top before
 * it reads the next, so an event that comes meanwhile is seen in this pass or
 * sets upcall_pending again, which keeps the loop from sleeping.
 */

#include <rt/event.h>

#include <stdbool.h>
#include <stdlib.h>

#include <abi/errno.h>
#include <abi/sched.h>
#include <abi/shared_info.h>
#include <abi/trap.h>

#include <rt/hypercall.h>
#include <rt/start.h>

#include "internal.h"

#define PORTS_PER_WORD 64U
#define WORDS          (EVTCHN_2L_PORTS / PORTS_PER_WORD)

struct handler {
    void (*fn)(void *arg);
    void *arg;
};

/* By word of ports, so that a domain with few ports needs little. */
static struct handler *handlers[WORDS];
static struct handler first_handlers[PORTS_PER_WORD];

void rt_upcall(void);

static uint64_t bit_of(evtchn_port_t port)
{
    return 1ULL << (port % PORTS_PER_WORD);
}

static uint64_t *pending_word(evtchn_port_t port)
{
    return &rt_shared_info->evtchn_pending[port / PORTS_PER_WORD];
}

static uint64_t *mask_word(evtchn_port_t port)
{
    return &rt_shared_info->evtchn_mask[port / PORTS_PER_WORD];
}

static struct handler *handler_of(evtchn_port_t port)
{
    struct handler *word = handlers[port / PORTS_PER_WORD];

    return word ? &word[port % PORTS_PER_WORD] : NULL;
}

/* What the hypervisor does below a pending bit; we are its only vCPU. */
static void set_selector(evtchn_port_t port)
{
    struct vcpu_info *vcpu = &rt_shared_info->vcpu_info[0];

    __atomic_fetch_or(&vcpu->evtchn_pending_sel,
                      1ULL << (port / PORTS_PER_WORD), __ATOMIC_SEQ_CST);
    __atomic_store_n(&vcpu->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
}

int rt_port_bind(evtchn_port_t port, void (*fn)(void *arg), void *arg)
{
    struct handler *handler;

    if (port == 0 || port >= EVTCHN_2L_PORTS)
        return -ABI_EINVAL;
    if (!handlers[port / PORTS_PER_WORD]) {
        struct handler *word = calloc(PORTS_PER_WORD, sizeof(*word));

        if (!word)
            return -ABI_ENOMEM;
        handlers[port / PORTS_PER_WORD] = word;
    }
    handler = handler_of(port);
    if (handler->fn)
        return -ABI_EEXIST;
    handler->fn = fn;
    handler->arg = arg;
    rt_port_unmask(port);
    return 0;
}

void rt_port_unbind(evtchn_port_t port)
{
    struct handler *handler;

    if (port == 0 || port >= EVTCHN_2L_PORTS)
        return;
    rt_port_mask(port);
    __atomic_fetch_and(pending_word(port), ~bit_of(port), __ATOMIC_SEQ_CST);
    handler = handler_of(port);
    if (handler)
        handler->fn = NULL;
}

void rt_port_mask(evtchn_port_t port)
{
    __atomic_fetch_or(mask_word(port), bit_of(port), __ATOMIC_SEQ_CST);
}

void rt_port_unmask(evtchn_port_t port)
{
    __atomic_fetch_and(mask_word(port), ~bit_of(port), __ATOMIC_SEQ_CST);
    if (__atomic_load_n(pending_word(port), __ATOMIC_SEQ_CST) & bit_of(port))
        set_selector(port);
}

void rt_port_raise(evtchn_port_t port)
{
    __atomic_fetch_or(pending_word(port), bit_of(port), __ATOMIC_SEQ_CST);
    set_selector(port);
}

int rt_port_notify(evtchn_port_t port)
{
    struct evtchn_send arg = {.port = port};

    return (int)hypercall_event_channel_op(EVTCHNOP_send, &arg);
}

int rt_port_alloc_unbound_in(domid_t dom, domid_t remote, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound arg = {.dom = dom, .remote_dom = remote};
    int rc = (int)hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &arg);

    if (rc == 0)
        *port = arg.port;
    return rc;
}

int rt_port_alloc_unbound(domid_t remote, evtchn_port_t *port)
{
    return rt_port_alloc_unbound_in(DOMID_SELF, remote, port);
}

int rt_port_bind_interdomain(domid_t remote, evtchn_port_t remote_port,
                             evtchn_port_t *port)
{
    struct evtchn_bind_interdomain arg = {.remote_dom = remote,
                                          .remote_port = remote_port};
    int rc = (int)hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &arg);

    if (rc == 0)
        *port = arg.local_port;
    return rc;
}

int rt_port_bind_virq(uint32_t virq, evtchn_port_t *port)
{
    struct evtchn_bind_virq arg = {.virq = virq, .vcpu = 0};
    int rc = (int)hypercall_event_channel_op(EVTCHNOP_bind_virq, &arg);

    if (rc == 0)
        *port = arg.port;
    return rc;
}

void rt_port_close(evtchn_port_t port)
{
    struct evtchn_close arg = {.port = port};

    rt_port_unbind(port);
    hypercall_event_channel_op(EVTCHNOP_close, &arg);
}

static void dispatch_port(evtchn_port_t port)
{
    const struct handler *handler = handler_of(port);

    __atomic_fetch_and(pending_word(port), ~bit_of(port), __ATOMIC_SEQ_CST);
    /* An earlier handler of this pass may have unbound it. */
    if (handler && handler->fn)
        handler->fn(handler->arg);
}

static void dispatch_word(unsigned int word)
{
    uint64_t ready;

    ready =
        __atomic_load_n(&rt_shared_info->evtchn_pending[word],
                        __ATOMIC_SEQ_CST) &
        ~__atomic_load_n(&rt_shared_info->evtchn_mask[word], __ATOMIC_SEQ_CST);
    while (ready) {
        unsigned int bit = (unsigned int)__builtin_ctzll(ready);

        ready &= ready - 1;
        dispatch_port(word * PORTS_PER_WORD + bit);
    }
}

void rt_events_dispatch(void)
{
    struct vcpu_info *vcpu = &rt_shared_info->vcpu_info[0];
    uint64_t selector;

    if (!__atomic_load_n(&vcpu->evtchn_upcall_pending, __ATOMIC_RELAXED))
        return;
    __atomic_store_n(&vcpu->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
    selector =
        __atomic_exchange_n(&vcpu->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    while (selector) {
        unsigned int word = (unsigned int)__builtin_ctzll(selector);

        selector &= selector - 1;
        dispatch_word(word);
    }
}

void rt_events_block(void)
{
    /* Unmasks, and returns at once if something is pending. */
    hypercall_sched_op(SCHEDOP_block, NULL);

    /* The upcall has masked again; without one it would be still open. */
    __atomic_store_n(&rt_shared_info->vcpu_info[0].evtchn_upcall_mask, 1,
                     __ATOMIC_SEQ_CST);
}

void rt_events_init(void)
{
    struct callback_register callback = {
        .type = CALLBACKTYPE_event,
        .address = (uint64_t)rt_upcall,
    };

    rt_shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
    for (unsigned int word = 0; word < WORDS; word++)
        rt_shared_info->evtchn_mask[word] = ~0ULL;
    handlers[0] = first_handlers;

    if (hypercall_callback_op(CALLBACKOP_register, &callback) != 0)
        rt_panic("no upcall can be registered");
    rt_timers_init();
}
