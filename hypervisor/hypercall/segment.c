/* SPDX-License-Identifier: BSD-2-Clause */
/* set_segment_base: the bases of FS and GS. */

#include "hypercall/hypercall.h"

/* A program's GS: the inactive one, brought in for the time of loading it. */
static void set_user_gs(uint16_t selector)
{
    swapgs();
    segment_load_gs(selector & ~3 ? selector | 3 : selector);
    swapgs();
}

/* In class pv, where the processor has what is right. */
static long set_base(uint64_t which, uint64_t value)
{
    static const uint32_t msr[] = {
        [SEGBASE_FS] = MSR_FS_BASE,
        [SEGBASE_GS_USER] = MSR_GS_INACTIVE,
        [SEGBASE_GS_KERNEL] = MSR_GS_BASE,
    };

    if (which == SEGBASE_GS_USER_SEL) {
        set_user_gs((uint16_t)value);
        return 0;
    }
    if (which >= ARRAY_SIZE(msr) || !is_canonical(value))
        return -EINVAL;
    wrmsr(msr[index_nospec(which, ARRAY_SIZE(msr))], value);
    return 0;
}

long hypercall_set_segment_base(uint64_t a1, uint64_t a2)
{
    struct vcpu *v = current;

    if (v->pv)
        return set_base(a1, a2);
    if (a1 != SEGBASE_GS_USER_SEL && !is_canonical(a2))
        return -EINVAL;

    switch (a1) {
    case SEGBASE_FS:
        v->fs_base = a2;
        wrmsr(MSR_FS_BASE, a2);
        return 0;
    case SEGBASE_GS_KERNEL:
        v->gs_base = a2;
        wrmsr(MSR_GS_BASE, a2);
        return 0;
    case SEGBASE_GS_USER: /* Both of the user mode that class light lacks; */
    case SEGBASE_GS_USER_SEL: /* a bad selector would be null anyway. */
        return 0;
    default:
        return -EINVAL;
    }
}
