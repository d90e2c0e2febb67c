/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/boot/boot_info.c */
/* What a boot loader says, rightly and wrongly. */

#include "boot/boot_info.h"

#include "arch/x86_64/paging.h"
#include "lib/log.h"
#include "lib/string.h"
#include "unit/test.h"

#define MAGIC        0x2badb002U
#define MAGIC2       0x36d76289U
#define MEMORY_BYTES 0x20000U

#define INFO    0x1000U
#define COMMAND 0x2000U
#define MAP     0x3000U
#define MODULES 0x8000U
#define STRINGS 0xc000U

static uint8_t memory[MEMORY_BYTES];
/* Of control/module.c. */
struct boot_module boot_modules[BOOT_MODULES_MAX];
unsigned int boot_module_count;

static uint32_t map_bytes, tags_bytes;
static unsigned int lines;

const void *early_memory(uint64_t maddr, uint64_t bytes)
{
    if (maddr >= MEMORY_BYTES || bytes > MEMORY_BYTES - maddr)
        return NULL;
    return memory + maddr;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
    lines++;
}

void string_copy(char *dst, const char *src, size_t size)
{
    size_t n = strnlen(src, size - 1);

    memcpy(dst, src, n);
    dst[n] = '\0';
}

void assert_failed(const char *file, int line, const char *belief)
{
    (void)file;
    (void)line;
    (void)belief;
    abort();
}

static void put(uint32_t at, uint64_t value, uint32_t bytes)
{
    memcpy(memory + at, &value, bytes);
}

static void add_ram(uint64_t start, uint64_t bytes, uint32_t type)
{
    uint32_t at = MAP + map_bytes;

    put(at, 20, 4);
    put(at + 4, start, 8);
    put(at + 12, bytes, 8);
    put(at + 20, type, 4);
    map_bytes += 24;
    put(INFO + 44, map_bytes, 4);
}

static void forget(void)
{
    memset(&boot_info, 0, sizeof(boot_info));
    memset(boot_modules, 0, sizeof(boot_modules));
    boot_module_count = 0;
}

void setup(void)
{
    memset(memory, 0, sizeof(memory));
    forget();
    map_bytes = 0;
    tags_bytes = 8;
    lines = 0;
    put(INFO, 1 << 2 | 1 << 3 | 1 << 6, 4);
    put(INFO + 16, COMMAND, 4);
    put(INFO + 24, MODULES, 4);
    put(INFO + 48, MAP, 4);
    strcpy((char *)memory + COMMAND, "build/cairn.elf noreboot loglevel=4");
}

static void expect_span(unsigned int i, uint64_t start, uint64_t end)
{
    EXPECT_TRUE(i < boot_info.ram_count);
    EXPECT_EQ(boot_info.ram[i].start, start);
    EXPECT_EQ(boot_info.ram[i].end, end);
}

TEST("a sound description is copied")
{
    add_ram(0, 0x9fc00, 1);
    add_ram(0x100000, 0x7f00000, 1);
    add_ram(0xfffc0000, 0x40000, 2);
    put(INFO + 20, 2, 4);
    put(MODULES, 0x200000, 4);
    put(MODULES + 4, 0x200123, 4);
    put(MODULES + 8, STRINGS, 4);
    put(MODULES + 16, 0x201000, 4);
    put(MODULES + 20, 0x201000, 4);
    strcpy((char *)memory + STRINGS, "control.elf a=b");

    EXPECT_STR(boot_info_read(MAGIC, INFO), NULL);
    EXPECT_STR(boot_info.command_line, "noreboot loglevel=4");
    EXPECT_EQ(boot_info.ram_count, 2);
    expect_span(0, 0, 0x9f000);
    expect_span(1, 0x100000, 0x8000000);
    REQUIRE(boot_module_count == 2);
    EXPECT_EQ(boot_modules[0].start, 0x200000);
    EXPECT_EQ(boot_modules[0].bytes, 0x123);
    EXPECT_STR(boot_modules[0].string, "control.elf a=b");
    EXPECT_EQ(boot_modules[1].bytes, 0);
    EXPECT_STR(boot_modules[1].string, "");
}

TEST("a command line without the image's name loses nothing")
{
    add_ram(0x100000, 0x100000, 1);
    strcpy((char *)memory + COMMAND, "console=a.b noreboot");
    EXPECT_STR(boot_info_read(MAGIC, INFO), NULL);
    EXPECT_STR(boot_info.command_line, "console=a.b noreboot");
    strcpy((char *)memory + COMMAND, "noreboot");
    EXPECT_STR(boot_info_read(MAGIC, INFO), NULL);
    EXPECT_STR(boot_info.command_line, "noreboot");
}

TEST("RAM comes out sorted, joined, in whole pages, below 1 TiB")
{
    add_ram(0x500000, 0x100000, 1);
    add_ram(0x100800, 0x2000, 1);
    add_ram(0x580000, 0x180000, 1); /* overlaps the first */
    add_ram(0x200000, 0x300000, 1); /* meets it from below */
    add_ram(0xffffffffff, 0x1000000, 1);
    add_ram(0xfffffffffffff000, 0x5000, 1);
    add_ram(0xff00000000, 0x200000000, 1);
    EXPECT_STR(boot_info_read(MAGIC, INFO), NULL);
    EXPECT_EQ(boot_info.ram_count, 3);
    expect_span(0, 0x101000, 0x102000);
    expect_span(1, 0x200000, 0x700000);
    expect_span(2, 0xff00000000, 0x10000000000);
}

TEST("more ranges than we keep are counted off, not written")
{
    for (unsigned int i = 0; i < BOOT_RAM_RANGES_MAX + 40; i++)
        add_ram(0x100000 + 0x10000 * (uint64_t)(i * 37 % 509), 0x1000, 1);
    EXPECT_STR(boot_info_read(MAGIC, INFO), NULL);
    EXPECT_EQ(boot_info.ram_count, BOOT_RAM_RANGES_MAX);
    for (unsigned int i = 1; i < boot_info.ram_count; i++)
        EXPECT_TRUE(boot_info.ram[i].start > boot_info.ram[i - 1].end);
}

TEST("a range that joins others needs no place of its own")
{
    for (unsigned int i = 0; i < BOOT_RAM_RANGES_MAX; i++)
        add_ram(0x100000 + 0x2000 * (uint64_t)i, 0x1000, 1);
    add_ram(0x101000, 0x5000, 1); /* fills gaps, and ends within one */
    EXPECT_STR(boot_info_read(MAGIC, INFO), NULL);
    EXPECT_EQ(lines, 0);
    EXPECT_EQ(boot_info.ram_count, BOOT_RAM_RANGES_MAX - 3);
    expect_span(0, 0x100000, 0x107000);
    expect_span(1, 0x108000, 0x109000);
}

TEST("what is no Multiboot information is refused")
{
    EXPECT_STR(boot_info_read(0x1badb002, INFO),
               "it was not loaded by a Multiboot boot loader");
    EXPECT_STR(boot_info_read(MAGIC, MEMORY_BYTES - 8),
               "the boot loader's information lies outside of memory");
    EXPECT_STR(boot_info_read(MAGIC, INFO),
               "the boot loader names no memory that is RAM");
    put(INFO, 1 << 2, 4);
    EXPECT_STR(boot_info_read(MAGIC, INFO),
               "the boot loader gives no memory map");
}

TEST("a map whose entries make no sense ends there")
{
    add_ram(0x100000, 0x100000, 1);
    add_ram(0x300000, 0x100000, 1);
    put(MAP, 0xffffffff, 4);
    EXPECT_STR(boot_info_read(MAGIC, INFO), NULL);
    EXPECT_EQ(boot_info.ram_count, 1);
    put(MAP, 0, 4);
    EXPECT_STR(boot_info_read(MAGIC, INFO), NULL);
    put(INFO + 44, 0xfffffff0, 4);
    EXPECT_STR(boot_info_read(MAGIC, INFO),
               "the boot loader gives no memory map");
    put(INFO + 44, 0x10001, 4); /* more than makes sense, but there */
    EXPECT_STR(boot_info_read(MAGIC, INFO),
               "the boot loader gives no memory map");
}

TEST("a map's entry that is too short is the last")
{
    put(INFO + 44, 48, 4);
    put(MAP, 4, 4); /* the next would begin in the middle of it */
    put(MAP + 8, 20, 4);
    put(MAP + 12, 0x900000, 8);
    put(MAP + 20, 0x1000, 8);
    put(MAP + 28, 1, 4);
    EXPECT_STR(boot_info_read(MAGIC, INFO),
               "the boot loader names no memory that is RAM");
}

TEST("modules that cannot be are refused")
{
    add_ram(0x100000, 0x100000, 1);
    put(INFO + 20, 1, 4);
    put(MODULES, 0x200010, 4);
    put(MODULES + 4, 0x201000, 4);
    EXPECT_STR(boot_info_read(MAGIC, INFO),
               "a module does not begin on a page");
    put(MODULES, 0x202000, 4);
    EXPECT_STR(boot_info_read(MAGIC, INFO), "a module ends before it begins");
    put(INFO + 20, 0xffffffff, 4);
    EXPECT_STR(boot_info_read(MAGIC, INFO),
               "the list of modules lies outside of memory");
}

TEST("more modules than we keep are refused, not written")
{
    add_ram(0x100000, 0x100000, 1);
    put(INFO + 20, BOOT_MODULES_MAX + 1, 4);
    EXPECT_STR(boot_info_read(MAGIC, INFO), "there are too many modules");
    EXPECT_EQ(boot_module_count, BOOT_MODULES_MAX);
    EXPECT_EQ(boot_info.rsdp, 0);
}

/* --- Multiboot 2 -------------------------------------------------------- */

#define TAGS 0x4000U

/* Begin a tag and return where its contents go. */
static uint32_t begin_tag(uint32_t type, uint32_t content_bytes)
{
    uint32_t at = TAGS + tags_bytes;

    put(at, type, 4);
    put(at + 4, 8 + content_bytes, 4);
    tags_bytes += (8 + content_bytes + 7) & ~7U;
    return at + 8;
}

static void tag_text(const char *text)
{
    uint32_t bytes = (uint32_t)strlen(text) + 1;

    memcpy(memory + begin_tag(1, bytes), text, bytes);
}

static void tag_module(uint32_t start, uint32_t end, const char *text,
                       uint32_t text_bytes)
{
    uint32_t at = begin_tag(3, 8 + text_bytes);

    put(at, start, 4);
    put(at + 4, end, 4);
    memcpy(memory + at + 8, text, text_bytes);
}

/* A map of one megabyte at each of the @count. */
static uint32_t tag_map(uint32_t entry_bytes, uint32_t count)
{
    uint32_t at = begin_tag(6, 8 + entry_bytes * count);

    put(at, entry_bytes, 4);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = at + 8 + i * entry_bytes;

        put(entry, 0x200000 * (uint64_t)(i + 1), 8);
        put(entry + 8, 0x100000, 8);
        put(entry + 16, 1, 4);
    }
    return at;
}

static const char *read_tags(void)
{
    begin_tag(0, 0);
    put(TAGS, tags_bytes, 4);
    forget();
    return boot_info_read(MAGIC2, TAGS);
}

TEST("Multiboot 2 tells the same")
{
    uint32_t rsdp;

    begin_tag(99, 13); /* unknown, and not a multiple of 8 */
    tag_text("/boot/cairn.elf noreboot loglevel=4");
    tag_module(0x200000, 0x200123, "control.elf a=b", 16);
    tag_module(0x201000, 0x201000, "", 1);
    tag_map(24, 2);
    rsdp = begin_tag(14, 20);
    EXPECT_STR(read_tags(), NULL);
    EXPECT_STR(boot_info.command_line, "noreboot loglevel=4");
    EXPECT_EQ(boot_info.ram_count, 2);
    expect_span(0, 0x200000, 0x300000);
    expect_span(1, 0x400000, 0x500000);
    REQUIRE(boot_module_count == 2);
    EXPECT_EQ(boot_modules[0].start, 0x200000);
    EXPECT_EQ(boot_modules[0].bytes, 0x123);
    EXPECT_STR(boot_modules[0].string, "control.elf a=b");
    EXPECT_EQ(boot_modules[1].bytes, 0);
    EXPECT_STR(boot_modules[1].string, "");
    EXPECT_EQ(boot_info.rsdp, rsdp);
}

TEST("the newer root pointer wins, wherever it stands")
{
    uint32_t rsdp;

    tag_map(24, 1);
    begin_tag(14, 20);
    rsdp = begin_tag(15, 36);
    EXPECT_STR(read_tags(), NULL);
    EXPECT_EQ(boot_info.rsdp, rsdp);
    tags_bytes -= 8;
    begin_tag(14, 20);
    EXPECT_STR(read_tags(), NULL);
    EXPECT_EQ(boot_info.rsdp, rsdp);
}

TEST("a map may have longer entries, but no shorter ones")
{
    uint32_t map = tag_map(40, 3);

    EXPECT_STR(read_tags(), NULL);
    EXPECT_EQ(boot_info.ram_count, 3);
    expect_span(2, 0x600000, 0x700000);
    for (uint32_t bytes = 0; bytes < 24; bytes++) {
        put(map, bytes, 4);
        forget();
        EXPECT_STR(boot_info_read(MAGIC2, TAGS),
                   "the boot loader names no memory that is RAM");
    }
    put(map, 0xffffffff, 4);
    forget();
    EXPECT_STR(boot_info_read(MAGIC2, TAGS),
               "the boot loader names no memory that is RAM");
}

TEST("a map without all its words is not read beyond its tag")
{
    put(MEMORY_BYTES - 16, 16, 4);
    put(MEMORY_BYTES - 8, 6, 4);
    put(MEMORY_BYTES - 4, 8, 4);
    EXPECT_STR(boot_info_read(MAGIC2, MEMORY_BYTES - 16),
               "the boot loader names no memory that is RAM");
}

TEST("a text that has no end stops at its tag")
{
    tag_map(24, 1);
    tag_module(0x200000, 0x201000, "web.elf", 7);
    memset(memory + TAGS + tags_bytes - 1, 'x', 1); /* its padding */
    put(TAGS + tags_bytes, 0x7878787878787878, 8);
    EXPECT_STR(boot_info_read(MAGIC2, TAGS),
               "the boot loader names no memory that is RAM");
    put(TAGS, tags_bytes, 4);
    forget();
    EXPECT_STR(boot_info_read(MAGIC2, TAGS), NULL);
    EXPECT_STR(boot_modules[0].string, "web.elf");
}

TEST("the command line is read although a module before it is bad")
{
    tag_module(0x200010, 0x201000, "", 1);
    tag_text("noreboot");
    tag_map(24, 1);
    EXPECT_STR(read_tags(), "a module does not begin on a page");
    EXPECT_STR(boot_info.command_line, "noreboot");
    EXPECT_EQ(boot_info.ram_count, 1);
}

TEST("a module's tag without all its words is refused")
{
    tag_map(24, 1);
    begin_tag(3, 7);
    EXPECT_STR(read_tags(), "a module's tag is too short");
}

TEST("tags that do not fit end the list")
{
    tag_map(24, 1);
    put(begin_tag(3, 8) - 4, 7, 4); /* shorter than its own head */
    tag_text("lost");
    EXPECT_STR(read_tags(), NULL);
    EXPECT_STR(boot_info.command_line, "");
    EXPECT_EQ(boot_module_count, 0);
    setup();
    tag_map(24, 1);
    put(begin_tag(1, 8) - 4, 0xfffffff9, 4); /* rounded up: 0 */
    EXPECT_STR(read_tags(), NULL);
    EXPECT_STR(boot_info.command_line, "");
}

TEST("information outside of memory, or absurdly long, is refused")
{
    static const char outside[] =
        "the boot loader's information lies outside of memory";

    EXPECT_STR(boot_info_read(MAGIC2, MEMORY_BYTES - 3), outside);
    put(MEMORY_BYTES - 8, 16, 4);
    EXPECT_STR(boot_info_read(MAGIC2, MEMORY_BYTES - 8), outside);
    put(TAGS, 0xffffffff, 4);
    EXPECT_STR(boot_info_read(MAGIC2, TAGS), outside);
    for (uint32_t bytes = 0; bytes < 16; bytes++) {
        put(TAGS, bytes, 4);
        EXPECT_STR(boot_info_read(MAGIC2, TAGS),
                   "the boot loader names no memory that is RAM");
    }
}

TEST("thousands of damaged lists are read without a step outside")
{
    uint32_t random = 1;

    for (int i = 0; i < 20000; i++) {
        setup();
        tag_text("noreboot");
        tag_module(0x200000, 0x201000, "control.elf", 12);
        tag_map(24, 3);
        begin_tag(15, 36);
        begin_tag(0, 0);
        /* Sometimes with its end at the end of memory. */
        put(TAGS, tags_bytes, 4);
        for (int j = 0; j < 3; j++) {
            random = random * 1664525 + 1013904223;
            memory[TAGS + (random >> 8) % tags_bytes] = (uint8_t)(random >> 24);
        }
        memmove(memory + MEMORY_BYTES - tags_bytes, memory + TAGS, tags_bytes);
        boot_info_read(MAGIC2, TAGS);
        forget();
        boot_info_read(MAGIC2, MEMORY_BYTES - tags_bytes);
        EXPECT_TRUE(boot_info.ram_count <= BOOT_RAM_RANGES_MAX);
        EXPECT_TRUE(boot_module_count <= BOOT_MODULES_MAX);
    }
}
