/* SPDX-License-Identifier: BSD-2-Clause */
/* Console logs: what is kept, and what all of them together may take. */
/* LINK: guests/control/console/log.c */

#include "test.h"

#include "console/log.h"

static struct log_pool pool;
static struct log a, b;

void setup(void)
{
    log_pool_init(&pool, 6, 4);
    log_init(&a, &pool);
    log_init(&b, &pool);
}

void teardown(void)
{
    log_clear(&a);
    log_clear(&b);
    EXPECT_EQ(pool.block_count, 0);
}

/* Bytes that tell their own position. */
static void fill(struct log *log, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char c = (char)('a' + log->end % 23);

        log_write(log, &c, 1);
    }
}

static void check(const struct log *log, uint64_t from)
{
    uint64_t at = from, next = from;
    char text[100];
    size_t size;

    while ((size = log_read(log, &next, text, sizeof(text))) != 0) {
        at = next - size;
        for (size_t i = 0; i < size; i++)
            EXPECT_EQ(text[i], 'a' + (int)((at + i) % 23));
    }
    EXPECT_EQ(next, log->end);
}

TEST("an empty log gives nothing and costs nothing")
{
    uint64_t at = 0;
    char text[10];

    EXPECT_EQ(log_read(&a, &at, text, sizeof(text)), 0);
    EXPECT_EQ(pool.block_count, 0);
}

TEST("what was written is read back, from any position")
{
    fill(&a, 3000);
    EXPECT_EQ(a.first, 0);
    check(&a, 0);
    check(&a, 967);
    check(&a, 968);
    check(&a, 2999);
}

TEST("a log at its limit forgets its oldest block")
{
    fill(&a, 10 * LOG_BLOCK_BYTES + 5);
    EXPECT_EQ(a.block_count, 4);
    EXPECT_EQ(a.first, 7 * LOG_BLOCK_BYTES);
    check(&a, a.first);
    check(&a, 0 + a.first);
}

TEST("with the pool empty a log writes over its own oldest")
{
    fill(&a, 4 * LOG_BLOCK_BYTES);
    fill(&b, 5 * LOG_BLOCK_BYTES);
    EXPECT_EQ(pool.block_count, 6);
    EXPECT_EQ(a.block_count, 4);
    EXPECT_EQ(b.block_count, 2);
    EXPECT_EQ(b.first, 3 * LOG_BLOCK_BYTES);
    check(&b, b.first);
}

TEST("a log without a block gets the oldest of all")
{
    struct log c;

    log_init(&c, &pool);
    fill(&b, 2 * LOG_BLOCK_BYTES);
    fill(&a, 4 * LOG_BLOCK_BYTES);
    fill(&c, 10);
    EXPECT_EQ(b.block_count, 1);
    EXPECT_EQ(b.first, LOG_BLOCK_BYTES);
    EXPECT_EQ(a.block_count, 4);
    check(&c, 0);
    check(&b, b.first);
    log_clear(&c);
}

TEST("one write larger than a log keeps its end")
{
    size_t bytes = 20 * LOG_BLOCK_BYTES;
    char *text = malloc(bytes);

    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)('a' + i % 23);
    log_write(&a, text, bytes);
    free(text);
    EXPECT_EQ(a.end - a.first, 4 * LOG_BLOCK_BYTES);
    check(&a, a.first);
}
