/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that devices reach.
 *
 * A pin is a reference to the page's frame, so that it neither moves nor goes;
 * how many of them each page has is counted here, so that the end of the domain
 * can undo them, after its devices are quiet and not before.
 */

#include "device/pci.h"
#include "domain/domain.h"
#include "memory/light.h"

/* As many pins of one page as a ring has descriptors, and to spare. */
#define PINS_MAX 0xffffU

#define PIN_PAGE_BYTES (PIN_PAGE_GFNS * sizeof(uint32_t))

/* One pin of page @g more, or one less. */
static int count_pin(struct device_owner *o, uint64_t g, bool more)
{
    uint32_t **page = &o->pin_page[g / PIN_PAGE_GFNS], *pins;

    SPIN_GUARD(&device_lock);
    if (!*page && more)
        *page = pool_alloc(PIN_PAGE_BYTES);
    if (!*page)
        return more ? -ENOMEM : -EINVAL;
    pins = *page + g % PIN_PAGE_GFNS;
    if (*pins == (more ? PINS_MAX : 0))
        return more ? -EBUSY : -EINVAL;
    *pins += more ? 1U : -1U;
    return 0;
}

static bool is_ram(const struct domain *d, uint64_t g)
{
    return d->devices && g < d->space->layout.ram_pages;
}

int dma_pin(struct domain *d, uint64_t g, uint64_t *maddr)
{
    struct frame *f;
    int rc;

    if (!is_ram(d, g))
        return -EINVAL;
    rc = light_get_frame(d->space, gfn(g), LIGHT_WRITE, false, &f);
    if (rc)
        return rc;

    rc = count_pin(d->devices, g, true);
    if (rc)
        frame_put(f);
    else
        *maddr = mfn_to_maddr(frame_to_mfn(f));
    return rc;
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
    int rc = is_ram(d, g) ? count_pin(d->devices, g, false) : -EINVAL;

    if (rc == 0)
        put_pins(d, g, 1);
    return rc;
}

bool dma_end(struct domain *d)
{
    struct device_owner *o = d->devices;

    for (; o->release_at < o->pin_pages; o->release_at++) {
        uint32_t *page = o->pin_page[o->release_at];

        if (!page)
            continue;
        for (uint64_t i = 0; i < PIN_PAGE_GFNS; i++)
            if (page[i])
                put_pins(d, o->release_at * PIN_PAGE_GFNS + i, page[i]);
        pool_free(page, PIN_PAGE_BYTES);
        o->pin_page[o->release_at] = NULL;
        return false;
    }
    pool_free(o, DEVICE_OWNER_BYTES(o->pin_pages));
    d->devices = NULL;
    return true;
}
