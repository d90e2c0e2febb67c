/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a guest program starts, what it is told, and how it ends.
 *
 * A program is `int main(int argc, char **argv)`: argv[0] is the program's
 * name, the rest are the words of the domain's command line.  main() runs in
 * the first thread (rt/thread.h).  Returning from it, or exit(), ends the
 * domain: status 0 powers off, any other is a crash.  A program that lives
 * from events alone ends main() with thread_exit(), which gives its stack back.
 */

#ifndef RT_START_H
#define RT_START_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/light.h>
#include <abi/start_info.h>

/* What the builder passed; constant. */
extern const struct start_info *rt_start_info;

/*
 * Where things are in the address space: RAM, then the windows of
 * abi/light.h.  On Xen the runtime makes the same picture by page tables of
 * its own, without grant, module and MMIO windows (their counts are 0).
 */
extern struct light_layout rt_layout;

/* The address of @gfn, RAM or window. */
static inline void *rt_gfn_va(uint64_t gfn)
{
    return (void *)(uintptr_t)(rt_layout.virt_base + gfn * 4096);
}

/* The gfn at @va, RAM or window. */
static inline uint64_t rt_va_gfn(const volatile void *va)
{
    return ((uint64_t)(uintptr_t)va - rt_layout.virt_base) / 4096;
}

/* True on Cairn in class light; false on Xen, with page tables of our own. */
bool rt_is_light(void);

/* True in the domain that the machine was started with. */
bool rt_is_initial_domain(void);

/*
 * The value of "name=value" on the command line, or NULL.  The string lives
 * for ever.
 */
const char *rt_option(const char *name);

/* End the domain with a SHUTDOWN_* of abi/sched.h. */
_Noreturn void rt_shutdown(unsigned int reason);

/* Print the message and where it came from, and end as a crash. */
_Noreturn void rt_panic(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif /* RT_START_H */
