/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiboot specification 0.6.96, section 3.3. */

#include "arch/x86_64/paging.h"
#include "boot/boot_info.h"

#define HAS_COMMAND_LINE (1U << 2)
#define HAS_MODULES      (1U << 3)
#define HAS_MEMORY_MAP   (1U << 6)

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

static const char *read_map(const struct multiboot_info *info)
{
    uint64_t at = 0;
    uint32_t size; /* in front of an entry, not counting itself */

    if (!(info->flags & HAS_MEMORY_MAP) || info->map_bytes > MAP_BYTES_MAX ||
        !early_memory(info->map, info->map_bytes))
        return "the boot loader gives no memory map";
    while (at + sizeof(size) + BOOT_MAP_ENTRY <= info->map_bytes) {
        memcpy(&size, early_memory(info->map + at, sizeof(size)), sizeof(size));
        at += sizeof(size);
        boot_map_entry(info->map + at);
        if (size < BOOT_MAP_ENTRY)
            break;
        at += size;
    }
    return NULL;
}

static const char *read_modules(const struct multiboot_info *info)
{
    const struct multiboot_module *m;
    const char *wrong = NULL;

    if (!(info->flags & HAS_MODULES))
        return NULL;
    m = early_memory(info->modules, (uint64_t)info->module_count * sizeof(*m));
    if (!m)
        return "the list of modules lies outside of memory";
    for (uint32_t i = 0; i < info->module_count && !wrong; i++)
        wrong = boot_module_add(m[i].start, m[i].end, m[i].string, UINT64_MAX);
    return wrong;
}

const char *multiboot1_read(maddr_t maddr)
{
    const struct multiboot_info *at = early_memory(maddr, sizeof(*at));
    struct multiboot_info info;
    const char *wrong;

    if (!at)
        return "the boot loader's information lies outside of memory";
    memcpy(&info, at, sizeof(info));
    if (info.flags & HAS_COMMAND_LINE)
        boot_command_line_set(info.command_line, UINT64_MAX);
    wrong = read_map(&info);
    return wrong ? wrong : read_modules(&info);
}
