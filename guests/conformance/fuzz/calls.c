/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every hypercall and operation there is, and some there are not, with the
 * kinds of its arguments.  A new operation gets a line here.
 */

#include <abi/console_io.h>
#include <abi/control.h>
#include <abi/device.h>
#include <abi/event_channel.h>
#include <abi/grant_table.h>
#include <abi/hypercall.h>
#include <abi/light.h>
#include <abi/memory.h>
#include <abi/multicall.h>
#include <abi/physdev.h>
#include <abi/sched.h>
#include <abi/trap.h>
#include <abi/vcpu.h>
#include <abi/version.h>

#include "fuzz/fuzz.h"

#define FIELD(type, member, kind)                                              \
    {                                                                          \
        offsetof(struct type, member), sizeof(((struct type *)0)->member),     \
            KIND_##kind                                                        \
    }
/* A 64-bit register, or a word of a structure without a name here. */
#define REGISTER(n, kind)                                                      \
    {                                                                          \
        (n) * 8, 8, KIND_##kind                                                \
    }
#define HALF(offset, kind)                                                     \
    {                                                                          \
        offset, 4, KIND_##kind                                                 \
    }

/* As a weight: what would keep a domain from coming far. */
#define SELDOM 0

#define FIELDS(...)                                                            \
    .fields = (const struct field[]){__VA_ARGS__},                             \
    .field_count =                                                             \
        sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field)

#define NAMED(text, call, command, often, form_, bytes, ...)                   \
    {                                                                          \
        .name = text, .nr = HYPERCALL_##call, .cmd = (command),                \
        .weight = (often), .form = FORM_##form_, .size = (bytes),              \
        FIELDS(__VA_ARGS__)                                                    \
    }
#define COMMAND(call, command, often, form, bytes, ...)                        \
    NAMED(#command, call, command, often, form, bytes, __VA_ARGS__)
#define OP(call, command, often, type, ...)                                    \
    NAMED(#command, call, command, often, CMD_PTR, sizeof(struct type),        \
          __VA_ARGS__)
#define VCPU_OP(command, often, bytes, ...)                                    \
    NAMED(#command, vcpu_op, command, often, CMD_VCPU_PTR, bytes, __VA_ARGS__)
#define GRANT_OP(command, often, type, most, status_at, ...)                   \
    {                                                                          \
        .name = #command, .status = (status_at),                               \
        .nr = HYPERCALL_grant_table_op, .cmd = (command), .weight = (often),   \
        .form = FORM_CMD_PTR_COUNT, .size = sizeof(struct type),               \
        .entries = (most), FIELDS(__VA_ARGS__)                                 \
    }
/* Only in some domains: most others would be deaf. */
#define FIFO_OP(command, often, type, ...)                                     \
    {                                                                          \
        .name = #command, .nr = HYPERCALL_event_channel_op, .cmd = (command),  \
        .weight = (often), .form = FORM_CMD_PTR, .size = sizeof(struct type),  \
        .fifo = true, FIELDS(__VA_ARGS__)                                      \
    }
#define UNKNOWN(call, command, often)                                          \
    NAMED("unknown " #call, call, command, often, CMD_PTR, 64,                 \
          REGISTER(0, WORD), REGISTER(1, WORD), REGISTER(2, WORD))
#define CONTROL(command, often, ...)                                           \
    {                                                                          \
        .name = "control_op " #command, .nr = HYPERCALL_control_op,            \
        .cmd = CONTROL_OP_##command, .weight = (often), .form = FORM_PTR,      \
        .size = sizeof(struct control_op),                                     \
        .flavours = 1U << FUZZ_CONTROL | 1U << FUZZ_DEVICE,                    \
        FIELDS(FIELD(control_op, version, CONTROL_VERSION), __VA_ARGS__)       \
    }
#define SUBJECT FIELD(control_op, domid, KID)
#define DEVICE(command, often, ...)                                            \
    {                                                                          \
        .name = "device_op " #command, .nr = HYPERCALL_device_op,              \
        .cmd = DEVICE_OP_##command, .weight = (often), .form = FORM_PTR,       \
        .size = sizeof(struct device_op), .flavours = 1U << FUZZ_DEVICE,       \
        FIELDS(FIELD(device_op, version, DEVICE_VERSION), __VA_ARGS__)         \
    }

/* A number that is nobody's. */
#define NO_HYPERCALL 19

const struct op fuzz_ops[] = {
    /* Events */
    OP(event_channel_op, EVTCHNOP_alloc_unbound, 60, evtchn_alloc_unbound,
       FIELD(evtchn_alloc_unbound, dom, DOMID),
       FIELD(evtchn_alloc_unbound, remote_dom, REMOTE)),
    OP(event_channel_op, EVTCHNOP_bind_interdomain, 60, evtchn_bind_interdomain,
       FIELD(evtchn_bind_interdomain, remote_dom, REMOTE),
       FIELD(evtchn_bind_interdomain, remote_port, PORT)),
    OP(event_channel_op, EVTCHNOP_bind_virq, 20, evtchn_bind_virq,
       FIELD(evtchn_bind_virq, virq, VIRQ),
       FIELD(evtchn_bind_virq, vcpu, VCPU)),
    OP(event_channel_op, EVTCHNOP_bind_pirq, 1, evtchn_bind_virq,
       FIELD(evtchn_bind_virq, virq, WORD)),
    OP(event_channel_op, EVTCHNOP_bind_ipi, 20, evtchn_bind_ipi,
       FIELD(evtchn_bind_ipi, vcpu, VCPU)),
    OP(event_channel_op, EVTCHNOP_close, 70, evtchn_close,
       FIELD(evtchn_close, port, PORT)),
    OP(event_channel_op, EVTCHNOP_send, 60, evtchn_send,
       FIELD(evtchn_send, port, PORT)),
    OP(event_channel_op, EVTCHNOP_status, 20, evtchn_status,
       FIELD(evtchn_status, dom, DOMID), FIELD(evtchn_status, port, PORT)),
    OP(event_channel_op, EVTCHNOP_bind_vcpu, 20, evtchn_bind_vcpu,
       FIELD(evtchn_bind_vcpu, port, PORT),
       FIELD(evtchn_bind_vcpu, vcpu, VCPU)),
    OP(event_channel_op, EVTCHNOP_unmask, 30, evtchn_unmask,
       FIELD(evtchn_unmask, port, PORT)),
    OP(event_channel_op, EVTCHNOP_reset, 2, evtchn_reset,
       FIELD(evtchn_reset, dom, DOMID)),
    FIFO_OP(EVTCHNOP_init_control, 20, evtchn_init_control,
            FIELD(evtchn_init_control, control_gfn, FIFO_GFN),
            FIELD(evtchn_init_control, offset, OFFSET),
            FIELD(evtchn_init_control, vcpu, VCPU)),
    FIFO_OP(EVTCHNOP_expand_array, 10, evtchn_expand_array,
            FIELD(evtchn_expand_array, array_gfn, FIFO_GFN)),
    FIFO_OP(EVTCHNOP_set_priority, 20, evtchn_set_priority,
            FIELD(evtchn_set_priority, port, PORT),
            FIELD(evtchn_set_priority, priority, PRIORITY)),
    OP(event_channel_op, EVTCHNOP_reset_cont, 1, evtchn_reset,
       FIELD(evtchn_reset, dom, DOMID)),
    UNKNOWN(event_channel_op, 15, 1),

    /* Grants */
    GRANT_OP(GNTTABOP_map_grant_ref, 80, gnttab_map_grant_ref, 4,
             offsetof(struct gnttab_map_grant_ref, status),
             FIELD(gnttab_map_grant_ref, host_addr, SLOT),
             FIELD(gnttab_map_grant_ref, flags, MAP_FLAGS),
             FIELD(gnttab_map_grant_ref, ref, GREF),
             FIELD(gnttab_map_grant_ref, dom, REMOTE)),
    GRANT_OP(GNTTABOP_unmap_grant_ref, 70, gnttab_unmap_grant_ref, 4,
             offsetof(struct gnttab_unmap_grant_ref, status),
             FIELD(gnttab_unmap_grant_ref, host_addr, SLOT),
             FIELD(gnttab_unmap_grant_ref, dev_bus_addr, ZERO),
             FIELD(gnttab_unmap_grant_ref, handle, HANDLE)),
    GRANT_OP(
        GNTTABOP_copy, 80, gnttab_copy, 4, offsetof(struct gnttab_copy, status),
        FIELD(gnttab_copy, source.u.gmfn, GFN),
        FIELD(gnttab_copy, source.domid, REMOTE),
        FIELD(gnttab_copy, source.offset, OFFSET),
        FIELD(gnttab_copy, dest.u.gmfn, GFN),
        FIELD(gnttab_copy, dest.domid, DOMID),
        FIELD(gnttab_copy, dest.offset, OFFSET),
        FIELD(gnttab_copy, len, LENGTH), FIELD(gnttab_copy, flags, COPY_FLAGS)),
    GRANT_OP(
        GNTTABOP_copy, 60, gnttab_copy, 4, offsetof(struct gnttab_copy, status),
        FIELD(gnttab_copy, source.u.ref, GREF),
        FIELD(gnttab_copy, source.domid, REMOTE),
        FIELD(gnttab_copy, source.offset, OFFSET),
        FIELD(gnttab_copy, dest.u.ref, GREF),
        FIELD(gnttab_copy, dest.domid, REMOTE),
        FIELD(gnttab_copy, dest.offset, OFFSET),
        FIELD(gnttab_copy, len, LENGTH), FIELD(gnttab_copy, flags, COPY_FLAGS)),
    GRANT_OP(GNTTABOP_setup_table, 6, gnttab_setup_table, 2,
             offsetof(struct gnttab_setup_table, status),
             FIELD(gnttab_setup_table, dom, DOMID),
             FIELD(gnttab_setup_table, nr_frames, SMALL),
             FIELD(gnttab_setup_table, frame_list, BUFFER)),
    GRANT_OP(GNTTABOP_query_size, 5, gnttab_query_size, 2,
             offsetof(struct gnttab_query_size, status),
             FIELD(gnttab_query_size, dom, DOMID)),
    GRANT_OP(GNTTABOP_set_version, 4, gnttab_set_version, 1, 0,
             FIELD(gnttab_set_version, version, SMALL)),
    GRANT_OP(GNTTABOP_get_version, 4, gnttab_get_version, 2, 0,
             FIELD(gnttab_get_version, dom, DOMID)),
    GRANT_OP(GNTTABOP_cache_flush, 8, gnttab_cache_flush, 2, 0,
             FIELD(gnttab_cache_flush, a.ref, GREF),
             FIELD(gnttab_cache_flush, offset, OFFSET),
             FIELD(gnttab_cache_flush, length, LENGTH),
             FIELD(gnttab_cache_flush, op, SMALL)),

    /* Memory */
    OP(memory_op, XENMEM_decrease_reservation, 30, xen_memory_reservation,
       FIELD(xen_memory_reservation, extent_start, GFNS),
       FIELD(xen_memory_reservation, nr_extents, SMALL),
       FIELD(xen_memory_reservation, extent_order, ORDER),
       FIELD(xen_memory_reservation, domid, DOMID)),
    OP(memory_op, XENMEM_populate_physmap, 20, xen_memory_reservation,
       FIELD(xen_memory_reservation, extent_start, GFNS),
       FIELD(xen_memory_reservation, nr_extents, SMALL),
       FIELD(xen_memory_reservation, extent_order, ORDER),
       FIELD(xen_memory_reservation, domid, DOMID)),
    OP(memory_op, XENMEM_increase_reservation, 3, xen_memory_reservation,
       FIELD(xen_memory_reservation, nr_extents, SMALL)),
    OP(memory_op, XENMEM_maximum_ram_page, 1, xen_domid_arg,
       FIELD(xen_domid_arg, domid, DOMID)),
    OP(memory_op, XENMEM_current_reservation, 5, xen_domid_arg,
       FIELD(xen_domid_arg, domid, DOMID)),
    OP(memory_op, XENMEM_maximum_reservation, 5, xen_domid_arg,
       FIELD(xen_domid_arg, domid, DOMID)),
    OP(memory_op, XENMEM_maximum_gpfn, 5, xen_domid_arg,
       FIELD(xen_domid_arg, domid, DOMID)),
    OP(memory_op, XENMEM_add_to_physmap, 5, xen_add_to_physmap,
       FIELD(xen_add_to_physmap, domid, DOMID),
       FIELD(xen_add_to_physmap, space, SPACE),
       FIELD(xen_add_to_physmap, idx, SMALL),
       FIELD(xen_add_to_physmap, gpfn, GFN)),
    OP(memory_op, XENMEM_memory_map, 5, xen_memory_map,
       FIELD(xen_memory_map, nr_entries, SMALL),
       FIELD(xen_memory_map, buffer, BUFFER)),
    UNKNOWN(memory_op, XENMEM_machine_memory_map, 1),
    UNKNOWN(memory_op, 27, 1),
    OP(light_op, LIGHT_OP_layout, 3, light_layout,
       FIELD(light_layout, virt_base, WORD)),
    OP(light_op, LIGHT_OP_protect, 30, light_protect,
       FIELD(light_protect, gfn, GFN), FIELD(light_protect, count, PAGES),
       FIELD(light_protect, prot, PROT)),
    OP(light_op, LIGHT_OP_discard, 30, light_discard,
       FIELD(light_discard, gfn, GFN), FIELD(light_discard, count, PAGES)),
    UNKNOWN(light_op, 3, 1),

    /* The scheduler, time and vCPUs */
    OP(sched_op, SCHEDOP_yield, 10, sched_shutdown,
       FIELD(sched_shutdown, reason, WORD)),
    OP(sched_op, SCHEDOP_block, 8, sched_shutdown,
       FIELD(sched_shutdown, reason, WORD)),
    OP(sched_op, SCHEDOP_poll, 20, sched_poll, FIELD(sched_poll, ports, PORTS),
       FIELD(sched_poll, nr_ports, SMALL), FIELD(sched_poll, timeout, SOON)),
    OP(sched_op, SCHEDOP_remote_shutdown, 2, sched_remote_shutdown,
       FIELD(sched_remote_shutdown, domain_id, KID),
       FIELD(sched_remote_shutdown, reason, REASON)),
    OP(sched_op, SCHEDOP_shutdown_code, 2, sched_shutdown,
       FIELD(sched_shutdown, reason, REASON)),
    OP(sched_op, SCHEDOP_watchdog, 2, sched_watchdog,
       FIELD(sched_watchdog, id, SMALL),
       FIELD(sched_watchdog, timeout, MANY_SECONDS)),
    UNKNOWN(sched_op, 9, 1),
    NAMED("set_timer_op", set_timer_op, 0, 20, WORDS, 8, REGISTER(0, TIME)),
    VCPU_OP(VCPUOP_initialise, 3, sizeof(struct vcpu_guest_context),
            REGISTER(0, WORD)),
    VCPU_OP(VCPUOP_up, 4, 8, REGISTER(0, WORD)),
    VCPU_OP(VCPUOP_is_up, 3, 8, REGISTER(0, WORD)),
    VCPU_OP(VCPUOP_get_runstate_info, 8, sizeof(struct vcpu_runstate_info),
            REGISTER(0, WORD)),
    VCPU_OP(VCPUOP_register_runstate_memory_area, 8, 8, REGISTER(0, VA)),
    VCPU_OP(VCPUOP_set_periodic_timer, 3, 8, REGISTER(0, TIME)),
    VCPU_OP(VCPUOP_stop_periodic_timer, 3, 8, REGISTER(0, WORD)),
    VCPU_OP(VCPUOP_set_singleshot_timer, 10,
            sizeof(struct vcpu_set_singleshot_timer),
            FIELD(vcpu_set_singleshot_timer, timeout_abs_ns, TIME),
            FIELD(vcpu_set_singleshot_timer, flags, SMALL)),
    VCPU_OP(VCPUOP_stop_singleshot_timer, 5, 8, REGISTER(0, WORD)),
    VCPU_OP(13, 3, 8, REGISTER(0, VA)),

    /* The processor */
    NAMED("set_segment_base", set_segment_base, 0, 10, WORDS, 16,
          REGISTER(0, SEGMENT), REGISTER(1, VA)),
    NAMED("set_callbacks", set_callbacks, 0, 2, WORDS, 24,
          REGISTER(0, CALLBACK), REGISTER(1, CALLBACK), REGISTER(2, VA)),
    OP(callback_op, CALLBACKOP_register, 4, callback_register,
       FIELD(callback_register, type, SMALL),
       FIELD(callback_register, flags, SMALL),
       FIELD(callback_register, address, CALLBACK)),
    OP(callback_op, CALLBACKOP_unregister, 3, callback_unregister,
       FIELD(callback_unregister, type, SMALL)),
    UNKNOWN(callback_op, 2, 1),
    {.name = "set_trap_table",
     .nr = HYPERCALL_set_trap_table,
     .weight = 4,
     .form = FORM_LIST,
     .size = sizeof(struct trap_info),
     .entries = 8,
     FIELDS(FIELD(trap_info, vector, VECTOR), FIELD(trap_info, flags, SMALL),
            FIELD(trap_info, cs, WORD), FIELD(trap_info, address, TEXT_VA))},
    {.name = "processor", .weight = 120, .form = FORM_PROCESSOR},

    /* Questions */
    OP(xen_version, XENVER_version, 3, xen_extraversion,
       FIELD(xen_extraversion, text[0], WORD)),
    OP(xen_version, XENVER_extraversion, 2, xen_extraversion,
       FIELD(xen_extraversion, text[0], WORD)),
    OP(xen_version, XENVER_compile_info, 2, xen_compile_info,
       FIELD(xen_compile_info, compiler[0], WORD)),
    OP(xen_version, XENVER_capabilities, 2, xen_capabilities,
       FIELD(xen_capabilities, text[0], WORD)),
    OP(xen_version, XENVER_changeset, 2, xen_changeset,
       FIELD(xen_changeset, text[0], WORD)),
    OP(xen_version, XENVER_platform_parameters, 2, xen_platform_parameters,
       FIELD(xen_platform_parameters, virt_start, WORD)),
    OP(xen_version, XENVER_get_features, 3, xen_feature_info,
       FIELD(xen_feature_info, submap_idx, SMALL)),
    /* It takes no argument: one is refused. */
    {.name = "XENVER_pagesize",
     .nr = HYPERCALL_xen_version,
     .cmd = XENVER_pagesize,
     .weight = 2,
     .form = FORM_CMD},
    OP(xen_version, XENVER_guest_handle, 2, xen_domain_handle,
       FIELD(xen_domain_handle, uuid[0], WORD)),
    OP(xen_version, XENVER_commandline, 2, xen_commandline,
       FIELD(xen_commandline, text[0], WORD)),
    UNKNOWN(xen_version, 11, 1),
    COMMAND(console_io, CONSOLEIO_write, 1, CMD_COUNT_PTR, 128,
            REGISTER(0, WORD)),
    COMMAND(console_io, CONSOLEIO_read, 2, CMD_COUNT_PTR, 128,
            REGISTER(0, WORD)),
    {.name = "multicall",
     .nr = HYPERCALL_multicall,
     .weight = 60,
     .form = FORM_MULTICALL},
    {.name = "no hypercall",
     .nr = NO_HYPERCALL,
     .weight = 2,
     .form = FORM_WORDS,
     FIELDS(REGISTER(0, WORD), REGISTER(1, BUFFER))},
    OP(physdev_op, PHYSDEVOP_set_iopl, 3, physdev_set_iopl,
       FIELD(physdev_set_iopl, iopl, SMALL)),
    OP(physdev_op, PHYSDEVOP_set_iobitmap, 3, physdev_set_iobitmap,
       FIELD(physdev_set_iobitmap, bitmap, VA),
       FIELD(physdev_set_iobitmap, nr_ports, WORD)),
    OP(physdev_op, PHYSDEVOP_eoi, 2, physdev_eoi,
       FIELD(physdev_eoi, irq, SMALL)),
    OP(physdev_op, PHYSDEVOP_irq_status_query, 2, physdev_irq_status_query,
       FIELD(physdev_irq_status_query, irq, SMALL)),
    UNKNOWN(physdev_op, PHYSDEVOP_map_pirq, 2),
    UNKNOWN(physdev_op, PHYSDEVOP_manage_pci_add, 2),
    NAMED("vm_assist", vm_assist, 0, 3, WORDS, 16, REGISTER(0, SMALL),
          REGISTER(1, SMALL)),
    NAMED("stack_switch", stack_switch, 0, 2, WORDS, 16, REGISTER(0, WORD),
          REGISTER(1, VA)),

    /* What asks for rights */
    CONTROL(host_info, 4, SUBJECT),
    CONTROL(create, 12, FIELD(control_op, domid, NEW_KID),
            FIELD(control_op, u.create.class, CLASS),
            FIELD(control_op, u.create.vcpu_count, SMALL),
            FIELD(control_op, u.create.virt_base, VIRT_BASE),
            FIELD(control_op, u.create.reserved_pages, PAGES),
            FIELD(control_op, u.create.max_pages, LENGTH),
            FIELD(control_op, u.create.max_ports, LENGTH),
            FIELD(control_op, u.create.grant_frames, SMALL),
            FIELD(control_op, u.create.maptrack_max, LENGTH),
            FIELD(control_op, u.create.grant_window, LENGTH),
            FIELD(control_op, u.create.weight, WEIGHT),
            FIELD(control_op, u.create.rights, RIGHTS)),
    CONTROL(destroy, 12, SUBJECT),
    CONTROL(pause, 15, SUBJECT),
    CONTROL(unpause, 40, SUBJECT),
    CONTROL(set_region, 40, SUBJECT,
            FIELD(control_op, u.set_region.gfn, KID_GFN),
            FIELD(control_op, u.set_region.count, PAGES),
            FIELD(control_op, u.set_region.prot, PROT)),
    CONTROL(copy_to, 60, SUBJECT, FIELD(control_op, u.copy.gfn, KID_GFN),
            FIELD(control_op, u.copy.buffer, VA),
            FIELD(control_op, u.copy.offset, OFFSET),
            FIELD(control_op, u.copy.size, BYTES)),
    CONTROL(copy_from, 60, SUBJECT, FIELD(control_op, u.copy.gfn, KID_GFN),
            FIELD(control_op, u.copy.buffer, VA),
            FIELD(control_op, u.copy.offset, OFFSET),
            FIELD(control_op, u.copy.size, BYTES)),
    CONTROL(set_start, 30, SUBJECT, FIELD(control_op, u.set_start.vcpu, VCPU),
            FIELD(control_op, u.set_start.rip, TEXT_VA),
            FIELD(control_op, u.set_start.rsp, VA),
            FIELD(control_op, u.set_start.rsi, WORD)),
    CONTROL(seed_grant, 30, SUBJECT, FIELD(control_op, u.seed_grant.ref, SMALL),
            FIELD(control_op, u.seed_grant.to, REMOTE),
            FIELD(control_op, u.seed_grant.gfn, KID_GFN)),
    CONTROL(list, 10, FIELD(control_op, domid, DOMID),
            FIELD(control_op, u.list.buffer, BUFFER),
            FIELD(control_op, u.list.room, SMALL)),
    CONTROL(shutdown, 10, SUBJECT,
            FIELD(control_op, u.shutdown.reason, REASON)),
    CONTROL(log_read, 4, FIELD(control_op, u.log_read.position, WORD),
            FIELD(control_op, u.log_read.buffer, VA),
            FIELD(control_op, u.log_read.size, BYTES)),
    CONTROL(module, 4, FIELD(control_op, u.module.index, SMALL),
            FIELD(control_op, u.module.string, VA)),
    CONTROL(set_sched, 15, SUBJECT,
            FIELD(control_op, u.set_sched.weight, WEIGHT),
            FIELD(control_op, u.set_sched.cap, WEIGHT),
            FIELD(control_op, u.set_sched.reserved, SMALL),
            FIELD(control_op, u.set_sched.vcpu, VCPU),
            FIELD(control_op, u.set_sched.affinity, SMALL)),
    CONTROL(resume, 5, SUBJECT),
    CONTROL(vcpu_info, 5, SUBJECT, FIELD(control_op, u.vcpu_info.vcpu, VCPU)),
    DEVICE(find, 10, FIELD(device_op, u.find.index, SMALL)),
    DEVICE(config_read, 20, FIELD(device_op, u.config.sbdf, SBDF),
           FIELD(device_op, u.config.offset, CONFIG_OFFSET),
           FIELD(device_op, u.config.size, CONFIG_SIZE)),
    DEVICE(config_write, 20, FIELD(device_op, u.config.sbdf, SBDF),
           FIELD(device_op, u.config.offset, CONFIG_OFFSET),
           FIELD(device_op, u.config.size, CONFIG_SIZE),
           FIELD(device_op, u.config.value, WORD)),
    DEVICE(bar_map, 20, FIELD(device_op, u.bar_map.sbdf, SBDF),
           FIELD(device_op, u.bar_map.bar, BAR)),
    DEVICE(irq_bind, 20, FIELD(device_op, u.irq_bind.sbdf, SBDF),
           FIELD(device_op, u.irq_bind.entry, SMALL)),
    DEVICE(dma_map, 30, FIELD(device_op, u.dma.gfn, GFN),
           FIELD(device_op, u.dma.maddr, BUFFER),
           FIELD(device_op, u.dma.count, PAGES)),
    DEVICE(dma_unmap, 30, FIELD(device_op, u.dma.gfn, GFN),
           FIELD(device_op, u.dma.count, PAGES)),
    DEVICE(reset, 4, FIELD(device_op, u.reset.sbdf, SBDF)),

    /* What ends a domain, or turns it upside down. */
    OP(sched_op, SCHEDOP_shutdown, SELDOM, sched_shutdown,
       FIELD(sched_shutdown, reason, REASON)),
    VCPU_OP(VCPUOP_down, SELDOM, 8, REGISTER(0, WORD)),
    VCPU_OP(VCPUOP_register_vcpu_info, SELDOM,
            sizeof(struct vcpu_register_vcpu_info),
            FIELD(vcpu_register_vcpu_info, mfn, GFN),
            FIELD(vcpu_register_vcpu_info, offset, OFFSET)),
};

const unsigned int fuzz_op_count = sizeof(fuzz_ops) / sizeof(fuzz_ops[0]);

_Static_assert(sizeof(fuzz_ops) / sizeof(fuzz_ops[0]) <= FUZZ_OPS,
               "counted in fuzz_state");
