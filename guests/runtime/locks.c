/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library's locks.  Threads are cooperative and nothing inside the
 * library waits (printing never does, see console.c), so a lock is never
 * found taken by another thread, and nothing need be done.
 *
 * Reading stdin is the exception: the stream's lock is held while a thread
 * waits for input.  Another thread that reads the same stream meanwhile shares
 * its buffer, in turns; programs read the console from one thread.
 */

#include <sys/lock.h>

struct __lock {
    char unused;
};

struct __lock __lock___sinit_recursive_mutex;
struct __lock __lock___sfp_recursive_mutex;
struct __lock __lock___atexit_recursive_mutex;
struct __lock __lock___at_quick_exit_mutex;
struct __lock __lock___malloc_recursive_mutex;
struct __lock __lock___env_recursive_mutex;
struct __lock __lock___tz_mutex;
struct __lock __lock___dd_hash_mutex;
struct __lock __lock___arc4random_mutex;

/* All locks that are made are one. */
static struct __lock the_lock;

void __retarget_lock_init(_LOCK_T *lock)
{
    *lock = &the_lock;
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    *lock = &the_lock;
}

void __retarget_lock_close(_LOCK_T lock)
{
    (void)lock;
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    (void)lock;
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    (void)lock;
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    (void)lock;
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    (void)lock;
    return 1;
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    (void)lock;
    return 1;
}

void __retarget_lock_release(_LOCK_T lock)
{
    (void)lock;
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    (void)lock;
}
