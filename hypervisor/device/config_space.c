/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration space by ports 0xcf8 and 0xcfc, the way every PC has.  The
 * address register is one for the whole machine, hence the lock.
 */

#include "device/pci.h"

#include "arch/x86_64/cpu.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc

#define ADDRESS_ENABLE     0x80000000U
#define ADDRESS_SBDF_SHIFT 8

/* A chain of capabilities can be no longer, unless it is a ring. */
#define CAPABILITIES_MAX ((PCI_CONFIG_BYTES - PCI_FIRST_CAPABILITY) / 4)

static uint16_t select(pci_sbdf_t sbdf, uint32_t offset)
{
    port_write32(PORT_ADDRESS, ADDRESS_ENABLE | sbdf << ADDRESS_SBDF_SHIFT |
                                   (offset & 0xfcU));
    return (uint16_t)(PORT_DATA + (offset & 3U));
}

uint32_t config_read(pci_sbdf_t sbdf, uint32_t offset, uint32_t size)
{
    uint32_t dword = port_read32(select(sbdf, offset & ~3U));

    return dword >> offset % 4 * 8 & ~0U >> (32 - size * 8);
}

void config_write(pci_sbdf_t sbdf, uint32_t offset, uint32_t size,
                  uint32_t value)
{
    uint16_t port = select(sbdf, offset);

    if (size == 1)
        port_write8(port, (uint8_t)value);
    else if (size == 2)
        port_write16(port, (uint16_t)value);
    else
        port_write32(port, value);
}

uint8_t config_find_capability(pci_sbdf_t sbdf, uint8_t id)
{
    uint32_t at;

    if (!(config_read(sbdf, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES))
        return 0;
    at = config_read(sbdf, PCI_CAPABILITIES, 1) & 0xfcU;
    for (unsigned int i = 0; at && i < CAPABILITIES_MAX; i++) {
        uint32_t head = config_read(sbdf, at, 2);

        if ((head & 0xffU) == id)
            return (uint8_t)at;
        at = head >> 8 & 0xfcU;
    }
    return 0;
}
