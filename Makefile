# SPDX-License-Identifier: Apache-2.0
# A thin front for meson: every target does the set-up it needs and asks nothing.
BUILD  ?= build
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?=

.PHONY: all setup test run bench releases fuzz soak install deb wheel clean help

all: setup $(BUILD)/build.ninja   ## build everything
	@ninja -C $(BUILD)

setup:
	@packaging/setup build

$(BUILD)/build.ninja:
	@meson setup $(BUILD) --prefix $(PREFIX) --libdir lib >/dev/null

test: all   ## run all tests (under 10 minutes)
	@packaging/setup test
	@BUILD=$(BUILD) PYTHON=$(PYTHON) tests/run

run: all   ## start a program with live buffers and show the picture (PYTHON= one that has ttnn)
	@BUILD=$(BUILD) PYTHON=$(PYTHON) packaging/demo

bench: all   ## print the table of docs/performance.md
	@packaging/setup test
	@BUILD=$(BUILD) PYTHON=$(PYTHON) bench/run

releases: all   ## check handler and offset tables against all released wheels (long, downloads)
	@python3 tests/releases/check_releases.py --cache $(BUILD)/releases

fuzz: setup   ## fuzz every parser with libFuzzer (SECONDS= each, default 60)
	@packaging/setup test
	@BUILD=$(BUILD)-fuzz tests/fuzz/run

soak: all   ## a server and programs that come and go, for SECONDS (default 600)
	@BUILD=$(BUILD) python3 tests/soak.py

install: all   ## install to $(DESTDIR)$(PREFIX)
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --quiet

deb:   ## build the Debian package, checked with lintian, into $(BUILD)/deb
	@packaging/setup package
	@BUILD=$(BUILD) packaging/deb

wheel: all   ## build the Python wheel, checked with auditwheel, into $(BUILD)/wheel
	@packaging/setup package
	@BUILD=$(BUILD) packaging/wheel

clean:   ## remove the build directories
	@rm -rf $(BUILD) $(BUILD)-*

help:   ## this list
	@awk -F ':.*##' '/^[a-z]+:.*##/ { printf "make %-10s %s\n", $$1, $$2 }' Makefile
