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

#define HEX(x) ((unsigned long long)(x))
    log_guest("d%uv%u: rip %04llx:%016llx rsp %04llx:%016llx rflags %08llx", id,
              v->id, HEX(r->cs), HEX(r->rip), HEX(r->ss), HEX(r->rsp),
              HEX(r->rflags));
    log_guest("d%uv%u: rax %016llx rbx %016llx rcx %016llx rdx %016llx", id,
              v->id, HEX(r->rax), HEX(r->rbx), HEX(r->rcx), HEX(r->rdx));
    log_guest("d%uv%u: rsi %016llx rdi %016llx rbp %016llx r8  %016llx", id,
              v->id, HEX(r->rsi), HEX(r->rdi), HEX(r->rbp), HEX(r->r8));
    log_guest("d%uv%u: r9  %016llx r10 %016llx r11 %016llx r12 %016llx", id,
              v->id, HEX(r->r9), HEX(r->r10), HEX(r->r11), HEX(r->r12));
    log_guest("d%uv%u: r13 %016llx r14 %016llx r15 %016llx cr2 %016llx", id,
              v->id, HEX(r->r13), HEX(r->r14), HEX(r->r15),
              HEX(v->info->arch.cr2));
#undef HEX
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
