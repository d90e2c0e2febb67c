# SPDX-License-Identifier: BSD-2-Clause
#
# Cairn's build, in one make: no recursion into folders.  Each component says
# in its own build.mk what it is made of; a source file added to its folder is
# found by itself.  Flags are in config/flags.mk, and nowhere else.
#
#   make help       what can be made
#   make V=1 ...    show the commands
#   make OUT=dir    build somewhere else than in build/

OUT   ?= build
CACHE ?= $(HOME)/.cache/cairn

# Which hypervisor `make run` and `make debug` start: release or debug.
BUILD ?= release

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

include config/flags.mk
include config/rules.mk
include config/third-party.mk

include tools/build.mk
include config/hypervisor.mk
include guests/runtime/build.mk
include guests/control/build.mk
include guests/web/build.mk
include guests/conformance/build.mk
include guests/bench/build.mk
include guests/linux/build.mk
include tests/unit/build.mk
include tests/lint/build.mk
include tests/bench/build.mk

# What those files have gathered in IMAGES, in the order they are worth waiting
# for.
## Build the hypervisor (release and debug) and every guest
.PHONY: all
all: $(IMAGES)

## Start Cairn with its web guests (GUESTS=16 PORT=9000 MEM= CPUS= BUILD=)
.PHONY: run
run: deps
	@$(MAKE) --no-print-directory all
	@# exec: a signal to make reaches the script, not a shell that only dies.
	@OUT='$(OUT)' BUILD='$(BUILD)' exec tools/run

## A disk image that boots from BIOS and UEFI by GRUB: build/cairn.iso (GUESTS= ...)
.PHONY: iso
iso: deps
	@$(MAKE) --no-print-directory $(OUT)/cairn.iso

## The same, waiting for a debugger, with gdb attached and symbols loaded
.PHONY: debug
debug: deps
	@$(MAKE) --no-print-directory all
	@OUT='$(OUT)' BUILD='$(if $(filter file,$(origin BUILD)),debug,$(BUILD))' \
	    exec tools/debug

## Run every test, in the emulator too; ends with "N passed, N failed"
.PHONY: test
test: deps
	@$(TEST_ENV) tests/run build unit lint reproducible system

## Run all that needs no emulator: unit tests and lint
.PHONY: check
check: third-party
	@$(TEST_ENV) tests/run unit lint

## Unit tests, on this machine, with sanitizers (TEST=event/ picks some)
.PHONY: unit
unit: third-party
	@$(TEST_ENV) tests/run unit

## Tests that boot the real image in the emulator (TEST=words as for pytest -k)
.PHONY: system
system: all
	@$(TEST_ENV) tests/run system

## The common ABI's cases on Debian's Xen, from the same binaries (IMAGES_ON_XEN=)
.PHONY: test-on-xen
test-on-xen: deps
	@$(MAKE) --no-print-directory all
	@$(TEST_ENV) $(PYTHON) tests/xen/on_xen.py $(IMAGES_ON_XEN)

## Guests that are not ours: kernels, first file systems, GRUB (build/guests/linux)
.PHONY: linux-guests
linux-guests: $(LINUX_IMAGES)

## Linux and GRUB as guests of Debian's Xen, logs in build/linux (JOBS_ON_XEN=)
.PHONY: linux-on-xen
linux-on-xen: deps
	@$(MAKE) --no-print-directory linux-guests
	@$(TEST_ENV) $(PYTHON) tests/xen/linux_guests.py $(JOBS_ON_XEN)

## A small Linux of our configuration, built once into CACHE (a quarter of an hour)
.PHONY: pv-kernel
pv-kernel: deps
	@CACHE='$(CACHE)' config/deps.sh kernel
	@CACHE='$(CACHE)' pv-kernel-patches/build.sh build linux-6.1

## Write the list in docs/conformance.md anew, from the cases' sources
.PHONY: conformance-page
conformance-page:
	@$(PYTHON) tests/xen/cases.py --write

## Take one check away at a time; a test must notice (NAMES=mutations)
.PHONY: mutate
mutate: all
	@$(TEST_ENV) tests/system/mutate $(NAMES)

## Random hypercalls: N= of them from SEED= on, and of class pv a tenth (CPUS= OPTIONS=class=pv ...)
.PHONY: fuzz
fuzz: all
	@$(TEST_ENV) $(PYTHON) tests/system/fuzz $(or $(N),1000000) \
	    $(or $(SEED),1) $(or $(CPUS),2) $(OPTIONS)

## Domains made and killed at random: for N= seconds from SEED= on (CPUS=)
.PHONY: stress
stress: all
	@$(TEST_ENV) $(PYTHON) tests/system/stress $(or $(N),300) \
	    $(or $(SEED),1) $(or $(CPUS),4)

## Static checks: layers, headers, ABI layout, locks, lines, format, analysers (TEST=word)
.PHONY: lint
lint: third-party
	@$(TEST_ENV) tests/run lint

## Instructions of single operations, beside Xen's: build/bench/*.csv, docs
.PHONY: bench
bench: deps
	@$(MAKE) --no-print-directory all $(OUT)/bench/floor.elf
	@$(TEST_ENV) $(PYTHON) tests/bench/micro.py
	@$(TEST_ENV) $(PYTHON) tests/bench/others.py
	@$(TEST_ENV) $(PYTHON) tests/bench/breakdown.py >/dev/null
	@$(TEST_ENV) $(PYTHON) tests/bench/page.py

## Memory, start, requests and creations of web guests: build/bench/*.csv, docs
.PHONY: bench-system
bench-system: deps
	@$(MAKE) --no-print-directory all
	@$(TEST_ENV) $(PYTHON) tests/bench/system.py
	@$(TEST_ENV) $(PYTHON) tests/bench/page.py

## Instructions of Linux's operations, beside Xen's (ON=cairn: only there): build/bench/linux.csv, docs
.PHONY: bench-linux
bench-linux: deps
	@$(MAKE) --no-print-directory all linux-guests
	@$(TEST_ENV) $(PYTHON) tests/bench/linux.py $(ON)
	@$(TEST_ENV) $(PYTHON) tests/bench/page.py

## Install what config/packages.txt names, fetch pinned sources (YES=1: no question)
.PHONY: deps
deps:
	@CACHE='$(CACHE)' config/deps.sh

## Build twice, in two places, and compare every byte
.PHONY: check-reproducible
check-reproducible:
	@CACHE='$(CACHE)' tests/lint/reproducible

## Sizes of the images, and of the hypervisor by room
.PHONY: size
size: all
	@OUT='$(OUT)' config/size.sh

## Apply .clang-format to every C file
.PHONY: format
format:
	$(say) FORMAT '*.[ch]'
	$(Q)git ls-files -z -co --exclude-standard '*.c' '*.h' | \
	    xargs -0 -r clang-format -i

## Show this list
.PHONY: help
help:
	@awk '/^## /{h=substr($$0,4);next} /^\.PHONY/{next} \
	    h&&/^[a-z-]+:/{sub(/:.*/,"");printf "  %-20s %s\n",$$0,h} {h=""}' \
	    Makefile

## Remove everything that was made (downloads in CACHE stay)
.PHONY: clean
clean:
	rm -rf $(OUT)
