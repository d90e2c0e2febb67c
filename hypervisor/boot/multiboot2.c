/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot2 specification 2.0, section 3.4: a list of tags.  Each is copied
 * before it is looked at, and a tag that does not fit in the list ends it.
 */

#include "arch/x86_64/paging.h"
#include "boot/boot_info.h"

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
#define MAP_ENTRY_MIN (BOOT_MAP_ENTRY + 4)

static void read_map(maddr_t map, const struct tag *t)
{
    uint64_t entry_bytes = t->word[0];

    if (entry_bytes < MAP_ENTRY_MIN)
        return;
    for (uint64_t at = sizeof(*t); at + entry_bytes <= t->size;
         at += entry_bytes)
        boot_map_entry(map + at);
}

/* The tag at @at, whose head is @t with zeros behind its end. */
static const char *read_tag(maddr_t at, const struct tag *t)
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
        read_map(at, t);
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

const char *multiboot2_read(maddr_t info)
{
    const uint32_t *size = early_memory(info, sizeof(*size));
    const char *wrong = NULL;
    uint64_t bytes, at = TAGS_START;

    if (!size || *size > INFO_BYTES_MAX || !early_memory(info, *size))
        return "the boot loader's information lies outside of memory";
    bytes = *size;
    while (at + TAG_HEAD <= bytes) {
        struct tag t = {0};
        const char *first = wrong;

        memcpy(&t, early_memory(info + at, TAG_HEAD), TAG_HEAD);
        if (t.type == TAG_END || t.size < TAG_HEAD || t.size > bytes - at)
            break;
        memcpy(&t, early_memory(info + at, t.size),
               t.size < sizeof(t) ? t.size : sizeof(t));
        wrong = read_tag(info + at, &t);
        /* Go on after a fault: the command line may come later. */
        wrong = first ? first : wrong;
        at += ((uint64_t)t.size + 7) & ~7ULL;
    }
    return wrong;
}
