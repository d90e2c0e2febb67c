/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and string functions.  Bulk goes by string instructions, which need
 * no vector registers: those belong to the guest.
 */

#include "lib/string.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t size)
{
    void *to = dst;
    size_t words = size / 8;

    size %= 8;
    __asm__ __volatile__("rep movsq\n\t"
                         "mov %3, %2\n\t"
                         "rep movsb"
                         : "+D"(to), "+S"(src), "+c"(words)
                         : "r"(size)
                         : "memory");
    return dst;
}

void *memmove(void *dst, const void *src, size_t size)
{
    unsigned char *to = dst;
    const unsigned char *from = src;

    /* Forward never writes what it has yet to read, also if @to < @from. */
    if ((uintptr_t)to - (uintptr_t)from >= size)
        return memcpy(dst, src, size);
    while (size--)
        to[size] = from[size];
    return dst;
}

void *memset(void *dst, int byte, size_t size)
{
    void *to = dst;
    size_t words = size / 8;

    size %= 8;
    __asm__ __volatile__("rep stosq\n\t"
                         "mov %2, %1\n\t"
                         "rep stosb"
                         : "+D"(to), "+c"(words)
                         : "r"(size), "a"(0x0101010101010101UL * (uint8_t)byte)
                         : "memory");
    return dst;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a, *y = b;

    for (; size; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s)
{
    return strnlen(s, SIZE_MAX);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n])
        n++;
    return n;
}

void string_copy(char *dst, const char *src, size_t size)
{
    size_t n;

    if (!size)
        return;
    n = strnlen(src, size - 1);
    memcpy(dst, src, n);
    dst[n] = '\0';
}
