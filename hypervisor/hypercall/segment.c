/* SPDX-License-Identifier: BSD-2-Clause */
/* set_segment_base: the bases of FS and GS. */

#include "hypercall/hypercall.h"

long hypercall_set_segment_base(uint64_t a1, uint64_t a2)
{
    struct vcpu *v = current;

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
