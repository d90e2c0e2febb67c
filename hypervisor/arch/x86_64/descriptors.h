/* SPDX-License-Identifier: BSD-2-Clause */
/* GDT, TSS and IDT of a CPU, and the MSRs of SYSCALL. */

#ifndef ARCH_X86_64_DESCRIPTORS_H
#define ARCH_X86_64_DESCRIPTORS_H

/*
 * Load them on this CPU.  Its area and its GDT area are mapped.  The first
 * CPU to come makes the IDT, which all share.
 */
void descriptors_init_cpu(unsigned int cpu);

#endif /* ARCH_X86_64_DESCRIPTORS_H */
