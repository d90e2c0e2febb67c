/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints of guests of class pv.  The processor has them while the vCPU is
 * loaded and any is on: never one at an address of the hypervisor's.
 */

#include "domain/pv_vcpu.h"

#include "arch/x86_64/address_map.h"

#define DR6_MASK                                                               \
    0x0000e00fUL /* what a #DB can set that a guest has use for                \
                  */
#define DR6_ZERO 0x00001000UL
#define DR7_ON   0x000000ffUL
#define DR7_ZERO 0x0000d800UL
#define DR7_GD   0x00002000UL /* a #DB at each access to debug registers */

#define DR7_KIND(dr7, n) ((dr7) >> (16 + 4 * (n)) & 3)
#define DR7_KIND_IO      2U

static bool is_guests(uint64_t va)
{
    return is_canonical(va) &&
           va - HV_VIRT_START >= HV_VIRT_END - HV_VIRT_START;
}

static void load_control(uint64_t dr7)
{
    __asm__ __volatile__("mov %0, %%dr7" : : "r"(dr7) : "memory");
}

void pv_load_debug(const struct pv_vcpu *p)
{
    const uint64_t *r = p->debugreg;

    if (likely(!(r[7] & DR7_ON)))
        return;
    __asm__ __volatile__("mov %0, %%dr0\n\t"
                         "mov %1, %%dr1\n\t"
                         "mov %2, %%dr2\n\t"
                         "mov %3, %%dr3"
                         :
                         : "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3]));
    load_control(r[7]);
}

void pv_unload_debug(const struct pv_vcpu *p)
{
    if (unlikely(p->debugreg[7] & DR7_ON))
        load_control(DR7_NONE);
}

void pv_debug_hit(struct vcpu *v, uint64_t dr6)
{
    v->pv->debugreg[6] |= dr6 & DR6_MASK;
}

/* 4 and 5 are other names of 6 and 7, unless the guest does not want that. */
static unsigned int resolve(const struct pv_vcpu *p, unsigned int reg)
{
    if (reg != 4 && reg != 5)
        return reg;
    return p->cr4 & CR4_DE ? PV_DEBUG_REGS : reg + 2;
}

static int check_control(const struct pv_vcpu *p, uint64_t value)
{
    if (value & DR7_GD)
        return -EPERM;
    for (unsigned int i = 0; value & DR7_ON && i < 4; i++)
        if (DR7_KIND(value, i) == DR7_KIND_IO && !(p->cr4 & CR4_DE))
            return -EPERM;
    return 0;
}

int pv_set_debugreg(struct vcpu *v, unsigned int reg, uint64_t value)
{
    struct pv_vcpu *p = v->pv;
    int rc = 0;

    reg = resolve(p, reg);
    if (reg >= PV_DEBUG_REGS)
        return -ENODEV;
    if (reg < 4) {
        if (!is_guests(value))
            return -EPERM;
    } else {
        if (value >> 32)
            return -EINVAL;
        rc = reg == 7 ? check_control(p, value) : 0;
        value = reg == 7 ? (value & ~DR7_ZERO) | DR7_NONE
                         : (value & ~DR6_ZERO) | DR6_NONE;
    }
    if (rc)
        return rc;
    if (v == current)
        pv_unload_debug(p);
    p->debugreg[reg] = value;
    if (v == current)
        pv_load_debug(p);
    return 0;
}

int pv_get_debugreg(const struct vcpu *v, unsigned int reg, uint64_t *value)
{
    reg = resolve(v->pv, reg);
    if (reg >= PV_DEBUG_REGS)
        return -ENODEV;
    *value = v->pv->debugreg[reg];
    return 0;
}
