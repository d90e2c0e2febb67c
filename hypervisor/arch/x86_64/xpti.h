/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two sets of tables (spec-ctrl=xpti), for processors on which a guest can
 * read through supervisor pages: while it runs, its tables map nothing of the
 * hypervisor but what the processor itself needs on the way in.  That is: the
 * code in xpti.S, descriptor tables, the IST stacks, and a page a CPU.
 *
 * Each address space has a second L4 table for that, with the guest's entries
 * and one of ours, which all share.  Off, this costs a no-op on the way out.
 */

#pragma once

#include "arch/x86_64/paging.h"

/* At CPU_AREA_ENTRY.  Behind it, up to CPU_AREA_ENTRY_TOP, is a stack. */
struct xpti_page {
    uint64_t own_cr3;   /* to load on the way in */
    uint64_t guest_cr3; /* on the way out */
    uint64_t scratch;   /* a register of the guest's */
};

/* xpti.S; PATCH_LEAVE and PATCH_LEAVE_SAVED jump to the first two. */
extern const char xpti_leave[], xpti_leave_saved[];
extern const char xpti_syscall_stubs[], xpti_vector_stubs[];

/* In xpti.S: CR3 is the guest's from the first on; the second is IRETQ. */
extern const char xpti_leave_switched[], xpti_iret[];
/* What an NMI there returns to, instead. */
extern const char xpti_leave_again[];

/*
 * Make the tables that guests run on beside their own; once, when all CPUs
 * have their areas.  New tables come from @alloc.  False: none to be had.
 */
bool __must_check xpti_init(mfn_t (*alloc)(void));

/* The L4 entry of what guests' tables map of us, and its index. */
extern uint64_t xpti_l4_entry;
#define XPTI_L4_INDEX pt_index(IMAGE_BASE, 4)

/* The spaces to change between on this CPU's way in and out. */
static inline void xpti_load(mfn_t own, mfn_t guest)
{
    struct xpti_page *page = (struct xpti_page *)(cpu_area() + CPU_AREA_ENTRY);

    page->own_cr3 = mfn_to_maddr(own);
    page->guest_cr3 = mfn_to_maddr(guest);
}
