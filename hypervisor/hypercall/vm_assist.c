/* SPDX-License-Identifier: BSD-2-Clause */
/* vm_assist: services that a domain turns on for itself. */

#include <abi/assist.h>

#include "hypercall/hypercall.h"

/*
 * Kernels ask for those about page tables without need; IOPL in frames
 * (Xen's 4) is missing, as class light has none to show.
 */
#define KNOWN_TYPES                                                            \
    (1UL << VMASST_TYPE_4gb_segments |                                         \
     1UL << VMASST_TYPE_4gb_segments_notify |                                  \
     1UL << VMASST_TYPE_writable_pagetables |                                  \
     1UL << VMASST_TYPE_pae_extended_cr3 |                                     \
     1UL << VMASST_TYPE_runstate_update_flag | 1UL << VMASST_TYPE_m2p_strict)

long hypercall_vm_assist(uint64_t a1, uint64_t a2)
{
    if (a2 >= 64 || !(KNOWN_TYPES >> a2 & 1))
        return -EINVAL;
    if (a1 > VMASST_CMD_disable)
        return -ENOSYS;
    if (a2 == VMASST_TYPE_runstate_update_flag)
        atomic_write(&current->domain->runstate_update,
                     a1 == VMASST_CMD_enable);
    return 0;
}
