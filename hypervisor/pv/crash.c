/* SPDX-License-Identifier: BSD-2-Clause */
/* Ending a domain whose vCPU cannot go on, with what is known about it. */

#include "pv/traps.h"

#include "core/panic.h"
#include "lib/format.h"

static void log_registers(const char *line)
{
    log_guest("d%uv%u: %s", current->domain->domid, current->id, line);
}

void crash_with_registers(const char *fmt, ...)
{
    char reason[CONTROL_REASON_BYTES];
    struct vcpu *v = current;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);

    registers_tell(guest_regs(), log_registers);
    log_guest("d%uv%u: cr2 %016lx", v->domain->domid, v->id,
              (unsigned long)v->info->arch.cr2);
    domain_crash(v->domain, "%s", reason);
}
