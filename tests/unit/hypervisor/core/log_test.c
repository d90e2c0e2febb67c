/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/core/log.c */
/* The log's ring, and the limit on what guests provoke. */

#include "lib/log.h"

#include "core/console.h"
#include "core/lock.h"
#include "core/time.h"
#include "core/upcalls.h"
#include "unit/test.h"

#define RING_SIZE 65536

static uint64_t now;
static char console[4096];
static size_t console_size;
static int locks;
static unsigned int growths;

uint64_t time_now(void)
{
    return now;
}

void console_write(const char *bytes, size_t size)
{
    if (console_size + size < sizeof(console)) {
        memcpy(console + console_size, bytes, size);
        console_size += size;
        console[console_size] = '\0';
    }
}

void upcall_log_grew(void)
{
    EXPECT_EQ(locks, 0);
    growths++;
}

void spin_lock(struct spinlock *lock) __lock_primitive
{
    EXPECT_EQ(lock->rank, LOCK_log);
    EXPECT_EQ(locks++, 0);
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    (void)lock;
    EXPECT_EQ(--locks, 0);
}

static uint64_t position;

/* Skip what earlier tests have written. */
void setup(void)
{
    static char rest[RING_SIZE];

    now += 60000000000; /* The limit on guests has forgotten. */
    while (log_read(&position, rest, sizeof(rest)))
        ;
    console_size = 0;
    console[0] = '\0';
}

static void expect_log(const char *want)
{
    static char text[4096];
    size_t size = log_read(&position, text, sizeof(text) - 1);

    text[size] = '\0';
    EXPECT_STR(text, want);
}

TEST("a line has its time and level, here and on the console")
{
    now = 12345678000;
    log_error("broken: %d", 5);
    EXPECT_STR(console, "[   12.345678] error: broken: 5\n");
    expect_log("[   12.345678] error: broken: 5\n");
    expect_log("");
}

TEST("a long line is cut and keeps its newline")
{
    char text[600];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
    EXPECT_EQ(strlen(console), 255);
    EXPECT_EQ(console[254], '\n');
    EXPECT_EQ(console[253], 'x');
}

TEST("a reader that was too slow goes on with the oldest byte held")
{
    static char text[RING_SIZE + 10];
    uint64_t start = position, at = position;

    for (int i = 0; i < 5000; i++)
        log_info("line %d", i);
    EXPECT_EQ(log_read(&at, text, sizeof(text)), RING_SIZE);
    EXPECT_TRUE(at > start + RING_SIZE);
    EXPECT_TRUE(memcmp(text + RING_SIZE - 10, "line 4999\n", 10) == 0);
}

TEST("a position from the future is brought back")
{
    uint64_t at = UINT64_MAX;
    char text[8];

    EXPECT_EQ(log_read(&at, text, sizeof(text)), 0);
    EXPECT_EQ(at, position);
}

TEST("small reads give the same text as one")
{
    char text[64] = "";
    size_t size = 0, n;

    log_info("in pieces");
    while ((n = log_read(&position, text + size, 3)))
        size += n;
    EXPECT_STR(strchr(text, ']'), "] in pieces\n");
}

TEST("a guest's lines are limited, counted, and flow again later")
{
    int lines = 0;

    for (int i = 0; i < 50; i++)
        log_guest("guest %d", i);
    for (const char *c = console; *c; c++)
        lines += *c == '\n';
    EXPECT_EQ(lines, 20);
    EXPECT_TRUE(strstr(console, "guest 19\n") != NULL);

    console_size = 0;
    log_info("ours is never limited");
    EXPECT_TRUE(strstr(console, "(30 lines about guests left out)\n") != NULL);
    EXPECT_TRUE(strstr(console, "ours is never limited\n") != NULL);

    console_size = 0;
    now += 250000000; /* two more lines' worth */
    for (int i = 50; i < 60; i++)
        log_guest("guest %d", i);
    EXPECT_TRUE(strstr(console, "guest 51\n") != NULL);
    EXPECT_TRUE(strstr(console, "guest 52\n") == NULL);
}
