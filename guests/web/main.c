/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The web guest: serves what is in www/ and pages about itself on device/vif/0.
 *
 * Its name comes from the store, or from name= on the command line.  After
 * start-up everything happens in the event loop, and nothing while nobody asks.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/domid.h>

#include <rt/net.h>
#include <rt/power.h>
#include <rt/start.h>
#include <rt/store.h>
#include <rt/thread.h>

#include "content.h"
#include "http_server.h"
#include "lwip/netif.h"

static void set_name(const char *name)
{
    strncpy(guest_facts.name, name, sizeof(guest_facts.name) - 1);
}

static void learn_facts(struct xs *xs)
{
    uint64_t domid;
    char *name;

    if (xs_read(xs, 0, "name", &name, NULL) == 0) {
        set_name(name);
        free(name);
    }
    if (xs_read_number(xs, 0, "domid", DOMID_FIRST_RESERVED - 1, &domid) == 0)
        guest_facts.domid = (int)domid;
}

int main(int argc, char **argv)
{
    static struct netif netif;
    const char *name = rt_option("name");
    struct xs *xs = xs_default();
    int rc;

    (void)argc;
    (void)argv;
    if (name)
        set_name(name);
    if (!xs) {
        iprintf("web: no store offered; no devices\n");
        return 0;
    }
    learn_facts(xs);

    net_init();
    rc = http_server_start();
    if (rc == 0)
        rc = net_vif_add(&netif, 0);
    if (rc != 0) {
        iprintf("web: cannot start the network: error %d\n", rc);
        return 1;
    }
    rc = rt_heed_shutdown(xs);
    if (rc != 0)
        iprintf("web: will not hear of a shutdown: error %d\n", rc);
    iprintf("web: %s serves port %d\n", guest_facts.name, HTTP_PORT);
    thread_exit();
}
