/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that are unlikely to come twice; no secrets are made of them. */

#ifndef DOMAIN_RANDOM_H
#define DOMAIN_RANDOM_H

#include <stdint.h>

/* A random UUID, version 4. */
void random_uuid(uint8_t uuid[16]);

#endif /* DOMAIN_RANDOM_H */
