/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's side of a console ring, honest guests and others. */
/* LINK: guests/control/console/console_ring.c */

#include "test.h"

#include "console/console_ring.h"

static struct xencons_interface page;
static char out[XENCONS_OUT_BYTES];

void setup(void)
{
    memset(&page, 0, sizeof(page));
}

TEST("text is taken whole, also round the end of the ring")
{
    for (unsigned int i = 0; i < 1000; i++) {
        for (const char *c = "hello"; *c; c++)
            page.out[page.out_prod++ % XENCONS_OUT_BYTES] = *c;
        EXPECT_EQ(console_ring_take(&page, out), 5);
        EXPECT_MEM(out, "hello", 5);
        EXPECT_EQ(page.out_cons, page.out_prod);
    }
    EXPECT_EQ(console_ring_take(&page, out), 0);
}

TEST("a full ring is taken, one more byte is nonsense and is ignored")
{
    page.out_prod = XENCONS_OUT_BYTES;
    EXPECT_EQ(console_ring_take(&page, out), XENCONS_OUT_BYTES);
    page.out_prod += XENCONS_OUT_BYTES + 1;
    EXPECT_EQ(console_ring_take(&page, out), 0);
    page.out_prod = page.out_cons - 1;
    EXPECT_EQ(console_ring_take(&page, out), 0);
}

TEST("typed text stops where the ring is full")
{
    char text[2000];

    memset(text, 'x', sizeof(text));
    page.in_cons = page.in_prod = UINT32_MAX - 100;
    EXPECT_EQ(console_ring_type(&page, text, sizeof(text)), XENCONS_IN_BYTES);
    EXPECT_EQ(page.in_prod - page.in_cons, XENCONS_IN_BYTES);
    EXPECT_EQ(console_ring_type(&page, text, 1), 0);
    page.in_cons += 3;
    EXPECT_EQ(console_ring_type(&page, text, 10), 3);
    page.in_cons += 5000;
    EXPECT_EQ(console_ring_type(&page, text, 10), 0);
}
