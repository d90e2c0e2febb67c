/* SPDX-License-Identifier: BSD-2-Clause */
/* The page of hypercall stubs that an image may ask for. */

#pragma once

#include <stdint.h>

/* Fill @page, 4096 bytes: stub n, at 32 * n, makes hypercall n. */
void hypercall_page_fill(uint8_t *page);
