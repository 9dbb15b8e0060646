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
    ("nothing to run", ["each none/*"], 1, "0 passed, 0 failed",
     "no test was run"),
    ("command passes", ["do x: true"], 0, "1 passed, 0 failed", ""),
    ("command fails, others still run", ["do x: echo why; false", "do y: true"],
     1, "1 passed, 1 failed", "why"),
    ("needed command fails", ["need x: false", "do y: true"], 1,
     "0 passed, 1 failed", "nothing after this was run"),
]


def sum_up(parts, cwd):
    p = subprocess.run([sys.executable, SUM, *parts], text=True, cwd=cwd,
                       capture_output=True, env={**os.environ,
                                                 "PART_SECS": "1"})
    return p.returncode, p.stdout + p.stderr


def main():
    print(f"1..{len(CASES) + 1}")
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
    for i, (name, status, last, words, got, out) in enumerate(results, 1):
        ok = got == status and words in out \
            and out.rstrip().splitlines()[-1] == last
        print(f"{'' if ok else 'not '}ok {i} - {name}")
        if not ok:
            bad += 1
            print(f"# exit status {got}")
            for line in out.splitlines():
                print(f"# {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
