/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What differs between the two ABIs of event channels, for event.c.
 *
 * A port that has a handler is not masked unless the program masks it; all
 * others are.  Nothing here is called while upcalls are not masked.
 */

#ifndef RUNTIME_EVENT_ABI_H
#define RUNTIME_EVENT_ABI_H

#include <abi/event_channel.h>

struct event_abi {
    evtchn_port_t port_end; /* ports below it can be used */

    /* Make sure that @port can be pending; -ABI_ENOMEM and the like. */
    int (*prepare)(evtchn_port_t port);

    void (*mask)(evtchn_port_t port);
    void (*unmask)(evtchn_port_t port); /* what is pending comes then */
    void (*clear)(evtchn_port_t port);  /* not pending any more */
    void (*raise)(evtchn_port_t port);  /* pending, by ourselves */

    /* Clear and pass on what is pending and not masked. */
    void (*dispatch)(void (*handle)(evtchn_port_t port));
};

extern const struct event_abi event_2l;

/*
 * From now on @abi is in use, which knows which ports are masked.
 * -ABI_ENOMEM: it is not.
 */
int rt_events_switch(const struct event_abi *abi);

#endif /* RUNTIME_EVENT_ABI_H */
