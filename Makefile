# lagtop: build, run, test, measure. `make help` lists what can be made.
CLANG ?= clang
PKG_CONFIG ?= pkg-config
BPFTOOL ?= $(shell tests/deps.sh bpftool)
PKGS = libbpf libelf zlib libzstd ncursesw libseccomp libcap-ng inih
TEST_PKGS = cmocka vterm json-c

.DEFAULT_GOAL := all
BUILD = build
LAGTOP = lagtop
ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
CFLAGS ?= -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
LDFLAGS ?= -Wl,-z,relro,-z,now
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla $(WERROR)
# cmocka 2 deprecates assert_in_range; cmocka 1 does not have its replacement.
LT_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DCMOCKA_DISABLE_DEPRECATION_WARNINGS $(WARN) -Iinclude -Itui -I$(BUILD) -I$(BUILD)/tests -MMD -MP $(shell $(PKG_CONFIG) --cflags $(PKGS))
LT_LIBS = $(shell $(PKG_CONFIG) --libs $(PKGS)) -lpthread -lm
TEST_LIBS = $(shell $(PKG_CONFIG) --libs $(TEST_PKGS)) $(LT_LIBS) -lutil
BPF_CFLAGS = -O2 -g -target bpf -mcpu=v3 -std=gnu11 -D__TARGET_ARCH_$(ARCH) \
	-Wall -Wextra -Wno-unused-parameter $(WERROR) -Iinclude -Ibpf -ffile-prefix-map=$(CURDIR)=. -MMD -MP

OBJ = $(patsubst tui/%.c,$(BUILD)/%.o,$(wildcard tui/*.c))
PROBE_OBJ = $(filter $(BUILD)/probe%,$(OBJ))
BPF_OBJ = $(patsubst bpf/%.bpf.c,$(BUILD)/%.bpf.o,$(wildcard bpf/*.bpf.c))

# In tests/ a file with one of these prefixes is a program; any other is a shared module.
TESTS = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit_*.c tests/screen_*.c tests/live_*.c))
TEST_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/unit_% tests/screen_% tests/live_% tests/load% tests/bench% \
	tests/shot% tests/fuzz%,$(wildcard tests/*.c)))
FUZZ = $(patsubst tests/fuzz_%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz_*.c))
LOAD_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/load*.c))
BENCH_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(filter-out %.bpf.c,$(wildcard tests/bench*.c)))
BENCH_SKEL = $(patsubst %.bpf.c,$(BUILD)/%.skel.h,$(wildcard tests/bench*.bpf.c))

# As many jobs as CPUs, unless -j says otherwise.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $@;)

all: $(LAGTOP)

$(LAGTOP): $(OBJ)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LT_LIBS)

$(BUILD)/%.o: tui/%.c | $(BUILD)/tests
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $(LT_CFLAGS) -c -o $@ $<

$(PROBE_OBJ) $(BUILD)/tests/unit_memory.o: $(BUILD)/lagtop.skel.h

$(BUILD)/%.bpf.o: bpf/%.bpf.c | $(BUILD)/tests
	$(call say,BPF)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(BUILD)/lagtop.bpf.linked: $(BPF_OBJ)
	$(call say,BPFLINK)$(BPFTOOL) gen object $@.tmp $^ && mv $@.tmp $@

$(BUILD)/lagtop.skel.h: $(BUILD)/lagtop.bpf.linked
	$(call say,SKEL)$(BPFTOOL) gen skeleton $< name lagtop > $@.tmp && mv $@.tmp $@

$(BUILD)/tests:
	@tests/deps.sh versions "$(CLANG)" "$(CC)" "$(BPFTOOL)" $(PKGS)
	@mkdir -p $@

# Archives: a test links only what it uses, so no lists are needed.
$(BUILD)/lagtop.a: $(filter-out $(BUILD)/main.o $(PROBE_OBJ),$(OBJ))
$(BUILD)/tests.a: $(TEST_OBJ)
$(BUILD)/%.a:
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/tests/%.o: tests/%.c | $(BUILD)/tests
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $(LT_CFLAGS) -c -o $@ $<

$(TESTS): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/tests/only.o $(BUILD)/tests.a $(BUILD)/lagtop.a
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(TEST_LIBS)
$(BUILD)/tests/unit_memory: $(BUILD)/probe_memory.o

$(BUILD)/tests/load: $(LOAD_OBJ)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lpthread

$(BUILD)/tests/%.bpf.o: tests/%.bpf.c | $(BUILD)/tests
	$(call say,BPF)$(CLANG) $(BPF_CFLAGS) -I/usr/include/$(shell $(CC) -print-multiarch) -c -o $@ $<

$(BUILD)/tests/%.skel.h: $(BUILD)/tests/%.bpf.o
	$(call say,SKEL)$(BPFTOOL) gen skeleton $< name $* > $@.tmp && mv $@.tmp $@

$(BENCH_OBJ): $(BENCH_SKEL)
$(BUILD)/tests/bench: $(BENCH_OBJ) $(BUILD)/tests.a $(BUILD)/lagtop.a
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS)

# Fuzz targets: the front end and the shared test modules, built again with the sanitizers.
# Programs of bpf/ that are compiled natively compute addresses of fields from null; to follow null ends a program anyway.
SANITIZE = -O1 -g -fsanitize=address,undefined -fno-sanitize=null -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_OBJ = $(patsubst $(BUILD)/%,$(BUILD)/fuzz/%,$(filter-out $(BUILD)/main.o $(BUILD)/screen.o $(PROBE_OBJ),$(OBJ)) \
	$(addprefix $(BUILD)/tests/,recording_frames.o synthetic.o))

$(BUILD)/fuzz/tests:
	@mkdir -p $@

$(BUILD)/fuzz/%.o: tui/%.c | $(BUILD)/fuzz/tests
	$(call say,CC)$(CLANG) $(SANITIZE) -fsanitize=fuzzer-no-link $(LT_CFLAGS) -c -o $@ $<

$(BUILD)/fuzz/tests/%.o: tests/%.c | $(BUILD)/fuzz/tests
	$(call say,CC)$(CLANG) $(SANITIZE) -fsanitize=fuzzer-no-link $(LT_CFLAGS) -c -o $@ $<

$(BUILD)/fuzz/lagtop.a: $(FUZZ_OBJ)

$(FUZZ): $(BUILD)/fuzz/%: $(BUILD)/fuzz/tests/fuzz_%.o $(BUILD)/fuzz/lagtop.a
	$(call say,LINK)$(CLANG) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ $(LT_LIBS)

# One file for machines without our libraries: a reproducible build, given the same packages.
STATIC = $(BUILD)/static$(addprefix -,$(filter-out $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/'),$(ARCH)))
# libcap-ng has a function, never called, that asks name services.
QUIET_LD = $(if $(shell $(CC) -Wl,--help 2>/dev/null | grep -e --no-warnings),-Wl$(comma)--no-warnings)
comma = ,

static: ## one file without libraries, build/static/lagtop, for servers where nothing can be installed
	@tests/deps.sh build
	@$(MAKE) BUILD=$(STATIC) LAGTOP=$(STATIC)/lagtop PKG_CONFIG="$(PKG_CONFIG) --static" CPPFLAGS=-DLT_STATIC \
		CFLAGS="-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -ffile-prefix-map=$(CURDIR)=." \
		LDFLAGS="-static -s -Wl,-z,relro,-z,now $(QUIET_LD)" $(STATIC)/lagtop
	@echo "$(STATIC)/lagtop: $$(stat -c %s $(STATIC)/lagtop) bytes"

static-arm64: ## the same for arm64 by cross compilation, build/static-arm64/lagtop
	@tests/deps.sh build test
	@tests/arm64.sh static

# What runs on other machines.
live: $(LAGTOP) $(filter $(BUILD)/tests/live_%,$(TESTS)) $(BUILD)/tests/unit_ledger_torn $(BUILD)/tests/load

tests: $(LAGTOP) $(TESTS) $(FUZZ) $(BUILD)/tests/load

$(BUILD)/tests/shot: $(BUILD)/tests/shot.o $(BUILD)/tests.a $(BUILD)/lagtop.a
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS)

# Documents: generated from what the program prints about itself.
DOCS = $(addprefix $(BUILD)/docs/,lagtop.8 lagtop.bash lagtop.fish _lagtop)
$(BUILD)/docs/lagtop.8: FORM = man
$(BUILD)/docs/lagtop.bash: FORM = bash
$(BUILD)/docs/lagtop.fish: FORM = fish
$(BUILD)/docs/_lagtop: FORM = zsh
LISTS = $(addprefix $(BUILD)/docs/,help list-columns list-keys)
$(LISTS): $(BUILD)/docs/%: lagtop
	@mkdir -p $(@D)
	@./lagtop --$* > $@

$(DOCS): tui/docs.awk tui/lagtop.8 $(LISTS)
	$(call say,DOC)awk -v form=$(FORM) -f $< $(LISTS) tui/lagtop.8 > $@

readme: $(BUILD)/kernels.md ## write the table that test-kernels made into README.md
	@sed -i -e '/^<!-- kernels -->$$/,/^<!-- .kernels -->$$/ { /^<!--/!d }' -e '/^<!-- kernels -->$$/r $<' README.md

# Debian's zsh looks elsewhere for packages' completions. fish looks below /usr/local only if XDG_DATA_DIRS names
# it, as on desktops but not over ssh; always below /etc.
PREFIX ?= /usr/local
SHARE = $(PREFIX)/share
zsh_dir_/usr = $(if $(wildcard /etc/debian_version),/usr/share/zsh/vendor-completions)
fish_dir_/usr/local = /etc/fish/completions
ZSH_DIR ?= $(or $(zsh_dir_$(PREFIX)),$(SHARE)/zsh/site-functions)
FISH_DIR ?= $(or $(fish_dir_$(PREFIX)),$(SHARE)/fish/vendor_completions.d)

# A path below DESTDIR, quoted as one shell word.
to = '$(subst ','\'',$(DESTDIR)$(1))'
TO_PROGRAM = $(call to,$(PREFIX)/bin/lagtop)
TO_MAN = $(call to,$(SHARE)/man/man8/lagtop.8)
TO_BASH = $(call to,$(SHARE)/bash-completion/completions/lagtop)
TO_FISH = $(call to,$(FISH_DIR)/lagtop.fish)
TO_ZSH = $(call to,$(ZSH_DIR)/_lagtop)
TO_SERVICE = $(call to,$(PREFIX)/lib/systemd/system/lagtop-record.service)

# Commands for people. Each first installs what it needs; that is quick when nothing is missing.
SUDO = $(if $(filter-out 0,$(shell id -u)),sudo)

deps: ## install the packages that the build needs
	@tests/deps.sh build

test-deps: ## install the packages that the tests need
	@tests/deps.sh build test

run: ## install, build and start; make run ARGS="--delay 2"
	@tests/deps.sh build
	@$(MAKE) lagtop
	@$(SUDO) ./lagtop $(ARGS)

test: ## install, build and run all tests
	@tests/downloads.sh
	@tests/deps.sh build test
	@$(MAKE) tests
	@tests/run.sh

# Unit and screen tests, as many at once as there are CPUs; T=live_NAME: live tests, one at a time.
QUICK = $(filter $(BUILD)/tests/unit_% $(BUILD)/tests/screen_%,$(TESTS))
CHECK = $(strip $(if $(T),$(foreach test,$(if $(findstring live_,$(T)),$(TESTS),$(QUICK)),$(if $(findstring $(T),$(notdir $(test))),$(test))),$(QUICK)))
CHECK_JOBS = $(if $(findstring live_,$(T)),1,$(shell nproc))

check: ## build and run the unit and screen tests, without root or network; make check T=model: those with that in their name; ONLY='*errno*': their functions
	@$(if $(CHECK),,echo "make: no $(if $(findstring live_,$(T)),,unit or screen )test has '$(T)' in its name$(if $(findstring live_,$(T)),,; live tests: T=live_NAME)" >&2; exit 1)
	@$(MAKE) $(LAGTOP) $(CHECK) $(if $(findstring live_,$(T)),$(BUILD)/tests/load)
	@LAGTOP=./$(LAGTOP) tests/run.sh -j $(CHECK_JOBS) $(CHECK)

bless: ## write the current screens to tests/golden, and list what changed
	@$(MAKE) $(LAGTOP) $(QUICK)
	@UPDATE_GOLDEN=1 tests/run.sh -j $(shell nproc) $(filter $(BUILD)/tests/screen_%,$(QUICK))
	@git --no-pager diff --stat -- tests/golden

asan: ## make check with the sanitizers for addresses and undefined behaviour; make asan T=model
	@$(MAKE) BUILD=$(BUILD)/asan LAGTOP=$(BUILD)/asan/lagtop CFLAGS="$(SANITIZE)" LDFLAGS= check

fuzz: ## fuzz each parser; make fuzz SECONDS=3600
	@tests/deps.sh build test
	@$(MAKE) $(FUZZ)
	@FUZZ_SECONDS=$(or $(SECONDS),600) tests/fuzz_test.sh

bench: ## measure what lagtop costs; make bench ARGS="--help"
	@tests/deps.sh build test
	@$(MAKE) lagtop $(BUILD)/tests/load $(BUILD)/tests/bench
	@$(SUDO) $(BUILD)/tests/bench $(ARGS)

bench-peers: ## the same beside libbpf-tools and bpftrace, installed if missing
	@tests/deps.sh build peers
	@$(MAKE) lagtop $(BUILD)/tests/load $(BUILD)/tests/bench
	@$(SUDO) $(BUILD)/tests/bench --peers -o $(BUILD)/bench-peers.csv $(ARGS)

bench-past: ## what history and recordings cost
	@tests/deps.sh build test
	@$(MAKE) lagtop $(BUILD)/tests/bench
	@$(SUDO) $(BUILD)/tests/bench --past $(ARGS)

bench-front: ## CPU, bytes and memory of the screen beside top, htop, btop and atop
	@tests/deps.sh build peers
	@$(MAKE) lagtop $(BUILD)/tests/load $(BUILD)/tests/bench
	@$(SUDO) $(BUILD)/tests/bench --front $(ARGS)

bench-servers: ## CPU per request of redis, nginx, postgres, pipes and a compiler under lagtop and others; ARGS="-n 20 redis lagtop"
	@tests/deps.sh build test servers
	@$(MAKE) lagtop $(BUILD)/tests/bench
	@$(SUDO) $(BUILD)/tests/bench --servers $(ARGS)

screenshots: ## take new pictures of this machine for screenshots/
	@tests/deps.sh build test pictures
	@$(MAKE) lagtop $(BUILD)/tests/load $(BUILD)/tests/shot
	@mkdir -p screenshots
	@$(SUDO) tests/screenshots.sh $(ARGS)

lint: ## format, include rules, spelling, scripts
	@tests/deps.sh build test
	@tests/lint.sh

test-kernels: ## boot other kernels, also of arm64, under qemu and run the live tests that work there
	@tests/deps.sh build test
	@$(MAKE) tests
	@tests/kernels.sh

test-releases: ## build, lint and test in fresh roots of Debian 13 and sid, as root; 500 MB to download for each, once
	@tests/deps.sh build test
	@$(SUDO) tests/releases.sh

# The other compiler, without output.
syntax: $(BUILD)/lagtop.skel.h $(BENCH_SKEL)
	@$(CLANG) -fsyntax-only -Werror $(filter-out -MMD -MP,$(LT_CFLAGS)) $(filter-out %.bpf.c,$(wildcard tui/*.c tests/*.c))

terminfo: ## write this machine's descriptions of terminals into tui/terminfo.h
	tui/terminfo.sh > $(BUILD)/terminfo.h && cp $(BUILD)/terminfo.h tui/terminfo.h

format: ## format every C file as lint requires
	$(shell tests/deps.sh clang-format) -i $(wildcard bpf/*.[ch] include/*.h tui/*.[ch] tests/*.[ch])

install: lagtop $(DOCS) ## install into PREFIX (/usr/local), ZSH_DIR and FISH_DIR, below DESTDIR
	install -D -m 755 lagtop $(TO_PROGRAM)
	install -D -m 644 $(BUILD)/docs/lagtop.8 $(TO_MAN)
	install -D -m 644 $(BUILD)/docs/lagtop.bash $(TO_BASH)
	install -D -m 644 $(BUILD)/docs/lagtop.fish $(TO_FISH)
	install -D -m 644 $(BUILD)/docs/_lagtop $(TO_ZSH)
	install -D -m 644 tui/lagtop-record.service $(TO_SERVICE)
	sed -i 's|^ExecStart=/usr/|ExecStart=$(PREFIX)/|' $(TO_SERVICE)

uninstall: ## remove what install installed
	rm -f $(TO_PROGRAM) $(TO_MAN) $(TO_BASH) $(TO_FISH) $(TO_ZSH) $(TO_SERVICE)

docs: $(DOCS)

deb: ## a Debian package, build/lagtop_VERSION_ARCH.deb
	@.packaging/build deb

rpm: ## an RPM package, build/lagtop-VERSION-1.ARCH.rpm
	@.packaging/build rpm

clean: ## remove what was built
	rm -rf $(BUILD) lagtop

help: ## this list
	@echo 'make: build ./lagtop'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1: \2/p' Makefile

-include $(wildcard $(BUILD)/*.d $(BUILD)/tests/*.d $(BUILD)/fuzz/*.d $(BUILD)/fuzz/tests/*.d)
.SECONDARY:
.PHONY: all static static-arm64 live tests deps test-deps run test check bless asan fuzz bench bench-peers bench-past bench-front bench-servers screenshots lint test-kernels test-releases syntax terminfo format readme install uninstall docs deb rpm clean help
