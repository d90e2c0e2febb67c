/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatting, compared with the C library's wherever both know the form. */

#include <sys/types.h>

#include "unit/test.h"

#include "lib/string.h"

/* What we pass on purpose. */
#pragma GCC diagnostic ignored "-Wformat-overflow"

#define vsnprintf hv_vsnprintf
#define snprintf  hv_snprintf
#include "lib/format.c"
#undef vsnprintf
#undef snprintf

#define EXPECT_SAME(...)                                                       \
    do {                                                                       \
        char ours[200], theirs[200];                                           \
        int length = hv_snprintf(ours, sizeof(ours), __VA_ARGS__);             \
        EXPECT_EQ(length, snprintf(theirs, sizeof(theirs), __VA_ARGS__));      \
        EXPECT_STR(ours, theirs);                                              \
    } while (0)

TEST("integers of every size and sign")
{
    EXPECT_SAME("%d %d %u", 0, -1, 4000000000U);
    EXPECT_SAME("%d %d", INT32_MIN, INT32_MAX);
    EXPECT_SAME("%ld %lu", INT64_MIN, UINT64_MAX);
    EXPECT_SAME("%lld %llu", (long long)INT64_MIN, ~0ULL);
    EXPECT_SAME("%zu %zx %zd", (size_t)77, (size_t)0xabc, (ssize_t)-5);
    EXPECT_SAME("%x %lx", 0xdeadbeef, 0x123456789abcdefUL);
}

TEST("width, precision and flags")
{
    EXPECT_SAME("[%5d] [%5d] [%05d] [%1d]", 42, -42, -42, 42);
    EXPECT_SAME("[%4x] [%04x] [%02x]", 0x1f, 0x1f, 0x12345);
    EXPECT_SAME("[%#x] [%#018lx] [%#x]", 255, 0xffff820000000000UL, 0);
    EXPECT_SAME("[%10s] [%2s] [%.*s] [%.*s]", "abc", "abc", 1, "abc", -1,
                "abc");
    EXPECT_SAME("[%5.*s] [%c] [%%]", 2, "abc", 'x');
}

TEST("a pointer, and no text where one was promised")
{
    char text[40];
    const char *volatile none = NULL;

    hv_snprintf(text, sizeof(text), "%p", (void *)0x1234);
    EXPECT_STR(text, "0x1234");
    hv_snprintf(text, sizeof(text), "%s", none);
    EXPECT_STR(text, "(null)");
}

TEST("%.*s reads no further than it may")
{
    char *text = malloc(3);
    char out[8];

    REQUIRE(text != NULL);
    memcpy(text, "abc", 3); /* no NUL: the sanitizer sees a read past it */
    EXPECT_EQ(hv_snprintf(out, sizeof(out), "%.*s", 3, text), 3);
    EXPECT_STR(out, "abc");
    free(text);
}

TEST("text that does not fit is cut, ended, and counted in full")
{
    char text[6] = "xxxxx";

    EXPECT_EQ(hv_snprintf(text, sizeof(text), "%s", "12345678"), 8);
    EXPECT_STR(text, "12345");
    EXPECT_EQ(hv_snprintf(text, 1, "%d", 99), 2);
    EXPECT_STR(text, "");
    EXPECT_EQ(hv_snprintf(NULL, 0, "%d", 12345), 5);
}

TEST("an unknown conversion is shown, a lone % at the end is harmless")
{
    char text[20];
    const char *unknown = "%q|", *lone = "50%";

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    hv_snprintf(text, sizeof(text), unknown);
    EXPECT_STR(text, "%q|");
    hv_snprintf(text, sizeof(text), lone);
    EXPECT_STR(text, "50");
}
