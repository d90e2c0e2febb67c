/* SPDX-License-Identifier: BSD-2-Clause */
/* A console ring: see console.h. */

#include "framework/console.h"

#include <stddef.h>

#include <abi/io/console.h>

#include <rt/hypercall.h>

#include "framework/machine.h"
#include "framework/ports.h"
#include "framework/print.h"

#define DRAIN_NS 5000000000UL

static struct xencons_interface *ring;
static evtchn_port_t port;

/* Until the daemon has said something, or @deadline. */
static void wait_for_daemon(uint64_t deadline)
{
    struct sched_poll op = {
        .ports = hypercall_ptr(&port), .nr_ports = 1, .timeout = deadline};

    hypercall_sched_op(SCHEDOP_poll, &op);
}

static uint32_t in_ring(void)
{
    return ring->out_prod - __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE);
}

/* Its event is cleared before the ring is looked at, so none is slept over. */
static void put(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        while (port_clear(port), in_ring() >= XENCONS_OUT_BYTES) {
            port_send(port);
            wait_for_daemon(now_ns() + DRAIN_NS);
        }
        ring->out[ring->out_prod % XENCONS_OUT_BYTES] = text[i];
        __atomic_store_n(&ring->out_prod, ring->out_prod + 1, __ATOMIC_RELEASE);
    }
    port_send(port);
}

void console_ring_start(void)
{
    ring = pv_page(start_info->console.domU.mfn);
    port = start_info->console.domU.evtchn;
    /* What the daemon has to say must not show up among a case's upcalls. */
    port_mask(port);
    print_sink = put;
}

void console_ring_drain(void)
{
    uint64_t deadline = now_ns() + DRAIN_NS;

    if (!ring)
        return;
    while (port_clear(port), in_ring() != 0 && now_ns() < deadline)
        wait_for_daemon(deadline);
}
