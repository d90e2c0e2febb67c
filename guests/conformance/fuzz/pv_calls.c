/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of class pv, and what takes several of them: see calls.c. */

#include <abi/assist.h>
#include <abi/grant_table.h>
#include <abi/memory.h>
#include <abi/mmu.h>
#include <abi/trap.h>
#include <abi/vcpu.h>

#include "fuzz/op.h"

#define MMUEXT(command, often, first, second)                                  \
    {                                                                          \
        .name = "MMUEXT_" #command, .nr = HYPERCALL_mmuext_op,                 \
        .cmd = MMUEXT_##command, .weight = (often), .form = FORM_MMUEXT,       \
        .size = sizeof(struct mmuext_op),                                      \
        FIELDS(FIELD(mmuext_op, arg1, first), FIELD(mmuext_op, arg2, second))  \
    }
#define SEVERAL(text, what, often)                                             \
    {                                                                          \
        .name = (text), .nr = FUZZ_NR_PV, .cmd = (what), .weight = (often),    \
        .form = FORM_PV                                                        \
    }

const struct op pv_ops[] = {
    /* Tables */
    {.name = "mmu_update",
     .nr = HYPERCALL_mmu_update,
     .weight = 300,
     .form = FORM_MMU,
     .size = sizeof(struct mmu_update),
     .entries = 8,
     FIELDS(FIELD(mmu_update, ptr, TABLE_WORD), FIELD(mmu_update, val, ENTRY))},
    NAMED("update_va_mapping", update_va_mapping, 0, 150, WORDS, 24,
          REGISTER(0, PAGE), REGISTER(1, ENTRY), REGISTER(2, FLUSH)),
    NAMED("update_va_mapping_otherdomain", update_va_mapping_otherdomain, 0, 20,
          WORDS, 32, REGISTER(0, PAGE), REGISTER(1, ENTRY), REGISTER(2, FLUSH),
          REGISTER(3, DOMID)),
    MMUEXT(PIN_L1_TABLE, 40, TABLE, WORD),
    MMUEXT(PIN_L2_TABLE, 40, TABLE, WORD),
    MMUEXT(PIN_L3_TABLE, 40, TABLE, WORD),
    MMUEXT(PIN_L4_TABLE, 40, TABLE, WORD),
    MMUEXT(UNPIN_TABLE, 100, TABLE, WORD),
    MMUEXT(NEW_BASEPTR, 20, BASE, WORD),
    MMUEXT(NEW_USER_BASEPTR, 30, TABLE, WORD),
    MMUEXT(TLB_FLUSH_LOCAL, 10, WORD, WORD),
    MMUEXT(INVLPG_LOCAL, 10, VA, WORD),
    MMUEXT(TLB_FLUSH_MULTI, 10, WORD, VA),
    MMUEXT(INVLPG_MULTI, 10, VA, VA),
    MMUEXT(TLB_FLUSH_ALL, 10, WORD, WORD),
    MMUEXT(INVLPG_ALL, 10, VA, WORD),
    MMUEXT(FLUSH_CACHE, 2, WORD, WORD),
    MMUEXT(FLUSH_CACHE_GLOBAL, 2, WORD, WORD),
    MMUEXT(SET_LDT, 20, PAGE, DESCRIPTORS),
    MMUEXT(CLEAR_PAGE, 30, TABLE, WORD),
    MMUEXT(COPY_PAGE, 30, TABLE, GFN),
    MMUEXT(MARK_SUPER, 2, TABLE, WORD),
    MMUEXT(UNMARK_SUPER, 2, TABLE, WORD),
    SEVERAL("make a table", PV_MAKE_TABLE, 200),
    SEVERAL("make a tree", PV_MAKE_TREE, 40),
    SEVERAL("renew pages", PV_RENEW, 150),
    SEVERAL("store to tables", PV_STORE, 300),
    SEVERAL("balloon", PV_BALLOON, 60),

    /* Memory and grants */
    NAMED("machphys_mapping", memory_op, XENMEM_machphys_mapping, 3, CMD_PTR,
          sizeof(struct xen_machphys_mapping), REGISTER(0, WORD)),
    NAMED("machphys_mfn_list", memory_op, XENMEM_machphys_mfn_list, 3, CMD_PTR,
          24, REGISTER(0, SMALL), REGISTER(1, BUFFER)),
    OP(memory_op, XENMEM_exchange, 10, xen_memory_exchange,
       FIELD(xen_memory_exchange, in.extent_start, FRAMES),
       FIELD(xen_memory_exchange, in.nr_extents, SMALL),
       FIELD(xen_memory_exchange, out.extent_start, PFNS),
       FIELD(xen_memory_exchange, out.nr_extents, SMALL)),
    {.name = "map a grant by its entry",
     .status = offsetof(struct gnttab_map_grant_ref, status),
     .nr = HYPERCALL_grant_table_op,
     .cmd = GNTTABOP_map_grant_ref,
     .weight = 80,
     .form = FORM_CMD_PTR_COUNT,
     .size = sizeof(struct gnttab_map_grant_ref),
     .entries = 4,
     FIELDS(FIELD(gnttab_map_grant_ref, host_addr, TABLE_WORD),
            FIELD(gnttab_map_grant_ref, flags, ENTRY_FLAGS),
            FIELD(gnttab_map_grant_ref, ref, GREF),
            FIELD(gnttab_map_grant_ref, dom, REMOTE))},
    {.name = "unmap a grant by its entry",
     .status = offsetof(struct gnttab_unmap_grant_ref, status),
     .nr = HYPERCALL_grant_table_op,
     .cmd = GNTTABOP_unmap_grant_ref,
     .weight = 80,
     .form = FORM_CMD_PTR_COUNT,
     .size = sizeof(struct gnttab_unmap_grant_ref),
     .entries = 4,
     FIELDS(FIELD(gnttab_unmap_grant_ref, host_addr, TABLE_WORD),
            FIELD(gnttab_unmap_grant_ref, handle, HANDLE))},

    /* The processor */
    NAMED("set_gdt", set_gdt, 0, 30, WORDS, 16, REGISTER(0, FRAMES),
          REGISTER(1, DESCRIPTORS)),
    NAMED("update_descriptor", update_descriptor, 0, 40, WORDS, 16,
          REGISTER(0, TABLE_WORD), REGISTER(1, DESCRIPTOR)),
    NAMED("fpu_taskswitch", fpu_taskswitch, 0, 10, WORDS, 8,
          REGISTER(0, SMALL)),
    NAMED("set_debugreg", set_debugreg, 0, 20, WORDS, 16, REGISTER(0, SMALL),
          REGISTER(1, VA)),
    NAMED("set_debugreg 7", set_debugreg, 0, 10, WORDS, 16, REGISTER(0, SMALL),
          REGISTER(1, WORD)),
    NAMED("get_debugreg", get_debugreg, 0, 5, WORDS, 8, REGISTER(0, SMALL)),
    NAMED("NMIOP_register_callback", nmi_op, NMIOP_register_callback, 5,
          CMD_PTR, sizeof(struct nmi_callback),
          FIELD(nmi_callback, address, CALLBACK)),
    NAMED("NMIOP_unregister_callback", nmi_op, NMIOP_unregister_callback, 5,
          CMD_PTR, sizeof(struct nmi_callback),
          FIELD(nmi_callback, address, WORD)),
    NAMED("VCPUOP_initialise, oddly", vcpu_op, VCPUOP_initialise, 30,
          CMD_VCPU_PTR, sizeof(struct vcpu_guest_context), REGISTER(0, WORD)),
    VCPU_OP(VCPUOP_send_nmi, 3, 8, REGISTER(0, WORD)),
    SEVERAL("make a GDT", PV_MAKE_GDT, 40),
    SEVERAL("make an LDT", PV_MAKE_LDT, 40),
    SEVERAL("code", PV_CODE, 80),
    SEVERAL("code of a user", PV_USER_CODE, 250),
};

const unsigned int pv_ops_count = sizeof(pv_ops) / sizeof(pv_ops[0]);
