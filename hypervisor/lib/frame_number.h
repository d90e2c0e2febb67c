/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of different kinds as different types, in release builds too.
 *
 * mfn: machine frame number.  gfn: what a guest names; in class light its own
 * dense numbering, in class pv the mfn.  Never compared without translation.
 */

#pragma once

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))

typedef struct {
    uint64_t raw;
} mfn_t;

typedef struct {
    uint64_t raw;
} gfn_t;

typedef uint64_t maddr_t; /* machine address, bytes */
typedef uint64_t vaddr_t; /* virtual address, bytes */

#define MFN_NONE ((mfn_t){~0ULL})

/* Pages that hold so many bytes. */
static inline uint64_t pages_of(uint64_t bytes)
{
    return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static inline mfn_t mfn(uint64_t raw)
{
    return (mfn_t){raw};
}

static inline gfn_t gfn(uint64_t raw)
{
    return (gfn_t){raw};
}

static inline bool mfn_eq(mfn_t a, mfn_t b)
{
    return a.raw == b.raw;
}

static inline mfn_t maddr_to_mfn(maddr_t maddr)
{
    return mfn(maddr >> PAGE_SHIFT);
}

static inline maddr_t mfn_to_maddr(mfn_t m)
{
    return m.raw << PAGE_SHIFT;
}
