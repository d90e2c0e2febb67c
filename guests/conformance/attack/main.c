/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing the attack: see attack.h. */

#include "attack/attack.h"

#include <string.h>

#include <rt/hypercall.h>

#include "framework/test.h"

static const struct {
    const char *name;
    void (*run)(void);
} attacks[] = {
    {"crash", attack_crash},           {"loop", attack_loop},
    {"loop-open", attack_loop_open},   {"text", attack_text},
    {"faults", attack_faults},         {"yield", attack_yield},
    {"pointers", attack_pointers},     {"fuzz", attack_fuzz},
    {"memory", attack_memory},         {"ports", attack_ports},
    {"grants", attack_grants},         {"timer", attack_timer},
    {"store", attack_store},           {"store-flood", attack_store_flood},
    {"console", attack_console},       {"net", attack_net},
    {"net-toggle", attack_net_toggle}, {"net-states", attack_net_states},
    {"net-scan", attack_net_scan},     {"net-overshoot", attack_net_overshoot},
    {"print", attack_print},
};

static const char *running;
static uint64_t state;

void random_seed(uint64_t seed)
{
    state = seed * 0x9e3779b97f4a7c15UL + 1;
}

/* xorshift64*: enough for choosing arguments. */
uint64_t random_next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dUL;
}

uint64_t random_below(uint64_t limit)
{
    return random_next() % limit;
}

void broken(const char *what, uint64_t value)
{
    print("attack %s: BROKEN: %s %lx\n", running, what, value);
}

void idle_ns(uint64_t ns)
{
    sleep_until(now_ns() + ns);
}

uint64_t rounds(uint64_t usual)
{
    return option_number("rounds", usual);
}

static bool is_named(const char *name)
{
    const char *wanted = option("attack");
    size_t size = strlen(name);

    return wanted && strncmp(wanted, name, size) == 0 &&
           (wanted[size] == '\0' || wanted[size] == ' ');
}

/* The domain's own number, as the store page's owner knows it. */
static void find_own_domid(void)
{
    evtchn_port_t port = 0;
    struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF,
                                         .remote_dom = DOMID_SELF};
    struct evtchn_status status = {.dom = DOMID_SELF};

    if (hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &alloc) != 0)
        return;
    port = alloc.port;
    status.port = port;
    if (hypercall_event_channel_op(EVTCHNOP_status, &status) == 0)
        own_domid = status.u.unbound.dom;
    hypercall_event_channel_op(EVTCHNOP_close, &port);
}

_Noreturn void guest_main(void)
{
    find_own_domid();
    random_seed(option_number("seed", 1));
    for (unsigned int i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        if (!is_named(attacks[i].name))
            continue;
        running = attacks[i].name;
        print("attack %s: begun\n", running);
        attacks[i].run();
        print("attack %s: done\n", running);
        /* Stay, so that what it left can be looked at. */
        for (;;)
            idle_ns(1000000000UL);
    }
    print("attack: none named; attack= is one of");
    for (unsigned int i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
        print(" %s", attacks[i].name);
    print("\n");
    machine_end(SHUTDOWN_poweroff);
}
