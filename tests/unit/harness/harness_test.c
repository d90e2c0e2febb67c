/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The harness itself: what it accepts, that setup and teardown surround each
 * body, and (through tests/lint/check-harness and failing.c beside this file)
 * that it does fail.
 */

#include "unit/test.h"

static int setups, teardowns;

void setup(void)
{
    setups++;
}

void teardown(void)
{
    teardowns++;
}

TEST("setup runs before a body and teardown does not")
{
    EXPECT_EQ(setups, 1);
    EXPECT_EQ(teardowns, 0);
}

TEST("setup and teardown run once for each body")
{
    EXPECT_EQ(setups, 2);
    EXPECT_EQ(teardowns, 1);
}

TEST("equal values of every kind are accepted")
{
    static const char text[] = "ab", same[] = {'a', 'b', 0};

    EXPECT_EQ(UINT64_MAX, UINT64_MAX);
    EXPECT_STR(text, same);
    EXPECT_STR(NULL, NULL);
    EXPECT_MEM(text, same, sizeof(text));
    EXPECT_PTR(text, &text[0]);
    EXPECT_TRUE(setups > 0);
    EXPECT_FALSE(setups < 0);
    REQUIRE(true);
}
