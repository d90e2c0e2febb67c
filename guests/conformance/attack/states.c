/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network frontend that takes its states in no order, says one thing and does
 * another, or is gone.  Whatever it does, once the backend says that it has
 * closed or waits, nothing of the guest's is in use; and a frontend that
 * behaves from then on is served again.
 */

#include "attack/attack.h"

#include <string.h>

#include <abi/io/xs_wire.h>

#include "attack/netfront.h"
#include "attack/store.h"
#include "framework/grants.h"
#include "framework/machine.h"
#include "framework/ports.h"

#define MS 1000000UL

static bool set_state(const char *state)
{
    return store_write(FRONT "state", state);
}

static void remove_node(const char *path)
{
    (void)store_ask(XS_RM, path, strlen(path) + 1, NULL, 0);
}

/* Each leads from a connection to the backend's state that it returns. */

static char closes_at_once(void)
{
    set_state("6");
    return '6';
}

static char starts_anew(void)
{
    set_state("1");
    return '2';
}

static char loses_its_state(void)
{
    remove_node(FRONT "state");
    return '6';
}

static char loses_it_when_closing(void)
{
    set_state("5");
    front_wait_backend('5');
    remove_node(FRONT "state");
    idle_ns(50 * MS);
    set_state("6");
    return '6';
}

/* What it says while it is connected is not heard: the old rings serve. */
static char changes_its_rings(void)
{
    evtchn_port_t other = port_alloc_unbound(0);

    write_number(FRONT "tx-ring-ref", DATA_REF);
    write_number(FRONT "rx-ring-ref", DATA_REF + 1);
    write_number(FRONT "event-channel", other);
    set_state("4");
    idle_ns(50 * MS);
    if (!front_send(0, 60))
        broken("rings of which only the nodes changed are dead", 0);
    if (port_status(other).status != EVTCHNSTAT_unbound)
        broken("a port that came too late was bound", other);
    port_close(other);
    set_state("5");
    return '5';
}

/* From one connection into the next, which may be followed or not. */
static char reconnects_in_haste(void)
{
    write_number(FRONT "tx-ring-ref", DATA_REF);
    for (int i = 0; i < 3; i++) {
        set_state("1");
        set_state("4");
    }
    set_state("6");
    return '6';
}

static char flips(void)
{
    static const char *const states[] = {"0", "1", "2", "3",  "4",   "5",
                                         "6", "7", "8", "99", "frog"};

    for (int i = 0; i < 12; i++)
        set_state(states[random_below(sizeof(states) / sizeof(states[0]))]);
    set_state("6");
    return '6';
}

static char closes_its_port(void)
{
    port_close(net_port);
    net_port = 0;
    (void)grant_take_back(DATA_REF);
    set_state("6");
    return '6';
}

/* A second connection fails half-way: one ring is good, or both are. */
static char asks_for_what_cannot_be(void)
{
    set_state("1");
    front_wait_backend('2');
    write_number(FRONT "rx-ring-ref", 7);
    set_state("4");
    if (!front_wait_backend('5'))
        broken("connected by a ring that was not lent", 7);
    set_state("1");
    front_wait_backend('2');
    write_number(FRONT "rx-ring-ref", RX_REF);
    write_number(FRONT "event-channel", start_info->console.domU.evtchn);
    set_state("4");
    return '5';
}

static char (*const misdeeds[])(void) = {
    closes_at_once,      starts_anew,     loses_its_state,
    changes_its_rings,   closes_its_port, loses_it_when_closing,
    reconnects_in_haste, flips,           asks_for_what_cannot_be,
};

/* All that was lent can be taken back, and the port has no other end. */
static void expect_returned(uint64_t misdeed)
{
    for (unsigned int i = 0; i < 2 + BUFFERS; i++)
        if (!grant_take_back(TX_REF + i))
            broken("a page is in use after misdeed", misdeed);
    if (net_port != 0) {
        if (port_status(net_port).status != EVTCHNSTAT_unbound)
            broken("the port is bound after misdeed", misdeed);
        port_close(net_port);
    }
}

void attack_net_states(void)
{
    for (uint64_t i = 0; i < sizeof(misdeeds) / sizeof(misdeeds[0]); i++) {
        if (!front_connect() || !front_send(0, 60))
            broken("it is not served before misdeed", i);
        if (grant_take_back(TX_REF))
            broken("its ring is not in use before misdeed", i);
        if (!front_wait_backend(misdeeds[i]()))
            broken("the backend does not follow misdeed", i);
        expect_returned(i);
        set_state("1");
    }
    /* Gone with all its nodes, connected: its end is the domain's. */
    if (!front_connect())
        broken("it is not served in the end", 0);
    remove_node("device/vif/0");
}
