# SPDX-License-Identifier: BSD-2-Clause
#
# One guest for each folder guests/bench/NAME/: build/guests/bench/NAME.elf.
# Bench guests start and trap as the conformance guests do, with the same
# objects of guests/conformance/framework/.  No frame pointers: what is timed
# has no instruction that it does not need.

BENCH_NAMES := $(notdir $(patsubst %/,%,$(sort $(wildcard guests/bench/*/))))
BENCH_SRC := $(call sources,guests/bench,*.c *.S)
BENCH_OBJ := $(BENCH_SRC:%=$(OUT)/guests/bench/obj/%.o)

$(eval $(call guest-objects,$(OUT)/guests/bench/obj,\
    $$(WARN) -mgeneral-regs-only -fomit-frame-pointer \
    -Iguests/bench -Iguests/conformance $$(GUEST_INC)))

# bench-guest(name, sources)
define bench-guest
$(eval $(call guest-image,$(OUT)/guests/bench/$(1),\
    $(patsubst %,$(OUT)/guests/bench/obj/%.o,$(2)) \
    $(patsubst %,$(OUT)/guests/conformance/obj/%.o,$(CONFORMANCE_FRAMEWORK))))
IMAGES += $(if $(2),$(OUT)/guests/bench/$(1).elf)
endef

$(foreach n,$(BENCH_NAMES),$(eval $(call bench-guest,$(n),\
    $(call sources,guests/bench/$(n),*.c *.S))))
$(call read-deps,$(BENCH_OBJ))
