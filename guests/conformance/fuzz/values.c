/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments: a value of each kind, and where structures lie. */

#include <string.h>

#include <abi/control.h>
#include <abi/cpuid.h>
#include <abi/event_channel.h>
#include <abi/grant_table.h>
#include <abi/memory.h>
#include <abi/sched.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/trap.h"
#include "fuzz/fuzz.h"

extern const char rt_text_start[], rt_text_end[];
extern char rt_image_end[];

#define SCRATCH_GFNS 160U
#define SLOTS        16U
#define GRANT_REFS   24U
#define PORTS        24U
#define BUFFER_BYTES 2048U /* room for whatever is answered */
#define HANDLES      20U

/* A page, and one behind it that nobody can reach. */
PAGES(fences, 2 * FUZZ_VCPUS);

/* Event words and control blocks of the FIFO ABI: any, and any of it. */
#define FIFO_PAGES 4U
PAGES(fifo_pages, FIFO_PAGES);

static const uint64_t addresses[] = {
    /* RAM of ours, or it can be made that: zeros are domain 0. */
    0,
    8,
    0x7fff,
    0x00007ffffffff000,
    0x00007ffffffffff8,
    0x0000800000000000,
    0x8000000000000000,
    0xffff7ffffffffff8,
    0xffff800000000000,
    0xffff820000000000,
    0xffff820000001000,
    0xffff828000000000,
    0xffff830000000000,
    0xffff830000100000,
    0xffff87fffffffff8,
    0xffff880000000000,
    0xffffffff80000000,
    0xfffffffffffff000,
    ~0UL - 63,
    ~0UL - 7,
    ~0UL,
};

#define ADDRESSES       (sizeof(addresses) / sizeof(addresses[0]))
#define ADDRESSES_OF_US 3U

uint64_t any(struct fuzzer *f)
{
    uint64_t x = f->random += 0x9e3779b97f4a7c15UL;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9UL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebUL;
    return x ^ x >> 31;
}

/* Without a division, and even enough. */
uint64_t below(struct fuzzer *f, uint64_t limit)
{
    return (uint64_t)((unsigned __int128)any(f) * limit >> 64);
}

bool rarely(struct fuzzer *f, uint64_t n)
{
    return below(f, n) == 0;
}

bool is_careful(void)
{
    return fuzz_order.flavour == FUZZ_CONTROL;
}

bool is_spared(domid_t domid)
{
    return domid == 0 || domid == fuzz_order.witness;
}

static uint8_t *fence(const struct fuzzer *f)
{
    return fences + f->vcpu * 2 * PAGE_SIZE;
}

void values_init(void)
{
    for (unsigned int v = 0; v < FUZZ_VCPUS; v++)
        guard_page(fences + (v * 2 + 1) * PAGE_SIZE);
    grants_init();
    if (is_pv()) {
        pv_values_init();
        pv_code_init();
    }
}

/* RAM behind the image: nothing of ours is in it; or what tables are made of.
 */
static uint64_t scratch_gfn(struct fuzzer *f)
{
    if (is_pv())
        return pv_page_mfn(f);
    return frame_of(rt_image_end) + 8 + below(f, SCRATCH_GFNS);
}

static uint64_t scratch_va(struct fuzzer *f)
{
    if (is_pv())
        return pv_value_of(f, KIND_PAGE);
    return layout.virt_base + scratch_gfn(f) * PAGE_SIZE;
}

uint64_t wild(struct fuzzer *f)
{
    switch (below(f, 12)) {
    case 0:
        return any(f);
    case 1:
        return 1UL << below(f, 64);
    case 2:
        return (1UL << below(f, 64)) - 1;
    case 3:
        return ~below(f, 64);
    case 4:
        return layout.ram_pages + below(f, 64) - 32;
    case 5:
        return addresses[below(f, ADDRESSES)];
    case 6:
        return below(f, 4200);
    case 7:
        return 0x7ff0 + below(f, 16);
    case 8:
        return 0x7fffffffUL + below(f, 4) - 1;
    case 9:
        return any(f) << 32;
    default:
        return below(f, 16);
    }
}

static uint64_t wild_text_va(struct fuzzer *f)
{
    return hypercall_ptr(wild_text) +
           below(f, (uint64_t)(wild_text_end - wild_text));
}

/* --- Where structures lie --------------------------------------------------
 */

/* Over the end of a page that nothing follows. */
static uint64_t place_at_fence(struct fuzzer *f, const void *data, size_t size)
{
    uint8_t *end = fence(f) + PAGE_SIZE;
    size_t over = rarely(f, 2) ? below(f, size + 1) : 0;
    size_t in = size - over < PAGE_SIZE ? size - over : PAGE_SIZE;

    memcpy(end - in, data, in);
    return hypercall_ptr(end - in);
}

static uint64_t place_far(struct fuzzer *f)
{
    switch (below(f, 6)) {
    case 0:
        return wild_text_va(f);
    case 1:
        return hypercall_ptr(shared_info) + below(f, 4096);
    case 2:
        return grant_slot((unsigned int)below(f, SLOTS)) + below(f, 4096);
    case 3:
        return scratch_va(f) + below(f, 4096);
    case 4:
        return wild(f);
    default:
        return addresses[below(f, ADDRESSES)];
    }
}

/*
 * One structure behind the other, so that none of a call's overwrites another:
 * with the right to control domains that would aim at anybody.
 */
static uint64_t place_apart(struct fuzzer *f, const void *data, size_t size)
{
    uint64_t at = f->arena_used + (rarely(f, 16) ? below(f, 64) : 0);

    if (rarely(f, 32) || at + size > ARENA_PAGES * PAGE_SIZE)
        return addresses[ADDRESSES_OF_US +
                         below(f, ADDRESSES - ADDRESSES_OF_US)];
    f->arena_used = (at + size + 7) & ~7UL;
    memcpy(f->arena + at, data, size);
    return hypercall_ptr(f->arena + at);
}

uint64_t place(struct fuzzer *f, const void *data, size_t size)
{
    uint64_t at;

    if (f->apart)
        return place_apart(f, data, size);
    switch (below(f, 32)) {
    case 0:
    case 1:
        return place_at_fence(f, data, size);
    case 2: /* over the end of one page into the next */
        at = PAGE_SIZE - below(f, size < PAGE_SIZE ? size + 1 : PAGE_SIZE);
        break;
    case 3: /* aligned to nothing */
        at = below(f, PAGE_SIZE);
        break;
    case 4:
    case 5:
        return place_far(f);
    default:
        at = below(f, 128) * 8;
        break;
    }
    memcpy(f->arena + at, data, size);
    return hypercall_ptr(f->arena + at);
}

static uint64_t place_list(struct fuzzer *f, enum kind kind, size_t size)
{
    uint64_t words[16];
    uint32_t *halves = (uint32_t *)(void *)words;

    for (unsigned int i = 0; i < 16; i++) {
        if (size == 8)
            words[i] = value_of(f, kind);
        else
            halves[i] = (uint32_t)value_of(f, kind);
    }
    return place(f, words, 16 * size);
}

/* --- Kinds -----------------------------------------------------------------
 */

static uint64_t any_domid(struct fuzzer *f)
{
    switch (below(f, 12)) {
    case 0:
        return is_careful() ? own_domid : 0;
    case 1:
        return is_careful() ? own_domid : fuzz_order.witness;
    case 2:
        return 0x7ff0 + below(f, 16);
    case 3:
        return below(f, 64) + (is_careful() ? 1000 : 0);
    case 4:
    case 5:
        return DOMID_SELF;
    case 6:
    case 7:
    case 8:
        return fuzz_peer ? fuzz_peer : own_domid;
    default:
        return own_domid;
    }
}

static uint64_t remote(struct fuzzer *f)
{
    if (rarely(f, 8))
        return any_domid(f);
    return fuzz_peer && rarely(f, 2) ? fuzz_peer : own_domid;
}

/* Never ourselves: a copy would put zeros where our structures are. */
static uint64_t kid(struct fuzzer *f)
{
    if (rarely(f, 32))
        return DOMID_SELF + 1 + below(f, 15);
    return f->kid_count ? f->kids[below(f, f->kid_count)] : 1000 + below(f, 8);
}

static uint64_t moment(struct fuzzer *f)
{
    switch (below(f, 6)) {
    case 0:
        return 0;
    case 1:
        return now_ns() - below(f, 1000000);
    case 2:
        return wild(f);
    default:
        return now_ns() + below(f, 300000);
    }
}

static uint64_t grant_flags(struct fuzzer *f)
{
    if (rarely(f, 8))
        return below(f, 64);
    return GNTMAP_host_map | (rarely(f, 3) ? GNTMAP_readonly : 0);
}

uint64_t own_va(struct fuzzer *f)
{
    switch (below(f, 6)) {
    case 0:
        return wild_text_va(f);
    case 1:
        return hypercall_ptr(shared_info) + below(f, 512) * 8;
    case 2:
        return grant_slot((unsigned int)below(f, SLOTS)) + below(f, 512) * 8;
    case 3:
        return addresses[below(f, ADDRESSES)];
    default:
        return scratch_va(f) + below(f, 512) * 8;
    }
}

/* Not our text, however it is mapped: see is_text() in pv_values.c. */
static uint64_t area_va(struct fuzzer *f)
{
    uint64_t at = own_va(f), text = hypercall_ptr(rt_text_start);

    if (is_pv() && at - text < hypercall_ptr(rt_text_end) - text)
        return hypercall_ptr(f->arena) + below(f, 512) * 8;
    return at;
}

static uint64_t pages(struct fuzzer *f)
{
    if (rarely(f, 12))
        return rarely(f, 2) ? wild(f) : below(f, 4 * SCRATCH_GFNS);
    return below(f, 12);
}

static uint64_t any_gfn(struct fuzzer *f)
{
    if (is_pv())
        return pv_mfn(f);
    switch (below(f, 128)) {
    case 0: /* any of ours, which may end us, or aim us at others */
        return is_careful() ? scratch_gfn(f) : below(f, layout.ram_pages);
    case 1:
        return wild(f);
    case 2:
        return layout.special_gfn + below(f, 130);
    case 3:
        return layout.grant_gfn + below(f, SLOTS);
    case 4:
        return frame_of(rt_text_start) + below(f, 8);
    case 5:
        return layout.ram_pages - 4 + below(f, 8);
    default:
        return scratch_gfn(f);
    }
}

/* Ours is what traps work with; class light has no other. */
static uint64_t code_segment(struct fuzzer *f)
{
    if (!is_pv() || rarely(f, 4))
        return f->cs = (uint16_t)wild(f);
    return f->cs = FLAT_RING3_CS64;
}

/* With another code segment not into our text, as landing_at() has it. */
static uint64_t text_va(struct fuzzer *f)
{
    if (is_pv() && (f->cs | 3) != FLAT_RING3_CS64)
        return hypercall_ptr(wild_text);
    if (rarely(f, 8))
        return addresses[below(f, ADDRESSES)];
    return trap_stub((unsigned int)below(f, 32));
}

static uint64_t callback(struct fuzzer *f)
{
    if (rarely(f, 16))
        return wild(f);
    return hypercall_ptr(rarely(f, 2) ? upcall_stub : failsafe_stub);
}

bool is_fifo(void)
{
    return (fuzz_order.seed >> 1 & 1) != 0;
}

void values_fifo(struct fuzzer *f)
{
    uint32_t *page =
        (uint32_t *)(void *)(fifo_pages + below(f, FIFO_PAGES) * PAGE_SIZE);
    uint32_t word = (uint32_t)any(f);

    /* The four bits of state, and a link that is a port or anything. */
    if (!rarely(f, 4))
        word = (word & 0xf0000000U) | (uint32_t)below(f, 70);
    page[rarely(f, 4) ? below(f, 1024) : below(f, PORTS)] = word;
}

static uint64_t fifo_gfn(struct fuzzer *f)
{
    return rarely(f, 16) ? any_gfn(f)
                         : frame_of(fifo_pages) + below(f, FIFO_PAGES);
}

static uint64_t mostly(struct fuzzer *f, uint64_t limit)
{
    return rarely(f, 24) ? wild(f) : below(f, limit);
}

uint64_t value_of(struct fuzzer *f, enum kind kind)
{
    switch (kind) {
    case KIND_WORD:
        return wild(f);
    case KIND_SMALL:
        return mostly(f, 9);
    case KIND_ZERO:
        return rarely(f, 16) ? wild(f) : 0;
    case KIND_BYTES:
        return rarely(f, 8) ? below(f, 20000) : mostly(f, 80);
    case KIND_PORT:
        return rarely(f, 8) ? below(f, 70) : mostly(f, PORTS);
    case KIND_VIRQ:
        return mostly(f, 26);
    case KIND_FIFO_GFN:
        return fifo_gfn(f);
    case KIND_PRIORITY:
        return mostly(f, 17);
    case KIND_VCPU:
        return mostly(f, is_pv() ? FUZZ_VCPUS_MAX + 1 : FUZZ_VCPUS + 2);
    case KIND_DOMID:
        return any_domid(f);
    case KIND_REMOTE:
        return remote(f);
    case KIND_KID:
        return kid(f);
    case KIND_NEW_KID:
        return rarely(f, 4) ? 1000 + below(f, 8) : DOMID_INVALID;
    case KIND_REASON:
        return mostly(f, 7);
    case KIND_GREF:
        return rarely(f, 8) ? below(f, 1200) : mostly(f, GRANT_REFS);
    case KIND_HANDLE:
        return mostly(f, HANDLES);
    case KIND_SLOT:
        return rarely(f, is_pv() ? 1024 : 16)
                   ? own_va(f)
                   : grant_slot((unsigned int)below(f, SLOTS)) +
                         (rarely(f, 16) ? below(f, 4096) : 0);
    case KIND_MAP_FLAGS:
        return grant_flags(f);
    case KIND_COPY_FLAGS:
        return mostly(f, 4);
    case KIND_OFFSET:
        return rarely(f, 2) ? 0 : mostly(f, 4097);
    case KIND_LENGTH:
        return rarely(f, 4) ? mostly(f, 4097) : below(f, 256);
    case KIND_GFN:
        return any_gfn(f);
    case KIND_KID_GFN:
        return mostly(f, 40);
    case KIND_PAGES:
        return pages(f);
    case KIND_ORDER:
        return rarely(f, 4) ? mostly(f, 8) : 0;
    case KIND_PROT:
        return mostly(f, 5);
    case KIND_SPACE:
        return mostly(f, 6);
    case KIND_TIME:
        return moment(f);
    case KIND_MANY_SECONDS:
        return 100000 + below(f, 1000000);
    case KIND_SOON:
        return now_ns() + below(f, 30000);
    case KIND_VA:
        return own_va(f);
    case KIND_AREA:
        return area_va(f);
    case KIND_CODE_SEGMENT:
        return code_segment(f);
    case KIND_TEXT_VA:
        return text_va(f);
    case KIND_CALLBACK:
        return callback(f);
    case KIND_SEGMENT:
        return mostly(f, 4);
    case KIND_BUFFER:
        return place(f, f->arena, f->apart ? BUFFER_BYTES : 64);
    case KIND_PORTS:
        return place_list(f, KIND_PORT, sizeof(evtchn_port_t));
    case KIND_GFNS:
        return place_list(f, KIND_GFN, sizeof(uint64_t));
    case KIND_CLASS:
        return rarely(f, 16) ? wild(f) : CAIRN_CLASS_LIGHT;
    case KIND_WEIGHT:
        return rarely(f, 8) ? wild(f) : 1 + below(f, 1000);
    case KIND_RIGHTS:
        return rarely(f, 4) ? below(f, 32) : 0;
    case KIND_VIRT_BASE:
        return rarely(f, 4) ? wild(f) & ~0xfffUL : below(f, 2) << 30;
    case KIND_SBDF:
        return rarely(f, 16) ? wild(f) : below(f, 8) * 8;
    case KIND_BAR:
        return mostly(f, 7);
    case KIND_CONFIG_OFFSET:
        return rarely(f, 8) ? wild(f) : below(f, 80) * 4;
    case KIND_CONFIG_SIZE:
        return rarely(f, 8) ? wild(f) : 1UL << below(f, 3);
    case KIND_CONTROL_VERSION:
        return rarely(f, 32) ? wild(f) : CONTROL_OP_VERSION;
    case KIND_DEVICE_VERSION:
        return rarely(f, 32) ? wild(f) : DEVICE_OP_VERSION;
    case KIND_VECTOR:
        return rarely(f, 2) ? below(f, 32) : below(f, 256);
    case KIND_FRAMES:
    case KIND_PFNS:
        return place_list(f, kind == KIND_FRAMES ? KIND_TABLE : KIND_PAGES,
                          sizeof(uint64_t));
    case KIND_TABLE_WORD:
    case KIND_ENTRY:
    case KIND_TABLE:
    case KIND_BASE:
    case KIND_PAGE:
    case KIND_FLUSH:
    case KIND_DESCRIPTORS:
    case KIND_DESCRIPTOR:
    case KIND_ENTRY_FLAGS:
        return pv_value_of(f, kind);
    }
    return 0;
}

/* --- Grants ----------------------------------------------------------------
 */

static void touch_slot(void *arg)
{
    struct fuzzer *f = arg;
    uint64_t at = grant_slot((unsigned int)below(f, SLOTS));

    *(volatile uint64_t *)(uintptr_t)(at + below(f, 512) * 8) = any(f);
}

void values_grant(struct fuzzer *f)
{
    grant_ref_t ref = (grant_ref_t)below(f, GRANT_REFS);

    if (rarely(f, 4))
        fault_probe(touch_slot, f);
    if (!grants)
        return;
    grants[ref].domid = (domid_t)(rarely(f, 8) ? any_domid(f) : remote(f));
    grants[ref].frame = (uint32_t)any_gfn(f);
    grants[ref].flags =
        (uint16_t)(rarely(f, 16)
                       ? any(f)
                       : GTF_permit_access | (rarely(f, 3) ? GTF_readonly : 0));
}
