# SPDX-License-Identifier: GPL-2.0-only
#
# How things are made:
#
#   bpf/*.bpf.c but ride.bpf.c, as one translation unit       -> build/underpass.bpf.o
#   bpf/ride.bpf.c                                            -> build/ride.bpf.o
#   build/{underpass,ride}.bpf.o                              -> build/{underpass,ride}.skel.h
#   userspace/{base,net,core,...}/*.c and the skeletons       -> build/libunderpass.a
#   userspace/cmd/*.c + build/libunderpass.a                  -> build/underpass
#   userspace/cni/main.c + build/libunderpass.a               -> build/underpass-cni
#   tools/*.c, tests/**/*.c                                   -> build/tools/*, build/tests/**
#
# 'make help' lists the targets. V=1 shows the commands, WERROR=1 makes warnings errors, SAN=1 builds
# with the address and undefined-behaviour sanitizers into a directory of its own.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

B := build$(if $(SAN),/san)
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
BPFTOOL ?= bpftool
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system

Q := $(if $(V),,@)
msg = $(if $(V),,@printf '  %-8s %s\n' $(1) '$(strip $(2))';)

# Looked up when a recipe runs, not before: 'make test' may have to install it first.
LIBS := libbpf libelf zlib libnl-3.0 jansson libseccomp
pkg   = $(shell pkg-config $(1) $(2))$(if $(filter-out 0,$(.SHELLSTATUS)),$(error \
	cannot build without $(2): run tools/install-deps))

CFLAGS ?= -O2 -g
warnings := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wvla \
	-Wundef $(if $(WERROR),-Werror)
hardening := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
# Packet headers are not aligned, and every CPU that runs this reads them all the same.
sanitizers := -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
common_cflags := -std=gnu11 -D_GNU_SOURCE -fno-strict-aliasing -MMD -MP -Iuserspace -Iinclude \
	-I$(B) $(warnings)
own_cflags  := $(common_cflags) $(if $(SAN),$(sanitizers),$(hardening))
own_ldflags := $(if $(SAN),$(sanitizers)) -Wl,-z,relro,-z,now

bpf_cflags = -target bpf -mcpu=v3 -O2 -g -MMD -MP -Wall -Wextra -Werror -I. -Iinclude -Ibpf \
	-I/usr/include/$(shell $(CC) -print-multiarch)

# What "attach" loads stands alone: it shares no map with the datapath.
bpf_src  := $(filter-out bpf/ride.bpf.c,$(sort $(wildcard bpf/*.bpf.c)))
lib_dirs := base net core launch attach cni
lib_obj  := $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,\
	$(foreach d,$(lib_dirs),$(wildcard userspace/$(d)/*.c))))
cmd_obj  := $(patsubst %.c,$(B)/%.o,$(wildcard userspace/cmd/*.c))
lib      := $(B)/libunderpass.a
skel     := $(B)/underpass.skel.h $(B)/ride.skel.h
tools    := $(patsubst tools/%.c,$(B)/tools/%,$(wildcard tools/*.c))

unit     := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
bpftests := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/bpf/test_*.c))
platform := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/platform/*.c))
fuzzers  := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
helpers  := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/integration/*.c))
# What the tests of a directory share: its other files, and tests/lib.
support   = $(patsubst %.c,$(B)/%.o,$(filter-out tests/$(1)/test_% %.bpf.c,\
	$(wildcard tests/$(1)/*.c tests/lib/*.c)))

# ---- programs -----------------------------------------------------------------------------------

## all: build underpass, its CNI plugin and the tools
all: $(B)/underpass $(B)/underpass-cni $(tools)

# One unit, because Debian 12's "bpftool gen object" cannot link calls of kernel functions.
$(B)/underpass.bpf.o: $(bpf_src)
	@mkdir -p $(@D)
	$(call msg,CLANG,$@)printf '#include "%s"\n' $(bpf_src) | \
		$(CLANG) $(bpf_cflags) -MF $(@:.o=.d) -MT $@ -x c -c - -o $@

$(B)/ride.bpf.o: bpf/ride.bpf.c
	@mkdir -p $(@D)
	$(call msg,CLANG,$@)$(CLANG) $(bpf_cflags) -MF $(@:.o=.d) -MT $@ -c $< -o $@

$(skel): $(B)/%.skel.h: $(B)/%.bpf.o
	$(call msg,SKEL,$@)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(B)/%.o: %.c | $(skel)
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(own_cflags) $(CFLAGS) $(call pkg,--cflags,$(LIBS)) -c $< -o $@

# The version changes with every commit; only this object should.
version := $(shell git describe --always --dirty 2>/dev/null || echo 0.1)
$(B)/userspace/cmd/version.o: own_cflags += -DUP_VERSION='"$(version)"'
$(B)/userspace/cmd/version.o: $(B)/version
$(B)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(version)' | cmp -s - $@ || echo '$(version)' > $@

$(lib): $(lib_obj)
	@rm -f $@
	$(call msg,AR,$@)ar rcs $@ $^

# Static, because loading the libraries is a good part of what a short command takes, and a start of
# a container executes twice; a runtime starts the plugin several times for one container, and copies
# it to where none of them may be. The linker would warn of names of protocols, which libnl can look
# up, and nobody here does.
static_link = $(if $(SAN),,-static -Wl,--no-warnings)

$(B)/underpass: $(cmd_obj) $(lib)
	$(call msg,LINK,$@)$(CC) $(own_ldflags) $(static_link) $(LDFLAGS) $^ -o $@ \
		$(call pkg,--static --libs,$(LIBS))

$(B)/underpass-cni: $(B)/userspace/cni/main.o $(lib)
	$(call msg,LINK,$@)$(CC) $(own_ldflags) $(static_link) $(LDFLAGS) $^ -o $@ \
		$(call pkg,--static --libs,$(LIBS))

# Static, because they also run inside containers; so without sanitizers.
static_cflags = $(common_cflags) $(hardening) $(CFLAGS) -static

$(B)/tools/%: tools/%.c
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(static_cflags) $< -o $@

# Not static: the library may be there as a shared one only.
$(B)/tools/xdpgen: tools/xdpgen.c
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(common_cflags) $(hardening) $(CFLAGS) $< -o $@ $(call pkg,--libs,libbpf)

# ---- tests --------------------------------------------------------------------------------------

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(call support,unit) $(lib)
	$(call msg,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) $^ -o $@ $(call pkg,--libs,$(LIBS) cmocka)

$(B)/tests/bpf/%: $(B)/tests/bpf/%.o $(call support,bpf) $(lib)
	$(call msg,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) $^ -o $@ $(call pkg,--libs,$(LIBS) cmocka) -lpthread

# bpf/lib is compiled for the host here.
$(B)/tests/%.o: own_cflags += -Itests -Ibpf

$(B)/tests/platform/%: $(B)/tests/platform/%.o $(lib)
	$(call msg,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) $^ -o $@ $(call pkg,--libs,$(LIBS))

$(B)/tests/integration/%: tests/integration/%.c
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(static_cflags) $< -o $@

# The fuzzers are linked with a second library, all of it instrumented.
fuzz_cflags = $(common_cflags) $(sanitizers) -Itests -Ibpf -O1 -g
fuzz_lib   := $(lib_obj:$(B)/%=$(B)/fuzz/%)

$(B)/fuzz/%.o: %.c | $(skel)
	@mkdir -p $(@D)
	$(call msg,FUZZ,$@)$(CLANG) $(fuzz_cflags) -fsanitize=fuzzer-no-link \
		$(call pkg,--cflags,$(LIBS)) -c $< -o $@

$(B)/fuzz/libunderpass.a: $(fuzz_lib)
	@rm -f $@
	$(call msg,AR,$@)ar rcs $@ $^

$(B)/tests/fuzz/%: $(B)/fuzz/tests/fuzz/%.o $(B)/fuzz/libunderpass.a
	@mkdir -p $(@D)
	$(call msg,LINK,$@)$(CLANG) $(sanitizers) -fsanitize=fuzzer $^ -o $@ \
		$(call pkg,--libs,$(LIBS))

test-programs := $(unit) $(bpftests) $(platform) $(fuzzers) $(helpers)

# Two steps, because what 'deps' installs is needed to read on.
## test: install what is needed, build, run every test
test:
	$(Q)tools/install-deps
	$(Q)$(MAKE) --no-print-directory check

## check: build and run the tests with what is installed; LAYERS="unit tests/bpf/test_x.c ..." for some
check: all $(test-programs)
	$(Q)BUILD=$(B) tests/run $(LAYERS)

## check-LAYER: one kind of test: unit, bpf, platform, fuzz or integration
check-unit: $(unit)
check-bpf: $(bpftests)
check-platform: $(platform)
check-fuzz: $(fuzzers)
check-integration: $(helpers)
check-unit check-bpf check-platform check-fuzz check-integration: check-%: all
	$(Q)BUILD=$(B) tests/run $*

## mutants: break the programs in many ways, and see the tests of tests/bpf notice each: minutes
mutants: $(bpftests)
	$(Q)BUILD=$(B) tools/mutate

## test-programs: build the tests, run none
test-programs: $(test-programs)

## fuzz: run every fuzzer for FUZZ_SECONDS (600) each
fuzz: $(fuzzers)
	$(Q)BUILD=$(B) FUZZ_SECONDS=$${FUZZ_SECONDS:-600} tests/run fuzz

# ---- looking at the source ----------------------------------------------------------------------

c_files = $(shell find bpf include userspace tests tools -name '*.[ch]' | sort)
bpf_c   = $(filter bpf/%,$(filter %.c,$(c_files)))
host_c  = $(filter-out bpf/%,$(filter %.c,$(c_files)))
tidy    = xargs -P2 -I@ clang-tidy --quiet $(1) @ -- $(2) 2>&1 | tools/lint-filter

## lint: formatting, include directions, clang-tidy, cppcheck, shellcheck
lint:
	$(Q)tools/install-deps
	$(Q)$(MAKE) --no-print-directory --keep-going \
		lint-format lint-includes lint-shell lint-cppcheck lint-tidy lint-tidy-bpf

lint-format:
	$(call msg,FORMAT,$(words $(c_files)) files)clang-format --dry-run -Werror $(c_files)

lint-includes:
	$(call msg,INCLUDES,userspace include)tools/lint-includes

lint-shell:
	$(call msg,SHELL,scripts)tools/lint-shell

# The two macros are defined by headers that cppcheck does not read.
lint-cppcheck:
	$(call msg,CPPCHECK,$(words $(host_c)) files)cppcheck --quiet --error-exitcode=1 -j2 \
		--enable=warning,performance,portability --inline-suppr --std=c11 \
		--suppressions-list=tools/cppcheck.suppress -D_GNU_SOURCE \
		'-DLIBBPF_OPTS(t,n,...)=struct t n' '-Djson_array_foreach(a,i,v)=for(;;)' \
		-Iuserspace -Iinclude -Ibpf -Itests $(host_c)

lint-tidy: $(skel)
	$(call msg,TIDY,$(words $(host_c)) files)printf '%s\n' $(host_c) | $(call \
		tidy,,$(common_cflags) -Ibpf -Itests $(call pkg,--cflags,$(LIBS)))

# Without the analyzer: what it would look for, the verifier proves.
lint-tidy-bpf:
	$(call msg,TIDY,$(words $(bpf_c)) files)printf '%s\n' $(bpf_c) | $(call \
		tidy,--checks=-clang-analyzer-*,$(filter-out -MMD -MP,$(bpf_cflags)))

## format: format the sources in place
format:
	$(Q)clang-format -i $(c_files)

## compile_commands.json: for clangd
compile_commands.json: FORCE
	$(Q)bear -- $(MAKE) --no-print-directory --always-make all test-programs

# ---- using it -----------------------------------------------------------------------------------

## deps: install the Debian packages that building and testing need
deps:
	$(Q)tools/install-deps

## demo: install what is needed, build, and show the product on real traffic
demo:
	$(Q)tools/install-deps
	$(Q)$(MAKE) --no-print-directory all test-programs
	$(Q)tools/demo

## bench: install what is needed, build, measure; table, chart and data are left in build/bench
bench:
	$(Q)tools/install-deps build bench
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(B)/underpass bench --output $(B)/bench $(BENCH_ARGS)

# The benchmark, which the program looks for beside its own directory.
libexec := $(patsubst %/,%,$(dir $(BINDIR)))/libexec/underpass
bench_files := bench $(patsubst tools/%,%,$(wildcard tools/lib/*.* tools/lib/*/*.*))

## install: install below DESTDIR and PREFIX
install: all
	install -D -m 0755 $(B)/underpass $(DESTDIR)$(BINDIR)/underpass
	install -D -m 0755 $(B)/underpass-cni $(DESTDIR)$(BINDIR)/underpass-cni
	$(foreach m,$(wildcard userspace/cmd/man/*.8),install -D -m 0644 $(m) \
		$(DESTDIR)$(MANDIR)/man8/$(notdir $(m))$(newline))
	$(foreach f,$(bench_files),install -D -m $(if $(filter bench,$f),0755,0644) tools/$f \
		$(DESTDIR)$(libexec)/$f$(newline))
	install -m 0755 $(tools) $(DESTDIR)$(libexec)
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|@BINDIR@|$(BINDIR)|' userspace/attach/underpass-attach.service \
		>$(DESTDIR)$(UNITDIR)/underpass-attach.service

## uninstall: remove what install installed
uninstall:
	rm -f $(DESTDIR)$(BINDIR)/underpass $(DESTDIR)$(BINDIR)/underpass-cni
	rm -rf $(DESTDIR)$(libexec)
	rm -f $(foreach m,$(wildcard userspace/cmd/man/*.8),$(DESTDIR)$(MANDIR)/man8/$(notdir $(m)))
	rm -f $(DESTDIR)$(UNITDIR)/underpass-attach.service

## clean: remove everything that was built
clean:
	rm -rf build compile_commands.json

## help: this list
help:
	@sed -n 's/^## \([^:]*\): /\1\t/p' Makefile | expand -t 24

define newline


endef

.PHONY: all test check check-unit check-bpf check-platform check-fuzz check-integration fuzz \
	mutants test-programs lint lint-format lint-includes lint-shell lint-cppcheck lint-tidy lint-tidy-bpf \
	format deps demo bench install uninstall clean help FORCE

-include $(B)/underpass.bpf.d $(B)/ride.bpf.d $(lib_obj:.o=.d) $(cmd_obj:.o=.d) $(fuzz_lib:.o=.d)
-include $(wildcard $(B)/tests/*/*.d $(B)/tools/*.d $(B)/fuzz/tests/fuzz/*.d)
