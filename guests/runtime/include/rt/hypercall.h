/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making hypercalls.
 *
 * A call is the instruction itself, with no stub page in between: the same
 * bytes work on Cairn and on Xen.  Results are what the hypervisor returned: 0
 * or a count, or a negative error number of abi/errno.h.  The functions of the
 * runtime report errors in the same numbers, which are not those of the C
 * library's <errno.h>.
 */

#ifndef RT_HYPERCALL_H
#define RT_HYPERCALL_H

#include <stdint.h>

#include <abi/console_io.h>
#include <abi/control.h>
#include <abi/device.h>
#include <abi/event_channel.h>
#include <abi/hypercall.h>
#include <abi/multicall.h>

/* Number @nr with up to five arguments.  rcx and r11 are lost by syscall. */
static inline long hypercall5(unsigned int nr, uint64_t a, uint64_t b,
                              uint64_t c, uint64_t d, uint64_t e)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    long result = nr;

    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10),
                       "+r"(r8)
                     :
                     : "rcx", "r11", "memory");
    return result;
}

static inline long hypercall4(unsigned int nr, uint64_t a, uint64_t b,
                              uint64_t c, uint64_t d)
{
    register uint64_t r10 __asm__("r10") = d;
    long result = nr;

    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10)
                     :
                     : "rcx", "r11", "memory");
    return result;
}

static inline long hypercall3(unsigned int nr, uint64_t a, uint64_t b,
                              uint64_t c)
{
    long result = nr;

    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(a), "+S"(b), "+d"(c)
                     :
                     : "rcx", "r11", "memory");
    return result;
}

static inline long hypercall2(unsigned int nr, uint64_t a, uint64_t b)
{
    long result = nr;

    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(a), "+S"(b)
                     :
                     : "rcx", "r11", "memory");
    return result;
}

static inline long hypercall1(unsigned int nr, uint64_t a)
{
    long result = nr;

    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(a)
                     :
                     : "rcx", "r11", "memory");
    return result;
}

/* An address as a hypercall takes it. */
static inline uint64_t hypercall_ptr(const volatile void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/*
 * The calls by name, with pointers as pointers.  Structures are those of
 * abi/...; the comment there says what each command needs.
 */
static inline long hypercall_memory_op(unsigned int cmd, void *arg)
{
    return hypercall2(HYPERCALL_memory_op, cmd, hypercall_ptr(arg));
}

static inline long hypercall_multicall(struct multicall_entry *calls,
                                       unsigned int count)
{
    return hypercall2(HYPERCALL_multicall, hypercall_ptr(calls), count);
}

/* Arm the timer for system time @ns; 0 disarms it. */
static inline long hypercall_set_timer_op(uint64_t ns)
{
    return hypercall1(HYPERCALL_set_timer_op, ns);
}

static inline long hypercall_xen_version(unsigned int cmd, void *arg)
{
    return hypercall2(HYPERCALL_xen_version, cmd, hypercall_ptr(arg));
}

static inline long hypercall_console_io(unsigned int cmd, unsigned int count,
                                        const char *buffer)
{
    return hypercall3(HYPERCALL_console_io, cmd, count, hypercall_ptr(buffer));
}

static inline long hypercall_grant_table_op(unsigned int cmd, void *args,
                                            unsigned int count)
{
    return hypercall3(HYPERCALL_grant_table_op, cmd, hypercall_ptr(args),
                      count);
}

static inline long hypercall_vcpu_op(unsigned int cmd, unsigned int vcpu,
                                     void *arg)
{
    return hypercall3(HYPERCALL_vcpu_op, cmd, vcpu, hypercall_ptr(arg));
}

static inline long hypercall_sched_op(unsigned int cmd, const void *arg)
{
    return hypercall2(HYPERCALL_sched_op, cmd, hypercall_ptr(arg));
}

static inline long hypercall_callback_op(unsigned int cmd, const void *arg)
{
    return hypercall2(HYPERCALL_callback_op, cmd, hypercall_ptr(arg));
}

static inline long hypercall_event_channel_op(unsigned int cmd, void *arg)
{
    return hypercall2(HYPERCALL_event_channel_op, cmd, hypercall_ptr(arg));
}

static inline long hypercall_set_trap_table(const void *table)
{
    return hypercall1(HYPERCALL_set_trap_table, hypercall_ptr(table));
}

static inline long hypercall_light_op(unsigned int cmd, void *arg)
{
    return hypercall2(HYPERCALL_light_op, cmd, hypercall_ptr(arg));
}

/* Fills in the version; the caller sets cmd, domid and u. */
static inline long hypercall_control_op(struct control_op *op)
{
    op->version = CONTROL_OP_VERSION;
    return hypercall1(HYPERCALL_control_op, hypercall_ptr(op));
}

/* Fills in the version; the caller sets cmd and u. */
static inline long hypercall_device_op(struct device_op *op)
{
    op->version = DEVICE_OP_VERSION;
    return hypercall1(HYPERCALL_device_op, hypercall_ptr(op));
}

#endif /* RT_HYPERCALL_H */
