/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physdev_op: what kernels ask for at their start though they have no device.
 *
 * No domain reaches a port, whatever its I/O privilege level or bitmap says; in
 * class pv they choose between a fault and reading all ones.
 */

#include <abi/physdev.h>

#include "domain/pv_vcpu.h"
#include "hypercall/subop.h"

/* Interrupt controllers, vectors and PCI: for the owner of the machine. */
#define MACHINE_CMDS                                                           \
    (1U << PHYSDEVOP_apic_read | 1U << PHYSDEVOP_apic_write |                  \
     1U << PHYSDEVOP_alloc_irq_vector | 1U << PHYSDEVOP_free_irq_vector |      \
     1U << PHYSDEVOP_map_pirq | 1U << PHYSDEVOP_unmap_pirq |                   \
     1U << PHYSDEVOP_manage_pci_add | 1U << PHYSDEVOP_manage_pci_remove |      \
     1U << PHYSDEVOP_restore_msi | 1U << PHYSDEVOP_setup_gsi |                 \
     1U << PHYSDEVOP_get_free_pirq | 1U << PHYSDEVOP_pci_mmcfg_reserved)

static long set_iopl(struct vcpu *v, uint32_t iopl)
{
    if (iopl > 3)
        return -EINVAL;
    if (v->pv)
        pv_set_iopl(v, (uint8_t)iopl);
    return 0;
}

static long set_iobitmap(struct vcpu *v, const struct physdev_set_iobitmap *op)
{
    if (op->nr_ports > IOBITMAP_PORTS ||
        !guest_range(op->bitmap, IOBITMAP_BYTES))
        return -EINVAL;
    if (v->pv) {
        v->pv->io_bitmap = op->bitmap;
        v->pv->io_bitmap_ports = op->bitmap ? op->nr_ports : 0;
    }
    return 0;
}

/* There is no interrupt to ask about or to end. */
#define PHYSDEV_SUBOPS(OP)                                                     \
    OP(PHYSDEVOP_irq_status_query, physdev_irq_status_query, false, -EINVAL)   \
    OP(PHYSDEVOP_set_iopl, physdev_set_iopl, false, set_iopl(v, op->iopl))     \
    OP(PHYSDEVOP_set_iobitmap, physdev_set_iobitmap, false,                    \
       set_iobitmap(v, op))                                                    \
    OP(PHYSDEVOP_eoi, physdev_eoi, false, -EINVAL)
SUBOPS(PHYSDEV_SUBOPS)

long hypercall_physdev_op(uint64_t a1, uint64_t a2)
{
    if (a1 < 32 && MACHINE_CMDS >> a1 & 1)
        return -EPERM;
    return call_subop(current, a1, guest_ptr(a2));
}
