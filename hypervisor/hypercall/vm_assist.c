/* SPDX-License-Identifier: BSD-2-Clause */
/* vm_assist: services that a domain turns on for itself. */

#include <abi/assist.h>

#include "domain/pv_vcpu.h"
#include "hypercall/hypercall.h"

/*
 * Kernels of class light ask for those about page tables without need; it has
 * no IOPL to show in frames.
 */
#define KNOWN_TYPES                                                            \
    (1UL << VMASST_TYPE_4gb_segments |                                         \
     1UL << VMASST_TYPE_4gb_segments_notify |                                  \
     1UL << VMASST_TYPE_writable_pagetables |                                  \
     1UL << VMASST_TYPE_pae_extended_cr3 |                                     \
     1UL << VMASST_TYPE_runstate_update_flag | 1UL << VMASST_TYPE_m2p_strict)

long hypercall_vm_assist(uint64_t a1, uint64_t a2)
{
    struct domain *d = current->domain;
    uint64_t known = KNOWN_TYPES;

    if (d->pv)
        known |= 1UL << VMASST_TYPE_architectural_iopl;
    if (a2 >= 64 || !(known >> a2 & 1))
        return -EINVAL;
    if (a1 > VMASST_CMD_disable)
        return -ENOSYS;
    if (a1 == VMASST_CMD_enable)
        (void)atomic_or(&d->assists, 1UL << a2);
    else
        (void)atomic_and(&d->assists, ~(1UL << a2));
    if (d->pv && a2 == VMASST_TYPE_architectural_iopl)
        for (uint32_t i = 0; i < d->vcpu_count; i++)
            pv_set_iopl(d->vcpu[i], d->vcpu[i]->pv->iopl);
    return 0;
}
