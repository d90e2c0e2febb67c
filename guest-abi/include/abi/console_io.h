/* SPDX-License-Identifier: MIT */
/*
 * console_io(cmd, count, buffer): the hypervisor's own console.
 *
 * Write is open to every domain (its lines carry the domain's number, and are
 * limited in rate); read gives the initial domain what was typed: the count
 * of bytes, 0 if there are none; -EPERM for others.
 */

#ifndef ABI_CONSOLE_IO_H
#define ABI_CONSOLE_IO_H

#define CONSOLEIO_write 0
#define CONSOLEIO_read  1

#endif /* ABI_CONSOLE_IO_H */
