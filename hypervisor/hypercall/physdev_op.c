/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physdev_op: what kernels ask for at their start though they have no device.
 *
 * Class light reaches no port, whatever its I/O privilege level or bitmap says:
 * both are checked and change nothing.
 */

#include <abi/physdev.h>

#include "hypercall/subop.h"

/* Interrupt controllers, vectors and PCI: for the owner of the machine. */
#define MACHINE_CMDS                                                           \
    (1U << PHYSDEVOP_apic_read | 1U << PHYSDEVOP_apic_write |                  \
     1U << PHYSDEVOP_alloc_irq_vector | 1U << PHYSDEVOP_free_irq_vector |      \
     1U << PHYSDEVOP_map_pirq | 1U << PHYSDEVOP_unmap_pirq |                   \
     1U << PHYSDEVOP_manage_pci_add | 1U << PHYSDEVOP_manage_pci_remove |      \
     1U << PHYSDEVOP_restore_msi | 1U << PHYSDEVOP_setup_gsi |                 \
     1U << PHYSDEVOP_get_free_pirq | 1U << PHYSDEVOP_pci_mmcfg_reserved)

static long check_iobitmap(const struct physdev_set_iobitmap *op)
{
    return op->nr_ports > IOBITMAP_PORTS ||
                   op->bitmap > GUEST_LOWER_END - IOBITMAP_BYTES
               ? -EINVAL
               : 0;
}

/* There is no interrupt to ask about or to end. */
#define PHYSDEV_SUBOPS(OP)                                                     \
    OP(PHYSDEVOP_irq_status_query, physdev_irq_status_query, false, -EINVAL)   \
    OP(PHYSDEVOP_set_iopl, physdev_set_iopl, false,                            \
       op->iopl > 3 ? -EINVAL : 0)                                             \
    OP(PHYSDEVOP_set_iobitmap, physdev_set_iobitmap, false,                    \
       check_iobitmap(op))                                                     \
    OP(PHYSDEVOP_eoi, physdev_eoi, false, -EINVAL)
SUBOPS(PHYSDEV_SUBOPS)

long hypercall_physdev_op(uint64_t a1, uint64_t a2)
{
    if (a1 < 32 && MACHINE_CMDS >> a1 & 1)
        return -EPERM;
    return call_subop(current, a1, guest_ptr(a2));
}
