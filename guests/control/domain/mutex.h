/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutual exclusion of threads that wait while they hold it. */

#ifndef DOMAIN_MUTEX_H
#define DOMAIN_MUTEX_H

#include <stdbool.h>

#include <rt/thread.h>

/* All zero is a free one. */
struct mutex {
    struct waitq queue;
    bool held;
};

static inline void mutex_lock(struct mutex *m)
{
    while (m->held)
        waitq_wait(&m->queue);
    m->held = true;
}

static inline void mutex_unlock(struct mutex *m)
{
    m->held = false;
    waitq_wake_one(&m->queue);
}

#endif /* DOMAIN_MUTEX_H */
