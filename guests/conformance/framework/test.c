/* SPDX-License-Identifier: BSD-2-Clause */
/* Running the cases of a test guest: see test.h. */

#include "framework/test.h"

#include <string.h>

#include "framework/child.h"
#include "framework/pair.h"
#include "framework/ports.h"
#include "framework/vcpu.h"

/* A case prints at most so many of its failures. */
#define FAILURES_SHOWN 5U

unsigned int test_failures, test_crashes;
const char *test_input;

static struct test_case *first_case, **next_case = &first_case;
static struct test_case *running;
static bool skipped, in_error;

extern char test_guard[];
extern void (*const __init_array_start[])(void);
extern void (*const __init_array_end[])(void);

void test_register(struct test_case *test)
{
    *next_case = test;
    next_case = &test->next;
}

static const char *running_name(void)
{
    return running ? running->sentence : "(child)";
}

bool test_expect(const char *file, int line, const char *what, int64_t got,
                 int64_t want)
{
    if (got == want)
        return true;
    test_failures++;
    if (test_failures > FAILURES_SHOWN)
        return false;
    print("case %s: failure: %s:%d: ", running_name(), file, line);
    if (test_input)
        print("[%s] ", test_input);
    print("%s: got %ld (%lx), want %ld (%lx)\n", what, got, got, want, want);
    return false;
}

void test_skipped(const char *why)
{
    skipped = true;
    print("case %s: skip: %s\n", running_name(), why);
}

void test_error(const char *why)
{
    in_error = true;
    print("case %s: error: %s\n", running_name(), why);
}

/* "only=" with '_' for a space. */
static bool is_picked(const char *sentence)
{
    const char *word = option("only");
    char text[128];
    size_t size = 0;

    if (!word)
        return true;
    while (word[size] != '\0' && word[size] != ' ' && size < sizeof(text) - 1) {
        text[size] = word[size] == '_' ? ' ' : word[size];
        size++;
    }
    text[size] = '\0';
    return strstr(sentence, text) != NULL;
}

/* What is left of a case. */
enum outcome {
    PASSED,
    FAILED,
    LEFT_OUT,
    NOT_HERE, /* it shall run in the initial domain */
};

static enum outcome run_case(struct test_case *test)
{
    running = test;
    test_failures = test_crashes = 0;
    test_input = NULL;
    skipped = in_error = false;
    mask_upcalls();
    trap_hook = NULL;
    if (test_setup)
        test_setup();
    test->body();
    trap_hook = NULL;
    running = NULL;
    if (test_crashes != 0 && !skipped) {
        skipped = true;
        print("case %s: alone: %u\n", test->sentence, test_crashes);
    }
    if (test_failures == 0 && !in_error && !skipped)
        print("case %s: success\n", test->sentence);
    if (test_failures != 0 || in_error)
        return FAILED;
    return skipped ? LEFT_OUT : PASSED;
}

/* In a domain of its own: what its ports and its table must be enough for. */
static const struct child_limits fresh = {
    .extra_pages = 4096,
    .max_ports = EVTCHN_FIFO_PORTS - 1,
    .grant_frames = 4,
    .maptrack_max = 1024,
    .grant_window = 64,
    .vcpus = VCPU_COUNT,
};

static bool in_fresh_domain;

static uint64_t run_here(uint64_t test)
{
    in_fresh_domain = true;
    return run_case((struct test_case *)(uintptr_t)test);
}

void test_needs_initial_domain(void)
{
    if (in_fresh_domain)
        child_return(NOT_HERE);
}

static enum outcome run_in_fresh_domain(struct test_case *test)
{
    enum outcome outcome = FAILED;
    struct child child;

    running = test;
    if (!child_start(&child, &fresh, run_here, (uint64_t)(uintptr_t)test))
        return FAILED;
    if (child_wait(&child)) {
        outcome = (enum outcome)child.result;
        if (!child.finished) {
            outcome = FAILED;
            test_error("it ended its domain");
            print("# reason %u, %s\n", child.info.shutdown_reason,
                  child.info.crash_reason);
        }
    }
    child_destroy(&child);
    running = NULL;
    return outcome;
}

static enum outcome run_anywhere(struct test_case *test)
{
    enum outcome outcome = NOT_HERE;

    if (on_cairn && initial_domain)
        outcome = run_in_fresh_domain(test);
    return outcome == NOT_HERE ? run_case(test) : outcome;
}

unsigned int test_run_all(void)
{
    unsigned int passed = 0, failed = 0, left_out = 0;

    for (struct test_case *t = first_case; t; t = t->next) {
        if (!is_picked(t->sentence))
            continue;
        switch (run_anywhere(t)) {
        case PASSED:
            passed++;
            break;
        case LEFT_OUT:
            left_out++;
            break;
        case FAILED:
        case NOT_HERE:
            failed++;
            break;
        }
    }
    print("@@ %u passed, %u failed, %u skipped\n", passed, failed, left_out);
    return failed;
}

_Noreturn void test_start(const struct start_info *si)
{
    machine_init(si);
    mask_upcalls();
    traps_init();
    guard_page(test_guard);
    if (!on_cairn && !initial_domain)
        own_domid = port_own_domid();
    for (void (*const *fn)(void) = __init_array_start; fn < __init_array_end;
         fn++)
        (*fn)();
    if (guest_main)
        guest_main();
    if (pair_is_child())
        pair_obey();
    test_run_all();
    pair_end();
    while (option_number("linger", 0) != 0)
        sleep_until(~0UL);
    /* Without ACPI tables read by its dom0, Xen can only reset. */
    machine_end(on_cairn || !initial_domain ? SHUTDOWN_poweroff
                                            : SHUTDOWN_reboot);
}
