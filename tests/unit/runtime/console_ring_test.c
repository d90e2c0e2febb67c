/* SPDX-License-Identifier: BSD-2-Clause */
/* The console ring, with a reader that behaves and with one that does not. */
/* LINK: guests/runtime/console_ring.c */

#include "../../../guests/runtime/console_ring.h"

#include "test.h"

static struct xencons_interface page;
static struct console_ring ring;

void setup(void)
{
    memset(&page, 0, sizeof(page));
    console_ring_init(&ring, &page);
}

TEST("what is put comes out, across the end of the ring")
{
    for (uint32_t round = 0; round < 5000; round++) {
        char text[7];

        snprintf(text, sizeof(text), "%06u", round);
        REQUIRE(console_ring_put(&ring, text, 6) == 6);
        for (int i = 0; i < 6; i++)
            EXPECT_EQ(
                page.out[(page.out_cons + (uint32_t)i) % XENCONS_OUT_BYTES],
                text[i]);
        page.out_cons = page.out_prod;
    }
}

TEST("a full ring takes nothing more")
{
    static char text[XENCONS_OUT_BYTES + 10];

    memset(text, 'x', sizeof(text));
    EXPECT_EQ(console_ring_put(&ring, text, sizeof(text)), XENCONS_OUT_BYTES);
    EXPECT_EQ(console_ring_put(&ring, "y", 1), 0);
    page.out_cons += 3;
    EXPECT_EQ(console_ring_put(&ring, "yyyy", 4), 3);
}

TEST("a consumer index from nowhere counts as a full ring")
{
    page.out_cons = 1;
    EXPECT_EQ(console_ring_put(&ring, "y", 1), 0);
    page.out_cons = 0x80000000U;
    EXPECT_EQ(console_ring_put(&ring, "y", 1), 0);
    page.out_cons = 0;
    EXPECT_EQ(console_ring_put(&ring, "y", 1), 1);
}

TEST("a producer index that another scribbles on is not believed")
{
    EXPECT_EQ(console_ring_put(&ring, "ab", 2), 2);
    page.out_prod = 77;
    EXPECT_EQ(console_ring_put(&ring, "c", 1), 1);
    EXPECT_EQ(page.out_prod, 3);
}

TEST("input is taken in order, and never more than a ring of it")
{
    char text[8];

    memcpy(page.in, "hello", 5);
    page.in_prod = 5;
    EXPECT_EQ(console_ring_get(&ring, text, 2), 2);
    EXPECT_EQ(console_ring_get(&ring, text + 2, 6), 3);
    EXPECT_EQ(memcmp(text, "hello", 5), 0);
    EXPECT_EQ(page.in_cons, 5);
    page.in_prod = 5 + XENCONS_IN_BYTES + 1;
    EXPECT_EQ(console_ring_get(&ring, text, 8), 0);
    page.in_prod = 4;
    EXPECT_EQ(console_ring_get(&ring, text, 8), 0);
}
