/* SPDX-License-Identifier: BSD-2-Clause */
/* Splitting a command into words. */

#include "cli/words.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* One word from *@from into *@to, both moved behind it; false: no quote. */
static bool take_word(const char **from, char **to)
{
    const char *at = *from;
    char *out = *to, quote = '\0';

    for (; *at && (quote || !is_space(*at)); at++) {
        if (quote && *at == quote)
            quote = '\0';
        else if (!quote && (*at == '"' || *at == '\''))
            quote = *at;
        else
            *out++ = *at;
    }
    *out++ = '\0';
    *from = at;
    *to = out;

    return !quote;
}

bool words_split(struct words *words, const char *line, const char **why)
{
    char *to;

    memset(words, 0, sizeof(*words));
    to = words->text = malloc(2 * strlen(line) + 1);
    if (!to) {
        *why = "the control domain is out of memory";
        return false;
    }
    for (;;) {
        while (is_space(*line))
            line++;
        if (!*line)
            return true;
        if (words->count == WORDS_MAX) {
            *why = "too many words";
            return false;
        }
        words->word[words->count++] = to;
        if (!take_word(&line, &to)) {
            *why = "a quote is not closed";
            return false;
        }
    }
}

void words_free(struct words *words)
{
    free(words->text);
    words->text = NULL;
    words->count = 0;
}
