/* SPDX-License-Identifier: MIT */
/*
 * The store's wire protocol: messages as byte streams over two rings in one
 * page.  A reply carries the request's type, req_id and tx_id; an error has
 * type XS_ERROR and the error's name as payload.
 */

#ifndef ABI_IO_XS_WIRE_H
#define ABI_IO_XS_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum xsd_sockmsg_type {
    XS_CONTROL,
    XS_DIRECTORY,
    XS_READ,
    XS_GET_PERMS,
    XS_WATCH,
    XS_UNWATCH,
    XS_TRANSACTION_START,
    XS_TRANSACTION_END,
    XS_INTRODUCE,
    XS_RELEASE,
    XS_GET_DOMAIN_PATH,
    XS_WRITE,
    XS_MKDIR,
    XS_RM,
    XS_SET_PERMS,
    XS_WATCH_EVENT,
    XS_ERROR,
    XS_IS_DOMAIN_INTRODUCED,
    XS_RESUME,
    XS_SET_TARGET,
    XS_RESET_WATCHES = 21,
    XS_DIRECTORY_PART,
};

struct xsd_sockmsg {
    uint32_t type;
    uint32_t req_id;
    uint32_t tx_id;
    uint32_t len; /* bytes that follow */
};

#define XENSTORE_PAYLOAD_MAX  4096U /* bytes behind a header */
#define XENSTORE_ABS_PATH_MAX 3072U
#define XENSTORE_REL_PATH_MAX 2048U

#define XENSTORE_RING_BYTES 1024U

struct xenstore_domain_interface {
    char req[XENSTORE_RING_BYTES]; /* to the store */
    char rsp[XENSTORE_RING_BYTES]; /* from the store */
    uint32_t req_cons, req_prod;
    uint32_t rsp_cons, rsp_prod;
    uint32_t server_features;
    uint32_t connection;
    uint32_t error;
};

_Static_assert(sizeof(struct xsd_sockmsg) == 16, "ABI");
_Static_assert(offsetof(struct xenstore_domain_interface, req_cons) == 2048,
               "ABI");
_Static_assert(offsetof(struct xenstore_domain_interface, error) == 2072,
               "ABI");

#endif /* ABI_IO_XS_WIRE_H */
