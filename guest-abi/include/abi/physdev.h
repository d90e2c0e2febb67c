/* SPDX-License-Identifier: MIT */
/*
 * physdev_op(cmd, arg): what is left of the machine's ports and interrupts for
 * a domain that has none.  Devices are reached by device_op.
 */

#ifndef ABI_PHYSDEV_H
#define ABI_PHYSDEV_H

#include <stddef.h>
#include <stdint.h>

#define PHYSDEVOP_irq_status_query   5
#define PHYSDEVOP_set_iopl           6
#define PHYSDEVOP_set_iobitmap       7
#define PHYSDEVOP_apic_read          8
#define PHYSDEVOP_apic_write         9
#define PHYSDEVOP_alloc_irq_vector   10
#define PHYSDEVOP_free_irq_vector    11
#define PHYSDEVOP_eoi                12
#define PHYSDEVOP_map_pirq           13
#define PHYSDEVOP_unmap_pirq         14
#define PHYSDEVOP_manage_pci_add     15
#define PHYSDEVOP_manage_pci_remove  16
#define PHYSDEVOP_restore_msi        19
#define PHYSDEVOP_setup_gsi          21
#define PHYSDEVOP_get_free_pirq      23
#define PHYSDEVOP_pci_mmcfg_reserved 24

/* -EINVAL: above 3. */
struct physdev_set_iopl {
    uint32_t iopl; /* IN */
};

#define IOBITMAP_PORTS 65536U
#define IOBITMAP_BYTES (IOBITMAP_PORTS / 8)

/* -EINVAL: too many ports, or a bitmap that is not all there. */
struct physdev_set_iobitmap {
    uint64_t bitmap;   /* IN: IOBITMAP_BYTES, or 0 */
    uint32_t nr_ports; /* IN */
};

/* -EINVAL: no such interrupt, which is every one. */
struct physdev_eoi {
    uint32_t irq; /* IN */
};
struct physdev_irq_status_query {
    uint32_t irq;   /* IN */
    uint32_t flags; /* OUT */
};

_Static_assert(sizeof(struct physdev_set_iobitmap) == 16, "ABI");
_Static_assert(offsetof(struct physdev_set_iobitmap, nr_ports) == 8, "ABI");

#endif /* ABI_PHYSDEV_H */
