/* SPDX-License-Identifier: BSD-2-Clause */
/* physdev_op, vm_assist, stack_switch: what kernels ask for at their start. */

#include <abi/assist.h>
#include <abi/hypercall.h>
#include <abi/physdev.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/test.h"

static long physdev(unsigned int cmd, const void *arg)
{
    return hypercall2(HYPERCALL_physdev_op, cmd, hypercall_ptr(arg));
}

TEST("an I/O privilege level is taken up to 3")
{
    struct physdev_set_iopl op;

    for (op.iopl = 0; op.iopl <= 3; op.iopl++)
        EXPECT_EQ(physdev(PHYSDEVOP_set_iopl, &op), 0);
    op.iopl = 4;
    EXPECT_EQ(physdev(PHYSDEVOP_set_iopl, &op), -ABI_EINVAL);
    op.iopl = ~0U;
    EXPECT_EQ(physdev(PHYSDEVOP_set_iopl, &op), -ABI_EINVAL);
    op.iopl = 0;
    EXPECT_EQ(physdev(PHYSDEVOP_set_iopl, &op), 0);
}

static uint8_t port_value;

static void in_byte(void *port)
{
    __asm__ volatile("inb %w1, %0"
                     : "=a"(port_value)
                     : "d"((uint16_t)(uintptr_t)port));
}

TEST("with any level and bitmap no port of the machine can be read")
{
    static uint8_t bitmap[IOBITMAP_BYTES]; /* every port allowed */
    struct physdev_set_iopl level = {.iopl = 3};
    struct physdev_set_iobitmap ports = {.bitmap = hypercall_ptr(bitmap),
                                         .nr_ports = IOBITMAP_PORTS};
    static const uint16_t tried[] = {0x20, 0x60, 0x64, 0x3f8};

    SKIP_ON_XEN_DOM0("it is the owner of the ports");
    EXPECT_EQ(physdev(PHYSDEVOP_set_iopl, &level), 0);
    EXPECT_EQ(physdev(PHYSDEVOP_set_iobitmap, &ports), 0);
    for (unsigned int i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
        /* Xen reads ones for a kernel that has the level. */
        if (fault_probe(in_byte, (void *)(uintptr_t)tried[i]))
            EXPECT_EQ(trap_seen.vector, TRAP_GP);
        else
            EXPECT_EQ(port_value, 0xff);
    }
    level.iopl = 0;
    EXPECT_EQ(physdev(PHYSDEVOP_set_iopl, &level), 0);
    ports.nr_ports = 0;
    EXPECT_EQ(physdev(PHYSDEVOP_set_iobitmap, &ports), 0);
}

TEST("an I/O bitmap is checked: its size, and that it can be an address")
{
    static uint8_t bitmap[IOBITMAP_BYTES];
    struct physdev_set_iobitmap op = {.bitmap = hypercall_ptr(bitmap),
                                      .nr_ports = IOBITMAP_PORTS};

    EXPECT_EQ(physdev(PHYSDEVOP_set_iobitmap, &op), 0);
    op.nr_ports = IOBITMAP_PORTS + 1;
    EXPECT_EQ(physdev(PHYSDEVOP_set_iobitmap, &op), -ABI_EINVAL);
    op.nr_ports = ~0U;
    EXPECT_EQ(physdev(PHYSDEVOP_set_iobitmap, &op), -ABI_EINVAL);
    op.nr_ports = 8;
    op.bitmap = 0xffff820000000000;
    EXPECT_EQ(physdev(PHYSDEVOP_set_iobitmap, &op), -ABI_EINVAL);
    op.bitmap = 0x8000000000000000;
    EXPECT_EQ(physdev(PHYSDEVOP_set_iobitmap, &op), -ABI_EINVAL);
    op.bitmap = 0;
    op.nr_ports = 0;
    EXPECT_EQ(physdev(PHYSDEVOP_set_iobitmap, &op), 0);
}

TEST("interrupts that a domain does not have are -EINVAL")
{
    struct physdev_eoi eoi = {.irq = ~0U};
    struct physdev_irq_status_query status = {.irq = ~0U};

    EXPECT_EQ(physdev(PHYSDEVOP_eoi, &eoi), -ABI_EINVAL);
    EXPECT_EQ(physdev(PHYSDEVOP_irq_status_query, &status), -ABI_EINVAL);
    eoi.irq = 0x10000;
    EXPECT_EQ(physdev(PHYSDEVOP_eoi, &eoi), -ABI_EINVAL);
}

TEST("interrupt controllers and PCI are refused without rights")
{
    static const unsigned int cmds[] = {
        PHYSDEVOP_apic_read,         PHYSDEVOP_apic_write,
        PHYSDEVOP_alloc_irq_vector,  PHYSDEVOP_map_pirq,
        PHYSDEVOP_manage_pci_add,    PHYSDEVOP_manage_pci_remove,
        PHYSDEVOP_restore_msi,       PHYSDEVOP_setup_gsi,
        PHYSDEVOP_pci_mmcfg_reserved};
    static uint64_t arg[16];

    SKIP_ON_XEN_DOM0("it is the owner of the machine");
    for (unsigned int i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
        long rc = physdev(cmds[i], arg);

        if (rc != -ABI_EPERM)
            print("# physdev %u: %ld\n", cmds[i], rc);
        EXPECT_TRUE(rc == -ABI_EPERM || rc == -ABI_EINVAL);
    }
}

TEST("an unknown physdev operation is -ENOSYS")
{
    uint64_t arg[16] = {0};

    EXPECT_EQ(physdev(99, arg), -ABI_ENOSYS);
    EXPECT_EQ(physdev(0x7fffffff, arg), -ABI_ENOSYS);
}

static long assist(uint64_t cmd, uint64_t type)
{
    return hypercall2(HYPERCALL_vm_assist, cmd, type);
}

TEST("assists that kernels ask for can be turned on and off")
{
    static const unsigned int types[] = {
        VMASST_TYPE_4gb_segments, VMASST_TYPE_4gb_segments_notify,
        VMASST_TYPE_writable_pagetables, VMASST_TYPE_runstate_update_flag};

    for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        EXPECT_EQ(assist(VMASST_CMD_enable, types[i]), 0);
        EXPECT_EQ(assist(VMASST_CMD_disable, types[i]), 0);
        EXPECT_EQ(assist(VMASST_CMD_disable, types[i]), 0);
    }
}

TEST("an unknown assist is -EINVAL, an unknown command -ENOSYS")
{
    EXPECT_EQ(assist(VMASST_CMD_enable, 31), -ABI_EINVAL);
    EXPECT_EQ(assist(VMASST_CMD_enable, 64), -ABI_EINVAL);
    EXPECT_EQ(assist(VMASST_CMD_enable, ~0UL >> 32), -ABI_EINVAL);
    EXPECT_EQ(assist(2, VMASST_TYPE_writable_pagetables), -ABI_ENOSYS);
    EXPECT_EQ(assist(~0UL >> 32, VMASST_TYPE_writable_pagetables), -ABI_ENOSYS);
}

TEST("stack_switch takes any stack")
{
    EXPECT_EQ(hypercall2(HYPERCALL_stack_switch, FLAT_RING3_DS, 0x1000), 0);
}
