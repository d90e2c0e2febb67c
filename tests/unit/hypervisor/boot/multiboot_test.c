/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/boot/multiboot.c hypervisor/boot/boot_info.c */
/* What a boot loader says, rightly and wrongly. */

#include "boot/boot_info.h"

#include "arch/x86_64/early_map.h"
#include "boot/modules.h"
#include "core/log.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "unit/test.h"

#define MAGIC        0x2badb002U
#define MEMORY_BYTES 0x10000U

#define INFO    0x1000U
#define COMMAND 0x2000U
#define MAP     0x3000U
#define MODULES 0x8000U
#define STRINGS 0xc000U

static uint8_t memory[MEMORY_BYTES];
static uint32_t map_bytes;

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

void setup(void)
{
    memset(memory, 0, sizeof(memory));
    memset(&boot_info, 0, sizeof(boot_info));
    map_bytes = 0;
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

    EXPECT_STR(multiboot_read(MAGIC, INFO), NULL);
    EXPECT_STR(boot_info.command_line, "noreboot loglevel=4");
    EXPECT_EQ(boot_info.ram_count, 2);
    expect_span(0, 0, 0x9f000);
    expect_span(1, 0x100000, 0x8000000);
    REQUIRE(boot_module_count() == 2);
    EXPECT_EQ(boot_module(0)->start, 0x200000);
    EXPECT_EQ(boot_module(0)->bytes, 0x123);
    EXPECT_STR(boot_module(0)->string, "control.elf a=b");
    EXPECT_EQ(boot_module(1)->bytes, 0);
    EXPECT_STR(boot_module(1)->string, "");
}

TEST("a command line without the image's name loses nothing")
{
    add_ram(0x100000, 0x100000, 1);
    strcpy((char *)memory + COMMAND, "console=a.b noreboot");
    EXPECT_STR(multiboot_read(MAGIC, INFO), NULL);
    EXPECT_STR(boot_info.command_line, "console=a.b noreboot");
    strcpy((char *)memory + COMMAND, "noreboot");
    EXPECT_STR(multiboot_read(MAGIC, INFO), NULL);
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
    EXPECT_STR(multiboot_read(MAGIC, INFO), NULL);
    EXPECT_EQ(boot_info.ram_count, 3);
    expect_span(0, 0x101000, 0x102000);
    expect_span(1, 0x200000, 0x700000);
    expect_span(2, 0xff00000000, 0x10000000000);
}

TEST("more ranges than we keep are counted off, not written")
{
    for (unsigned int i = 0; i < BOOT_RAM_RANGES_MAX + 40; i++)
        add_ram(0x100000 + 0x10000 * (uint64_t)(i * 37 % 251), 0x1000, 1);
    EXPECT_STR(multiboot_read(MAGIC, INFO), NULL);
    EXPECT_EQ(boot_info.ram_count, BOOT_RAM_RANGES_MAX);
    for (unsigned int i = 1; i < boot_info.ram_count; i++)
        EXPECT_TRUE(boot_info.ram[i].start > boot_info.ram[i - 1].end);
}

TEST("what is no Multiboot information is refused")
{
    EXPECT_STR(multiboot_read(0x36d76289, INFO),
               "it was not loaded by a Multiboot 1 boot loader");
    EXPECT_STR(multiboot_read(MAGIC, MEMORY_BYTES - 8),
               "the boot loader's information lies outside of memory");
    EXPECT_STR(multiboot_read(MAGIC, INFO),
               "the boot loader's map holds no RAM");
    put(INFO, 1 << 2, 4);
    EXPECT_STR(multiboot_read(MAGIC, INFO),
               "the boot loader gives no memory map");
}

TEST("a map whose entries make no sense ends there")
{
    add_ram(0x100000, 0x100000, 1);
    add_ram(0x300000, 0x100000, 1);
    put(MAP, 0xffffffff, 4);
    EXPECT_STR(multiboot_read(MAGIC, INFO), NULL);
    EXPECT_EQ(boot_info.ram_count, 1);
    put(MAP, 0, 4);
    EXPECT_STR(multiboot_read(MAGIC, INFO), NULL);
    put(INFO + 44, 0xfffffff0, 4);
    EXPECT_STR(multiboot_read(MAGIC, INFO),
               "the boot loader gives no memory map");
}

TEST("modules that cannot be are refused")
{
    add_ram(0x100000, 0x100000, 1);
    put(INFO + 20, 1, 4);
    put(MODULES, 0x200010, 4);
    put(MODULES + 4, 0x201000, 4);
    EXPECT_STR(multiboot_read(MAGIC, INFO),
               "a module does not begin on a page");
    put(MODULES, 0x202000, 4);
    EXPECT_STR(multiboot_read(MAGIC, INFO), "a module ends before it begins");
    put(INFO + 20, 0xffffffff, 4);
    EXPECT_STR(multiboot_read(MAGIC, INFO),
               "the list of modules lies outside of memory");
}
