/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests printed, kept for who wants to read it later.
 *
 * Logs consist of blocks from one pool, so that a quiet guest costs nothing
 * and all of them together stay below the pool's size.  A log that has its
 * most blocks, or finds the pool empty, writes over its own oldest block; one
 * that has none takes the oldest block of all logs.
 */

#ifndef CONSOLE_LOG_H
#define CONSOLE_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* Bytes of text in a block; with its links a block is 1 KiB. */
#define LOG_BLOCK_BYTES 968U

struct log_block;
TAILQ_HEAD(log_block_list, log_block);

struct log_pool {
    struct log_block_list by_age; /* oldest first */
    uint32_t block_count, block_max;
    uint32_t blocks_per_log;
};

struct log {
    struct log_pool *pool;
    struct log_block_list blocks; /* oldest first */
    uint32_t block_count;
    uint64_t first; /* position of the oldest byte that is kept */
    uint64_t end;   /* bytes ever written */
};

void log_pool_init(struct log_pool *pool, uint32_t block_max,
                   uint32_t blocks_per_log);

void log_init(struct log *log, struct log_pool *pool);

/* Give its blocks back. */
void log_clear(struct log *log);

/* Never fails; what finds no block is lost, as old text is. */
void log_write(struct log *log, const char *text, size_t size);

/*
 * Copy up to @room bytes from *@position on, which moves behind them.  A
 * position that is no longer kept moves to the oldest that is.
 */
size_t log_read(const struct log *log, uint64_t *position, char *out,
                size_t room);

#endif /* CONSOLE_LOG_H */
