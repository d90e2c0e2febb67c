/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests as guests.  A guest is any number of TEST() bodies.  On Cairn each runs
 * in a domain of its own, without rights, that the initial one makes for it; on
 * Xen all run in the domain that was booted, so each leaves it as it was.  A
 * body has a sentence that is true when it passes, and prints one line:
 *
 *   case SENTENCE: success
 *   case SENTENCE: skip: why it means nothing here
 *   case SENTENCE: alone: N      it ends a domain N times; child_must_crash()
 *   case SENTENCE: error: why the test itself could not run
 *   case SENTENCE: failure: FILE:LINE: WHAT got X, want Y
 *
 * The guest ends with "@@ N passed, M failed" and powers off; a guest that ends
 * without it has crashed.  "only=WORD" on the command line picks the cases
 * whose sentence has the word in it ('_' stands for a space); with "linger=1"
 * it does not end.
 */

#ifndef FRAMEWORK_TEST_H
#define FRAMEWORK_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/errno.h>

#include "framework/machine.h"
#include "framework/print.h"
#include "framework/trap.h"

struct test_case {
    const char *sentence;
    void (*body)(void);
    struct test_case *next;
};

void test_register(struct test_case *test);

#define TEST_PASTE_(a, b) a##b
#define TEST_PASTE(a, b)  TEST_PASTE_(a, b)
#define TEST_AT_(line, sentence_)                                              \
    static void TEST_PASTE(body_, line)(void);                                 \
    static struct test_case TEST_PASTE(case_, line) = {                        \
        .sentence = (sentence_), .body = TEST_PASTE(body_, line)};             \
    __attribute__((constructor)) static void TEST_PASTE(register_, line)(void) \
    {                                                                          \
        test_register(&TEST_PASTE(case_, line));                               \
    }                                                                          \
    static void TEST_PASTE(body_, line)(void)
#define TEST(sentence) TEST_AT_(__LINE__, sentence)

/* False and noted as a failure unless got == want. */
bool test_expect(const char *file, int line, const char *what, int64_t got,
                 int64_t want);

#define EXPECT_EQ(got, want)                                                   \
    ((void)test_expect(__FILE__, __LINE__, #got, (int64_t)(got),               \
                       (int64_t)(want)))
#define EXPECT_TRUE(condition)  EXPECT_EQ(!!(condition), 1)
#define EXPECT_FALSE(condition) EXPECT_EQ(!!(condition), 0)

/* The same, and leave the body when it fails. */
#define REQUIRE_EQ(got, want)                                                  \
    do {                                                                       \
        if (!test_expect(__FILE__, __LINE__, #got, (int64_t)(got),             \
                         (int64_t)(want)))                                     \
            return;                                                            \
    } while (0)
#define REQUIRE(condition) REQUIRE_EQ(!!(condition), 1)

/* What a failure within a table of inputs was about; NULL: nothing. */
extern const char *test_input;

void test_skipped(const char *why);
void test_error(const char *why);
#define SKIP(why)                                                              \
    do {                                                                       \
        test_skipped(why);                                                     \
        return;                                                                \
    } while (0)
#define SKIP_ON_XEN(why)                                                       \
    do {                                                                       \
        if (!on_cairn)                                                         \
            SKIP(why);                                                         \
    } while (0)

/* Of class pv: what Xen does otherwise. */
#define CAIRN_ONLY(why)                                                        \
    do {                                                                       \
        if (on_xen)                                                            \
            SKIP(why);                                                         \
    } while (0)

/*
 * The case needs rights, or is about the initial domain, and runs there.  One
 * that makes domains, or asks control_op, need not say so.
 */
#define NEEDS_INITIAL_DOMAIN test_needs_initial_domain()
void test_needs_initial_domain(void);

/* Of class light, and only where the emulator counts instructions: "exact". */
#define ONLY_EXACT                                                             \
    do {                                                                       \
        NEEDS_INITIAL_DOMAIN;                                                  \
        if (!on_cairn || !option("exact"))                                     \
            SKIP("needs instruction counting");                                \
    } while (0)

/* An image's own: called before each case, wherever that runs. */
void test_setup(void) __attribute__((weak));

/* Xen gives each its own rights: what the initial domain alone may, or not. */
#define SKIP_IN_DOMU(why)                                                      \
    do {                                                                       \
        if (!on_cairn && !initial_domain)                                      \
            SKIP(why);                                                         \
        NEEDS_INITIAL_DOMAIN;                                                  \
    } while (0)
#define SKIP_ON_XEN_DOM0(why)                                                  \
    do {                                                                       \
        if (on_xen && initial_domain)                                          \
            SKIP(why);                                                         \
    } while (0)

/* How many expectations have failed so far in this case. */
extern unsigned int test_failures;

/* How often it would have crashed a child, had there been one; child.h. */
extern unsigned int test_crashes;

/* Run the cases that "only=" picks; returns how many failed. */
unsigned int test_run_all(void);

/* Entered from start.S. */
_Noreturn void test_start(const struct start_info *si);

/* A guest that is no list of cases defines this; it is called instead. */
_Noreturn void guest_main(void) __attribute__((weak));

#endif /* FRAMEWORK_TEST_H */
