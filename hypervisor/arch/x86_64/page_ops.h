/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clearing and copying memory of the hypervisor's own windows by string
 * instructions: eight bytes a step, no vector registers.
 */

#pragma once

/* Fill @count pages at @page with zeros. */
static inline void pages_clear(void *page, size_t count)
{
    size_t words = count * (PAGE_SIZE / sizeof(uint64_t));

    __asm__ __volatile__("rep stosq"
                         : "+D"(page), "+c"(words)
                         : "a"(0)
                         : "memory");
}

/* Like memcpy, for sizes that the compiler does not know. */
static inline void bytes_copy(void *dst, const void *src, size_t size)
{
    size_t words = size / sizeof(uint64_t);
    size_t rest = size % sizeof(uint64_t);

    __asm__ __volatile__("rep movsq"
                         : "+D"(dst), "+S"(src), "+c"(words)
                         :
                         : "memory");
    if (rest)
        __asm__ __volatile__("rep movsb"
                             : "+D"(dst), "+S"(src), "+c"(rest)
                             :
                             : "memory");
}
