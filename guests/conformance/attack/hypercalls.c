/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls with arguments made to hurt.  The fuzzer knows which calls there
 * are, what they point to and which numbers are near their limits; it leaves
 * out only what would end or stop itself.
 */

#include "attack/attack.h"

#include <string.h>

#include <abi/control.h>
#include <abi/device.h>
#include <abi/hypercall.h>
#include <abi/memory.h>
#include <abi/multicall.h>
#include <abi/vcpu.h>
#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/test.h"

#define SCRATCH_PAGES 4U

extern const char rt_text_start[];

PAGES(scratch, SCRATCH_PAGES);
PAGES(guarded, 2);

static const uint64_t addresses[] = {
    0,
    8,
    0x0000800000000000,
    0x8000000000000000,
    0xffff800000000000,
    0xffff820000000000,
    0xffff820000001000,
    0xffff828000000000,
    0xffff830000000000,
    0xffff87fffffffff8,
    0x00007ffffffffff8,
    0xfffffffffffff000,
    ~0UL,
    ~0UL - 7,
    ~0UL - 63,
};

#define ADDRESS_COUNT (sizeof(addresses) / sizeof(addresses[0]))

/* A word that is likely to be near a limit. */
static uint64_t word(void)
{
    switch (random_below(12)) {
    case 0:
        return random_next();
    case 1:
        return random_below(16);
    case 2:
        return 1UL << random_below(64);
    case 3:
        return (1UL << random_below(64)) - 1;
    case 4:
        return ~random_below(64);
    case 5:
        return layout.ram_pages + random_below(64) - 32;
    case 6:
        return frame_of(scratch) + random_below(SCRATCH_PAGES);
    case 7:
        return addresses[random_below(ADDRESS_COUNT)];
    case 8:
        return hypercall_ptr(scratch) + random_below(sizeof(scratch));
    case 9:
        return random_below(4200);
    case 10:
        return grant_slot((unsigned int)random_below(20));
    default:
        return 0x7ff0 + random_below(8);
    }
}

/* Where an argument lies. */
static uint64_t pointer(void)
{
    switch (random_below(8)) {
    case 0:
        return addresses[random_below(ADDRESS_COUNT)];
    case 1: /* over the end into a guard page */
        return hypercall_ptr(guarded + PAGE_SIZE) - random_below(128);
    case 2:
        return hypercall_ptr(rt_text_start) + random_below(4096);
    case 3: /* from one page into the next */
        return hypercall_ptr(scratch + PAGE_SIZE) - random_below(64);
    default:
        return hypercall_ptr(scratch) + random_below(64) * 8;
    }
}

/* Fill what pointers most often point to. */
static void fill_scratch(void)
{
    uint64_t *words = (uint64_t *)(void *)scratch;

    for (unsigned int i = 0; i < 96; i++)
        words[i] = word();
    /* Half of it as pairs of 32 bits, where many fields lie. */
    if (random_below(2)) {
        uint32_t *halves = (uint32_t *)(void *)scratch;

        for (unsigned int i = 0; i < 192; i++)
            halves[i] = (uint32_t)word();
    }
}

/* Light operations must not take our own pages from us. */
static void spare_ourselves(unsigned int number, uint64_t cmd, uint64_t arg)
{
    struct light_protect *op;

    if (number != HYPERCALL_light_op || (cmd & 0xff) == LIGHT_OP_layout)
        return;
    if (arg < hypercall_ptr(scratch) ||
        arg > hypercall_ptr(scratch) + sizeof(scratch) - sizeof(*op))
        return;
    op = (struct light_protect *)(uintptr_t)arg;
    if (op->gfn < layout.ram_pages)
        op->gfn = layout.ram_pages - 40 + random_below(80);
    if (op->gfn + op->count > op->gfn && op->gfn < layout.ram_pages - 40)
        op->gfn = ~0UL - random_below(100);
}

struct call {
    unsigned int number;
    unsigned int commands; /* 0 .. this are worth trying */
    uint64_t never;        /* bits of commands that would stop us */
};

static const struct call calls[] = {
    {HYPERCALL_memory_op, 30, 0},
    {HYPERCALL_set_timer_op, 0, 0},
    {HYPERCALL_xen_version, 12, 0},
    {HYPERCALL_console_io, 3, 1U << CONSOLEIO_write},
    {HYPERCALL_grant_table_op, 13, 0},
    {HYPERCALL_vcpu_op, 14,
     1U << VCPUOP_down | 1U << VCPUOP_register_vcpu_info},
    {HYPERCALL_set_segment_base, 5, 0},
    {HYPERCALL_sched_op, 9,
     1U << SCHEDOP_block | 1U << SCHEDOP_shutdown | 1U << SCHEDOP_poll |
         1U << SCHEDOP_watchdog},
    {HYPERCALL_event_channel_op, 14, 0},
    {HYPERCALL_light_op, 3, 0},
    {HYPERCALL_control_op, 0, 0},
    {HYPERCALL_device_op, 0, 0},
};

#define CALL_COUNT (sizeof(calls) / sizeof(calls[0]))

static unsigned int choose(const struct call *call)
{
    unsigned int cmd;

    do
        cmd = (unsigned int)random_below(call->commands + 1);
    while (call->commands != 0 && (call->never >> cmd & 1) != 0);
    return cmd;
}

/* Privileged structures with their version right, so that more is reached. */
static void set_version(uint64_t at, unsigned int commands)
{
    uint32_t *header = (uint32_t *)(uintptr_t)at;

    if (at < hypercall_ptr(scratch) ||
        at > hypercall_ptr(scratch) + sizeof(scratch) - 8)
        return;
    header[0] = (uint32_t)random_below(commands);
    header[1] = 1;
}

static void fuzz_one(void)
{
    const struct call *call = &calls[random_below(CALL_COUNT)];
    unsigned int cmd = choose(call);
    uint64_t a = cmd, b = pointer(), c = word();

    fill_scratch();
    switch (call->number) {
    case HYPERCALL_control_op:
    case HYPERCALL_device_op:
        a = pointer();
        set_version(a, 20);
        break;
    case HYPERCALL_vcpu_op:
        b = random_below(3) ? 0 : word();
        c = pointer();
        break;
    case HYPERCALL_console_io:
        b = word();
        c = pointer();
        break;
    case HYPERCALL_set_timer_op:
        a = word();
        break;
    case HYPERCALL_set_segment_base:
        b = word();
        break;
    case HYPERCALL_grant_table_op:
        c = random_below(4) ? random_below(5) : word();
        break;
    default:
        break;
    }
    if (random_below(16) == 0)
        a |= word() << 32;
    spare_ourselves(call->number, a, b);
    hypercall5(call->number, a, b, c, word(), word());
}

/* The same through multicall, where the entries are memory, too. */
static void fuzz_multicall(void)
{
    /* Right before the guard page: what lies behind must not be executed. */
    struct multicall_entry *entries =
        (struct multicall_entry *)(void *)(guarded + PAGE_SIZE) - 8;

    for (unsigned int i = 0; i < 8; i++) {
        const struct call *call = &calls[random_below(CALL_COUNT)];

        entries[i].op = random_below(6) ? call->number : word();
        /* What is no call of ours may be one that stops us. */
        if ((uint32_t)entries[i].op < 64 && entries[i].op != call->number)
            entries[i].op = 64 + 128;
        entries[i].args[0] = choose(call);
        for (unsigned int j = 1; j < 6; j++)
            entries[i].args[j] = random_below(2) ? word() : pointer();
        if (entries[i].op == HYPERCALL_light_op ||
            entries[i].op == HYPERCALL_memory_op)
            entries[i].op = HYPERCALL_xen_version;
    }
    hypercall2(HYPERCALL_multicall,
               random_below(4) ? hypercall_ptr(entries)
                               : addresses[random_below(ADDRESS_COUNT)],
               random_below(8) ? 8 : word());
}

void attack_fuzz(void)
{
    uint64_t none = 0;

    guard_page(guarded + PAGE_SIZE);
    for (uint64_t n = rounds(100000); n > 0; n--) {
        if (random_below(16) == 0)
            fuzz_multicall();
        else
            fuzz_one();
        /* An area registered at random would be written to for ever. */
        if (random_below(64) == 0)
            hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &none);
        mask_upcalls();
    }
}

void attack_pointers(void)
{
    for (uint64_t n = rounds(20000); n > 0; n--) {
        const struct call *call = &calls[random_below(CALL_COUNT)];
        uint64_t bad = addresses[2 + random_below(ADDRESS_COUNT - 2)];
        unsigned int cmd = choose(call);
        long rc;

        if (call->number == HYPERCALL_vcpu_op)
            continue;
        rc = hypercall3(call->number,
                        call->number >= HYPERCALL_control_op ? bad : cmd, bad,
                        1);
        /* Some need no argument, and 0 is then the answer. */
        if (rc > 0 && call->number != HYPERCALL_xen_version &&
            call->number != HYPERCALL_memory_op)
            broken("a bad pointer was taken, call", call->number);
    }
}
