/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: the builder's ring, or the hypervisor's console.
 *
 * Printing never waits.  What the ring has no room for is kept in a backlog
 * that grows up to a limit, and goes out when the other side has made room.
 */

#include <rt/console.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/console_io.h>
#include <abi/event_channel.h>
#include <abi/sched.h>

#include <rt/event.h>
#include <rt/hypercall.h>
#include <rt/start.h>
#include <rt/thread.h>

#include "console_ring.h"
#include "internal.h"

/* What may wait for a slow reader; beyond it, text is dropped. */
#define BACKLOG_MAX (64U * 1024U)

/* Typed text that nobody has read yet; the rest stays in the ring. */
#define INPUT_BYTES 256U

/* How often to give way to a reader before giving up, when ending. */
#define DRAIN_TRIES 1000

static struct console_ring ring;
static evtchn_port_t port; /* 0: no ring */

static char *backlog;
static size_t backlog_size, backlog_room;
static size_t dropped;

static void (*stdout_fn)(const char *text, size_t size);
static void (*input_fn)(void *arg, const char *text, size_t size);
static void *input_arg;
static char input[INPUT_BYTES];
static size_t input_first, input_size;
static struct waitq input_waiters;

/* The hypervisor's console takes text as it is. */
static void write_hypervisor(const char *text, size_t size)
{
    hypercall_console_io(CONSOLEIO_write, (unsigned int)size, text);
}

static void keep(const char *text, size_t size)
{
    if (backlog_size + size > backlog_room) {
        size_t room = backlog_room ? backlog_room : 1024;
        char *larger;

        while (room < backlog_size + size)
            room *= 2;
        larger = room <= BACKLOG_MAX ? realloc(backlog, room) : NULL;
        if (!larger) {
            dropped += size;
            return;
        }
        backlog = larger;
        backlog_room = room;
    }
    memcpy(backlog + backlog_size, text, size);
    backlog_size += size;
}

static void put(const char *text, size_t size)
{
    size_t done = backlog_size ? 0 : console_ring_put(&ring, text, size);

    if (done < size)
        keep(text + done, size - done);
}

/* Room may have appeared. */
static void flush_backlog(void)
{
    size_t done = console_ring_put(&ring, backlog, backlog_size);

    backlog_size -= done;
    memmove(backlog, backlog + done, backlog_size);
    if (backlog_size == 0) {
        free(backlog);
        backlog = NULL;
        backlog_room = 0;
        if (dropped) {
            char note[64];
            int size = sniprintf(note, sizeof(note),
                                 "\r\n[%zu bytes of output lost]\r\n", dropped);

            dropped = 0;
            put(note, (size_t)size);
        }
    }
}

/* A terminal wants a carriage return before each line feed. */
static void write_ring(const char *text, size_t size)
{
    const char *end = text + size;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;

        put(text, (size_t)(stop - text));
        if (newline)
            put("\r\n", 2);
        text = newline ? newline + 1 : end;
    }
    rt_port_notify(port);
}

void rt_console_write(const char *text, size_t size)
{
    if (port)
        write_ring(text, size);
    else
        write_hypervisor(text, size);
}

void rt_console_on_stdout(void (*fn)(const char *text, size_t size))
{
    stdout_fn = fn;
}

void rt_console_stdout(const char *text, size_t size)
{
    if (stdout_fn)
        stdout_fn(text, size);
    else
        rt_console_write(text, size);
}

void rt_console_on_input(void (*fn)(void *arg, const char *text, size_t size),
                         void *arg)
{
    input_fn = fn;
    input_arg = arg;
}

static size_t take(char *text, size_t size)
{
    long rc;

    if (port)
        return console_ring_get(&ring, text, size);
    rc = hypercall_console_io(CONSOLEIO_read, (unsigned int)size, text);
    return rc > 0 ? (size_t)rc : 0;
}

static void fill_input(void)
{
    while (input_size < INPUT_BYTES) {
        size_t at = (input_first + input_size) % INPUT_BYTES;
        size_t room = at < input_first ? input_first - at : INPUT_BYTES - at;
        size_t got = take(input + at, room);

        if (got == 0)
            break;
        input_size += got;
    }
    if (input_size)
        waitq_wake_all(&input_waiters);
}

static void pass_input(void)
{
    char text[64];
    size_t size;

    while (input_fn && (size = take(text, sizeof(text))) > 0)
        input_fn(input_arg, text, size);
}

static void console_event(void *arg)
{
    (void)arg;
    if (port && backlog_size)
        flush_backlog();
    if (input_fn)
        pass_input();
    else
        fill_input();
    if (port)
        rt_port_notify(port);
}

size_t rt_console_read(char *text, size_t size)
{
    size_t count;

    while (input_size == 0) {
        fill_input();
        if (input_size == 0)
            waitq_wait(&input_waiters);
    }
    for (count = 0; count < size && input_size > 0; count++) {
        text[count] = input[input_first];
        input_first = (input_first + 1) % INPUT_BYTES;
        input_size--;
    }
    return count;
}

void rt_console_drain(void)
{
    if (!port)
        return;
    for (int tries = 0; tries < DRAIN_TRIES; tries++) {
        if (backlog_size)
            flush_backlog();
        rt_port_notify(port);
        if (ring.page->out_cons == ring.out_prod)
            break;
        hypercall_sched_op(SCHEDOP_yield, NULL);
    }
}

/* To the hypervisor as well: the ring's reader may never look again. */
void rt_console_emergency(const char *text, size_t size)
{
    write_hypervisor(text, size);
    if (port && backlog_size == 0) {
        console_ring_put(&ring, text, size - 1);
        console_ring_put(&ring, "\r\n", 2);
    }
}

void rt_console_init(void)
{
    const struct start_info *si = rt_start_info;
    evtchn_port_t virq_port;

    if (!rt_is_initial_domain() && si->console.domU.evtchn) {
        console_ring_init(&ring, rt_frame_va(si->console.domU.mfn));
        port = si->console.domU.evtchn;
        rt_port_bind(port, console_event, NULL);
    } else if (rt_is_initial_domain() &&
               rt_port_bind_virq(VIRQ_CONSOLE, &virq_port) == 0) {
        rt_port_bind(virq_port, console_event, NULL);
    }
}
