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
#include "arch/x86_64/paging.h"
#include "domain/domain.h"
#include "domain/pv_vcpu.h"
#include "pv/traps.h"
#include "pv/guest_copy.h"
#include "pv/operate.h"

#define DR6_SINGLE_STEP (1UL << 14)

void emulate_step_ends(struct cpu_regs *regs, struct vcpu *v)
{
    pv_debug_hit(v, DR6_SINGLE_STEP);
    (void)bounce_trap(regs, VECTOR_DB, false);
}

/* --- Control registers --------------------------------------------------- */

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
        *value = mfn_to_maddr(v->pv->entry.kernel_l4);
        return true;
    case 4:
        *value = pv_visible_cr4(v);
        return true;
    default:
        return false;
    }
}

/* What takes longer goes on when the guest comes again, as in the hypercall. */
static bool set_cr3(struct vcpu *v, uint64_t value)
{
    struct page_work work = {PAGE_WORK_QUANTUM};
    int rc = pv_set_kernel_base(v, maddr_to_mfn(value), &work);

    v->repeat = rc == -EAGAIN;
    return !rc || v->repeat;
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
    case 3:
        return set_cr3(v, value);
    case 4:
        pv_write_cr4(v, value);
        return true;
    default:
        return false;
    }
}

/* --- Ports --------------------------------------------------------------- */

/* Privilege level, as IOPL is compared with it. */
static unsigned int level_of(const struct vcpu *v)
{
    if (pv_in_user_mode())
        return 3;
    return v->pv->entry.shows_iopl ? 0 : 1;
}

/* Of the bitmap, which is where the kernel sees it. */
static bool bitmap_allows(struct vcpu *v, unsigned int port, unsigned int size)
{
    struct guest_ptr at = guest_ptr(v->pv->io_bitmap + port / 8);
    bool user = pv_in_user_mode();
    uint16_t bits = UINT16_MAX;

    if (port + size > v->pv->io_bitmap_ports)
        return false;
    if (user)
        pv_to_kernel(v);
    if (copy_bytes_from_guest(&bits, at, port % 8 + size > 8 ? 2 : 1))
        bits = UINT16_MAX;
    if (user && !pv_to_user(v))
        return false;
    return !(bits >> port % 8 & ((1U << size) - 1));
}

/* No port is a domain's: it reads ones, and what it writes is lost. */
static bool access_port(struct cpu_regs *regs, struct vcpu *v,
                        const struct insn *insn)
{
    static const uint32_t ones = UINT32_MAX;

    if (level_of(v) > v->pv->iopl &&
        !bitmap_allows(v, insn_port(insn, regs), insn->size))
        return false;
    if (insn->op == INSN_IN)
        insn_register_set(regs, INSN_RAX, insn->size, ones);
    if (insn->op != INSN_INS || (insn->rep && !regs->rcx))
        return true;
    return !copy_bytes_to_guest(guest_ptr(insn_address(insn, regs, 0, 0)),
                                &ones, insn->size);
}

/* --- All of them --------------------------------------------------------- */

static void set_pair(struct cpu_regs *regs, uint64_t value)
{
    regs->rax = (uint32_t)value;
    regs->rdx = value >> 32;
}

static uint64_t pair(const struct cpu_regs *regs)
{
    return (uint32_t)regs->rax | regs->rdx << 32;
}

/* What only a kernel may do. */
static bool execute_of_kernel(struct cpu_regs *regs, struct vcpu *v,
                              const struct insn *insn)
{
    uint64_t value = 0;
    bool ok;

    switch (insn->op) {
    case INSN_CLTS:
        pv_set_task_switched(v, false);
        return true;
    case INSN_WBINVD: /* No memory of its own has a type that needs it. */
        return true;
    case INSN_READ_CR:
        ok = read_cr(v, insn->special, &value);
        break;
    case INSN_READ_DR:
        ok = !pv_get_debugreg(v, insn->special, &value);
        break;
    case INSN_WRITE_CR:
        return write_cr(v, insn->special, *insn_register(regs, insn->reg));
    case INSN_WRITE_DR:
        return !pv_set_debugreg(v, insn->special,
                                *insn_register(regs, insn->reg));
    case INSN_RDTSCP:
        regs->rcx = v->pv->tsc_aux;
        set_pair(regs, rdtsc_ordered());
        return true;
    case INSN_RDTSC:
        set_pair(regs, rdtsc());
        return true;
    case INSN_RDMSR:
        if (!msr_read(v, (uint32_t)regs->rcx, &value))
            return false;
        set_pair(regs, value);
        return true;
    case INSN_WRMSR:
        return msr_write(v, (uint32_t)regs->rcx, pair(regs));
    case INSN_XSETBV:
        return regs->rcx << 32 == 0 && pv_write_xcr0(v, pair(regs));
    default:
        return false;
    }
    if (ok)
        *insn_register(regs, insn->reg) = value;
    return ok;
}

static bool execute(struct cpu_regs *regs, struct vcpu *v,
                    const struct insn *insn)
{
    switch (insn->op) {
    case INSN_CLI:
    case INSN_STI: /* The virtual flag is in memory. */
        return level_of(v) <= v->pv->iopl;
    case INSN_IN:
    case INSN_OUT:
    case INSN_INS:
    case INSN_OUTS:
        return access_port(regs, v, insn);
    case INSN_CPUID:
        cpuid_answer(regs, v->domain->class);
        return true;
    default:
        return !pv_in_user_mode() && execute_of_kernel(regs, v, insn);
    }
}

bool emulate_privileged(struct cpu_regs *regs, struct vcpu *v)
{
    struct insn insn;

    if (!emulate_fetch(regs, &insn, insn_decode) || !execute(regs, v, &insn))
        return false;
    if (unlikely(v->repeat)) {
        v->repeat = false;
        return true;
    }
    insn_retire(&insn, regs);
    emulate_end(regs, v);
    return true;
}
