/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control domain: the store, guests' consoles, their network, the builder,
 * and the prompt.  The parts know each other by their headers only, and meet
 * at the store; this file starts them in order.
 *
 * Command line: guests=, port=, guest-memory= (boot_guests.h), uplink=
 * (network), reserved= (percent of a processor), echo=1 to see all that guests
 * print.
 */

#include <stdio.h>

#include <rt/event.h>
#include <rt/start.h>
#include <rt/thread.h>

#include "boot_guests.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "console/service.h"
#include "domain/hv.h"
#include "domain/lifecycle.h"
#include "domain/nodes.h"
#include "net/net.h"
#include "options.h"
#include "store/server.h"

/* The initial domain's number, as every guest of this interface knows it. */
#define SELF 0U

/* Nothing works without this part. */
static void need(const char *what, int rc)
{
    if (rc == 0)
        return;
    printf("cairn: fatal: %s: %s\n", what, hv_error_text(rc));
    rt_panic("the control domain cannot start");
}

/*
 * Every guest waits for it now and then, to send, for an address, to be built:
 * so many percent of a processor come before all of theirs, however many those
 * are.  Where no guest wants the rest, it gets that, too.
 */
#define RESERVED_DEFAULT 50U
#define RESERVED_MAX     90U /* the hypervisor reserves no more of one */

static void reserve_time(void)
{
    struct control_set_sched sched = {
        .weight = CONTROL_SCHED_KEEP,
        .cap = CONTROL_SCHED_KEEP,
        .reserved = option_number("reserved", RESERVED_DEFAULT, RESERVED_MAX),
        .vcpu = CONTROL_SCHED_KEEP,
    };

    need("its share of processor time", hv_set_sched(SELF, &sched));
}

static void register_commands(void)
{
    commands_domain_register();
    commands_host_register();
    commands_resources_register();
    commands_store_register();
    commands_network_register();
}

int main(int argc, char **argv)
{
    const char *echo = rt_option("echo");

    (void)argc;
    (void)argv;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (rt_events_use_fifo() != 0)
        printf("cairn: event channels for about 1,300 guests only\n");
    reserve_time();
    need("the store", store_server_start(SELF));
    console_service_start();
    console_echo(echo && echo[0] == '1');
    need("the store's first nodes", nodes_write_own(SELF));
    need("the network", network_init(rt_option("uplink")));
    need("following domains", lifecycle_start(SELF));
    register_commands();
    boot_guests(SELF);
    need("the prompt", terminal_start());
    thread_exit();
}
