/* SPDX-License-Identifier: BSD-2-Clause */
/* Ending at the administrator's wish. */

#include <rt/power.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <abi/sched.h>

#include <rt/start.h>

#define WISH_PATH "control/shutdown"

static struct xs *store;

static const struct {
    const char *word;
    unsigned int reason;
} wishes[] = {
    {"poweroff", SHUTDOWN_poweroff},
    {"halt", SHUTDOWN_poweroff},
    {"reboot", SHUTDOWN_reboot},
};

/* The wish was taken; even a store that failed to note it is obeyed. */
static void end(void *arg, int rc, const char *data, size_t size)
{
    const unsigned int *reason = arg;

    (void)rc, (void)data, (void)size;
    rt_shutdown(*reason);
}

static void take_wish(void *arg, int rc, const char *data, size_t size)
{
    (void)arg;
    if (rc != 0 || size == 0)
        return; /* Nobody wishes anything. */

    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        static unsigned int reason;

        if (strcmp(data, wishes[i].word) != 0)
            continue;
        reason = wishes[i].reason;
        if (xs_write_async(store, WISH_PATH, "", end, &reason) != 0)
            rt_shutdown(reason);
        return;
    }
    iprintf("power: \"%.32s\" in " WISH_PATH " is not known here\n", data);
}

static void wish_changed(void *arg, const char *path)
{
    (void)arg, (void)path;
    /* Not sent: the next change of the node asks again. */
    (void)xs_read_async(store, WISH_PATH, take_wish, NULL);
}

int rt_heed_shutdown(struct xs *xs)
{
    struct xs_watch *watch;
    int rc;

    store = xs;
    rc = xs_watch(xs, WISH_PATH, wish_changed, NULL, &watch);
    if (rc == 0)
        rc = xs_write(xs, 0, "control/feature-poweroff", "1");
    if (rc == 0)
        rc = xs_write(xs, 0, "control/feature-reboot", "1");
    return rc;
}
