/* SPDX-License-Identifier: BSD-2-Clause */
/* How the tables of operations are written. */

#ifndef FUZZ_OP_H
#define FUZZ_OP_H

#include <abi/hypercall.h>

#include "fuzz/fuzz.h"

#define FIELD(type, member, kind)                                              \
    {                                                                          \
        offsetof(struct type, member), sizeof(((struct type *)0)->member),     \
            KIND_##kind                                                        \
    }
/* A 64-bit register, or a word of a structure without a name here. */
#define REGISTER(n, kind)                                                      \
    {                                                                          \
        (n) * 8, 8, KIND_##kind                                                \
    }
#define HALF(offset, kind)                                                     \
    {                                                                          \
        offset, 4, KIND_##kind                                                 \
    }

/* As a weight: what would keep a domain from coming far. */
#define SELDOM 0

#define FIELDS(...)                                                            \
    .fields = (const struct field[]){__VA_ARGS__},                             \
    .field_count =                                                             \
        sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field)

#define NAMED(text, call, command, often, form_, bytes, ...)                   \
    {                                                                          \
        .name = text, .nr = HYPERCALL_##call, .cmd = (command),                \
        .weight = (often), .form = FORM_##form_, .size = (bytes),              \
        FIELDS(__VA_ARGS__)                                                    \
    }
#define COMMAND(call, command, often, form, bytes, ...)                        \
    NAMED(#command, call, command, often, form, bytes, __VA_ARGS__)
#define OP(call, command, often, type, ...)                                    \
    NAMED(#command, call, command, often, CMD_PTR, sizeof(struct type),        \
          __VA_ARGS__)
#define VCPU_OP(command, often, bytes, ...)                                    \
    NAMED(#command, vcpu_op, command, often, CMD_VCPU_PTR, bytes, __VA_ARGS__)
#define GRANT_OP(command, often, type, most, status_at, ...)                   \
    {                                                                          \
        .name = #command, .status = (status_at),                               \
        .nr = HYPERCALL_grant_table_op, .cmd = (command), .weight = (often),   \
        .form = FORM_CMD_PTR_COUNT, .size = sizeof(struct type),               \
        .entries = (most), FIELDS(__VA_ARGS__)                                 \
    }
/* Only in some domains: most others would be deaf. */
#define FIFO_OP(command, often, type, ...)                                     \
    {                                                                          \
        .name = #command, .nr = HYPERCALL_event_channel_op, .cmd = (command),  \
        .weight = (often), .form = FORM_CMD_PTR, .size = sizeof(struct type),  \
        .fifo = true, FIELDS(__VA_ARGS__)                                      \
    }
#define UNKNOWN(call, command, often)                                          \
    NAMED("unknown " #call, call, command, often, CMD_PTR, 64,                 \
          REGISTER(0, WORD), REGISTER(1, WORD), REGISTER(2, WORD))

#endif /* FUZZ_OP_H */
