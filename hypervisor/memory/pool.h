/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects of the hypervisor: sizes of 32 bytes to 2 KiB by powers of
 * two, carved from frames of the metadata reserve; larger ones are whole
 * frames, a power of two of them.  Memory is zeroed.  The caller remembers
 * the size.  A frame whose last object is freed is free at once.
 */

#pragma once

/* Largest object: 4 MiB, the index of a million small things. */
#define POOL_ORDER_MAX 10U

/* NULL: no memory, or a @size of 0 or beyond the largest. */
void *__must_check pool_alloc(size_t size);

/* @object from pool_alloc(@size); NULL is ignored. */
void pool_free(void *object, size_t size);
