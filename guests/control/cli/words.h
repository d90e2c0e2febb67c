/* SPDX-License-Identifier: BSD-2-Clause */
/* Splitting a command into words. */

#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdbool.h>

#define WORDS_MAX 64U

struct words {
    unsigned int count;
    char *word[WORDS_MAX + 1]; /* NULL behind the last */
    char *text;                /* holds them */
};

/*
 * Words are separated by spaces; "..." and '...' keep spaces, and vanish.
 * False: *@why says what is wrong.  words_free() in any case.
 */
bool words_split(struct words *words, const char *line, const char **why);
void words_free(struct words *words);

#endif /* CLI_WORDS_H */
