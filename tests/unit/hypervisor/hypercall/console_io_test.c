/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's writes put on the line, and how much of it in one call. */

/* LINK: hypervisor/hypercall/console_io.c hypervisor/core/console.c */

#include <abi/console_io.h>

#include "core/console.h"
#include "core/lock.h"
#include "core/time.h"
#include "core/upcalls.h"
#include "hypercall/hypercall.h"
#include "lib/log.h"
#include "unit/test.h"

/* A piece, what waited for its newline, and what lines have besides. */
#define CALL_BYTES_MAX (128U + 240U + 128U)

char unit_test_cpu_area[CPU_AREA_SIZE] __attribute__((aligned(16)));
static struct domain self = {.domid = 12345};
static struct vcpu vcpu = {.domain = &self};
struct vcpu *percpu_current_vcpu = &vcpu;

static uint64_t now, sent, args[6];
static bool again;

void uart_put(char c)
{
    (void)c;
    sent++;
}

bool uart_get(char *c)
{
    (void)c;
    return false;
}

void upcall_raise_global(uint32_t virq)
{
    (void)virq;
}

void debug_key_press(char key)
{
    (void)key;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level, (void)fmt;
}

void spin_lock(struct spinlock *lock) __lock_primitive
{
    lock->next++;
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    lock->serving++;
}

uint64_t time_now(void)
{
    return now;
}

int copy_bytes_from_guest(void *dst, struct guest_ptr src, size_t size)
{
    memcpy(dst, (const void *)src.va, size);
    return 0;
}

int copy_bytes_to_guest(struct guest_ptr dst, const void *src, size_t size)
{
    memcpy((void *)dst.va, src, size);
    return 0;
}

void hypercall_set_arg(unsigned int n, uint64_t value)
{
    args[n] = value;
}

long hypercall_continue(void)
{
    again = true;
    return 0;
}

void setup(void)
{
    self = (struct domain){.domid = 12345};
    sent = 0;
    now += 1000UL * 1000 * 1000 * 1000; /* the whole burst is there */
}

static void write_all(const char *text, size_t size)
{
    args[2] = size;
    args[3] = (uintptr_t)text;
    do {
        uint64_t before = sent;

        again = false;
        EXPECT_EQ(hypercall_console_io(CONSOLEIO_write, args[2], args[3]), 0);
        EXPECT_TRUE(sent - before <= CALL_BYTES_MAX);
    } while (again);
}

static char text[100000];

TEST("no text of a guest's puts more on the line than its rate")
{
    static const char *const units[] = {"\n", "a\n", "ab\n", "a", "\t\r\n"};

    for (unsigned int i = 0; i < 5; i++) {
        size_t unit = strlen(units[i]);

        setup();
        for (size_t at = 0; at < sizeof(text); at++)
            text[at] = units[i][at % unit];
        write_all(text, sizeof(text));
        EXPECT_TRUE(sent > 10000);
        EXPECT_TRUE(sent <= 16384 + 1024);
        /* And a second later again for a second. */
        sent = 0;
        now += 1000000000;
        write_all(text, sizeof(text));
        EXPECT_TRUE(sent > 10000);
        EXPECT_TRUE(sent <= 16384 + 1024);
    }
}

TEST("what may write at any rate is not cut short")
{
    self.rights = DOMAIN_RIGHT_CONSOLE;
    memset(text, 'x', sizeof(text));
    write_all(text, sizeof(text));
    EXPECT_TRUE(sent >= sizeof(text));
}
