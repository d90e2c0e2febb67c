/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernels as they come: each form gives what the plain ELF file gives, and what
 * is wrong with one is told and does no harm.
 */
/* LINK: guests/control/kernel/kernel_image.c guests/control/kernel/unpack.c */
/* LINK: hypervisor/lib/elf_image.c */
/* LIBS: -lz -llz4 -llzma -lzstd */

#include "test.h"

#include <elf.h>

#include <abi/cpuid.h>
#include <abi/elfnote.h>

#include <rt/thread.h>

#include "control/kernel/pack.h"
#include "kernel/kernel_image.h"

void thread_yield(void)
{
}

/* --- An image ------------------------------------------------------------- */

/* All that is looked at before loading lies in the first of these. */
#define HEAD  0x10000U
#define NOTES 0x4000U

#define FILE_MAX 0x90000U
#define TEXT_AT  0x80000U
#define DATA_AT  0x82000U
#define BASE     0x100000U
#define HIGH     0xffffffff80000000ULL

static uint8_t *file;
static size_t file_size;

static Elf64_Ehdr *ehdr(void)
{
    return (Elf64_Ehdr *)(void *)file;
}

static Elf64_Phdr *phdr(unsigned int i)
{
    return (Elf64_Phdr *)(void *)(file + ehdr()->e_phoff) + i;
}

/* A note behind what is at @at; where the next one goes. */
static uint64_t put_note(uint64_t at, const char *name, uint32_t type,
                         uint64_t value)
{
    Elf64_Nhdr n = {(uint32_t)strlen(name) + 1, 8, type};

    memcpy(file + at, &n, sizeof(n));
    strcpy((char *)file + at + sizeof(n), name);
    at += sizeof(n) + ((n.n_namesz + 3) & ~3U);
    memcpy(file + at, &value, sizeof(value));

    return at + sizeof(value);
}

/* Program header @i is of notes at @at: those that class light needs. */
static void put_notes(unsigned int i, uint64_t at, uint64_t size)
{
    uint64_t end = put_note(at, "Xen", XEN_ELFNOTE_VIRT_BASE, HIGH);

    end = put_note(end, "Xen", XEN_ELFNOTE_ENTRY, HIGH + BASE + 0x20);
    end = put_note(end, "Cairn", CAIRN_ELFNOTE_CLASS, CAIRN_CLASS_LIGHT);
    *phdr(i) = (Elf64_Phdr){
        .p_type = PT_NOTE, .p_offset = at, .p_filesz = size ? size : end - at};
}

static void make_image(void)
{
    memset(file, 0, FILE_MAX);
    file_size = DATA_AT + 3000;
    memcpy(ehdr()->e_ident, "\177ELF\2\1\1", 7);
    ehdr()->e_type = ET_EXEC;
    ehdr()->e_machine = EM_X86_64;
    ehdr()->e_phoff = sizeof(Elf64_Ehdr);
    ehdr()->e_phentsize = sizeof(Elf64_Phdr);
    ehdr()->e_phnum = 3;
    ehdr()->e_entry = BASE;
    *phdr(0) = (Elf64_Phdr){.p_type = PT_LOAD,
                            .p_flags = PF_R | PF_X,
                            .p_offset = TEXT_AT,
                            .p_paddr = BASE,
                            .p_filesz = 5000,
                            .p_memsz = 5000};
    *phdr(1) = (Elf64_Phdr){.p_type = PT_LOAD,
                            .p_flags = PF_R | PF_W,
                            .p_offset = DATA_AT,
                            .p_paddr = BASE + 0x2000,
                            .p_filesz = 3000,
                            .p_memsz = 0x3000};
    put_notes(2, 0x1000, 0);
    for (unsigned int i = 0; i < 5000; i++)
        file[TEXT_AT + i] = (uint8_t)(i * 7 + i / 256);
    for (unsigned int i = 0; i < 3000; i++)
        file[DATA_AT + i] = (uint8_t)(i * 5 + 1);
}

/* The program headers go to @at. */
static void move_headers(uint64_t at)
{
    memmove(file + at, file + ehdr()->e_phoff,
            ehdr()->e_phnum * sizeof(Elf64_Phdr));
    ehdr()->e_phoff = at;
}

/* --- Reading and loading it ----------------------------------------------- */

static uint8_t memory[1 << 15], expected[1 << 15]; /* from BASE on */
static struct kernel_image kernel;
static const char *why;
static unsigned int puts_left;

/* As the builder: the image ends somewhere, and all must lie before that. */
static bool put(void *context, uint64_t paddr, const void *bytes, size_t size)
{
    const struct kernel_image *k = context;

    EXPECT_TRUE(paddr <= k->elf.end && size <= k->elf.end - paddr);
    if (!puts_left || paddr < BASE || paddr - BASE > sizeof(memory) ||
        size > sizeof(memory) - (paddr - BASE))
        return false;
    puts_left--;
    memcpy(memory + (paddr - BASE), bytes, size);

    return true;
}

static bool read_packed(const struct packed *p)
{
    bool ok;

    why = "nothing was said";
    ok = kernel_read(&kernel, p->data, p->size, &why);
    EXPECT_TRUE(ok || (why && why[0]));

    return ok;
}

static bool load(void)
{
    memset(memory, 0, sizeof(memory));
    why = "nothing was said";

    return kernel_load(&kernel, put, &kernel, &why);
}

static struct packed file_packed(enum unpack_format format)
{
    return pack(format, file, file_size, 0);
}

/* The file, in this format, is refused for @reason. */
static void refused_as(enum unpack_format format, const char *reason)
{
    struct packed p = file_packed(format);

    EXPECT_FALSE(read_packed(&p));
    EXPECT_STR(why, reason);
    free(p.data);
}

static void refused(const char *reason)
{
    refused_as(UNPACK_GZIP, reason);
}

/* It is read, and all that it should give is found. */
static void accepted(const struct packed *p)
{
    REQUIRE(read_packed(p));
    EXPECT_EQ(kernel.elf.class, CAIRN_CLASS_LIGHT);
    EXPECT_EQ(kernel.elf.virt_base, HIGH);
    EXPECT_EQ(kernel.elf.entry, HIGH + BASE + 0x20);
    EXPECT_EQ(kernel.elf.segment_count, 2);
    EXPECT_EQ(kernel.elf.end, BASE + 0x5000);
    EXPECT_TRUE(kernel.elf.xen_notes);
    EXPECT_TRUE(load());
    EXPECT_PTR(why, NULL);
    EXPECT_MEM(memory, file + TEXT_AT, 5000);
    EXPECT_MEM(memory + 0x2000, file + DATA_AT, 3000);
    EXPECT_EQ(memory[0x2000 + 3000], 0);
}

static void accepted_as(enum unpack_format format)
{
    struct packed p = file_packed(format);

    accepted(&p);
    EXPECT_EQ(kernel.format, format);
    free(p.data);
}

static void accepted_in_all(void)
{
    accepted_as(UNPACK_NONE);
    accepted_as(UNPACK_GZIP);
    accepted_as(UNPACK_LZ4);
    accepted_as(UNPACK_XZ);
    accepted_as(UNPACK_ZSTD);
}

void setup(void)
{
    file = malloc(FILE_MAX);
    puts_left = UINT32_MAX;
    make_image();
}

void teardown(void)
{
    free(file);
}

TEST("a kernel is the same in every compression")
{
    accepted_in_all();
}

TEST("what is no kernel is told so in every compression")
{
    file[1] = 'F';
    refused_as(UNPACK_NONE, "it is no ELF file");
    refused_as(UNPACK_GZIP, "it is no ELF file");
    refused_as(UNPACK_LZ4, "it is no ELF file");
    refused_as(UNPACK_XZ, "it is no ELF file");
    refused_as(UNPACK_ZSTD, "it is no ELF file");
    make_image();
    file_size = 0;
    refused_as(UNPACK_NONE, "it is shorter than an ELF header");
    refused("it is no ELF file");
    make_image();
    ehdr()->e_phnum = 0;
    refused("it has no program headers");
    make_image();
    phdr(1)->p_paddr = BASE;
    refused("two segments overlap");
}

TEST("a kernel that is cut is refused, whole or when it is loaded")
{
    struct packed p = file_packed(UNPACK_GZIP);

    for (size_t n = 0; n < p.size; n += n < 40 ? 1 : 57) {
        struct packed part = packed_copy(p.data, n);

        if (read_packed(&part)) {
            EXPECT_FALSE(load());
            EXPECT_STR(why, "its compressed data end too early");
        }
        free(part.data);
    }
    free(p.data);
}

TEST("data that end before the last segment are refused when it is loaded")
{
    struct packed p;

    file_size--;
    refused_as(UNPACK_NONE, "a segment lies outside the file");
    for (unsigned int format = UNPACK_GZIP; format <= UNPACK_ZSTD; format++) {
        p = file_packed(format);
        REQUIRE(read_packed(&p));
        EXPECT_FALSE(load());
        EXPECT_STR(why, "what is compressed in it ends before its last "
                        "segment");
        free(p.data);
    }
    phdr(1)->p_offset = KERNEL_BYTES_MAX - 3000;
    p = file_packed(UNPACK_GZIP);
    REQUIRE(read_packed(&p));
    EXPECT_FALSE(load());
    free(p.data);
    phdr(1)->p_offset++;
    refused("a segment lies outside the file");
    phdr(1)->p_offset = UINT64_MAX - 1000;
    refused("a segment lies outside the file");
}

TEST("who puts no more is asked no more, and nothing is said")
{
    struct packed p = file_packed(UNPACK_GZIP);

    for (puts_left = 0; puts_left < 2;) {
        unsigned int allowed = puts_left;

        REQUIRE(read_packed(&p));
        EXPECT_FALSE(load());
        EXPECT_PTR(why, NULL);
        EXPECT_EQ(puts_left, 0);
        puts_left = allowed + 1;
    }
    EXPECT_TRUE(load());
    free(p.data);
}

/* --- Headers and notes of a compressed one -------------------------------- */

TEST("notes are found inside the head, across its end, and behind it")
{
    static const uint64_t places[] = {
        0x1000, HEAD - 200, HEAD - 72, HEAD - 68, HEAD - 20,    HEAD - 4,
        HEAD,   HEAD + 4,   0x3fffc,   0x40000,   TEXT_AT - 100};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        make_image();
        put_notes(2, places[i], 0);
        accepted_in_all();
    }
    make_image();
    put_notes(2, 0x20000, NOTES);
    accepted_in_all();
}

TEST("a segment of notes at offset 0 is none, and without one there are none")
{
    struct packed p;

    phdr(2)->p_type = PT_NULL;
    for (unsigned int i = 0; i < 2; i++) {
        ehdr()->e_entry = BASE;
        p = file_packed(UNPACK_GZIP);
        REQUIRE(read_packed(&p));
        EXPECT_FALSE(kernel.elf.xen_notes);
        EXPECT_EQ(kernel.elf.class, CAIRN_CLASS_PV);
        EXPECT_TRUE(load());
        free(p.data);
        phdr(2)->p_type = PT_NOTE;
        phdr(2)->p_offset = 0;
        phdr(2)->p_filesz = UINT64_MAX;
    }
}

TEST("notes that are larger than what is kept of them are refused")
{
    static const uint64_t sizes[] = {NOTES + 1, 0x20000, KERNEL_BYTES_MAX,
                                     UINT64_MAX};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        phdr(2)->p_filesz = sizes[i];
        refused("its notes are larger than 16 KiB");
    }
}

TEST("several segments of notes are all read, in their order")
{
    uint64_t end = put_note(0x30000, "Xen", XEN_ELFNOTE_ENTRY, 0);

    /* The last one of a kind counts. */
    ehdr()->e_phnum = 5;
    *phdr(3) = *phdr(2);
    *phdr(2) = (Elf64_Phdr){
        .p_type = PT_NOTE, .p_offset = 0x30000, .p_filesz = end - 0x30000};
    end = put_note(0x20000, "Xen", XEN_ELFNOTE_MOD_START_PFN, 1);
    *phdr(4) = (Elf64_Phdr){
        .p_type = PT_NOTE, .p_offset = 0x20000, .p_filesz = end - 0x20000};
    for (unsigned int format = UNPACK_NONE; format <= UNPACK_ZSTD; format++) {
        accepted_as(format);
        EXPECT_EQ(kernel.elf.mod_start_pfn, 1);
    }

    /* Together they are as large as what is kept, and one byte larger. */
    phdr(4)->p_filesz = NOTES - phdr(2)->p_filesz - phdr(3)->p_filesz;
    accepted_in_all();
    phdr(4)->p_filesz++;
    accepted_as(UNPACK_NONE);
    refused("its notes are larger than 16 KiB");
}

TEST("notes outside the file are refused")
{
    static const uint64_t places[] = {KERNEL_BYTES_MAX + 1, 1ULL << 40,
                                      UINT64_MAX - NOTES, UINT64_MAX - 60,
                                      UINT64_MAX};

    phdr(2)->p_offset = file_size - phdr(2)->p_filesz + 1;
    refused("what is compressed in it ends before its notes");
    phdr(2)->p_offset = KERNEL_BYTES_MAX - 1000;
    refused("what is compressed in it ends before its notes");
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        phdr(2)->p_offset = places[i];
        refused_as(UNPACK_NONE, "a note segment lies outside the file");
        refused("a note segment lies outside the file");
    }
}

TEST("a file that ends within the head has its notes there, or is refused")
{
    phdr(0)->p_offset = 0x3000;
    phdr(1)->p_offset = 0x5000;
    memcpy(file + 0x3000, file + TEXT_AT, 5000);
    memcpy(file + 0x5000, file + DATA_AT, 3000);
    file_size = 0x5000 + 3000;
    accepted_in_all();
    put_notes(2, file_size, 0);
    refused_as(UNPACK_NONE, "a note segment lies outside the file");
    refused("what is compressed in it ends before its notes");
}

TEST("the last place in the head for the program headers")
{
    const uint64_t bytes = 3 * sizeof(Elf64_Phdr);

    move_headers(HEAD - bytes);
    accepted_in_all();
}

TEST("program headers that are not all in the head are refused")
{
    static const char beyond[] = "its program headers are not all in its first "
                                 "64 KiB";
    static const uint64_t places[] = {HEAD - 3 * sizeof(Elf64_Phdr) + 1,
                                      HEAD - sizeof(Elf64_Phdr),
                                      HEAD - sizeof(Elf64_Phdr) + 1,
                                      HEAD - 1,
                                      HEAD,
                                      HEAD + NOTES - 100,
                                      HEAD + NOTES,
                                      0x40000};
    static const uint64_t far[] = {FILE_MAX, KERNEL_BYTES_MAX - 1000,
                                   KERNEL_BYTES_MAX, UINT64_MAX - 100,
                                   UINT64_MAX};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        make_image();
        move_headers(places[i]);
        accepted_as(UNPACK_NONE);
        refused(beyond);
    }
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        ehdr()->e_phoff = far[i];
        refused_as(UNPACK_NONE, "its program headers lie outside the file");
        refused(beyond);
    }
    make_image();
    ehdr()->e_phnum = UINT16_MAX;
    refused("it has too many program headers");
    ehdr()->e_phnum = 65;
    refused("it has too many program headers");
    ehdr()->e_phnum = 3;
    file_size = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr) - 1;
    refused_as(UNPACK_NONE, "its program headers lie outside the file");
    refused(beyond);
}

TEST("program headers that overlap the file's are refused")
{
    static const char overlap[] = "its program headers overlap its ELF header";

    for (uint64_t at = 0; at < sizeof(Elf64_Ehdr); at++) {
        make_image();
        ehdr()->e_phoff = at;
        refused(overlap);
    }
}

/* --- bzImage -------------------------------------------------------------- */

/* Of boot protocol 2.08, as far as it is looked at. */
static struct packed bzimage(const struct packed *payload, unsigned int sectors,
                             uint32_t offset)
{
    size_t at = ((sectors ? sectors : 4) + 1) * 512 + offset;
    struct packed p = {calloc(1, at + payload->size), at + payload->size};

    p.data[0x1f1] = (uint8_t)sectors;
    p.data[0x1fe] = 0x55;
    p.data[0x1ff] = 0xaa;
    memcpy(p.data + 0x202, "HdrS", 4);
    p.data[0x206] = 0x08;
    p.data[0x207] = 0x02;
    (void)put_word(p.data, 0x248, offset);
    (void)put_word(p.data, 0x24c, (uint32_t)payload->size);
    memcpy(p.data + at, payload->data, payload->size);

    return p;
}

static struct packed usual_bzimage(void)
{
    struct packed payload = file_packed(UNPACK_GZIP);
    struct packed p = bzimage(&payload, 2, 1000);

    free(payload.data);

    return p;
}

TEST("a bzImage's payload is found, in each compression")
{
    static const unsigned int sectors[] = {0, 1, 4, 39, 255};

    for (unsigned int format = UNPACK_GZIP; format <= UNPACK_ZSTD; format++) {
        struct packed payload = file_packed(format);

        for (size_t i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++) {
            struct packed p = bzimage(&payload, sectors[i], 333 * (uint32_t)i);

            accepted(&p);
            EXPECT_EQ(kernel.format, format);
            EXPECT_EQ(kernel.size, payload.size);
            free(p.data);
        }
        free(payload.data);
    }
}

static void bzimage_refused(const struct packed *p, const char *reason)
{
    EXPECT_FALSE(read_packed(p));
    EXPECT_STR(why, reason);
}

TEST("a bzImage whose payload is not in the file is refused")
{
    static const char outside[] = "the payload of its bzImage lies outside the "
                                  "file";
    struct packed p = usual_bzimage();
    uint32_t size = (uint32_t)p.size - 3 * 512 - 1000;

    (void)put_word(p.data, 0x24c, size + 1);
    bzimage_refused(&p, outside);
    (void)put_word(p.data, 0x24c, UINT32_MAX);
    bzimage_refused(&p, outside);
    (void)put_word(p.data, 0x24c, UINT32_MAX - 1000 - 3 * 512);
    bzimage_refused(&p, outside);
    (void)put_word(p.data, 0x24c, size);
    (void)put_word(p.data, 0x248, UINT32_MAX);
    bzimage_refused(&p, outside);
    (void)put_word(p.data, 0x248, UINT32_MAX - 3 * 512 + 1);
    bzimage_refused(&p, outside);
    (void)put_word(p.data, 0x248, (uint32_t)p.size - 3 * 512 + 1);
    (void)put_word(p.data, 0x24c, 0);
    bzimage_refused(&p, outside);
    free(p.data);
}

TEST("a bzImage without a payload that is known here is refused")
{
    static const char unknown[] = "its bzImage is compressed in a way that is "
                                  "not supported (gzip, lz4, xz and zstd are)";
    struct packed p = usual_bzimage();

    (void)put_word(p.data, 0x24c, 0);
    bzimage_refused(&p, unknown);
    (void)put_word(p.data, 0x24c, 1);
    bzimage_refused(&p, unknown);
    (void)put_word(p.data, 0x24c, 2);
    bzimage_refused(&p, "its compressed data end too early");
    (void)put_word(p.data, 0x248, (uint32_t)p.size - 3 * 512);
    (void)put_word(p.data, 0x24c, 0);
    bzimage_refused(&p, unknown);
    (void)put_word(p.data, 0x248, 1001);
    (void)put_word(p.data, 0x24c, 100);
    bzimage_refused(&p, unknown);
    free(p.data);
}

TEST("a bzImage before 2.08 is refused, and half of one is none")
{
    struct packed p = usual_bzimage();

    p.data[0x206] = 7;
    bzimage_refused(&p, "it is a bzImage from before boot protocol 2.08");
    p.data[0x207] = 1;
    p.data[0x206] = 0xff;
    bzimage_refused(&p, "it is a bzImage from before boot protocol 2.08");
    p.data[0x207] = 2;
    p.data[0x206] = 15;
    accepted(&p);
    p.data[0x1ff] = 0;
    bzimage_refused(&p, "it is no ELF file");
    p.data[0x1ff] = 0xaa;
    for (size_t n = 0; n < p.size; n += n < 0x260 ? 1 : 99) {
        struct packed part = packed_copy(p.data, n);

        if (n < sizeof(Elf64_Ehdr))
            bzimage_refused(&part, "it is shorter than an ELF header");
        else if (n < 0x250)
            bzimage_refused(&part, "it is no ELF file");
        else
            bzimage_refused(&part,
                            "the payload of its bzImage lies outside the file");
        free(part.data);
    }
    free(p.data);
}

/* --- At random ------------------------------------------------------------ */

static uint32_t seed = 7;

static uint32_t next(void)
{
    seed = seed * 1103515245 + 12345;

    return seed >> 8;
}

/* A field of the program headers, the ELF header or a note becomes odd. */
static void mutate(void)
{
    static const uint64_t odd[] = {0,
                                   1,
                                   4,
                                   56,
                                   64,
                                   1000,
                                   0x1000,
                                   NOTES,
                                   HEAD - 56,
                                   HEAD,
                                   HEAD + NOTES,
                                   0x3000,
                                   KERNEL_BYTES_MAX,
                                   KERNEL_BYTES_MAX - 1,
                                   1ULL << 40,
                                   1ULL << 63,
                                   UINT64_MAX};
    uint32_t what = next() % 10;
    size_t field = next() % (sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr)) & ~7U;
    uint64_t value;

    if (what == 0)
        file[next() % sizeof(Elf64_Ehdr)] = (uint8_t)next();
    else if (what <= 2)
        file[0x1000 + next() % 80] = (uint8_t)next();
    else if (what <= 5)
        file[next() % 300] = (uint8_t)next();
    else {
        value = odd[next() % (sizeof(odd) / sizeof(odd[0]))] + next() % 3;
        value -= what == 9 ? next() % 300 : 0;
        if (field < 16)
            ehdr()->e_phoff = value;
        else
            memcpy(file + field, &value, sizeof(value));
    }
}

/* What only a compressed kernel is refused for. */
static bool refused_for_head(void)
{
    return strstr(why, "64 KiB") || strstr(why, "16 KiB") ||
           strstr(why, "overlap its ELF header");
}

static void compare(const struct elf_image *a, const struct elf_image *b)
{
    EXPECT_EQ(a->segment_count, b->segment_count);
    for (unsigned int i = 0; i < a->segment_count; i++) {
        const struct elf_segment *s = &a->segment[i], *t = &b->segment[i];

        EXPECT_EQ(s->paddr, t->paddr);
        EXPECT_EQ(s->mem_bytes, t->mem_bytes);
        EXPECT_EQ(s->offset, t->offset);
        EXPECT_EQ(s->file_bytes, t->file_bytes);
        EXPECT_EQ(s->write, t->write);
        EXPECT_EQ(s->execute, t->execute);
    }
    EXPECT_EQ(a->end, b->end);
    EXPECT_EQ(a->virt_base, b->virt_base);
    EXPECT_EQ(a->entry, b->entry);
    EXPECT_EQ(a->hypercall_page, b->hypercall_page);
    EXPECT_EQ(a->init_p2m, b->init_p2m);
    EXPECT_EQ(a->mod_start_pfn, b->mod_start_pfn);
    EXPECT_EQ(a->class, b->class);
    EXPECT_EQ(a->xen_notes, b->xen_notes);
}

/* A shorter image, which is all in the head. */
static void make_short_image(void)
{
    make_image();
    phdr(0)->p_offset = 0x2000;
    phdr(0)->p_filesz = 700;
    phdr(1)->p_offset = 0x2800;
    phdr(1)->p_filesz = 300;
    file_size = 0x2800 + 300;
}

TEST("whatever an ELF file says, it is the same kernel when it is compressed")
{
    unsigned int same = 0, neither = 0, late = 0;

    for (unsigned int round = 0; round < 3000; round++) {
        struct elf_image plain;
        struct packed p;
        bool ok, loads;

        if (round % 16)
            make_short_image();
        else
            make_image();
        if (round % 3 == 0) {
            /* More notes, of which the last ones count. */
            ehdr()->e_phnum = 4;
            put_notes(3, 0x1800, 0);
            (void)put_note(0x1800, "Xen", XEN_ELFNOTE_VIRT_BASE, HIGH + 0x1000);
        }
        for (unsigned int k = 0; k < 1 + round % 4; k++)
            mutate();
        p = packed_copy(file, file_size);
        ok = read_packed(&p);
        plain = kernel.elf;
        loads = ok && load();
        memcpy(expected, memory, sizeof(memory));
        free(p.data);
        p = file_packed(round % 2 ? UNPACK_GZIP : UNPACK_ZSTD);
        if (!read_packed(&p)) {
            EXPECT_TRUE(!ok || refused_for_head());
            neither += !ok;
        } else if (ok) {
            compare(&kernel.elf, &plain);
            EXPECT_EQ(load(), loads);
            EXPECT_MEM(memory, expected, sizeof(memory));
            same++;
        } else {
            EXPECT_FALSE(load());
            late++;
        }
        free(p.data);
    }
    EXPECT_TRUE(same > 500 && neither > 500 && late > 10);
}

TEST("bytes of a compressed kernel changed, it is loaded or refused")
{
    struct packed good[2], p;
    unsigned int loaded = 0;

    make_short_image();
    good[0] = file_packed(UNPACK_ZSTD);
    good[0].data[4] &= (uint8_t)~4; /* Without its sum, more gets through. */
    good[1] = usual_bzimage();
    for (unsigned int round = 0; round < 6000; round++) {
        const struct packed *g = &good[round % 2];
        size_t head = round % 2 ? 3 * 512 + 1000 : 0;

        p = packed_copy(g->data, g->size);
        for (unsigned int k = 0; k < 1 + round % 3; k++) {
            size_t at = next() % 8 ? next() % (g->size - head) + head
                                   : 0x1f0 + next() % 0x60;

            p.data[at % g->size] = (uint8_t)next();
        }
        loaded += read_packed(&p) && load();
        free(p.data);
    }
    EXPECT_TRUE(loaded > 10);
    free(good[0].data);
    free(good[1].data);
}
