# SPDX-License-Identifier: BSD-2-Clause
#
# The checks are programs, tests/lint/check-*; `make lint` runs each one through
# tests/run.  What they need to know of the build is handed to them here.

TEST_ENV = OUT='$(OUT)' CACHE='$(CACHE)' CC='$(CC)' CLANG='$(CLANG)' \
    PYTHON='$(PYTHON)' MAKE='$(MAKE)' TEST='$(TEST)'
