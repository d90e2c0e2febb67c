# SPDX-License-Identifier: BSD-2-Clause
#
# One guest for each folder guests/bench/NAME/: build/guests/bench/NAME.elf,
# from what is in that folder, in guests/bench/framework/, and the runtime.

BENCH_FRAMEWORK := $(call sources,guests/bench/framework,*.c *.S)
BENCH_NAMES := $(filter-out framework,$(notdir $(patsubst %/,%,\
    $(sort $(wildcard guests/bench/*/)))))
BENCH_SRC := $(call sources,guests/bench,*.c *.S)
BENCH_OBJ := $(BENCH_SRC:%=$(OUT)/guests/bench/obj/%.o)

$(eval $(call guest-objects,$(OUT)/guests/bench/obj,\
    $$(WARN) -Iguests/bench -Iguests/bench/framework $$(GUEST_INC)))

# bench-guest(name, sources)
define bench-guest
$(eval $(call guest-image,$(OUT)/guests/bench/$(1),\
    $(patsubst %,$(OUT)/guests/bench/obj/%.o,$(2) $(BENCH_FRAMEWORK))))
IMAGES += $(if $(2),$(OUT)/guests/bench/$(1).elf)
endef

$(foreach n,$(BENCH_NAMES),$(eval $(call bench-guest,$(n),\
    $(call sources,guests/bench/$(n),*.c *.S))))
$(call read-deps,$(BENCH_OBJ))
