/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The language the hypervisor is written in: C with these names.  The build
 * puts it before every source of hypervisor/ (config/flags.mk), so no file
 * there includes it or what it includes.
 */

#pragma once

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/frame_number.h"
#include "lib/string.h"

/* Names for the compiler attributes the hypervisor uses. */

#define __must_check    __attribute__((warn_unused_result))
#define __noreturn      __attribute__((noreturn))
#define __printf(f, a)  __attribute__((format(printf, f, a)))
#define __page_aligned  __attribute__((aligned(4096)))
#define __in_place      inline __attribute__((always_inline))
#define __noinline      __attribute__((noinline))
#define __rare          __attribute__((noinline, cold))
#define __section(name) __attribute__((section(name)))
/* Element of an array the linker gathers: no more alignment than its type. */
#define __element(name, type)                                                  \
    __attribute__((section(name), used, aligned(_Alignof(type))))
#define likely(x)         __builtin_expect(!!(x), 1)
#define unlikely(x)       __builtin_expect(!!(x), 0)
#define barrier()         __asm__ __volatile__("" ::: "memory")
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Of two numbers of one type; one of them is evaluated twice. */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* The structure whose member @member is at @ptr. */
#define container_of(ptr, type, member)                                        \
    ((type *)((char *)(ptr)-offsetof(type, member)))

/* A function whose callers need not save anything: it is rarely called. */
#ifdef UNIT_TEST
#define __keeps_registers /* it would have to save vector registers */
#else
#define __keeps_registers __attribute__((no_caller_saved_registers))
#endif

/*
 * Lock annotations.  gcc ignores them; "make check-locks" has clang follow
 * every path and complain of a lock not taken, not given back, or taken on
 * the wrong object.
 */
#if defined(__clang__)
#define __of_locks(attribute) __attribute__((attribute))
#else
#define __of_locks(attribute)
#endif
#define __lockable           __of_locks(capability("lock"))
#define __acquires(lock)     __of_locks(acquire_capability(lock))
#define __releases(lock)     __of_locks(release_capability(lock))
#define __try_acquires(lock) __of_locks(try_acquire_capability(true, lock))
#define __must_hold(lock)    __of_locks(requires_capability(lock))
#define __asserts(lock)      __of_locks(assert_capability(lock))
#define __lock_primitive     __of_locks(no_thread_safety_analysis)

/*
 * Beliefs about our own code, checked in debug builds only; never the only
 * defence against input.
 */

void __noreturn assert_failed(const char *file, int line, const char *belief);

#ifdef NDEBUG
#define assert(belief) ((void)sizeof(!(belief)))
#else
#define assert(belief)                                                         \
    ((belief) ? (void)0 : assert_failed(__FILE__, __LINE__, #belief))
#endif

#define static_assert _Static_assert

/*
 * @index when it is below @limit, else 0, with no branch to be mistrained: a
 * guest's number must not steer a speculative load out of the table.
 */
static inline uint64_t index_nospec(uint64_t index, uint64_t limit)
{
    uint64_t mask;

    __asm__("cmp %2, %1\n\t"
            "sbb %0, %0"
            : "=r"(mask)
            : "r"(index), "r"(limit)
            : "cc");
    return index & mask;
}

#include "lib/log.h"
#include "lib/register.h"

#endif
