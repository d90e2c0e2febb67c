/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The long way back to a guest: a choice of vCPU if one is due, and the event
 * upcall.  Only when neither is left do the registers get loaded.
 */

#include "arch/x86_64/upcalls.h"
#include "event/evtchn.h"
#include "pv/traps.h"

void upcall_return_to_guest(void)
{
    struct vcpu *v;

    do {
        this_cpu(slow_return) = false;
        if (unlikely(this_cpu(need_resched))) {
            schedule();
            evtchn_poll_end(current);
        }
        v = current;
        if (unlikely(v->pv))
            bounce_nmi(guest_regs(), v);
        if (vcpu_events_deliverable(v))
            upcall_deliver_events(guest_regs(), v);
    } while (unlikely(this_cpu(slow_return)));
    this_cpu(upcall_bytes) = &v->info->evtchn_upcall_pending;
}
