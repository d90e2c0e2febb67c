/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests' text on terminals and in JSON. */
/* LINK: guests/control/lib/text.c */

#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

static char out[4096];

static void append(void *arg, const char *text, size_t size)
{
    (void)arg;
    strncat(out, text, size);
}

static const char *plain(const char *text, size_t size)
{
    char *copy = malloc(size); /* so that overruns are seen */

    memcpy(copy, text, size);
    out[0] = '\0';
    text_write_plain(copy, size, append, NULL);
    free(copy);

    return out;
}

static const char *json(const char *text)
{
    out[0] = '\0';
    text_write_json(text, append, NULL);

    return out;
}

#define PLAIN(text) plain(text, sizeof(text) - 1)

TEST("ordinary text passes as it is")
{
    EXPECT_STR(
        PLAIN("a line\r\n\tgr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n"),
        "a line\r\n\tgr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n");
    EXPECT_STR(PLAIN(""), "");
}

TEST("no byte reaches a terminal that it would obey")
{
    EXPECT_STR(PLAIN("\033[2J\x9b"
                     "31mx\x07"),
               "\\1b[2J\\9b31mx\\07");
    EXPECT_STR(PLAIN("\xc2\x9b"
                     "31m"),
               "\\c2\\9b31m"); /* the same in UTF-8 */
    EXPECT_STR(PLAIN("a\0b\x7f"), "a\\00b\\7f");
}

TEST("what only looks like UTF-8 is taken byte by byte")
{
    EXPECT_STR(PLAIN("\xc3"), "\\c3"); /* cut short */
    EXPECT_STR(PLAIN("\xe2\x82"), "\\e2\\82");
    EXPECT_STR(PLAIN("\xc0\x9b"), "\\c0\\9b");                 /* too long */
    EXPECT_STR(PLAIN("\xed\xa0\x80"), "\\ed\\a0\\80");         /* half a pair */
    EXPECT_STR(PLAIN("\xf4\x90\x80\x80"), "\\f4\\90\\80\\80"); /* too large */
    EXPECT_STR(PLAIN("\xff\xc3\xbc"), "\\ff\xc3\xbc");
}

TEST("JSON is ASCII, whatever bytes are in its strings")
{
    EXPECT_STR(json("{\"a\": \"b\\n\"}\n"), "{\"a\": \"b\\n\"}\n");
    EXPECT_STR(json("\"\xff\xc3(\x7f\""), "\"\\u00ff\\u00c3(\\u007f\"");
    EXPECT_STR(json("\"\xc3\xbc\xe2\x82\xac\""), "\"\\u00fc\\u20ac\"");
    EXPECT_STR(json("\"\xf0\x9f\x98\x80\""), "\"\\ud83d\\ude00\"");
}
