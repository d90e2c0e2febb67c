/* SPDX-License-Identifier: BSD-2-Clause */
/* RAM and its records, which each test has for itself: of memory/frame.h. */

#pragma once

#include "lib/frame_number.h"

void *mfn_to_virt(mfn_t m);
mfn_t virt_to_mfn(const void *p);
struct frame *mfn_to_frame(mfn_t m);
mfn_t frame_to_mfn(const struct frame *f);
