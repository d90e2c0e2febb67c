/* SPDX-License-Identifier: BSD-2-Clause */
/* The pages that this image's cases make tables of. */

#include "framework/tables.h"
#include "framework/test.h"

#define PAGES_USED 32

PAGES(pages, PAGES_USED);

void test_setup(void)
{
    tables_use(pages, PAGES_USED);
    tables_reset();
}
