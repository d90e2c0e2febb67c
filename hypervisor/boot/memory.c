/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a list of RAM to page tables and a frame allocator.
 *
 * Until the allocator runs, memory is taken from the ends of the free spans,
 * never to be given back: page tables (below 4 GiB, where boot.S lets us reach
 * them) and the frame table.
 */

#include "boot/start.h"

#include "arch/x86_64/address_map.h"
#include "arch/x86_64/segment.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/upcalls.h"
#include "boot/boot_info.h"
#include "boot/unpack.h"
#include "memory/frame.h"

extern const char image_start[], image_text_end[], image_rodata_end[],
    image_end[];
extern char boot_cpu_pages[], zero_page[];

/* Each module and the image cut one span into two at most. */
#define FREE_MAX (BOOT_RAM_RANGES_MAX + BOOT_MODULES_MAX + 2)

/* The first MiB is the firmware's, and later the place where CPUs start. */
#define LOW_END 0x100000UL

/*
 * Beside frame table, image and modules: a control domain needs 11 MiB and gets
 * half of it.
 */
#define NEEDED_FREE (22UL << 20)

#define LARGE_PAGE (1UL << PT_SHIFT_L2)

/* What is kept of each frame, in bytes. */
#define FRAME_RECORDS (sizeof(struct frame) + sizeof(uint64_t))

static struct ram_span free_spans[FREE_MAX];
static unsigned int free_count;

static maddr_t alloc_limit = EARLY_MAP_SIZE;

static maddr_t image_maddr(const char *symbol)
{
    return (uintptr_t)symbol - IMAGE_BASE;
}

/* --- What is free ------------------------------------------------------- */

/* There is room for what keep() cuts; crumbs beyond that are lost. */
static void add_free(maddr_t start, maddr_t end)
{
    if (start < end && free_count < FREE_MAX)
        free_spans[free_count++] = (struct ram_span){start, end};
}

/* Keep [start, end) out of the free spans. */
static void keep(maddr_t start, maddr_t end)
{
    unsigned int count = free_count;

    for (unsigned int i = 0; i < count; i++) {
        struct ram_span *f = &free_spans[i];
        maddr_t old_end = f->end;

        if (end <= f->start || start >= f->end)
            continue;
        f->end = MAX(start, f->start);
        add_free(end, old_end);
    }
}

static uint64_t spans_bytes(const struct ram_span *spans, unsigned int count)
{
    uint64_t bytes = 0;

    for (unsigned int i = 0; i < count; i++)
        bytes += spans[i].end - spans[i].start;
    return bytes;
}

/* --- Taking ------------------------------------------------------------- */

/*
 * @size bytes, aligned to their size and zeroed, from the highest span that has
 * them; 0 if none has.
 */
static maddr_t take(uint64_t size)
{
    struct ram_span *best = NULL;
    maddr_t at;

    for (unsigned int i = 0; i < free_count; i++) {
        struct ram_span *f = &free_spans[i];

        if (f->end > alloc_limit || f->end - f->start < 2 * size)
            continue;
        if (!best || f->start > best->start)
            best = f;
    }
    if (!best)
        return 0;
    at = (best->end - size) & ~(size - 1);
    add_free(at + size, best->end); /* what alignment leaves over behind it */
    best->end = at;
    memset(mfn_to_virt(maddr_to_mfn(at)), 0, size);
    return at;
}

/* --- Modules ------------------------------------------------------------ */

static bool is_ram(maddr_t start, maddr_t end)
{
    for (unsigned int i = 0; i < boot_info.ram_count; i++)
        if (start >= boot_info.ram[i].start && end <= boot_info.ram[i].end)
            return true;
    return false;
}

static void keep_modules(void)
{
    for (unsigned int i = 0; i < boot_module_count; i++) {
        const struct boot_module *m = &boot_modules[i];
        maddr_t end = m->start + (pages_of(m->bytes) << PAGE_SHIFT);

        if (m->bytes && !is_ram(m->start, end))
            boot_fail("module %u (%s) does not lie in RAM", i, m->string);
        keep(m->start, end);
    }
}

/* @bytes for as long as a module is needed, whole pages of them; 0: no room. */
static maddr_t take_module(uint64_t bytes)
{
    uint64_t size = PAGE_SIZE;
    maddr_t at;

    while (size < bytes)
        size <<= 1;
    at = take(size);
    if (at)
        add_free(at + (pages_of(bytes) << PAGE_SHIFT), at + size);
    return at;
}

/* UEFI's GRUB puts modules where CPUs start: the first MiB is not theirs. */
static void lift_module(unsigned int i)
{
    struct boot_module *m = &boot_modules[i];
    maddr_t to;

    if (m->start >= LOW_END || !m->bytes)
        return;
    to = take_module(m->bytes);
    if (!to)
        boot_fail("too little memory to move module %u (%s)", i, m->string);
    memcpy(mfn_to_virt(maddr_to_mfn(to)), mfn_to_virt(maddr_to_mfn(m->start)),
           m->bytes);
    log_info("module %u: moved to %lx", i, to);
    m->start = to;
}

/* The initial domain's image, if it is compressed; what it was in is free. */
static void unpack_image(struct boot_module *m)
{
    const void *file = mfn_to_virt(maddr_to_mfn(m->start));
    maddr_t end = m->start + (pages_of(m->bytes) << PAGE_SHIFT), to, work;
    const char *wrong;
    uint64_t size;

    if (!is_gzip(file, m->bytes))
        return;
    size = gzip_size(file, m->bytes);
    work = take_module(GZIP_WORK);
    to = take_module(size);
    if (!work || !to)
        boot_fail("no memory for the %lu KiB that the first module (%s) says "
                  "are compressed in it",
                  size >> 10, m->string);
    wrong = gzip_unpack(mfn_to_virt(maddr_to_mfn(to)), size, file, m->bytes,
                        mfn_to_virt(maddr_to_mfn(work)));
    if (wrong)
        boot_fail("the first module (%s) cannot be unpacked: %s", m->string,
                  wrong);
    add_free(work, work + GZIP_WORK);
    add_free(m->start, end);
    m->start = to;
    m->bytes = size;
}

/* RAM but for the first MiB, the image and the modules. */
static void find_free(void)
{
    uint64_t ram = spans_bytes(boot_info.ram, boot_info.ram_count);
    uint64_t free, table = ram / PAGE_SIZE * FRAME_RECORDS +
                           boot_cpus_max() * CPU_AREA_SIZE;

    for (unsigned int i = 0; i < boot_info.ram_count; i++)
        add_free(boot_info.ram[i].start, boot_info.ram[i].end);
    keep(0, LOW_END);
    keep(image_maddr(image_start), image_maddr(image_end));
    keep_modules();
    for (unsigned int i = 0; i < boot_module_count; i++)
        lift_module(i);
    unpack_image(&boot_modules[0]);

    free = spans_bytes(free_spans, free_count);
    log_info("memory: %lu MiB of RAM, %lu MiB free", ram >> 20, free >> 20);
    if (free < table + NEEDED_FREE)
        boot_fail("too little memory: %lu MiB are free, %lu MiB are needed; "
                  "give the machine %lu MiB more",
                  free >> 20, (table + NEEDED_FREE) >> 20,
                  ((table + NEEDED_FREE - free) >> 20) + 1);
}

/* --- Tables ------------------------------------------------------------- */

mfn_t upcall_alloc_table(void)
{
    maddr_t maddr = free_count ? take(PAGE_SIZE) : 0;
    struct frame *f = NULL;

    if (maddr)
        return maddr_to_mfn(maddr);
    if (!free_count) /* The allocator has them all. */
        f = frame_alloc(DOMID_XEN, FRAME_METADATA);
    return f ? frame_to_mfn(f) : MFN_NONE;
}

static void map(vaddr_t va, maddr_t start, maddr_t end, uint64_t flags)
{
    if (start < end && !hv_map(va, start, end - start, flags))
        panic("no memory for page tables");
}

#define READ_EXECUTE PTE_GLOBAL
#define READ_ONLY    (PTE_GLOBAL | PTE_NX)
#define READ_WRITE   (PTE_GLOBAL | PTE_NX | PTE_WRITE)

static void map_image(void)
{
    maddr_t text = image_maddr(image_start);
    maddr_t rodata = image_maddr(image_text_end);
    maddr_t data = image_maddr(image_rodata_end);

    assert(text == IMAGE_MADDR);
    map(IMAGE_BASE + text, text, rodata, READ_EXECUTE);
    map(IMAGE_BASE + rodata, rodata, data, READ_ONLY);
    map(IMAGE_BASE + data, data, image_maddr(image_end), READ_WRITE);
}

static void map_page(vaddr_t va, maddr_t maddr, uint64_t flags)
{
    map(va, maddr, maddr + PAGE_SIZE, flags);
}

/*
 * Page @n of @cpu's own.  The first one's are where boot.S has mapped them, so
 * that the stack we run on stays.
 */
static maddr_t cpu_page(unsigned int cpu, unsigned int n)
{
    maddr_t page =
        cpu ? take(PAGE_SIZE) : image_maddr(boot_cpu_pages + n * PAGE_SIZE);

    if (!page)
        panic("no memory for CPU %u", cpu);
    return page;
}

static void map_cpu(unsigned int cpu)
{
    vaddr_t area = area_of(CPU_AREAS_BASE, cpu),
            gdt = area_of(GDT_AREAS_BASE, cpu);
    unsigned int n = 0;

    for (unsigned int i = 0; i < CPU_AREA_SIZE / PAGE_SIZE; i++)
        if (CPU_AREA_PAGES >> i & 1)
            map_page(area + i * PAGE_SIZE, cpu_page(cpu, n++), READ_WRITE);
    for (unsigned int i = 0; i < SELECTOR_RESERVED / PAGE_SIZE; i++)
        map_page(gdt + i * PAGE_SIZE, image_maddr(zero_page), READ_ONLY);
    map_page(gdt + SELECTOR_RESERVED, cpu_page(cpu, n), READ_WRITE);
    for (unsigned int i = 0; i < LDT_PAGES; i++)
        map_page(area_of(LDT_AREAS_BASE, cpu) + i * PAGE_SIZE,
                 image_maddr(zero_page), READ_ONLY);
}

/* The part of @ram that lies in [start, end). */
static void map_part(struct ram_span ram, maddr_t start, maddr_t end,
                     uint64_t flags)
{
    start = MAX(ram.start, start);
    map(DIRECT_MAP_BASE + start, start, MIN(ram.end, end), flags);
}

/* All RAM; our code and constants must not be writable here either. */
static void map_directly(struct ram_span ram)
{
    maddr_t text = image_maddr(image_start);
    maddr_t data = image_maddr(image_rodata_end);

    map_part(ram, 0, text, READ_WRITE);
    map_part(ram, text, data, READ_ONLY);
    map_part(ram, data, UINT64_MAX, READ_WRITE);
}

/* --- Tables of what there is for each frame ------------------------------ */

/* What a part of a table holds, if not zeros; mapped at @va. */
typedef void fill_fn(vaddr_t va, maddr_t maddr, uint64_t size);

/*
 * Back @bytes of a table at @va, or a part of that: a large page, if it can.
 * Returns how much.
 */
static uint64_t back_table(vaddr_t va, uint64_t bytes, fill_fn *fill)
{
    bool large = va % LARGE_PAGE == 0 && bytes >= LARGE_PAGE;
    uint64_t size = LARGE_PAGE;
    maddr_t maddr = large ? take(size) : 0;

    if (!maddr) {
        size = PAGE_SIZE;
        maddr = take(size);
    }
    if (!maddr)
        panic("no memory for the frame table");
    map(va, maddr, maddr + size, READ_WRITE);
    if (fill)
        fill(va, maddr, size);
    return size;
}

/*
 * Make the part of a table at @base for all frames of RAM, @record bytes each,
 * zero unless @fill does something; two ranges may meet in a page of records.
 */
static void make_table(vaddr_t base, uint64_t record, fill_fn *fill)
{
    vaddr_t done = base;

    for (unsigned int i = 0; i < boot_info.ram_count; i++) {
        const struct ram_span *ram = &boot_info.ram[i];
        vaddr_t at = base + (ram->start >> PAGE_SHIFT) * record;
        vaddr_t end = base + (ram->end >> PAGE_SHIFT) * record;

        end = (end + PAGE_SIZE - 1) & PAGE_MASK;
        for (at = MAX(done, at & PAGE_MASK); at < end;)
            at += back_table(at, end - at, fill);
        done = MAX(done, end);
    }
}

/*
 * All invalid, and mapped for guests as well: not globally, for a program must
 * not read what its kernel has left in the TLB.
 */
static void fill_m2p(vaddr_t va, maddr_t maddr, uint64_t size)
{
    memset((void *)va, 0xff, size);
    map(va - M2P_OWN_BASE + M2P_BASE, maddr, maddr + size, PTE_NX | PTE_USER);
}

void boot_memory_take(void)
{
    find_free();
    map_image();
    for (unsigned int cpu = 0; cpu < boot_cpus_max(); cpu++)
        map_cpu(cpu);
    for (unsigned int i = 0; i < boot_info.ram_count; i++)
        map_directly(boot_info.ram[i]);
    hv_tables_load();
    alloc_limit = DIRECT_MAP_SIZE;
    make_table(FRAME_TABLE_BASE, sizeof(struct frame), NULL);
    make_table(M2P_OWN_BASE, sizeof(uint64_t), fill_m2p);

    for (unsigned int i = 0; i < free_count; i++)
        frames_add(maddr_to_mfn(free_spans[i].start),
                   (free_spans[i].end - free_spans[i].start) >> PAGE_SHIFT);
    free_count = 0;
    log_info("memory: %lu frames for domains", frame_totals().unreserved);
}

void boot_module_free(unsigned int i)
{
    const struct boot_module *m = &boot_modules[i];

    frames_add(maddr_to_mfn(m->start), pages_of(m->bytes));
}
