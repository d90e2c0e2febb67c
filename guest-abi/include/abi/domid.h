/* SPDX-License-Identifier: MIT */
/* Domain identifiers. */

#ifndef ABI_DOMID_H
#define ABI_DOMID_H

#include <stdint.h>

typedef uint16_t domid_t;

/* Identifiers of real domains are below this; above are the names below. */
#define DOMID_FIRST_RESERVED 0x7ff0U

#define DOMID_SELF    0x7ff0U /* the caller */
#define DOMID_IO      0x7ff1U /* owner of device memory */
#define DOMID_XEN     0x7ff2U /* owner of the hypervisor's own pages */
#define DOMID_COW     0x7ff3U
#define DOMID_INVALID 0x7ff4U
#define DOMID_IDLE    0x7fffU

#endif /* ABI_DOMID_H */
