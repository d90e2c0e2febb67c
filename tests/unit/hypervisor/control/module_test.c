/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/control/module.c */
/* What the initial domain is told of the boot modules behind the first. */

#include "control/module.h"

#include <string.h>

#include "control/control.h"
#include "lib/errno.h"
#include "test.h"

static char text[CONTROL_MODULE_STRING];
static bool unreadable;

int copy_bytes_to_guest(struct guest_ptr dst, const void *src, size_t size)
{
    if (unreadable)
        return -EFAULT;
    memcpy((void *)dst.va, src, size);
    return 0;
}

static int ask(uint32_t index, struct control_module *op)
{
    *op = (struct control_module){.index = index,
                                  .string = (uint64_t)(uintptr_t)text};
    return control_module(op);
}

void setup(void)
{
    boot_module_count = 3;
    boot_modules[1] = (struct boot_module){
        .start = 0x200000, .bytes = 5, .gfn = 70, .string = "one"};
    boot_modules[2] = (struct boot_module){
        .start = 0x300000, .bytes = 6, .gfn = 71, .string = "two"};
    unreadable = false;
}

TEST("modules behind the first are told, and no others")
{
    struct control_module op;

    EXPECT_EQ(ask(1, &op), 0);
    EXPECT_EQ(op.gfn, 71);
    EXPECT_EQ(op.bytes, 6);
    EXPECT_STR(text, "two");
    EXPECT_EQ(ask(0, &op), 0);
    EXPECT_EQ(op.gfn, 70);
    EXPECT_STR(text, "one");
    EXPECT_EQ(ask(2, &op), -ENOENT);
    EXPECT_EQ(ask(BOOT_MODULES_MAX - 1, &op), -ENOENT);
    EXPECT_EQ(ask(UINT32_MAX, &op), -ENOENT);
    unreadable = true;
    EXPECT_EQ(ask(0, &op), -EFAULT);
}

TEST("where none is shown, as to an initial domain of class pv, there is none")
{
    struct control_module op;

    boot_modules[1].gfn = boot_modules[2].gfn = 0;
    text[0] = 0;
    EXPECT_EQ(ask(0, &op), -ENOENT);
    EXPECT_EQ(ask(1, &op), -ENOENT);
    EXPECT_STR(text, "");
}
