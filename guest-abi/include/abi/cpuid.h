/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's CPUID leaves, seen through FORCED_EMULATION_PREFIX.
 *
 * A guest of Cairn sees Xen's leaves, so that it finds the ABI it was ported
 * to, and behind them Cairn's own, so that it can tell where it runs.
 */

#ifndef ABI_CPUID_H
#define ABI_CPUID_H

#define XEN_CPUID_LEAF_BASE 0x40000000U /* "XenVMMXenVMM" in ebx, ecx, edx */
#define XEN_CPUID_LEAVES    5

#define CAIRN_CPUID_LEAF_BASE 0x40000100U /* "CairnCairnVM" */
#define CAIRN_CPUID_EBX       0x72696143U
#define CAIRN_CPUID_ECX       0x6961436eU
#define CAIRN_CPUID_EDX       0x4d566e72U

/*
 * CAIRN_CPUID_LEAF_BASE + 1: eax = version (major << 16 | minor) of Cairn's
 * own operations, ebx = class of the domain (CAIRN_CLASS_*), others 0.
 */
#define CAIRN_OPS_VERSION 0x00000001U
#define CAIRN_CLASS_PV    0U
#define CAIRN_CLASS_LIGHT 1U

#endif /* ABI_CPUID_H */
