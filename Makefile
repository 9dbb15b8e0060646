# SPDX-License-Identifier: BSD-2-Clause
#
# make          build/understudy
# make asan     the same and every test with ASan and UBSan, in build-asan/
# make clang    the fuzz targets with clang, ASan and UBSan, in build-clang/; all else
#               is read for warnings
# make unit     unit tests (T=wheel: that one alone, with all that it prints)
# make script S=i13_window  one dialogue of test/script
# make fuzz     every fuzz target, T seconds each (FUZZ=name: only that one)
# make model    the model of the machine, searched and held against it
# make fuzz-plants  does each target find the bug that is planted for it?
# make test     all that can be checked in half an hour; ends with the sum
#               of all parts (as root: NO_LAB=1 does without live tests; CI=1: a
#               skip that test/SKIPS does not know fails)
# make sim      simulated connections, SEEDS runs from seed SEED on
# make soak     a million of them
# make sim-multipath  a connection over many paths: named cells with their bars, the
#               thesis's tables, 1,000 drawn cells (SEED=)
# make multipath-tables  the thesis's tables on multiple paths, measured through
#               gateways of IP in IP, beside its figures and the simulator's (under an
#               hour; ARGS="--only 4.10,4.22"; needs ab)
# make splice-matrix  the proxy in each way, over wires and between ends of all kinds
#               (some minutes; KILLS=50)
# make splice-figures  response times through the proxy, as the thesis on TCP splice has
#               them (the machine must be quiet; two plots in build/splice.svg)
# make bench    the benchmarks (the machine must be quiet)
# make faults   every fault on purpose, with its figures (half an hour)
# make demo     the lab: clients, production, SUT, and what Understudy reports;
#               installs what it needs
# make fresh    a bare Debian 12 in a folder, and in it demo and test (ARGS=-r: the
#               other way round); needs debootstrap
# make page-test  the page in Chromium, by keys and clicks (PICTURES=DIR keeps pictures;
#               AXE=axe.min.js of axe-core from npm; needs chromium-driver)
# make nightly  what takes too long for "make test", with its figures: the live program
#               under sanitizers, faults, soak, planted bugs, coverage, mutants,
#               every fuzz target for ten minutes, an hour of paced load (five
#               hours); STEP=WORD: of test/NIGHTLY only what has this word
# make lint     format, names in comments, style, spelling, pages, warnings of gcc and
#               clang
# make tidy     clang-tidy over src and test
# make coverage lines and branches that the tests run (LIST=1: name what they do not;
#               LIVE=1: some live tests count, as root)
# make mutants  COUNT small changes of the pure folders, drawn by SEED: which does
#               no test notice (half an hour)
# make state-mutants  50 members of a state written wrongly, drawn by SEED: which does
#               no assertion notice (a quarter of an hour)
# make layers   includes go down, pure folders call no system
# make install  DESTDIR=, prefix=
# make package  a Debian package in build-package/, looked through by lintian (TRY=1:
#               installed, and doctor run, as root)

FUZZ ?= *
SEED ?= 1
SEEDS ?= 100
COUNT ?= 300
DESTDIR ?=
prefix ?= /usr/local

SAN := -Db_sanitize=address,undefined

.PHONY: all asan clang nightly unit fuzz model test bench demo lint tidy format \
	layers faults sim sim-multipath multipath-tables splice-matrix splice-figures \
	soak fuzz-plants coverage mutants state-mutants \
	fresh install package script clean setup page-test

all:
	@CC=gcc tools/build build

asan:
	@CC=gcc tools/build build-asan $(SAN)

clang:
	@CC=clang tools/build build-clang $(SAN) -Dfuzz=true

ifdef T
unit:
	@CC=gcc tools/build build-asan $(SAN)
	@build-asan/test_$(T)
else
unit: asan
	@tools/tap_sum --skips test/SKIPS 'each build-asan/test_*' \
		'each test/unit/test_*.py'
endif

script: asan
	@build-asan/script_runner test/script/$(S).pkt

fuzz: clang
	@tools/fuzz build-clang $(if $(T),$(T),20) '$(FUZZ)'

model: asan
	@tools/tap_sum 'tap test/model/run'

fuzz-plants:
	@CC=clang tools/plant build-plants 60

test:
	@tools/setup
	@tools/tap_sum --skips test/SKIPS @test/PARTS

page-test:
	@tools/setup page
	@CC=gcc tools/build build
	@tools/tap_sum 'tap test/page/test_page.py'

nightly:
	@tools/setup
	@PART_SECS=10800 tools/tap_sum --skips test/SKIPS \
		$(if $(STEP),--only '$(STEP)') @test/NIGHTLY

sim: all
	@build/sim_runner --seed $(SEED) --seeds $(SEEDS)

sim-multipath: all
	@build/multipath_sim --seed $(SEED) --floor 95:85

multipath-tables: all
	@test/bench/multipath_tables build $(ARGS)

soak: all
	@build/sim_runner --profile all --conns 100 --seeds 10000

splice-matrix: all
	@MATRIX=all test/net/test_splice_matrix.py

splice-figures: all
	@test/bench/figures build build/splice.svg

bench: all
	@test/bench/run build
	@test/bench/tunnel build
	@test/bench/splice build

faults: all
	@test/faults/run

demo:
	@tools/setup demo
	@$(MAKE) --no-print-directory all
	@lab/demo build

fresh:
	@tools/fresh $(ARGS)

lint: tidy clang
	@tools/format --check
	@tools/check_names.py
	@tools/check_style.py
	@codespell
	@for page in man/*.[1-8]; do \
		! man --warnings -l $$page 2>&1 >/dev/null | grep . || exit 1; \
	done

tidy: all
	@tools/setup lint
	@tools/sources | grep -E '^(src|test)/.*\.c$$' | \
		grep -vE '\.bpf\.c$$|^test/golden' | \
		xargs -P 2 -n 8 clang-tidy --quiet -p build --warnings-as-errors='*' \
		2>/dev/null

format:
	@tools/format

coverage:
	@tools/coverage $(if $(LIST),--list) $(if $(LIVE),--live)

mutants: all asan
	@tools/mutants --seed $(SEED) --count $(COUNT)

state-mutants: all
	@tools/state_mutants --seed $(SEED)

layers: all
	@tools/check_layers.py src build

install: all
	@tools/install build '$(DESTDIR)' '$(prefix)'

package:
	@tools/setup package
	@tools/package $(if $(TRY),--try) build-package

setup:
	@tools/setup

clean:
	rm -rf build build-asan build-clang build-cov build-package
