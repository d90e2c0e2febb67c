/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the capabilities that say where a virtio device's registers are.
 *
 * A vendor capability, virtio 1.1 section 4.1.4: id 0, next 1, length 2, type
 * 3, BAR 4, offset 8, bytes 12; the one for notification has its multiplier
 * behind that.
 */

#include "drivers/virtio_pci.h"

#define CAP_LENGTH     2U
#define CAP_TYPE       3U
#define CAP_BAR        4U
#define CAP_OFFSET     8U
#define CAP_BYTES      12U
#define CAP_MULTIPLIER 16U

#define TYPE_COMMON 1U
#define TYPE_NOTIFY 2U
#define TYPE_DEVICE 4U

#define CAP_BYTES_MIN    16U
#define NOTIFY_BYTES_MIN 20U

#define COMMON_BYTES 56U /* up to queue_device_high */

/* Capabilities lie behind the header, four bytes aligned: no more fit. */
#define CAPS_MAX ((PCI_CONFIG_BYTES - 64U) / 4U)

static bool window_read(pci_sbdf_t sbdf, uint8_t at, struct virtio_window *w)
{
    w->bar = pci_read8(sbdf, (uint16_t)(at + CAP_BAR));
    w->offset = pci_read32(sbdf, (uint16_t)(at + CAP_OFFSET));
    w->bytes = pci_read32(sbdf, (uint16_t)(at + CAP_BYTES));
    return w->bar < PCI_BARS && w->bytes <= UINT32_MAX - w->offset;
}

/* False: the capability lies.  Of two of a kind the first one counts. */
static bool capability_read(pci_sbdf_t sbdf, uint8_t at,
                            struct virtio_layout *layout)
{
    uint8_t length = pci_read8(sbdf, (uint16_t)(at + CAP_LENGTH));
    uint8_t type = pci_read8(sbdf, (uint16_t)(at + CAP_TYPE));

    if (at + CAP_BYTES_MIN > PCI_CONFIG_BYTES || length < CAP_BYTES_MIN)
        return false;

    switch (type) {
    case TYPE_COMMON:
        return layout->common.bytes != 0 ||
               window_read(sbdf, at, &layout->common);
    case TYPE_NOTIFY:
        if (layout->notify.bytes != 0)
            return true;
        if (length < NOTIFY_BYTES_MIN ||
            at + NOTIFY_BYTES_MIN > PCI_CONFIG_BYTES)
            return false;
        layout->notify_multiplier =
            pci_read32(sbdf, (uint16_t)(at + CAP_MULTIPLIER));
        return window_read(sbdf, at, &layout->notify);
    case TYPE_DEVICE:
        return layout->device.bytes != 0 ||
               window_read(sbdf, at, &layout->device);
    default: /* Interrupt status and others are not needed. */
        return true;
    }
}

bool virtio_pci_read_layout(pci_sbdf_t sbdf, struct virtio_layout *layout)
{
    uint8_t at;

    *layout = (struct virtio_layout){0};
    if ((pci_read16(sbdf, PCI_STATUS) & PCI_STATUS_CAPS) == 0)
        return false;

    at = pci_read8(sbdf, PCI_CAPABILITIES) & 0xfcU;
    for (unsigned int i = 0; at >= 64 && i < CAPS_MAX; i++) {
        if (pci_read8(sbdf, at) == PCI_CAP_VENDOR &&
            !capability_read(sbdf, at, layout))
            return false;
        at = pci_read8(sbdf, (uint16_t)(at + 1)) & 0xfcU;
    }

    return layout->common.bytes >= COMMON_BYTES &&
           layout->notify.bytes >= sizeof(uint16_t);
}
