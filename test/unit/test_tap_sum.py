#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unit test of tools/tap_sum: nothing that failed may be summed as passed."""
import os
import pathlib
import subprocess
import sys
import tempfile

SUM = pathlib.Path(__file__).resolve().parents[2] / "tools/tap_sum"

# name, parts, exit status, last line, words that the output must contain
CASES = [
    ("all pass", [r"tap printf '1..2\nok 1 - a\nok 2 - b\n'"], 0,
     "2 passed, 0 failed", ""),
    ("one fails, and is shown with its notes",
     [r"tap printf '1..2\n# why\nnot ok 1 - a\nok 2 - b\n'; false"], 1,
     "1 passed, 1 failed", "# why"),
    ("status says failure, lines do not",
     [r"tap printf '1..1\nok 1 - a\n'; exit 3"], 1, "1 passed, 1 failed",
     "exit status 3"),
    ("fewer than planned", [r"tap printf '1..3\nok 1 - a\n'"], 1,
     "1 passed, 1 failed", "planned 3 tests, ran 1"),
    ("more than planned", [r"tap printf '1..1\nok 1 - a\nok 2 - b\n'"], 1,
     "2 passed, 1 failed", "planned 1 tests, ran 2"),
    ("no plan", ["tap echo ok 1 - a"], 1, "1 passed, 1 failed", ""),
    ("killed before it printed", ["tap kill -9 $$"], 1, "0 passed, 1 failed",
     ""),
    ("killed after the last line",
     [r"tap printf '1..1\nok 1 - a\n'; kill -9 $$"], 1, "1 passed, 1 failed",
     "exit status"),
    ("too slow", [r"tap printf '1..1\nok 1 - a\n'; sleep 60"], 1,
     "1 passed, 1 failed", "ended after 1 s"),
    ("a program that is not there", ["tap ./none"], 1, "0 passed, 1 failed",
     "none"),
    ("skipped test", [r"tap printf '1..2\nok 1 - a # SKIP dark\nok 2 - b\n'"],
     0, "1 passed, 0 failed, 1 skipped", "dark"),
    ("skipped program", [r"tap printf '1..0 # SKIP not root\n'", "do x: true"],
     0, "1 passed, 0 failed, 1 skipped", "not root"),
    ("all skipped is no pass", [r"tap printf '1..0 # SKIP not root\n'"], 1,
     "0 passed, 0 failed, 1 skipped", "no test was run"),
    ("an empty plan without a reason", [r"tap printf '1..0\n'", "do x: true"],
     1, "1 passed, 1 failed", "without a reason"),
    ("two plans", [r"tap printf '1..1\nok 1 - a\n1..1\n'"], 1,
     "1 passed, 1 failed", "more than one plan"),
    ("figures of what passed are shown",
     [r"tap printf '1..1\n# | 7 %% |\nok 1 - a\n# time a: 7 s\n'"], 0,
     "1 passed, 0 failed", "# | 7 % |\n    # time a: 7 s"),
    ("bytes that are no UTF-8", [r"tap printf '1..1\n# \377\nnot ok 1 - a\n'"],
     1, "0 passed, 1 failed", "not ok 1 - a"),
    ("nothing to run", ["each none/*", "do x: true"], 1, "1 passed, 1 failed",
     "no program is there"),
    ("command passes", ["do x: true"], 0, "1 passed, 0 failed", ""),
    ("command passes, and is shown", ["show x: echo a figure"], 0,
     "1 passed, 0 failed", "a figure"),
    ("command is shown, and fails", ["show x: echo why; false", "do y: true"],
     1, "1 passed, 1 failed", "why"),
    ("command fails, others still run", ["do x: echo why; false", "do y: true"],
     1, "1 passed, 1 failed", "why"),
    ("one part of several, and what it needs",
     ["--only", "echo b", "need x: echo a", "show y: echo b", "do z: false"], 0,
     "2 passed, 0 failed", "b"),
    ("no such part", ["--only", "none", "need x: true", "do z: true"], 1, "",
     "do z: true"),
    ("needed command fails", ["need x: false", "do y: true"], 1,
     "0 passed, 1 failed", "nothing after this was run"),
]

KNOWN = """# what is known
prog: a # SKIP no moon | there is none by day
prog: # SKIP no * | a whole program
"""
MOON = r"printf '1..2\nok 1 - a # SKIP no moon\nok 2 - b\n'"
STAR = r"printf '1..2\nok 1 - c # SKIP no moon\nok 2 - b\n'"
NONE = r"printf '1..0 # SKIP no root\n'"
# name, what the program prints, CI, the file of known skips, exit status, words
SKIPS = [
    ("a skip that is listed", MOON, "1", KNOWN, 0, "2 passed, 0 failed, 1 skip"),
    ("a skip that is not", STAR, "1", KNOWN, 1, "not a known skip: ok 1 - c"),
    ("it is counted as failed", STAR, "1", KNOWN, 1, "2 passed, 1 failed"),
    ("no list", MOON, "1", None, 1, "not a known skip"),
    ("without CI it is a skip", STAR, "", KNOWN, 0, "2 passed, 0 failed, 1 skip"),
    ("a program that is listed", NONE, "1", KNOWN, 0, "1 skipped"),
    ("a program that is not", NONE, "1", KNOWN.replace("no *", "none"), 1,
     "not a known skip: 1..0"),
    ("a list without reasons", MOON, "1", "prog: a # SKIP no moon\n", 1,
     "no reason"),
]


def sum_up(parts, cwd, ci=""):
    p = subprocess.run([sys.executable, SUM, *parts], text=True, cwd=cwd,
                       capture_output=True, env={**os.environ, "CI": ci,
                                                 "PART_SECS": "1"})
    return p.returncode, p.stdout + p.stderr


def with_skips(d, program, ci, known):
    """A program with skips, and one that passes, under a list of known ones."""
    f = pathlib.Path(d) / "prog"
    f.write_text(f"#!/bin/sh\n{program}\n")
    f.chmod(0o755)
    f = pathlib.Path(d) / "known"
    f.write_text(known or "")
    args = ["--skips", str(f)] if known else []
    return sum_up([*args, "each prog", "do x: true"], d, ci)


def main():
    print(f"1..{len(CASES) + len(SKIPS) + 1}")
    bad = 0
    with tempfile.TemporaryDirectory() as d:
        results = [(name, status, last, words, *sum_up(parts, d))
                   for name, parts, status, last, words in CASES]
        for name, status in (("a", 0), ("b", 1)):
            f = pathlib.Path(d) / f"prog_{name}"
            f.write_text(f"#!/bin/sh\necho 1..1\necho ok 1\nexit {status}\n")
            f.chmod(0o755)
        (pathlib.Path(d) / "prog_c").write_text("not to be run\n")
        results.append(("each program that matches", 1, "2 passed, 1 failed",
                        "exit status 1", *sum_up(["each prog_*"], d)))
        for name, program, ci, known, status, words in SKIPS:
            results.append((name, status, "", words,
                            *with_skips(d, program, ci, known)))
    for i, (name, status, last, words, got, out) in enumerate(results, 1):
        ok = got == status and words in out \
            and last in ("", out.rstrip().splitlines()[-1])
        print(f"{'' if ok else 'not '}ok {i} - {name}")
        if not ok:
            bad += 1
            print(f"# exit status {got}")
            for line in out.splitlines():
                print(f"# {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
