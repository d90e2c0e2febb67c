/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that devices reach.
 *
 * A pin is a reference to the page's frame, so that it neither moves nor goes;
 * how many of them each page has is counted here, so that the end of the domain
 * can undo them, after its devices are quiet and not before.
 */

#include "device/owner.h"
#include "domain/domain.h"
#include "lib/errno.h"
#include "memory/frame.h"
#include "memory/light.h"
#include "memory/pool.h"

/* As many pins of one page as a ring has descriptors, and to spare. */
#define PINS_MAX 0xffffU

#define PIN_PAGE_BYTES (PIN_PAGE_GFNS * sizeof(uint32_t))

static size_t owner_bytes(uint64_t pin_pages)
{
    return sizeof(struct device_owner) + pin_pages * sizeof(uint32_t *);
}

int owner_create(struct domain *d)
{
    uint64_t pin_pages =
        (d->space->layout.ram_pages + PIN_PAGE_GFNS - 1) / PIN_PAGE_GFNS;

    if (d->devices)
        return 0;
    d->devices = pool_alloc(owner_bytes(pin_pages));
    if (!d->devices)
        return -ENOMEM;
    d->devices->pin_pages = pin_pages;
    return 0;
}

void owner_free(struct domain *d)
{
    if (!d->devices)
        return;
    pool_free(d->devices, owner_bytes(d->devices->pin_pages));
    d->devices = NULL;
}

/* Where the pins of @g are counted; NULL: nowhere, or no memory if @make. */
static uint32_t *pins_of(struct device_owner *o, uint64_t g, bool make)
{
    uint32_t **page = &o->pin_page[g / PIN_PAGE_GFNS];

    if (!*page && make)
        *page = pool_alloc(PIN_PAGE_BYTES);
    return *page ? *page + g % PIN_PAGE_GFNS : NULL;
}

static int count_pin(struct domain *d, uint64_t g)
{
    uint32_t *pins = pins_of(d->devices, g, true);

    if (!pins)
        return -ENOMEM;
    if (*pins == PINS_MAX)
        return -EBUSY;
    ++*pins;
    return 0;
}

int dma_pin(struct domain *d, uint64_t g, uint64_t *maddr)
{
    struct frame *f;
    int rc;

    if (!d->devices || g >= d->space->layout.ram_pages)
        return -EINVAL;
    rc = light_get_frame(d->space, gfn(g), LIGHT_WRITE, false, &f);
    if (rc)
        return rc;

    spin_lock(&device_lock);
    rc = count_pin(d, g);
    spin_unlock(&device_lock);
    if (rc) {
        frame_put(f);
        return rc;
    }
    *maddr = mfn_to_maddr(frame_to_mfn(f));
    return 0;
}

/* Of a page that is pinned, so its frame is there: found without a fault. */
static void put_pins(struct domain *d, uint64_t g, uint32_t pins)
{
    struct frame *f;

    if (light_get_frame(d->space, gfn(g), LIGHT_READ, true, &f))
        return;
    for (uint32_t i = 0; i < pins; i++)
        frame_put(f);
    frame_put(f);
}

int dma_unpin(struct domain *d, uint64_t g)
{
    uint32_t *pins;
    int rc = -EINVAL;

    if (!d->devices || g >= d->space->layout.ram_pages)
        return -EINVAL;

    spin_lock(&device_lock);
    pins = pins_of(d->devices, g, false);
    if (pins && *pins) {
        --*pins;
        rc = 0;
    }
    spin_unlock(&device_lock);

    if (rc == 0)
        put_pins(d, g, 1);
    return rc;
}

static void unpin_page(struct domain *d, uint64_t index)
{
    uint32_t *page = d->devices->pin_page[index];

    if (!page)
        return;
    for (uint64_t i = 0; i < PIN_PAGE_GFNS; i++)
        if (page[i])
            put_pins(d, index * PIN_PAGE_GFNS + i, page[i]);
    pool_free(page, PIN_PAGE_BYTES);
    d->devices->pin_page[index] = NULL;
}

/* The domain runs no more: nobody pins meanwhile. */
bool dma_unpin_all(struct domain *d)
{
    struct device_owner *o = d->devices;

    while (o->release_at < o->pin_pages) {
        bool worked = o->pin_page[o->release_at];

        unpin_page(d, o->release_at++);
        if (worked)
            return false;
    }
    return true;
}
