# make            build the libraries
# make demo       build, install into target/stage, run the examples
# make check      run the tests
# make check-aarch64 check-i686 check-musl   run the C programs there (docs/portability.md)
# make check-portable  let the compiler check the library for each system that it can be built for
# make models     check the lock-free core in every order of threads and memory
# make fuzz       call every function at random beside a model, SEEDS sequences from SEED on; then in several threads at once
# make soak       a storm of MINUTES, and at its end a balance
# make torture    all that looks for what must not happen, for some 20 minutes; PARTS are those of tools/torture.sh
# make bench      measure the library and its peers; ROUNDS=3 is a quick look
# make instructions   record anew how many instructions the hot paths have
# make install    PREFIX, LIBDIR, INCLUDEDIR, DOCDIR and DESTDIR are honoured; make uninstall takes the same

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DOCDIR     ?= $(PREFIX)/share/doc/rsig

CARGO   ?= cargo
INSTALL ?= install
LD      ?= ld
OBJCOPY ?= objcopy

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
MAJOR   := $(firstword $(subst ., ,$(VERSION)))
# Where cargo puts what it builds, by its own environment variables. For another machine LD, OBJCOPY and AR have to be that one's.
BUILD   := $(or $(CARGO_TARGET_DIR),target)$(addprefix /,$(CARGO_BUILD_TARGET))
STAGE   := $(CURDIR)/target$(addprefix /,$(CARGO_BUILD_TARGET))/stage

# Rust for musl makes no shared library.
SHARED := $(if $(filter %-musl,$(CARGO_BUILD_TARGET)),,$(BUILD)/release/librsig.so)
STATIC := $(BUILD)/dist/librsig.a
EXAMPLES := $(wildcard examples/*.c examples/*.cpp examples/*.py)
DOCS := $(wildcard docs/*)

# pkg-config can then move the whole prefix.
relocatable = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

.PHONY: all demo check check-aarch64 check-i686 check-musl check-portable models fuzz soak torture bench instructions install uninstall stage clean FORCE

all: $(STATIC)

# And the shared library. cargo knows best whether there is anything to do.
$(BUILD)/release/librsig.a: FORCE
	$(CARGO) build --release --locked

# The archive that cargo makes shows every symbol of Rust's standard library to the program's linker, where
# they could clash with another Rust library's. Here it becomes one object that shows rsig_* alone.
$(STATIC): $(BUILD)/release/librsig.a
	@mkdir -p $(@D)
	$(LD) -r --gc-sections $$(sed -n 's/^.* \**\(rsig_[a-z_]*\)(.*/-u \1/p' include/rsig.h) \
	    -o $(@D)/rsig.o --whole-archive $<
	$(OBJCOPY) --strip-debug --remove-section=.llvmbc --remove-section=.llvmcmd --wildcard --keep-global-symbol='rsig_*' $(@D)/rsig.o
	rm -f $@
	$(AR) rcs $@ $(@D)/rsig.o
	rm -f $(@D)/rsig.o

demo: stage
	@tools/need.sh pkg-config=pkg-config
	TMPDIR=$(STAGE) examples/demo.sh $(STAGE)

check: stage
	@tools/need.sh pkg-config=pkg-config g++=g++
	$(CARGO) test --locked

check-aarch64 check-i686 check-musl:
	tools/check_for.sh $(@:check-%=%)

PORTABLE ?= x86_64-unknown-linux-gnu i686-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-unknown-linux-musl \
    x86_64-unknown-freebsd x86_64-apple-darwin

# Nothing is run. For musl cargo would warn that there is no shared library, unless told that the C library is one.
check-portable:
	rustup target add $(PORTABLE)
	RUSTFLAGS="-D warnings -C target-feature=-crt-static" $(CARGO) check --locked --lib --target-dir $(BUILD)/portable \
	    $(addprefix --target ,$(PORTABLE))

# A package of its own (see tests/models/src/main.rs), which a user who runs `make check` need not build.
models:
	$(CARGO) test --release --locked --manifest-path tests/models/Cargo.toml --target-dir $(BUILD)/models

MINUTES ?= 3
SEED    ?= 1
SEEDS   ?= 50000

PROGRAMS-fuzz = fuzz/fuzz fuzz/concurrent
PROGRAMS-soak = soak/soak

# How a failure is run again is said with it.
fuzz soak: stage
	@tools/need.sh pkg-config=pkg-config
	for program in $(PROGRAMS-$@); do \
	    $(CC) -g -O1 -Wall -Wextra -Werror -Ic-tests tests/$$program.c -o $(BUILD)/$${program#*/} \
	        $$(PKG_CONFIG_PATH=$(STAGE)/lib/pkgconfig pkg-config --cflags --libs rsig) -Wl,-rpath,$(STAGE)/lib -pthread -lm || exit; \
	done
	$(run-$@)

# A round of several threads takes as long as some twenty sequences.
run-fuzz = $(BUILD)/fuzz --seed $(SEED) --seeds $(SEEDS) --jobs $$(nproc) && \
    $(BUILD)/concurrent --seed $(SEED) --seeds $$(($(SEEDS) / 20)) --jobs $$(nproc)
run-soak = SOAK_SECONDS=$$(($(MINUTES) * 60)) $(BUILD)/soak soak

# Goes on after a failure, and fails at its end. See docs/torture.md.
torture:
	tools/torture.sh $(PARTS)

# Without the peers' packages it goes on without those peers.
bench: stage
	@tools/need.sh pkg-config=pkg-config python3=python3
	-@tools/need.sh /usr/include/ev.h=libev-dev /usr/include/event2/event.h=libevent-dev /usr/include/uv.h=libuv1-dev \
	    /usr/include/glib-2.0/glib.h=libglib2.0-dev /usr/include/systemd/sd-event.h=libsystemd-dev
	ROUNDS=$(ROUNDS) CARGO="$(CARGO)" benches/bench.py $(STAGE) $(BUILD)/bench

# What tests/instructions.rs then checks.
instructions: stage
	@tools/need.sh pkg-config=pkg-config valgrind=valgrind
	RSIG_RECORD=1 $(CARGO) test --locked --test instructions

# What the tests and the demo use: the library as a user has it installed.
stage: all
	@$(MAKE) --no-print-directory install DESTDIR= PREFIX=$(STAGE) LIBDIR=$(STAGE)/lib \
	    INCLUDEDIR=$(STAGE)/include DOCDIR=$(STAGE)/share/doc/rsig >/dev/null

# Not `all`: `sudo make install` should need no Rust.
install:
	@ls $(SHARED) $(STATIC) >/dev/null 2>&1 || $(MAKE) all
	$(INSTALL) -d "$(DESTDIR)$(INCLUDEDIR)" "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(DOCDIR)/examples" \
	    "$(DESTDIR)$(DOCDIR)/docs"
	$(INSTALL) -m 644 include/rsig.h "$(DESTDIR)$(INCLUDEDIR)/rsig.h"
ifneq ($(SHARED),)
	$(INSTALL) -m 755 $(SHARED) "$(DESTDIR)$(LIBDIR)/librsig.so.$(VERSION)"
	ln -sf librsig.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/librsig.so.$(MAJOR)"
	ln -sf librsig.so.$(MAJOR) "$(DESTDIR)$(LIBDIR)/librsig.so"
endif
	$(INSTALL) -m 644 $(STATIC) "$(DESTDIR)$(LIBDIR)/librsig.a"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(call relocatable,$(LIBDIR))|' \
	    -e 's|@INCLUDEDIR@|$(call relocatable,$(INCLUDEDIR))|' \
	    -e 's|@VERSION@|$(VERSION)|' rsig.pc.in > "$(DESTDIR)$(LIBDIR)/pkgconfig/rsig.pc"
	chmod 644 "$(DESTDIR)$(LIBDIR)/pkgconfig/rsig.pc"
	$(INSTALL) -m 644 README.md LICENSE-MIT LICENSE-APACHE "$(DESTDIR)$(DOCDIR)"
	$(INSTALL) -m 644 $(EXAMPLES) "$(DESTDIR)$(DOCDIR)/examples"
	$(INSTALL) -m 644 $(DOCS) "$(DESTDIR)$(DOCDIR)/docs"

uninstall:
	rm -f "$(DESTDIR)$(INCLUDEDIR)/rsig.h" "$(DESTDIR)$(LIBDIR)/librsig.a"
	rm -f "$(DESTDIR)$(LIBDIR)/librsig.so" "$(DESTDIR)$(LIBDIR)/librsig.so.$(MAJOR)"
	rm -f "$(DESTDIR)$(LIBDIR)/librsig.so.$(VERSION)" "$(DESTDIR)$(LIBDIR)/pkgconfig/rsig.pc"
	cd "$(DESTDIR)$(DOCDIR)" && rm -f README.md LICENSE-MIT LICENSE-APACHE $(EXAMPLES) $(DOCS)
	-rmdir "$(DESTDIR)$(DOCDIR)/examples" "$(DESTDIR)$(DOCDIR)/docs" "$(DESTDIR)$(DOCDIR)"

clean:
	$(CARGO) clean
