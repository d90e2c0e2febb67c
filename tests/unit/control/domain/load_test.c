/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building a domain of either class: where things go, what rights pages get,
 * and which kernels are refused.  The hypervisor is an array of pages here; in
 * class pv a domain's frames are scattered in it.
 */
/* LINK: guests/control/domain/load.c guests/control/domain/load_light.c */
/* LINK: guests/control/domain/load_pv.c guests/control/domain/guest.c */
/* LINK: guests/control/kernel/kernel_image.c hypervisor/lib/pv_layout.c */
/* LINK: guests/control/lib/table.c guests/control/config/net_text.c */
/* LINK: guests/control/config/domain_config.c guests/control/config/syntax.c */
/* LINK: hypervisor/lib/elf_image.c hypervisor/lib/hypercall_page.c */

#include "test.h"

#include <stddef.h>

#include <abi/control.h>
#include <abi/cpuid.h>
#include <abi/elfnote.h>
#include <abi/errno.h>
#include <abi/light.h>
#include <abi/start_info.h>

#include <rt/event.h>
#include <rt/thread.h>

#include "domain/guest.h"
#include "domain/hv.h"
#include "domain/load.h"
#include "domain/modules.h"
#include "lib/elf_image.h"

#define PAGES 4096U /* of the domain: 16 MiB */
#define BASE  0x100000ULL

/* --- The other side ------------------------------------------------------- */

static char *memory;
static uint8_t prot[PAGES];
static struct control_create created;
static uint64_t start_rip, start_rsp, start_rsi, start_l4, seeded[2];
static int create_rc, fail_after; /* calls until one fails; 0: none */
static uint32_t next_port;

static int step(void)
{
    return fail_after && --fail_after == 0 ? -ABI_EINVAL : 0;
}

void thread_yield(void)
{
}

int hv_host_info(struct control_host_info *info)
{
    info->unreserved_pages = 2560;

    return 0;
}

int hv_create(const struct control_create *create, domid_t *domid)
{
    created = *create;
    *domid = 7;

    return create_rc;
}

int hv_set_region(domid_t domid, uint64_t gfn, uint64_t count, uint32_t p)
{
    EXPECT_EQ(domid, 7);
    EXPECT_TRUE(gfn + count <= PAGES);
    for (uint64_t i = 0; i < count && gfn + i < PAGES; i++)
        prot[gfn + i] = (uint8_t)p;

    return step();
}

int hv_copy_to(domid_t domid, uint64_t paddr, const void *data, size_t size)
{
    EXPECT_EQ(domid, 7);
    REQUIRE(paddr + size <= PAGES * 4096ULL);
    memcpy(memory + paddr, data, size);

    return step();
}

int hv_set_start(domid_t domid, uint64_t rip, uint64_t rsp, uint64_t rsi,
                 uint64_t l4)
{
    EXPECT_EQ(domid, 7);
    start_rip = rip;
    start_rsp = rsp;
    start_rsi = rsi;
    start_l4 = l4;

    return step();
}

/* Frame @m is page mfn_of(@m) of the array: all of it, in another order. */
static uint64_t mfn_of(uint64_t pfn)
{
    return (pfn * 1237 + 11) % PAGES;
}

int hv_populate(domid_t domid, uint64_t pfn, uint64_t count, uint64_t *mfn)
{
    EXPECT_EQ(domid, 7);
    REQUIRE(pfn + count <= PAGES);
    for (uint64_t i = 0; i < count; i++)
        mfn[i] = mfn_of(pfn + i);

    return step();
}

int hv_info(domid_t domid, struct control_domain_info *info)
{
    EXPECT_EQ(domid, 7);
    memset(info, 0, sizeof(*info));
    info->shared_info = 0x1234;

    return step();
}

/* Compressed kernels have a test of their own. */
enum unpack_format unpack_format(const void *data, size_t size)
{
    (void)data;
    (void)size;

    return UNPACK_NONE;
}

bool unpack(enum unpack_format format, const void *data, size_t size,
            uint64_t limit, unpack_sink *sink, void *context, const char **why)
{
    (void)format;
    (void)data;
    (void)size;
    (void)limit;
    (void)sink;
    (void)context;
    *why = "it is compressed";

    return false;
}

int hv_seed_grant(domid_t domid, uint32_t ref, domid_t to, uint64_t gfn)
{
    EXPECT_EQ(domid, 7);
    EXPECT_EQ(to, 0);
    seeded[ref] = gfn;

    return step();
}

int rt_port_alloc_unbound_in(domid_t dom, domid_t remote, evtchn_port_t *port)
{
    EXPECT_EQ(dom, 7);
    EXPECT_EQ(remote, 0);
    *port = ++next_port;

    return step();
}

const char *hv_error_text(int rc)
{
    return rc ? "some error" : "";
}

void module_names(char *out, size_t room)
{
    snprintf(out, room, "web.elf");
}

static struct module file, ramdisk;

bool module_find(const char *name, struct module *module)
{
    *module = strcmp(name, "ramdisk") == 0 ? ramdisk : file;

    return strcmp(name, "web.elf") == 0 || strcmp(name, "ramdisk") == 0;
}

/* --- An image ------------------------------------------------------------- */

struct segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct note {
    uint32_t name_bytes, desc_bytes, type;
    char name[8];
    uint32_t desc;
};

static struct image {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
    struct segment segment[4]; /* text, read-only data, data, notes */
    struct note note[3];
    char text[5000], rodata[100], data[60];
} image;

static void set_note(unsigned int i, const char *name, uint32_t type,
                     uint32_t value)
{
    image.note[i] = (struct note){
        .name_bytes = (uint32_t)strlen(name) + 1,
        .desc_bytes = 4,
        .type = type,
        .desc = value,
    };
    strcpy(image.note[i].name, name);
    /* A short name is padded to 4 bytes; this struct has room for 8. */
    if (strlen(name) < 4)
        memcpy(image.note[i].name + 4, &value, 4);
}

static void make_image(void)
{
    memset(&image, 0, sizeof(image));
    memcpy(image.ident, "\177ELF\2\1\1", 7);
    image.type = 2;
    image.machine = 62;
    image.phoff = offsetof(struct image, segment);
    image.phentsize = sizeof(struct segment);
    image.phnum = 4;
    image.entry = BASE + 0x10;
    memset(image.text, 't', sizeof(image.text));
    memset(image.rodata, 'r', sizeof(image.rodata));
    memset(image.data, 'd', sizeof(image.data));
    image.segment[0] = (struct segment){
        1, 5, offsetof(struct image, text), 0, BASE, 5000, 5000, 4096};
    image.segment[1] = (struct segment){
        1, 4, offsetof(struct image, rodata), 0, BASE + 0x2000, 100, 100, 4096};
    image.segment[2] = (struct segment){
        1, 6, offsetof(struct image, data), 0, BASE + 0x3000, 60, 0x5001, 4096};
    image.segment[3] = (struct segment){
        4, 4, offsetof(struct image, note), 0, 0, sizeof(image.note), 0, 4};
    set_note(0, "Cairn", CAIRN_ELFNOTE_CLASS, CAIRN_CLASS_LIGHT);
    set_note(1, "Cairn", 99, 0);
    set_note(2, "Xen", XEN_ELFNOTE_ENTRY, BASE + 0x20);
    image.segment[3].filesz = sizeof(image.note) - 4;
    file = (struct module){
        .name = "web.elf", .data = &image, .size = sizeof(image)};
}

/* --- The tests ------------------------------------------------------------ */

static struct domain_config config;
static struct load_plan plan;
static char error[CONFIG_ERROR_BYTES];
static struct guest *guest;

void setup(void)
{
    memory = calloc(PAGES, 4096);
    memset(prot, LIGHT_PROT_read_write, sizeof(prot));
    create_rc = fail_after = 0;
    next_port = 0;
    domain_config_default(&config);
    strcpy(config.name, "a");
    strcpy(config.kernel, "web.elf");
    strcpy(config.cmdline, "name=a x");
    make_image();
    guest = guest_new(&config);
}

void teardown(void)
{
    guest_free(guest);
    free(memory);
}

TEST("the image lies at its addresses, with the rights it asks for")
{
    REQUIRE(load_check(&config, &plan, error));
    REQUIRE(load_create(guest, &plan, error));
    REQUIRE(load_fill(guest, &plan, 0, error));
    EXPECT_EQ(memory[BASE], 't');
    EXPECT_EQ(memory[BASE + 4999], 't');
    EXPECT_EQ(memory[BASE + 5000], 0);
    EXPECT_EQ(memory[BASE + 0x2000], 'r');
    EXPECT_EQ(memory[BASE + 0x3000 + 59], 'd');
    EXPECT_EQ(memory[BASE + 0x3000 + 60], 0);
    EXPECT_EQ(prot[0xff], LIGHT_PROT_read_write);
    EXPECT_EQ(prot[0x100], LIGHT_PROT_execute);
    EXPECT_EQ(prot[0x101], LIGHT_PROT_execute);
    EXPECT_EQ(prot[0x102], LIGHT_PROT_read);
    EXPECT_EQ(prot[0x103], LIGHT_PROT_read_write);
    EXPECT_EQ(prot[0x108], LIGHT_PROT_read_write);
}

TEST("behind the image come start_info, both rings and the stack")
{
    const struct start_info *si;
    uint64_t first = 0x109; /* The image ends at 0x108001. */

    REQUIRE(load_check(&config, &plan, error));
    REQUIRE(load_create(guest, &plan, error));
    REQUIRE(load_fill(guest, &plan, 0, error));
    EXPECT_EQ(created.max_pages, PAGES);
    EXPECT_EQ(created.reserved_pages, PAGES);
    EXPECT_EQ(start_rip, BASE + 0x20);
    EXPECT_EQ(start_rsi, first * 4096);
    EXPECT_EQ(start_rsp, (first + 4) * 4096);
    si = (const struct start_info *)(const void *)(memory + first * 4096);
    EXPECT_STR(si->magic, "xen-3.0-x86_64");
    EXPECT_EQ(si->nr_pages, PAGES);
    EXPECT_EQ(si->shared_info, PAGES * 4096ULL);
    EXPECT_EQ(si->flags, 0);
    EXPECT_EQ(si->store_mfn, first + 1);
    EXPECT_EQ(si->console.domU.mfn, first + 2);
    EXPECT_EQ(si->store_evtchn, 1);
    EXPECT_EQ(si->console.domU.evtchn, 2);
    EXPECT_EQ(si->pt_base, 0);
    EXPECT_STR((const char *)si->cmd_line, "name=a x");
    EXPECT_EQ(seeded[0], first + 2);
    EXPECT_EQ(seeded[1], first + 1);
}

TEST("kernels that cannot run are refused, and why is said")
{
    strcpy(config.kernel, "none");
    EXPECT_FALSE(load_check(&config, &plan, error));
    EXPECT_STR(error, "kernel \"none\" is none of the boot modules (web.elf)");
    strcpy(config.kernel, "web.elf");

    image.ident[0] = 0;
    EXPECT_FALSE(load_check(&config, &plan, error));
    EXPECT_STR(error,
               "kernel \"web.elf\" cannot be started: it is no ELF file");
    make_image();

    image.segment[2].flags = 7;
    EXPECT_FALSE(load_check(&config, &plan, error));
    EXPECT_STR(error, "kernel \"web.elf\" cannot be started: a segment is "
                      "writable and executable");
    make_image();

    config.maxvcpus = 2;
    EXPECT_FALSE(load_check(&config, &plan, error));
    EXPECT_STR(error, "kernel \"web.elf\" is of class light: vcpus=1 is all "
                      "it can use");
    config.maxvcpus = 0;
    strcpy(config.ramdisk, "none");
    EXPECT_FALSE(load_check(&config, &plan, error));
    EXPECT_STR(error, "ramdisk \"none\" is none of the boot modules (web.elf)");
    config.ramdisk[0] = '\0';

    config.memory_mib = 1;
    EXPECT_FALSE(load_check(&config, &plan, error));
    EXPECT_STR(error, "kernel \"web.elf\" needs 1076 KiB, which do not fit in "
                      "memory=1 MiB");
}

TEST("the configuration's class goes before the image's")
{
    set_note(0, "Cairn", CAIRN_ELFNOTE_CLASS, CAIRN_CLASS_PV);
    REQUIRE(load_check(&config, &plan, error));
    EXPECT_TRUE(plan.pv);
    config.class = CONFIG_CLASS_LIGHT;
    REQUIRE(load_check(&config, &plan, error));
    EXPECT_FALSE(plan.pv);
    make_image();
    config.class = CONFIG_CLASS_PV;
    REQUIRE(load_check(&config, &plan, error));
    EXPECT_TRUE(plan.pv);
}

/* The entry of a table at index @i, as the domain's processor would see it. */
static uint64_t entry(uint64_t table_mfn, uint64_t i)
{
    uint64_t e;

    memcpy(&e, memory + table_mfn * 4096 + i * 8, sizeof(e));

    return e;
}

/* What maps @va; 0: nothing does. */
static uint64_t walk(uint64_t va)
{
    uint64_t e = start_l4 << 12 | 1;

    for (int shift = 39; shift >= 12 && e & 1; shift -= 9)
        e = entry(e >> 12 & 0xffffffffff, va >> shift & 511);

    return e;
}

TEST("class pv: each pfn's frame holds what the layout says, and is mapped")
{
    const struct start_info *si;
    char files[10000];
    uint64_t p2m;

    memset(files, 'R', sizeof(files));
    ramdisk = (struct module){"ramdisk", files, sizeof(files)};
    strcpy(config.ramdisk, "ramdisk");
    config.class = CONFIG_CLASS_PV;
    guest->config = config;
    REQUIRE(load_check(&config, &plan, error));
    REQUIRE(load_create(guest, &plan, error));
    REQUIRE(load_fill(guest, &plan, 0, error));
    EXPECT_EQ(created.class, CAIRN_CLASS_PV);
    EXPECT_EQ(start_rip, BASE + 0x20);

    /* Text, across two frames that do not follow one another. */
    EXPECT_EQ(memory[mfn_of(0x100) * 4096], 't');
    EXPECT_EQ(memory[mfn_of(0x101) * 4096 + 903], 't');
    EXPECT_EQ(memory[mfn_of(0x101) * 4096 + 904], 0);
    EXPECT_EQ(walk(BASE) >> 12, mfn_of(0x100));
    EXPECT_EQ(walk(BASE + 0x1000) >> 12, mfn_of(0x101));
    EXPECT_TRUE(walk(BASE) & 2);

    REQUIRE(walk(start_rsi) & 1);
    si = (const struct start_info *)(const void *)(memory + (walk(start_rsi) &
                                                             ~0xfffULL));
    EXPECT_STR(si->magic, "xen-3.0-x86_64");
    EXPECT_EQ(si->nr_pages, PAGES);
    EXPECT_EQ(si->shared_info, 0x1234000);
    EXPECT_EQ(si->store_evtchn, 1);
    EXPECT_EQ(si->console.domU.evtchn, 2);
    EXPECT_EQ(si->store_mfn, seeded[1]);
    EXPECT_EQ(si->console.domU.mfn, seeded[0]);
    EXPECT_STR((const char *)si->cmd_line, "name=a x");

    /* No page table is mapped writable: that of start_info, for one. */
    EXPECT_EQ(walk(si->pt_base) >> 12, start_l4);
    EXPECT_FALSE(walk(si->pt_base) & 2);

    p2m = walk(si->mfn_list);
    REQUIRE(p2m & 1);
    EXPECT_EQ(entry(p2m >> 12, 5), mfn_of(5));

    EXPECT_EQ(si->mod_len, 3 * 4096); /* whole pages */
    REQUIRE(walk(si->mod_start) & 1);
    EXPECT_EQ(memory[walk(si->mod_start) & ~0xfffULL], 'R');
}

TEST("class pv: whatever step fails, the answer is a sentence")
{
    bool ok = false;
    int steps = 0;

    config.class = CONFIG_CLASS_PV;
    REQUIRE(load_check(&config, &plan, error));
    REQUIRE(load_create(guest, &plan, error));
    while (!ok) {
        error[0] = '\0';
        fail_after = ++steps;
        ok = load_fill(guest, &plan, 0, error);
        EXPECT_TRUE(ok || error[0]);
    }
    EXPECT_TRUE(steps > 8);
}

TEST("an image without notes is no kernel for this interface")
{
    image.segment[3].type = 0;
    EXPECT_FALSE(load_check(&config, &plan, error));
    EXPECT_STR(error, "kernel \"web.elf\" has no Xen ELF notes, so it is no "
                      "kernel for this interface");
}

TEST("too little memory is told with numbers")
{
    REQUIRE(load_check(&config, &plan, error));
    create_rc = -ABI_ENOMEM;
    EXPECT_FALSE(load_create(guest, &plan, error));
    EXPECT_STR(error, "not enough memory for \"a\": it needs 16 MiB, 10 MiB "
                      "are not promised to other domains; destroy one, or "
                      "lower memory=");
    EXPECT_FALSE(guest->has_domid);
}

TEST("whatever step fails, the answer is a sentence")
{
    bool ok = false;
    int steps = 0;

    REQUIRE(load_check(&config, &plan, error));
    REQUIRE(load_create(guest, &plan, error));
    while (!ok) {
        error[0] = '\0';
        fail_after = ++steps;
        ok = load_fill(guest, &plan, 0, error);
        EXPECT_TRUE(ok || error[0]);
    }
    EXPECT_TRUE(steps > 8);
}

TEST("any byte changed, an image is loaded or refused, and no more")
{
    unsigned int seed = 5;

    REQUIRE(load_create(guest, &plan, error));
    for (unsigned int round = 0; round < 20000; round++) {
        size_t head = offsetof(struct image, text);

        make_image();
        for (unsigned int k = 0; k < 1 + round % 3; k++) {
            seed = seed * 1103515245 + 12345;
            ((uint8_t *)&image)[(seed >> 8) % head] = (uint8_t)(seed >> 24);
        }
        if (load_check(&config, &plan, error))
            (void)load_fill(guest, &plan, 0, error);
    }
}
