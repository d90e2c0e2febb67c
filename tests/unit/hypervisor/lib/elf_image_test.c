/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/lib/elf_image.c */
/*
 * The image reader on good images, on each way to be bad, and on thousands of
 * damaged ones, with the file in a block of its exact size: the sanitizer sees
 * any byte read beyond it.
 */

#include "lib/elf_image.h"

#include <elf.h>

#include <abi/cpuid.h>
#include <abi/elfnote.h>

#include "unit/test.h"

#define FILE_BYTES 0x3000
#define HEADERS    3 /* text, data, notes */

static struct {
    Elf64_Ehdr e;
    Elf64_Phdr p[HEADERS];
    uint8_t notes[256];
} top;
static size_t notes_size;

static struct elf_image image;

static void add_note(const char *name, uint32_t type, const void *desc,
                     uint32_t desc_bytes)
{
    uint32_t name_bytes = (uint32_t)strlen(name) + 1;
    Elf64_Nhdr n = {name_bytes, desc_bytes, type};

    memcpy(top.notes + notes_size, &n, sizeof(n));
    notes_size += sizeof(n);
    memcpy(top.notes + notes_size, name, name_bytes);
    notes_size += (name_bytes + 3) / 4 * 4;
    memcpy(top.notes + notes_size, desc, desc_bytes);
    notes_size += (desc_bytes + 3) / 4 * 4;
    top.p[2].p_filesz = top.p[2].p_memsz = notes_size;
}

static void add_number(const char *name, uint32_t type, uint64_t value)
{
    add_note(name, type, &value, 8);
}

/* A light image at VIRT_BASE 0x400000: text at 0x1000, data and bss behind. */
void setup(void)
{
    uint32_t class = CAIRN_CLASS_LIGHT;

    memset(&top, 0, sizeof(top));
    notes_size = 0;
    memcpy(top.e.e_ident, ELFMAG, SELFMAG);
    top.e.e_ident[EI_CLASS] = ELFCLASS64;
    top.e.e_ident[EI_DATA] = ELFDATA2LSB;
    top.e.e_ident[EI_VERSION] = EV_CURRENT;
    top.e.e_type = ET_EXEC;
    top.e.e_machine = EM_X86_64;
    top.e.e_phoff = sizeof(Elf64_Ehdr);
    top.e.e_phentsize = sizeof(Elf64_Phdr);
    top.e.e_phnum = HEADERS;
    top.e.e_entry = 0x1000;
    top.p[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                            .p_flags = PF_R | PF_X,
                            .p_offset = 0x1000,
                            .p_paddr = 0x1000,
                            .p_filesz = 0x800,
                            .p_memsz = 0x800};
    top.p[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                            .p_flags = PF_R | PF_W,
                            .p_offset = 0x2000,
                            .p_paddr = 0x2000,
                            .p_filesz = 0x1000,
                            .p_memsz = 0x5000};
    top.p[2] = (Elf64_Phdr){.p_type = PT_NOTE,
                            .p_offset = offsetof(__typeof__(top), notes)};
    add_number("Xen", XEN_ELFNOTE_VIRT_BASE, 0x400000);
    add_number("Xen", XEN_ELFNOTE_ENTRY, 0x401010);
    add_note("Xen", XEN_ELFNOTE_GUEST_OS, "cairn", 5); /* padded */
    add_note("Cairn", CAIRN_ELFNOTE_CLASS, &class, 4);
}

/* Read the first @size bytes of the image, mutated by @damage. */
static const char *read_image(size_t size, void (*damage)(uint8_t *file))
{
    uint8_t *file = malloc(size ? size : 1);
    uint8_t whole[FILE_BYTES] = {0};
    const char *wrong;

    REQUIRE(file != NULL);
    memcpy(whole, &top, sizeof(top));
    memcpy(file, whole, size);
    if (damage)
        damage(file);
    wrong = elf_image_read(&image, file, size);
    free(file);
    return wrong;
}

static void expect_refused(const char *reason)
{
    EXPECT_STR(read_image(FILE_BYTES, NULL), reason);
}

TEST("a good light image is described as it is")
{
    EXPECT_STR(read_image(FILE_BYTES, NULL), NULL);
    EXPECT_EQ(image.segment_count, 2);
    EXPECT_EQ(image.segment[0].paddr, 0x1000);
    EXPECT_TRUE(image.segment[0].execute);
    EXPECT_FALSE(image.segment[0].write);
    EXPECT_EQ(image.segment[1].offset, 0x2000);
    EXPECT_EQ(image.segment[1].file_bytes, 0x1000);
    EXPECT_EQ(image.segment[1].mem_bytes, 0x5000);
    EXPECT_TRUE(image.segment[1].write);
    EXPECT_EQ(image.end, 0x7000);
    EXPECT_EQ(image.virt_base, 0x400000);
    EXPECT_EQ(image.entry, 0x401010);
    EXPECT_EQ(image.class, CAIRN_CLASS_LIGHT);
    EXPECT_EQ(image.hypercall_page, 0);
    EXPECT_TRUE(image.xen_notes);
}

TEST("without notes it is class pv and starts at the header's entry")
{
    top.e.e_phnum = 2;
    EXPECT_STR(read_image(FILE_BYTES, NULL), NULL);
    EXPECT_EQ(image.class, CAIRN_CLASS_PV);
    EXPECT_EQ(image.entry, 0x1000);
    EXPECT_FALSE(image.xen_notes);
}

TEST("PADDR_OFFSET moves the segments and needs a VIRT_BASE")
{
    add_number("Xen", XEN_ELFNOTE_PADDR_OFFSET, 0x1000);
    add_number("Xen", XEN_ELFNOTE_ENTRY, 0x400010);
    EXPECT_STR(read_image(FILE_BYTES, NULL), NULL);
    EXPECT_EQ(image.segment[0].paddr, 0);
    EXPECT_EQ(image.end, 0x6000);

    notes_size = 0;
    add_number("Xen", XEN_ELFNOTE_PADDR_OFFSET, 0x1000);
    expect_refused("it has a PADDR_OFFSET note without a VIRT_BASE");
}

TEST("numbers in notes have 1, 2, 4 or 8 bytes")
{
    static const uint32_t odd[] = {0, 3, 5, 9, 16, 64};
    uint8_t page[64] = {0x00, 0x30, 0x40};

    add_note("Xen", XEN_ELFNOTE_HYPERCALL_PAGE, page, 4);
    EXPECT_STR(read_image(FILE_BYTES, NULL), NULL);
    EXPECT_EQ(image.hypercall_page, 0x403000);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        setup();
        add_note("Xen", XEN_ELFNOTE_HYPERCALL_PAGE, page, odd[i]);
        expect_refused("a note holds a number of an unknown size");
    }
}

TEST("a hypercall page is a whole one of the image's")
{
    static const struct {
        uint64_t page;
        bool good;
    } cases[] = {{0x400000, true},  {0x406000, true},  {0x407000, false},
                 {0x403008, false}, {0x3ff000, false}, {~0ULL << 12, false},
                 {0x1000, false}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setup();
        add_number("Xen", XEN_ELFNOTE_HYPERCALL_PAGE, cases[i].page);
        if (cases[i].good)
            EXPECT_STR(read_image(FILE_BYTES, NULL), NULL);
        else
            expect_refused("its hypercall page lies outside the image");
    }
}

TEST("each field out of order is refused with its reason")
{
    static const struct {
        const char *reason;
        size_t at;
        uint64_t value;
        size_t bytes;
    } cases[] = {
#define FIELD(f, v, text)                                                      \
    {text, offsetof(__typeof__(top), f), (v), sizeof(top.f)}
        FIELD(e.e_ident[0], 0, "it is no ELF file"),
        FIELD(e.e_ident[EI_CLASS], 1, "it is no ELF64 file for x86-64"),
        FIELD(e.e_machine, 3, "it is no ELF64 file for x86-64"),
        FIELD(e.e_type, ET_REL, "it is no executable"),
        FIELD(e.e_phentsize, 57, "its program headers have an unknown size"),
        FIELD(e.e_phnum, 0, "it has no program headers"),
        FIELD(e.e_phnum, 0xffff, "it has too many program headers"),
        FIELD(e.e_phoff, FILE_BYTES - 100,
              "its program headers lie outside the file"),
        FIELD(e.e_phoff, ~0ULL, "its program headers lie outside the file"),
        FIELD(p[0].p_filesz, 0x900,
              "a segment is larger in the file than in memory"),
        FIELD(p[1].p_offset, 0x2001, "a segment lies outside the file"),
        FIELD(p[1].p_offset, ~0ULL, "a segment lies outside the file"),
        FIELD(p[1].p_memsz, ~0ULL, "a segment's address is out of range"),
        FIELD(p[1].p_paddr, ~0ULL, "a segment's address is out of range"),
        FIELD(p[1].p_paddr, 0x1700, "two segments overlap"),
        FIELD(p[1].p_paddr, 0x1800,
              "two segments of different rights share a page"),
        FIELD(p[0].p_flags, PF_R | PF_W | PF_X,
              "a segment is writable and executable"),
        FIELD(p[2].p_offset, FILE_BYTES,
              "a note segment lies outside the file"),
        FIELD(p[2].p_filesz, 21, "a note lies outside its segment"),
        {"a note lies outside its segment", offsetof(__typeof__(top), notes),
         0xfffffff0, 4},
        {"a note lies outside its segment",
         offsetof(__typeof__(top), notes) + 4, 0xfffffff0, 4},
        FIELD(p[0].p_flags, PF_R,
              "its entry point is not in executable memory"),
#undef FIELD
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setup();
        memcpy((char *)&top + cases[i].at, &cases[i].value, cases[i].bytes);
        expect_refused(cases[i].reason);
    }
}

TEST("the entry must lie in a segment's own bytes")
{
    add_number("Xen", XEN_ELFNOTE_ENTRY, 0x4017ff);
    EXPECT_STR(read_image(FILE_BYTES, NULL), NULL);
    add_number("Xen", XEN_ELFNOTE_ENTRY, 0x401800);
    expect_refused("its entry point is not in executable memory");
    add_number("Xen", XEN_ELFNOTE_ENTRY, 0x400fff);
    expect_refused("its entry point is not in executable memory");
}

TEST("bases that are unaligned or wrap are refused")
{
    add_number("Xen", XEN_ELFNOTE_VIRT_BASE, 0x400800);
    expect_refused("its VIRT_BASE is not page-aligned");
    add_number("Xen", XEN_ELFNOTE_VIRT_BASE, 0xffffffffffffc000);
    expect_refused("its addresses wrap around");
}

TEST("an unknown class is refused")
{
    uint32_t class = 7;

    add_note("Cairn", CAIRN_ELFNOTE_CLASS, &class, 4);
    expect_refused("its class note names an unknown class");
}

TEST("seventeen segments are one too many")
{
    top.e.e_phoff = 0x1000;
    top.e.e_phnum = ELF_IMAGE_SEGMENTS_MAX + 1;
    uint8_t file[FILE_BYTES] = {0};

    memcpy(file, &top, sizeof(top));
    for (unsigned int i = 0; i <= ELF_IMAGE_SEGMENTS_MAX; i++) {
        Elf64_Phdr p = {.p_type = PT_LOAD,
                        .p_flags = PF_R | PF_X,
                        .p_paddr = 0x1000 * (i + 1),
                        .p_memsz = 16};

        memcpy(file + 0x1000 + i * sizeof(p), &p, sizeof(p));
    }
    EXPECT_STR(elf_image_read(&image, file, sizeof(file)),
               "it has too many loadable segments");
}

TEST("an image cut short anywhere in its headers is refused")
{
    for (size_t size = 0; size < sizeof(top); size++)
        EXPECT_TRUE(read_image(size, NULL) != NULL);
}

static uint32_t random_state = 1;

static uint32_t random_number(void)
{
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 8;
}

static void damage_some_bytes(uint8_t *file)
{
    static const uint8_t nasty[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    uint32_t count = 1 + random_number() % 6;

    while (count--)
        file[random_number() % sizeof(top)] =
            random_number() % 2 ? nasty[random_number() % sizeof(nasty)]
                                : (uint8_t)random_number();
}

/* What any caller relies on when nothing is wrong. */
static void check_promises(size_t size)
{
    REQUIRE(image.segment_count >= 1);
    REQUIRE(image.segment_count <= ELF_IMAGE_SEGMENTS_MAX);
    EXPECT_TRUE(image.end > 0);
    for (unsigned int i = 0; i < image.segment_count; i++) {
        const struct elf_segment *s = &image.segment[i];

        EXPECT_TRUE(s->offset <= size && s->file_bytes <= size - s->offset);
        EXPECT_TRUE(s->file_bytes <= s->mem_bytes);
        EXPECT_TRUE(s->mem_bytes <= image.end - s->paddr);
    }
}

TEST("ten thousand damaged images are read safely or refused with a reason")
{
    int good = 0;

    for (int i = 0; i < 10000; i++) {
        size_t size =
            i % 3 ? FILE_BYTES
                  : sizeof(top) + random_number() % (FILE_BYTES - sizeof(top));
        const char *wrong;

        setup();
        wrong = read_image(size, damage_some_bytes);
        if (wrong) {
            EXPECT_TRUE(*wrong);
        } else {
            check_promises(size);
            good++;
        }
    }
    EXPECT_TRUE(good > 100);
    EXPECT_TRUE(good < 9000);
}
