/* SPDX-License-Identifier: BSD-2-Clause */
/* Single reads and writes the compiler must neither split nor repeat. */

#pragma once

#define atomic_read(p)     __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_write(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

/* Full barriers, like the lock-prefixed instructions they become. */
#define atomic_add(p, v)      __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_sub(p, v)      __atomic_sub_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_exchange(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

/* If *p equals *expected, store @v and return true; else load *expected. */
#define atomic_cmpxchg(p, expected, v)                                         \
    __atomic_compare_exchange_n(p, expected, v, false, __ATOMIC_SEQ_CST,       \
                                __ATOMIC_SEQ_CST)
