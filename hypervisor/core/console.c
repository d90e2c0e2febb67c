/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: who may be in the middle of a line, and where input goes.
 *
 * Only the initial domain's text may stand as an unfinished line; anybody else
 * who writes then begins a new one.  Other domains' text waits for its newline
 * in one of a few buffers; when those run out, the one unused for longest is
 * printed as it is.
 */

#include "core/console.h"

#include <abi/event_channel.h>

#include "arch/x86_64/upcalls.h"
#include "core/lock.h"
#include "core/upcalls.h"
#include "lib/format.h"

#define INITIAL_DOMID 0

#define LINE_BUFFERS 32  /* domains that are within a line at once */
#define LINE_BYTES   240 /* longer lines are broken here */

#define INPUT_BYTES 1024U /* typed ahead; a power of two */

#define KEY_SWITCH       1 /* Ctrl-A */
#define KEY_SWITCH_TIMES 3

static struct spinlock console_lock = SPINLOCK_INIT(LOCK_console);

static bool within_line; /* of the initial domain */

static struct line {
    uint64_t last_use; /* 0: free */
    domid_t domid;
    uint16_t bytes;
    char text[LINE_BYTES];
} lines[LINE_BUFFERS];
static uint64_t line_uses;

static struct {
    char bytes[INPUT_BYTES];
    unsigned int put, got; /* free-running */
    bool to_keys;
    unsigned int switches; /* KEY_SWITCH typed in a row */
} input;

static void put_char(char c)
{
    if (c == '\n')
        uart_put('\r');
    uart_put(c);
}

static void put_text(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        put_char(text[i]);
}

static void begin_line(void)
{
    if (within_line)
        put_char('\n');
    within_line = false;
}

void console_write_panic(const char *bytes, size_t size)
{
    begin_line();
    put_text(bytes, size);
}

void console_write(const char *bytes, size_t size)
{
    SPIN_GUARD(&console_lock);
    console_write_panic(bytes, size);
}

/* Print what is in @line, as a whole line, and free it. */
static void flush_line(struct line *line)
{
    char prefix[16];
    int size = snprintf(prefix, sizeof(prefix), "(d%u) ", line->domid);

    begin_line();
    put_text(prefix, (size_t)size);
    put_text(line->text, line->bytes);
    put_char('\n');
    line->bytes = 0;
    line->last_use = 0;
}

static struct line *find_line(domid_t domid)
{
    struct line *oldest = &lines[0];

    for (unsigned int i = 0; i < LINE_BUFFERS; i++) {
        if (lines[i].last_use && lines[i].domid == domid)
            return &lines[i];
        if (lines[i].last_use < oldest->last_use)
            oldest = &lines[i];
    }
    if (oldest->last_use)
        flush_line(oldest);
    oldest->domid = domid;
    return oldest;
}

static void add_to_line(domid_t domid, char c)
{
    struct line *line = find_line(domid);
    unsigned char byte = (unsigned char)c;

    line->last_use = ++line_uses;
    if (c == '\n') {
        flush_line(line);
        return;
    }
    if (c == '\r')
        return;
    /*
     * No escape sequences: a guest must not steer the operator's terminal.
     * 8-bit ones have some above ASCII: 0x9b is ESC [.
     */
    if ((byte < 0x20 && c != '\t') || (byte >= 0x7f && byte < 0xa0))
        c = '.';
    line->text[line->bytes++] = c;
    if (line->bytes == LINE_BYTES)
        flush_line(line);
}

void console_write_domain(domid_t domid, const char *bytes, size_t size)
{
    SPIN_GUARD(&console_lock);
    if (domid == INITIAL_DOMID) {
        put_text(bytes, size);
        if (size)
            within_line = bytes[size - 1] != '\n' && bytes[size - 1] != '\r';
    } else {
        for (size_t i = 0; i < size; i++)
            add_to_line(domid, bytes[i]);
    }
}

/* Keep a byte for console_read(); too much typed ahead is lost. */
static void keep_input(char c)
{
    SPIN_GUARD(&console_lock);
    if (input.put - input.got < INPUT_BYTES)
        input.bytes[input.put++ % INPUT_BYTES] = c;
}

void console_receive(char c)
{
    input.switches = c == KEY_SWITCH ? input.switches + 1 : 0;
    if (input.switches == KEY_SWITCH_TIMES) {
        input.to_keys = !input.to_keys;
        input.switches = 0;
        log_info("console input goes to %s (Ctrl-A three times switches)",
                 input.to_keys ? "the debug keys; ? lists them"
                               : "the initial domain");
    } else if (input.to_keys) {
        debug_key_press(c);
    } else if (c != KEY_SWITCH) { /* It is ours alone, even typed once. */
        keep_input(c);
    }
}

void upcall_console_interrupt(void)
{
    bool any = false;
    char c;

    while (uart_get(&c)) {
        console_receive(c);
        any = true;
    }
    if (any && !input.to_keys)
        upcall_raise_global(VIRQ_CONSOLE);
}

size_t console_read(char *buffer, size_t size)
{
    size_t count = 0;

    SPIN_GUARD(&console_lock);
    while (count < size && input.got != input.put)
        buffer[count++] = input.bytes[input.got++ % INPUT_BYTES];
    return count;
}
