/* SPDX-License-Identifier: BSD-2-Clause */
/* The prompt on the machine's console. */

#include "cli/terminal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <abi/errno.h>

#include <rt/console.h>
#include <rt/thread.h>

#include "cli/command.h"
#include "cli/line_edit.h"
#include "console/service.h"

#define PROMPT "cairn> "

/* The key that ends an attached console: Ctrl-]. */
#define DETACH_KEY 0x1d

/* Typed while a command runs. */
#define TYPE_AHEAD_BYTES 4096U

static struct {
    struct line_edit edit;
    struct cli_sink sink;
    struct waitq waiters; /* the thread */
    bool running;         /* a command; the line is in edit.text */
    bool attached;
    domid_t domid; /* of the attached console */
    bool at_line_start;
    char ahead[TYPE_AHEAD_BYTES];
    size_t ahead_bytes;
} term;

static void term_write(const char *text, size_t size)
{
    if (!size)
        return;
    rt_console_write(text, size);
    term.at_line_start = text[size - 1] == '\n';
}

static void edit_write(void *arg, const char *text, size_t size)
{
    (void)arg;
    term_write(text, size);
}

static void sink_write(struct cli_sink *sink, const char *text, size_t size)
{
    (void)sink;
    term_write(text, size);
}

/*
 * Something else has a line to print: it goes above the prompt, which is shown
 * again with what was typed.
 */
static void on_stdout(const char *text, size_t size)
{
    bool prompting = !term.running && !term.attached;

    if (prompting)
        line_edit_hide(&term.edit);
    term_write(text, size);
    if (!prompting)
        return;
    if (!term.at_line_start)
        term_write("\n", 1);
    line_edit_show(&term.edit);
}

/* --- Attached consoles ---------------------------------------------------- */

static void on_guest_output(void *arg, const char *text, size_t size)
{
    (void)arg;
    if (size) {
        term_write(text, size);
        return;
    }
    term.attached = false; /* The console went away. */
    waitq_wake_all(&term.waiters);
}

static void feed_guest(char c)
{
    if (c != DETACH_KEY) {
        (void)console_type(term.domid, &c, 1);
        return;
    }
    console_detach(term.domid);
    term.attached = false;
    waitq_wake_all(&term.waiters);
}

static void use_ahead(void);

/* In the command's thread: until detached. */
static int sink_attach(struct cli_sink *sink, domid_t domid)
{
    int rc = console_attach(domid, on_guest_output, NULL);

    (void)sink;
    if (rc)
        return rc;
    term.domid = domid;
    term.attached = true;
    use_ahead();
    while (term.attached)
        waitq_wait(&term.waiters);
    if (!term.at_line_start)
        term_write("\n", 1);

    return 0;
}

/* --- Input ---------------------------------------------------------------- */

static void feed_line(char c)
{
    switch (line_edit_feed(&term.edit, c)) {
    case LINE_EDIT_MORE:
        break;
    case LINE_EDIT_DONE:
        term.running = true;
        waitq_wake_all(&term.waiters);
        break;
    case LINE_EDIT_CANCEL:
        line_edit_start(&term.edit);
        break;
    case LINE_EDIT_EOF:
        term_write("\n", 1);
        line_edit_start(&term.edit);
        break;
    }
}

static void feed(char c)
{
    if (term.attached)
        feed_guest(c);
    else if (!term.running)
        feed_line(c);
    else if (term.ahead_bytes < TYPE_AHEAD_BYTES)
        term.ahead[term.ahead_bytes++] = c;
}

static void on_input(void *arg, const char *text, size_t size)
{
    (void)arg;
    for (size_t i = 0; i < size; i++)
        feed(text[i]);
}

/* Feed what was typed ahead; some of it may have to wait again. */
static void use_ahead(void)
{
    static char text[TYPE_AHEAD_BYTES];
    size_t size = term.ahead_bytes;

    memcpy(text, term.ahead, size);
    term.ahead_bytes = 0;
    for (size_t i = 0; i < size; i++)
        feed(text[i]);
}

/* --- The thread ----------------------------------------------------------- */

static void prompt(void)
{
    fflush(stdout);
    if (!term.at_line_start)
        term_write("\n", 1);
    line_edit_start(&term.edit);
    term.running = false;
    use_ahead();
}

static void run_commands(void *arg)
{
    (void)arg;
    for (;;) {
        prompt();
        while (!term.running)
            waitq_wait(&term.waiters);
        term.at_line_start = true;
        (void)cli_run(term.edit.text, &term.sink);
    }
}

int terminal_start(void)
{
    struct thread *t;

    term.sink = (struct cli_sink){.write = sink_write, .attach = sink_attach};
    term.at_line_start = true;
    term.running = true; /* until the thread shows the prompt */
    line_edit_init(&term.edit, PROMPT, edit_write, NULL);
    t = thread_create("terminal", 2 * THREAD_STACK_BYTES, run_commands, NULL);
    if (!t)
        return -ABI_ENOMEM;
    thread_detach(t);
    rt_console_on_input(on_input, NULL);
    rt_console_on_stdout(on_stdout);

    return 0;
}
