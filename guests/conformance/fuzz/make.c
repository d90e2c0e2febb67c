/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing a call, filling its arguments, making it. */

#include <string.h>

#include <abi/control.h>
#include <abi/hypercall.h>
#include <abi/light.h>
#include <abi/mmu.h>
#include <abi/multicall.h>
#include <abi/sched.h>
#include <abi/trap.h>
#include <abi/vcpu.h>

#include <rt/hypercall.h>

#include "framework/ports.h"
#include "framework/print.h"
#include "framework/trap.h"
#include "framework/vcpu.h"
#include "fuzz/fuzz.h"

#define STRUCTURE_BYTES 1024U
#define ENTRY_BYTES     4096U /* of one structure or array, at most */
#define MULTICALL_MOST  8U
#define HUGE_COUNT_ONCE 64U

/* Cumulated weights. */
static uint32_t up_to[FUZZ_OPS];

/* What cannot be chosen by others than those with the right is rare. */
#define RARE_SHARE 16U

static uint32_t weight_of(const struct op *op)
{
    /* A jump to anywhere in our text is a call with anything. */
    if (op->form == FORM_PROCESSOR && is_careful())
        return 0;
    if (op->weight == 0 || (op->fifo && !is_fifo()))
        return 1;
    if (op->flavours == 0)
        return op->weight * RARE_SHARE;
    if ((op->flavours >> fuzz_order.flavour & 1) != 0)
        return op->weight * RARE_SHARE * 4;
    return op->weight;
}

void make_init(void)
{
    uint32_t sum = 0;

    for (unsigned int i = 0; i < fuzz_op_count(); i++)
        up_to[i] = sum += weight_of(fuzz_op(i));
}

static unsigned int choose(struct fuzzer *f)
{
    uint32_t at = (uint32_t)below(f, up_to[fuzz_op_count() - 1]);
    unsigned int low = 0, high = fuzz_op_count() - 1;

    while (low < high) {
        unsigned int middle = (low + high) / 2;

        if (up_to[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void put(uint8_t *at, unsigned int size, uint64_t value)
{
    memcpy(at, &value, size);
}

/* Fields that say whom a privileged domain aims at are never left to chance. */
static bool is_aim(enum kind kind)
{
    return kind == KIND_DOMID || kind == KIND_REMOTE || kind == KIND_KID ||
           kind == KIND_NEW_KID;
}

static uint64_t field_value(struct fuzzer *f, const struct field *field)
{
    uint64_t value = value_of(f, field->kind);

    if (is_careful() && is_aim(field->kind) && is_spared((domid_t)value))
        return own_domid;
    return value;
}

/* One structure; now and then a field of it is anything. */
static void fill(struct fuzzer *f, const struct op *op, uint8_t *to)
{
    unsigned int odd = rarely(f, 8) ? (unsigned int)below(f, op->field_count)
                                    : op->field_count;

    for (unsigned int i = 0; i < op->field_count; i++) {
        const struct field *field = &op->fields[i];
        bool waits = field->kind == KIND_SOON && !rarely(f, 64);
        uint64_t value = field_value(f, field);

        if (i == odd && !waits && !(is_careful() && is_aim(field->kind)))
            value = wild(f);
        put(to + field->offset, field->size, value);
    }
}

/* A vCPU's registers, and some of them wrong. */
static uint64_t context(struct fuzzer *f)
{
    struct vcpu_guest_context c =
        *vcpu_context(2, (uint64_t)(uintptr_t)fuzz_third);
    uint64_t *list = (uint64_t *)(void *)&c;

    for (uint64_t n = below(f, 4); n > 0; n--)
        list[below(f, rarely(f, 2) ? 160 : sizeof(c) / 8)] = wild(f);
    if (is_pv())
        pv_context(f, &c);
    return place(f, &c, sizeof(c));
}

static uint64_t structure(struct fuzzer *f, const struct op *op)
{
    uint8_t bytes[STRUCTURE_BYTES] = {0};

    /* Zeros where it looks for its argument: that is a wait for ever. */
    if (op->nr == HYPERCALL_sched_op && op->cmd == SCHEDOP_poll)
        f->apart |= !rarely(f, 64);

    fill(f, op, bytes);
    return place(f, bytes, op->size < sizeof(bytes) ? op->size : sizeof(bytes));
}

static uint64_t array(struct fuzzer *f, const struct op *op, unsigned int count)
{
    static uint8_t bytes[FUZZ_VCPUS][ENTRY_BYTES];
    uint8_t *b = bytes[f->vcpu];

    memset(b, 0, (size_t)op->size * (count + 1));
    for (unsigned int i = 0; i < count; i++)
        fill(f, op, b + (size_t)i * op->size);
    return place(f, b, (size_t)op->size * (count + 1));
}

/* Of mmuext_op: each entry is another operation. */
static uint64_t mixed(struct fuzzer *f, const struct op *op, unsigned int count)
{
    uint8_t bytes[(MULTICALL_MOST + 1) * sizeof(struct mmuext_op)] = {0};

    for (unsigned int i = 0; i < count; i++) {
        uint8_t *b = bytes + i * op->size;

        fill(f, op, b);
        put(b, 4, rarely(f, 64) ? wild(f) : op->cmd);
        do
            op = fuzz_op(choose(f));
        while (op->form != FORM_MMUEXT);
    }
    return place(f, bytes, count * op->size);
}

static uint64_t count_of(struct fuzzer *f, unsigned int filled)
{
    return rarely(f, HUGE_COUNT_ONCE) ? wild(f) : filled;
}

/* cmd and version, then what the operation is about. */
static uint64_t headed(struct fuzzer *f, const struct op *op)
{
    uint8_t bytes[256] = {0};

    fill(f, op, bytes);
    put(bytes, 4, op->cmd);
    return place(f, bytes, op->size);
}

static void words(struct fuzzer *f, const struct op *op, uint64_t args[5])
{
    uint64_t list[5] = {0};

    for (unsigned int i = 0; i < op->field_count; i++)
        list[i] = field_value(f, &op->fields[i]);
    memcpy(args, list, sizeof(list));
}

/* Requests about page tables; now and then one that says it goes on. */
static void list_of_requests(struct fuzzer *f, const struct op *op,
                             uint64_t args[5])
{
    unsigned int count = 1;

    if (rarely(f, 2)) /* the first that is refused ends a list */
        count += (unsigned int)below(f, MULTICALL_MOST);
    args[0] = op->form == FORM_MMU ? array(f, op, count) : mixed(f, op, count);
    args[1] = count_of(f, count);
    if (rarely(f, 64))
        args[1] |= MMU_UPDATE_PREEMPTED;
    args[2] = rarely(f, 4) ? value_of(f, KIND_BUFFER) : 0;
    args[3] = rarely(f, 16) ? value_of(f, KIND_DOMID) : DOMID_SELF;
}

static uint64_t list_of_calls(struct fuzzer *f, unsigned int count);

static void arguments(struct fuzzer *f, const struct op *op, uint64_t args[5])
{
    unsigned int count;

    memset(args, 0, 5 * sizeof(args[0]));
    args[0] = op->cmd;
    switch (op->form) {
    case FORM_WORDS:
        words(f, op, args);
        break;
    case FORM_CMD_PTR:
        args[1] = structure(f, op);
        break;
    case FORM_CMD_PTR_COUNT:
        count = 1 + (unsigned int)below(f, op->entries);
        args[1] = array(f, op, count);
        args[2] = count_of(f, count);
        break;
    case FORM_CMD_VCPU_PTR:
        args[1] = rarely(f, 4) || op->cmd == VCPUOP_down
                      ? value_of(f, KIND_VCPU)
                      : f->vcpu;
        if (op->cmd == VCPUOP_initialise) {
            args[1] = value_of(f, KIND_VCPU);
            args[2] = context(f);
            break;
        }
        args[2] = structure(f, op);
        break;
    case FORM_CMD_COUNT_PTR:
        args[1] = value_of(f, rarely(f, 64) ? KIND_BYTES : KIND_SMALL);
        args[2] = structure(f, op);
        break;
    case FORM_PTR:
        args[0] = headed(f, op);
        break;
    case FORM_LIST:
        args[0] = array(f, op, 1 + (unsigned int)below(f, op->entries));
        break;
    case FORM_MMU:
    case FORM_MMUEXT:
        list_of_requests(f, op, args);
        break;
    case FORM_MULTICALL:
        count = 1 + (unsigned int)below(f, MULTICALL_MOST);
        args[0] = list_of_calls(f, count);
        args[1] = rarely(f, HUGE_COUNT_ONCE) && !is_careful() ? wild(f) : count;
        break;
    default:
        break;
    }
}

static bool has_command(const struct op *op)
{
    return op->form == FORM_CMD_PTR || op->form == FORM_CMD_PTR_COUNT ||
           op->form == FORM_CMD_VCPU_PTR || op->form == FORM_CMD_COUNT_PTR;
}

/* A register that holds something else than it should. */
static void spoil(struct fuzzer *f, const struct op *op, uint64_t args[5])
{
    if (is_careful())
        return;
    if (has_command(op) && rarely(f, 32))
        args[0] |= rarely(f, 4) ? 1UL << 31 : wild(f) << 32;
    if (rarely(f, 48) && op->nr != HYPERCALL_sched_op)
        args[below(f, 5)] = wild(f);
}

static uint64_t list_of_calls(struct fuzzer *f, unsigned int count)
{
    struct multicall_entry list[MULTICALL_MOST];

    memset(list, 0, sizeof(list));
    f->apart = is_careful() || !rarely(f, 16);
    for (unsigned int i = 0; i < count; i++) {
        const struct op *op = fuzz_op(choose(f));

        if (op->form == FORM_PROCESSOR || op->form == FORM_MULTICALL ||
            op->form == FORM_PV) {
            /* What a list may not hold, or ends with. */
            list[i].op = rarely(f, 4) ? HYPERCALL_multicall : 19;
            if (!is_careful() && rarely(f, 256))
                list[i].op = rarely(f, 2) ? HYPERCALL_iret : wild(f);
            continue;
        }
        list[i].op = op->nr;
        arguments(f, op, list[i].args);
        spoil(f, op, list[i].args);
    }
    return place(f, list, count * sizeof(list[0]));
}

/* --- Before and after ------------------------------------------------------
 */

static void mask_own_upcalls(struct fuzzer *f)
{
    __atomic_store_n(&shared_info->vcpu_info[f->vcpu].evtchn_upcall_mask, 1,
                     __ATOMIC_SEQ_CST);
}

/* Whoever blocks shall wake: by what is pending, or by its timer. */
static void before_block(struct fuzzer *f)
{
    struct vcpu_info *v = &shared_info->vcpu_info[f->vcpu];

    /* Else its event is taken before there is a wait. */
    mask_own_upcalls(f);
    if (is_fifo() && !rarely(f, 16)) { /* who may have spoilt every queue */
        __atomic_store_n(&v->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
        return;
    }
    port_bind_virq(VIRQ_TIMER, f->vcpu);
    __atomic_store_n(&shared_info->evtchn_pending[0], 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&shared_info->evtchn_mask[0], 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&v->evtchn_upcall_pending, (uint8_t)below(f, 2),
                     __ATOMIC_SEQ_CST);
    hypercall_set_timer_op(now_ns() + 20000);
}

/* Undo what would leave us deaf, or talking for ever. */
static void after(struct fuzzer *f, const struct op *op)
{
    uint64_t none = 0;

    switch (op->nr) {
    case HYPERCALL_set_trap_table:
    case HYPERCALL_set_callbacks:
    case HYPERCALL_callback_op:
    case HYPERCALL_multicall:
        traps_init();
        break;
    case HYPERCALL_vcpu_op:
        if (rarely(f, 4))
            hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, f->vcpu,
                              &none);
        break;
    default:
        break;
    }
    if (is_pv())
        pv_after(f, op);
    if (rarely(f, 8))
        __atomic_store_n(&shared_info->vcpu_info[f->vcpu].evtchn_upcall_mask, 0,
                         __ATOMIC_SEQ_CST);
    else
        mask_own_upcalls(f);
}

/* So many of them are enough: the oldest goes. */
static void remember_kid(struct fuzzer *f, const struct op *op, uint64_t at)
{
    const struct control_op *c = (const void *)(uintptr_t)at;
    struct control_op end = {.cmd = CONTROL_OP_destroy};

    if (op->nr != HYPERCALL_control_op || op->cmd != CONTROL_OP_create)
        return;
    if (f->kid_count == FUZZ_KIDS) {
        end.domid = f->kids[0];
        hypercall_control_op(&end);
        memmove(f->kids, f->kids + 1, (FUZZ_KIDS - 1) * sizeof(f->kids[0]));
        f->kid_count--;
    }
    f->kids[f->kid_count++] = c->domid;
}

/* --- One call --------------------------------------------------------------
 */

struct attempt {
    struct fuzzer *f;
    const struct op *op;
    struct fuzz_call *call;
};

static void print_call(const struct fuzz_call *c, const char *name)
{
    print("fuzz: call %lu %s %lx(%lx, %lx, %lx, %lx, %lx)\n", c->number, name,
          c->nr, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4]);
}

static void make_call(void *arg)
{
    const struct attempt *a = arg;
    struct fuzz_call *c = a->call;

    if (a->op->form == FORM_PROCESSOR) {
        processor_do(a->f, (unsigned int)c->args[0]);
        c->result = 0;
        return;
    }
    if (a->op->form == FORM_PV) {
        c->result = c->args[0] >= PV_CODE
                        ? pv_code_do(a->f, (enum pv_what)c->args[0])
                        : pv_tables_do(a->f, (enum pv_what)c->args[0]);
        return;
    }
    c->result = hypercall5((unsigned int)c->nr, c->args[0], c->args[1],
                           c->args[2], c->args[3], c->args[4]);
}

/* A grant operation says of each entry how it went: here the first. */
static bool is_good(const struct op *op, const struct fuzz_call *c)
{
    return op->status == 0 ||
           *(const int16_t *)(uintptr_t)(c->args[1] + op->status) == 0;
}

static void note(struct fuzz_call *c, unsigned int index, bool faulted)
{
    fuzz_state.op_made[index]++;
    if (faulted)
        c->result = FUZZ_RUNNING + (int64_t)trap_seen.vector;
    else if (c->result >= 0 && is_good(fuzz_op(index), c))
        fuzz_state.op_good[index]++;
}

void make_one(struct fuzzer *f)
{
    unsigned int index;
    struct fuzz_call *c;
    const struct op *op;
    struct attempt attempt;

    f->random = (fuzz_order.seed * FUZZ_VCPUS + f->vcpu) * 0x9e3779b97f4a7c15UL;
    f->random ^= f->number * 0xd1342543de82ef95UL;
    index = choose(f);
    op = fuzz_op(index);
    c = &fuzz_state.last[f->vcpu][f->number % FUZZ_RING];
    f->arena_used = 0;
    f->apart = is_careful();
    f->level = 0;
    c->number = f->number;
    c->result = FUZZ_RUNNING;
    c->nr = op->nr;
    if (op->form == FORM_PROCESSOR) {
        c->nr = FUZZ_NR_PROCESSOR;
        c->args[0] = below(f, processor_kinds);
    } else if (op->form == FORM_PV) {
        c->args[0] = op->cmd;
    } else {
        arguments(f, op, c->args);
        spoil(f, op, c->args);
    }
    if (rarely(f, 2))
        values_grant(f);
    if (is_fifo())
        values_fifo(f);
    if ((op->nr == HYPERCALL_sched_op && op->cmd == SCHEDOP_block) ||
        (op->nr == HYPERCALL_multicall && !rarely(f, 8)) ||
        (op->form == FORM_PV && op->cmd >= PV_CODE))
        before_block(f);
    if (f->number >= fuzz_order.trace)
        print_call(c, op->name);
    attempt = (struct attempt){f, op, c};
    note(c, index, fault_probe(make_call, &attempt));
    if (c->result == 0)
        remember_kid(f, op, c->args[0]);
    after(f, op);
    fuzz_state.made[f->vcpu] = ++f->number;
}
