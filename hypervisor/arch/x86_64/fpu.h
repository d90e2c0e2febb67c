/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x87 and SSE state, and what XSAVE keeps beyond it, saved and loaded at
 * every switch of vCPU: never lazily, so that no guest can ever find another's
 * values in it.
 */

#pragma once

#define FPU_STATE_SIZE 512 /* 16-byte aligned */

/*
 * XSAVE's area begins like it, aligned to 64 bytes, and has a header behind.
 * cpu_features.xstate_size is all of it.
 */
#define XSTATE_LEAF        0xdU /* of CPUID */
#define XSTATE_LEGACY_SIZE FPU_STATE_SIZE
#define XSTATE_HEADER_SIZE 64U

static inline void fpu_save(void *state)
{
    __asm__ __volatile__("fxsave64 (%0)" : : "r"(state) : "memory");
}

/*
 * @state is from fpu_save() or fpu_init_state(), so this cannot fault.  Some
 * AMD processors save and load FIP, FDP and FOP only while an exception is
 * pending: FNINIT clears what another guest left there.
 */
static inline void fpu_restore(const void *state)
{
    __asm__ __volatile__("fninit\n\tfxrstor64 (%0)" : : "r"(state) : "memory");
}

/*
 * All that XCR0 has.  @area is from xstate_save(), or zeros behind what the
 * functions below make of its beginning.
 */
static inline void xstate_save(void *area)
{
    __asm__ __volatile__("xsave64 (%0)"
                         :
                         : "r"(area), "a"(~0U), "d"(~0U)
                         : "memory");
}

static inline void xstate_restore(const void *area)
{
    __asm__ __volatile__("fninit\n\txrstor64 (%0)"
                         :
                         : "r"(area), "a"(~0U), "d"(~0U)
                         : "memory");
}

/* The first two states of @area are not the initial ones. */
static inline void xstate_set_legacy(void *area)
{
    *(uint64_t *)((char *)area + XSTATE_LEGACY_SIZE) = 3;
}

/*
 * Let @state, a guest's own idea of such a thing, not fault either: clear what
 * this processor has no use for in MXCSR.
 */
static inline void fpu_make_valid(void *state)
{
    unsigned char now[FPU_STATE_SIZE] __attribute__((aligned(16)));
    unsigned int mxcsr, mask;

    fpu_save(now);
    memcpy(&mask, now + 28, sizeof(mask)); /* MXCSR_MASK; 0: 0xffbf */
    memcpy(&mxcsr, (unsigned char *)state + 24, sizeof(mxcsr));
    mxcsr &= mask ? mask : 0xffbf;
    memcpy((unsigned char *)state + 24, &mxcsr, sizeof(mxcsr));
}

/* What FNINIT leaves: FCW 0x37f, MXCSR 0x1f80, all registers 0. */
static inline void fpu_init_state(void *state)
{
    unsigned char *bytes = state;

    memset(bytes, 0, FPU_STATE_SIZE);
    bytes[0] = 0x7f; /* FCW */
    bytes[1] = 0x03;
    bytes[24] = 0x80; /* MXCSR */
    bytes[25] = 0x1f;
}
