# SPDX-License-Identifier: BSD-2-Clause
#
# Code of others, from Debian's packages, into build/third-party/.  None of it
# is in this repository: config/deps.sh fetches the versions that
# config/sources.txt pins by sha256 into CACHE, and everything here is made from
# there.

NEWLIB := $(OUT)/third-party/newlib
LWIP   := $(OUT)/third-party/lwip/src
CJSON  := $(OUT)/third-party/cjson
