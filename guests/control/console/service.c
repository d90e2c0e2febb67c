/* SPDX-License-Identifier: BSD-2-Clause */
/* The console service. */

#include "console/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>
#include <abi/grant_table.h>

#include <rt/event.h>
#include <rt/grant.h>
#include <rt/time.h>
#include <rt/timer.h>

#include "console/console_ring.h"
#include "console/log.h"
#include "lib/table.h"
#include "lib/text.h"

/* So many events in so long, then the port rests for what is left of it. */
#define RATE_EVENTS    30U
#define RATE_PERIOD_NS (200 * RT_NS_PER_MS)

/* A line that is echoed; a longer one is broken. */
#define ECHO_LINE_BYTES 256U

struct console {
    struct table_link link; /* in consoles, by domid */
    domid_t domid;
    evtchn_port_t port;
    struct rt_grant_mapping mapping;
    struct log log;
    char *name;

    uint64_t period_start_ns;
    uint32_t period_events;
    uint64_t throttled_count;
    struct rt_timer timer; /* ends a rest */

    console_output_fn output; /* who is attached */
    void *output_arg;

    char *line; /* echo: ECHO_LINE_BYTES, the line so far */
    uint32_t line_bytes;
};

static struct table consoles;
static struct log_pool pool;
static bool echo;

static struct console *console_find(domid_t domid)
{
    struct table_link *l = table_first(&consoles, domid);

    return l ? table_entry(l, struct console, link) : NULL;
}

/* --- Output --------------------------------------------------------------- */

static void echo_part(void *arg, const char *text, size_t size)
{
    (void)arg;
    fwrite(text, 1, size, stdout);
}

/* Nobody asked for it, so it must not do anything to the terminal. */
static void echo_line(struct console *c)
{
    printf("(%s) ", c->name);
    text_write_plain(c->line, c->line_bytes, echo_part, NULL);
    printf("\n");
    c->line_bytes = 0;
}

static void echo_text(struct console *c, const char *text, size_t size)
{
    if (!c->line)
        c->line = malloc(ECHO_LINE_BYTES);
    if (!c->line)
        return;
    for (size_t i = 0; i < size; i++) {
        bool end = text[i] == '\n';

        if (!end && text[i] != '\r')
            c->line[c->line_bytes++] = text[i];
        if (end || c->line_bytes == ECHO_LINE_BYTES)
            echo_line(c);
    }
}

static void take_output(struct console *c)
{
    char text[XENCONS_OUT_BYTES];
    size_t size = console_ring_take(c->mapping.va, text);

    if (!size)
        return;
    (void)rt_port_notify(c->port); /* It may wait for room. */
    log_write(&c->log, text, size);
    if (c->output)
        c->output(c->output_arg, text, size);
    if (echo)
        echo_text(c, text, size);
}

/* True when the port must rest. */
static bool count_event(struct console *c)
{
    uint64_t now = rt_now_ns();

    if (now - c->period_start_ns >= RATE_PERIOD_NS) {
        c->period_start_ns = now;
        c->period_events = 0;
    }

    return ++c->period_events > RATE_EVENTS;
}

static void on_event(void *arg)
{
    struct console *c = arg;

    take_output(c);
    if (!count_event(c) ||
        rt_timer_arm(&c->timer, c->period_start_ns + RATE_PERIOD_NS))
        return;
    rt_port_mask(c->port);
    c->throttled_count++;
}

static void on_rest_over(void *arg)
{
    struct console *c = arg;

    rt_port_unmask(c->port);
    take_output(c);
}

/* --- Connecting ----------------------------------------------------------- */

static int connect_ring(struct console *c, uint32_t port)
{
    const grant_ref_t ref = GNTTAB_RESERVED_CONSOLE;
    int rc = rt_grant_map(c->domid, &ref, 1, true, &c->mapping);

    if (rc)
        return rc;
    rc = rt_port_bind_interdomain(c->domid, port, &c->port);
    if (rc) {
        rt_grant_unmap(&c->mapping);
        return rc;
    }
    rc = rt_port_bind(c->port, on_event, c);
    if (rc) {
        rt_port_close(c->port);
        rt_grant_unmap(&c->mapping);
    }

    return rc;
}

int console_connect(domid_t domid, uint32_t port, const char *name)
{
    struct console *c;
    int rc;

    if (console_find(domid))
        return -ABI_EEXIST;
    c = calloc(1, sizeof(*c));
    if (!c)
        return -ABI_ENOMEM;
    c->domid = domid;
    c->name = strdup(name);
    c->timer.fn = on_rest_over;
    c->timer.arg = c;
    log_init(&c->log, &pool);
    rc = c->name ? connect_ring(c, port) : -ABI_ENOMEM;
    if (rc) {
        free(c->name);
        free(c);
        return rc;
    }
    table_insert(&consoles, &c->link, domid); /* hash: the domid */

    return 0;
}

void console_disconnect(domid_t domid)
{
    struct console *c = console_find(domid);

    if (!c)
        return;
    take_output(c);
    if (echo && c->line_bytes)
        echo_line(c);
    if (c->output)
        c->output(c->output_arg, NULL, 0);
    table_remove(&consoles, &c->link);
    rt_timer_cancel(&c->timer);
    rt_port_close(c->port);
    rt_grant_unmap(&c->mapping);
    log_clear(&c->log);
    free(c->line);
    free(c->name);
    free(c);
}

/* --- Attaching, reading --------------------------------------------------- */

int console_attach(domid_t domid, console_output_fn output, void *arg)
{
    struct console *c = console_find(domid);
    uint64_t position = 0;
    char text[512];
    size_t size;

    if (!c)
        return -ABI_ESRCH;
    if (c->output)
        return -ABI_EBUSY;
    while ((size = log_read(&c->log, &position, text, sizeof(text))) != 0)
        output(arg, text, size);
    c->output = output;
    c->output_arg = arg;

    return 0;
}

void console_detach(domid_t domid)
{
    struct console *c = console_find(domid);

    if (c)
        c->output = NULL;
}

size_t console_type(domid_t domid, const char *text, size_t size)
{
    struct console *c = console_find(domid);
    size_t typed = c ? console_ring_type(c->mapping.va, text, size) : 0;

    if (typed)
        (void)rt_port_notify(c->port);

    return typed;
}

size_t console_read_log(domid_t domid, uint64_t *position, char *out,
                        size_t room)
{
    const struct console *c = console_find(domid);

    return c ? log_read(&c->log, position, out, room) : 0;
}

/* --- Starting, looking ---------------------------------------------------- */

void console_echo(bool on)
{
    echo = on;
}

void console_service_start(void)
{
    log_pool_init(&pool, CONSOLE_POOL_BYTES / LOG_BLOCK_BYTES,
                  CONSOLE_LOG_BYTES / LOG_BLOCK_BYTES);
}

void console_stats(struct console_stats *stats)
{
    *stats = (struct console_stats){
        .consoles = consoles.count,
        .pool_bytes = (uint64_t)pool.block_count * LOG_BLOCK_BYTES,
        .pool_max_bytes = (uint64_t)pool.block_max * LOG_BLOCK_BYTES,
    };
}

bool console_usage(domid_t domid, struct console_usage *usage)
{
    const struct console *c = console_find(domid);

    if (!c)
        return false;
    *usage = (struct console_usage){
        .printed_bytes = c->log.end,
        .log_bytes = c->log.end - c->log.first,
        .throttled_count = c->throttled_count,
    };

    return true;
}
