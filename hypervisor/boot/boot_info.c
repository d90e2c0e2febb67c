/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What both protocols tell, put in order: firmware lists RAM as it likes, and
 * ranges may overlap.
 */

#include "boot/boot_info.h"

#include "arch/x86_64/paging.h"
#include "core/log.h"

#define MULTIBOOT1_MAGIC 0x2badb002U
#define MULTIBOOT2_MAGIC 0x36d76289U
#define MEMORY_RAM       1U

struct boot_info boot_info;

/* A range of RAM: whole pages of it, in order. */
static void add_ram(uint64_t start, uint64_t bytes)
{
    struct ram_span *ram = boot_info.ram, span;
    unsigned int kept = 0, at = 0;
    uint64_t end;

    if (__builtin_add_overflow(start, bytes, &end) || end > DIRECT_MAP_SIZE)
        end = DIRECT_MAP_SIZE;
    if (start > DIRECT_MAP_SIZE)
        return;
    span.start = (start + PAGE_SIZE - 1) & PAGE_MASK;
    span.end = end & PAGE_MASK;
    if (span.start >= span.end)
        return;
    /* It swallows those that it meets, and stands behind those below it. */
    for (unsigned int i = 0; i < boot_info.ram_count; i++) {
        if (ram[i].start > span.end || ram[i].end < span.start) {
            at += ram[i].end < span.start;
            ram[kept++] = ram[i];
            continue;
        }
        span.start = MIN(span.start, ram[i].start);
        span.end = MAX(span.end, ram[i].end);
    }
    if (kept == BOOT_RAM_RANGES_MAX) {
        log_warning("memory at %lx is not used: more than %u ranges",
                    span.start, BOOT_RAM_RANGES_MAX);
        return;
    }
    memmove(&ram[at + 1], &ram[at], (kept - at) * sizeof(ram[0]));
    ram[at] = span;
    boot_info.ram_count = kept + 1;
}

void boot_map_entry(maddr_t entry)
{
    struct __attribute__((packed)) {
        uint64_t start, bytes;
        uint32_t type;
    } e;

    static_assert(sizeof(e) == BOOT_MAP_ENTRY, "Multiboot");
    memcpy(&e, early_memory(entry, sizeof(e)), sizeof(e));
    if (e.type == MEMORY_RAM)
        add_ram(e.start, e.bytes);
}

static void copy_text(char *to, size_t size, maddr_t text, uint64_t max)
{
    const char *from;

    max = MIN(max, size - 1);
    from = text ? early_memory(text, max) : NULL;
    string_copy(to, from ? from : "", max + 1);
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

void boot_command_line_set(maddr_t text, uint64_t max)
{
    copy_text(boot_info.command_line, sizeof(boot_info.command_line), text,
              max);
    drop_file_name(boot_info.command_line);
}

const char *boot_module_add(uint64_t start, uint64_t end, maddr_t text,
                            uint64_t max)
{
    struct boot_module *m = &boot_info.module[boot_info.module_count];

    if (boot_info.module_count == BOOT_MODULES_MAX)
        return "there are too many modules";
    if (start & (PAGE_SIZE - 1))
        return "a module does not begin on a page";
    if (end < start)
        return "a module ends before it begins";
    m->start = start;
    m->bytes = end - start;
    copy_text(m->string, sizeof(m->string), text, max);
    boot_info.module_count++;
    return NULL;
}

const char *boot_info_read(uint32_t magic, uint32_t info)
{
    const char *wrong;

    if (magic == MULTIBOOT1_MAGIC)
        wrong = multiboot1_read(info);
    else if (magic == MULTIBOOT2_MAGIC)
        wrong = multiboot2_read(info);
    else
        wrong = "it was not loaded by a Multiboot boot loader";
    if (!wrong && !boot_info.ram_count)
        wrong = "the boot loader names no memory that is RAM";
    return wrong;
}
