/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a virtio device's capabilities, honest and hostile ones. */
/* LINK: guests/control/drivers/virtio_pci_layout.c */

#include "drivers/virtio_pci.h"

#include "test.h"

static uint8_t config[256];
static struct virtio_layout layout;

static uint8_t at(uint32_t offset)
{
    return offset < sizeof(config) ? config[offset] : 0xff;
}

uint8_t pci_read8(pci_sbdf_t sbdf, uint16_t offset)
{
    EXPECT_EQ(sbdf, 0x18);
    return at(offset);
}

uint16_t pci_read16(pci_sbdf_t sbdf, uint16_t offset)
{
    EXPECT_EQ(offset % 2, 0);
    return (uint16_t)(pci_read8(sbdf, offset) | at(offset + 1U) << 8);
}

uint32_t pci_read32(pci_sbdf_t sbdf, uint16_t offset)
{
    EXPECT_EQ(offset % 4, 0);
    return pci_read16(sbdf, offset) |
           (uint32_t)pci_read16(sbdf, (uint16_t)(offset + 2)) << 16;
}

static void put32(uint8_t offset, uint32_t value)
{
    memcpy(config + offset, &value, sizeof(value));
}

static void capability(uint8_t offset, uint8_t next, uint8_t type, uint8_t bar,
                       uint32_t start, uint32_t bytes)
{
    config[offset] = PCI_CAP_VENDOR;
    config[offset + 1] = next;
    config[offset + 2] = 20;
    config[offset + 3] = type;
    config[offset + 4] = bar;
    put32((uint8_t)(offset + 8), start);
    put32((uint8_t)(offset + 12), bytes);
}

/* The list of the emulator's virtio-net-pci. */
void setup(void)
{
    memset(config, 0, sizeof(config));
    config[PCI_STATUS] = PCI_STATUS_CAPS;
    config[PCI_CAPABILITIES] = 0x98;
    config[0x98] = 0x11; /* MSI-X */
    config[0x99] = 0x84;
    capability(0x84, 0x70, 5, 0, 0, 0);
    capability(0x70, 0x60, 2, 4, 0x3000, 0x1000);
    put32(0x80, 4);
    config[0x72] = 20;
    capability(0x60, 0x50, 4, 4, 0x2000, 0x1000);
    capability(0x50, 0x40, 3, 4, 0x1000, 0x1000);
    capability(0x40, 0, 1, 4, 0, 0x1000);
}

TEST("all windows are found")
{
    EXPECT_TRUE(virtio_pci_read_layout(0x18, &layout));
    EXPECT_EQ(layout.common.bar, 4);
    EXPECT_EQ(layout.common.offset, 0);
    EXPECT_EQ(layout.common.bytes, 0x1000);
    EXPECT_EQ(layout.notify.offset, 0x3000);
    EXPECT_EQ(layout.device.offset, 0x2000);
}

TEST("a device without capabilities, or without a window, is refused")
{
    config[PCI_STATUS] = 0;
    EXPECT_FALSE(virtio_pci_read_layout(0x18, &layout));
    setup();
    config[0x43] = 9;
    EXPECT_FALSE(virtio_pci_read_layout(0x18, &layout));
    setup();
    config[0x73] = 9;
    EXPECT_FALSE(virtio_pci_read_layout(0x18, &layout));
    setup();
    config[0x63] = 9; /* device registers are not needed by every kind */
    EXPECT_TRUE(virtio_pci_read_layout(0x18, &layout));
}

TEST("a list that runs in a circle ends")
{
    config[0x41] = 0x98;
    EXPECT_TRUE(virtio_pci_read_layout(0x18, &layout));
    config[0x99] = 0x98;
    EXPECT_FALSE(virtio_pci_read_layout(0x18, &layout));
}

TEST("windows that lie are refused")
{
    config[0x44] = 6; /* no such BAR */
    EXPECT_FALSE(virtio_pci_read_layout(0x18, &layout));
    setup();
    put32(0x48, 0xfffff000);
    put32(0x4c, 0x2000);
    EXPECT_FALSE(virtio_pci_read_layout(0x18, &layout));
    setup();
    put32(0x4c, 55); /* too small */
    EXPECT_FALSE(virtio_pci_read_layout(0x18, &layout));
    setup();
    config[0x42] = 15;
    EXPECT_FALSE(virtio_pci_read_layout(0x18, &layout));
    setup();
    config[0x72] = 16; /* no room for the multiplier */
    EXPECT_FALSE(virtio_pci_read_layout(0x18, &layout));
}

TEST("a capability across the end of the space is refused")
{
    config[0x41] = 0xf4;
    capability(0xe0, 0, 1, 4, 0, 0x1000);
    config[0xf4] = PCI_CAP_VENDOR;
    config[0xf6] = 20;
    EXPECT_FALSE(virtio_pci_read_layout(0x18, &layout));
}

TEST("random spaces do no harm")
{
    uint32_t seed = 3;

    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof(config); i++) {
            seed = seed * 1664525 + 1013904223;
            config[i] = (uint8_t)(seed >> 24);
            if (seed >> 20 & 1)
                config[i] &= 0x0d;
        }
        config[PCI_STATUS] |= PCI_STATUS_CAPS;
        virtio_pci_read_layout(0x18, &layout);
    }
}
