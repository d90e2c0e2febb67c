/* SPDX-License-Identifier: BSD-2-Clause */
/* What the processor can do, and switching that on. */

#include "arch/x86_64/cpu.h"

#include "arch/x86_64/regs.h"

struct cpu_features cpu_features;

DEFINE_PER_CPU(unsigned int, cpu_id);
DEFINE_PER_CPU(uint64_t, own_cr4);
DEFINE_PER_CPU(uint64_t, loaded_cr4);
DEFINE_PER_CPU(uint64_t, loaded_xcr0) = XCR0_X87; /* as after a reset */

/* Bits of CPUID, here and below: SDM 2A, tables 3-10 and 3-11. */
static const struct {
    uint32_t leaf, edx_bit;
    const char *name;
} needed[] = {
    {1, 4, "TSC"},   {1, 5, "MSR"},   {1, 9, "APIC"},
    {1, 24, "FXSR"}, {1, 26, "SSE2"}, {0x80000001, 11, "SYSCALL"},
};

/* The states guests may have, and the area that keeps them. */
static void read_xstate(struct cpu_features *f)
{
    const uint64_t known = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512;
    uint32_t size = XSTATE_LEGACY_SIZE + XSTATE_HEADER_SIZE;

    f->xcr0 = cpuid(XSTATE_LEAF, 0).eax & known;
    if ((f->xcr0 & XCR0_AVX512) != XCR0_AVX512 || !(f->xcr0 & XCR0_AVX))
        f->xcr0 &= ~XCR0_AVX512;
    for (uint32_t i = 2; f->xcr0 >> i; i++) {
        struct cpuid_regs r = cpuid(XSTATE_LEAF, i);

        if (f->xcr0 >> i & 1)
            size = MAX(size, r.ebx + r.eax); /* where it is, how large */
    }
    f->xstate_size = size;
}

const char *cpu_features_read(struct cpu_features *f)
{
    struct cpuid_regs leaf1 = cpuid(1, 0);
    struct cpuid_regs leaf7 = {0};
    uint32_t extended = cpuid(0x80000000, 0).eax;

    for (unsigned int i = 0; i < ARRAY_SIZE(needed); i++)
        if (!(cpuid(needed[i].leaf, 0).edx >> needed[i].edx_bit & 1))
            return needed[i].name;

    if (cpuid(0, 0).eax >= 7)
        leaf7 = cpuid(7, 0);
    f->pge = leaf1.edx >> 13 & 1;
    f->x2apic = leaf1.ecx >> 21 & 1;
    f->tsc_adjust = leaf7.ebx >> 1 & 1;
    if (leaf1.ecx >> 26 & 1)
        read_xstate(f);
    f->fsgsbase = leaf7.ebx & 1;
    f->smep = leaf7.ebx >> 7 & 1;
    f->smap = leaf7.ebx >> 20 & 1;
    f->umip = leaf7.ecx >> 2 & 1;
    f->gib_pages = cpuid(0x80000001, 0).edx >> 26 & 1;
    f->maddr_bits = 36; /* what a CPU has that does not say */
    if (extended >= 0x80000008)
        f->maddr_bits = (uint8_t)cpuid(0x80000008, 0).eax;
    return NULL;
}

bool cpu_features_match(void)
{
    struct cpu_features mine = {0};

    if (cpu_features_read(&mine))
        return false;
    mine.smap &= cpu_features.smap; /* smap=off */
    mine.xpti = cpu_features.xpti;
    return !memcmp(&mine, &cpu_features, sizeof(mine));
}

void cpu_enable_features(void)
{
    uint64_t cr4 = CR4_PAE | CR4_MCE | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    /* A global translation of ours would outlive the way to a guest. */
    if (cpu_features.pge && !cpu_features.xpti)
        cr4 |= CR4_PGE;
    if (cpu_features.smep)
        cr4 |= CR4_SMEP;
    if (cpu_features.smap)
        cr4 |= CR4_SMAP;
    if (cpu_features.umip)
        cr4 |= CR4_UMIP;
    this_cpu(own_cr4) = this_cpu(loaded_cr4) = cr4;
    write_cr4(cr4);
    write_cr0((read_cr0() | CR0_MP | CR0_NE | CR0_WP | CR0_AM) &
              ~(CR0_EM | CR0_TS));
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
    /* Firmware or a debugger of the boot loader's may have set breakpoints. */
    write_dr7(DR7_NONE);
    write_dr6(DR6_NONE);
}

extern const struct patch_site patch_sites_start[], patch_sites_end[];

/* Jump to @to instead of going on to the guest. */
static void patch_leave(uint8_t *at, const char *to)
{
    int32_t distance = (int32_t)((uintptr_t)to - (uintptr_t)(at + 5));

    if (!cpu_features.xpti)
        return;
    at[0] = 0xe9; /* JMP rel32 */
    memcpy(at + 1, &distance, sizeof(distance));
}

void guest_access_patch(void)
{
    static const uint8_t stac[3] = {0x0f, 0x01, 0xcb};
    static const uint8_t clac[3] = {0x0f, 0x01, 0xca};

    for (const struct patch_site *s = patch_sites_start; s < patch_sites_end;
         s++) {
        uint8_t *at = (uint8_t *)((uintptr_t)&s->at + (intptr_t)s->at);

        if (s->kind == PATCH_LEAVE || s->kind == PATCH_LEAVE_SAVED)
            patch_leave(at,
                        s->kind == PATCH_LEAVE ? xpti_leave : xpti_leave_saved);
        else if (cpu_features.smap)
            memcpy(at, s->kind == PATCH_STAC ? stac : clac, sizeof(stac));
    }
    (void)cpuid(0, 0); /* serialises: what was fetched before is stale */
}
