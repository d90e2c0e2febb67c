/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and panics: report, then end the domain as a crash.
 *
 * The report is formatted by hand into a line on the stack: the state may be
 * too broken for the C library.
 */

#include <rt/start.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <abi/sched.h>
#include <abi/trap.h>

#include <rt/hypercall.h>
#include <rt/page.h>
#include <rt/thread.h>

#include "internal.h"

#define VECTOR_COUNT 32
#define STUB_BYTES   16
#define VECTOR_PF    14

/* More frames than this are a loop or not worth reading. */
#define BACKTRACE_MAX 32

/* What trap.S pushes. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r10, r9, r8, rbp, rdi, rsi, rdx, rbx, rax;
    uint64_t vector, rcx, r11, error, rip, cs, rflags, rsp, ss;
};

_Noreturn void rt_trap(const struct trap_frame *frame);
extern const char rt_trap_stubs[];

struct line {
    char text[128];
    size_t size;
};

static void put(struct line *line, const char *text)
{
    while (*text != '\0' && line->size < sizeof(line->text) - 1)
        line->text[line->size++] = *text++;
}

static void put_hex(struct line *line, const char *name, uint64_t value)
{
    char digits[17];

    for (int i = 0; i < 16; i++)
        digits[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    digits[16] = '\0';
    put(line, name);
    put(line, digits);
}

static void put_number(struct line *line, uint64_t value)
{
    char digits[21], *at = digits + sizeof(digits) - 1;

    *at = '\0';
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    put(line, at);
}

static void flush(struct line *line)
{
    line->text[line->size++] = '\n';
    rt_console_emergency(line->text, line->size);
    line->size = 0;
}

static const char *vector_name(uint64_t vector)
{
    static const char *const names[] = {
        [0] = "divide error",         [1] = "debug",
        [3] = "breakpoint",           [4] = "overflow",
        [5] = "bound range",          [6] = "invalid opcode",
        [7] = "no coprocessor",       [8] = "double fault",
        [10] = "invalid TSS",         [11] = "segment not present",
        [12] = "stack fault",         [13] = "general protection",
        [14] = "page fault",          [16] = "x87 floating point",
        [17] = "alignment",           [18] = "machine check",
        [19] = "SIMD floating point",
    };

    if (vector < sizeof(names) / sizeof(names[0]) && names[vector])
        return names[vector];
    return "exception";
}

void rt_backtrace(uint64_t rip, uint64_t rbp)
{
    struct line line = {.size = 0};
    uint64_t low, high;

    rt_stack_bounds(&low, &high);
    for (int depth = 0; depth < BACKTRACE_MAX; depth++) {
        const uint64_t *frame = (const uint64_t *)rbp;

        if (rip < (uint64_t)rt_text_start || rip >= (uint64_t)rt_text_end)
            break;
        put_hex(&line, "  at ", rip);
        flush(&line);
        if (rbp % 8 != 0 || rbp < low || rbp > high - 16)
            break;
        rip = frame[1];
        low = rbp + 16; /* Callers lie higher: no loops. */
        rbp = frame[0];
    }
}

static void put_where(struct line *line)
{
    const struct thread *self = thread_self();

    put(line, " in ");
    put(line, self ? thread_name(self) : "the event loop");
}

_Noreturn void rt_trap(const struct trap_frame *f)
{
    static const struct {
        const char *name[4];
        size_t offset[4];
    } rows[] = {
#define AT(field) offsetof(struct trap_frame, field)
        {{"rax ", " rbx ", " rcx ", " rdx "},
         {AT(rax), AT(rbx), AT(rcx), AT(rdx)}},
        {{"rsi ", " rdi ", " rbp ", " rsp "},
         {AT(rsi), AT(rdi), AT(rbp), AT(rsp)}},
        {{"r8  ", " r9  ", " r10 ", " r11 "},
         {AT(r8), AT(r9), AT(r10), AT(r11)}},
        {{"r12 ", " r13 ", " r14 ", " r15 "},
         {AT(r12), AT(r13), AT(r14), AT(r15)}},
#undef AT
    };
    struct line line = {.size = 0};

    put(&line, "*** ");
    put(&line, vector_name(f->vector));
    put(&line, " (vector ");
    put_number(&line, f->vector);
    put(&line, ")");
    put_where(&line);
    flush(&line);
    put_hex(&line, "rip ", f->rip);
    put_hex(&line, " error ", f->error);
    put_hex(&line, " rflags ", f->rflags);
    if (f->vector == VECTOR_PF)
        put_hex(&line, " cr2 ", rt_shared_info->vcpu_info[0].arch.cr2);
    flush(&line);
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        for (int i = 0; i < 4; i++)
            put_hex(&line, rows[row].name[i],
                    *(const uint64_t *)((const char *)f + rows[row].offset[i]));
        flush(&line);
    }
    rt_backtrace(f->rip, f->rbp);
    rt_shutdown(SHUTDOWN_crash);
}

_Noreturn void rt_panic(const char *format, ...)
{
    static bool again;
    char text[160];
    struct line line = {.size = 0};
    va_list args;

    va_start(args, format);
    vsniprintf(text, sizeof(text), format, args);
    va_end(args);

    put(&line, "*** panic: ");
    put(&line, text);
    flush(&line);
    if (!again) {
        again = true;
        rt_backtrace((uint64_t)__builtin_return_address(0),
                     *(const uint64_t *)__builtin_frame_address(0));
    }
    rt_shutdown(SHUTDOWN_crash);
}

void rt_traps_init(void)
{
    static struct trap_info table[VECTOR_COUNT + 1];
    size_t count = 0;

    for (unsigned int vector = 0; vector < VECTOR_COUNT; vector++) {
        /* NMI: without a handler one is dropped, which is right here. */
        if (vector == 2)
            continue;
        table[count++] = (struct trap_info){
            .vector = (uint8_t)vector,
            .flags = TRAP_MASK_EVENTS,
            .cs = FLAT_RING3_CS64,
            .address = (uint64_t)(rt_trap_stubs + vector * STUB_BYTES),
        };
    }
    hypercall_set_trap_table(table);
}
