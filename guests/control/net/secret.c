/* SPDX-License-Identifier: BSD-2-Clause */
/* From the runtime's generator, which is also lwIP's. */

#include "net/secret.h"

#include <lwip/arch.h>

uint64_t secret_random(void)
{
    uint64_t high = LWIP_RAND();

    return high << 32 | LWIP_RAND();
}

struct siphash_key secret_key(void)
{
    return (struct siphash_key){.k0 = secret_random(), .k1 = secret_random()};
}
