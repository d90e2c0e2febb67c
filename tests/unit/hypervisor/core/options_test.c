/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/core/options.c */
/* The command line: values of each kind, and what is wrong with them. */

#include "lib/register.h"

#include <stdarg.h>

#include "lib/log.h"
#include "unit/test.h"

static bool flag;
static uint64_t number;
static char said[2000], parsed[20];

static bool parse(struct text text)
{
    snprintf(parsed, sizeof(parsed), "%.*s", (int)text.bytes, text.at);
    return parsed[0] == 'y';
}

/* The table that the linker makes of BOOT_OPTION() in the hypervisor. */
extern const struct boot_option boot_options_start[];
const struct boot_option boot_options_start[] = {
    {"flag", "a flag", &flag, NULL, NULL},
    {"number", "a number", NULL, &number, NULL},
    {"parsed", "yes", NULL, NULL, parse},
};
__asm__(".globl boot_options_end\n"
        ".set boot_options_end, boot_options_start + 120");

void log_line(enum log_level level, const char *fmt, ...)
{
    size_t at = strlen(said);
    va_list args;

    (void)level;
    va_start(args, fmt);
    vsnprintf(said + at, sizeof(said) - at, fmt, args);
    va_end(args);
}

void setup(void)
{
    flag = false;
    number = 7;
    said[0] = '\0';
}

static bool accepted;

static uint64_t number_of(const char *line)
{
    setup();
    accepted = options_parse(line);
    return number;
}

TEST("a flag is set by its name, by on, and cleared by off")
{
    options_parse("flag");
    EXPECT_TRUE(flag);
    options_parse("flag=off");
    EXPECT_FALSE(flag);
    options_parse("flag=on");
    EXPECT_TRUE(flag);
    options_parse("flag=no");
    EXPECT_FALSE(flag);
    EXPECT_STR(said, "");
}

TEST("numbers are decimal or hexadecimal, with a unit")
{
    EXPECT_EQ(number_of("number=0"), 0);
    EXPECT_EQ(number_of("number=12345"), 12345);
    EXPECT_EQ(number_of("number=0x1fE"), 0x1fe);
    EXPECT_EQ(number_of("number=3K"), 3072);
    EXPECT_EQ(number_of("number=16M"), 16 << 20);
    EXPECT_EQ(number_of("number=2G"), 2LL << 30);
    EXPECT_EQ(number_of("number=18446744073709551615"), UINT64_MAX);
    EXPECT_TRUE(accepted);
    EXPECT_STR(said, "");
}

TEST("what is no number changes nothing and is reported")
{
    static const char *const bad[] = {"number",
                                      "number=",
                                      "number=x",
                                      "number=12a",
                                      "number=0x",
                                      "number=-1",
                                      "number=K",
                                      "number=1KK",
                                      "number=1k",
                                      "number=:",
                                      "number=0xg",
                                      "number=18446744073709551616",
                                      "number=99999999999999G"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        EXPECT_EQ(number_of(bad[i]), 7);
        EXPECT_FALSE(accepted);
        EXPECT_TRUE(strstr(said, "number") != NULL);
    }
    EXPECT_EQ(number_of("flag=maybe"), 7);
    EXPECT_TRUE(strstr(said, "maybe") != NULL);
}

TEST("an unknown option is reported and the others still count")
{
    EXPECT_FALSE(options_parse("  flog=3\tnumber=9  flag  "));
    EXPECT_STR(said, "there is no option \"flog\"");
    EXPECT_EQ(number, 9);
    EXPECT_TRUE(flag);
}

TEST("a name is not taken for a longer or a shorter one")
{
    EXPECT_FALSE(options_parse("fla flagg numbe=1 numbers=2 =3"));
    EXPECT_FALSE(flag);
    EXPECT_EQ(number, 7);
}

TEST("an option's own reader gets what stands behind the first =")
{
    EXPECT_TRUE(options_parse("parsed=yes,x=1 flag"));
    EXPECT_STR(parsed, "yes,x=1");
    EXPECT_FALSE(options_parse("parsed=no"));
    EXPECT_TRUE(strstr(said, "parsed") != NULL);
    EXPECT_FALSE(options_parse("parsed="));
    EXPECT_STR(parsed, "");
    EXPECT_FALSE(options_parse("parsed"));
}

TEST("nothing is said about an empty line")
{
    EXPECT_TRUE(options_parse(""));
    EXPECT_TRUE(options_parse("   "));
    EXPECT_STR(said, "");
}
