# SPDX-License-Identifier: GPL-2.0-only
#
# vgw: kernel module, agent, command line. 'make help' lists the targets.
# Everything that is built goes to build/; nothing is written into the tree.

VGW_VERSION := 0.1.0

BUILD := build
SERIES := 6.1 6.12

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/vgw
UNITDIR ?= $(PREFIX)/lib/systemd/system

CC ?= cc
AR ?= ar
PKG_CONFIG ?= pkg-config
INSTALL ?= install
# Where iproute2 looks for link_KIND.so: a fixed place below its own library directory.
MULTIARCH := $(shell $(CC) -print-multiarch 2> /dev/null)
IPLIBDIR ?= /usr/lib/$(if $(MULTIARCH),$(MULTIARCH)/)ip

# An empty MAKECMDGOALS is 'all', which builds what this machine can build.
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

# ---- kernel module ----------------------------------------------------------

KRELEASE ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KRELEASE)/build
kdir_given := $(filter command% environment%,$(origin KDIR))
have_headers := $(wildcard $(KDIR)/Makefile)

# Kbuild writes beside the sources, so it gets a directory of links to them.
# $(1): directory below build/, $(2): kernel headers, $(3): more arguments
define kbuild
@mkdir -p $(BUILD)/$(1)/kmod $(BUILD)/$(1)/uapi
@ln -sfn ../../Kbuild $(BUILD)/$(1)/Kbuild
@ln -sfn ../../../uapi/linux $(BUILD)/$(1)/uapi/linux
@cd $(BUILD)/$(1)/kmod && find . -xtype l -delete && ln -sf ../../../kmod/*.[ch] .
@$(MAKE) --no-print-directory -s -C $(2) M=$(CURDIR)/$(BUILD)/$(1) $(3) modules
endef

.PHONY: all module modules $(SERIES:%=module-%)

all: $(if $(have_headers)$(kdir_given),module,module-skipped) agent

.PHONY: module-skipped
module-skipped:
	@echo "vgw.ko is left out: no kernel headers in $(KDIR)"
	@echo "  Debian: apt-get install linux-headers-$(KRELEASE); elsewhere: make KDIR=DIRECTORY"
	@echo "  for the kernels of the tests: make modules"

ifneq ($(have_headers),)
module:
	$(call kbuild,kmod-host,$(KDIR))
	@ln -sfn kmod-host/vgw.ko $(BUILD)/vgw.ko
	@echo "build/vgw.ko for $(KDIR)"
else
module:
	@echo "make: no kernel headers in $(KDIR)" >&2
	@echo "  Debian: apt-get install linux-headers-$(KRELEASE); elsewhere: make KDIR=DIRECTORY" >&2
	@exit 1
endif

modules: $(SERIES:%=module-%)

$(SERIES:%=module-%): module-%:
	@scripts/kernels $*
	$(call kbuild,kmod-$*,$(BUILD)/kernels/$*/hdr,W=1)
	@echo "build/kmod-$*/vgw.ko"

# A kernel that looks for faults, the module for it, and the faults that it must see.
# $(call kbuild) again, for another tree of sources: $(1): directory below build/, $(2): kernel.
define kbuild_planted
@mkdir -p $(BUILD)/$(1)
@cd $(BUILD)/$(1) && ln -sf ../../selftests/vgw/planted/* .
@$(MAKE) --no-print-directory -s -C $(2) M=$(CURDIR)/$(BUILD)/$(1) modules
endef

.PHONY: module-debug
module-debug:
	@scripts/kernel-debug
	$(call kbuild,kmod-debug,$(BUILD)/kernels-debug/debug/hdr,UBSAN_SANITIZE=y)
	$(call kbuild_planted,planted-debug,$(BUILD)/kernels-debug/debug/hdr)
	@echo "build/kmod-debug/vgw.ko"

# For the benchmarks' kernel, a process of this machine (scripts/bench/uml).
.PHONY: module-uml
module-uml:
	$(call kbuild,kmod-uml,$(BUILD)/uml/linux-source-6.1,ARCH=um \
		KCFLAGS="-mpopcnt -include $(CURDIR)/scripts/bench/uml_module/popcnt.h")

# ---- agent ------------------------------------------------------------------

# Archives in the order of their dependencies: each may use those to its right.
archives := vgwctl vgwd vgwbfd sys bfd bgp core lib
programs := vgwd vgwctl vgw-bfd
packages := libnl-3.0 libnl-genl-3.0 libevent_core libcyaml jansson

# Asked once, and only by goals that compile; 'make clean' works on a bare machine.
pkg = $(eval pkg_cflags := $$(shell $(PKG_CONFIG) --cflags $(packages)))$(pkg_cflags)
pkg_libs = $(eval pkg_libs := $$(shell $(PKG_CONFIG) --libs $(packages)) -lyaml)$(pkg_libs)

agent_cflags = -std=gnu11 -D_GNU_SOURCE -DVGW_VERSION='"$(VGW_VERSION)"' -I agent -I uapi $(pkg) \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-unused-parameter -Wno-format-truncation -Werror -MMD -MP
flavour_cflags_agent = -O2 -g -fPIE -fstack-protector-strong -fstack-clash-protection \
	-ftrivial-auto-var-init=zero -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
flavour_ldflags_agent = -pie -Wl,-z,relro,-z,now -Wl,--as-needed
flavour_cflags_agent-test = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
flavour_ldflags_agent-test = -fsanitize=address,undefined -Wl,--as-needed

# A program's folder has its name without the dash; its main() stays outside of the archives.
folder = agent/$(subst -,,$(1))
sources = $(filter-out agent/$(1)/main.c,$(wildcard agent/$(1)/*.c))

unit_tests := $(patsubst agent/tests/%.c,%,$(wildcard agent/tests/test_*.c))
vm_programs := $(patsubst agent/tests/%.c,%,$(wildcard agent/tests/vm_*.c agent/tests/bgp_peer.c agent/tests/bfd_peer.c agent/tests/transit_peer.c))
# What several tests share: everything there that is neither a test nor a program.
test_parts := $(filter-out $(unit_tests:%=agent/tests/%.c) $(vm_programs:%=agent/tests/%.c),\
	$(wildcard agent/tests/*.c))

# What an archive holds, so that it is made again when a file of it is gone.
members = $(if $(filter parts,$(1)),$(test_parts),$(call sources,$(1)))

# $(1): flavour (agent, agent-test)
define flavour
$(1)_archives := $$(archives:%=$(BUILD)/$(1)/lib%.a)

$(BUILD)/$(1)/%.o: agent/%.c $(BUILD)/agent.flags
	@mkdir -p $$(@D)
	@echo "  CC      $$@"
	@$(CC) $$(agent_cflags) $$(flavour_cflags_$(1)) $$(CFLAGS) -c -o $$@ $$<

$(foreach a,$(archives),
$(BUILD)/$(1)/lib$(a).a: $(patsubst agent/%.c,$(BUILD)/$(1)/%.o,$(call sources,$(a))))
$(BUILD)/$(1)/libparts.a: $(test_parts:agent/%.c=$(BUILD)/$(1)/%.o)

$(BUILD)/$(1)/%.list: FORCE | $(BUILD)/agent.flags
	@mkdir -p $$(@D)
	@echo '$$(call members,$$*)' | cmp -s - $$@ || echo '$$(call members,$$*)' > $$@

$(archives:%=$(BUILD)/$(1)/lib%.a) $(BUILD)/$(1)/libparts.a: $(BUILD)/$(1)/lib%.a: $(BUILD)/$(1)/%.list
	@mkdir -p $$(@D)
	@rm -f $$@
	@$(AR) crsD $$@ $$(filter %.o,$$^)

-include $$(wildcard $(BUILD)/$(1)/*/*.d)
endef
$(eval $(call flavour,agent))
$(eval $(call flavour,agent-test))

# Objects are remade when the compiler's options change.
.PHONY: FORCE
FORCE:
$(BUILD)/agent.flags: FORCE
	@$(PKG_CONFIG) --exists --print-errors $(packages) || { echo "scripts/deps installs what is missing" >&2; exit 1; }
	@mkdir -p $(BUILD)
	@echo '$(CC) $(VGW_VERSION) $(packages) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(VGW_VERSION) $(packages) $(CFLAGS) $(LDFLAGS)' > $@

# $(1): flavour; the rest of the command line is objects
link = $(CC) $(flavour_ldflags_$(1)) $(LDFLAGS) -o $@ $(filter %.o,$^) \
	-Wl,--start-group $(filter %.a,$^) -Wl,--end-group

.PHONY: agent tests unit-tests vm-programs
agent: $(foreach p,$(programs),$(if $(wildcard $(call folder,$(p))/main.c),$(BUILD)/$(p))) \
	$(if $(wildcard agent/link_vgw/link_vgw.c),$(BUILD)/link_vgw.so)

define program
$(BUILD)/$(1): $(BUILD)/$(call folder,$(1))/main.o $(agent_archives)
	@echo "  LD      $$@"
	@$$(call link,agent) $$(pkg_libs)
endef
$(foreach p,$(programs),$(eval $(call program,$(p))))

$(BUILD)/link_vgw.so: agent/link_vgw/link_vgw.c uapi/linux/vgw.h $(BUILD)/agent.flags
	@echo "  CC      $@"
	@$(CC) $(filter-out -MMD -MP,$(agent_cflags)) -O2 -fPIC -shared -Wl,-z,relro,-z,now $(CFLAGS) $(LDFLAGS) -o $@ $<

unit-tests: $(unit_tests:%=$(BUILD)/tests/%)
vm-programs: $(vm_programs:%=$(BUILD)/tests/%) $(if $(wildcard selftests/vgw/seqload.c),$(BUILD)/selftests/seqload) \
	$(BUILD)/selftests/fuzz_genl $(BUILD)/selftests/faults.so
tests: unit-tests vm-programs $(BUILD)/tests/fuzz

# Bytes from outside: the plain driver here, an engine that follows coverage in 'make fuzz'.
fuzz_parts := $(filter-out driver libfuzzer,$(patsubst agent/fuzz/%.c,%,$(wildcard agent/fuzz/*.c)))

$(BUILD)/tests/fuzz $(BUILD)/libfuzzer: $(fuzz_parts:%=$(BUILD)/agent-test/fuzz/%.o) $(agent-test_archives)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(call link,agent-test) $(pkg_libs)
$(BUILD)/tests/fuzz: $(BUILD)/agent-test/fuzz/driver.o
$(BUILD)/libfuzzer: $(BUILD)/agent-test/fuzz/libfuzzer.o

$(unit_tests:%=$(BUILD)/tests/%): $(BUILD)/tests/%: $(BUILD)/agent-test/tests/%.o \
		$(BUILD)/agent-test/libparts.a $(agent-test_archives)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(call link,agent-test) -lcmocka $(pkg_libs)

$(vm_programs:%=$(BUILD)/tests/%): $(BUILD)/tests/%: $(BUILD)/agent/tests/%.o \
		$(BUILD)/agent/libparts.a $(agent_archives)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(call link,agent) $(pkg_libs)

# Preloaded, makes the surroundings of the agent fail.
$(BUILD)/selftests/faults.so: selftests/deep/faults.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	@$(CC) -O2 -fPIC -shared -Wall -Wextra -Werror $(CFLAGS) -o $@ $< -ldl

$(BUILD)/selftests/seqload: selftests/vgw/seqload.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	@$(CC) -O2 -Wall -Wextra -Werror $(CFLAGS) -o $@ $<

# The fuzzer's tables are the specification's.
$(BUILD)/selftests/fuzz_spec.h: selftests/vgw/fuzz_spec Documentation/netlink/specs/vgw.yaml
	@mkdir -p $(@D)
	@selftests/vgw/fuzz_spec Documentation/netlink/specs/vgw.yaml > $@

$(BUILD)/selftests/fuzz_genl: selftests/vgw/fuzz_genl.c $(BUILD)/selftests/fuzz_spec.h
	@echo "  CC      $@"
	@$(CC) -O2 -Wall -Wextra -Werror -I $(BUILD)/selftests $(CFLAGS) -o $@ $<

# Objects that only a chain of rules names are kept all the same.
.SECONDARY:

# ---- checks -----------------------------------------------------------------

.PHONY: check check-fast check-debug demo bench style sparse
check:
	@scripts/deps
	@scripts/check

# Long runs: random histories, chaos, kills, faults.
.PHONY: check-deep
check-deep:
	@scripts/deps
	@scripts/check-deep

check-fast:
	@scripts/check --fast

# Not part of check: the kernel alone takes up to an hour the first time, the tests hours without KVM.
MINUTES ?= 10
check-debug: module-debug vm-programs
	@scripts/check-debug $(MINUTES)

demo:
	@scripts/deps
	@scripts/demo

# The table by itself, then in a kernel beside the kernel's own, then forwarding.
bench:
	@scripts/deps
	@scripts/bench/table
	@scripts/bench/fib
	@scripts/bench/forward

style:
	@scripts/style

# Documentation/interop.rst, from a run of the suites.
.PHONY: interop-table
interop-table:
	@scripts/rootfs
	@$(MAKE) --no-print-directory -s vm-programs
	@scripts/interop-table

# Warnings are errors; every source is looked at again (C=2).
sparse: $(foreach s,$(SERIES),sparse-$(s))
.PHONY: $(SERIES:%=sparse-%)
$(SERIES:%=sparse-%): sparse-%:
	@scripts/kernels $*
	$(call kbuild,sparse-$*,$(BUILD)/kernels/$*/hdr,C=2 CF=-Wsparse-error)
	@echo "sparse $*: nothing found"

# SECONDS for each target, TARGETS some of them. What was found stays in build/fuzz.
SECONDS ?= 60
TARGETS ?= $(notdir $(wildcard $(BUILD)/fuzz/seeds/*))
.PHONY: fuzz fuzz-seeds
fuzz-seeds: $(BUILD)/tests/fuzz
	@mkdir -p $(BUILD)/fuzz
	@rm -rf $(BUILD)/fuzz/seeds
	@$(BUILD)/tests/fuzz -x $(BUILD)/fuzz/seeds

fuzz: fuzz-seeds
	@command -v clang > /dev/null || { echo "make fuzz needs clang (Debian: apt-get install clang)" >&2; exit 1; }
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang CFLAGS='$(CFLAGS) -w -fsanitize=fuzzer-no-link' \
		LDFLAGS='$(LDFLAGS) -fsanitize=fuzzer' $(BUILD)/fuzz/libfuzzer
	@status=0; for target in $(TARGETS); do \
		mkdir -p $(BUILD)/fuzz/corpus/$$target; \
		FUZZ_TARGET=$$target $(BUILD)/fuzz/libfuzzer -artifact_prefix=$(BUILD)/fuzz/$$target- \
			-max_total_time=$(SECONDS) -max_len=4096 -timeout=20 -print_final_stats=1 \
			$(BUILD)/fuzz/corpus/$$target $(BUILD)/fuzz/seeds/$$target \
			> $(BUILD)/fuzz/$$target.log 2>&1 || status=1; \
		echo "$$target: $$(grep -E 'number_of_executed|ERROR' $(BUILD)/fuzz/$$target.log | tr '\n' ' ')"; \
	done; exit $$status

# ---- installation -----------------------------------------------------------

dest := $(DESTDIR)
mandest = $(dest)$(MANDIR)/man8
moddest = $(dest)/lib/modules/$(KRELEASE)/updates
manpages := $(wildcard Documentation/man/*.8)
examples := $(wildcard Documentation/examples/*.yaml)
pages := Documentation/guide.rst Documentation/vgw.yaml.rst

units := vgwd.service vgwd@.service vgw-bfd.service vgw-guard.service vgw-guard@.service

.PHONY: install uninstall
install: all
	$(INSTALL) -d $(dest)$(SBINDIR) $(dest)$(UNITDIR) $(mandest) $(dest)$(DOCDIR) $(dest)$(IPLIBDIR)
	$(INSTALL) -d $(dest)$(SYSCONFDIR)/iproute2/rt_protos.d
	$(INSTALL) -d -m 0750 $(dest)$(SYSCONFDIR)/vgw
	$(INSTALL) -m 0755 $(programs:%=$(BUILD)/%) $(dest)$(SBINDIR)
	$(if $(wildcard agent/link_vgw/link_vgw.c),$(INSTALL) -m 0644 $(BUILD)/link_vgw.so $(dest)$(IPLIBDIR))
	$(if $(manpages),$(INSTALL) -m 0644 $(manpages) $(mandest))
	$(if $(examples),$(INSTALL) -m 0644 $(examples) $(dest)$(DOCDIR))
	$(INSTALL) -m 0644 COPYING $(wildcard README.md) $(pages) $(dest)$(DOCDIR)
	$(INSTALL) -m 0644 etc/rt_protos.conf $(dest)$(SYSCONFDIR)/iproute2/rt_protos.d/vgw.conf
	for unit in $(units); do sed 's#@SBINDIR@#$(SBINDIR)#; s#@SYSCONFDIR@#$(SYSCONFDIR)#' \
		etc/$$unit.in > $(dest)$(UNITDIR)/$$unit || exit 1; done
	test -e $(dest)$(SYSCONFDIR)/vgw/vgw.yaml || \
		$(INSTALL) -m 0640 etc/vgw.yaml $(dest)$(SYSCONFDIR)/vgw/vgw.yaml
	@if [ -e $(BUILD)/vgw.ko ]; then \
		$(INSTALL) -d $(moddest) && $(INSTALL) -m 0644 $(BUILD)/vgw.ko $(moddest)/vgw.ko && \
		echo "$(moddest)/vgw.ko"; \
		[ -n "$(dest)" ] || depmod $(KRELEASE); \
	else \
		echo "no module was built, none is installed"; \
	fi

# The configuration is the operator's: it stays.
uninstall:
	rm -f $(programs:%=$(dest)$(SBINDIR)/%) $(dest)$(IPLIBDIR)/link_vgw.so $(units:%=$(dest)$(UNITDIR)/%)
	rm -f $(manpages:Documentation/man/%=$(mandest)/%) $(dest)$(SYSCONFDIR)/iproute2/rt_protos.d/vgw.conf
	rm -rf $(dest)$(DOCDIR)
	rm -f $(moddest)/vgw.ko
	@[ -n "$(dest)" ] || ! command -v depmod > /dev/null || depmod $(KRELEASE) || true

# ---- rest -------------------------------------------------------------------

.PHONY: clean distclean help
# Kernels and the guests' root are kept; 'make distclean' removes them too.
clean:
	rm -rf $(BUILD)/agent $(BUILD)/agent-test $(BUILD)/agent.flags $(BUILD)/tests $(BUILD)/selftests \
		$(BUILD)/kmod-* $(BUILD)/planted-* $(BUILD)/sparse-* $(BUILD)/check $(BUILD)/check-debug \
		$(BUILD)/vm $(BUILD)/bench $(BUILD)/fuzz \
		$(BUILD)/vgw.ko $(BUILD)/link_vgw.so $(programs:%=$(BUILD)/%)

distclean:
	rm -rf $(BUILD)

help:
	@echo "make              vgw.ko for this machine's kernel (KDIR=DIRECTORY: another), vgwd, vgwctl, vgw-bfd, link_vgw.so"
	@echo "make agent        the programs without the module"
	@echo "make modules      the module for the kernels of the tests ($(SERIES)), fetched when missing"
	@echo "make demo         two tunnels, a data center, a tunnel that dies: shown step by step in a VM"
	@echo "make check        every test, natively and in VMs with both kernels (about 20 minutes)"
	@echo "make check-fast   the native tests only"
	@echo "make check-debug  the module's tests, faults of memory and minutes of churn (MINUTES=$(MINUTES)) on a kernel"
	@echo "                  that looks for faults, which is built first (an hour)"
	@echo "make check-deep   long runs of the agent: random changes, chaos, 200 kills, faults (half an hour)"
	@echo "make interop-table  Documentation/interop.rst from sessions with FRR, BIRD, OpenBGPD, GoBGP, ExaBGP"
	@echo "make bench        speed against DPDK's tables and the stock kernel; builds a kernel once (about 20 minutes)"
	@echo "make fuzz         what reads bytes from outside under libFuzzer (clang): SECONDS=60 each, TARGETS"
	@echo "make style        form of the sources; CHECKPATCH=FILE adds the kernel's script"
	@echo "make sparse       the kernel's static checker over the module"
	@echo "make install      DESTDIR, PREFIX ($(PREFIX)), SYSCONFDIR ($(SYSCONFDIR)); 'make uninstall' undoes it"
	@echo "make clean        removes what was built; 'make distclean' also kernels and the guests' root"
