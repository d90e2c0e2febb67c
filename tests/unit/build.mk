# SPDX-License-Identifier: BSD-2-Clause
#
# Unit tests: tests/unit/**/NAME_test.c is one program for this machine.  A
# comment at its top says which real files it tests; what those call in other
# rooms, the test fakes:
#
#   /* LINK: hypervisor/event/evtchn_send.c hypervisor/lib/bitops.c */
#
# There may be several such lines.  Each real file is compiled once for all
# tests.  `make unit` builds and runs them through tests/run.

UNIT_TESTS := $(call sources,tests/unit,*_test.c)
UNIT_BIN   := $(UNIT_TESTS:tests/unit/%.c=$(OUT)/unit/%)

# Words TEST=FILE, read once from all of them.
UNIT_LINKS := $(if $(UNIT_TESTS),$(shell awk '/LINK:/ { \
    sub(/.*LINK:/, ""); sub(/\*\/.*/, ""); n = split($$0, f); \
    for (i = 1; i <= n; i++) print FILENAME "=" f[i] }' $(UNIT_TESTS)))

unit-links = $(patsubst $(1)=%,%,$(filter $(1)=%,$(UNIT_LINKS)))

$(OUT)/unit/obj/%.o: % $(RULES) tests/unit/build.mk
	$(say) CC "$< (unit)"
	@mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_CFLAGS) $(DEPFLAGS) -c $< -o $@

# unit-test(source)
define unit-test
$(1:tests/unit/%.c=$(OUT)/unit/%): $(OUT)/unit/obj/$(1).o \
    $(patsubst %,$(OUT)/unit/obj/%.o,$(call unit-links,$(1)))
	$$(say) LD $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(UNIT_SANITIZE) $$^ -lcunit -o $$@
endef

$(foreach t,$(UNIT_TESTS),$(eval $(call unit-test,$(t))))
$(call read-deps,$(patsubst %,$(OUT)/unit/obj/%.o,$(UNIT_TESTS) \
    $(sort $(foreach t,$(UNIT_TESTS),$(call unit-links,$(t))))))

# tests/run makes these with -k, so that one that does not compile is one
# failure and not the end.
.PHONY: unit-programs
unit-programs: $(UNIT_BIN)
