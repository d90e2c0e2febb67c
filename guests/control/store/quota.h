/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one unprivileged domain may take from the store.
 *
 * The first seven are the defaults that administrators know from xenstored.
 * The byte limits bound what those counts leave open: a transaction of a
 * thousand nodes, a watch with a token of four thousand bytes, a guest that
 * never reads its events.
 */

#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#define STORE_QUOTA_NODES             1000U
#define STORE_QUOTA_WATCHES           128U
#define STORE_QUOTA_NODE_BYTES        2048U /* record, value, child names */
#define STORE_QUOTA_TRANSACTIONS      10U
#define STORE_QUOTA_TRANSACTION_NODES 1024U
#define STORE_QUOTA_OUTSTANDING       20U /* replies not yet fetched */
#define STORE_QUOTA_PERMS             5U

#define STORE_QUOTA_OUTPUT_BYTES (8U * 1024U) /* the same of replies */

#define STORE_QUOTA_BYTES       (256U * 1024U) /* watches and transactions */
#define STORE_QUOTA_EVENT_BYTES (16U * 1024U)  /* events not yet fetched */

/*
 * Memory of the control domain is shared by thousands of guests.  Each is
 * certain of what a well-behaved one needs several times; beyond that, all of
 * them together have a pool.
 */
#define STORE_CERTAIN_BYTES (16U * 1024U)
#define STORE_POOL_BYTES    (24U * 1024U * 1024U)

/* What a node costs besides names and values, for the size of its record. */
#define STORE_NODE_HEADER_BYTES 24U
#define STORE_NODE_PERM_BYTES   8U

#endif /* STORE_QUOTA_H */
