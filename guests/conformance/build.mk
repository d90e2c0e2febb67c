# SPDX-License-Identifier: BSD-2-Clause
#
# One guest for each folder guests/conformance/NAME/: build/guests/conformance/NAME.elf,
# from what is in that folder and in guests/conformance/framework/.  The runtime is linked
# behind it for its headers' sake only; the framework starts by itself.  No vector
# registers: exceptions and upcalls may arrive anywhere, and save none.

CONFORMANCE_FRAMEWORK := $(call sources,guests/conformance/framework,*.c *.S)
CONFORMANCE_NAMES := $(filter-out framework,$(notdir $(patsubst %/,%,\
    $(sort $(wildcard guests/conformance/*/)))))
CONFORMANCE_SRC := $(call sources,guests/conformance,*.c *.S)
CONFORMANCE_OBJ := $(CONFORMANCE_SRC:%=$(OUT)/guests/conformance/obj/%.o)

$(eval $(call guest-objects,$(OUT)/guests/conformance/obj,\
    $$(WARN) -mgeneral-regs-only -fno-delete-null-pointer-checks \
    --param=min-pagesize=0 -Iguests/conformance $$(GUEST_INC)))

# conformance-guest(name, sources)
define conformance-guest
$(eval $(call guest-image,$(OUT)/guests/conformance/$(1),\
    $(patsubst %,$(OUT)/guests/conformance/obj/%.o,$(2) $(CONFORMANCE_FRAMEWORK))))
IMAGES += $(if $(2),$(OUT)/guests/conformance/$(1).elf)
endef

$(foreach n,$(CONFORMANCE_NAMES),$(eval $(call conformance-guest,$(n),\
    $(call sources,guests/conformance/$(n),*.c *.S))))
$(call read-deps,$(CONFORMANCE_OBJ))
