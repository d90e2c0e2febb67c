/* SPDX-License-Identifier: BSD-2-Clause */
/* Events, from one port of this domain to another one of it. */

#include "micro/measure.h"

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/machine.h"
#include "framework/ports.h"
#include "framework/print.h"
#include "framework/trap.h"

#include "micro/entry.h"

/* micro_upcall takes events of the first word only. */
#define WORD_PORTS 64U

static struct evtchn_send sending, *sending_at;
static evtchn_port_t receiver;
static uint64_t upcalls_before;

OPERATION(send)
{
    return hypercall_event_channel_op(EVTCHNOP_send, sending_at);
}

static void clear(void)
{
    struct vcpu_info *v = &shared_info->vcpu_info[0];

    mask_upcalls();
    v->evtchn_upcall_pending = 0;
    v->evtchn_pending_sel = 0;
    port_clear(receiver);
}

static long check_pending(long rc)
{
    return rc != 0 || port_pending(receiver) ? rc : 1;
}

static void open_upcalls(void)
{
    clear();
    upcalls_before = micro_upcalls;
    __atomic_store_n(&shared_info->vcpu_info[0].evtchn_upcall_mask, 0,
                     __ATOMIC_SEQ_CST);
}

static long check_upcall(long rc)
{
    mask_upcalls();
    return rc != 0 || micro_upcalls == upcalls_before + 1 ? rc : 1;
}

void measure_events(void)
{
    static const struct operation first = {"event_send_masked", send, clear,
                                           check_pending};
    static const struct operation pending = {"event_send_pending", send, NULL,
                                             check_pending};
    static const struct operation upcall = {"event_send_upcall_iret", send,
                                            open_upcalls, check_upcall};

    receiver = port_alloc_unbound(own_domid);
    sending.port = receiver != 0 ? port_bind(own_domid, receiver) : 0;
    if (sending.port == 0 || receiver >= WORD_PORTS) {
        print("no ports: %ld\n", port_error);
        return;
    }
    port_unmask_local(receiver);
    sending_at = upper(&sending);
    clear();
    measure(&first);
    measure(&pending);
    hypercall3(HYPERCALL_set_callbacks, hypercall_ptr(micro_upcall),
               hypercall_ptr(failsafe_stub), 0);
    measure(&upcall);
    traps_init();
    clear();
}
