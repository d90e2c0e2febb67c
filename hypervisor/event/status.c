/* SPDX-License-Identifier: BSD-2-Clause */
/* What a port is: for EVTCHNOP_status and the debug key. */

#include "event/table.h"

static_assert((int)EVTCHN_INTERDOMAIN == EVTCHNSTAT_interdomain &&
                  (int)EVTCHN_PIRQ == EVTCHNSTAT_pirq &&
                  (int)EVTCHN_IPI == EVTCHNSTAT_ipi,
              "states are numbered as the ABI does");

int evtchn_status(struct domain *d, struct evtchn_status *status)
{
    const struct evtchn *chn;

    status->status = EVTCHNSTAT_closed; /* as port 0 always is */
    status->vcpu = 0;
    memset(&status->u, 0, sizeof(status->u));

    SPIN_GUARD(&d->events->lock);
    chn = table_find(d->events, status->port);
    if (!chn)
        return status->port == 0 ? 0 : -EINVAL;
    status->vcpu = evtchn_vcpu(chn);
    status->status = chn->state;
    status->u.virq = chn->detail; /* and all that is a single number */
    if (chn->state == EVTCHN_INTERDOMAIN) {
        status->u.interdomain.dom = chn->peer->domain->domid;
        status->u.interdomain.port = chn->detail;
    }
    return 0;
}

#define STATE_NAME_(name) [EVTCHN_##name] = #name,
static const char *const state_name[] = {EVTCHN_STATES(STATE_NAME_)};

static void print_port(struct evtchn_table *t, evtchn_port_t port)
{
    const struct evtchn *chn;

    SPIN_GUARD(&t->lock);
    chn = table_find(t, port);
    if (chn && chn->state != EVTCHN_FREE)
        log_info("    port %u %s %u vcpu %u peer %d%s", port,
                 state_name[chn->state], chn->detail, evtchn_vcpu(chn),
                 chn->peer ? (int)chn->peer->domain->domid : -1,
                 evtchn_is_pending(t, port) ? " pending" : "");
}

static void print_ports(void)
{
    struct domain *d;

    for (domid_t from = 0; (d = domain_get_next(from));
         from = (domid_t)(d->domid + 1), domain_put(d)) {
        struct evtchn_table *t = d->events;

        log_info("d%u: %u of %u ports%s", d->domid, t->used_count,
                 t->port_end - 1, atomic_read(&t->pending) ? "" : ", FIFO");
        for (evtchn_port_t port = 1; port < t->port_end; port++)
            print_port(t, port);
    }
}
DEBUG_KEY('e', "event channels", print_ports);
