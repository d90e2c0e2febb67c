/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory and string functions, under other names so that the C library's
 * stay what the harness uses.
 */

#include "unit/test.h"

#define memcpy      hv_memcpy
#define memmove     hv_memmove
#define memset      hv_memset
#define memcmp      hv_memcmp
#define strlen      hv_strlen
#define strnlen     hv_strnlen
#define string_copy hv_string_copy

/* lib/string.h again, which was read before the names were changed. */
void *memcpy(void *restrict dst, const void *restrict src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
void string_copy(char *dst, const char *src, size_t size);

#include "lib/string.c"

#define BYTES 64

static unsigned char got[BYTES], want[BYTES];

static void fill(unsigned char *bytes)
{
    for (unsigned int i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)(i * 7 + 1);
}

TEST("memcpy copies every length to and from every alignment")
{
    unsigned char from[BYTES];

    fill(from);
    for (unsigned int at = 0; at < 9; at++)
        for (unsigned int n = 0; n < 40; n++) {
            hv_memset(got, 0xaa, BYTES);
            hv_memset(want, 0xaa, BYTES);
            for (unsigned int i = 0; i < n; i++)
                want[at + i] = from[i + 3];
            EXPECT_PTR(hv_memcpy(got + at, from + 3, n), got + at);
            EXPECT_MEM(got, want, BYTES);
        }
}

TEST("memmove moves up, down and onto itself")
{
    for (unsigned int to = 0; to < 20; to++)
        for (unsigned int n = 0; n < 30; n++) {
            fill(got);
            fill(want);
            for (unsigned int i = 0; i < n; i++)
                want[to + i] = (unsigned char)((10 + i) * 7 + 1);
            EXPECT_PTR(hv_memmove(got + to, got + 10, n), got + to);
            EXPECT_MEM(got, want, BYTES);
        }
}

TEST("memset fills every length and takes the low byte")
{
    for (unsigned int n = 0; n < 40; n++) {
        fill(got);
        fill(want);
        for (unsigned int i = 0; i < n; i++)
            want[5 + i] = 0x9c;
        EXPECT_PTR(hv_memset(got + 5, 0x79c, n), got + 5);
        EXPECT_MEM(got, want, BYTES);
    }
}

TEST("comparisons go by unsigned bytes and stop where they must")
{
    EXPECT_EQ(hv_memcmp("abc", "abd", 2), 0);
    EXPECT_TRUE(hv_memcmp("abc", "abd", 3) < 0);
    EXPECT_TRUE(hv_memcmp("\x80", "\x7f", 1) > 0);
}

TEST("lengths end at the NUL or the bound")
{
    static const char text[] = "hypervisor";

    EXPECT_EQ(hv_strlen(""), 0);
    EXPECT_EQ(hv_strlen(text), 10);
    EXPECT_EQ(hv_strnlen(text, 4), 4);
    EXPECT_EQ(hv_strnlen(text, 40), 10);
}

TEST("string_copy cuts what does not fit and always ends the text")
{
    char text[4] = {'x', 'x', 'x', 'x'};

    hv_string_copy(text, "ab", sizeof(text));
    EXPECT_STR(text, "ab");
    EXPECT_EQ(text[3], 'x');
    hv_string_copy(text, "abc", sizeof(text));
    EXPECT_STR(text, "abc");
    hv_string_copy(text, "abcdef", sizeof(text));
    EXPECT_STR(text, "abc");
    hv_string_copy(text, "zz", 0);
    EXPECT_STR(text, "abc");
}
