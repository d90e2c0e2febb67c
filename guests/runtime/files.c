/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls on named files, for the C library: there are none. */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int open(const char *path, int flags, ...)
{
    (void)path;
    (void)flags;
    errno = ENOENT;
    return -1;
}

int stat(const char *restrict path, struct stat *restrict status)
{
    (void)path;
    (void)status;
    errno = ENOENT;
    return -1;
}

int link(const char *from, const char *to)
{
    (void)from;
    (void)to;
    errno = EROFS;
    return -1;
}

int unlink(const char *path)
{
    (void)path;
    errno = ENOENT;
    return -1;
}

int mkdir(const char *path, mode_t mode)
{
    (void)path;
    (void)mode;
    errno = EROFS;
    return -1;
}

int fcntl(int file, int command, ...)
{
    (void)file;
    (void)command;
    errno = EINVAL;
    return -1;
}
