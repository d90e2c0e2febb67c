/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the runtime's files know of each other.  Programs see rt/...h only.
 *
 * The runtime prints by the C library's integer-only functions (iprintf and its
 * like): a small guest is so spared 20 KB for floating point.
 *
 * The loop (loop.c) drives the parts below in turn; each keeps its own data.
 */

#ifndef RT_INTERNAL_H
#define RT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/shared_info.h>

struct thread;

/* --- Memory: light_memory.c, xen_memory.c, page.c ------------------------- */

/* Fill rt_layout, map shared_info, hand free RAM to page.c. */
void rt_light_memory_init(void);
void rt_xen_memory_init(void);

/* Pages that hold something at the start. */
struct page_range {
    uint64_t first, count;
};

/* All RAM is free but these ranges. */
void rt_pages_init(const struct page_range *reserved, size_t reserved_count);

/* The heap's pages, see syscalls.c: take those at @heap_end, if all are free.
 */
bool rt_heap_extend(const void *heap_end, size_t page_count);

/* Or go on in a new place above; NULL: there is none. */
void *rt_heap_place(const void *above, size_t page_count);

/*
 * Where the page that the builder named as @frame (store and console ring)
 * is: the gfn's address in class light, by the machine's table on Xen.
 */
void *rt_frame_va(uint64_t frame);

/* Xen's half of page.h and of the special window; see xen_memory.c. */
int rt_xen_page_guard(void *va, bool guarded);
uint64_t rt_xen_frame_of(const volatile void *va);
int rt_xen_map_special(void *va, uint64_t frame);

extern struct shared_info *rt_shared_info;

/* --- Traps: trap.c ------------------------------------------------------- */

void rt_traps_init(void);

/* Print the calls that led to frame pointer @rbp. */
void rt_backtrace(uint64_t rip, uint64_t rbp);

/* --- Time: time.c, timer.c ------------------------------------------------ */

void rt_time_init(void);
void rt_timers_init(void);

/* Run what is due. */
void rt_timers_run(void);

/* Make the hypervisor wake us for the first timer, if there is one. */
void rt_timers_arm(void);

/* --- Events: event.c ------------------------------------------------------ */

void rt_events_init(void);

/* Call the handlers of all pending ports. */
void rt_events_dispatch(void);

/* Sleep until an event is pending; at once if one is. */
void rt_events_block(void);

/* --- Threads: thread.c ---------------------------------------------------- */

/* Run each thread that is ready now until it gives up the processor. */
void rt_threads_run(void);
bool rt_threads_ready(void);

/* Bounds of the running stack, for backtraces. */
void rt_stack_bounds(uint64_t *low, uint64_t *high);

/* --- Console: console.c --------------------------------------------------- */

void rt_console_init(void);

/* What was written to stdout or stderr. */
void rt_console_stdout(const char *text, size_t size);

/* Wait, within bounds, until what was printed has gone out. */
void rt_console_drain(void);

/* Print from a broken state: no allocation, no queue. */
void rt_console_emergency(const char *text, size_t size);

/* --- Loop: loop.c --------------------------------------------------------- */

_Noreturn void rt_loop(void);

extern char rt_loop_guard[4096], rt_loop_stack_end[];
extern char rt_text_start[], rt_text_end[], rt_data_start[], rt_image_end[];

#endif /* RT_INTERNAL_H */
