/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a hypercall can keep an interrupt waiting.
 *
 * A timer strikes at moments strewn over the work that a case does; how late
 * its event arrives is how long interrupts were off.  That is exact, and worth
 * a limit, only where the emulator counts instructions and one is a nanosecond:
 * "exact=1" on the command line says so.
 */

#include <string.h>

#include <abi/console_io.h>
#include <abi/cpuid.h>
#include <abi/hypercall.h>
#include <abi/multicall.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/grants.h"
#include "framework/ports.h"
#include "framework/test.h"
#include "latency/latency.h"

/* The goal, and what the way from the interrupt to here takes. */
#define LATENCY_NS  25000UL
#define DELIVERY_NS 3000UL

/* A strike comes so long after the one before, at least and at most. */
#define PAUSE_NS   4000UL
#define SPREAD_NS  16384UL
#define SAMPLES    40U
#define PORTS_MANY 4000U

static volatile uint64_t due, worst;
static volatile unsigned int samples;

static void arm(void)
{
    static uint64_t state = 1;

    state = state * 6364136223846793005UL + 1442695040888963407UL;
    due = now_ns() + PAUSE_NS + (state >> 33) % SPREAD_NS;
    hypercall_set_timer_op(due);
}

static bool note_strike(struct trap_frame *frame)
{
    uint64_t now = now_ns();

    if (frame->vector == TRAP_UPCALL && now >= due) {
        if (now - due > worst)
            worst = now - due;
        samples++;
        arm();
    }
    return false;
}

void measure(const char *what, void (*work)(void))
{
    evtchn_port_t port = port_bind_virq(VIRQ_TIMER, 0);

    worst = 0;
    samples = 0;
    trap_hook = note_strike;
    arm();
    unmask_upcalls();
    while (samples < SAMPLES)
        work();
    mask_upcalls();
    trap_hook = NULL;
    hypercall_set_timer_op(0);
    port_close(port);
    print("%s: %lu\n", what, worst);
    EXPECT_TRUE(worst <= LATENCY_NS + DELIVERY_NS);
}

/* --- Memory --------------------------------------------------------------- */

#define MANY_PAGES 2048U

static uint64_t first_spare(void)
{
    return layout.ram_pages - MANY_PAGES;
}

static void touch_and_discard(void)
{
    struct light_discard op = {.gfn = first_spare(), .count = MANY_PAGES};

    for (uint64_t i = 0; i < MANY_PAGES; i++)
        *(volatile uint8_t *)(uintptr_t)(layout.virt_base +
                                         (op.gfn + i) * PAGE_SIZE) = 1;
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_discard, &op), 0);
}

static void protect_and_back(void)
{
    struct light_protect op = {.gfn = first_spare(), .count = MANY_PAGES};

    op.prot = LIGHT_PROT_read;
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_protect, &op), 0);
    op.prot = LIGHT_PROT_read_write;
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_protect, &op), 0);
}

TEST("memory is discarded and protected a little at a time")
{
    ONLY_EXACT;
    measure("discard", touch_and_discard);
    for (uint64_t i = 0; i < MANY_PAGES; i++)
        *(volatile uint8_t *)(uintptr_t)(layout.virt_base +
                                         (first_spare() + i) * PAGE_SIZE) = 1;
    measure("protect", protect_and_back);
}

/* --- Lists ---------------------------------------------------------------- */

PAGES(from, 1);
PAGES(to, 1);

static struct gnttab_copy ops[256];

static void copy_many(void)
{
    for (int i = 0; i < 256; i++)
        ops[i] = (struct gnttab_copy){
            .source = {.u.gmfn = frame_of(from), .domid = DOMID_SELF},
            .dest = {.u.gmfn = frame_of(to), .domid = DOMID_SELF},
            .len = PAGE_SIZE,
        };
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, ops, 256), 0);
}

/* Each entry is a quantum by itself, and none of them needs another one. */
static void make_list(void)
{
    static struct multicall_entry list[16];
    static struct light_discard op[16];

    for (uint64_t i = 0; i < 16; i++) {
        op[i] =
            (struct light_discard){.gfn = first_spare() + i * 64, .count = 64};
        list[i] = (struct multicall_entry){
            .op = HYPERCALL_light_op,
            .args = {LIGHT_OP_discard, hypercall_ptr(&op[i])}};
    }
    for (uint64_t i = 0; i < 16 * 64; i++)
        *(volatile uint8_t *)(uintptr_t)(layout.virt_base +
                                         (first_spare() + i) * PAGE_SIZE) = 1;
    EXPECT_EQ(hypercall2(HYPERCALL_multicall, hypercall_ptr(list), 16), 0);
}

static void write_long(void)
{
    static char text[700];

    memset(text, '.', sizeof(text));
    text[sizeof(text) - 1] = '\n';
    hypercall3(HYPERCALL_console_io, CONSOLEIO_write, sizeof(text),
               hypercall_ptr(text));
}

TEST("lists and long texts are worked on a little at a time")
{
    ONLY_EXACT;
    measure("grant copy", copy_many);
    measure("multicall", make_list);
    measure("console", write_long);
}

/* --- Ports and domains ---------------------------------------------------- */

static void fill_and_reset(void)
{
    struct evtchn_reset op = {.dom = DOMID_SELF};
    evtchn_port_t port;

    for (unsigned int i = 0; i < PORTS_MANY / 2; i++)
        if (!(port = port_alloc_unbound(own_domid)) ||
            !port_bind(own_domid, port))
            break;
    /* Of our timer too, so the case binds it anew. */
    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_reset, &op), 0);
    port_bind_virq(VIRQ_TIMER, 0);
}

/* Has as many ports and grants as there can be, with a record for each. */
static uint64_t grow_fat(uint64_t unused)
{
    static uint64_t gfns[LIGHT_GRANT_FRAMES_MAX];
    struct gnttab_setup_table op = {.dom = DOMID_SELF,
                                    .nr_frames = LIGHT_GRANT_FRAMES_MAX,
                                    .frame_list = hypercall_ptr(gfns)};

    (void)unused;
    while (port_alloc_unbound(own_domid))
        ;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1), 0);
    for (unsigned int i = 0; i < LIGHT_GRANT_FRAMES_MAX; i++) {
        struct grant_entry_v1 *entries =
            (void *)(uintptr_t)(layout.virt_base + gfns[i] * PAGE_SIZE);

        for (unsigned int n = 0; n < 512; n += 64) {
            struct gnttab_copy copy = {
                .source = {.u.ref = i * 512 + n, .domid = own_domid},
                .dest = {.u.gmfn = frame_of(to), .domid = DOMID_SELF},
                .len = 1,
                .flags = GNTCOPY_source_gref,
            };

            if (i == 0 && n == 0)
                continue; /* reserved references */
            entries[n].frame = (uint32_t)frame_of(from);
            entries[n].domid = own_domid;
            entries[n].flags = GTF_permit_access;
            hypercall_grant_table_op(GNTTABOP_copy, &copy, 1);
            EXPECT_EQ(copy.status, GNTST_okay);
        }
    }
    return 0;
}

/* While a child runs it is others' turn, which is another matter. */
static void only_end(const struct child_limits *limits, child_fn *fn)
{
    struct child child;

    hypercall_set_timer_op(0);
    due = ~0UL;
    if (!child_start(&child, limits, fn, 0) || !child_wait(&child))
        return;
    arm();
    child_destroy(&child);
}

static void fat_domain_goes(void)
{
    static const struct child_limits limits = {
        .max_ports = EVTCHN_2L_PORTS - 1,
        .grant_frames = LIGHT_GRANT_FRAMES_MAX,
    };

    only_end(&limits, grow_fat);
}

#define GIB_PAGES 0x40000UL

/* A page here and there, so that there are many tables and little in them. */
static uint64_t spread_thin(uint64_t unused)
{
    (void)unused;
    for (uint64_t gfn = GIB_PAGES; gfn < layout.ram_pages; gfn += GIB_PAGES)
        *(volatile uint8_t *)(uintptr_t)(layout.virt_base + gfn * PAGE_SIZE) =
            1;
    return 0;
}

static void thin_domain_goes(void)
{
    static const struct child_limits limits = {.unpromised = 8 * GIB_PAGES};

    only_end(&limits, spread_thin);
}

/* --- Making and looking --------------------------------------------------- */

static void make_wide_domain(void)
{
    struct control_op op = {
        .cmd = CONTROL_OP_create,
        .domid = DOMID_INVALID,
        .u.create = {.class = CAIRN_CLASS_LIGHT,
                     .vcpu_count = 8,
                     .virt_base = layout.virt_base,
                     .reserved_pages = 64,
                     .max_pages = GIB_PAGES,
                     .max_ports = EVTCHN_2L_PORTS - 1,
                     .grant_frames = LIGHT_GRANT_FRAMES_MAX,
                     .maptrack_max = 1U << 20,
                     .grant_window = 1U << 18,
                     .weight = 1},
    };

    EXPECT_EQ(control(&op), 0);
    op.cmd = CONTROL_OP_destroy;
    EXPECT_EQ(control(&op), 0);
}

static void set_all_traps(void)
{
    static struct trap_info table[TRAP_COUNT + 1];

    for (unsigned int i = 0; i < TRAP_COUNT; i++)
        table[i] = (struct trap_info){.vector = (uint8_t)i,
                                      .address = trap_stub(i % 32)};
    hypercall_set_trap_table(table);
    hypercall_set_trap_table(NULL);
    traps_init();
}

static char text[65536];

static void list(void)
{
    static struct control_domain_info info[16];
    struct control_op op = {
        .cmd = CONTROL_OP_list,
        .u.list = {.buffer = hypercall_ptr(info), .room = 16}};

    EXPECT_EQ(control(&op), 0);
}

static void read_log(void)
{
    struct control_op op = {
        .cmd = CONTROL_OP_log_read,
        .u.log_read = {.buffer = hypercall_ptr(text), .size = sizeof(text)}};

    EXPECT_EQ(control(&op), 0);
}

static void copy_out(void)
{
    struct control_op op = {.cmd = CONTROL_OP_copy_from,
                            .u.copy = {.gfn = first_spare(),
                                       .buffer = hypercall_ptr(text),
                                       .size = sizeof(text)}};

    EXPECT_EQ(control(&op), 0);
}

TEST("domains are made and looked at a little at a time")
{
    ONLY_EXACT;
    measure("create", make_wide_domain);
    measure("trap table", set_all_traps);
    measure("list", list);
    measure("log", read_log);
    measure("copy", copy_out);
}

static void tree_goes(void)
{
    static const struct child_limits limits = {.pv = true};

    only_end(&limits, tree_child);
}

TEST("ports are reset and domains end a little at a time")
{
    ONLY_EXACT;
    measure("end of a domain of class pv", tree_goes);
    measure("end of a domain", fat_domain_goes);
    measure("end of a thin domain", thin_domain_goes);
    measure("reset", fill_and_reset);
}
