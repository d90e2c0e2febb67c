/* SPDX-License-Identifier: BSD-2-Clause */
/* iret of class light, after the short way in entry.S could not do it. */

/* LINK: hypervisor/hypercall/iret.c */

#include <abi/trap.h>

#include <stdlib.h>

#include "arch/x86_64/upcalls.h"
#include "domain/pv_vcpu.h"
#include "pv/guest_copy.h"
#include "pv/traps.h"
#include "unit/test.h"

char unit_test_cpu_area[CPU_AREA_SIZE] __attribute__((aligned(16)));
bool percpu_slow_return;
const uint8_t *percpu_upcall_bytes, upcall_due[2];
static struct vcpu_info info;
static struct vcpu vcpu = {.info = &info};
struct vcpu *percpu_current_vcpu = &vcpu;

static bool reads_fail;
static unsigned int crashes, bounces;

int copy_bytes_from_guest(void *dst, struct guest_ptr src, size_t size)
{
    if (reads_fail) {
        vcpu.wants_memory = true;
        vcpu_repeat(&vcpu);
        return -EFAULT;
    }
    memcpy(dst, (const void *)src.va, size);
    return 0;
}

int copy_bytes_to_guest(struct guest_ptr dst, const void *src, size_t size)
{
    (void)dst, (void)src, (void)size;
    abort();
}

bool unit_test_guest_word(uint64_t va, void *value, size_t size, bool store)
{
    (void)va, (void)value, (void)size, (void)store;
    abort();
}

bool pv_to_user(struct vcpu *v)
{
    (void)v;
    abort();
}

void pv_set_iopl(struct vcpu *v, uint8_t iopl)
{
    (void)v, (void)iopl;
    abort();
}

void crash_with_registers(const char *fmt, ...)
{
    (void)fmt;
    crashes++;
}

bool bounce_trap(struct cpu_regs *regs, uint8_t vector, bool has_error_code)
{
    (void)regs;
    EXPECT_EQ(vector, VECTOR_GP);
    EXPECT_TRUE(has_error_code);
    bounces++;
    return true;
}

static struct iret_context frame;
static struct cpu_regs regs;

void setup(void)
{
    frame = (struct iret_context){
        .rip = 0x401000, .cs = 0xe030, .rflags = 0x202, .ss = 0xe02b};
    regs = (struct cpu_regs){.rip = 0x500002, .rsp = (uintptr_t)&frame};
    vcpu.repeat = vcpu.wants_memory = reads_fail = false;
    crashes = bounces = 0;
}

TEST("a frame without memory is waited for, and nothing has changed")
{
    reads_fail = true;
    upcall_iret(&regs, &vcpu);
    EXPECT_TRUE(vcpu.repeat && vcpu.wants_memory);
    EXPECT_EQ(regs.rip, 0x500002);
    EXPECT_EQ(crashes, 0);
}

/* Another CPU may free a frame after entry.S found none. */
TEST("a frame that has memory by now is not waited for")
{
    vcpu.repeat = vcpu.wants_memory = true;
    upcall_iret(&regs, &vcpu);
    EXPECT_FALSE(vcpu.repeat || vcpu.wants_memory);
    EXPECT_EQ(regs.rip, 0x401000);
    EXPECT_EQ(bounces, 0);
}

TEST("selectors of others and addresses that are none are #GP")
{
    static const uint16_t bad[] = {0xe020, 0xe008, 0, 0x7};

    for (unsigned int i = 0; i < 4; i++) {
        setup();
        frame.cs = bad[i];
        upcall_iret(&regs, &vcpu);
        EXPECT_EQ(bounces, 1);
        setup();
        frame.ss = bad[i];
        upcall_iret(&regs, &vcpu);
        EXPECT_EQ(bounces, 1);
    }
    setup();
    frame.rip = 1UL << 47;
    upcall_iret(&regs, &vcpu);
    EXPECT_EQ(bounces, 1);
}
