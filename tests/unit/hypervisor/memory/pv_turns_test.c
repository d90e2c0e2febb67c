/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/memory/descriptor.c */
/* LINK: tests/unit/doubles/m2p.c */
/*
 * Page types under all schedules of two CPUs, within a bound on preemptions.
 *
 * The real files run as two coroutines that may change places before each
 * access to a frame's record or to a table's entry.  After each step all that
 * a processor could know by then is taken to be known (it may walk its tables
 * whenever it likes), and what it knows must be harmless:
 *
 *   - a page that some CPU may write is no table and no descriptor page: it is
 *     made one only after all have forgotten that;
 *   - what some CPU takes for a table is one, of that level;
 *   - a frame that some CPU knows is not free;
 *   - while a neighbour holds a page to write it, the page has no other type.
 */

#include "memory/frame.h"

#include <ucontext.h>

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/smp.h"
#include "core/lock.h"
#include "lib/log.h"
#include "core/spec_ctrl.h"
#include "memory/m2p.h"
#include "memory/upcalls.h"
#include "unit/test.h"

static void step(void);

#undef atomic_read
#undef atomic_write
#undef atomic_add
#undef atomic_sub
#undef atomic_exchange
#undef atomic_cmpxchg
#define atomic_read(p)     (step(), __atomic_load_n(p, __ATOMIC_RELAXED))
#define atomic_write(p, v) (step(), __atomic_store_n(p, v, __ATOMIC_RELAXED))
#define atomic_add(p, v)   (step(), __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST))
#define atomic_sub(p, v)   (step(), __atomic_sub_fetch(p, v, __ATOMIC_SEQ_CST))
#define atomic_exchange(p, v)                                                  \
    (step(), __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST))
#define atomic_cmpxchg(p, expected, v)                                         \
    (step(), __atomic_compare_exchange_n(p, expected, v, false,                \
                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))

#include "memory/buddy.c"
#include "memory/frame.c"
#include "memory/page_entry.c"
#include "memory/page_type.c"
#include "memory/pv_exchange.c"
#include "memory/pv_space.c"
#include "memory/space.c"
#include "memory/tlb_batch.c"

#include "memory/entry_near.h"

/* --- RAM, and the rest of the machine --------------------------------------
 */

#define FIRST  4U
#define FRAMES 16U
#define CPUS   2U
#define DOMAIN 7

static struct world {
    char ram[FRAMES * PAGE_SIZE];
    struct frame table[FIRST + FRAMES];
    struct pv_space space;
    uint32_t first_block[BUDDY_ORDERS];
    uint64_t block_count[BUDDY_ORDERS];
    uint64_t free_frames;
} world __attribute__((aligned(4096))), begun;

static struct pv_space *const space = &world.space;

char unit_test_cpu_area[CPU_AREA_SIZE];
struct cpu_features cpu_features;
uint32_t spec_active;
unsigned int cpu_count = CPUS;
DEFINE_PER_CPU(unsigned int, cpu_id);

void *mfn_to_virt(mfn_t m)
{
    return world.ram + (m.raw - FIRST) * PAGE_SIZE;
}

struct frame *mfn_to_frame(mfn_t m)
{
    return &world.table[m.raw];
}

mfn_t frame_to_mfn(const struct frame *f)
{
    return mfn((uint64_t)(f - world.table));
}

const uint64_t *hv_l4_slots(void)
{
    static const uint64_t slots[HV_L4_COUNT];

    return slots;
}

void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

void assert_failed(const char *file, int line, const char *belief)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, belief);
    abort();
}

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

void upcall_frames_free(void)
{
}

bool upcall_cpu_privileged(void)
{
    return true;
}

void spec_flush_out_of_line(void)
{
}

/* --- Coroutines -------------------------------------------------------------
 */

#define STACK     (256U << 10)
#define STEPS_MAX 4000U
#define BOUND_MAX 3U

static struct cpu {
    ucontext_t context;
    char stack[STACK];
    void (*program)(void);
    bool done,
        serves; /* it takes others' requests: it waits, or is in a guest */
    bool idle;
    struct space *loaded_space;
    mfn_t loaded_root;
    unsigned int id;

    /* What its processor may know: by number of frame. */
    uint8_t table[FIRST + FRAMES]; /* levels, a bit each */
    uint8_t leaf[FIRST + FRAMES];  /* LEAF_ below */
} cpu[CPUS];

#define KNOWN_READ   1U
#define KNOWN_WRITE  2U
#define KNOWN_GLOBAL 4U /* it survives a load of CR3 */

static ucontext_t outside;
static unsigned int here; /* the CPU that runs */
static bool running;

static unsigned int steps, preempt_at[BOUND_MAX], preempt_count;
static bool can_preempt[STEPS_MAX];

static unsigned int failures;
static char failure[128];

static void *percpu(void *of_first, int n)
{
    unsigned int i = n < 0 ? here : (unsigned int)n;

    if (of_first == &percpu_loaded_space)
        return &cpu[i].loaded_space;
    if (of_first == &percpu_loaded_root)
        return &cpu[i].loaded_root;
    cpu[i].id = i;
    return &cpu[i].id;
}

void *unit_test_percpu(void *of_first, int n)
{
    return percpu(of_first, n);
}

bool upcall_cpu_idles(void)
{
    return cpu[here].idle;
}

static void fail(const char *what, unsigned int m)
{
    if (!failures++)
        snprintf(failure, sizeof(failure), "%s: frame %u, step %u", what, m,
                 steps);
}

/* What a walk of the tables from @m on can find now. */
static void learn(struct cpu *c, mfn_t m, unsigned int level)
{
    const uint64_t *entry = mfn_to_virt(m);

    c->table[m.raw] |= (uint8_t)(1U << level);
    for (unsigned int i = 0; i < 4; i++) {
        uint64_t e = entry[i];

        if (!(e & PTE_PRESENT))
            continue;
        if (level > 1)
            learn(c, pte_mfn(e), level - 1);
        else
            c->leaf[pte_mfn(e).raw] |=
                (uint8_t)(KNOWN_READ | (e & PTE_WRITE ? KNOWN_WRITE : 0) |
                          (e & PTE_GLOBAL ? KNOWN_GLOBAL : 0));
    }
}

/* The frame that a neighbour holds to write it; 0: none. */
static unsigned int neighbour_writes;

static void check(void)
{
    for (unsigned int i = 0; i < CPUS; i++) {
        struct cpu *c = &cpu[i];

        if (c->loaded_space)
            learn(c, c->loaded_root, 4);
        for (unsigned int m = FIRST; m < FIRST + FRAMES; m++) {
            const struct frame *f = &world.table[m];
            unsigned int type =
                (f->type_info & FRAME_TYPE_MASK) >> FRAME_TYPE_SHIFT;

            if ((c->leaf[m] || c->table[m]) && !f->refs)
                fail("a CPU knows a free frame", m);
            if (c->leaf[m] & KNOWN_WRITE && f->type_info & FRAME_HELD &&
                (f->progress || !space->stale))
                fail("a CPU writes to a table", m);
            if (c->table[m] &&
                (!(f->type_info & FRAME_HELD) || c->table[m] != 1U << type))
                fail("a CPU takes a page for a table", m);
        }
    }
    if (neighbour_writes) {
        const struct frame *f = &world.table[neighbour_writes];

        if (f->type_info & FRAME_HELD || !(f->type_info & FRAME_TYPE_COUNT) ||
            !f->refs)
            fail("a neighbour writes to what is not to be written",
                 neighbour_writes);
    }
}

static void change_places(void)
{
    unsigned int from = here;

    here = !here;
    swapcontext(&cpu[from].context, &cpu[here].context);
}

static void step(void)
{
    unsigned int other = !here;

    if (!running)
        return;
    check();
    if (steps >= STEPS_MAX - 1) {
        fail("no end", 0);
        setcontext(&outside);
    }
    can_preempt[steps] = !cpu[other].done && !cpu[other].serves;
    for (unsigned int i = 0; i < preempt_count; i++)
        if (preempt_at[i] == steps) {
            steps++;
            if (can_preempt[steps - 1])
                change_places();
            return;
        }
    steps++;
}

/* Until @ready, others run, and this CPU takes their requests. */
#define WAIT_UNTIL(ready)                                                      \
    do {                                                                       \
        while (!(ready)) {                                                     \
            cpu[here].serves = true;                                           \
            if (cpu[!here].done)                                               \
                fail("a wait for nothing", 0);                                 \
            change_places();                                                   \
        }                                                                      \
        cpu[here].serves = false;                                              \
    } while (0)

void spin_lock_init(struct spinlock *lock, enum lock_rank rank)
{
    *lock = (struct spinlock)SPINLOCK_INIT(rank);
}

void spin_lock(struct spinlock *lock) __lock_primitive
{
    step();
    if (running)
        WAIT_UNTIL(lock->next == lock->serving);
    lock->next++;
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    lock->serving++;
    step();
    /* Who waits for it may go on at any time from here. */
    cpu[!here].serves = false;
}

void cpus_run(uint64_t cpus, void (*run)(uintptr_t arg), uintptr_t arg)
{
    unsigned int asker = here;

    for (unsigned int i = 0; i < CPUS; i++) {
        if (!(cpus >> i & 1))
            continue;
        step();
        if (running && i != asker)
            WAIT_UNTIL(cpu[i].done || cpu[i].serves);
        here = i;
        run(arg);
        here = asker;
    }
}

/* --- A processor's caches ----------------------------------------------------
 */

static void forget(struct cpu *c, bool global)
{
    memset(c->table, 0, sizeof(c->table));
    for (unsigned int m = 0; m < FIRST + FRAMES; m++)
        if (global || !(c->leaf[m] & KNOWN_GLOBAL))
            c->leaf[m] = 0;
}

void tlb_flush(void)
{
    forget(&cpu[here], false);
}

void tlb_flush_global(void)
{
    forget(&cpu[here], true);
}

void tlb_flush_page(vaddr_t va)
{
    (void)va; /* It forgets a page, perhaps: we do not rely on that. */
}

void tables_load(maddr_t root)
{
    (void)root;
    forget(&cpu[here], false);
}

void hv_tables_load(void)
{
    forget(&cpu[here], false);
}

/* --- The domain
 * --------------------------------------------------------------- */

static mfn_t l4, spare_l4, l3, l2, l1, spare_l1, data, other_data;

#define QUANTUM 120

/* Any answer will do. */
#define IGNORE(call)                                                           \
    do {                                                                       \
        __typeof__(call) ignored_ __attribute__((unused)) = (call);            \
    } while (0)

static uint64_t *entries(mfn_t table)
{
    return mfn_to_virt(table);
}

/* A hypercall: as often as it takes, letting go of the lock between. */
#define CALL(call)                                                             \
    ({                                                                         \
        struct page_work work __attribute__((unused));                         \
        int rc_;                                                               \
                                                                               \
        do {                                                                   \
            spin_lock(&space->base.lock);                                      \
            work.left = QUANTUM;                                               \
            rc_ = (call);                                                      \
            spin_unlock(&space->base.lock);                                    \
        } while (rc_ == -EAGAIN);                                              \
        rc_;                                                                   \
    })

static void drain(void)
{
    (void)CALL(page_drop(space, &work));
}

static int set(mfn_t table, unsigned int level, unsigned int index, uint64_t e)
{
    int rc = CALL(
        level == 1 && space->dropping == DROP_END &&
                table_is_valid(space, table, 1) &&
                entry_near_set(space, &entries(table)[index], e, false, NULL)
            ? 0
            : entry_set(space, table, level, index, e, false, NULL, &work));

    drain();
    return rc;
}

static void setup_world(void)
{
    const uint64_t flags = PTE_PRESENT | PTE_WRITE;
    mfn_t *all[] = {&l4, &spare_l4, &l3,   &l2,
                    &l1, &spare_l1, &data, &other_data};

    frames_add(mfn(FIRST), FRAMES);
    if (pv_space_create(space, DOMAIN, 0, FRAMES))
        abort();
    for (unsigned int i = 0; i < sizeof(all) / sizeof(*all); i++)
        *all[i] = pv_populate(space, i);
    entries(l4)[0] = entries(spare_l4)[0] = pte_make(l3, flags);
    entries(l3)[0] = pte_make(l2, flags);
    entries(l2)[0] = pte_make(l1, flags);
    entries(l1)[0] = pte_make(data, flags | PTE_USER);
    entries(l1)[1] = pte_make(other_data, flags | PTE_GUEST_KERNEL);
    entries(spare_l1)[0] = pte_make(other_data, flags);
    if (CALL(page_pin(space, l4, FRAME_L4, &work)) ||
        CALL(page_pin(space, spare_l4, FRAME_L4, &work)))
        abort();
}

/* --- What CPUs do
 * ------------------------------------------------------------- */

static void nothing(void)
{
}

/* The page becomes read-only, and a table; and back again. */
static void page_to_table(void)
{
    if (set(l1, 1, 0, pte_make(data, PTE_PRESENT | PTE_USER)))
        return;
    if (CALL(page_pin(space, data, FRAME_L1, &work)) == 0) {
        (void)CALL(page_unpin(space, data));
        drain();
    }
    (void)set(l1, 1, 0, pte_make(data, PTE_PRESENT | PTE_WRITE | PTE_USER));
}

/* The same, and CPUs may walk through it. */
static void page_in_tree(void)
{
    (void)set(l1, 1, 0, pte_make(data, PTE_PRESENT | PTE_USER));
    (void)set(l2, 2, 1, pte_make(data, PTE_PRESENT));
    (void)set(l2, 2, 1, 0);
    (void)set(l1, 1, 0, pte_make(data, PTE_PRESENT | PTE_WRITE | PTE_USER));
}

static void unmap_and_pin(void)
{
    (void)set(l1, 1, 0, 0);
    (void)CALL(page_pin(space, data, FRAME_L2, &work));
}

/* The table becomes a page, written through another table. */
static void table_to_page(void)
{
    (void)set(l2, 2, 0, 0);
    (void)set(l2, 2, 1, pte_make(spare_l1, PTE_PRESENT | PTE_WRITE));
    (void)set(spare_l1, 1, 1, pte_make(l1, PTE_PRESENT | PTE_WRITE | PTE_USER));
}

static void link_again(void)
{
    (void)set(l2, 2, 2, pte_make(l1, PTE_PRESENT | PTE_WRITE));
    (void)set(l2, 2, 2, 0);
}

static void map_page(void)
{
    (void)set(l1, 1, 2, pte_make(data, PTE_PRESENT | PTE_WRITE));
    (void)set(l1, 1, 2, 0);
}

static void release(void)
{
    (void)set(l1, 1, 0, 0);
    IGNORE(pv_release(space, data));
}

static void release_first(void)
{
    IGNORE(pv_release(space, data));
    (void)set(l1, 1, 0, 0);
    IGNORE(pv_populate(space, 9));
}

static void release_table(void)
{
    IGNORE(pv_release(space, l1));
    (void)set(l2, 2, 0, 0);
}

/* It may be another's already, or used again. */
static void exchange(void)
{
    struct pv_extents in = {0, {data.raw}}, out = {0, {9}};
    struct page_work work;
    int rc;

    (void)set(l1, 1, 0, 0);
    do {
        work.left = PAGE_WORK_QUANTUM;
        rc = pv_exchange(space, &in, &out, UINT64_MAX, &work);
    } while (rc == -EAGAIN);
}

static void flush_here_only(void)
{
    (void)CALL((pv_flush_cpus(space, 1UL << here, NULL), 0));
}

static void flush_everywhere(void)
{
    (void)CALL((pv_flush_all(space), 0));
}

/* A neighbour's grant of the page, to write; it writes while it holds it. */
static void neighbour(void)
{
    struct frame *f;

    if (pv_get_frame(space, data, true, &f))
        return;
    if (frame_get_more_type(f, FRAME_WRITABLE)) {
        neighbour_writes = (unsigned int)data.raw;
        step();
        frame_put_type(f);
        step();
        neighbour_writes = 0;
    }
    frame_put_type(f);
    /* It holds the page all the time, but not to write it. */
    if (frame_get_type(f, FRAME_WRITABLE)) {
        neighbour_writes = (unsigned int)data.raw;
        step();
        neighbour_writes = 0;
        frame_put_type(f);
    }
    frame_put(f);
}

/* This CPU's vCPU changes its base pointer; it was the last one on the old. */
static void new_base(void)
{
    int rc = CALL(page_get_type(space, spare_l4, FRAME_L4, &work));

    if (rc)
        return;
    spin_lock(&space->base.lock);
    pv_load(space, spare_l4);
    pv_flush_cpus(space, 1UL << here, NULL);
    page_put_type(space, mfn_to_frame(l4));
    spin_unlock(&space->base.lock);
    drain();
}

/* The other's vCPU is here now; its CPU has nothing to do, or chooses one. */
static void old_base_to_page(void)
{
    (void)CALL(page_unpin(space, l4));
    drain();
    (void)set(l1, 1, 3, pte_make(l4, PTE_PRESENT | PTE_WRITE | PTE_USER));
}

static void choose(void)
{
    cpu[here].idle = false;
    spin_lock(&space->base.lock);
    spin_unlock(&space->base.lock);
    pv_load(space, spare_l4);
    spin_lock(&space->base.lock);
    spin_unlock(&space->base.lock);
}

static void leave(void)
{
    space_unload();
}

/* --- All schedules
 * -------------------------------------------------------------- */

/* How CPUs are before the programs run. */
static void both_run(void)
{
    for (here = 0; here < CPUS; here++) {
        if (CALL(page_get_type(space, l4, FRAME_L4, &work)))
            abort();
        pv_load(space, l4);
    }
    here = 0;
    (void)CALL(page_unpin(space, l4));
}

/* CPU 1 idles on tables that nothing but a pin keeps. */
static void one_idles(void)
{
    for (here = 0; here < CPUS; here++) {
        if (CALL(page_get_type(space, spare_l4, FRAME_L4, &work)))
            abort();
        pv_load(space, here ? l4 : spare_l4);
    }
    here = 0;
    cpu[1].idle = true;
}

static void enter(void)
{
    cpu[here].program();
    cpu[here].done = true;
    check();
    if (!cpu[!here].done) {
        here = !here;
        setcontext(&cpu[here].context);
    }
    setcontext(&outside);
}

static struct cpu at_first[CPUS];

/* getcontext() returns twice, as the compiler sees it. */
static __noinline void cpu_begin(unsigned int i, void (*program)(void))
{
    struct cpu *c = &cpu[i];

    c->done = c->serves = false;
    c->idle = at_first[i].idle;
    c->loaded_space = at_first[i].loaded_space;
    c->loaded_root = at_first[i].loaded_root;
    memset(c->table, 0, sizeof(c->table));
    memset(c->leaf, 0, sizeof(c->leaf));
    c->program = program;
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = c->stack;
    c->context.uc_stack.ss_size = STACK;
    makecontext(&c->context, enter, 0);
}

/* One schedule; returns how many steps it had. */
static unsigned int run(void (*const program[CPUS])(void), unsigned int first)
{
    world = begun;
    memcpy(first_block, world.first_block, sizeof(first_block));
    memcpy(block_count, world.block_count, sizeof(block_count));
    free_frames = world.free_frames;
    for (unsigned int i = 0; i < CPUS; i++)
        cpu_begin(i, program[i]);
    steps = 0;
    here = first;
    neighbour_writes = 0;
    frames_lock = (struct spinlock)SPINLOCK_INIT(LOCK_frames);
    running = true;
    swapcontext(&outside, &cpu[here].context);
    running = false;
    here = 0;
    return steps;
}

static unsigned long schedules;

static void explore(void (*const program[CPUS])(void), unsigned int first,
                    unsigned int bound)
{
    static bool possible[BOUND_MAX + 1][STEPS_MAX];
    unsigned int depth = preempt_count, from, end;

    end = run(program, first);
    schedules++;
    if (depth == bound || failures)
        return;
    memcpy(possible[depth], can_preempt, end);
    from = depth ? preempt_at[depth - 1] + 1 : 0;
    for (unsigned int s = from; s < end && !failures; s++) {
        if (!possible[depth][s])
            continue;
        preempt_at[depth] = s;
        preempt_count = depth + 1;
        explore(program, first, bound);
    }
    preempt_count = depth;
}

static void begin(void (*how)(void))
{
    static struct world empty;

    world = empty;
    memset(first_block, 0, sizeof(first_block));
    memset(block_count, 0, sizeof(block_count));
    ram_ranges = 0;
    total = free_frames = 0;
    for (unsigned int i = 0; i < CPUS; i++)
        cpu[i] = (struct cpu){.loaded_root = MFN_NONE};
    setup_world();
    how();
    memcpy(world.first_block, first_block, sizeof(first_block));
    memcpy(world.block_count, block_count, sizeof(block_count));
    world.free_frames = free_frames;
    begun = world;
    for (unsigned int i = 0; i < CPUS; i++)
        at_first[i] = cpu[i];
}

static void all_pairs(void (*const *a)(void), unsigned int a_count,
                      void (*const *b)(void), unsigned int b_count,
                      unsigned int bound)
{
    for (unsigned int i = 0; i < a_count; i++)
        for (unsigned int j = 0; j < b_count; j++)
            for (unsigned int first = 0; first < CPUS; first++) {
                void (*const program[CPUS])(void) = {a[i], b[j]};

                failures = 0;
                preempt_count = 0;
                explore(program, first, bound);
                if (failures)
                    printf("programs %u and %u, CPU %u first, %u preemptions: "
                           "%s\n",
                           i, j, first, preempt_count, failure);
                EXPECT_EQ(failures, 0);
            }
    printf("%lu schedules\n", schedules);
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void (*const on_pages[])(void) = {
    page_to_table,   unmap_and_pin,    table_to_page, link_again,
    map_page,        release,          release_first, release_table,
    flush_here_only, flush_everywhere, neighbour,     nothing,
    page_in_tree,    exchange,
};

TEST("two CPUs change types of pages: two changes of places")
{
    begin(both_run);
    all_pairs(on_pages, COUNT(on_pages), on_pages, COUNT(on_pages), 2);
}

TEST("a neighbour holds a page while its type changes: three changes of places")
{
    static void (*const it[])(void) = {neighbour};

    begin(both_run);
    all_pairs(on_pages, COUNT(on_pages), it, 1, 3);
}

TEST("base pointers change while the other CPU is on the same tables")
{
    static void (*const bases[])(void) = {new_base};

    begin(both_run);
    all_pairs(bases, 1, on_pages, COUNT(on_pages), 2);
    all_pairs(bases, 1, bases, 1, 3);
}

TEST("tables on which a CPU idles become a page")
{
    static void (*const pages[])(void) = {old_base_to_page, unmap_and_pin,
                                          release, page_in_tree};
    static void (*const idles[])(void) = {choose, leave, nothing};

    begin(one_idles);
    all_pairs(pages, COUNT(pages), idles, COUNT(idles), 3);
}
