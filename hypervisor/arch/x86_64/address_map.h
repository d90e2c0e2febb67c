/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's address map; docs/memory-layout.md has the table.  Usable
 * from C, assembly and the link script.
 *
 * L4 slots 256-271 belong to the hypervisor in every address space, with the
 * same contents; in class pv slot 256 lets ring 3 in, too.
 */

#pragma once

#ifdef __ASSEMBLER__
#define ADDRESS_(a) a
#else
#define ADDRESS_(a) a##UL
#endif

#define HV_L4_FIRST ADDRESS_(256) /* 0xffff800000000000: M2P, class pv */
#define HV_L4_COUNT ADDRESS_(16)

#define M2P_BASE         ADDRESS_(0xffff800000000000) /* slot 256 */
#define M2P_OWN_BASE     ADDRESS_(0xffff808000000000) /* the same, writable */
#define FRAME_TABLE_BASE ADDRESS_(0xffff810000000000) /* slot 258 */
#define IMAGE_BASE       ADDRESS_(0xffff820000000000) /* slot 260 */
#define CPU_AREAS_BASE   ADDRESS_(0xffff820040000000) /* IMAGE_BASE + 1 GiB */
#define GDT_AREAS_BASE   ADDRESS_(0xffff820040400000) /* behind CPU_MAX areas */
#define LDT_AREAS_BASE   ADDRESS_(0xffff820040800000) /* behind those */
#define DEVICE_MAP_BASE  ADDRESS_(0xffff820080000000) /* IMAGE_BASE + 2 GiB */
#define DEVICE_MAP_SIZE  ADDRESS_(0x0000000040000000)
#define DIRECT_MAP_BASE  ADDRESS_(0xffff830000000000) /* slot 262: all RAM */
#define DIRECT_MAP_SIZE  ADDRESS_(0x0000010000000000) /* 1 TiB */

/* The image lies at IMAGE_BASE + its machine address, which starts here. */
#define IMAGE_MADDR ADDRESS_(0x100000)

/* Guests own what is below and above; a guest address is refused elsewhere. */
#define HV_VIRT_START ADDRESS_(0xffff800000000000)
#define HV_VIRT_END   ADDRESS_(0xffff880000000000)

/* Until the final tables are loaded, RAM below this is in the direct map. */
#define EARLY_MAP_SIZE ADDRESS_(0x100000000)

/* CPUs there may be: each has an area. */
#define CPU_MAX 64

/*
 * Offsets in an area.  Stacks are named by their tops and have an unmapped
 * page below: #MC 0x1000, NMI 0x3000, ordinary 0x6000, #DF 0xd000, #DB 0xf000.
 * The page at 0x4000 is for the way in and out under xpti; see regs.h.
 */
#define CPU_AREA_SIZE      ADDRESS_(0x10000)
#define CPU_AREA_MC_TOP    ADDRESS_(0x2000)
#define CPU_AREA_NMI_TOP   ADDRESS_(0x4000)
#define CPU_AREA_ENTRY     ADDRESS_(0x4000)
#define CPU_AREA_ENTRY_TOP ADDRESS_(0x5000)
#define CPU_AREA_STACK_TOP ADDRESS_(0xa000) /* of the ordinary one, 16 KiB */
#define CPU_AREA_VARS      ADDRESS_(0xa000) /* what DEFINE_PER_CPU makes */
#define CPU_AREA_DF_TOP    ADDRESS_(0xe000)
#define CPU_AREA_DB_TOP    ADDRESS_(0x10000)

/* Bit i: page i of an area is mapped; the others are guards. */
#define CPU_AREA_PAGES        0xafda
#define CPU_AREA_PAGES_MAPPED 11
