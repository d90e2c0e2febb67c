/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Permission lists of store nodes.
 *
 * The first entry names the owner, who may do everything, and its letter is
 * what domains that are not listed may do.  A list is never changed once made:
 * nodes share it and count their references, as a child has its parent's list
 * until someone says otherwise.
 */

#ifndef STORE_PERMS_H
#define STORE_PERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/domid.h>

#define PERM_NONE  0U
#define PERM_READ  1U
#define PERM_WRITE 2U
#define PERM_BOTH  (PERM_READ | PERM_WRITE)

struct perm {
    domid_t domid;
    uint8_t bits; /* PERM_* */
};

struct perms {
    uint32_t refs;
    uint32_t count;
    struct perm entry[];
};

/* Longest text of one entry, "b65535", with its NUL. */
#define PERM_TEXT_BYTES 8

/* A list of one reference; NULL when out of memory. */
struct perms *perms_new(const struct perm *entries, uint32_t count);

struct perms *perms_get(struct perms *p);
void perms_put(struct perms *p); /* NULL is fine */

/* @p, but owned by @owner: @p itself with a reference more if it already is. */
struct perms *perms_with_owner(struct perms *p, domid_t owner);

domid_t perms_owner(const struct perms *p);

/* What @domid may do: PERM_* bits. */
unsigned int perms_of(const struct perms *p, domid_t domid);

/* May every domain read? */
bool perms_all_read(const struct perms *p);

/* From texts like "n0" NUL "r3" NUL; -EINVAL, -ENOMEM. */
int perms_parse(struct perms **out, const char *text, size_t bytes);

/* Into the same form; returns the bytes needed, writes at most @room. */
size_t perms_format(const struct perms *p, char *out, size_t room);

#endif /* STORE_PERMS_H */
