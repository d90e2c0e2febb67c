/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains that a test makes: see child.h. */

#include "framework/child.h"

#include <string.h>

#include <abi/cpuid.h>

#include <rt/hypercall.h>

#include "framework/pair.h"
#include "framework/ports.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define LOG_BYTES 8192U

extern const char rt_text_start[], rt_text_end[];
extern char rt_image_end[], test_guard[], test_stack_end[];

/* In the child, set by the parent's copy of these. */
static struct {
    bool is_child;
    child_fn *fn;
    uint64_t argument;
    domid_t domid;
} order;

/* Written by the child, read by its parent. */
static struct {
    bool finished;
    uint64_t result;
    unsigned int failures;
    uint32_t log_size;
    char log[LOG_BYTES];
} report;

static evtchn_port_t exception_port;

domid_t parent_domid;

long control(struct control_op *op)
{
    test_needs_initial_domain();
    return hypercall_control_op(op);
}

bool child_possible(void)
{
    return on_cairn || pair_has_child();
}

domid_t child_domid(domid_t wanted)
{
    return on_cairn ? wanted : pair_peer();
}

uint64_t free_pages(void)
{
    struct control_op op = {.cmd = CONTROL_OP_host_info};

    if (control(&op) != 0)
        return 0;
    return op.u.host_info.free_pages;
}

static void log_sink(const char *text, size_t size)
{
    if (size > LOG_BYTES - report.log_size)
        size = LOG_BYTES - report.log_size;
    memcpy(report.log + report.log_size, text, size);
    report.log_size += (uint32_t)size;
}

uint64_t child_spin(uint64_t unmasked)
{
    if (unmasked)
        unmask_upcalls();
    for (;;)
        __asm__ volatile("");
    return 0;
}

_Noreturn void child_return(uint64_t result)
{
    report.result = result;
    report.failures = test_failures;
    report.finished = true;
    machine_end(SHUTDOWN_poweroff);
}

/* Where a child starts, on its own stack; of class light without start_info. */
static _Noreturn void child_main(uint64_t unused, const struct start_info *si)
{
    (void)unused;
    print_sink = log_sink;
    machine_init(si);
    own_domid = order.domid;
    mask_upcalls();
    vcpus_forget();
    traps_init();
    guard_page(test_guard);
    trap_hook = NULL;
    test_failures = 0;
    child_return(order.fn(order.argument));
}

static uint64_t gfn_at(const void *va)
{
    return ((uint64_t)(uintptr_t)va - layout.virt_base) / PAGE_SIZE;
}

static bool is_zero(const uint64_t *page)
{
    for (size_t i = 0; i < PAGE_SIZE / sizeof(*page); i++) {
        if (page[i] != 0)
            return false;
    }
    return true;
}

static long set_region(domid_t domid, uint64_t gfn, uint64_t count,
                       uint32_t prot)
{
    struct control_op op = {
        .cmd = CONTROL_OP_set_region,
        .domid = domid,
        .u.set_region = {.gfn = gfn, .count = count, .prot = prot},
    };

    return control(&op);
}

/* What control_op calls page @pfn of the child. */
static uint64_t frame_in(const struct child *child, uint64_t pfn)
{
    return child->mfn ? child->mfn[pfn] : pfn;
}

long child_copy_page(const struct child *child, uint64_t pfn, const void *page)
{
    struct control_op op = {
        .cmd = CONTROL_OP_copy_to,
        .domid = child->domid,
        .u.copy = {.gfn = frame_in(child, pfn),
                   .buffer = hypercall_ptr(page),
                   .size = PAGE_SIZE},
    };

    return control(&op);
}

/* Text executable, the rest of the image writable. */
static long protect_text(domid_t domid)
{
    uint64_t text = gfn_at(rt_text_start);
    uint64_t text_end = gfn_at(rt_text_end + PAGE_SIZE - 1);

    return set_region(domid, text, text_end - text, LIGHT_PROT_execute);
}

/* Zero pages are left out. */
static long copy_image(const struct child *child)
{
    long rc = 0;

    for (const char *page = rt_text_start; rc == 0 && page < rt_image_end;
         page += PAGE_SIZE) {
        if (page == test_guard)
            continue;
        if (!is_zero((const uint64_t *)(const void *)page))
            rc = child_copy_page(child, gfn_at(page), page);
    }
    return rc;
}

static uint64_t pages_of(const struct child_limits *limits)
{
    uint64_t extra = limits->extra_pages ? limits->extra_pages : 256;

    return gfn_at(rt_image_end) + extra;
}

static uint32_t grant_window(const struct child_limits *limits)
{
    if (limits->pv)
        return 0;
    return limits->grant_window ? limits->grant_window : 16;
}

static long create(const struct child_limits *limits, domid_t *domid)
{
    uint64_t pages = pages_of(limits);
    struct control_op op = {
        .cmd = CONTROL_OP_create,
        .domid = limits->domid ? limits->domid : DOMID_INVALID,
        .u.create = {.class = limits->pv ? CAIRN_CLASS_PV : CAIRN_CLASS_LIGHT,
                     .vcpu_count = limits->vcpus ? limits->vcpus : 1,
                     .virt_base = layout.virt_base,
                     .reserved_pages = pages,
                     .max_pages = pages + limits->unpromised,
                     .max_ports = limits->max_ports ? limits->max_ports : 64,
                     .grant_frames =
                         limits->grant_frames ? limits->grant_frames : 2,
                     .maptrack_max =
                         limits->maptrack_max ? limits->maptrack_max : 32,
                     .grant_window = grant_window(limits),
                     .weight = limits->weight ? limits->weight : 256,
                     .rights = limits->rights},
    };
    long rc = control(&op);

    *domid = op.domid;
    return rc;
}

bool child_pv_possible(void)
{
    static const struct child_limits limits = {.pv = true};
    struct child child = {.made = true};
    long rc = create(&limits, &child.domid);

    if (rc == 0)
        child_destroy(&child);
    return rc != -ABI_EOPNOTSUPP;
}

/* As if the function had been called. */
static long set_start(struct child *child, uint64_t pages)
{
    uint64_t rip = (uint64_t)(uintptr_t)child_main;
    uint64_t rsp = hypercall_ptr(test_stack_end) - 8;
    struct control_op op = {
        .cmd = CONTROL_OP_set_start,
        .domid = child->domid,
        .u.set_start = {.rip = rip, .rsp = rsp},
    };

    return child->mfn ? child_pv_start(child, pages, rip, rsp) : control(&op);
}

static bool unpause(domid_t domid)
{
    struct control_op op = {.cmd = CONTROL_OP_unpause, .domid = domid};

    return control(&op) == 0;
}

bool child_make(struct child *child, const struct child_limits *limits,
                child_fn *fn, uint64_t argument)
{
    static const struct child_limits usual;
    long rc;

    memset(child, 0, sizeof(*child));
    if (exception_port == 0)
        exception_port = port_bind_virq(VIRQ_DOM_EXC, 0);
    if (!limits)
        limits = &usual;
    rc = create(limits, &child->domid);
    if (rc != 0) {
        print("create: %ld\n", rc);
        test_error("cannot create a child");
        return false;
    }
    child->made = true;
    order.is_child = true;
    order.fn = fn;
    order.argument = argument;
    order.domid = child->domid;
    rc = limits->pv ? child_pv_fill(child, pages_of(limits))
                    : protect_text(child->domid);
    if (rc == 0)
        rc = copy_image(child);
    order.is_child = false;
    if (rc == 0)
        rc = set_start(child, pages_of(limits));
    if (rc != 0) {
        print("copy: %ld\n", rc);
        test_error("cannot fill a child");
        child_destroy(child);
        return false;
    }
    return true;
}

static bool start_in_peer(struct child *child, child_fn *fn, uint64_t argument)
{
    memset(child, 0, sizeof(*child));
    child->domid = pair_peer();
    if (pair_start(fn, argument))
        return true;
    test_error("cannot reach the second domain");
    return false;
}

bool child_start(struct child *child, const struct child_limits *limits,
                 child_fn *fn, uint64_t argument)
{
    if (!on_cairn)
        return start_in_peer(child, fn, argument);
    if (!child_make(child, limits, fn, argument))
        return false;
    if (!unpause(child->domid)) {
        test_error("cannot start a child");
        child_destroy(child);
        return false;
    }
    return true;
}

long child_schedule(struct child *child, uint32_t weight, uint32_t cap,
                    uint32_t reserved, uint64_t cpus)
{
    struct control_op op = {.cmd = CONTROL_OP_set_sched,
                            .domid = child->domid,
                            .u.set_sched = {.weight = weight,
                                            .cap = cap,
                                            .reserved = reserved,
                                            .vcpu = CONTROL_SCHED_KEEP,
                                            .affinity = cpus}};

    return control(&op);
}

static bool look(struct child *child)
{
    struct control_op op = {
        .cmd = CONTROL_OP_list,
        .domid = child->domid,
        .u.list = {.buffer = hypercall_ptr(&child->info), .room = 1},
    };

    return control(&op) == 0 && op.u.list.count == 1 &&
           child->info.domid == child->domid;
}

/* Page by page: those of class pv are anywhere. */
static bool copy_with(unsigned int cmd, struct child *child, const void *ours,
                      void *buffer, uint32_t size)
{
    uint64_t va = (uint64_t)(uintptr_t)ours, to = hypercall_ptr(buffer);
    long rc = 0;

    while (size > 0 && rc == 0) {
        uint32_t offset = (uint32_t)(va % PAGE_SIZE);
        uint32_t part = (uint32_t)PAGE_SIZE - offset;
        struct control_op op = {
            .cmd = cmd,
            .domid = child->domid,
            .u.copy = {.gfn = frame_in(child, va / PAGE_SIZE),
                       .buffer = to,
                       .offset = offset,
                       .size = size < part ? size : part},
        };

        part = op.u.copy.size;
        rc = control(&op);
        va += part;
        to += part;
        size -= part;
    }
    return rc == 0;
}

bool child_peek(struct child *child, const void *ours, void *to, uint32_t size)
{
    return copy_with(CONTROL_OP_copy_from, child, ours, to, size);
}

bool child_poke(struct child *child, void *ours, const void *from,
                uint32_t size)
{
    union {
        const void *from;
        void *plain;
    } buffer = {.from = from};

    return copy_with(CONTROL_OP_copy_to, child, ours, buffer.plain, size);
}

void child_print(struct child *child)
{
    uint32_t size = 0;

    child_peek(child, &report.log_size, &size, sizeof(size));
    if (size > 0 && size <= LOG_BYTES &&
        child_peek(child, report.log, report.log, size)) {
        for (uint32_t i = 0; i < size; i++)
            print("%c", report.log[i]);
    }
}

/* Take over its report: what it printed, and its failures. */
static void read_report(struct child *child)
{
    unsigned int failures = 0;

    child_peek(child, &report.finished, &child->finished,
               sizeof(child->finished));
    child_peek(child, &report.result, &child->result, sizeof(child->result));
    child_peek(child, &report.failures, &failures, sizeof(failures));
    child_print(child);
    test_failures += failures;
}

static bool wait_for_end(struct child *child)
{
    uint64_t deadline = now_ns() + CHILD_TIMEOUT_NS;
    struct sched_poll poll = {
        .ports = hypercall_ptr(&exception_port),
        .nr_ports = 1,
        .timeout = deadline,
    };

    for (;;) {
        port_clear(exception_port);
        if (!look(child)) {
            test_error("a child is not listed");
            return false;
        }
        if ((child->info.flags & (CONTROL_DOM_shutdown | CONTROL_DOM_dying)) !=
            0)
            break;
        if (now_ns() >= deadline) {
            read_report(child);
            test_error("a child does not end");
            return false;
        }
        hypercall_sched_op(SCHEDOP_poll, &poll);
    }
    read_report(child);
    return true;
}

static bool wait_for_peer(struct child *child)
{
    struct pair_answer answer;

    child->finished = pair_wait(&answer, CHILD_TIMEOUT_NS);
    if (!child->finished) {
        test_error("the second domain does not answer");
        return false;
    }
    child->result = answer.result;
    test_failures += answer.failures;
    return true;
}

bool child_wait(struct child *child)
{
    if (!on_cairn)
        return wait_for_peer(child);
    return wait_for_end(child);
}

void child_destroy(struct child *child)
{
    struct control_op op = {.cmd = CONTROL_OP_destroy, .domid = child->domid};
    long rc;

    if (!child->made)
        return;
    do
        rc = control(&op);
    while (rc == -ABI_EAGAIN);
    EXPECT_EQ(rc, 0);
    child_pv_forget(child);
    child->made = false;
}

bool child_run(struct child *child, child_fn *fn, uint64_t argument)
{
    bool ended;

    if (!child_start(child, NULL, fn, argument))
        return false;
    ended = child_wait(child);
    if (ended && !child->finished)
        print("child: reason %u, %s\n", child->info.shutdown_reason,
              child->info.crash_reason);
    child_destroy(child);
    return ended && child->finished;
}

static void crash_here(child_fn *fn, uint64_t argument)
{
    test_crashes++;
    if (option_number("alone", 0) != test_crashes)
        return;
    print("@@ must crash now\n");
    machine_flush();
    fn(argument);
    test_error("it did not crash");
}

void child_must_crash(child_fn *fn, uint64_t argument)
{
    struct child child;

    if (!on_cairn) {
        crash_here(fn, argument);
        return;
    }
    if (!child_start(&child, NULL, fn, argument))
        return;
    if (child_wait(&child)) {
        EXPECT_FALSE(child.finished);
        EXPECT_EQ(child.info.shutdown_reason, SHUTDOWN_crash);
        EXPECT_TRUE(child.info.crash_reason[0] != '\0');
    }
    child_destroy(&child);
}
