/* SPDX-License-Identifier: BSD-2-Clause */
/* Calling device_op. */

#include "drivers/pci.h"

#include <stdbool.h>

#include <abi/errno.h>
#include <rt/hypercall.h>
#include <rt/start.h>

static bool is_one_of(uint16_t id, const uint16_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

int pci_find(uint16_t vendor, const uint16_t *ids, size_t id_count,
             pci_sbdf_t *sbdf)
{
    for (uint32_t index = 0;; index++) {
        struct device_op op = {.cmd = DEVICE_OP_find, .u.find.index = index};
        long rc = hypercall_device_op(&op);

        if (rc != 0)
            return (int)rc;
        if (op.u.find.vendor == vendor &&
            is_one_of(op.u.find.device, ids, id_count)) {
            *sbdf = op.u.find.sbdf;
            return 0;
        }
    }
}

static uint32_t config_read(pci_sbdf_t sbdf, uint16_t offset, uint16_t size)
{
    struct device_op op = {
        .cmd = DEVICE_OP_config_read,
        .u.config = {.sbdf = sbdf, .offset = offset, .size = size},
    };

    if (hypercall_device_op(&op) != 0)
        return UINT32_MAX;
    return op.u.config.value;
}

uint8_t pci_read8(pci_sbdf_t sbdf, uint16_t offset)
{
    return (uint8_t)config_read(sbdf, offset, 1);
}

uint16_t pci_read16(pci_sbdf_t sbdf, uint16_t offset)
{
    return (uint16_t)config_read(sbdf, offset, 2);
}

uint32_t pci_read32(pci_sbdf_t sbdf, uint16_t offset)
{
    return config_read(sbdf, offset, 4);
}

int pci_write16(pci_sbdf_t sbdf, uint16_t offset, uint16_t value)
{
    struct device_op op = {
        .cmd = DEVICE_OP_config_write,
        .u.config = {.sbdf = sbdf, .offset = offset, .size = 2, .value = value},
    };

    return (int)hypercall_device_op(&op);
}

int pci_bar_map(pci_sbdf_t sbdf, uint32_t bar, volatile uint8_t **va,
                uint64_t *bytes)
{
    struct device_op op = {
        .cmd = DEVICE_OP_bar_map,
        .u.bar_map = {.sbdf = sbdf, .bar = bar},
    };
    long rc = hypercall_device_op(&op);

    if (rc != 0)
        return (int)rc;
    *va = rt_gfn_va(op.u.bar_map.gfn);
    *bytes = op.u.bar_map.bytes;
    return 0;
}

int pci_irq_bind(pci_sbdf_t sbdf, uint32_t entry, evtchn_port_t *port)
{
    struct device_op op = {
        .cmd = DEVICE_OP_irq_bind,
        .u.irq_bind = {.sbdf = sbdf, .entry = entry},
    };
    long rc = hypercall_device_op(&op);

    if (rc != 0)
        return (int)rc;
    *port = op.u.irq_bind.port;
    return 0;
}

int pci_reset(pci_sbdf_t sbdf)
{
    struct device_op op = {.cmd = DEVICE_OP_reset, .u.reset.sbdf = sbdf};

    return (int)hypercall_device_op(&op);
}

int dma_map(const void *va, uint32_t count, uint64_t *maddr)
{
    uint64_t gfn = rt_va_gfn(va);

    while (count > 0) {
        uint32_t part = count < DEVICE_DMA_MAX ? count : DEVICE_DMA_MAX;
        struct device_op op = {
            .cmd = DEVICE_OP_dma_map,
            .u.dma = {.gfn = gfn, .maddr = hypercall_ptr(maddr), .count = part},
        };
        long rc = hypercall_device_op(&op);

        /* Pages that were pinned before stay so; the caller gives up. */
        if (rc != 0)
            return (int)rc;
        gfn += part;
        maddr += part;
        count -= part;
    }
    return 0;
}
