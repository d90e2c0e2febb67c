/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits on how often guests bring things about. */

#include "net/pace.h"

#include "test.h"

static const struct pace_limit limit = {.every_ns = 100, .at_once = 4};

TEST("so many at once, then one in each interval")
{
    struct pace pace = {0};

    for (int i = 0; i < 4; i++)
        EXPECT_TRUE(pace_take(&pace, &limit, 5000));
    EXPECT_FALSE(pace_take(&pace, &limit, 5000));
    EXPECT_EQ(pace_next(&pace, &limit), 5100);
    EXPECT_FALSE(pace_take(&pace, &limit, 5099));
    EXPECT_TRUE(pace_take(&pace, &limit, 5100));
    EXPECT_FALSE(pace_take(&pace, &limit, 5100));
}

TEST("who tries without end gets no more than who waits")
{
    struct pace pace = {0};
    unsigned int taken = 0;

    for (uint64_t now = 1000; now < 2000; now++)
        taken += pace_take(&pace, &limit, now);
    EXPECT_EQ(taken, 4 + 9);
}

TEST("rest is not saved up beyond what may come at once")
{
    struct pace pace = {0};

    EXPECT_TRUE(pace_take(&pace, &limit, 1));
    for (int i = 0; i < 4; i++)
        EXPECT_TRUE(pace_take(&pace, &limit, 1000000));
    EXPECT_FALSE(pace_take(&pace, &limit, 1000000));
}
