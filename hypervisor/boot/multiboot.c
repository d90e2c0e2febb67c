/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiboot specification 0.6.96, section 3.3. */

#include <stddef.h>

#include "arch/x86_64/early_map.h"
#include "boot/boot_info.h"
#include "boot/modules.h"
#include "core/log.h"
#include "lib/assert.h"
#include "lib/string.h"

#define MULTIBOOT_LOADER_MAGIC 0x2badb002U

#define HAS_COMMAND_LINE (1U << 2)
#define HAS_MODULES      (1U << 3)
#define HAS_MEMORY_MAP   (1U << 6)

#define MEMORY_RAM 1U

/* A map longer than this is nonsense. */
#define MAP_BYTES_MAX 0x10000U

struct multiboot_info {
    uint32_t flags, mem_lower, mem_upper, boot_device;
    uint32_t command_line;
    uint32_t module_count, modules;
    uint32_t symbols[4];
    uint32_t map_bytes, map;
};
static_assert(offsetof(struct multiboot_info, map) == 48, "Multiboot");

struct multiboot_module {
    uint32_t start, end, string, reserved;
};

/* size does not count itself. */
struct __attribute__((packed)) memory_entry {
    uint32_t size;
    uint64_t start, bytes;
    uint32_t type;
};

static struct boot_module modules[BOOT_MODULES_MAX];
static unsigned int module_count;

unsigned int boot_module_count(void)
{
    return module_count;
}

const struct boot_module *boot_module(unsigned int i)
{
    assert(i < module_count);
    return &modules[i];
}

/* Up to its NUL, but never beyond the map. */
static void copy_string(char *to, size_t size, uint32_t maddr)
{
    const char *from = maddr ? early_memory(maddr, size) : NULL;

    string_copy(to, from ? from : "", size);
}

/*
 * Some loaders put the image's file name in front, some do not.  A name has a
 * slash or a dot, an option that has one has a '=' before it.
 */
static void drop_file_name(char *line)
{
    size_t n = 0;
    bool is_name = false;

    for (; line[n] && line[n] != ' ' && line[n] != '='; n++)
        if (line[n] == '/' || line[n] == '.')
            is_name = true;
    if (!is_name || line[n] == '=')
        return;
    while (line[n] == ' ')
        n++;
    memmove(line, line + n, strlen(line + n) + 1);
}

static const char *read_map(const struct multiboot_info *info)
{
    uint32_t at = 0;

    if (!(info->flags & HAS_MEMORY_MAP) || info->map_bytes > MAP_BYTES_MAX ||
        !early_memory(info->map, info->map_bytes))
        return "the boot loader gives no memory map";
    while (info->map_bytes - at >= sizeof(struct memory_entry)) {
        struct memory_entry e;

        memcpy(&e, early_memory(info->map + at, sizeof(e)), sizeof(e));
        if (e.type == MEMORY_RAM)
            boot_ram_add(e.start, e.bytes);
        if (e.size < sizeof(e) - sizeof(e.size) ||
            e.size + sizeof(e.size) > info->map_bytes - at)
            break;
        at += e.size + (uint32_t)sizeof(e.size);
    }
    return boot_info.ram_count ? NULL : "the boot loader's map holds no RAM";
}

static const char *read_module(const struct multiboot_module *m)
{
    struct boot_module *module = &modules[module_count];

    if (m->start & (PAGE_SIZE - 1))
        return "a module does not begin on a page";
    if (m->end < m->start)
        return "a module ends before it begins";
    module->start = m->start;
    module->bytes = m->end - m->start;
    copy_string(module->string, sizeof(module->string), m->string);
    module_count++;
    return NULL;
}

static const char *read_modules(const struct multiboot_info *info)
{
    const struct multiboot_module *m;

    if (!(info->flags & HAS_MODULES))
        return NULL;
    m = early_memory(info->modules, (uint64_t)info->module_count * sizeof(*m));
    if (!m)
        return "the list of modules lies outside of memory";
    if (info->module_count > BOOT_MODULES_MAX)
        log_warning("only the first %u of %u modules are used",
                    BOOT_MODULES_MAX, info->module_count);
    for (uint32_t i = 0; i < info->module_count && i < BOOT_MODULES_MAX; i++) {
        const char *wrong = read_module(&m[i]);

        if (wrong)
            return wrong;
    }
    return NULL;
}

const char *multiboot_read(uint32_t magic, uint32_t maddr)
{
    const struct multiboot_info *at = early_memory(maddr, sizeof(*at));
    struct multiboot_info info;
    const char *wrong;

    module_count = 0;
    if (magic != MULTIBOOT_LOADER_MAGIC)
        return "it was not loaded by a Multiboot 1 boot loader";
    if (!at)
        return "the boot loader's information lies outside of memory";
    memcpy(&info, at, sizeof(info));
    if (info.flags & HAS_COMMAND_LINE) {
        copy_string(boot_info.command_line, sizeof(boot_info.command_line),
                    info.command_line);
        drop_file_name(boot_info.command_line);
    }
    wrong = read_map(&info);
    return wrong ? wrong : read_modules(&info);
}
