/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that comes when it is touched: class light, so on Cairn only. */

#include "micro/measure.h"

#include <abi/light.h>

#include <rt/hypercall.h>

#include "framework/machine.h"

PAGES(fresh, 1);

static struct light_discard discarding;

OPERATION(discard)
{
    return hypercall_light_op(LIGHT_OP_discard, &discarding);
}

OPERATION(touch)
{
    *(volatile uint8_t *)fresh = 1;
    return 0;
}

static void empty(void)
{
    discard();
}

static void fill(void)
{
    touch();
}

void measure_memory(void)
{
    static const struct operation populate = {"page_populate", touch, empty,
                                              NULL};
    static const struct operation give_back = {"page_discard", discard, fill,
                                               NULL};

    if (!on_cairn)
        return;
    discarding.gfn = frame_of(fresh);
    discarding.count = 1;
    measure(&populate);
    measure(&give_back);
}
