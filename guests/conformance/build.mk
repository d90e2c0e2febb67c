# SPDX-License-Identifier: BSD-2-Clause
#
# One guest for each folder guests/conformance/NAME/: build/guests/conformance/NAME.elf,
# from what is in that folder, in guests/conformance/framework/, and the runtime.

CONFORMANCE_FRAMEWORK := $(call sources,guests/conformance/framework,*.c *.S)
CONFORMANCE_NAMES := $(filter-out framework,$(notdir $(patsubst %/,%,\
    $(sort $(wildcard guests/conformance/*/)))))
CONFORMANCE_SRC := $(call sources,guests/conformance,*.c *.S)
CONFORMANCE_OBJ := $(CONFORMANCE_SRC:%=$(OUT)/guests/conformance/obj/%.o)

$(eval $(call guest-objects,$(OUT)/guests/conformance/obj,\
    $$(WARN) -Iguests/conformance -Iguests/conformance/framework $$(GUEST_INC)))

# conformance-guest(name, sources)
define conformance-guest
$(eval $(call guest-image,$(OUT)/guests/conformance/$(1),\
    $(patsubst %,$(OUT)/guests/conformance/obj/%.o,$(2) $(CONFORMANCE_FRAMEWORK))))
IMAGES += $(if $(2),$(OUT)/guests/conformance/$(1).elf)
endef

$(foreach n,$(CONFORMANCE_NAMES),$(eval $(call conformance-guest,$(n),\
    $(call sources,guests/conformance/$(n),*.c *.S))))
$(call read-deps,$(CONFORMANCE_OBJ))
