/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and string functions, with their standard meanings. */

#pragma once

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);

/* Copy as much as fits in @size bytes, always NUL-terminated. */
void string_copy(char *dst, const char *src, size_t size);
