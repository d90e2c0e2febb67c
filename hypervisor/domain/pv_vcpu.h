/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vCPU of class pv has and one of class light has not; vcpu.pv.
 *
 * Its kernel and its programs run in ring 3 alike.  Which of the two runs, the
 * mode, chooses the base pointer, which of the two GS bases is the active one,
 * and where SYSCALL goes.
 *
 * Fields as in vcpu.h: (o) only its own CPU while it runs, or anybody while it
 * is held off all CPUs.  (p) the processor has it while the vCPU is loaded, and
 * it is valid only while it is not.  (l) under the lock of the domain's space.
 */

#pragma once

#include <abi/trap.h>

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/segment.h"
#include "domain/vcpu.h"
#include "memory/page_type.h"

#define PV_GDT_FRAMES 14U /* selectors below 0xe000 */
#define PV_DEBUG_REGS 8U

struct pv_vcpu {
    struct pv_entry entry; /* (o) */
    uint8_t mode;          /* (p) GUEST_KERNEL or GUEST_USER */

    uint64_t gs_base_inactive;       /* (p) that of the mode it is not in */
    mfn_t gdt_frame[PV_GDT_FRAMES];  /* (o) MFN_NONE, or of type descriptors */
    uint32_t gdt_entries;            /* (o) */
    mfn_t gdt_coming[PV_GDT_FRAMES]; /* (l) taken by a set_gdt not done yet */
    unsigned int gdt_coming_pages;   /* (l) */
    uint64_t ldt_base;               /* (o) */
    uint32_t ldt_entries;            /* (o) */
    mfn_t ldt_frame[LDT_PAGES];      /* (o) as the GDT's */
    struct pv_callback syscall32, sysenter; /* (o) */
    bool task_switched;                     /* (o) virtual CR0.TS */
    uint64_t cr4;                           /* (o) what the guest chose of it */
    uint64_t xcr0;                          /* (o) */
    void *xstate;     /* (p) of XSAVE or FXSAVE, in place of vcpu.fpu */
    uint32_t tsc_aux; /* (o) */
    uint64_t debugreg[PV_DEBUG_REGS]; /* (o) */
    uint8_t iopl;                     /* (o) virtual */
    struct trap_entry page_fault;     /* (o) handler of #PF */
    bool nmi_pending;                 /* (a) */
    uint64_t io_bitmap;               /* (o) guest address; 0: none */
    uint32_t io_bitmap_ports;         /* (o) */
    struct vcpu_info info; /* if shared_info has no room, until it is moved */
};

/* Its state at the start of a vCPU; NULL: no memory. */
struct pv_vcpu *__must_check pv_vcpu_create(void);

void pv_vcpu_free(struct pv_vcpu *p);

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

/* --- While it is loaded ------------------------------------------------ */

static inline bool pv_in_user_mode(void)
{
    return this_cpu(guest_mode) == GUEST_USER;
}

/*
 * The tables of its mode, on this CPU, where it is @loaded already or will be.
 * If not, what the CPU knows is another vCPU's, or of this one from before it
 * was elsewhere, when it may have flushed only there.
 */
void pv_load_tables(struct vcpu *v, bool loaded);

/*
 * The current vCPU changes to the other mode.  To user mode it needs tables of
 * its own; false: it has none.
 */
void pv_to_kernel(struct vcpu *v);
bool __must_check pv_to_user(struct vcpu *v);

/* The rest of what the processor holds of it; context.c. */
void pv_save(struct vcpu *v);
void pv_restore(struct vcpu *v);

/*
 * set_gdt: these frames replace the old ones, each as of type descriptors.
 * Errors of page_get_type(); then nothing has changed, but that after -EAGAIN
 * the first ones are held until this is called again.
 */
int __must_check pv_set_gdt(struct vcpu *v, const mfn_t *frames,
                            uint32_t entries, struct page_work *work);

/*
 * An implicit access of the processor's to *@va, which is in its LDT, faulted.
 * True: it may be repeated; false: the guest's own LDT is not there, at *@va.
 */
bool __must_check pv_ldt_fault(struct vcpu *v, vaddr_t *va);

/* For pv_vcpu.c: the tables' part of the same. */
void pv_load_descriptors(const struct pv_vcpu *p);
void pv_unload_descriptors(const struct pv_vcpu *p);
void pv_drop_descriptors(struct pv_space *s, struct pv_vcpu *p)
    __must_hold(s->base.lock);
void pv_drop_type(struct pv_space *s, mfn_t *m);

/*
 * Debug registers, of the current vCPU or of one that never ran.
 * -ENODEV; -EPERM: an address of the hypervisor's, or what no guest may have;
 * -EINVAL.
 */
int __must_check pv_set_debugreg(struct vcpu *v, unsigned int reg,
                                 uint64_t value);
int __must_check pv_get_debugreg(const struct vcpu *v, unsigned int reg,
                                 uint64_t *value);

/* A #DB came to the guest, with @dr6. */
void pv_debug_hit(struct vcpu *v, uint64_t dr6);

/* For pv_vcpu.c. */
void pv_load_debug(const struct pv_vcpu *p);
void pv_unload_debug(const struct pv_vcpu *p);

/* Virtual IOPL, and how its domain wants to see it (vm_assist). */
void pv_set_iopl(struct vcpu *v, uint8_t iopl);

/* Virtual CR0.TS of the current vCPU. */
void pv_set_task_switched(struct vcpu *v, bool set);

/* @v, which never ran, begins with what FXSAVE has left at @state. */
void pv_set_fpu(struct vcpu *v, const void *state);

/*
 * xsetbv, of the current vCPU.  False: what is not offered, or makes no sense.
 */
bool __must_check pv_write_xcr0(struct vcpu *v, uint64_t value);

/* CR4 as a guest sees it, and what of a value it may choose. */
uint64_t pv_visible_cr4(const struct vcpu *v);
void pv_write_cr4(struct vcpu *v, uint64_t value);
