/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers on the control domain's command line. */

#include "options.h"

#include <stdio.h>
#include <stdlib.h>

#include <rt/start.h>

uint32_t option_number(const char *name, uint32_t otherwise, uint32_t max)
{
    const char *text = rt_option(name);
    unsigned long n;
    char *end;

    if (!text)
        return otherwise;
    n = strtoul(text, &end, 10);
    if (*text && !*end && n <= max)
        return (uint32_t)n;
    printf("cairn: option %s=%s is not a number up to %u, %u is taken\n", name,
           text, (unsigned int)max, (unsigned int)otherwise);

    return otherwise;
}
