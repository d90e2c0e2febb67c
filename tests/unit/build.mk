# SPDX-License-Identifier: BSD-2-Clause
#
# Unit tests: tests/unit/**/NAME_test.c is one program for this machine.  A
# comment at its top says which real files it tests; what those call in other
# rooms, the test fakes:
#
#   /* LINK: hypervisor/event/send.c hypervisor/lib/format.c */
#
# There may be several such lines.  Each real file is compiled once for all
# tests.  `make unit` builds and runs them through tests/run.
#
# A test that needs a library of this machine names it as the linker is told:
#
#   /* LIBS: -lZydis */
#
# A test whose threads play the CPUs of one machine says so, and is built and
# linked with what finds data races:
#
#   /* SANITIZE: thread */

UNIT_TESTS := $(call sources,tests/unit,*_test.c)
UNIT_BIN   := $(UNIT_TESTS:tests/unit/%.c=$(OUT)/unit/%)

# Words TEST=FILE and TEST=-lLIBRARY, read once from all of them.
UNIT_LINKS := $(if $(UNIT_TESTS),$(shell awk '/LINK:|LIBS:/ { \
    sub(/.*(LINK|LIBS):/, ""); sub(/\*\/.*/, ""); n = split($$0, f); \
    for (i = 1; i <= n; i++) print FILENAME "=" f[i] }' $(UNIT_TESTS)))

unit-words = $(patsubst $(1)=%,%,$(filter $(1)=%,$(UNIT_LINKS)))
unit-links = $(filter-out -l%,$(unit-words))
unit-libs  = $(filter -l%,$(unit-words))

UNIT_THREADS := $(if $(UNIT_TESTS),$(shell \
    grep -l '^/\* SANITIZE: thread \*/' $(UNIT_TESTS)))

# unit-objects(source): of the test and what it links
unit-objects = $(patsubst %,$(OUT)/unit/$(if $(filter $(1),$(UNIT_THREADS)),thread,obj)/%.o,$(1) \
    $(call unit-links,$(1)))

$(OUT)/unit/thread/%.o \
    $(UNIT_THREADS:tests/unit/%.c=$(OUT)/unit/%): UNIT_SANITIZE := -fsanitize=thread

# What is, or looks into, the hypervisor is written in its language.
UNIT_HV := hypervisor/% tests/unit/hypervisor/% tests/unit/doubles/%

define unit-compile
$(OUT)/unit/$(1)/%.o: % $(RULES) tests/unit/build.mk
	$$(say) CC "$$< (unit)"
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(UNIT_CFLAGS) $$(if $$(filter $(UNIT_HV),$$<),$$(HV_BASE)) \
	    $$(DEPFLAGS) -c $$< -o $$@
endef
$(eval $(call unit-compile,obj))
$(eval $(call unit-compile,thread))

# unit-test(source)
define unit-test
$(1:tests/unit/%.c=$(OUT)/unit/%): $(call unit-objects,$(1))
	$$(say) LD $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(UNIT_SANITIZE) $$^ $(call unit-libs,$(1)) -lcunit -o $$@
endef

$(foreach t,$(UNIT_TESTS),$(eval $(call unit-test,$(t))))
$(call read-deps,$(sort $(foreach t,$(UNIT_TESTS),$(call unit-objects,$(t)))))

# tests/run makes these with -k, so that one that does not compile is one
# failure and not the end.
.PHONY: unit-programs
unit-programs: $(UNIT_BIN)
