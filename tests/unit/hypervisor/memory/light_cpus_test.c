/* SPDX-License-Identifier: BSD-2-Clause */
/* SANITIZE: thread */
/* LINK: hypervisor/memory/light.c */
/* LINK: hypervisor/memory/light_pages.c hypervisor/memory/light_window.c */
/* LINK: hypervisor/memory/space.c */
/* LINK: hypervisor/memory/tlb_batch.c hypervisor/memory/frame.c */
/* LINK: hypervisor/memory/buddy.c hypervisor/core/lock.c */
/* LINK: hypervisor/arch/x86_64/smp.c tests/unit/doubles/cpus.c */
/*
 * Two spaces on four CPUs.  Each CPU remembers translations until it is told
 * to forget them, as a processor does, and uses them whenever it likes; the
 * frame it reaches must be the page's then, and nobody else's.
 */

#include "memory/light.h"

#include "arch/x86_64/regs.h"
#include "core/spec_ctrl.h"
#include "doubles/cpus.h"
#include "doubles/discard.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "memory/frame.h"
#include "memory/light_near.h"
#include "memory/upcalls.h"
#include "unit/test.h"

#define FRAMES 512U
#define SPACES 2U
#define PAGES  24U
#define BASE   0x1fa000UL /* the pages are in two tables */
#define STEPS  40000U

/* --- RAM, and the rest of the machine ------------------------------------- */

static char ram[FRAMES * PAGE_SIZE] __attribute__((aligned(4096)));
static struct frame table[FRAMES];

char unit_test_cpu_area[CPU_AREA_SIZE];
struct cpu_features cpu_features;
uint64_t xpti_l4_entry;
uint32_t spec_active;

void spec_flush_out_of_line(void)
{
}

/* All threads have one area; what xpti keeps there is not looked at. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:unit_test_cpu_area\n";
}

void *mfn_to_virt(mfn_t m)
{
    return ram + m.raw * PAGE_SIZE;
}

mfn_t virt_to_mfn(const void *p)
{
    return mfn((uint64_t)((const char *)p - ram) / PAGE_SIZE);
}

struct frame *mfn_to_frame(mfn_t m)
{
    return &table[m.raw];
}

mfn_t frame_to_mfn(const struct frame *f)
{
    return mfn((uint64_t)(f - table));
}

const uint64_t *hv_l4_slots(void)
{
    static const uint64_t none[HV_L4_COUNT];

    return none;
}

/* --- A processor ---------------------------------------------------------- */

static struct light_space space[SPACES];

struct processor {
    uint64_t tlb[PAGES]; /* leaves of the loaded space; 0: none */
    unsigned int in;     /* the space it runs in */
    bool idles;
};
static DEFINE_PER_CPU(struct processor, processor);

static unsigned int stale, failures;

void tlb_flush(void)
{
    memset(this_cpu(processor).tlb, 0, sizeof(this_cpu(processor).tlb));
}

void tlb_flush_global(void)
{
    tlb_flush();
}

void tlb_flush_page(vaddr_t va)
{
    this_cpu(processor).tlb[(va - BASE) / PAGE_SIZE] = 0;
}

void tables_load(maddr_t root)
{
    (void)root;
    tlb_flush();
}

void hv_tables_load(void)
{
    tlb_flush();
}

bool upcall_cpu_idles(void)
{
    return this_cpu(processor).idles;
}

bool upcall_cpu_privileged(void)
{
    return true;
}

void upcall_frames_free(void)
{
}

void upcall_promise_refilled(const struct light_space *s)
{
    (void)s;
}

/* What the processor's walk finds; it looks at no lock. */
static uint64_t walk(const struct light_space *s, uint64_t page)
{
    vaddr_t va = BASE + page * PAGE_SIZE;
    const uint64_t *at = mfn_to_virt(s->root);

    for (unsigned int level = 4; level > 1; level--) {
        uint64_t entry =
            __atomic_load_n(&at[pt_index(va, level)], __ATOMIC_ACQUIRE);

        if (!(entry & PTE_PRESENT))
            return 0;
        at = mfn_to_virt(pte_mfn(entry));
    }
    return __atomic_load_n(&at[pt_index(va, 1)], __ATOMIC_ACQUIRE);
}

/* The guest touches @page; no interrupt comes between this and its use. */
static void touch(struct processor *p, uint64_t page, bool write)
{
    struct light_space *s = &space[p->in];
    uint64_t *leaf = &p->tlb[page];
    struct frame *f;

    if (!(*leaf & PTE_PRESENT) || (write && !(*leaf & PTE_WRITE)))
        *leaf = walk(s, page);
    if (!(*leaf & PTE_PRESENT) || (write && !(*leaf & PTE_WRITE))) {
        *leaf = 0;
        (void)!light_fault(s, BASE + page * PAGE_SIZE,
                           write ? LIGHT_WRITE : LIGHT_READ);
        return;
    }
    f = mfn_to_frame(pte_mfn(*leaf));
    if (atomic_read(&f->refs) == 0 || f->owner != s->base.owner ||
        (write && frame_type(f) != FRAME_WRITABLE))
        atomic_add(&stale, 1);
}

static void pin(struct light_space *s, uint64_t page)
{
    struct frame *f;
    bool write = cpu_random(2);
    mfn_t m;

    if (light_near_frame(s, page, write, &m))
        f = mfn_to_frame(m);
    else if (light_get_frame(s, gfn(page), write ? LIGHT_WRITE : LIGHT_READ,
                             false, &f))
        return;
    cpu_lets_in();
    if (atomic_read(&f->refs) < 2 || f->owner != s->base.owner)
        atomic_add(&failures, 1);
    frame_put(f);
}

static void step(struct processor *p)
{
    struct light_space *s = &space[p->in];
    uint64_t page = cpu_random(PAGES), count = 1 + cpu_random(3);

    switch (cpu_random(16)) {
    case 0:
        (void)!discard(s, page, count);
        break;
    case 1:
        (void)!light_protect(s, gfn(page), count, cpu_random(3), false);
        break;
    case 2:
        (void)!discard(s, 0, PAGES);
        break;
    case 3:
        pin(s, page);
        break;
    case 4:
        pin(&space[1 - p->in], page); /* as the mapper of a grant does */
        break;
    case 5: /* Idle, with the space lazily loaded, and choose. */
        p->idles = true;
        for (unsigned int i = cpu_random(8); i > 0; i--)
            cpu_lets_in();
        p->idles = false;
        p->in = cpu_random(SPACES);
        light_load(&space[p->in]);
        break;
    default:
        touch(p, page, cpu_random(2));
    }
}

static void body(unsigned int cpu)
{
    struct processor *p = &this_cpu(processor);

    p->in = cpu % SPACES;
    light_load(&space[p->in]);
    for (unsigned int i = 0; i < STEPS; i++) {
        step(p);
        cpu_lets_in();
    }
    space_unload();
}

TEST("no translation outlives what it leads to, on whatever CPU")
{
    static const struct light_layout layout = {.virt_base = BASE,
                                               .ram_pages = PAGES};
    struct frame_totals before, now;

    frames_add(mfn(0), FRAMES);
    before = frame_totals();
    for (unsigned int i = 0; i < SPACES; i++)
        REQUIRE(light_create(&space[i], (domid_t)(i + 1), &layout,
                             i * PAGES / 2) == 0);
    cpus_go(body);
    EXPECT_EQ(stale, 0);
    EXPECT_EQ(failures, 0);

    for (unsigned int i = 0; i < SPACES; i++) {
        uint64_t present = 0;

        for (uint64_t page = 0; page < PAGES; page++)
            present += walk(&space[i], page) & PTE_PRESENT;
        EXPECT_EQ(space[i].used_pages, present);
        EXPECT_EQ(space[i].base.live_cpus, 0);
        while (!light_destroy(&space[i]))
            ;
    }
    now = frame_totals();
    EXPECT_EQ(now.free, before.free);
    EXPECT_EQ(now.unreserved, before.unreserved);
}

/* --- The end of a space that idle CPUs still have loaded -------------------
 */

static unsigned int loaded;

static void load_and_end(unsigned int cpu)
{
    struct processor *p = &this_cpu(processor);

    p->idles = false;
    light_load(&space[0]);
    p->idles = true;
    atomic_add(&loaded, 1);
    if (cpu > 0)
        return; /* and lets interrupts in, until all have ended */
    while (atomic_read(&loaded) < CPUS)
        cpu_lets_in();
    space_unload();
    EXPECT_EQ(atomic_read(&space[0].base.live_cpus), 0xe);
    while (!light_destroy(&space[0]))
        ;
    EXPECT_EQ(atomic_read(&space[0].base.live_cpus), 0);
}

TEST("idle CPUs let go of a space that ends")
{
    static const struct light_layout layout = {.virt_base = BASE,
                                               .ram_pages = PAGES};
    REQUIRE(light_create(&space[0], 1, &layout, 0) == 0);
    cpus_go(load_and_end);
}
