/* SPDX-License-Identifier: BSD-2-Clause */
/* Between crowd.c and member.S. */

#ifndef MICRO_MEMBER_H
#define MICRO_MEMBER_H

/* Offsets in struct member_data. */
#define MEMBER_POLL    0
#define MEMBER_PENDING 24
#define MEMBER_PORT    32

#ifndef __ASSEMBLER__

#include <stdint.h>

#include <abi/event_channel.h>
#include <abi/sched.h>

struct member_data {
    struct sched_poll poll; /* for its port, for ever */
    uint64_t pending;       /* address of the word with its port's bit */
    struct evtchn_send port;
};

_Static_assert(offsetof(struct member_data, poll) == MEMBER_POLL &&
                   offsetof(struct member_data, pending) == MEMBER_PENDING &&
                   offsetof(struct member_data, port) == MEMBER_PORT,
               "member.S");

extern const char member_code[], member_code_end[];

#endif /* __ASSEMBLER__ */

#endif /* MICRO_MEMBER_H */
