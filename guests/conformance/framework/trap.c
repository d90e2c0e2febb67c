/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and upcalls: see trap.h. */

#include "framework/trap.h"

#include <stddef.h>

#include <rt/hypercall.h>

#include "framework/machine.h"
#include "framework/print.h"
#include "framework/vcpu.h"

#define STUB_BYTES 16U

struct trap_frame trap_seen;
uint64_t trap_seen_cr2;
uint64_t trap_seen_at;
uint8_t trap_seen_mask;
bool (*trap_hook)(struct trap_frame *frame);
volatile unsigned int upcall_count;
volatile unsigned int port_events[EVTCHN_2L_PORTS];

/* The stack of each vCPU's innermost probe; 0: none. */
uint64_t fault_resume[VCPU_COUNT];

_Noreturn void fault_leave(void);
uint64_t *fault_resume_of_self(void);
void trap_arrived(struct trap_frame *frame);

uint64_t trap_stub(unsigned int vector)
{
    return (uint64_t)(uintptr_t)(trap_stubs + (size_t)vector * STUB_BYTES);
}

static bool has_error_code(uint64_t vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 ||
           vector == 21;
}

/* Take each pending port once, from the top level down. */
static void take_events(void)
{
    struct vcpu_info *v = &shared_info->vcpu_info[vcpu_self()];
    uint64_t words, bits;

    upcall_count++;
    __atomic_store_n(&v->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
    words = __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    for (; words != 0; words &= words - 1) {
        unsigned int word = (unsigned int)__builtin_ctzl(words);

        bits =
            shared_info->evtchn_pending[word] & ~shared_info->evtchn_mask[word];
        __atomic_fetch_and(&shared_info->evtchn_pending[word], ~bits,
                           __ATOMIC_SEQ_CST);
        for (; bits != 0; bits &= bits - 1)
            port_events[word * 64 + (unsigned int)__builtin_ctzl(bits)]++;
    }
}

static void report(const struct trap_frame *f)
{
    print("trap %lu error %lx at %lx rsp %lx cr2 %lx\n", f->vector, f->error,
          f->rip, f->rsp, shared_info->vcpu_info[vcpu_self()].arch.cr2);
    print("  rax %lx rbx %lx rcx %lx rdx %lx\n", f->rax, f->rbx, f->rcx,
          f->rdx);
    print("  rsi %lx rdi %lx rbp %lx r11 %lx\n", f->rsi, f->rdi, f->rbp,
          f->r11);
}

void trap_arrived(struct trap_frame *frame)
{
    struct vcpu_info *v = &shared_info->vcpu_info[vcpu_self()];

    if (trap_hook && trap_hook(frame))
        return;
    if (frame->vector == TRAP_UPCALL) {
        take_events();
        return;
    }
    if (fault_resume[vcpu_self()] == 0) {
        report(frame);
        machine_end(SHUTDOWN_crash);
    }
    trap_seen = *frame;
    trap_seen_cr2 = v->arch.cr2;
    trap_seen_mask = v->evtchn_upcall_mask;
    trap_seen_at = (uint64_t)(uintptr_t)&frame->rip - 16 -
                   (has_error_code(frame->vector) ? 8 : 0);
    /* No iret follows, so the mask is put back by hand. */
    v->evtchn_upcall_mask = (uint8_t)(frame->cs >> 32 & 0xff);
    fault_leave();
}

/* For the probes in trap.S. */
uint64_t *fault_resume_of_self(void)
{
    return &fault_resume[vcpu_self()];
}

struct trap_info trap_entry(unsigned int vector)
{
    return (struct trap_info){
        .vector = (uint8_t)vector,
        .flags = vector == TRAP_BP || vector == TRAP_OF ? 3 : 0,
        .cs = FLAT_RING3_CS64,
        .address = trap_stub(vector),
    };
}

void traps_init(void)
{
    static struct trap_info table[EXCEPTION_COUNT + 1];

    for (unsigned int v = 0; v < EXCEPTION_COUNT; v++)
        table[v] = trap_entry(v);
    if (hypercall_set_trap_table(table) != 0)
        print("set_trap_table failed\n");
    if (hypercall3(HYPERCALL_set_callbacks, hypercall_ptr(upcall_stub),
                   hypercall_ptr(failsafe_stub), 0) != 0)
        print("set_callbacks failed\n");
}
