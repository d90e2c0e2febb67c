/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For doubles that several tests share: unit/test.h holds main(), so only the
 * test itself includes that.  The test defines check_failed() by CHECK_MAIN.
 */

#ifndef TESTS_UNIT_DOUBLES_CHECK_H
#define TESTS_UNIT_DOUBLES_CHECK_H

void check_failed(const char *file, int line, const char *what);

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond))                                                           \
            check_failed(__FILE__, __LINE__, #cond " is false");               \
    } while (0)

#define CHECK_MAIN                                                             \
    void check_failed(const char *file, int line, const char *what)            \
    {                                                                          \
        test_report(false, false, file, (unsigned int)line, what);             \
    }

#endif /* TESTS_UNIT_DOUBLES_CHECK_H */
