/* SPDX-License-Identifier: BSD-2-Clause */
/* A line editor for a terminal of bytes. */

#include "cli/line_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CTRL(letter) ((letter) - 'A' + 1)
#define BACKSPACE    0x08
#define ESCAPE       0x1b
#define DELETE       0x7f

/* Where in an escape sequence we are: ESC, then '[' or 'O', then the rest. */
enum { ESCAPE_NONE, ESCAPE_SEEN, ESCAPE_BRACKET };

/* --- Drawing -------------------------------------------------------------- */

static void put(struct line_edit *e, const char *text)
{
    e->write(e->arg, text, strlen(text));
}

static void move_left(struct line_edit *e, size_t columns)
{
    char text[32];

    if (!columns)
        return;
    snprintf(text, sizeof(text), "\033[%zuD", columns);
    put(e, text);
}

void line_edit_hide(struct line_edit *e)
{
    put(e, "\r\033[K");
}

void line_edit_show(struct line_edit *e)
{
    put(e, e->prompt);
    e->write(e->arg, e->text, e->size);
    move_left(e, e->size - e->cursor);
}

static void draw(struct line_edit *e)
{
    line_edit_hide(e);
    line_edit_show(e);
}

/* --- Changing ------------------------------------------------------------- */

static void set_text(struct line_edit *e, const char *text)
{
    snprintf(e->text, sizeof(e->text), "%s", text);
    e->size = e->cursor = strlen(e->text);
    draw(e);
}

static void insert(struct line_edit *e, char c)
{
    if (e->size + 1 == LINE_EDIT_BYTES) {
        put(e, "\a");
        return;
    }
    memmove(e->text + e->cursor + 1, e->text + e->cursor, e->size - e->cursor);
    e->text[e->cursor++] = c;
    e->size++;
    if (e->cursor == e->size)
        e->write(e->arg, &c, 1);
    else
        draw(e);
}

/* Remove [from, to) and put the cursor there. */
static void remove_range(struct line_edit *e, size_t from, size_t to)
{
    memmove(e->text + from, e->text + to, e->size - to);
    e->size -= to - from;
    e->cursor = from;
    draw(e);
}

static void remove_before(struct line_edit *e)
{
    if (!e->cursor)
        return;
    if (e->cursor < e->size) {
        remove_range(e, e->cursor - 1, e->cursor);
        return;
    }
    e->size = --e->cursor;
    put(e, "\b \b");
}

static void remove_under(struct line_edit *e)
{
    if (e->cursor < e->size)
        remove_range(e, e->cursor, e->cursor + 1);
}

static void remove_word(struct line_edit *e)
{
    size_t from = e->cursor;

    while (from && e->text[from - 1] == ' ')
        from--;
    while (from && e->text[from - 1] != ' ')
        from--;
    remove_range(e, from, e->cursor);
}

static void move_to(struct line_edit *e, size_t cursor)
{
    e->cursor = cursor;
    draw(e);
}

/* --- History -------------------------------------------------------------- */

static void remember(struct line_edit *e)
{
    unsigned int n = e->history_count;
    char *copy;

    e->text[e->size] = '\0';
    if (!e->size || (n && strcmp(e->history[n - 1], e->text) == 0))
        return;
    copy = strdup(e->text);
    if (!copy)
        return;
    if (n == LINE_EDIT_HISTORY) {
        free(e->history[0]);
        memmove(e->history, e->history + 1, (n - 1) * sizeof(char *));
        n--;
    }
    e->history[n] = copy;
    e->history_count = n + 1;
}

static void keep_draft(struct line_edit *e)
{
    e->text[e->size] = '\0';
    free(e->draft);
    e->draft = strdup(e->text);
}

static void go_back(struct line_edit *e)
{
    if (!e->history_at)
        return;
    if (e->history_at == e->history_count)
        keep_draft(e);
    set_text(e, e->history[--e->history_at]);
}

static void go_forward(struct line_edit *e)
{
    if (e->history_at == e->history_count)
        return;
    e->history_at++;
    if (e->history_at < e->history_count)
        set_text(e, e->history[e->history_at]);
    else
        set_text(e, e->draft ? e->draft : "");
}

/* --- Keys ----------------------------------------------------------------- */

static void escape_key(struct line_edit *e, char final)
{
    switch (final) {
    case 'A':
        go_back(e);
        break;
    case 'B':
        go_forward(e);
        break;
    case 'C':
        if (e->cursor < e->size)
            move_to(e, e->cursor + 1);
        break;
    case 'D':
        if (e->cursor)
            move_to(e, e->cursor - 1);
        break;
    case 'H':
        move_to(e, 0);
        break;
    case 'F':
        move_to(e, e->size);
        break;
    case '~':
        if (e->argument == 3)
            remove_under(e);
        else if (e->argument == 1 || e->argument == 7)
            move_to(e, 0);
        else if (e->argument == 4 || e->argument == 8)
            move_to(e, e->size);
        break;
    default:
        break;
    }
}

static void feed_escape(struct line_edit *e, char c)
{
    if (e->escape == ESCAPE_SEEN) {
        e->escape = c == '[' || c == 'O' ? ESCAPE_BRACKET : ESCAPE_NONE;
        e->argument = 0;
        return;
    }
    if (c >= '0' && c <= '9') {
        e->argument = (e->argument * 10 + (unsigned int)(c - '0')) % 1000;
        return;
    }
    if (c == ';')
        return;
    e->escape = ESCAPE_NONE;
    escape_key(e, c);
}

static void control_key(struct line_edit *e, char c)
{
    switch (c) {
    case BACKSPACE:
    case DELETE:
        remove_before(e);
        break;
    case CTRL('A'):
        move_to(e, 0);
        break;
    case CTRL('D'):
        remove_under(e);
        break;
    case CTRL('E'):
        move_to(e, e->size);
        break;
    case CTRL('K'):
        e->size = e->cursor;
        draw(e);
        break;
    case CTRL('L'):
        put(e, "\033[2J\033[H");
        line_edit_show(e);
        break;
    case CTRL('U'):
        remove_range(e, 0, e->cursor);
        break;
    case CTRL('W'):
        remove_word(e);
        break;
    case ESCAPE:
        e->escape = ESCAPE_SEEN;
        break;
    default:
        break;
    }
}

static enum line_edit_result finish(struct line_edit *e)
{
    put(e, "\n");
    remember(e);
    e->text[e->size] = '\0';

    return LINE_EDIT_DONE;
}

enum line_edit_result line_edit_feed(struct line_edit *e, char c)
{
    bool after_return = e->after_return;

    e->after_return = c == '\r';
    if (e->escape) {
        feed_escape(e, c);
        return LINE_EDIT_MORE;
    }
    if (c == '\n' && after_return)
        return LINE_EDIT_MORE;
    if (c == '\r' || c == '\n')
        return finish(e);
    if (c == CTRL('C')) {
        put(e, "^C\n");
        return LINE_EDIT_CANCEL;
    }
    if (c == CTRL('D') && e->size == 0)
        return LINE_EDIT_EOF;
    if ((unsigned char)c < ' ' || c == DELETE)
        control_key(e, c);
    else
        insert(e, c);

    return LINE_EDIT_MORE;
}

/* --- Beginning and end ---------------------------------------------------- */

void line_edit_init(struct line_edit *e, const char *prompt,
                    void (*write)(void *arg, const char *text, size_t size),
                    void *arg)
{
    memset(e, 0, sizeof(*e));
    e->prompt = prompt;
    e->write = write;
    e->arg = arg;
}

void line_edit_start(struct line_edit *e)
{
    e->size = e->cursor = 0;
    e->escape = ESCAPE_NONE;
    e->history_at = e->history_count;
    put(e, e->prompt);
}

void line_edit_clear(struct line_edit *e)
{
    for (unsigned int i = 0; i < e->history_count; i++)
        free(e->history[i]);
    free(e->draft);
    e->history_count = e->history_at = 0;
    e->draft = NULL;
}
