/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways into the hypervisor and out of it: the vectors; a guest's registers, as
 * entry.S saves them at the top of the CPU's stack, and as they lie in struct
 * vcpu while it does not run; and what entry.S looks at when a hypercall or an
 * exception is done: whether it may go straight back to the guest, or has to
 * call upcall_return_to_guest() first.
 */

#pragma once

#include "arch/x86_64/paging.h"

/* --- Who has which of the 256 vectors ----------------------------------- */

/* Exceptions, as the processor numbers them: X(name, vector, text). */
#define EXCEPTIONS(X)                                                          \
    X(DE, 0, "#DE divide error")                                               \
    X(DB, 1, "#DB debug")                                                      \
    X(NMI, 2, "NMI")                                                           \
    X(BP, 3, "#BP breakpoint")                                                 \
    X(OF, 4, "#OF overflow")                                                   \
    X(BR, 5, "#BR bound range")                                                \
    X(UD, 6, "#UD invalid opcode")                                             \
    X(NM, 7, "#NM no FPU")                                                     \
    X(DF, 8, "#DF double fault")                                               \
    X(TS, 10, "#TS invalid TSS")                                               \
    X(NP, 11, "#NP segment not present")                                       \
    X(SS, 12, "#SS stack segment")                                             \
    X(GP, 13, "#GP general protection")                                        \
    X(PF, 14, "#PF page fault")                                                \
    X(MF, 16, "#MF x87 error")                                                 \
    X(AC, 17, "#AC alignment check")                                           \
    X(MC, 18, "#MC machine check")                                             \
    X(XM, 19, "#XM SIMD error")
#define VECTOR_EXCEPTIONS 32

#define EXCEPTION_VECTOR_(name, vector, text) VECTOR_##name = (vector),
enum { EXCEPTIONS(EXCEPTION_VECTOR_) };
#undef EXCEPTION_VECTOR_

/* The 8259s are masked; what strays from them lands here and is ignored. */
#define VECTOR_PIC_FIRST 0x20

/*
 * The device room's.  A guest may execute INT 0x80, so that vector is never a
 * device's.
 */
#define VECTOR_DEVICE_FIRST 0x30
#define VECTOR_DEVICE_LAST  0xdf
#define VECTOR_INT80        0x80

#define VECTOR_TIMER      0xe0
#define VECTOR_CONSOLE    0xe1
#define VECTOR_IPI        0xe2 /* another CPU wants something; smp.c */
#define VECTOR_APIC_ERROR 0xfe
#define VECTOR_SPURIOUS   0xff /* the LAPIC's; wants no EOI */

struct cpu_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
    uint64_t rax, rcx, rdx, rsi, rdi;
    uint32_t error_code;
    uint32_t entry_vector; /* ENTRY_SYSCALL or a vector */
    uint64_t rip, cs, rflags, rsp, ss;
};

/* entry_vector of an entry by SYSCALL: the way back may be SYSRET. */
#define ENTRY_SYSCALL 0x100U

static_assert(sizeof(struct cpu_regs) == 168, "entry.S builds it");
static_assert(offsetof(struct cpu_regs, rip) == 128,
              "the CPU pushes from here");

#define RFLAGS_FIXED      (1UL << 1) /* always 1 */
#define RFLAGS_TF         (1UL << 8)
#define RFLAGS_IF         (1UL << 9)
#define RFLAGS_DF         (1UL << 10)
#define RFLAGS_IOPL_SHIFT 12
#define RFLAGS_IOPL       (3UL << RFLAGS_IOPL_SHIFT)
#define RFLAGS_NT         (1UL << 14)
#define RFLAGS_RF         (1UL << 16)
#define RFLAGS_VM         (1UL << 17)
#define RFLAGS_AC         (1UL << 18)

/*
 * What a guest may choose: the arithmetic flags, TF, DF, NT, RF, AC and ID.
 * IF is always on.
 */
#define RFLAGS_GUEST 0x254dd5UL

/* What a guest's handler does not inherit from what it interrupts. */
#define RFLAGS_NOT_FOR_HANDLER                                                 \
    (RFLAGS_AC | RFLAGS_VM | RFLAGS_RF | RFLAGS_NT | RFLAGS_TF)

/* The registers of the guest that this CPU entered from. */
static inline struct cpu_regs *guest_regs(void)
{
    return (struct cpu_regs *)(cpu_area() + CPU_AREA_STACK_TOP) - 1;
}

/* There is work, or the guest's frame may no longer be fit for SYSRET. */
DECLARE_PER_CPU(bool, slow_return);

/*
 * Two bytes of the guest's: an upcall is due when the first is not 0 and the
 * second is.  While slow_return is set, upcall_due instead, so that who asks
 * for one asks for both.
 */
DECLARE_PER_CPU(const uint8_t *, upcall_bytes);
extern const uint8_t upcall_due[2];

/* Who the guest is: SYSCALL is a hypercall but to programs of class pv. */
#define GUEST_LIGHT  0
#define GUEST_KERNEL 1
#define GUEST_USER   2
DECLARE_PER_CPU(uint8_t, guest_mode);

static inline void return_slowly(void)
{
    this_cpu(slow_return) = true;
    this_cpu(upcall_bytes) = upcall_due;
}

/* An address the kernel registered, and whether entering it masks events. */
struct pv_callback {
    uint64_t address; /* 0: none */
    bool mask_events;
};

/* Of a vCPU of class pv, what entry.S looks at on the short ways. */
struct pv_entry {
    /* Each holds an L4 type reference; MFN_NONE: none. */
    mfn_t kernel_l4, user_l4;
    uint64_t kernel_sp;         /* stack_switch */
    struct pv_callback syscall; /* from 64-bit user code */
    uint64_t shown_iopl;        /* in the flags of frames; 0 unless ... */
    bool shows_iopl;            /* ... its domain wants to see it */
    bool nmi_masked;            /* both are 0 on the short way of iret */
};

/* That of the vCPU that is loaded, while guest_mode is not GUEST_LIGHT. */
DECLARE_PER_CPU(const struct pv_entry *, pv_entry);

/* --- Ways into and out of guests; entry.S and exception.c ---------------- */

/*
 * Leave for the guest whose registers are in guest_regs(), by way of
 * upcall_return_to_guest(); what is on the stack is forgotten.
 */
void __noreturn enter_guest(void);

/* One stub a CPU for SYSCALL; entry.S. */
#define SYSCALL_STUB_SIZE 64U
extern const char syscall_stubs[], syscall32_stubs[];

/* One stub a vector for the IDT. */
#define VECTOR_STUB_SIZE 16U
extern const char vector_stubs[];

/* The IRETQ to guests: a fault there is the guest's. */
extern const char iret_to_guest[];

/*
 * Of an exception or interrupt in ring 3; @regs are guest_regs().  The stack
 * afterwards is the ordinary one, empty but for them.
 */
void exception_from_guest(struct cpu_regs *regs);

/* The same, and then back to the guest; what is on the stack is forgotten. */
void __noreturn exception_from_guest_only(struct cpu_regs *regs);

/* Back to the guest after one; what is on the stack is forgotten. */
void __noreturn exception_done(void);

/*
 * In ring 0.  Returns the registers to go on with: @regs, or guest_regs() when
 * it was the way into a guest that failed.
 */
struct cpu_regs *exception_from_hypervisor(struct cpu_regs *regs);

/*
 * A guest was interrupted onto an IST stack: move its registers to where
 * guest_regs() has them, on the ordinary stack, which is empty.
 */
struct cpu_regs *exception_leave_ist(const struct cpu_regs *regs);

/* The name of exception @vector, "#PF page fault". */
const char *exception_name(uint32_t vector);

/*
 * The x87 and SSE state, and what XSAVE keeps beyond it, saved and loaded at
 * every switch of vCPU: never lazily, so that no guest can ever find another's
 * values in it.
 */

#define FPU_STATE_SIZE 512 /* 16-byte aligned */

/* Where FXSAVE has what we look at, in words of 32 bits. */
#define FPU_FCW        0
#define FPU_MXCSR      6
#define FPU_MXCSR_MASK 7 /* 0: 0xffbf */

/*
 * XSAVE's area begins like it, aligned to 64 bytes, and has a header behind.
 * cpu_features.xstate_size is all of it.
 */
#define XSTATE_LEAF        0xdU /* of CPUID */
#define XSTATE_LEGACY_SIZE FPU_STATE_SIZE
#define XSTATE_HEADER_SIZE 64U

static inline void fpu_save(void *state)
{
    __asm__ __volatile__("fxsave64 %0" : "=m"(*(char(*)[FPU_STATE_SIZE])state));
}

/*
 * @state is from fpu_save() or fpu_init_state(), so this cannot fault.  Some
 * AMD processors save and load FIP, FDP and FOP only while an exception is
 * pending: FNINIT clears what another guest left there.
 */
static inline void fpu_restore(const void *state)
{
    __asm__ __volatile__("fninit\n\tfxrstor64 (%0)" : : "r"(state) : "memory");
}

/*
 * All that XCR0 has.  @area is from xstate_save(), or zeros behind what the
 * functions below make of its beginning.
 */
static inline void xstate_save(void *area)
{
    __asm__ __volatile__("xsave64 (%0)"
                         :
                         : "r"(area), "a"(~0U), "d"(~0U)
                         : "memory");
}

static inline void xstate_restore(const void *area)
{
    __asm__ __volatile__("fninit\n\txrstor64 (%0)"
                         :
                         : "r"(area), "a"(~0U), "d"(~0U)
                         : "memory");
}

/* The first two states of @area are not the initial ones. */
static inline void xstate_set_legacy(void *area)
{
    *(uint64_t *)((char *)area + XSTATE_LEGACY_SIZE) = 3;
}

/*
 * Let @state, a guest's own idea of such a thing, not fault either: clear what
 * this processor has no use for in MXCSR.
 */
static inline void fpu_make_valid(void *state)
{
    uint32_t now[FPU_STATE_SIZE / 4] __attribute__((aligned(16)));
    uint32_t *words = state;

    fpu_save(now);
    words[FPU_MXCSR] &= now[FPU_MXCSR_MASK] ? now[FPU_MXCSR_MASK] : 0xffbf;
}

/* What FNINIT leaves: FCW 0x37f, MXCSR 0x1f80, all registers 0. */
static inline void fpu_init_state(void *state)
{
    uint32_t *words = state;

    memset(words, 0, FPU_STATE_SIZE);
    words[FPU_FCW] = 0x37f;
    words[FPU_MXCSR] = 0x1f80;
}

/*
 * Two sets of tables (spec-ctrl=xpti), for processors on which a guest can
 * read through supervisor pages: while it runs, its tables map nothing of the
 * hypervisor but what the processor itself needs on the way in.  That is: the
 * code in xpti.S, descriptor tables, the IST stacks, and a page a CPU.
 *
 * Each address space has a second L4 table for that, with the guest's entries
 * and one of ours, which all share.  Off, this costs a no-op on the way out.
 */

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
 * have their areas.  False: no table to be had.
 */
bool __must_check xpti_init(void);

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
