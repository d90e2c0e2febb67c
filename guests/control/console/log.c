/* SPDX-License-Identifier: BSD-2-Clause */
/* Logs of blocks from one pool. */

#include "console/log.h"

#include <stdlib.h>
#include <string.h>

struct log_block {
    TAILQ_ENTRY(log_block) in_log;
    TAILQ_ENTRY(log_block) in_pool;
    struct log *log;
    uint64_t start; /* position of text[0] */
    uint32_t used;
    char text[LOG_BLOCK_BYTES];
};

void log_pool_init(struct log_pool *pool, uint32_t block_max,
                   uint32_t blocks_per_log)
{
    *pool = (struct log_pool){.block_max = block_max,
                              .blocks_per_log = blocks_per_log};
    TAILQ_INIT(&pool->by_age);
}

void log_init(struct log *log, struct log_pool *pool)
{
    *log = (struct log){.pool = pool};
    TAILQ_INIT(&log->blocks);
}

/* Off its log, which forgets the text. */
static void block_leave(struct log_block *b)
{
    struct log *log = b->log;

    TAILQ_REMOVE(&log->blocks, b, in_log);
    TAILQ_REMOVE(&log->pool->by_age, b, in_pool);
    log->block_count--;
    log->first =
        TAILQ_EMPTY(&log->blocks) ? log->end : TAILQ_FIRST(&log->blocks)->start;
}

static void block_enter(struct log_block *b, struct log *log)
{
    b->log = log;
    b->start = log->end;
    b->used = 0;
    TAILQ_INSERT_TAIL(&log->blocks, b, in_log);
    TAILQ_INSERT_TAIL(&log->pool->by_age, b, in_pool);
    log->block_count++;
}

/* NULL: the pool is full, or there is no memory. */
static struct log_block *block_new(struct log_pool *pool)
{
    struct log_block *b;

    if (pool->block_count >= pool->block_max)
        return NULL;
    b = malloc(sizeof(*b));
    if (b)
        pool->block_count++;

    return b;
}

static struct log_block *block_for(struct log *log)
{
    struct log_block *b = NULL;

    if (log->block_count < log->pool->blocks_per_log)
        b = block_new(log->pool);
    if (b)
        return b;

    b = TAILQ_FIRST(&log->blocks);
    if (!b)
        b = TAILQ_FIRST(&log->pool->by_age);
    if (b)
        block_leave(b);

    return b;
}

void log_clear(struct log *log)
{
    struct log_block *b;

    while ((b = TAILQ_FIRST(&log->blocks)) != NULL) {
        block_leave(b);
        log->pool->block_count--;
        free(b);
    }
}

void log_write(struct log *log, const char *text, size_t size)
{
    while (size) {
        struct log_block *b = TAILQ_LAST(&log->blocks, log_block_list);
        size_t part;

        if (!b || b->used == LOG_BLOCK_BYTES) {
            b = block_for(log);
            if (!b) {
                log->end += size;
                log->first = log->end;
                return;
            }
            block_enter(b, log);
        }
        part =
            LOG_BLOCK_BYTES - b->used < size ? LOG_BLOCK_BYTES - b->used : size;
        memcpy(b->text + b->used, text, part);
        b->used += (uint32_t)part;
        log->end += part;
        text += part;
        size -= part;
    }
}

size_t log_read(const struct log *log, uint64_t *position, char *out,
                size_t room)
{
    const struct log_block *b;
    size_t copied = 0;

    if (*position < log->first)
        *position = log->first;
    TAILQ_FOREACH(b, &log->blocks, in_log)
    {
        size_t skip, part;

        if (*position >= b->start + b->used)
            continue;
        skip = (size_t)(*position - b->start);
        part = b->used - skip < room - copied ? b->used - skip : room - copied;
        memcpy(out + copied, b->text + skip, part);
        copied += part;
        *position += part;
        if (copied == room)
            break;
    }

    return copied;
}
