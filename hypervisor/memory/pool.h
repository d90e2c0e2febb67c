/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects of the hypervisor: sizes of 32 bytes to 2 KiB by powers of
 * two, carved from frames of the metadata reserve; larger ones are whole
 * frames.  Memory is zeroed.  The caller remembers the size.
 */

#ifndef MEMORY_POOL_H
#define MEMORY_POOL_H

#include <stddef.h>

#include "lib/compiler.h"

void *__must_check pool_alloc(size_t size);

/* @object from pool_alloc(@size); NULL is ignored. */
void pool_free(void *object, size_t size);

#endif /* MEMORY_POOL_H */
