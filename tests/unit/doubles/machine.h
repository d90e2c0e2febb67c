/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine in ordinary memory for tests of the hypervisor's rooms: RAM with
 * its frame table, locks that check balance and order, panics that a test can
 * expect, a translation cache that remembers what was not flushed.
 */

#ifndef TESTS_UNIT_DOUBLES_MACHINE_H
#define TESTS_UNIT_DOUBLES_MACHINE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/domid.h>

#include "lib/frame_number.h"

/* RAM begins here: not at 0, and not at a multiple of a large block. */
#define MACHINE_FIRST 3U

/* Make the RAM, all of it filled with 0xa5; nothing is given to anybody. */
void machine_make(uint64_t frames);
void machine_free(void);

/* Locks held now; a test ends with 0. */
int machine_locks_held(void);

/* Let spin_try_lock() fail, as if another CPU had the lock. */
extern bool machine_locks_contended;

/* How many lines were logged, and the last one. */
extern unsigned int machine_lines;
extern char machine_line[256];

/* Flushes asked for: single pages, and whole ones. */
extern unsigned int machine_page_flushes, machine_full_flushes;
extern vaddr_t machine_last_flush;

/* Called at each flush, when the old translation may still be in use. */
extern void (*machine_at_flush)(void);

/* Calls of upcall_frames_free() and upcall_promise_refilled(). */
extern unsigned int machine_frames_free_calls, machine_refilled_calls;

/* What upcall_cpu_idles() answers, and upcall_cpu_privileged() does not. */
extern bool machine_cpu_idles, machine_unprivileged;

/* Frames in use by @owner. */
uint64_t machine_frames_owned(domid_t owner);

/* Run @statement, which must panic; what it held is let go. */
extern jmp_buf machine_panic_jump;
extern bool machine_panic_expected;
extern char machine_panic_text[256];
void machine_locks_reset(void);

#define EXPECT_PANIC(statement)                                                \
    do {                                                                       \
        if (setjmp(machine_panic_jump) == 0) {                                 \
            machine_panic_expected = true;                                     \
            statement;                                                         \
            machine_panic_expected = false;                                    \
            test_report(false, false, __FILE__, __LINE__,                      \
                        #statement " does not panic");                         \
        }                                                                      \
        machine_panic_expected = false;                                        \
        machine_locks_reset();                                                 \
    } while (0)

#endif /* TESTS_UNIT_DOUBLES_MACHINE_H */
