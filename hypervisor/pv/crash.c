/* SPDX-License-Identifier: BSD-2-Clause */
/* Ending a domain whose vCPU cannot go on, with what is known about it. */

#include "pv/crash.h"

#include <stdarg.h>

#include "core/log.h"
#include "domain/domain.h"
#include "domain/vcpu.h"
#include "lib/format.h"

static void log_registers(const struct vcpu *v, const struct cpu_regs *r)
{
    domid_t id = v->domain->domid;

    log_guest("d%uv%u: rip %04lx:%016lx rsp %04lx:%016lx rflags %08lx", id,
              v->id, r->cs, r->rip, r->ss, r->rsp, r->rflags);
    log_guest("d%uv%u: rax %016lx rbx %016lx rcx %016lx rdx %016lx", id, v->id,
              r->rax, r->rbx, r->rcx, r->rdx);
    log_guest("d%uv%u: rsi %016lx rdi %016lx rbp %016lx r8  %016lx", id, v->id,
              r->rsi, r->rdi, r->rbp, r->r8);
    log_guest("d%uv%u: r9  %016lx r10 %016lx r11 %016lx r12 %016lx", id, v->id,
              r->r9, r->r10, r->r11, r->r12);
    log_guest("d%uv%u: r13 %016lx r14 %016lx r15 %016lx cr2 %016lx", id, v->id,
              r->r13, r->r14, r->r15, v->info->arch.cr2);
}

void crash_with_registers(const char *fmt, ...)
{
    char reason[CONTROL_REASON_BYTES];
    struct vcpu *v = current;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);

    log_registers(v, guest_regs());
    domain_crash(v->domain, "%s", reason);
}
