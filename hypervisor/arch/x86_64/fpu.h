/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x87 and SSE state, saved and loaded at every switch of vCPU: never
 * lazily, so that no guest can ever find another's values in it.
 */

#pragma once

#define FPU_STATE_SIZE 512 /* 16-byte aligned */

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
