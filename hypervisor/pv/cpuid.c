/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID as guests see it.
 *
 * What we do not offer is hidden bit by bit, everything else is the
 * processor's.  A plain CPUID instruction answers natively: hiding
 * is for kernels that ask properly, not a wall.
 */

#include "pv/traps.h"

#include <abi/cpuid.h>
#include <abi/version.h>

#include "core/time.h"
#include "domain/pv_vcpu.h"
#include "pv/guest_copy.h"

#define BIT(n) (1U << (n))

/* Leaf 1. */
#define L1_ECX_HYPERVISOR BIT(31)
#define L1_ECX_HIDDEN                                                          \
    (BIT(2) | BIT(3) | BIT(4) /* DTES64, MONITOR, DS-CPL */                    \
     | BIT(5) | BIT(6)        /* VMX, SMX */                                   \
     | BIT(7) | BIT(8)        /* EIST, TM2 */                                  \
     | BIT(15) | BIT(17)      /* PDCM, PCID */                                 \
     | BIT(18) | BIT(21)      /* DCA, x2APIC */                                \
     | BIT(24)                /* TSC deadline */                               \
     | BIT(26) | BIT(27)      /* XSAVE, OSXSAVE: of class pv only, ... */      \
     | BIT(12) | BIT(28)      /* ... and so are FMA, AVX */                    \
     | BIT(29))               /* ... and F16C */
#define L1_ECX_XSAVE   BIT(26)
#define L1_ECX_OSXSAVE BIT(27)
#define L1_ECX_AVX     (BIT(12) | BIT(28) | BIT(29))
#define L1_EDX_HIDDEN                                                          \
    (BIT(1) | BIT(3)      /* VME, PSE */                                       \
     | BIT(12) | BIT(13)  /* MTRR, PGE */                                      \
     | BIT(17) | BIT(21)  /* PSE36, DS */                                      \
     | BIT(22) | BIT(29)) /* ACPI, TM */
#define L1_EBX_APIC_ID 0xff000000U

/* Leaf 7, subleaf 0: offered are the plain integer instructions. */
#define L7_EBX_SHOWN                                                           \
    (BIT(3) | BIT(8)                    /* BMI1, BMI2 */                       \
     | BIT(9)                           /* ERMS */                             \
     | BIT(18) | BIT(19)                /* RDSEED, ADX */                      \
     | BIT(23) | BIT(24)                /* CLFLUSHOPT, CLWB */                 \
     | BIT(29))                         /* SHA */
#define L7_ECX_SHOWN (BIT(22))          /* RDPID */
#define L7_EDX_SHOWN (BIT(4) | BIT(10)) /* FSRM, MD_CLEAR */

/* The same, of class pv only. */
#define L7_EBX_FSGSBASE BIT(0)
#define L7_EBX_AVX2     BIT(5)
#define L7_ECX_AVX      (BIT(8) | BIT(9) | BIT(10)) /* GFNI, VAES, VPCLMUL */
#define L7_EBX_AVX512                                                          \
    (BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) |     \
     BIT(31))
#define L7_ECX_AVX512 (BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14))

/* Leaf 0xd, subleaf 1: XSAVEOPT, XSAVEC, XGETBV with 1. */
#define LD_EAX_SHOWN 7U

/* Leaf 0x80000001. */
#define LX1_ECX_SHOWN                                                          \
    (BIT(0)            /* LAHF */                                              \
     | BIT(5) | BIT(6) /* LZCNT, SSE4A */                                      \
     | BIT(7) | BIT(8) /* misaligned SSE, PREFETCHW */                         \
     | BIT(21))        /* TBM */
#define LX1_EDX_SHOWN                                                          \
    (BIT(11) | BIT(20)    /* SYSCALL, NX */                                    \
     | BIT(22) | BIT(25)  /* MMXEXT, fast FXSAVE */                            \
     | BIT(27) | BIT(29)  /* RDTSCP, LM */                                     \
     | BIT(30) | BIT(31)) /* 3DNow */

/* MONITOR, power, performance, topology, XSAVE, and what we do not know. */
#define HIDDEN_LEAVES                                                          \
    (BIT(5) | BIT(6) | BIT(0xa) | BIT(0xb) | BIT(0xd) | BIT(0xf) | BIT(0x10) | \
     BIT(0x12) | BIT(0x14) | BIT(0x1b) | BIT(0x1c) | BIT(0x1f))

#define LX8_EAX_WIDTHS 0x00ffffU

static const struct cpuid_regs none;

static struct cpuid_regs xen_leaf(uint32_t class, uint32_t index,
                                  uint32_t subleaf)
{
    switch (index) {
    case 0: /* "XenVMMXenVMM" */
        return (struct cpuid_regs){XEN_CPUID_LEAF_BASE + XEN_CPUID_LEAVES,
                                   0x566e6558, 0x65584d4d, 0x4d4d566e};
    case 1:
        return (struct cpuid_regs){.eax = XEN_VERSION_MAJOR << 16 |
                                          XEN_VERSION_MINOR};
    case 2: /* How many MSRs make a hypercall page, and which. */
        return class == CAIRN_CLASS_PV
                   ? (struct cpuid_regs){1, XEN_CPUID_LEAF_BASE, 1, 0}
                   : none;
    case 3: /* The TSC is native: only its frequency is of interest. */
        return (struct cpuid_regs){.eax = subleaf == 2 ? tsc_khz : 0,
                                   .ecx = subleaf == 0 ? tsc_khz : 0};
    case 5:
        return (struct cpuid_regs){.ebx = cpu_features.maddr_bits};
    default:
        return none;
    }
}

static struct cpuid_regs cairn_leaf(uint32_t class, uint32_t index)
{
    if (index == 0)
        return (struct cpuid_regs){CAIRN_CPUID_LEAF_BASE + 1, CAIRN_CPUID_EBX,
                                   CAIRN_CPUID_ECX, CAIRN_CPUID_EDX};
    if (index == 1)
        return (struct cpuid_regs){.eax = CAIRN_OPS_VERSION, .ebx = class};
    return none;
}

static __in_place struct cpuid_regs native_leaf(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r = cpuid(leaf, subleaf);

    switch (leaf) {
    case 1:
        r.ebx &= ~L1_EBX_APIC_ID;
        r.ecx = (r.ecx & ~L1_ECX_HIDDEN) | L1_ECX_HYPERVISOR;
        r.edx &= ~L1_EDX_HIDDEN;
        return r;
    case 7:
        if (subleaf != 0)
            return none;
        r.eax = 0;
        r.ebx &= L7_EBX_SHOWN;
        r.ecx &= L7_ECX_SHOWN;
        r.edx &= L7_EDX_SHOWN;
        return r;
    case 0x8000000a: /* SVM */
        return none;
    case 0x80000001:
        r.ecx &= LX1_ECX_SHOWN;
        r.edx &= LX1_EDX_SHOWN;
        return r;
    case 0x80000008:
        r.eax &= LX8_EAX_WIDTHS;
        r.ebx = r.ecx = r.edx = 0;
        return r;
    default:
        return leaf < 32 && HIDDEN_LEAVES >> leaf & 1 ? none : r;
    }
}

static __in_place void set(struct cpu_regs *regs, struct cpuid_regs r)
{
    regs->rax = r.eax;
    regs->rbx = r.ebx;
    regs->rcx = r.ecx;
    regs->rdx = r.edx;
}

/*
 * The states of XSAVE, and what needs them.  OSXSAVE is what the processor
 * has for a kernel, and for its programs what the kernel chose.  The sizes in
 * leaf 0xd follow XCR0, which is the guest's.
 */
static __noinline void add_of_pv(struct cpu_regs *regs, uint32_t leaf,
                                 uint32_t subleaf)
{
    struct cpuid_regs native = cpuid(leaf, subleaf);
    uint64_t xcr0 = cpu_features.xcr0;

    if (leaf == 1 && xcr0) {
        regs->rcx |= L1_ECX_XSAVE;
        if (!pv_in_user_mode() || current->pv->cr4 & CR4_OSXSAVE)
            regs->rcx |= L1_ECX_OSXSAVE;
        if (xcr0 & XCR0_AVX)
            regs->rcx |= native.ecx & L1_ECX_AVX;
    } else if (leaf == 7 && subleaf == 0) {
        regs->rbx |= native.ebx & L7_EBX_FSGSBASE;
        if (xcr0 & XCR0_AVX) {
            regs->rbx |= native.ebx & L7_EBX_AVX2;
            regs->rcx |= native.ecx & L7_ECX_AVX;
        }
        if (xcr0 & XCR0_AVX512) {
            regs->rbx |= native.ebx & L7_EBX_AVX512;
            regs->rcx |= native.ecx & L7_ECX_AVX512;
        }
    } else if (leaf == XSTATE_LEAF && subleaf == 0 && xcr0) {
        set(regs, (struct cpuid_regs){(uint32_t)xcr0, native.ebx,
                                      cpu_features.xstate_size, 0});
    } else if (leaf == XSTATE_LEAF && subleaf == 1 && xcr0) {
        set(regs,
            (struct cpuid_regs){native.eax & LD_EAX_SHOWN, native.ebx, 0, 0});
    } else if (leaf == XSTATE_LEAF && subleaf < 32 && xcr0 >> subleaf & 1) {
        set(regs, native);
    }
}

/* What leaf @leaf, @subleaf says to a domain of @class. */
static __in_place struct cpuid_regs policy(uint32_t class, uint32_t leaf,
                                           uint32_t subleaf)
{
    if (leaf >= CAIRN_CPUID_LEAF_BASE && leaf < CAIRN_CPUID_LEAF_BASE + 0x100)
        return cairn_leaf(class, leaf - CAIRN_CPUID_LEAF_BASE);
    if (leaf >= XEN_CPUID_LEAF_BASE && leaf < XEN_CPUID_LEAF_BASE + 0x100)
        return xen_leaf(class, leaf - XEN_CPUID_LEAF_BASE, subleaf);
    if (leaf >= XEN_CPUID_LEAF_BASE && leaf < 0x80000000U)
        return none;
    return native_leaf(leaf, subleaf);
}

/*
 * UD2, "xen", CPUID: seven bytes, looked at as two words that share one of
 * them, since a word is moved in place.
 */
#define WANTED_BYTES  7U
#define WANTED_FIRST  0x65780b0fU /* 0f 0b 'x' 'e' */
#define WANTED_SECOND 0xa20f6e65U /* 'e' 'n' 0f a2 */
#define SECOND_OFFSET 3U

static __in_place bool is_at(uint64_t at)
{
    uint32_t first, second;
    bool ok;

    guest_access_begin();
    ok = guest_load32(at, &first) && first == WANTED_FIRST &&
         guest_load32(at + SECOND_OFFSET, &second) && second == WANTED_SECOND;
    guest_access_end();
    return ok;
}

static __in_place void answer(struct cpu_regs *regs, uint32_t class)
{
    uint32_t leaf = (uint32_t)regs->rax, subleaf = (uint32_t)regs->rcx;

    set(regs, policy(class, leaf, subleaf));
    if (unlikely(class == CAIRN_CLASS_PV) &&
        (leaf == 1 || leaf == 7 || leaf == XSTATE_LEAF))
        add_of_pv(regs, leaf, subleaf);
}

void cpuid_answer(struct cpu_regs *regs, uint32_t class)
{
    answer(regs, class);
}

bool cpuid_emulate(struct cpu_regs *regs, uint32_t class)
{
    if (unlikely(!is_at(guest_address(regs->rip)))) {
        /* Text is always there: what was not, was something else. */
        fault_do_not_wait();
        return false;
    }
    regs->rip += WANTED_BYTES;
    answer(regs, class);
    return true;
}
