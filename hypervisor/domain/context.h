/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose state the processor holds.
 *
 * It stays after its vCPU blocked, while the CPU idles: when the same vCPU is
 * the next to run, as that of a lone busy domain is, nothing is moved.
 */

#ifndef DOMAIN_CONTEXT_H
#define DOMAIN_CONTEXT_H

struct vcpu;

/*
 * Make the processor hold the state of @v, which sched_choose() has marked as
 * loaded, saving what it holds.
 */
void context_load(struct vcpu *v);

/* Save what it holds, which is somebody's: that vCPU goes elsewhere. */
void context_drop(void);

/* @v, which runs nowhere, ends: its state is not worth saving. */
void context_forget(struct vcpu *v);

#endif /* DOMAIN_CONTEXT_H */
