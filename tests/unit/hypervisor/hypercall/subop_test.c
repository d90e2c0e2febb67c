/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sub-operations by table, on physdev_op, and calls that are refused: the
 * guest's memory is this program's.
 */

/* LINK: hypervisor/hypercall/physdev_op.c hypervisor/hypercall/refused.c */

#include <abi/physdev.h>

#include <stdlib.h>

#include "domain/domain.h"
#include "domain/pv_vcpu.h"
#include "domain/vcpu.h"
#include "hypercall/subop.h"
#include "unit/test.h"

char unit_test_cpu_area[CPU_AREA_SIZE] __attribute__((aligned(16)));
static struct domain self = {.domid = 7};
static struct vcpu vcpu = {.domain = &self};
struct vcpu *percpu_current_vcpu = &vcpu;

static bool reads_fail, writes_fail;
static size_t read_bytes, written_bytes;
static unsigned int continues;

int copy_bytes_from_guest(void *dst, struct guest_ptr src, size_t size)
{
    if (reads_fail)
        return -EFAULT;
    memcpy(dst, (const void *)src.va, size);
    read_bytes += size;
    return 0;
}

int copy_bytes_to_guest(struct guest_ptr dst, const void *src, size_t size)
{
    if (writes_fail)
        return -EFAULT;
    memcpy((void *)dst.va, src, size);
    written_bytes += size;
    return 0;
}

bool guest_range(uint64_t va, size_t size)
{
    return va <= GUEST_LOWER_END - size;
}

/* No domain here is of class pv. */
void pv_set_iopl(struct vcpu *v, uint8_t iopl)
{
    (void)v, (void)iopl;
    abort();
}

long hypercall_continue(void)
{
    continues++;
    return 0;
}

void setup(void)
{
    reads_fail = writes_fail = false;
    read_bytes = written_bytes = 0;
    continues = 0;
}

static const struct subop table[] = {
    [1] = {sizeof(uint32_t), false},
    [3] = {sizeof(uint64_t), true},
};
static long answer;
static unsigned int made;

static long make(struct vcpu *v, uint64_t cmd, void *op)
{
    EXPECT_PTR(v, &vcpu);
    made++;
    if (cmd == 3)
        *(uint64_t *)op += 1;
    return answer;
}

static long call(uint64_t cmd, void *arg)
{
    return subop_call(table, ARRAY_SIZE(table), &vcpu, cmd,
                      guest_ptr((uint64_t)(uintptr_t)arg), make);
}

TEST("what is not in the table is -ENOSYS, and its argument is not read")
{
    static const uint64_t unknown[] = {0, 2, 4, 1UL << 32 | 1, ~0UL};
    uint64_t arg = 5;

    made = 0;
    for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++)
        EXPECT_EQ(call(unknown[i], &arg), -ENOSYS);
    EXPECT_EQ(read_bytes, 0);
    EXPECT_EQ(made, 0);
}

TEST(
    "an argument is fetched by its size, and given back only if it has answers")
{
    uint64_t arg = 5;

    answer = 0;
    EXPECT_EQ(call(1, &arg), 0);
    EXPECT_EQ(read_bytes, sizeof(uint32_t));
    EXPECT_EQ(written_bytes, 0);
    EXPECT_EQ(call(3, &arg), 0);
    EXPECT_EQ(arg, 6);
}

TEST("an error gives nothing back, a continuation gives back and goes on")
{
    uint64_t arg = 5;

    answer = -EBUSY;
    EXPECT_EQ(call(3, &arg), -EBUSY);
    EXPECT_EQ(arg, 5);
    EXPECT_EQ(continues, 0);
    answer = -EAGAIN;
    EXPECT_EQ(call(3, &arg), 0);
    EXPECT_EQ(arg, 6);
    EXPECT_EQ(continues, 1);
}

TEST("an argument that cannot be read or written is -EFAULT")
{
    uint64_t arg = 5;

    answer = 0;
    made = 0;
    reads_fail = true;
    EXPECT_EQ(call(3, &arg), -EFAULT);
    EXPECT_EQ(made, 0);
    reads_fail = false;
    writes_fail = true;
    EXPECT_EQ(call(3, &arg), -EFAULT);
    EXPECT_EQ(call(1, &arg), 0);
}

static long bitmap(uint64_t va, uint32_t ports)
{
    struct physdev_set_iobitmap op = {.bitmap = va, .nr_ports = ports};

    return hypercall_physdev_op(PHYSDEVOP_set_iobitmap, (uintptr_t)&op);
}

TEST("an I/O bitmap ends below the end of guest addresses")
{
    EXPECT_EQ(bitmap(0, 0), 0);
    EXPECT_EQ(bitmap(GUEST_LOWER_END - IOBITMAP_BYTES, IOBITMAP_PORTS), 0);
    EXPECT_EQ(bitmap(GUEST_LOWER_END - IOBITMAP_BYTES + 1, 8), -EINVAL);
    EXPECT_EQ(bitmap(~0UL - 100, 8), -EINVAL);
    EXPECT_EQ(bitmap(0, IOBITMAP_PORTS + 1), -EINVAL);
}

TEST("a command whose low bits are another one's is not that one")
{
    struct physdev_set_iopl op = {.iopl = 1};
    uint64_t arg = (uintptr_t)&op;

    EXPECT_EQ(hypercall_physdev_op(PHYSDEVOP_set_iopl, arg), 0);
    EXPECT_EQ(hypercall_physdev_op(32 + PHYSDEVOP_apic_read, arg), -ENOSYS);
    EXPECT_EQ(hypercall_physdev_op(1UL << 32 | 6, arg), -ENOSYS);
    EXPECT_EQ(hypercall_physdev_op(PHYSDEVOP_apic_read, arg), -EPERM);
}

TEST("tools' interfaces look at the version before they refuse")
{
    uint32_t arg[2] = {1, 0x15};

    EXPECT_EQ(hypercall_refused(36, (uintptr_t)arg), -EPERM);
    EXPECT_EQ(hypercall_refused(7, (uintptr_t)arg), -EACCES);
    arg[1] = 0x03000001;
    EXPECT_EQ(hypercall_refused(7, (uintptr_t)arg), -EPERM);
    EXPECT_EQ(hypercall_refused(35, (uintptr_t)arg), -EACCES);
    reads_fail = true;
    EXPECT_EQ(hypercall_refused(35, (uintptr_t)arg), -EFAULT);
    EXPECT_EQ(hypercall_refused(11, (uintptr_t)arg), -ENOSYS);
    EXPECT_EQ(hypercall_refused(~0UL, (uintptr_t)arg), -ENOSYS);
}
