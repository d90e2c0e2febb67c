/* SPDX-License-Identifier: BSD-2-Clause */
/* The web guests that the command line asks for. */

#include "boot_guests.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/io/xenbus.h>

#include <rt/store.h>
#include <rt/time.h>
#include <rt/xenbus.h>

#include "domain/guest.h"
#include "domain/lifecycle.h"
#include "options.h"

#define KERNEL         "web.elf"
#define PORT_DEFAULT   9000U
#define HTTP_PORT      80U
#define PROGRESS_EVERY 100U /* guests */

/* How long a guest may take until its interface is connected. */
#define CONNECT_PATIENCE_NS (60 * RT_NS_PER_S)

/* The port that leads to guest @i, from 1; 0: there is none left for it. */
static uint16_t port_of(uint32_t base, uint32_t i)
{
    uint32_t port = base + i - 1;

    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static struct guest *create(uint32_t i, uint32_t base, uint32_t memory,
                            char error[CONFIG_ERROR_BYTES])
{
    struct domain_config config;
    uint16_t port = port_of(base, i);

    domain_config_default(&config);
    snprintf(config.name, sizeof(config.name), "web-%04u", (unsigned int)i);
    snprintf(config.kernel, sizeof(config.kernel), "%s", KERNEL);
    snprintf(config.cmdline, sizeof(config.cmdline), "name=%s", config.name);
    config.memory_mib = memory;
    config.on_crash = ACTION_RESTART;
    config.vif_count = 1;
    if (port) {
        config.forward[0].from = port;
        config.forward[0].to = HTTP_PORT;
        config.forward_count = 1;
    }

    return lifecycle_create(&config, false, error);
}

/* Until the first that fails: the next would, too. */
static uint32_t create_all(uint32_t count, uint32_t base, uint32_t memory)
{
    char error[CONFIG_ERROR_BYTES];

    for (uint32_t i = 1; i <= count; i++) {
        if (!create(i, base, memory, error)) {
            printf("cairn: guest %u of %u: %s\n", (unsigned int)i,
                   (unsigned int)count, error);
            return i - 1;
        }
        if (i % PROGRESS_EVERY == 0)
            printf("cairn: %u of %u guests are made\n", (unsigned int)i,
                   (unsigned int)count);
    }

    return count;
}

static bool wait_connected(domid_t self, const struct guest *g)
{
    enum xenbus_state state;
    char path[80];

    snprintf(path, sizeof(path), "/local/domain/%u/backend/vif/%u/0",
             (unsigned int)self, (unsigned int)g->domid);

    return xenbus_wait_state(xs_default(), path, 1U << XenbusStateConnected,
                             rt_now_ns() + CONNECT_PATIENCE_NS, &state) == 0;
}

/* Tell each guest's URL once it is there; returns how many are. */
static uint32_t announce_all(domid_t self, uint32_t count, uint32_t base)
{
    uint32_t serving = 0;
    char name[16];

    for (uint32_t i = 1; i <= count; i++) {
        uint16_t port = port_of(base, i);
        const struct guest *g;

        snprintf(name, sizeof(name), "web-%04u", (unsigned int)i);
        g = guest_find_name(name);
        if (!g || !wait_connected(self, g)) {
            printf("%s  does not answer; `console %s` may say why\n", name,
                   name);
            continue;
        }
        serving++;
        if (port)
            printf("%s  http://127.0.0.1:%u/\n", name, (unsigned int)port);
    }

    return serving;
}

void boot_guests(domid_t self)
{
    uint32_t count = option_number("guests", 0, DOMID_FIRST_RESERVED - 1U);
    uint32_t base = option_number("port", PORT_DEFAULT, UINT16_MAX);
    uint32_t memory =
        option_number("guest-memory", CONFIG_MEMORY_DEFAULT, CONFIG_MEMORY_MAX);
    uint32_t made, serving;

    if (count)
        printf("cairn: making %u guests of %u MiB\n", (unsigned int)count,
               (unsigned int)memory);
    made = create_all(count, base, memory);
    serving = announce_all(self, made, base);
    printf("cairn: ready, %u of %u guests serve\n", (unsigned int)serving,
           (unsigned int)count);
}
