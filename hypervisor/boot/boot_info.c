/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What both protocols tell, put in order: firmware lists RAM as it likes, and
 * ranges may overlap.
 */

#include "boot/boot_info.h"

#include "arch/x86_64/paging.h"

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
    span.start = pages_of(MIN(start, DIRECT_MAP_SIZE)) << PAGE_SHIFT;
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

/* An entry of the memory map, which both have, wherever it lies. */
struct __attribute__((packed)) map_entry {
    uint64_t start, bytes;
    uint32_t type;
};

static void boot_map_entry(maddr_t maddr)
{
    const struct map_entry *e = early_memory(maddr, sizeof(*e));

    if (e->type == MEMORY_RAM)
        add_ram(e->start, e->bytes);
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

static void boot_command_line_set(maddr_t text, uint64_t max)
{
    copy_text(boot_info.command_line, sizeof(boot_info.command_line), text,
              max);
    drop_file_name(boot_info.command_line);
}

static const char *boot_module_add(uint64_t start, uint64_t end, maddr_t text,
                                   uint64_t max)
{
    struct boot_module *m = &boot_modules[boot_module_count];

    if (boot_module_count == BOOT_MODULES_MAX)
        return "there are too many modules";
    if (start & (PAGE_SIZE - 1))
        return "a module does not begin on a page";
    if (end < start)
        return "a module ends before it begins";
    m->start = start;
    m->bytes = end - start;
    copy_text(m->string, sizeof(m->string), text, max);
    boot_module_count++;
    return NULL;
}

/* --- Multiboot specification 0.6.96, section 3.3 ------------------------- */

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

static const char *multiboot1_map(const struct multiboot_info *info)
{
    uint64_t at = 0;
    uint32_t size; /* in front of an entry, not counting itself */

    if (!(info->flags & HAS_MEMORY_MAP) || info->map_bytes > MAP_BYTES_MAX ||
        !early_memory(info->map, info->map_bytes))
        return "the boot loader gives no memory map";
    while (at + sizeof(size) + sizeof(struct map_entry) <= info->map_bytes) {
        memcpy(&size, early_memory(info->map + at, sizeof(size)), sizeof(size));
        at += sizeof(size);
        boot_map_entry(info->map + at);
        if (size < sizeof(struct map_entry))
            break;
        at += size;
    }
    return NULL;
}

static const char *multiboot1_modules(const struct multiboot_info *info)
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

static const char *multiboot1_read(maddr_t maddr)
{
    const struct multiboot_info *info = early_memory(maddr, sizeof(*info));

    if (!info)
        return "the boot loader's information lies outside of memory";
    if (info->flags & HAS_COMMAND_LINE)
        boot_command_line_set(info->command_line, UINT64_MAX);
    return multiboot1_map(info) ?: multiboot1_modules(info);
}

/* --- Multiboot2 specification 2.0, section 3.4 --------------------------- */

/* A list of tags; one that does not fit in the list ends it. */

#define TAG_END          0U
#define TAG_COMMAND_LINE 1U
#define TAG_MODULE       3U
#define TAG_MEMORY_MAP   6U
#define TAG_RSDP_OLD     14U
#define TAG_RSDP_NEW     15U

/* Longer information is nonsense: memory maps have some KiB. */
#define INFO_BYTES_MAX 0x100000U

/* The first number is the size of all tags, and then the reserved word. */
#define TAGS_START 8U

struct tag {
    uint32_t type, size;
    uint32_t word[2]; /* module: start, end; map: size of an entry, version */
};
#define TAG_HEAD offsetof(struct tag, word)

/* A map's entries end by a reserved word. */
#define MAP_ENTRY_MIN (sizeof(struct map_entry) + sizeof(uint32_t))

static void multiboot2_map(maddr_t map, const struct tag *t)
{
    uint64_t at = sizeof(*t);

    if (t->size < sizeof(*t) || t->word[0] < MAP_ENTRY_MIN)
        return;
    for (; at + t->word[0] <= t->size; at += t->word[0])
        boot_map_entry(map + at);
}

/* The tag @t at @at: its words are there if it is as long. */
static const char *multiboot2_tag(maddr_t at, const struct tag *t)
{
    switch (t->type) {
    case TAG_COMMAND_LINE:
        boot_command_line_set(at + TAG_HEAD, t->size - TAG_HEAD);
        break;
    case TAG_MODULE:
        if (t->size < sizeof(*t))
            return "a module's tag is too short";
        return boot_module_add(t->word[0], t->word[1], at + sizeof(*t),
                               t->size - sizeof(*t));
    case TAG_MEMORY_MAP:
        multiboot2_map(at, t);
        break;
    case TAG_RSDP_OLD:
        if (!boot_info.rsdp)
            boot_info.rsdp = at + TAG_HEAD;
        break;
    case TAG_RSDP_NEW:
        boot_info.rsdp = at + TAG_HEAD;
        break;
    default:
        break;
    }
    return NULL;
}

static const char *multiboot2_read(maddr_t info)
{
    const uint32_t *size = early_memory(info, sizeof(*size));
    const char *wrong = NULL;
    uint64_t at = TAGS_START;

    if (!size || *size > INFO_BYTES_MAX || !early_memory(info, *size))
        return "the boot loader's information lies outside of memory";
    while (at + TAG_HEAD <= *size) {
        const struct tag *t = early_memory(info + at, TAG_HEAD);
        const char *fault;

        if (t->type == TAG_END || t->size < TAG_HEAD || t->size > *size - at)
            break;
        fault = multiboot2_tag(info + at, t);
        /* Go on after a fault: the command line may come later. */
        wrong = wrong ?: fault;
        at += ((uint64_t)t->size + 7) & ~7ULL;
    }
    return wrong;
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
