/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model-specific registers as kernels of class pv find them: those in the table
 * below and a few that are a vCPU's own.  All others are not there.
 */

#include "arch/x86_64/cpu.h"
#include "domain/memory.h"
#include "domain/pv_vcpu.h"
#include "lib/hypercall_page.h"
#include "pv/emulate.h"
#include "pv/traps.h"

#define EFER_LME  (1UL << 8)
#define EFER_LMA  (1UL << 10)
#define EFER_SVME (1UL << 12)

#define APIC_BASE_SHOWN 0xfee00800UL
#define APIC_BASE_FIRST (1UL << 8)

/* No performance counters, no MONITOR; no trace buffers, no thermal task. */
#define MISC_ENABLE_OFF (1UL << 7 | 1UL << 18)
#define MISC_ENABLE_ON  (1UL << 11 | 1UL << 12 | 1UL << 23)

/* Entries: WB WT UC- UC WC WP UC UC. */
#define PAT_SHOWN 0x050100070406UL

#define MSR_HYPERCALL_PAGE 0x40000000U
#define MSR_SYNTHETIC      0x4000U /* upper half of such numbers */

enum msr_read {
    READ_NOT,
    READ_VALUE, /* that of the table */
    READ_HOST,
    READ_TSC,
    READ_APIC_BASE,
    READ_MISC_ENABLE,
    READ_EFER,
    READ_TSC_AUX,
};

enum msr_write {
    WRITE_NOT,
    WRITE_DROP,
    WRITE_ZERO, /* nothing but 0, which changes nothing */
    WRITE_SAME, /* nothing but what is read */
    WRITE_TSC_AUX,
};

/* Whose first to last are alike, where the machine has them. */
static const struct msr_rule {
    uint32_t first, last;
    uint8_t read, write;
    uint64_t value;
} rules[] = {
    {0x10, 0x10, READ_TSC, WRITE_NOT, 0},
    {0x17, 0x17, READ_HOST, WRITE_NOT, 0}, /* PLATFORM_ID */
    {MSR_APIC_BASE, MSR_APIC_BASE, READ_APIC_BASE, WRITE_NOT, 0},
    {0x3a, 0x3a, READ_VALUE, WRITE_NOT, 1},    /* FEATURE_CONTROL: locked */
    {0x8b, 0x8b, READ_HOST, WRITE_ZERO, 0},    /* microcode revision */
    {0xce, 0xce, READ_VALUE, WRITE_NOT, 0},    /* PLATFORM_INFO */
    {0xe7, 0xe8, READ_NOT, WRITE_DROP, 0},     /* MPERF, APERF */
    {0x140, 0x140, READ_VALUE, WRITE_ZERO, 0}, /* MISC_FEATURES */
    {0x179, 0x17b, READ_VALUE, WRITE_DROP, 0}, /* machine checks: none */
    {0x198, 0x198, READ_VALUE, WRITE_NOT, 0},  /* PERF_STATUS */
    {0x199, 0x199, READ_VALUE, WRITE_DROP, 0}, /* PERF_CTL */
    {0x19a, 0x19a, READ_NOT, WRITE_DROP, 0},   /* CLOCK_MODULATION */
    {0x19c, 0x19c, READ_VALUE, WRITE_NOT, 0},  /* THERM_STATUS */
    {0x1a0, 0x1a0, READ_MISC_ENABLE, WRITE_DROP, 0},
    {0x1b0, 0x1b0, READ_NOT, WRITE_DROP, 0},  /* ENERGY_PERF_BIAS */
    {0x1d9, 0x1d9, READ_VALUE, WRITE_NOT, 0}, /* DEBUGCTL */
    {0x277, 0x277, READ_VALUE, WRITE_NOT, PAT_SHOWN},
    {0x345, 0x345, READ_VALUE, WRITE_NOT, 0},  /* PERF_CAPABILITIES */
    {0x400, 0x47f, READ_VALUE, WRITE_DROP, 0}, /* banks of machine checks */
    {MSR_EFER, MSR_EFER, READ_EFER, WRITE_SAME, 0},
    {MSR_TSC_AUX, MSR_TSC_AUX, READ_TSC_AUX, WRITE_TSC_AUX, 0},
    {0xc0010015, 0xc0010015, READ_VALUE, WRITE_DROP, 0}, /* HWCR */
    {0xc001001f, 0xc001001f, READ_VALUE, WRITE_DROP, 0}, /* NB_CFG */
    {0xc0010061, 0xc001006b, READ_VALUE, WRITE_DROP, 0}, /* P-states */
    {0xc0011029, 0xc0011029, READ_VALUE, WRITE_DROP, 2}, /* LFENCE waits */
};

static const struct msr_rule *find_rule(uint32_t msr)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++)
        if (msr - rules[i].first <= rules[i].last - rules[i].first)
            return &rules[i];
    return NULL;
}

/* Those that the processor has, for the vCPU that is loaded. */
static bool is_base(uint32_t msr)
{
    return msr == MSR_FS_BASE || msr == MSR_GS_BASE || msr == MSR_GS_INACTIVE;
}

static bool read_rule(const struct vcpu *v, const struct msr_rule *rule,
                      uint64_t host, uint64_t *value)
{
    switch ((enum msr_read)rule->read) {
    case READ_NOT:
        return false;
    case READ_VALUE:
        *value = rule->value;
        return true;
    case READ_HOST:
        *value = host;
        return true;
    case READ_TSC:
        *value = rdtsc();
        return true;
    case READ_APIC_BASE:
        *value = APIC_BASE_SHOWN | (v->id == 0 ? APIC_BASE_FIRST : 0);
        return true;
    case READ_MISC_ENABLE:
        *value = (host & ~MISC_ENABLE_OFF) | MISC_ENABLE_ON;
        return true;
    case READ_EFER:
        *value = (host & ~EFER_SVME) | EFER_LME | EFER_LMA;
        return true;
    case READ_TSC_AUX:
        *value = v->pv->tsc_aux;
        return true;
    }
    return false;
}

bool msr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    const struct msr_rule *rule;
    uint64_t host;

    if (likely(is_base(msr))) {
        *value = rdmsr(msr);
        return true;
    }
    *value = 0;
    if (msr == MSR_HYPERCALL_PAGE)
        return true;
    /* The processor is never asked for one that no rule knows. */
    rule = find_rule(msr);
    if (rule && rdmsr_safe(msr, &host) && read_rule(v, rule, host, value))
        return true;
    /* A kernel that has no handler yet does not know that it may not: 0. */
    return msr >> 16 != MSR_SYNTHETIC && !trap_get(v, VECTOR_GP);
}

/* The guest's own frame, named by its number. */
static bool fill_hypercall_page(struct vcpu *v, uint64_t value)
{
    struct frame *f;

    if (value % PAGE_SIZE ||
        memory_get(v->domain, value >> PAGE_SHIFT, true, &f))
        return false;
    hypercall_page_fill(mfn_to_virt(frame_to_mfn(f)));
    memory_let_go(v->domain, f, true);
    return true;
}

bool msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    const struct msr_rule *rule;
    uint64_t now;

    if (likely(is_base(msr))) {
        if (!is_canonical(value))
            return false;
        wrmsr(msr, value);
        return true;
    }
    if (msr == MSR_HYPERCALL_PAGE)
        return fill_hypercall_page(v, value);
    rule = find_rule(msr);
    if (!rule || !rdmsr_safe(msr, &now))
        return false;
    switch ((enum msr_write)rule->write) {
    case WRITE_NOT:
        return false;
    case WRITE_DROP:
        return true;
    case WRITE_ZERO:
        return value == 0;
    case WRITE_SAME:
        return read_rule(v, rule, now, &now) && value == now;
    case WRITE_TSC_AUX:
        if (value >> 32)
            return false;
        v->pv->tsc_aux = (uint32_t)value;
        wrmsr(MSR_TSC_AUX, value);
        return true;
    }
    return false;
}
