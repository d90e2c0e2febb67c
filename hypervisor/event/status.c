/* SPDX-License-Identifier: BSD-2-Clause */
/* What a port is: for EVTCHNOP_status and the debug key. */

#include "core/keys.h"
#include "core/log.h"
#include "event/evtchn.h"
#include "event/table.h"
#include "lib/bitops.h"
#include "lib/errno.h"
#include "lib/string.h"

static void fill(const struct evtchn *chn, struct evtchn_status *status)
{
    status->vcpu = chn->notify_vcpu;

    switch ((enum evtchn_state)chn->state) {
    case EVTCHN_FREE:
        status->status = EVTCHNSTAT_closed;
        break;
    case EVTCHN_UNBOUND:
        status->status = EVTCHNSTAT_unbound;
        status->u.unbound.dom = chn->u.unbound;
        break;
    case EVTCHN_INTERDOMAIN:
        status->status = EVTCHNSTAT_interdomain;
        status->u.interdomain.dom = chn->peer->domid;
        status->u.interdomain.port = chn->u.peer_port;
        break;
    case EVTCHN_VIRQ:
        status->status = EVTCHNSTAT_virq;
        status->u.virq = chn->u.virq;
        break;
    case EVTCHN_IPI:
        status->status = EVTCHNSTAT_ipi;
        break;
    case EVTCHN_PIRQ:
        status->status = EVTCHNSTAT_pirq;
        status->u.pirq = chn->u.pirq;
        break;
    }
}

int evtchn_status(struct domain *d, struct evtchn_status *status)
{
    static const struct evtchn closed = {.state = EVTCHN_FREE};
    const struct evtchn *chn;
    int rc = 0;

    memset(&status->u, 0, sizeof(status->u));

    spin_lock(&d->events->lock);
    chn = table_find(d->events, status->port);
    if (chn)
        fill(chn, status);
    else if (status->port == 0)
        fill(&closed, status);
    else
        rc = -EINVAL;
    spin_unlock(&d->events->lock);
    return rc;
}

#define STATE_NAME_(name) [EVTCHN_##name] = #name,
static const char *const state_name[] = {EVTCHN_STATES(STATE_NAME_)};

static void print_port(struct domain *d, evtchn_port_t port)
{
    const struct evtchn *chn = table_find(d->events, port);
    const struct shared_info *s = d->shared_info;

    if (!chn || chn->state == EVTCHN_FREE)
        return;
    log_info("    port %u %s vcpu %u peer %d other %u%s%s", port,
             state_name[chn->state], chn->notify_vcpu,
             chn->peer ? (int)chn->peer->domid : -1, chn->u.peer_port,
             bit_test(s->evtchn_pending, port) ? " pending" : "",
             bit_test(s->evtchn_mask, port) ? " masked" : "");
}

static void print_ports(void)
{
    struct domain *d;
    domid_t from = 0;

    while ((d = domain_get_next(from))) {
        log_info("d%u: %u of %u ports", d->domid, d->events->used_count,
                 d->events->max_port);
        for (uint32_t port = 1; port <= d->events->max_port; port++)
            print_port(d, port);
        from = (domid_t)(d->domid + 1);
        domain_put(d);
    }
}
DEBUG_KEY('e', "event channels", print_ports);
