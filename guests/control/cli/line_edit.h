/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line editor for a terminal of bytes: echo, cursor keys, history.
 *
 * Text typed at the end of the line is echoed as it is, so that a log of a
 * session reads well; any other change draws the line anew.  Keys: Backspace,
 * Delete, Left, Right, Home, End, Up and Down for the history, Ctrl-A, -E, -K,
 * -U, -W, -L, Ctrl-C drops the line, Ctrl-D on an empty line is its end.
 */

#ifndef CLI_LINE_EDIT_H
#define CLI_LINE_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_EDIT_BYTES   1024U /* a line, with its NUL */
#define LINE_EDIT_HISTORY 32U

enum line_edit_result {
    LINE_EDIT_MORE,
    LINE_EDIT_DONE,   /* @text is a whole line */
    LINE_EDIT_CANCEL, /* Ctrl-C */
    LINE_EDIT_EOF,    /* Ctrl-D on an empty line */
};

struct line_edit {
    char text[LINE_EDIT_BYTES];
    size_t size, cursor; /* bytes */

    void (*write)(void *arg, const char *text, size_t size);
    void *arg;
    const char *prompt;

    char *history[LINE_EDIT_HISTORY]; /* oldest first */
    unsigned int history_count;
    unsigned int history_at; /* history_count: the new line */
    char *draft;             /* the new line while history is looked at */

    unsigned int escape;   /* how far an escape sequence has come */
    unsigned int argument; /* its number */
    bool after_return;     /* a newline now belongs to it */
};

void line_edit_init(struct line_edit *e, const char *prompt,
                    void (*write)(void *arg, const char *text, size_t size),
                    void *arg);
void line_edit_clear(struct line_edit *e); /* frees the history */

/* Empty the line and show the prompt. */
void line_edit_start(struct line_edit *e);

/* Take the line off the screen, for other output; and show it again. */
void line_edit_hide(struct line_edit *e);
void line_edit_show(struct line_edit *e);

enum line_edit_result line_edit_feed(struct line_edit *e, char byte);

#endif /* CLI_LINE_EDIT_H */
