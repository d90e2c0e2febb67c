/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The language the hypervisor is written in: C with these names.  The build
 * puts it before every source of hypervisor/ (config/flags.mk), so no file
 * there includes what it includes.
 */

#pragma once

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/compiler.h"
#include "lib/errno.h"
#include "lib/frame_number.h"
#include "lib/string.h"

#endif
