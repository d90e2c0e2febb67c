/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unit harness: thin names over CUnit.
 *
 * A test file is one program.  It says what it links, includes this once, and
 * has bodies that run in the order they are written:
 *
 *     // LINK: hypervisor/lib/string.c   (as a C comment of its own)
 *     TEST("a string's end does not count")
 *     {
 *         EXPECT_EQ(strlen("four"), 4);
 *     }
 *
 * `void setup(void)` runs before each body and `void teardown(void)` after it,
 * if the file defines them (they are not static).  An EXPECT_ that fails prints
 * both values and goes on; REQUIRE ends its test.  The program's exit status is
 * 0 only if every test passed; its last line counts them, and CUnit's own
 * summary stands above it.
 */

#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

struct test {
    const char *sentence;
    void (*body)(void);
};

/* The linker gathers these in the order written; all between them are tests. */
extern const struct test __start_tests[], __stop_tests[];

void setup(void) __attribute__((weak));
void teardown(void) __attribute__((weak));

#define TEST_PASTE_(a, b) a##b
#define TEST_PASTE(a, b)  TEST_PASTE_(a, b)
#define TEST_AT_(line, sentence_)                                              \
    static void TEST_PASTE(body_, line)(void);                                 \
    static const struct test TEST_PASTE(test_, line)                           \
        __attribute__((used, no_reorder, section("tests"))) = {                \
            .sentence = (sentence_),                                           \
            .body = TEST_PASTE(body_, line),                                   \
    };                                                                         \
    static void TEST_PASTE(body_, line)(void)
#define TEST(sentence) TEST_AT_(__LINE__, sentence)

/* One assertion of CUnit's, whose text holds what was found and expected. */
static inline void test_report(bool ok, bool fatal, const char *file,
                               unsigned int line, const char *text)
{
    (void)CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, line, text, file, "",
                                  fatal ? CU_TRUE : CU_FALSE);
}

static inline void test_equal(long long got, long long want, const char *what,
                              const char *file, unsigned int line)
{
    char text[512];

    snprintf(text, sizeof(text), "%s is %lld (0x%llx), expected %lld (0x%llx)",
             what, got, (unsigned long long)got, want,
             (unsigned long long)want);
    test_report(got == want, false, file, line, text);
}

static inline void test_pointer(const volatile void *got,
                                const volatile void *want, const char *what,
                                const char *file, unsigned int line)
{
    char text[512];

    snprintf(text, sizeof(text), "%s is 0x%" PRIxPTR ", expected 0x%" PRIxPTR,
             what, (uintptr_t)got, (uintptr_t)want);
    test_report(got == want, false, file, line, text);
}

static inline void test_string(const char *got, const char *want,
                               const char *what, const char *file,
                               unsigned int line)
{
    bool same = got && want ? strcmp(got, want) == 0 : got == want;
    char text[1024];

    snprintf(text, sizeof(text), "%s is \"%s\", expected \"%s\"", what,
             got ? got : "(null)", want ? want : "(null)");
    test_report(same, false, file, line, text);
}

static inline void test_memory(const void *got, const void *want, size_t bytes,
                               const char *what, const char *file,
                               unsigned int line)
{
    const unsigned char *g = got, *w = want;
    char text[512];
    size_t at = 0;

    while (at < bytes && g[at] == w[at])
        at++;
    snprintf(text, sizeof(text), "%s differs at byte %zu", what, at);
    test_report(at == bytes, false, file, line, text);
}

#define EXPECT_EQ(got, want)                                                   \
    test_equal((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
#define EXPECT_PTR(got, want)                                                  \
    test_pointer((got), (want), #got, __FILE__, __LINE__)
#define EXPECT_STR(got, want)                                                  \
    test_string((got), (want), #got, __FILE__, __LINE__)
#define EXPECT_MEM(got, want, bytes)                                           \
    test_memory((got), (want), (bytes), #got, __FILE__, __LINE__)
#define EXPECT_TRUE(cond)                                                      \
    test_report((cond), false, __FILE__, __LINE__, #cond " is false")
#define EXPECT_FALSE(cond)                                                     \
    test_report(!(cond), false, __FILE__, __LINE__, #cond " is true")
#define REQUIRE(cond)                                                          \
    test_report((cond), true, __FILE__, __LINE__, #cond " is false")

int main(void)
{
    unsigned int run, failed;
    CU_pSuite suite;

    setvbuf(stdout, NULL, _IOLBF, 0); /* A crash must not swallow the log. */
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    suite = CU_add_suite_with_setup_and_teardown("tests", NULL, NULL, setup,
                                                 teardown);
    if (!suite)
        return 2;
    for (const struct test *t = __start_tests; t < __stop_tests; t++)
        if (!CU_add_test(suite, t->sentence, t->body))
            return 2;

    CU_basic_set_mode(CU_BRM_VERBOSE);
    if (CU_basic_run_tests() != CUE_SUCCESS)
        return 2;
    run = CU_get_number_of_tests_run();
    failed = CU_get_number_of_tests_failed();
    CU_cleanup_registry();

    /* tests/run reads this line; none at all means that the program died. */
    printf("@@ %u passed, %u failed\n", run - failed, failed);
    return run == 0 || failed != 0;
}

#endif /* TESTS_UNIT_TEST_H */
