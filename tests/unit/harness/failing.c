/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests that must fail, one for each way to fail: tests/lint/check-harness
 * builds this and counts.  A harness that lets one through tests nothing.
 */

#include "unit/test.h"

static bool went_on;

TEST("numbers that differ")
{
    EXPECT_EQ(1, 2);
}

TEST("numbers that differ only in their upper half")
{
    EXPECT_EQ(1ULL << 32, 0);
}

TEST("strings that differ")
{
    EXPECT_STR("a", "b");
}

TEST("a string and none")
{
    EXPECT_STR("a", NULL);
}

TEST("memory that differs in its last byte")
{
    EXPECT_MEM("ab", "ac", 2);
}

TEST("pointers that differ")
{
    static const char two[2];

    EXPECT_PTR(&two[0], &two[1]);
}

TEST("a false condition")
{
    EXPECT_TRUE(went_on);
}

TEST("a true condition")
{
    EXPECT_FALSE(!went_on);
}

TEST("a requirement ends its test")
{
    REQUIRE(went_on);
    went_on = true;
}

TEST("and the test after it passes, as the only one here")
{
    EXPECT_FALSE(went_on);
}
