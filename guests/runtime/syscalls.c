/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the C library asks of a system: memory, the console as files 0, 1 and
 * 2, the time, and an end.  There are no other files yet.
 */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>

#include <abi/sched.h>

#include <rt/console.h>
#include <rt/page.h>
#include <rt/start.h>
#include <rt/time.h>

#include "internal.h"

void _init(void);
void _fini(void);
int getentropy(void *buffer, size_t size);

/* The heap's pages end at heap_end, what was handed out at heap_break. */
static char *heap_break, *heap_end;

/* Up to the next page. */
static char *page_up(char *at)
{
    return (char *)(((uintptr_t)at + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1));
}

/* Make room for @bytes more at heap_break, which may move up. */
static bool grow(size_t bytes)
{
    size_t room = (size_t)(heap_end - heap_break);
    size_t pages = (bytes - room + PAGE_BYTES - 1) / PAGE_BYTES;
    char *place;

    if (heap_end && rt_heap_extend(heap_end, pages)) {
        heap_end += pages * PAGE_BYTES;
        return true;
    }
    pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    place = rt_heap_place(heap_end, pages);
    if (!place)
        return false;
    heap_break = place;
    heap_end = place + pages * PAGE_BYTES;
    return true;
}

void *sbrk(ptrdiff_t bytes)
{
    char *before = heap_break;

    if (bytes < 0) {
        char *end = page_up(heap_break + bytes);

        if (end < heap_end)
            page_free(end, (size_t)(heap_end - end) / PAGE_BYTES);
        heap_end = end;
    } else if (bytes > heap_end - heap_break) {
        if (!grow((size_t)bytes)) {
            errno = ENOMEM;
            return (void *)-1;
        }
        before = heap_break;
    }
    heap_break += bytes;
    return before;
}

_ssize_t write(int file, const void *data, size_t size)
{
    if (file != STDOUT_FILENO && file != STDERR_FILENO) {
        errno = EBADF;
        return -1;
    }
    rt_console_stdout(data, size);
    return (_ssize_t)size;
}

_ssize_t read(int file, void *data, size_t size)
{
    if (file != STDIN_FILENO) {
        errno = EBADF;
        return -1;
    }
    return (_ssize_t)rt_console_read(data, size);
}

int fstat(int file, struct stat *status)
{
    if (file < 0 || file > STDERR_FILENO) {
        errno = EBADF;
        return -1;
    }
    *status = (struct stat){.st_mode = S_IFCHR | 0600};
    return 0;
}

int isatty(int file)
{
    if (file >= 0 && file <= STDERR_FILENO)
        return 1;
    errno = EBADF;
    return 0;
}

off_t lseek(int file, off_t offset, int whence)
{
    (void)offset;
    (void)whence;
    errno = file >= 0 && file <= STDERR_FILENO ? ESPIPE : EBADF;
    return -1;
}

int close(int file)
{
    if (file >= 0 && file <= STDERR_FILENO)
        return 0;
    errno = EBADF;
    return -1;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    uint64_t ns = rt_wall_ns();

    (void)zone;
    now->tv_sec = (time_t)(ns / RT_NS_PER_S);
    now->tv_usec = (suseconds_t)(ns % RT_NS_PER_S / RT_NS_PER_US);
    return 0;
}

clock_t times(struct tms *used)
{
    clock_t ticks = (clock_t)((rt_now_ns() - rt_start_ns()) /
                              (RT_NS_PER_S / CLOCKS_PER_SEC));

    *used = (struct tms){.tms_utime = ticks};
    return ticks;
}

pid_t getpid(void)
{
    return 1;
}

/* abort() and raise() end here. */
int kill(pid_t pid, int signal)
{
    (void)pid;
    rt_panic("signal %d", signal);
}

void _exit(int status)
{
    if (status != 0)
        rt_panic("exit status %d", status);
    rt_shutdown(SHUTDOWN_poweroff);
}

void _init(void)
{
}

void _fini(void)
{
}
