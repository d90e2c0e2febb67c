/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text that guests have written, made harmless for who shows it: a terminal
 * obeys escape sequences, and JSON has to be UTF-8.
 */

#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stddef.h>

typedef void (*text_write_fn)(void *arg, const char *text, size_t size);

/*
 * Write @text with tabs and ends of lines, and whatever else is no printable
 * UTF-8 as "\1b".
 */
void text_write_plain(const char *text, size_t size, text_write_fn write,
                      void *arg);

/*
 * Write @json, in whose strings may be any bytes, as ASCII: characters as
 * their escapes, a byte that belongs to none as the character of its number.
 */
void text_write_json(const char *json, text_write_fn write, void *arg);

#endif /* LIB_TEXT_H */
