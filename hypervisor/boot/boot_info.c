/* SPDX-License-Identifier: BSD-2-Clause */
/* RAM, put in order: firmware lists ranges as it likes, and may overlap them.
 */

#include "boot/boot_info.h"

#include "arch/x86_64/address_map.h"
#include "core/log.h"
#include "lib/string.h"

struct boot_info boot_info;

static void insert(unsigned int at, struct ram_span span)
{
    struct ram_span *ram = boot_info.ram;

    memmove(&ram[at + 1], &ram[at],
            (boot_info.ram_count - at) * sizeof(ram[0]));
    ram[at] = span;
    boot_info.ram_count++;
}

/* Join ram[@at] with those behind it that it meets. */
static void join(unsigned int at)
{
    struct ram_span *ram = boot_info.ram;

    while (at + 1 < boot_info.ram_count && ram[at + 1].start <= ram[at].end) {
        if (ram[at + 1].end > ram[at].end)
            ram[at].end = ram[at + 1].end;
        boot_info.ram_count--;
        memmove(&ram[at + 1], &ram[at + 2],
                (boot_info.ram_count - at - 1) * sizeof(ram[0]));
    }
}

void boot_ram_add(uint64_t start, uint64_t bytes)
{
    struct ram_span span;
    unsigned int at = 0;
    uint64_t end;

    if (__builtin_add_overflow(start, bytes, &end) || end > DIRECT_MAP_SIZE)
        end = DIRECT_MAP_SIZE;
    if (start > DIRECT_MAP_SIZE)
        return;
    span.start = (start + PAGE_SIZE - 1) & PAGE_MASK;
    span.end = end & PAGE_MASK;
    if (span.start >= span.end)
        return;
    if (boot_info.ram_count == BOOT_RAM_RANGES_MAX) {
        log_warning("memory at %lx is not used: more than %u ranges",
                    span.start, BOOT_RAM_RANGES_MAX);
        return;
    }
    while (at < boot_info.ram_count && boot_info.ram[at].start < span.start)
        at++;
    insert(at, span);
    join(at);
    if (at)
        join(at - 1);
}
