/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that nobody outside can foresee. */

#ifndef CONTROL_NET_SECRET_H
#define CONTROL_NET_SECRET_H

#include <stdint.h>

#include "net/siphash.h"

struct siphash_key secret_key(void);
uint64_t secret_random(void);

#endif /* CONTROL_NET_SECRET_H */
