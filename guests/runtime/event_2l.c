/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels, 2-level ABI.
 *
 * The hypervisor sets three levels of one bit: pending[port], the selector
 * bit of its word, upcall_pending.  The loop clears them from the top before
 * it reads the next, so an event that comes meanwhile is seen in this pass or
 * sets upcall_pending again, which keeps the loop from sleeping.
 */

#include "event_abi.h"

#include <abi/shared_info.h>

#include "internal.h"

#define PORTS_PER_WORD 64U

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

/* What the hypervisor does below a pending bit; we are its only vCPU. */
static void set_selector(evtchn_port_t port)
{
    struct vcpu_info *vcpu = &rt_shared_info->vcpu_info[0];

    __atomic_fetch_or(&vcpu->evtchn_pending_sel,
                      1ULL << (port / PORTS_PER_WORD), __ATOMIC_SEQ_CST);
    __atomic_store_n(&vcpu->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
}

static int prepare(evtchn_port_t port)
{
    (void)port;
    return 0;
}

static void mask(evtchn_port_t port)
{
    __atomic_fetch_or(mask_word(port), bit_of(port), __ATOMIC_SEQ_CST);
}

static void unmask(evtchn_port_t port)
{
    __atomic_fetch_and(mask_word(port), ~bit_of(port), __ATOMIC_SEQ_CST);
    if (__atomic_load_n(pending_word(port), __ATOMIC_SEQ_CST) & bit_of(port))
        set_selector(port);
}

static void clear(evtchn_port_t port)
{
    __atomic_fetch_and(pending_word(port), ~bit_of(port), __ATOMIC_SEQ_CST);
}

static void raise(evtchn_port_t port)
{
    __atomic_fetch_or(pending_word(port), bit_of(port), __ATOMIC_SEQ_CST);
    set_selector(port);
}

static void dispatch_word(unsigned int word, void (*handle)(evtchn_port_t port))
{
    uint64_t ready =
        __atomic_load_n(&rt_shared_info->evtchn_pending[word],
                        __ATOMIC_SEQ_CST) &
        ~__atomic_load_n(&rt_shared_info->evtchn_mask[word], __ATOMIC_SEQ_CST);

    for (; ready; ready &= ready - 1) {
        evtchn_port_t port =
            word * PORTS_PER_WORD + (unsigned int)__builtin_ctzll(ready);

        clear(port);
        handle(port);
    }
}

static void dispatch(void (*handle)(evtchn_port_t port))
{
    uint64_t selector = __atomic_exchange_n(
        &rt_shared_info->vcpu_info[0].evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);

    for (; selector; selector &= selector - 1)
        dispatch_word((unsigned int)__builtin_ctzll(selector), handle);
}

const struct event_abi event_2l = {
    .port_end = EVTCHN_2L_PORTS,
    .prepare = prepare,
    .mask = mask,
    .unmask = unmask,
    .clear = clear,
    .raise = raise,
    .dispatch = dispatch,
};
