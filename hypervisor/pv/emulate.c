/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of ring 0 in kernels of class pv, and the few that their
 * programs may have executed for them.
 *
 * The bytes are read once; what they are by then is what is done, and whether
 * the guest may is asked of that.
 */

#include "pv/emulate.h"

#include "arch/x86_64/cpu.h"
#include "domain/domain.h"
#include "domain/pv_vcpu.h"
#include "pv/guest_copy.h"
#include "pv/operate.h"

/* As many bytes at rip as can be read, up to an instruction's. */
static size_t fetch(uint64_t rip, uint8_t *bytes)
{
    size_t in_page = PAGE_SIZE - rip % PAGE_SIZE;

    if (!copy_bytes_from_guest(bytes, guest_ptr(rip), INSN_MAX))
        return INSN_MAX;
    if (in_page < INSN_MAX &&
        !copy_bytes_from_guest(bytes, guest_ptr(rip), in_page))
        return in_page;
    return 0;
}

static bool read_cr(struct vcpu *v, unsigned int cr, uint64_t *value)
{
    switch (cr) {
    case 0:
        *value = (read_cr0() & ~CR0_TS) | (v->pv->task_switched ? CR0_TS : 0);
        return true;
    case 2:
        *value = v->info->arch.cr2;
        return true;
    case 3:
        *value = mfn_to_maddr(v->pv->kernel_l4);
        return true;
    case 4:
        *value = pv_visible_cr4(v);
        return true;
    default:
        return false;
    }
}

static bool write_cr(struct vcpu *v, unsigned int cr, uint64_t value)
{
    uint64_t now;

    switch (cr) {
    case 0:
        (void)read_cr(v, 0, &now);
        if ((value ^ now) & ~CR0_TS)
            return false;
        pv_set_task_switched(v, value & CR0_TS);
        return true;
    case 2:
        v->info->arch.cr2 = value;
        return true;
    case 4:
        pv_write_cr4(v, value);
        return true;
    default:
        return false;
    }
}

static bool read_msr(uint32_t msr, uint64_t *value)
{
    switch (msr) {
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_GS_INACTIVE:
        *value = rdmsr(msr);
        return true;
    default:
        return false;
    }
}

static bool write_msr(uint32_t msr, uint64_t value)
{
    switch (msr) {
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_GS_INACTIVE:
        if (!is_canonical(value))
            return false;
        wrmsr(msr, value);
        return true;
    default:
        return false;
    }
}

/* Those of a kernel. */
static bool execute(struct cpu_regs *regs, struct vcpu *v,
                    const struct insn *insn)
{
    uint64_t value;

    switch (insn->op) {
    case INSN_CLTS:
        pv_set_task_switched(v, false);
        return true;
    case INSN_WBINVD:
        return true;
    case INSN_READ_CR:
        if (!read_cr(v, insn->special, &value))
            return false;
        insn_register_set(regs, insn->reg, 8, value);
        return true;
    case INSN_WRITE_CR:
        return write_cr(v, insn->special, *insn_register(regs, insn->reg));
    case INSN_RDMSR:
        if (!read_msr((uint32_t)regs->rcx, &value))
            return false;
        regs->rax = (uint32_t)value;
        regs->rdx = value >> 32;
        return true;
    case INSN_WRMSR:
        return write_msr((uint32_t)regs->rcx,
                         (uint32_t)regs->rax | regs->rdx << 32);
    default:
        return false;
    }
}

bool emulate_privileged(struct cpu_regs *regs, struct vcpu *v)
{
    uint8_t bytes[INSN_MAX];
    size_t count = fetch(regs->rip, bytes);
    struct insn insn;

    if (!insn_decode(&insn, bytes, count, true) || pv_in_user_mode() ||
        !execute(regs, v, &insn))
        return false;
    insn_retire(&insn, regs);
    return true;
}
