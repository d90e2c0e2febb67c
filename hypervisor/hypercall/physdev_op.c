/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physdev_op: what kernels ask for at their start though they have no device.
 *
 * Class light reaches no port, whatever its I/O privilege level or bitmap says:
 * both are checked and change nothing.
 */

#include <abi/physdev.h>

#include "hypercall/subop.h"

union physdev_op {
    struct physdev_set_iopl set_iopl;
    struct physdev_set_iobitmap set_iobitmap;
};

static const struct subop subops[] = {
    [PHYSDEVOP_irq_status_query] = SUBOP(struct physdev_irq_status_query),
    [PHYSDEVOP_set_iopl] = SUBOP(struct physdev_set_iopl),
    [PHYSDEVOP_set_iobitmap] = SUBOP(struct physdev_set_iobitmap),
    [PHYSDEVOP_eoi] = SUBOP(struct physdev_eoi),
};

/* Interrupt controllers, vectors and PCI: for the owner of the machine. */
#define MACHINE_CMDS                                                           \
    (1U << PHYSDEVOP_apic_read | 1U << PHYSDEVOP_apic_write |                  \
     1U << PHYSDEVOP_alloc_irq_vector | 1U << PHYSDEVOP_free_irq_vector |      \
     1U << PHYSDEVOP_map_pirq | 1U << PHYSDEVOP_unmap_pirq |                   \
     1U << PHYSDEVOP_manage_pci_add | 1U << PHYSDEVOP_manage_pci_remove |      \
     1U << PHYSDEVOP_restore_msi | 1U << PHYSDEVOP_setup_gsi |                 \
     1U << PHYSDEVOP_get_free_pirq | 1U << PHYSDEVOP_pci_mmcfg_reserved)

static bool is_canonical_range(uint64_t va, uint64_t size)
{
    return va <= GUEST_LOWER_END - size;
}

static long make(struct domain *d, uint64_t cmd, void *arg)
{
    const union physdev_op *op = arg;

    (void)d;
    switch (cmd) {
    case PHYSDEVOP_set_iopl:
        return op->set_iopl.iopl > 3 ? -EINVAL : 0;
    case PHYSDEVOP_set_iobitmap:
        if (op->set_iobitmap.nr_ports > IOBITMAP_PORTS ||
            !is_canonical_range(op->set_iobitmap.bitmap, IOBITMAP_BYTES))
            return -EINVAL;
        return 0;
    default:
        return -EINVAL; /* There is no interrupt. */
    }
}

long hypercall_physdev_op(uint64_t a1, uint64_t a2)
{
    union physdev_op op;

    if (a1 < 32 && MACHINE_CMDS >> a1 & 1)
        return -EPERM;
    return subop_call(subops, ARRAY_SIZE(subops), a1, guest_ptr(a2), &op, make);
}
