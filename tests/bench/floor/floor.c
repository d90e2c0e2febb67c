/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floor: what the processor alone asks for the ways between ring 3 and ring
 * 0, with no hypervisor.  A Multiboot program that prints lines like those of
 * the bench guest on COM1, and resets the machine.
 *
 *   call_bare     SYSCALL, SYSRET
 *   call_saved    with a stack, all registers saved, a call through a table
 *   call_checked  with the number, rip and flags checked, pending work looked
 * for trap          an exception to ring 0 and back bounce        an exception
 * handed to ring 3, which goes back by IRETQ copy_page     4096 bytes by REP
 * MOVSQ
 */

#include "floor.h"

#define SAMPLES 1001U
#define COM1    0x3f8U

#define MSR_STAR      0xc0000081U
#define MSR_LSTAR     0xc0000082U
#define MSR_FMASK     0xc0000084U
#define MSR_KERNEL_GS 0xc0000102U

#define VECTOR_UD    6U
#define VECTOR_PF    14U
#define VECTOR_LEAVE 0x81U
#define VECTORS      0x82U

#define CODE0     0x08U
#define GATE_USER 0xee00U /* present, for ring 3, interrupt gate */

#define FLAGS_IF_DF_TF 0x700U

void floor_main(void);

static uint64_t idt[VECTORS * 2] __attribute__((aligned(16)));
static uint32_t samples[SAMPLES];
static uint32_t overhead;

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void print(const char *text)
{
    while (*text != '\0')
        out8(COM1, (uint8_t)*text++);
}

static void print_number(uint32_t value)
{
    char digits[11];
    unsigned int at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    print(digits + at);
}

static void write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value),
                       "d"((uint32_t)(value >> 32)));
}

static void set_gate(unsigned int vector, const char *handler)
{
    uint64_t address = (uint64_t)(uintptr_t)handler;

    idt[vector * 2] = (address & 0xffff) | (uint64_t)CODE0 << 16 |
                      (uint64_t)GATE_USER << 32 | (address & 0xffff0000) << 32;
    idt[vector * 2 + 1] = address >> 32;
}

static void set_up(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(idt) - 1, (uint64_t)(uintptr_t)idt};
    uint64_t stack = (uint64_t)(uintptr_t)kernel_stack_end;

    set_gate(VECTOR_UD, trap_invalid);
    set_gate(VECTOR_PF, trap_bounce);
    set_gate(VECTOR_LEAVE, trap_leave);
    __asm__ volatile("lidt %0" : : "m"(pointer));
    /* Below the frames of enter_user, which wait on the same stack. */
    stack -= 4096;
    cpu_block[0] = stack;
    /* rsp0 of the task state lies across two words. */
    *(uint32_t *)((uintptr_t)task_state + 4) = (uint32_t)stack;
    write_msr(MSR_STAR, (uint64_t)0x10 << 48 | (uint64_t)CODE0 << 32);
    write_msr(MSR_FMASK, FLAGS_IF_DF_TF);
    write_msr(MSR_KERNEL_GS, (uint64_t)(uintptr_t)cpu_block);
}

static void sort_samples(void)
{
    for (unsigned int i = 1; i < SAMPLES; i++) {
        uint32_t moved = samples[i];
        unsigned int to = i;

        for (; to > 0 && samples[to - 1] > moved; to--)
            samples[to] = samples[to - 1];
        samples[to] = moved;
    }
}

static void measure(const char *name, void (*loop)(void), const char *call)
{
    write_msr(MSR_LSTAR, (uint64_t)(uintptr_t)call);
    enter_user(loop, SAMPLES, samples);
    sort_samples();
    if (loop == user_nothing)
        overhead = samples[SAMPLES / 2];
    print("@ ");
    print(name);
    print(" n=");
    print_number(SAMPLES);
    print(" min=");
    print_number(samples[0] - overhead);
    print(" med=");
    print_number(samples[SAMPLES / 2] - overhead);
    print(" max=");
    print_number(samples[SAMPLES - 1] - overhead);
    print(" rc=0\n");
}

void floor_main(void)
{
    set_up();
    measure("nothing", user_nothing, call_bare);
    measure("thousand_nops", user_thousand, call_bare);
    measure("call_bare", user_syscall, call_bare);
    measure("call_saved", user_syscall, call_saved);
    measure("call_checked", user_syscall, call_checked);
    measure("trap", user_invalid, call_bare);
    measure("bounce", user_fault, call_bare);
    measure("copy_page", user_copy_page, call_bare);
    print("@@ bench done\n");
    out8(0x64, 0xfe); /* the keyboard controller resets the machine */
}
