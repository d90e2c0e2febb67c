/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/core/console.c */
/* Who shares the console's lines, and where what is typed goes. */

#include "core/console.h"

#include <abi/event_channel.h>
#include <stdarg.h>

#include "arch/x86_64/upcalls.h"
#include "core/lock.h"
#include "lib/register.h"
#include "core/upcalls.h"
#include "lib/log.h"
#include "unit/test.h"

static char out[8192];
static size_t out_size;
static char typed[4096];
static size_t typed_put, typed_got;
static int inputs, keys;
static char last_key;

void uart_put(char c)
{
    if (c != '\r' && out_size + 1 < sizeof(out))
        out[out_size++] = c;
    out[out_size] = '\0';
}

bool uart_get(char *c)
{
    if (typed_got == typed_put)
        return false;
    *c = typed[typed_got++];
    return true;
}

void upcall_raise_global(uint32_t virq)
{
    EXPECT_EQ(virq, VIRQ_CONSOLE);
    inputs++;
}

void debug_key_press(char key)
{
    keys++;
    last_key = key;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

void spin_lock(struct spinlock *lock) __lock_primitive
{
    EXPECT_EQ(lock->next++, lock->serving);
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    lock->serving++;
}

static void type(const char *text)
{
    while (*text)
        typed[typed_put++] = *text++;
    upcall_console_interrupt();
}

static void domain_writes(domid_t domid, const char *text)
{
    console_write_domain(domid, text, strlen(text));
}

static void take(void)
{
    out_size = 0;
    out[0] = '\0';
}

void setup(void)
{
    console_write_panic("", 0); /* end what the last test left unfinished */
    take();
    typed_put = typed_got = 0;
    inputs = keys = 0;
}

TEST("the log's bytes come as they are")
{
    console_write("one\ntwo\n", 8);
    EXPECT_STR(out, "one\ntwo\n");
}

TEST("a guest's line waits for its newline and says whose it is")
{
    domain_writes(3, "he");
    EXPECT_STR(out, "");
    domain_writes(3, "llo\r\nag");
    EXPECT_STR(out, "(d3) hello\n");
    domain_writes(3, "ain\n");
    EXPECT_STR(out, "(d3) hello\n(d3) again\n");
}

TEST("lines of two guests never mix")
{
    domain_writes(3, "aa");
    domain_writes(4, "bb");
    domain_writes(3, "AA\n");
    domain_writes(4, "BB\n");
    EXPECT_STR(out, "(d3) aaAA\n(d4) bbBB\n");
}

TEST("the initial domain's prompt comes at once; the next writer ends it")
{
    domain_writes(0, "cairn> ");
    EXPECT_STR(out, "cairn> ");
    domain_writes(0, "li");
    domain_writes(5, "x\n");
    EXPECT_STR(out, "cairn> li\n(d5) x\n");
    domain_writes(0, "st\n");
    console_write("log\n", 4);
    EXPECT_STR(out, "cairn> li\n(d5) x\nst\nlog\n");
}

TEST("a guest's escape sequences reach no terminal")
{
    domain_writes(6, "\x1b[2J\tok\a\n");
    EXPECT_STR(out, "(d6) .[2J\tok.\n");
}

TEST("nor does one that begins with a single byte of the upper half")
{
    domain_writes(6, "\x9b"
                     "2J \xc2\x9b"
                     "5n\x7f \xc3\xa4\n");
    EXPECT_STR(out, "(d6) .2J \xc2.5n. \xc3\xa4\n");
}

TEST("a line without end is broken, not kept")
{
    char text[1001];

    memset(text, 'y', 1000);
    text[1000] = '\0';
    domain_writes(7, text);
    EXPECT_EQ(out_size, 4 * (240 + 6)); /* "(d7) ", newline */
    domain_writes(7, "\n");
    EXPECT_EQ(out_size, 4 * (240 + 6) + 40 + 6);
}

TEST("more domains within a line than buffers: the oldest is printed")
{
    for (domid_t d = 100; d < 132; d++)
        domain_writes(d, "z");
    EXPECT_STR(out, "");
    domain_writes(200, "new");
    EXPECT_STR(out, "(d100) z\n");
    take();
    for (domid_t d = 101; d < 132; d++)
        domain_writes(d, "\n");
    domain_writes(200, "\n");
    EXPECT_TRUE(strstr(out, "(d131) z\n(d200) new\n") != NULL);
}

TEST("what is typed is read in order, and its arrival told once")
{
    char text[8];

    type("abcde");
    EXPECT_EQ(inputs, 1);
    EXPECT_EQ(console_read(text, 3), 3);
    EXPECT_MEM(text, "abc", 3);
    EXPECT_EQ(console_read(text, sizeof(text)), 2);
    EXPECT_MEM(text, "de", 2);
    EXPECT_EQ(console_read(text, sizeof(text)), 0);
}

TEST("too much typed ahead is lost, not what was first")
{
    static char text[2000];

    memset(typed, 'q', 1500);
    typed[0] = 'f';
    typed_put = 1500;
    upcall_console_interrupt();
    EXPECT_EQ(console_read(text, sizeof(text)), 1024);
    EXPECT_EQ(text[0], 'f');
}

TEST("Ctrl-A three times switches to the debug keys and back")
{
    char text[8];

    type("\1\1x");
    EXPECT_EQ(keys, 0);
    EXPECT_EQ(console_read(text, sizeof(text)), 1);
    type("\1\1\1");
    inputs = 0;
    type("d");
    EXPECT_EQ(keys, 1);
    EXPECT_EQ(last_key, 'd');
    EXPECT_EQ(inputs, 0);
    EXPECT_EQ(console_read(text, sizeof(text)), 0);
    type("\1\1\1y");
    EXPECT_EQ(console_read(text, sizeof(text)), 1);
    EXPECT_EQ(text[0], 'y');
}
