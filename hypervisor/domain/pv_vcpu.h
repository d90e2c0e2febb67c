/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vCPU of class pv has and one of class light has not; vcpu.pv.
 *
 * Fields as in vcpu.h: (o) only its own CPU while it runs, or anybody while it
 * is held off all CPUs.
 */

#ifndef DOMAIN_PV_VCPU_H
#define DOMAIN_PV_VCPU_H

#include <abi/trap.h>

#include "domain/vcpu.h"
#include "memory/page_type.h"

#define PV_GDT_FRAMES 14U /* selectors below 0xe000 */

/* An address the kernel registered, and whether entering it masks events. */
struct pv_callback {
    uint64_t address; /* 0: none */
    bool mask_events;
};

struct pv_vcpu {
    /* Each holds an L4 type reference; MFN_NONE: none. (o) */
    mfn_t kernel_l4, user_l4;
    bool user_mode; /* (o) */

    uint64_t kernel_sp;             /* (o) stack_switch */
    uint16_t kernel_ss;             /* (o) */
    uint64_t user_gs_base;          /* (o) the one not loaded: see mode */
    mfn_t gdt_frame[PV_GDT_FRAMES]; /* (o) each of type descriptors */
    uint32_t gdt_entries;           /* (o) */
    uint64_t ldt_base;              /* (o) */
    uint32_t ldt_entries;           /* (o) */
    struct pv_callback failsafe;    /* (o) */
    struct pv_callback syscall;     /* (o) 64-bit user code */
    struct pv_callback syscall32, sysenter;
    bool task_switched;           /* (o) virtual CR0.TS */
    uint64_t cr4;                 /* (o) as the guest sees it */
    uint64_t xcr0;                /* (o) */
    uint64_t debugreg[8];         /* (o) */
    uint8_t iopl;                 /* (o) virtual */
    bool nmi_pending, nmi_masked; /* (a), (o) */
    uint64_t io_bitmap;           /* (o) guest address; 0: none */
    uint32_t io_bitmap_ports;     /* (o) */
    struct vcpu_info info; /* if shared_info has no room, until it is moved */
};

/* Its state at the start of a vCPU (ABI 2.3); NULL: no memory. */
struct pv_vcpu *__must_check pv_vcpu_create(void);

/*
 * Let go of base pointers and descriptor tables: @v never runs again.  Takes
 * the space's lock.
 */
void pv_vcpu_release(struct vcpu *v);

/*
 * NEW_BASEPTR and NEW_USER_BASEPTR of the current vCPU, which is in kernel
 * mode, or of one that never ran.  A kernel base is loaded at once; for the
 * user base MFN_NONE means none.  Errors of page_get_type(); -EAGAIN: again,
 * with new work.  The space's lock is not held.
 */
int __must_check pv_set_kernel_base(struct vcpu *v, mfn_t l4,
                                    struct page_work *work);
int __must_check pv_set_user_base(struct vcpu *v, mfn_t l4,
                                  struct page_work *work);

/*
 * MMUEXT_SET_LDT: @entries from guest address @base on; its pages are taken
 * when they are touched.
 */
void pv_set_ldt(struct vcpu *v, uint64_t base, uint32_t entries);

#endif /* DOMAIN_PV_VCPU_H */
