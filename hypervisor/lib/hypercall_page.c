/* SPDX-License-Identifier: BSD-2-Clause */
/* The page of hypercall stubs that an image may ask for. */

#include "lib/hypercall_page.h"

#include <abi/hypercall.h>

#include "lib/string.h"

#define STUB_BYTES 32U
#define STUB_COUNT 128U

/* The number goes where these have 0. */
static const uint8_t ordinary[] = {
    0x51,                /* push %rcx */
    0x41, 0x53,          /* push %r11 */
    0xb8, 0,    0, 0, 0, /* mov $n, %eax */
    0x0f, 0x05,          /* syscall */
    0x41, 0x5b,          /* pop %r11 */
    0x59,                /* pop %rcx */
    0xc3,                /* ret */
};
#define ORDINARY_NUMBER 4

/* iret: what it pushes is the head of its frame; it does not return. */
static const uint8_t iret[] = {
    0x51,                                   /* push %rcx */
    0x41, 0x53,                             /* push %r11 */
    0x50,                                   /* push %rax */
    0xb8, HYPERCALL_iret, 0x00, 0x00, 0x00, /* mov $23, %eax */
    0x0f, 0x05,                             /* syscall */
};

void hypercall_page_fill(uint8_t *page)
{
    memset(page, 0xcc, STUB_COUNT * STUB_BYTES); /* int3 between stubs */
    for (unsigned int n = 0; n < STUB_COUNT; n++) {
        uint8_t *stub = page + n * STUB_BYTES;

        memcpy(stub, ordinary, sizeof(ordinary));
        stub[ORDINARY_NUMBER] = (uint8_t)n;
    }
    memcpy(page + HYPERCALL_iret * STUB_BYTES, iret, sizeof(iret));
}
