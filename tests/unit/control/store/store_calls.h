/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a store in short words, for the tests beside this file. */

#ifndef TESTS_UNIT_CONTROL_STORE_CALLS_H
#define TESTS_UNIT_CONTROL_STORE_CALLS_H

#include <string.h>

#include "store/request.h"
#include "store/store.h"
#include "test.h"

#define CALL_BYTES 8192

/* The last reply, with a NUL behind it; NULs within are shown as '|'. */
static char answer[CALL_BYTES];
static uint32_t answer_type, answer_bytes;

static inline void show(const struct store_message *m)
{
    answer_type = m->header.type;
    answer_bytes = m->header.len;
    memcpy(answer, m->payload, answer_bytes);
    answer[answer_bytes] = '\0';
    for (uint32_t i = 0; i < answer_bytes; i++)
        if (answer[i] == '\0')
            answer[i] = '|';
}

/* In @text a '|' stands for a NUL. */
static inline const char *call_bytes(struct store_client *c, uint32_t type,
                                     uint32_t tx, const char *text,
                                     size_t bytes)
{
    static struct store_message reply;
    struct xsd_sockmsg header = {
        .type = type, .req_id = 77, .tx_id = tx, .len = (uint32_t)bytes};
    char *payload = malloc(bytes + 1); /* so that overruns are seen */

    for (size_t i = 0; i < bytes; i++)
        payload[i] = text[i] == '|' ? '\0' : text[i];
    store_request(c, &header, payload, &reply);
    free(payload);
    EXPECT_EQ(reply.header.req_id, 77);
    EXPECT_EQ(reply.header.tx_id, tx);
    EXPECT_TRUE(reply.header.type == type || reply.header.type == XS_ERROR);
    show(&reply);

    return answer;
}

static inline const char *call(struct store_client *c, uint32_t type,
                               uint32_t tx, const char *text)
{
    return call_bytes(c, type, tx, text, strlen(text));
}

/* The next event, "path|token|", or "" when there is none. */
static inline const char *event(struct store_client *c)
{
    static struct store_message m;

    if (!store_next_event(c, &m))
        return "";
    EXPECT_EQ(m.header.type, XS_WATCH_EVENT);
    EXPECT_EQ(m.header.req_id, 0);
    show(&m);

    return answer;
}

#endif /* TESTS_UNIT_CONTROL_STORE_CALLS_H */
