/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels: binding, and handlers. */

#include <rt/event.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>
#include <abi/sched.h>
#include <abi/shared_info.h>
#include <abi/trap.h>

#include <rt/hypercall.h>
#include <rt/start.h>

#include "event_abi.h"
#include "internal.h"

#define PORTS_PER_WORD 64U
#define WORDS          (EVTCHN_2L_PORTS / PORTS_PER_WORD)

struct handler {
    void (*fn)(void *arg);
    void *arg;
};

/* By word of ports, so that a domain with few ports needs little. */
static struct handler *handlers_2l[WORDS];
static struct handler first_handlers[PORTS_PER_WORD];
static struct handler **handlers = handlers_2l;

static const struct event_abi *abi = &event_2l;

void rt_upcall(void);

static struct handler *handler_of(evtchn_port_t port)
{
    struct handler *word = handlers[port / PORTS_PER_WORD];

    return word ? &word[port % PORTS_PER_WORD] : NULL;
}

int rt_events_switch(const struct event_abi *to)
{
    struct handler **more =
        calloc(to->port_end / PORTS_PER_WORD, sizeof(struct handler *));

    if (!more)
        return -ABI_ENOMEM;
    memcpy(more, handlers, WORDS * sizeof(struct handler *));
    handlers = more;
    abi = to;
    return 0;
}

int rt_port_bind(evtchn_port_t port, void (*fn)(void *arg), void *arg)
{
    struct handler *handler;
    int rc;

    if (port == 0 || port >= abi->port_end)
        return -ABI_EINVAL;
    rc = abi->prepare(port);
    if (rc)
        return rc;
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

    if (port == 0 || port >= abi->port_end)
        return;
    rt_port_mask(port);
    abi->clear(port);
    handler = handler_of(port);
    if (handler)
        handler->fn = NULL;
}

void rt_port_mask(evtchn_port_t port)
{
    abi->mask(port);
}

void rt_port_unmask(evtchn_port_t port)
{
    abi->unmask(port);
}

void rt_port_raise(evtchn_port_t port)
{
    abi->raise(port);
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

/* It is not pending any more. */
static void handle(evtchn_port_t port)
{
    const struct handler *handler = handler_of(port);

    /* An earlier handler of this pass may have unbound it. */
    if (handler && handler->fn)
        handler->fn(handler->arg);
}

void rt_events_dispatch(void)
{
    struct vcpu_info *vcpu = &rt_shared_info->vcpu_info[0];

    if (!__atomic_load_n(&vcpu->evtchn_upcall_pending, __ATOMIC_RELAXED))
        return;
    __atomic_store_n(&vcpu->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
    abi->dispatch(handle);
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
