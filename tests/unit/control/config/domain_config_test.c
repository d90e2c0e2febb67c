/* SPDX-License-Identifier: BSD-2-Clause */
/* Domain configurations: the syntax, the keys, and what is wrong in bad ones.
 */
/* LINK: guests/control/config/syntax.c guests/control/config/net_text.c */
/* LINK: guests/control/config/domain_config.c */

#include "test.h"

#include "config/domain_config.h"
#include "config/net_text.h"

static struct domain_config config;
static char error[CONFIG_ERROR_BYTES];

void setup(void)
{
    domain_config_default(&config);
    error[0] = '\0';
}

static bool apply(const char *text, enum syntax_mode mode)
{
    size_t size = strlen(text);
    char *exact = malloc(size ? size : 1); /* so that overruns are seen */
    bool ok;

    memcpy(exact, text, size);
    ok = domain_config_apply(&config, exact, size, mode, error);
    free(exact);

    return ok;
}

static bool file(const char *text)
{
    return apply(text, SYNTAX_FILE);
}

TEST("a whole file is understood")
{
    REQUIRE(file("# a web server\n"
                 "name = \"web1\"\n"
                 "kernel='web.elf'; memory = 0x20 # 32\n"
                 "maxmem = 64\n\n"
                 "extra = \"a=1\"\n"
                 "vif = [ 'ip=10.64.0.9,mac=00:16:3e:01:02:03',\n"
                 "        '', ]\n"
                 "forward = [ \"tcp:9000->80\", \"udp:53->5353\" ]\n"
                 "on_crash = \"restart\"\n"
                 "uuid = \"00112233-4455-6677-8899-aabbccddeeff\"\n"
                 "type=\"light\"\n"
                 "cpu_weight = 512"));
    EXPECT_STR(config.name, "web1");
    EXPECT_STR(config.kernel, "web.elf");
    EXPECT_EQ(config.memory_mib, 32);
    EXPECT_EQ(config.maxmem_mib, 64);
    EXPECT_STR(config.cmdline, "a=1");
    EXPECT_EQ(config.vif_count, 2);
    EXPECT_EQ(config.vif[0].ip, 0x0a400009);
    EXPECT_EQ(config.vif[0].mac[5], 3);
    EXPECT_FALSE(config.vif[1].has_mac);
    EXPECT_EQ(config.forward_count, 2);
    EXPECT_EQ(config.forward[0].from, 9000);
    EXPECT_EQ(config.forward[0].to, 80);
    EXPECT_TRUE(config.forward[1].udp);
    EXPECT_EQ(config.on_crash, ACTION_RESTART);
    EXPECT_EQ(config.uuid[15], 0xff);
    EXPECT_EQ(config.class, CONFIG_CLASS_LIGHT);
    EXPECT_EQ(config.weight, 512);
    EXPECT_TRUE(domain_config_check(&config, error));
}

TEST("a command has statements in one line, and words without quotes")
{
    REQUIRE(apply("name=web-1 kernel=web.elf memory=16 vif=['']"
                  " forward=['tcp:1->2'] extra=\"a b\" on_reboot=preserve",
                  SYNTAX_COMMAND));
    EXPECT_STR(config.name, "web-1");
    EXPECT_STR(config.kernel, "web.elf");
    EXPECT_STR(config.cmdline, "a b");
    EXPECT_EQ(config.memory_mib, 16);
    EXPECT_EQ(config.on_reboot, ACTION_PRESERVE);
    REQUIRE(apply("extra=name=x", SYNTAX_COMMAND));
    EXPECT_FALSE(file("a=1 b=2"));
    EXPECT_FALSE(file("name=web"));
}

TEST("cmdline counts more than root and extra, in either order")
{
    REQUIRE(file("root=\"/dev/a\"\nextra=\"x\"\n"));
    EXPECT_STR(config.cmdline, "root=/dev/a x");
    setup();
    REQUIRE(file("extra=\"x\"\ncmdline=\"c\"\nroot=\"r\"\nextra=\"y\"\n"));
    EXPECT_STR(config.cmdline, "c");
}

TEST("what is wrong is said, with its place")
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"name \"x\"", "line 1, column 6: expected '=' after \"name\", found "
                       "'\"'"},
        {"memory = \"16\"", "line 1, column 10: \"memory\" wants a number"},
        {"\n\n memory = 16a", "line 3, column 11: \"16a\" is no number; a "
                              "string needs quotes"},
        {"name = 5", "line 1, column 8: \"name\" wants a string in quotes"},
        {"name = \"a", "line 1, column 10: a string is not closed: \" is "
                       "missing"},
        {"name = \"a\" x", "line 1, column 12: expected the end of the line, "
                           "found 'x'"},
        {"vif = 'x'", "line 1, column 7: \"vif\" wants a list: [ \"...\", ... "
                      "]"},
        {"vif = [ 'x' ", "line 1, column 13: expected ',' or ']' in a list, "
                         "found the end"},
        {"vif = [\n 'x=1' ]", "line 2, column 2: a vif has ip= and mac=, not "
                              "\"x=1\""},
        {"vif = [ 'ip=10.0.0' ]", "line 1, column 9: \"10.0.0\" is no IPv4 "
                                  "address"},
        {"vif = [ 'mac=01:00:00:00:00:00' ]",
         "line 1, column 9: \"01:00:00:00:00:00\" is no MAC address for one "
         "station"},
        {"vif = [ 1 ]", "line 1, column 9: \"vif\" wants strings in its list"},
        {"vif = [[[1]]]", "line 1, column 9: lists are nested too deeply"},
        {"forward = [ 'tcp:0->80' ]", "line 1, column 13: \"tcp:0->80\" is no "
                                      "forward; write \"tcp:9000->80\""},
        {"memory = 0", "line 1, column 10: \"memory\" is 0, but must be 1 to "
                       "1048576"},
        {"memory = 99999999999999999999", "line 1, column 10: "
                                          "\"99999999999999999999\" is no "
                                          "number; a string needs quotes"},
        {"vcpus = 129",
         "line 1, column 9: \"vcpus\" is 129, but must be 1 to 128"},
        {"on_crash = \"x\"", "line 1, column 12: \"on_crash\" must be destroy, "
                             "restart or preserve"},
        {"name = \"12\"", "line 1, column 8: a name must have a letter in it"},
        {"name = \"a/b\"", "line 1, column 8: a name consists of letters, "
                           "digits and -_.+"},
        {"type = \"hvm\"", "line 1, column 8: type \"hvm\" is unknown; there "
                           "are light and pv"},
        {"uuid = \"1\"", "line 1, column 8: \"1\" is no UUID"},
        {"= 1", "line 1, column 1: expected a key, found '='"},
        {"\x01", "line 1, column 1: expected a key, found byte 0x01"},
        {"a =", "line 1, column 4: expected a value, found the end"},
        {"a =\nb", "line 1, column 4: expected a value, found the end of the "
                   "line"},
    };

    static const char unknown[] = "line 1, column 1: unknown key \"memroy\"; "
                                  "the keys are name, kernel, ramdisk,";

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        EXPECT_FALSE(file(cases[i].text));
        EXPECT_STR(error, cases[i].error);
    }
    EXPECT_FALSE(file("memroy = 1"));
    EXPECT_TRUE(strncmp(error, unknown, strlen(unknown)) == 0);
}

TEST("what must be there is asked for")
{
    EXPECT_FALSE(domain_config_check(&config, error));
    EXPECT_STR(error, "the key \"name\" is missing");
    REQUIRE(file("name=\"a\""));
    EXPECT_FALSE(domain_config_check(&config, error));
    EXPECT_STR(error, "the key \"kernel\" is missing");
    REQUIRE(file("kernel=\"k\"\nmaxmem=8"));
    EXPECT_FALSE(domain_config_check(&config, error));
    EXPECT_STR(error, "maxmem (8) is less than memory (16)");
    REQUIRE(file("maxmem=32\nforward=['tcp:1->1']"));
    EXPECT_FALSE(domain_config_check(&config, error));
    EXPECT_STR(error, "\"forward\" needs a \"vif\" to forward to");
}

TEST("too long texts are refused, not cut")
{
    char text[SYNTAX_TEXT_MAX + 100];

    memset(text, 'x', sizeof(text));
    memcpy(text, "name=\"", 6);
    text[6 + CONFIG_NAME_BYTES] = '"';
    text[7 + CONFIG_NAME_BYTES] = '\0';
    EXPECT_FALSE(file(text));
    EXPECT_STR(error, "line 1, column 6: \"name\" is longer than 63 bytes");
    memset(text, ' ', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    EXPECT_FALSE(file(text));
    EXPECT_EQ(config.name[0], '\0');
}

TEST("random text is refused or taken, never more")
{
    static const char alphabet[] = "nameviforwd= \"'[],;#\n\t0x19\\\x80\x01";
    unsigned int seed = 3, taken = 0;
    char text[200];

    for (unsigned int round = 0; round < 20000; round++) {
        size_t size =
            (seed = seed * 1103515245 + 12345) / 65536 % (sizeof(text) - 1);

        for (size_t i = 0; i < size; i++)
            text[i] = alphabet[(seed = seed * 1103515245 + 12345) / 65536 %
                               (sizeof(alphabet) - 1)];
        text[size] = '\0';
        domain_config_default(&config);
        if (apply(text, round & 1 ? SYNTAX_COMMAND : SYNTAX_FILE))
            taken++;
        else
            EXPECT_TRUE(error[0] != '\0');
    }
    EXPECT_TRUE(taken < 20000);
}

TEST("addresses are written as they are read")
{
    uint8_t mac[6], uuid[16];
    char text[64];
    uint32_t ip;

    EXPECT_TRUE(ipv4_parse("10.64.1.255", &ip));
    ipv4_format(ip, text);
    EXPECT_STR(text, "10.64.1.255");
    EXPECT_FALSE(ipv4_parse("10.64.1.256", &ip));
    EXPECT_FALSE(ipv4_parse("10.64.1.2 ", &ip));
    EXPECT_FALSE(ipv4_parse("", &ip));
    EXPECT_TRUE(mac_parse("00:16:3E:aa:BB:0c", mac));
    mac_format(mac, text);
    EXPECT_STR(text, "00:16:3e:aa:bb:0c");
    EXPECT_FALSE(mac_parse("00:16:3e:aa:bb", mac));
    EXPECT_FALSE(mac_parse("00:00:00:00:00:00", mac));
    EXPECT_TRUE(uuid_parse("00112233-4455-6677-8899-AABBCCDDEEFF", uuid));
    uuid_format(uuid, text);
    EXPECT_STR(text, "00112233-4455-6677-8899-aabbccddeeff");
}
