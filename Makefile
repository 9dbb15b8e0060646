# SPDX-License-Identifier: BSD-2-Clause
#
# make          build/understudy
# make asan     the same and every test with ASan and UBSan, in build-asan/
# make clang    the same with clang, and the fuzz targets, in build-clang/
# make unit     unit tests
# make fuzz     every fuzz target, T seconds each (FUZZ=name: only that one)
# make model    the model of the machine, searched and held against it
# make fuzz-plants  does each target find the bug that is planted for it?
# make test     all that can be checked in a quarter of an hour; ends with the sum
#               of all parts (as root: NO_LAB=1 does without live tests; CI=1: a
#               skip that test/SKIPS does not know fails)
# make sim      simulated connections, SEEDS runs from seed SEED on
# make soak     a million of them
# make bench    the benchmarks (the machine must be quiet)
# make faults   every fault on purpose, with its figures (half an hour)
# make demo     the lab: clients, production, SUT, and what Understudy reports;
#               installs what it needs
# make fresh    a bare Debian 12 in a folder, and in it demo and test (ARGS=-r: the
#               other way round); needs debootstrap
# make nightly  what takes too long for "make test", with its figures: the live program
#               under sanitizers, faults, soak, planted bugs, coverage, mutants,
#               every fuzz target for ten minutes (three hours)
# make lint     format, names in comments, style, warnings of gcc and clang
# make tidy     clang-tidy over all of it
# make coverage lines and branches that the tests run (LIST=1: name what they do not;
#               LIVE=1: some live tests count, as root)
# make mutants  COUNT small changes of the pure folders, drawn by SEED: which does
#               no test notice (half an hour)
# make layers   includes go down, pure folders call no system
# make install  DESTDIR=, prefix=

T ?= 20
FUZZ ?= *
SEED ?= 1
SEEDS ?= 100
COUNT ?= 300
DESTDIR ?=
prefix ?= /usr/local

SAN := -Db_sanitize=address,undefined

.PHONY: all asan clang nightly unit fuzz model test bench demo lint tidy format \
	layers faults sim soak fuzz-plants coverage mutants fresh \
	install clean setup

all:
	@CC=gcc tools/build build

asan:
	@CC=gcc tools/build build-asan $(SAN)

clang:
	@CC=clang tools/build build-clang $(SAN) -Dfuzz=true

unit: asan
	@tools/tap_sum --skips test/SKIPS 'each build-asan/test_*' \
		'each test/unit/test_*.py'

fuzz: clang
	@tools/fuzz build-clang $(T) '$(FUZZ)'

model: asan
	@tools/tap_sum 'tap test/model/run'

fuzz-plants:
	@CC=clang tools/plant build-plants 60

test:
	@tools/setup
	@tools/tap_sum --skips test/SKIPS @test/PARTS

nightly:
	@tools/setup
	@PART_SECS=10800 tools/tap_sum --skips test/SKIPS @test/NIGHTLY

sim: all
	@build/sim_runner --seed $(SEED) --seeds $(SEEDS)

soak: all
	@build/sim_runner --profile all --conns 100 --seeds 10000

bench: all
	@test/bench/run build

faults: all
	@test/faults/run

demo:
	@tools/setup demo
	@$(MAKE) --no-print-directory all
	@lab/demo build

fresh:
	@tools/fresh $(ARGS)

lint: all clang
	@tools/format --check
	@tools/check_names.py
	@tools/check_style.py

tidy: all
	@clang-tidy --quiet -p build $$(tools/sources | grep -v '\.bpf\.c$$')

format:
	@tools/format

coverage:
	@tools/coverage $(if $(LIST),--list) $(if $(LIVE),--live)

mutants: all asan
	@tools/mutants --seed $(SEED) --count $(COUNT)

layers: all
	@tools/check_layers.py src build

install: all
	@tools/install build '$(DESTDIR)' '$(prefix)'

setup:
	@tools/setup

clean:
	rm -rf build build-asan build-clang build-cov
