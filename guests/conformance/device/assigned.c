/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI devices as the initial domain sees them; the machine has a virtio-net. */

#include <string.h>

#include <abi/device.h>
#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/test.h"

#define ONLY_CAIRN                                                             \
    do {                                                                       \
        SKIP_ON_XEN("device_op is Cairn's");                                   \
        NEEDS_INITIAL_DOMAIN;                                                  \
    } while (0)

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_NET    0x1041

#define PCI_COMMAND      0x04
#define PCI_BAR0         0x10
#define PCI_CAPABILITIES 0x34
#define PCI_CAP_MSIX     0x11
#define COMMAND_MEMORY   0x2U
#define COMMAND_MASTER   0x4U

PAGES(pages, 4);

static struct device_find device;

static long find(uint32_t index, struct device_find *found)
{
    struct device_op op = {.cmd = DEVICE_OP_find, .u.find = {.index = index}};
    long rc = hypercall_device_op(&op);

    *found = op.u.find;
    return rc;
}

static bool find_net(void)
{
    for (uint32_t i = 0; find(i, &device) == 0; i++) {
        if (device.vendor == VIRTIO_VENDOR && device.device == VIRTIO_NET)
            return true;
    }
    return false;
}

static long config(uint32_t cmd, uint32_t sbdf, unsigned int offset,
                   unsigned int size, uint32_t *value)
{
    struct device_op op = {.cmd = cmd,
                           .u.config = {.sbdf = sbdf,
                                        .offset = (uint16_t)offset,
                                        .size = (uint16_t)size,
                                        .value = *value}};
    long rc = hypercall_device_op(&op);

    *value = op.u.config.value;
    return rc;
}

static long read_config(unsigned int offset, unsigned int size, uint32_t *value)
{
    *value = 0;
    return config(DEVICE_OP_config_read, device.sbdf, offset, size, value);
}

static long write_config(unsigned int offset, unsigned int size, uint32_t value)
{
    return config(DEVICE_OP_config_write, device.sbdf, offset, size, &value);
}

TEST("a wrong version is -EACCES, an unknown command -ENOSYS")
{
    struct device_op op = {.cmd = DEVICE_OP_find, .version = 77};

    ONLY_CAIRN;
    EXPECT_EQ(hypercall1(HYPERCALL_device_op, hypercall_ptr(&op)), -ABI_EACCES);
    op.cmd = 999;
    EXPECT_EQ(hypercall_device_op(&op), -ABI_ENOSYS);
    op.cmd = 0;
    EXPECT_EQ(hypercall_device_op(&op), -ABI_ENOSYS);
}

TEST("devices are found in order, and end with -ENOENT")
{
    struct device_find a, b;
    uint32_t i = 0;

    ONLY_CAIRN;
    REQUIRE_EQ(find(0, &a), 0);
    while (find(++i, &b) == 0) {
        EXPECT_TRUE(b.sbdf > a.sbdf);
        a = b;
    }
    EXPECT_EQ(find(i, &b), -ABI_ENOENT);
    EXPECT_EQ(find(~0U, &b), -ABI_ENOENT);
    EXPECT_TRUE(find_net());
    EXPECT_EQ(device.class_code >> 8, 0x0200);
}

TEST("configuration space is read in 1, 2 and 4 bytes")
{
    uint32_t whole, half, byte;

    ONLY_CAIRN;
    REQUIRE(find_net());
    EXPECT_EQ(read_config(0, 4, &whole), 0);
    EXPECT_EQ(read_config(2, 2, &half), 0);
    EXPECT_EQ(read_config(3, 1, &byte), 0);
    EXPECT_EQ(whole, VIRTIO_NET << 16 | VIRTIO_VENDOR);
    EXPECT_EQ(half, VIRTIO_NET);
    EXPECT_EQ(byte, VIRTIO_NET >> 8);
}

TEST("accesses that are unaligned, too wide or too far are -EINVAL")
{
    static const struct {
        unsigned int offset, size;
    } bad[] = {{1, 2}, {2, 4},      {0, 3},    {0, 0},
               {0, 8}, {0, 0xffff}, {4096, 4}, {0xfffc, 4}};
    uint32_t value;

    ONLY_CAIRN;
    REQUIRE(find_net());
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        EXPECT_EQ(read_config(bad[i].offset, bad[i].size, &value), -ABI_EINVAL);
        EXPECT_EQ(write_config(bad[i].offset, bad[i].size, 0), -ABI_EINVAL);
    }
}

TEST("a device that is not there is -ENODEV in every operation")
{
    static const uint32_t nothing[] = {0xffff, 0x12345678, ~0U, 0x00f8};

    ONLY_CAIRN;
    for (unsigned int i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
        struct device_op op;
        uint32_t value = 0;

        EXPECT_EQ(config(DEVICE_OP_config_read, nothing[i], 0, 4, &value),
                  -ABI_ENODEV);
        EXPECT_EQ(config(DEVICE_OP_config_write, nothing[i], 4, 2, &value),
                  -ABI_ENODEV);
        op = (struct device_op){.cmd = DEVICE_OP_bar_map,
                                .u.bar_map = {.sbdf = nothing[i]}};
        EXPECT_EQ(hypercall_device_op(&op), -ABI_ENODEV);
        op = (struct device_op){.cmd = DEVICE_OP_irq_bind,
                                .u.irq_bind = {.sbdf = nothing[i]}};
        EXPECT_EQ(hypercall_device_op(&op), -ABI_ENODEV);
        op = (struct device_op){.cmd = DEVICE_OP_reset,
                                .u.reset = {.sbdf = nothing[i]}};
        EXPECT_EQ(hypercall_device_op(&op), -ABI_ENODEV);
    }
}

TEST("a BAR cannot be moved, nor decoding turned off, nor MSI-X touched")
{
    uint32_t bar, at, id;

    ONLY_CAIRN;
    REQUIRE(find_net());
    for (unsigned int i = 0; i < 6; i++) {
        EXPECT_EQ(read_config(PCI_BAR0 + 4 * i, 4, &bar), 0);
        EXPECT_EQ(write_config(PCI_BAR0 + 4 * i, 4, 0xfee00000), -ABI_EACCES);
        EXPECT_EQ(write_config(PCI_BAR0 + 4 * i, 1, 0), -ABI_EACCES);
        EXPECT_EQ(read_config(PCI_BAR0 + 4 * i, 4, &at), 0);
        EXPECT_EQ(at, bar);
    }
    EXPECT_EQ(write_config(PCI_COMMAND, 2, 0), -ABI_EACCES);
    EXPECT_EQ(read_config(PCI_CAPABILITIES, 1, &at), 0);
    for (int i = 0; at != 0 && i < 48; i++) {
        EXPECT_EQ(read_config(at, 1, &id), 0);
        if (id == PCI_CAP_MSIX) {
            EXPECT_EQ(write_config(at + 2, 2, 0x8000), -ABI_EACCES);
            EXPECT_EQ(write_config(at, 4, 0), -ABI_EACCES);
            EXPECT_EQ(write_config(at + 4, 4, 0), -ABI_EACCES);
        }
        EXPECT_EQ(read_config(at + 1, 1, &at), 0);
    }
}

TEST("BARs map into the MMIO window, the same each time, and nowhere else")
{
    struct device_op op;
    uint64_t gfn;
    bool any = false;

    ONLY_CAIRN;
    REQUIRE(find_net());
    for (uint32_t bar = 0; bar < 6; bar++) {
        op = (struct device_op){.cmd = DEVICE_OP_bar_map,
                                .u.bar_map = {.sbdf = device.sbdf, .bar = bar}};
        if (hypercall_device_op(&op) != 0)
            continue;
        any = true;
        gfn = op.u.bar_map.gfn;
        EXPECT_TRUE(gfn >= layout.mmio_gfn);
        EXPECT_TRUE(gfn + op.u.bar_map.bytes / PAGE_SIZE <=
                    layout.mmio_gfn + layout.mmio_pages);
        EXPECT_EQ(hypercall_device_op(&op), 0);
        EXPECT_EQ(op.u.bar_map.gfn, gfn);
    }
    EXPECT_TRUE(any);
    op.u.bar_map.bar = 6;
    EXPECT_EQ(hypercall_device_op(&op), -ABI_EINVAL);
    op.u.bar_map.bar = ~0U;
    EXPECT_EQ(hypercall_device_op(&op), -ABI_EINVAL);
}

static void touch(void *address)
{
    *(volatile uint32_t *)address;
}

TEST("the pages of the MSI-X table cannot be touched")
{
    uint32_t at, id, table = 0;
    struct device_op op;
    uint8_t *base;

    ONLY_CAIRN;
    REQUIRE(find_net());
    EXPECT_EQ(read_config(PCI_CAPABILITIES, 1, &at), 0);
    for (int i = 0; at != 0 && i < 48; i++) {
        read_config(at, 1, &id);
        if (id == PCI_CAP_MSIX)
            break;
        read_config(at + 1, 1, &at);
    }
    REQUIRE(at != 0);
    EXPECT_EQ(read_config(at + 4, 4, &table), 0);
    op = (struct device_op){
        .cmd = DEVICE_OP_bar_map,
        .u.bar_map = {.sbdf = device.sbdf, .bar = table & 7}};
    /* With nothing else in it, the BAR need not be mapped at all. */
    if (hypercall_device_op(&op) != 0)
        return;
    base =
        (uint8_t *)(uintptr_t)(layout.virt_base + op.u.bar_map.gfn * PAGE_SIZE);
    EXPECT_TRUE(fault_probe(touch, base + (table & ~7U)));
}

TEST("interrupts beyond the table are -EINVAL, one entry is bound once")
{
    struct device_op op = {.cmd = DEVICE_OP_irq_bind};

    ONLY_CAIRN;
    REQUIRE(find_net());
    op.u.irq_bind.sbdf = device.sbdf;
    op.u.irq_bind.entry = 4096;
    EXPECT_EQ(hypercall_device_op(&op), -ABI_EINVAL);
    op.u.irq_bind.entry = ~0U;
    EXPECT_EQ(hypercall_device_op(&op), -ABI_EINVAL);
    op.u.irq_bind.entry = 0;
    EXPECT_EQ(hypercall_device_op(&op), 0);
    EXPECT_TRUE(op.u.irq_bind.port != 0);
    EXPECT_EQ(hypercall_device_op(&op), -ABI_EBUSY);
    EXPECT_EQ(
        hypercall_event_channel_op(
            EVTCHNOP_close, &(struct evtchn_close){.port = op.u.irq_bind.port}),
        0);
    EXPECT_EQ(hypercall_device_op(&op), 0);
    EXPECT_EQ(
        hypercall_event_channel_op(
            EVTCHNOP_close, &(struct evtchn_close){.port = op.u.irq_bind.port}),
        0);
}

static long dma(uint32_t cmd, uint64_t gfn, uint32_t count, void *maddr)
{
    struct device_op op = {
        .cmd = cmd,
        .u.dma = {.gfn = gfn, .count = count, .maddr = hypercall_ptr(maddr)}};

    return hypercall_device_op(&op);
}

TEST("dma_map pins RAM, tells machine addresses, and dma_unmap undoes it")
{
    uint64_t maddr[4] = {0};
    struct light_discard discard = {.count = 1};

    ONLY_CAIRN;
    discard.gfn = frame_of(pages);
    EXPECT_EQ(dma(DEVICE_OP_dma_map, frame_of(pages), 4, maddr), 0);
    for (int i = 0; i < 4; i++) {
        EXPECT_TRUE(maddr[i] != 0);
        EXPECT_EQ(maddr[i] % PAGE_SIZE, 0);
        EXPECT_TRUE(i == 0 || maddr[i] != maddr[i - 1]);
    }
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_discard, &discard), -ABI_EACCES);
    EXPECT_EQ(dma(DEVICE_OP_dma_unmap, frame_of(pages), 4, NULL), 0);
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_discard, &discard), 0);
}

TEST("dma_map of what is not RAM, of too much, or of text is refused")
{
    extern const char rt_text_start[];
    static uint64_t maddr[DEVICE_DMA_MAX + 1];

    ONLY_CAIRN;
    EXPECT_TRUE(dma(DEVICE_OP_dma_map, layout.ram_pages, 1, maddr) < 0);
    EXPECT_TRUE(dma(DEVICE_OP_dma_map, layout.ram_pages - 1, 2, maddr) < 0);
    EXPECT_TRUE(dma(DEVICE_OP_dma_map, layout.special_gfn, 1, maddr) < 0);
    EXPECT_TRUE(dma(DEVICE_OP_dma_map, ~0UL, 2, maddr) < 0);
    EXPECT_TRUE(
        dma(DEVICE_OP_dma_map, frame_of(pages), DEVICE_DMA_MAX + 1, maddr) < 0);
    EXPECT_TRUE(dma(DEVICE_OP_dma_map, frame_of(pages), ~0U, maddr) < 0);
    EXPECT_TRUE(dma(DEVICE_OP_dma_map, frame_of(rt_text_start), 1, maddr) < 0);
    EXPECT_EQ(
        dma(DEVICE_OP_dma_map, frame_of(pages), 1, (void *)0x8000000000000000),
        -ABI_EFAULT);
    EXPECT_TRUE(dma(DEVICE_OP_dma_unmap, frame_of(pages), 1, NULL) < 0);
}

TEST("a reset turns bus mastering off, or says that there is no reset")
{
    struct device_op op = {.cmd = DEVICE_OP_reset};
    uint32_t command;
    long rc;

    ONLY_CAIRN;
    REQUIRE(find_net());
    op.u.reset.sbdf = device.sbdf;
    do
        rc = hypercall_device_op(&op);
    while (rc == -ABI_EAGAIN);
    EXPECT_TRUE(rc == 0 || rc == -ABI_ENODEV);
    EXPECT_EQ(read_config(PCI_COMMAND, 2, &command), 0);
    EXPECT_EQ(command & COMMAND_MASTER, 0);
    EXPECT_EQ(command & COMMAND_MEMORY, COMMAND_MEMORY);
    EXPECT_EQ(write_config(PCI_COMMAND, 2, command | COMMAND_MASTER), 0);
}
