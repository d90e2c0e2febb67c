/* SPDX-License-Identifier: BSD-2-Clause */
/* The line editor: what lines come of keys, and what is drawn. */
/* LINK: guests/control/cli/line_edit.c guests/control/cli/words.c */

#include "test.h"

#include "cli/line_edit.h"
#include "cli/words.h"

static struct line_edit e;
static char screen[65536];
static size_t screen_bytes;

static void write_screen(void *arg, const char *text, size_t size)
{
    (void)arg;
    if (screen_bytes + size < sizeof(screen)) {
        memcpy(screen + screen_bytes, text, size);
        screen_bytes += size;
    }
    screen[screen_bytes] = '\0';
}

void setup(void)
{
    screen_bytes = 0;
    line_edit_init(&e, "> ", write_screen, NULL);
    line_edit_start(&e);
}

void teardown(void)
{
    line_edit_clear(&e);
}

static enum line_edit_result type(const char *keys)
{
    enum line_edit_result result = LINE_EDIT_MORE;

    for (; *keys; keys++)
        result = line_edit_feed(&e, *keys);

    return result;
}

/* Type a whole line and begin the next. */
static const char *line(const char *keys)
{
    static char text[LINE_EDIT_BYTES];

    EXPECT_EQ(type(keys), LINE_EDIT_DONE);
    strcpy(text, e.text);
    line_edit_start(&e);

    return text;
}

TEST("plain text is echoed as it is, a return ends it")
{
    EXPECT_STR(line("list\r"), "list");
    EXPECT_STR(screen, "> list\n> ");
}

TEST("return, newline, or both end one line")
{
    EXPECT_STR(line("a\n"), "a");
    EXPECT_STR(line("b\r"), "b");
    EXPECT_EQ(line_edit_feed(&e, '\n'), LINE_EDIT_MORE);
    EXPECT_STR(line("\n"), "");
}

TEST("keys edit the line")
{
    EXPECT_STR(line("ab\bc\r"), "ac");
    EXPECT_STR(line("ab\x7f\x7f\x7fx\r"), "x");
    EXPECT_STR(line("ac\033[Db\r"), "abc");
    EXPECT_STR(line("bc\x01"
                    "a\x05"
                    "d\r"),
               "abcd");
    EXPECT_STR(line("abc\033[D\033[D\033[3~\r"), "ac");
    EXPECT_STR(line("abc\033[H\033[C\x0b\r"), "a");
    EXPECT_STR(line("abc\033[D\x15\r"), "c");
    EXPECT_STR(line("one two  \x17x\r"), "one x");
    EXPECT_STR(line("\033[D\033[C\033[3~\033OH\033[99;5~a\r"), "a");
    EXPECT_STR(line("a\033xb\r"), "ab");
}

TEST("history goes back and forth, and keeps the new line")
{
    line("one\r");
    line("two\r");
    line("two\r");
    EXPECT_STR(line("thr\033[A\033[A\033[B\033[Bee\r"), "three");
    EXPECT_STR(line("\033[A\033[A\033[A\033[A\r"), "one");
    EXPECT_STR(line("\033[A\033[A\r"), "three");
    EXPECT_STR(line("\033[B\r"), "");
}

TEST("history is bounded")
{
    char text[16];

    for (unsigned int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "%u\r", i);
        line(text);
    }
    EXPECT_EQ(e.history_count, LINE_EDIT_HISTORY);
    EXPECT_STR(e.history[0], "68");
}

TEST("control keys end a line in other ways")
{
    EXPECT_EQ(type("abc\x03"), LINE_EDIT_CANCEL);
    line_edit_start(&e);
    EXPECT_EQ(type("\x04"), LINE_EDIT_EOF);
    EXPECT_EQ(type("ab\033[D\x04"), LINE_EDIT_MORE);
    EXPECT_STR(line("\r"), "a");
}

TEST("a line cannot grow beyond its buffer")
{
    for (unsigned int i = 0; i < 3000; i++)
        line_edit_feed(&e, 'x');
    type("\033[H");
    line_edit_feed(&e, 'y');
    EXPECT_EQ(strlen(line("\r")), LINE_EDIT_BYTES - 1);
}

TEST("random keys leave a line within its bounds")
{
    unsigned int seed = 1;

    for (unsigned int i = 0; i < 200000; i++) {
        char c = (char)((seed = seed * 1103515245 + 12345) >> 16);

        screen_bytes = 0;
        if (i % 3 == 0)
            c = "\033[ABCD~3\x01\x17"[(unsigned char)c % 10];
        if (line_edit_feed(&e, c) != LINE_EDIT_MORE)
            line_edit_start(&e);
        EXPECT_TRUE(e.cursor <= e.size && e.size < LINE_EDIT_BYTES);
    }
}

TEST("words are split at spaces, and quotes keep them")
{
    struct words w;
    const char *why = "";

    EXPECT_TRUE(words_split(&w, "  a  'b c'd \"\" \"e'f\"", &why));
    EXPECT_EQ(w.count, 4);
    EXPECT_STR(w.word[0], "a");
    EXPECT_STR(w.word[1], "b cd");
    EXPECT_STR(w.word[2], "");
    EXPECT_STR(w.word[3], "e'f");
    EXPECT_PTR(w.word[4], NULL);
    words_free(&w);
    EXPECT_FALSE(words_split(&w, "a 'b", &why));
    EXPECT_STR(why, "a quote is not closed");
    words_free(&w);
    EXPECT_TRUE(words_split(&w, "   ", &why));
    EXPECT_EQ(w.count, 0);
    words_free(&w);
}

TEST("too many words are refused")
{
    struct words w;
    char text[2 * WORDS_MAX + 3];
    const char *why = "";

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 2 ? ' ' : 'a';
    text[sizeof(text) - 1] = '\0';
    EXPECT_FALSE(words_split(&w, text, &why));
    EXPECT_STR(why, "too many words");
    words_free(&w);
    text[2 * WORDS_MAX] = '\0';
    EXPECT_TRUE(words_split(&w, text, &why));
    EXPECT_EQ(w.count, WORDS_MAX);
    words_free(&w);
}
