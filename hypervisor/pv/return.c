/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way back to a guest: a choice of vCPU if one is due, and the event
 * upcall.  Only when neither is left do the registers get loaded.
 */

#include "arch/x86_64/upcalls.h"
#include "domain/vcpu.h"
#include "event/evtchn.h"
#include "pv/bounce.h"
#include "pv/crash.h"

/*
 * True if it is on its way: then events are masked, and no other is due.
 * upcall_pending stays set: the guest clears it.
 */
static bool deliver_events(struct vcpu *v)
{
    const struct bounce b = {
        .address = v->event_callback,
        .mask_events = true,
    };

    if (!b.address) {
        crash_with_registers("an event, and no callback for it");
        return false;
    }
    return bounce(&b) == 0;
}

void upcall_return_to_guest(void)
{
    for (;;) {
        struct vcpu *v;

        this_cpu(slow_return) = false;
        if (unlikely(this_cpu(need_resched))) {
            schedule();
            evtchn_poll_end(current);
        }
        v = current;
        if (!vcpu_events_deliverable(v) || deliver_events(v)) {
            this_cpu(upcall_bytes) = &v->info->evtchn_upcall_pending;
            return;
        }
    }
}
