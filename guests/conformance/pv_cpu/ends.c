/* SPDX-License-Identifier: BSD-2-Clause */
/* What a kernel does to itself on the way to its programs, and from there. */

#include <string.h>

#include <abi/trap.h>
#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/tables.h"
#include "framework/test.h"

#include "user.h"

PAGES(read_only, 1);
PAGES(edge, 2);

#define NOWHERE  0xffffc90000001000
#define HV_FIRST 0xffff800000000000
#define HV_END   0xffff880000000000

/* A program makes SYSCALL, and its kernel has this stack. */
static uint64_t call_onto(uint64_t top)
{
    struct iret_context c = user_context();

    c.rflags &= ~RFLAGS_IF; /* No event comes onto that stack before. */
    if (user_begin() &&
        hypercall2(HYPERCALL_stack_switch, FLAT_RING3_DS, top) == 0)
        user_go(&c);
    return 0;
}

TEST("a SYSCALL onto a kernel stack that takes no frame ends the domain")
{
    const uint64_t tops[] = {NOWHERE,
                             HV_FIRST + 0x1000,
                             HV_END - 0x1000,
                             HV_END + 16,
                             0x0000800000000000,
                             0,
                             hypercall_ptr(read_only) + PAGE_SIZE,
                             hypercall_ptr(read_only) + PAGE_SIZE + USER_UPPER,
                             hypercall_ptr(read_only) + PAGE_SIZE + USER_UPPER +
                                 24};

    EXPECT_EQ(map_readable(read_only), 0);
    for (unsigned int i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
        child_must_crash(call_onto, tops[i]);
    EXPECT_EQ(map_writable(read_only), 0);
}

static uint64_t iret_from(uint64_t frame)
{
    if (user_begin())
        __asm__ volatile("mov %0, %%rsp; mov $23, %%eax; syscall"
                         :
                         : "r"(frame)
                         : "memory");
    return 0;
}

TEST("an iret from a frame that cannot be read ends the domain")
{
    const uint64_t frames[] = {NOWHERE, HV_FIRST, HV_END - 72,       HV_END - 8,
                               HV_END,  ~7UL,     0x00007ffffffffff8};

    for (unsigned int i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
        child_must_crash(iret_from, frames[i]);
}

/* The last word, or the last but one, is in a page that is not there. */
static uint64_t iret_from_edge(uint64_t way)
{
    uint64_t *end = (uint64_t *)(void *)(edge + PAGE_SIZE);
    struct iret_context c = user_context();
    uint64_t *frame = end - (way % 2 ? 8 : 7);

    c.flags = way / 2 ? VGCF_in_syscall : 0;
    memcpy(frame, &c, (size_t)((char *)end - (char *)frame));
    if (map_at(end, 0) == 0)
        iret_from(hypercall_ptr(frame));
    return 0;
}

TEST("an iret from a frame of which a part cannot be read ends the domain")
{
    for (unsigned int way = 0; way < 4; way++)
        child_must_crash(iret_from_edge, way);
}

/* Bit 1: by SYSRET. */
static uint64_t without_tables(uint64_t way)
{
    struct iret_context c = user_context();

    c.flags = way & 2 ? VGCF_in_syscall : 0;
    c.rflags &= ~RFLAGS_IF; /* an event would go by the long way */
    if (user_begin() && user_kernel(way & 1, true) &&
        mmuext_call(MMUEXT_NEW_USER_BASEPTR, 0, 0) == 0)
        user_go(&c);
    return 0;
}

TEST("an iret to a program that has no tables ends the domain")
{
    for (unsigned int way = 0; way < 4; way++)
        child_must_crash(without_tables, way);
}
