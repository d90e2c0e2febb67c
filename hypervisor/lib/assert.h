/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Beliefs about our own code, checked in debug builds only; never the only
 * defence against input.
 */

#pragma once

#include "lib/compiler.h"

void __noreturn assert_failed(const char *file, int line, const char *belief);

#ifdef NDEBUG
#define assert(belief) ((void)sizeof(!(belief)))
#else
#define assert(belief)                                                         \
    ((belief) ? (void)0 : assert_failed(__FILE__, __LINE__, #belief))
#endif

#define static_assert _Static_assert
