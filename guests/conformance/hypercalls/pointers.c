/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bad pointers in every hypercall that takes one.
 *
 * A guest passes addresses of the hypervisor, of nothing, that are not
 * canonical, or that run over the end.  A broken host reads or writes there
 * for the guest; a right one says -EFAULT and nothing has happened.
 */

#include <string.h>

#include <abi/grant_table.h>
#include <abi/hypercall.h>
#include <abi/memory.h>
#include <abi/trap.h>
#include <abi/vcpu.h>
#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/test.h"

#define HYPERVISOR 0xffff820000000000UL

static const uint64_t bad_addresses[] = {
    HYPERVISOR,
    HYPERVISOR + 0x1000,
    0xffff82d040200000, /* Xen's text */
    0xffff830000000000, /* Xen's direct map */
    0xffff87ffffffffff - 4095,
    0x0000800000000000, /* the first that is not canonical */
    0x8000000000000000,
    0xffff7ffffffff000, /* the last page that is not canonical */
    0xdead000000000000,
    0x00007ffffffff000, /* canonical, and nothing there */
    0x0000700000000000,
    0xffff888000000000,
    0xfffffffffffff000, /* the last page of all */
    ~0UL,
    ~0UL - 7,
};

#define BAD_COUNT (sizeof(bad_addresses) / sizeof(bad_addresses[0]))

enum where {
    ARG1,
    ARG2,
    ARG3,
};

/* Calls with one pointer; the other arguments are good. */
static const struct {
    const char *name;
    unsigned int number;
    uint64_t arg1, arg2, arg3;
    enum where pointer;
    uint32_t size; /* of what it points to */
    bool cairn;    /* Cairn only */
} calls[] = {
#define EVTCHN(op, bytes)                                                      \
    {                                                                          \
#op, HYPERCALL_event_channel_op, EVTCHNOP_##op, 0, 0, ARG2, bytes,     \
            false                                                              \
    }
    EVTCHN(bind_interdomain, 12),
    EVTCHN(bind_virq, 12),
    EVTCHN(close, 4),
    EVTCHN(send, 4),
    EVTCHN(status, 24),
    EVTCHN(alloc_unbound, 8),
    EVTCHN(bind_ipi, 8),
    EVTCHN(bind_vcpu, 8),
    EVTCHN(unmask, 4),
    EVTCHN(reset, 2),
#undef EVTCHN
#define GRANT(op, bytes)                                                       \
    {                                                                          \
#op, HYPERCALL_grant_table_op, GNTTABOP_##op, 0, 1, ARG2, bytes, false \
    }
    GRANT(map_grant_ref, 32),
    GRANT(unmap_grant_ref, 24),
    GRANT(setup_table, 24),
    GRANT(copy, 40),
    GRANT(query_size, 16),
    GRANT(set_version, 4),
    GRANT(get_version, 8),
#undef GRANT
#define SCHED(op, bytes)                                                       \
    {                                                                          \
#op, HYPERCALL_sched_op, SCHEDOP_##op, 0, 0, ARG2, bytes, false        \
    }
    SCHED(shutdown, 4),
    SCHED(poll, 24),
    SCHED(remote_shutdown, 8),
    SCHED(shutdown_code, 4),
#undef SCHED
#define VERSION(op, bytes)                                                     \
    {                                                                          \
#op, HYPERCALL_xen_version, XENVER_##op, 0, 0, ARG2, bytes, false      \
    }
    VERSION(extraversion, 16),
    VERSION(compile_info, 144),
    VERSION(capabilities, 1024),
    VERSION(changeset, 64),
    VERSION(platform_parameters, 8),
    VERSION(get_features, 8),
    VERSION(guest_handle, 16),
    VERSION(commandline, 1024),
#undef VERSION
#define VCPU(op, bytes)                                                        \
    {                                                                          \
#op, HYPERCALL_vcpu_op, VCPUOP_##op, 0, 0, ARG3, bytes, false          \
    }
    VCPU(get_runstate_info, 48),
    VCPU(register_runstate_memory_area, 8),
    VCPU(set_singleshot_timer, 16),
    VCPU(register_vcpu_info, 16),
#undef VCPU
    {"memory_map", HYPERCALL_memory_op, XENMEM_memory_map, 0, 0, ARG2, 16,
     true},
    {"current_reservation", HYPERCALL_memory_op, XENMEM_current_reservation, 0,
     0, ARG2, 2, false},
    {"maximum_reservation", HYPERCALL_memory_op, XENMEM_maximum_reservation, 0,
     0, ARG2, 2, false},
    {"decrease_reservation", HYPERCALL_memory_op, XENMEM_decrease_reservation,
     0, 0, ARG2, 32, true},
    {"callback register", HYPERCALL_callback_op, CALLBACKOP_register, 0, 0,
     ARG2, 16, false},
    {"set_trap_table", HYPERCALL_set_trap_table, 0, 0, 0, ARG1, 16, false},
    {"multicall", HYPERCALL_multicall, 0, 1, 0, ARG1, 64, false},
    {"console write", HYPERCALL_console_io, CONSOLEIO_write, 16, 0, ARG3, 16,
     false},
    {"light layout", HYPERCALL_light_op, LIGHT_OP_layout, 0, 0, ARG2, 72, true},
    {"light protect", HYPERCALL_light_op, LIGHT_OP_protect, 0, 0, ARG2, 24,
     true},
    {"light discard", HYPERCALL_light_op, LIGHT_OP_discard, 0, 0, ARG2, 16,
     true},
    {"control_op", HYPERCALL_control_op, 0, 0, 0, ARG1, 128, true},
    {"device_op", HYPERCALL_device_op, 0, 0, 0, ARG1, 64, true},
};

#define CALL_COUNT (sizeof(calls) / sizeof(calls[0]))

PAGES(two_pages, 2);

static long call_with(unsigned int i, uint64_t pointer)
{
    uint64_t arg[3] = {calls[i].arg1, calls[i].arg2, calls[i].arg3};

    arg[calls[i].pointer] = pointer;
    return hypercall3(calls[i].number, arg[0], arg[1], arg[2]);
}

/* Whether call @i looks at its argument here, and at all of it. */
static bool is_here(unsigned int i)
{
    if (on_cairn) /* -EPERM comes first for device_op without the right */
        return initial_domain || calls[i].number != HYPERCALL_device_op;
    if (!initial_domain && (calls[i].number == HYPERCALL_console_io ||
                            (calls[i].number == HYPERCALL_xen_version &&
                             calls[i].arg1 == XENVER_commandline)))
        return false; /* console: not for it; command line: not all of it */
    return !calls[i].cairn;
}

TEST("a pointer to nowhere is -EFAULT in every hypercall")
{
    for (unsigned int i = 0; i < CALL_COUNT; i++) {
        if (!is_here(i))
            continue;
        test_input = calls[i].name;
        for (unsigned int j = 0; j < BAD_COUNT; j++) {
            if (call_with(i, bad_addresses[j]) == -ABI_EFAULT)
                continue;
            print("# %s with %lx\n", calls[i].name, bad_addresses[j]);
            EXPECT_EQ(call_with(i, bad_addresses[j]), -ABI_EFAULT);
        }
    }
    test_input = NULL;
}

TEST("a null pointer is -EFAULT in every hypercall but set_trap_table")
{
    SKIP_ON_XEN("its builder maps the first page");
    for (unsigned int i = 0; i < CALL_COUNT; i++) {
        if (calls[i].number == HYPERCALL_set_trap_table || !is_here(i))
            continue;
        test_input = calls[i].name;
        EXPECT_EQ(call_with(i, 0), -ABI_EFAULT);
        EXPECT_EQ(call_with(i, 8), -ABI_EFAULT);
    }
    test_input = NULL;
}

TEST("an argument that straddles a guard page is -EFAULT in every hypercall")
{
    uint64_t end = hypercall_ptr(two_pages + PAGE_SIZE);

    REQUIRE(guard_page(two_pages + PAGE_SIZE));
    for (unsigned int i = 0; i < CALL_COUNT; i++) {
        if (!is_here(i))
            continue;
        memset(two_pages, 0, PAGE_SIZE);
        test_input = calls[i].name;
        EXPECT_EQ(call_with(i, end - calls[i].size / 2), -ABI_EFAULT);
        EXPECT_EQ(call_with(i, end), -ABI_EFAULT);
    }
    test_input = NULL;
    EXPECT_TRUE(unguard_page(two_pages + PAGE_SIZE));
}

/* Answers go to read-only text: that must not work. */
TEST("an answer is not written over text")
{
    extern const char rt_text_start[];
    static char before[1024];
    static const unsigned int cmds[] = {
        XENVER_extraversion, XENVER_capabilities, XENVER_changeset,
        XENVER_platform_parameters, XENVER_commandline};

    SKIP_ON_XEN("its builder maps text writable");
    memcpy(before, rt_text_start, sizeof(before));
    for (unsigned int i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
        EXPECT_EQ(hypercall2(HYPERCALL_xen_version, cmds[i],
                             hypercall_ptr(rt_text_start)),
                  -ABI_EFAULT);
    EXPECT_EQ(memcmp(before, rt_text_start, sizeof(before)), 0);
}

static uint64_t try_all(uint64_t unused)
{
    uint64_t wrong = 0;

    (void)unused;
    for (unsigned int i = 0; i < CALL_COUNT; i++) {
        for (unsigned int j = 0; is_here(i) && j < BAD_COUNT; j++) {
            long rc = call_with(i, bad_addresses[j]);

            if (rc != -ABI_EFAULT && rc != -ABI_EPERM) {
                print("# child: %s with %lx: %ld\n", calls[i].name,
                      bad_addresses[j], rc);
                wrong++;
            }
        }
    }
    return wrong;
}

TEST("a domain without rights is told -EFAULT or -EPERM for all of them")
{
    struct child child;

    NEEDS_CHILD;
    EXPECT_TRUE(child_run(&child, try_all, 0));
    EXPECT_EQ(child.result, 0);
}

TEST("an array named by an argument is checked as the argument is")
{
    for (unsigned int j = 0; j < BAD_COUNT; j++) {
        struct sched_poll poll = {
            .ports = bad_addresses[j], .nr_ports = 1, .timeout = 1};
        struct gnttab_setup_table setup = {
            .dom = DOMID_SELF, .nr_frames = 1, .frame_list = bad_addresses[j]};

        EXPECT_EQ(hypercall_sched_op(SCHEDOP_poll, &poll), -ABI_EFAULT);
        if (on_cairn)
            EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1),
                      -ABI_EFAULT);
    }
}

static void read_at(void *address)
{
    *(volatile uint8_t *)address;
}

static void write_at(void *address)
{
    *(volatile uint8_t *)address = 1;
}

static void jump_to(void *address)
{
    ((void (*)(void))address)();
}

TEST("touching the hypervisor's addresses faults, and nothing else happens")
{
    for (unsigned int j = 0; j < BAD_COUNT; j++) {
        void *address = (void *)bad_addresses[j];

        EXPECT_TRUE(fault_probe(read_at, address));
        EXPECT_TRUE(trap_seen.vector == TRAP_PF || trap_seen.vector == TRAP_GP);
        EXPECT_TRUE(fault_probe(write_at, address));
        EXPECT_TRUE(trap_seen.vector == TRAP_PF || trap_seen.vector == TRAP_GP);
        EXPECT_TRUE(fault_probe(jump_to, address));
        EXPECT_TRUE(trap_seen.vector == TRAP_PF || trap_seen.vector == TRAP_GP);
    }
}
