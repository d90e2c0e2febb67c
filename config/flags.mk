# SPDX-License-Identifier: BSD-2-Clause
#
# The compilers and their flags: the hypervisor's, the guests', the host's.
# Everything that is compiled depends on this file.

CC      := gcc
AR      := ar
LD      := ld
NM      := nm
OBJCOPY := objcopy
OBJDUMP := objdump
CLANG   ?= clang
# Debian's own, because python3-pytest belongs to it.
PYTHON  ?= /usr/bin/python3

# stddef.h, stdint.h, stdarg.h and the like: the only foreign headers that
# freestanding code sees.  Empty until `make deps` has installed the compiler.
CC_INCLUDE := $(shell $(CC) -print-file-name=include 2>/dev/null)

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
        -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings \
        -Wswitch-enum -Wundef -Wvla

# The same bytes wherever the tree lies.
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)=.

# --- The hypervisor -------------------------------------------------------
#
# It runs at 0xffff820000000000, beyond the 2 GiB that -mcmodel=kernel reaches:
# -fpie makes every reference relative to %rip, the link fixes the address.
# No red zone, as an interrupt lands on the same stack; no vector registers, as
# they belong to the guest.  Frame pointers carry the backtraces.  Without jump
# tables a switch is no indirect branch, so there is nothing to train.  The
# stack is aligned to 8 bytes only: without vector registers nothing needs 16.
HV_INC := -Ihypervisor -Iguest-abi/include

# The language every source of hypervisor/ begins with.
HV_BASE := -include hypervisor/lib/base.h

HV_CFLAGS = -std=gnu11 -g -ffreestanding -nostdinc -isystem $(CC_INCLUDE) \
            -fpie -fvisibility=hidden -mno-red-zone -mgeneral-regs-only \
            -mpreferred-stack-boundary=3 \
            -fno-stack-protector -fcf-protection=none \
            -fno-asynchronous-unwind-tables -fno-omit-frame-pointer \
            -fno-optimize-sibling-calls -fno-jump-tables \
            -fno-strict-aliasing -fno-common -fno-ident \
            -ffunction-sections -fdata-sections $(WARN) $(REPRODUCIBLE) \
            $(HV_BASE)

HV_CFLAGS_release := -O2 -DNDEBUG
HV_CFLAGS_debug   := -Og -DCAIRN_DEBUG

HV_LDFLAGS := -static -nostdlib -no-pie --gc-sections --build-id=none \
              -z noexecstack -z max-page-size=4096 -z norelro \
              --no-warn-rwx-segments --fatal-warnings

# --- Guests ---------------------------------------------------------------
#
# Kernels in ring 3, linked below 2 GiB.  The upcall pushes its frame right
# below %rsp, so there is no red zone here either, and nothing may come from
# the host's libgcc, which has one.  The host's compiler thinks it compiles for
# Linux: it is told otherwise.  newlib needs the two -D of its own build in
# every user of its headers.
GUEST_MACHINE := -mno-red-zone -fno-pic -fno-pie -fno-stack-protector \
                 -fcf-protection=none -fno-asynchronous-unwind-tables \
                 -fno-omit-frame-pointer -fno-common \
                 -ffunction-sections -fdata-sections

GUEST_NOT_LINUX := -U__linux__ -U__linux -Ulinux -U__gnu_linux__ \
                   -U__unix__ -U__unix -Uunix -U_FORTIFY_SOURCE

GUEST_NEWLIB := -D__DYNAMIC_REENT__ -D_READ_WRITE_RETURN_TYPE=_ssize_t \
                -D_READ_WRITE_BUFSIZE_TYPE=size_t

GUEST_CFLAGS = -std=gnu11 -O2 -g $(GUEST_MACHINE) $(GUEST_NOT_LINUX) \
               $(GUEST_NEWLIB) -nostdinc -isystem $(NEWLIB)/include \
               -isystem $(CC_INCLUDE) -fno-ident $(REPRODUCIBLE)

GUEST_INC := -Iguests/runtime/include -Iguest-abi/include

GUEST_LDFLAGS := -static -nostdlib -no-pie -Wl,--gc-sections \
                 -Wl,--build-id=none -Wl,-z,noexecstack \
                 -Wl,-z,max-page-size=4096 -Wl,-z,norelro \
                 -Wl,--no-warn-rwx-segments

# --- This machine: tools and unit tests -----------------------------------
HOST_CFLAGS = -std=gnu11 -O2 -g $(WARN) $(REPRODUCIBLE)

UNIT_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined

UNIT_INC = -Ihypervisor -Iguest-abi/include -Iguests/control \
            -Iguests/runtime/include -Itests -Itests/unit \
            -isystem $(OUT)/third-party/cjson

UNIT_CFLAGS = -std=gnu11 -Og -g $(UNIT_SANITIZE) -fno-omit-frame-pointer \
              -DCAIRN_DEBUG -DUNIT_TEST $(WARN) $(UNIT_INC)
