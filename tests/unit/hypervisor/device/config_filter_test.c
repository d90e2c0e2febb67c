/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the owner of a function may write in its configuration space, tried on
 * every byte, word and dword of a space in memory.
 */

/* LINK: hypervisor/device/config_filter.c */

#include "unit/test.h"

#include "device/pci.h"

static uint8_t space[PCI_CONFIG_BYTES];
static unsigned int writes;

static struct pci_device dev = {.sbdf = 0x18};

uint32_t config_read(pci_sbdf_t sbdf, uint32_t offset, uint32_t size)
{
    uint32_t value = 0;

    EXPECT_EQ(sbdf, 0x18);
    REQUIRE(offset + size <= sizeof(space));
    memcpy(&value, space + offset, size);
    return value;
}

void config_write(pci_sbdf_t sbdf, uint32_t offset, uint32_t size,
                  uint32_t value)
{
    EXPECT_EQ(sbdf, 0x18);
    REQUIRE(offset + size <= sizeof(space));
    memcpy(space + offset, &value, size);
    writes++;
}

void setup(void)
{
    for (unsigned int i = 0; i < sizeof(space); i++)
        space[i] = (uint8_t)(i * 7 + 1);
    space[PCI_COMMAND] = PCI_COMMAND_MEMORY;
    space[PCI_COMMAND + 1] = 0;
    dev.reset_until = 0;
    writes = 0;
}

static int put(uint32_t offset, uint32_t size, uint32_t value)
{
    struct device_config op = {.sbdf = 0x18,
                               .offset = (uint16_t)offset,
                               .size = (uint16_t)size,
                               .value = value};

    return config_owner_write(&dev, &op);
}

static int get(uint32_t offset, uint32_t size, uint32_t *value)
{
    struct device_config op = {
        .sbdf = 0x18, .offset = (uint16_t)offset, .size = (uint16_t)size};
    int rc = config_owner_read(&dev, &op);

    *value = op.value;
    return rc;
}

/* The whole list of what is not refused. */
static bool is_open(uint32_t offset, uint32_t size)
{
    if (size == 2)
        return offset == 0x04 || offset == 0x06;
    return size == 1 && (offset == 0x0c || offset == 0x0d || offset == 0x3c);
}

TEST("every write but the few that are open is -EACCES and changes nothing")
{
    for (uint32_t size = 1; size <= 4; size *= 2) {
        for (uint32_t at = 0; at < PCI_CONFIG_BYTES; at += size) {
            if (is_open(at, size))
                continue;
            EXPECT_EQ(put(at, size, 0xffffffff), -EACCES);
            EXPECT_EQ(put(at, size, 0), -EACCES);
        }
    }
    EXPECT_EQ(writes, 0);
}

TEST("everything can be read, by bytes, words and dwords")
{
    uint32_t value, want;

    for (uint32_t size = 1; size <= 4; size *= 2) {
        for (uint32_t at = 0; at < PCI_CONFIG_BYTES; at += size) {
            want = 0;
            memcpy(&want, space + at, size);
            EXPECT_EQ(get(at, size, &value), 0);
            EXPECT_EQ(value, want);
        }
    }
}

TEST("sizes, alignment and the end of the space are checked")
{
    uint32_t value;

    EXPECT_EQ(get(0, 0, &value), -EINVAL);
    EXPECT_EQ(get(0, 3, &value), -EINVAL);
    EXPECT_EQ(get(0, 8, &value), -EINVAL);
    EXPECT_EQ(get(1, 2, &value), -EINVAL);
    EXPECT_EQ(get(2, 4, &value), -EINVAL);
    EXPECT_EQ(get(PCI_CONFIG_BYTES, 4, &value), -EINVAL);
    EXPECT_EQ(get(0xfffc, 4, &value), -EINVAL);
    EXPECT_EQ(put(PCI_CONFIG_BYTES, 4, 0), -EINVAL);
    EXPECT_EQ(put(0x05, 2, 0), -EINVAL);
}

TEST("bus mastering can be switched on and off")
{
    EXPECT_EQ(put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER), 0);
    EXPECT_EQ(space[PCI_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    EXPECT_EQ(
        put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE), 0);
    EXPECT_EQ(space[PCI_COMMAND], PCI_COMMAND_MEMORY);
    EXPECT_EQ(space[PCI_COMMAND + 1], PCI_COMMAND_INTX_DISABLE >> 8);
}

TEST("decoding can be neither switched off nor on")
{
    EXPECT_EQ(put(PCI_COMMAND, 2, 0), -EACCES);
    EXPECT_EQ(put(PCI_COMMAND, 2, PCI_COMMAND_MASTER), -EACCES);
    EXPECT_EQ(put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO),
              -EACCES);
    space[PCI_COMMAND] = 0;
    EXPECT_EQ(put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY), -EACCES);
    EXPECT_EQ(put(PCI_COMMAND, 2, 0), 0);
}

TEST("nothing is written while the function is being reset")
{
    dev.reset_until = 1;
    EXPECT_EQ(put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER),
              -EBUSY);
    EXPECT_EQ(put(PCI_INTERRUPT_LINE, 1, 5), -EBUSY);
    EXPECT_EQ(writes, 0);
}
