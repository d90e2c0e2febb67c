/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's side of a guest's console ring. */

#include "console/console_ring.h"

#include <stdint.h>
#include <string.h>

static uint32_t load(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

size_t console_ring_take(struct xencons_interface *page,
                         char out[XENCONS_OUT_BYTES])
{
    uint32_t cons = load(&page->out_cons), prod = load(&page->out_prod);
    uint32_t size = prod - cons, at = cons % XENCONS_OUT_BYTES, run;

    if (size > XENCONS_OUT_BYTES)
        return 0;
    run = XENCONS_OUT_BYTES - at < size ? XENCONS_OUT_BYTES - at : size;
    memcpy(out, page->out + at, run);
    memcpy(out + run, page->out, size - run);
    __atomic_store_n(&page->out_cons, prod, __ATOMIC_RELEASE);

    return size;
}

size_t console_ring_type(struct xencons_interface *page, const char *text,
                         size_t size)
{
    uint32_t cons = load(&page->in_cons), prod = load(&page->in_prod);
    uint32_t filled = prod - cons, at = prod % XENCONS_IN_BYTES, run;

    if (filled > XENCONS_IN_BYTES)
        return 0;
    if (size > XENCONS_IN_BYTES - filled)
        size = XENCONS_IN_BYTES - filled;
    run = XENCONS_IN_BYTES - at;
    if (run > size)
        run = (uint32_t)size;
    memcpy(page->in + at, text, run);
    memcpy(page->in, text + run, size - run);
    __atomic_store_n(&page->in_prod, prod + (uint32_t)size, __ATOMIC_RELEASE);

    return size;
}
