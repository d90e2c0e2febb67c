/* SPDX-License-Identifier: MIT */
/*
 * device_op(op): PCI devices that are assigned to the calling domain.
 *
 * Common errors: -EFAULT, -EACCES wrong version, -ENOSYS unknown command;
 * -EPERM, the caller may have no devices; -ENODEV, no such device or not the
 * caller's; -EINVAL, a bad argument.
 */

#ifndef ABI_DEVICE_H
#define ABI_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#define DEVICE_OP_VERSION 1U

#define DEVICE_OP_find         1
#define DEVICE_OP_config_read  2
#define DEVICE_OP_config_write 3
#define DEVICE_OP_bar_map      4
#define DEVICE_OP_irq_bind     5
#define DEVICE_OP_dma_map      6
#define DEVICE_OP_dma_unmap    7
#define DEVICE_OP_reset        8

/* bus << 8 | device << 3 | function, on segment 0. */
typedef uint32_t pci_sbdf_t;

/* The @index-th of the caller's devices, by ascending sbdf; -ENOENT: none. */
struct device_find {
    uint32_t index;      /* IN */
    pci_sbdf_t sbdf;     /* OUT */
    uint16_t vendor;     /* OUT */
    uint16_t device;     /* OUT */
    uint32_t class_code; /* OUT: class << 16 | subclass << 8 | interface */
};

/*
 * Configuration space.  Reads are free; writes that would move a BAR, touch
 * an MSI or MSI-X capability, or turn the function's decoding off are refused
 * (-EACCES).
 */
struct device_config {
    pci_sbdf_t sbdf; /* IN */
    uint16_t offset; /* IN: aligned to size */
    uint16_t size;   /* IN: 1, 2 or 4 bytes */
    uint32_t value;  /* IN for a write, OUT for a read */
};

/*
 * Map a memory BAR, uncached, into the caller's MMIO window.  The pages that
 * hold the MSI-X table or pending bits stay holes.  Mapping it again gives
 * the same gfn.  -ENOSPC: the window is full.
 */
struct device_bar_map {
    pci_sbdf_t sbdf; /* IN */
    uint32_t bar;    /* IN: 0 .. 5 */
    uint64_t gfn;    /* OUT */
    uint64_t bytes;  /* OUT */
};

/*
 * Bind MSI-X table entry @entry to a new event channel port.  Closing the
 * port masks the entry again.  -EBUSY: bound already; -ENOSPC: no free
 * vector or port.
 */
struct device_irq_bind {
    pci_sbdf_t sbdf; /* IN */
    uint32_t entry;  /* IN */
    uint32_t port;   /* OUT */
};

/*
 * Pin RAM pages so that the device may reach them: populated, private, never
 * moved until unmapped as often as mapped.  At most DEVICE_DMA_MAX pages a
 * call; one machine address a page.  The structure is used up on the way: after
 * an error, gfn and count say which pages are left undone.
 */
#define DEVICE_DMA_MAX 512U
struct device_dma {
    uint64_t gfn;   /* IN, used up */
    uint64_t maddr; /* IN, used up: address of uint64_t[count], for dma_map */
    uint32_t count; /* IN, used up */
};

/*
 * As after power-on, but with its BARs and bound interrupts where they were and
 * bus mastering off.  Returns when it is over.  -ENODEV: the function has no
 * reset of its own.
 */
struct device_reset {
    pci_sbdf_t sbdf; /* IN */
};

struct device_op {
    uint32_t cmd;     /* IN: DEVICE_OP_* */
    uint32_t version; /* IN: DEVICE_OP_VERSION */
    union {
        struct device_find find;
        struct device_config config;
        struct device_bar_map bar_map;
        struct device_irq_bind irq_bind;
        struct device_dma dma;
        struct device_reset reset;
        pci_sbdf_t sbdf; /* first in all that are about one function */
        uint8_t size[56];
    } u;
};

_Static_assert(sizeof(struct device_op) == 64, "ABI");

#endif /* ABI_DEVICE_H */
