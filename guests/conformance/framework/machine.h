/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a test guest runs on: Cairn in class light, or Cairn in class pv and Xen
 * with page tables that its builder made.  These functions are all that differs
 * between them.
 */

#ifndef FRAMEWORK_MACHINE_H
#define FRAMEWORK_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/domid.h>
#include <abi/grant_table.h>
#include <abi/light.h>
#include <abi/sched.h>
#include <abi/shared_info.h>
#include <abi/start_info.h>

#define PAGE_SIZE 4096UL

/* Whole pages of zeros, each in a frame of its own. */
#define PAGES(name, count)                                                     \
    static uint8_t name[(count)*PAGE_SIZE]                                     \
        __attribute__((aligned(4096), section(".pages,\"aw\",@nobits#")))

extern const struct start_info *start_info;
extern struct shared_info *shared_info;

/* Class light on Cairn; false: class pv, on Cairn as on Xen. */
extern bool on_cairn;

/* Debian's Xen, not Cairn. */
extern bool on_xen;

/* Cairn only: where the windows are. */
extern struct light_layout layout;

/* The domain's own number: 0 for the initial one. */
extern domid_t own_domid;

/* This is the domain that controls the machine. */
extern bool initial_domain;

/* Find out where we are, reach shared_info.  @si: NULL in a child. */
void machine_init(const struct start_info *si);

/* How hypercalls and grants name the page at @va. */
uint64_t frame_of(const volatile void *va);

/* Grant table of @frames frames, mapped; NULL if it cannot be had. */
struct grant_entry_v1 *grant_table(uint32_t frames);

/* Make any access to the page at @va fault; usable again after unguard. */
bool guard_page(void *va);
bool unguard_page(void *va);

/* The page-aligned address where grant @index may be mapped. */
uint64_t grant_slot(unsigned int index);

/* System time in nanoseconds. */
uint64_t now_ns(void);

/* Xen: the page of ours that is machine frame @mfn. */
void *pv_page(uint64_t mfn);

/* Sleep until system time @ns; upcalls stay as they are. */
void sleep_until(uint64_t ns);

/* Value of "name=value" on the command line, or NULL; ends at a space. */
const char *option(const char *name);
uint64_t option_number(const char *name, uint64_t otherwise);

/* Wait until what was printed has left this domain. */
void machine_flush(void);

_Noreturn void machine_end(uint32_t reason);

/* Of the vCPU that asks. */
void mask_upcalls(void);

/* Let upcalls come: those that wait are delivered before this returns. */
void unmask_upcalls(void);

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

#endif /* FRAMEWORK_MACHINE_H */
