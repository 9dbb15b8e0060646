#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unit test of test/net/run: no program may vanish, and none that failed pass."""
import os
import pathlib
import subprocess
import sys
import tempfile

RUN = pathlib.Path(__file__).resolve().parents[1] / "net/run"
GOOD = 'print("ok 1 - fine")\nprint("1..1")\n'

# name, {program: text}, must something fail, words that the output contains
CASES = [
    ("all pass", {"a": GOOD, "b": "IDLE = True\n" + GOOD,
                  "c": "ALONE = True\n" + GOOD}, False,
     ("ok 3 - c: fine", "3 of 3 programs told", "1..3")),
    ("a note that is no UTF-8", {
        "a": GOOD, "b": "import sys\nsys.stdout.buffer.write(b'# \\xff\\xfe\\n"
        "not ok 1 - torn\\n1..1\\n')\nsys.exit(1)\n"}, True,
     ("- b: torn", "2 of 2 programs told")),
    ("the same beside the others", {
        "a": GOOD, "b": "IDLE = 1\nimport sys\nsys.stdout.buffer.write(b'\\xff"
        "\\nnot ok 1 - torn\\n1..1\\n')\nsys.exit(1)\n"}, True,
     ("- b: torn",)),
    ("every line is good, the status is not", {
        "a": GOOD + "import sys\nsys.exit(3)\n"}, True, ("exit status 3",)),
    ("killed behind its last line", {
        "a": GOOD + "import os, sys\nsys.stdout.flush()\nos.kill(os.getpid(), "
        "9)\n"}, True, ("exit status -9",)),
    ("an empty plan without a reason", {"a": 'print("1..0")\n'}, True,
     ("1..0 without a reason",)),
    ("an empty plan with one", {
        "a": 'print("1..0 # SKIP no moon")\n', "b": GOOD}, False,
     ("- a # SKIP no moon",)),
    ("no plan", {"a": 'print("ok 1 - fine")\n'}, True, ("ran 1",)),
    ("fewer than planned", {"a": 'print("1..3")\nprint("ok 1 - x")\n'}, True,
     ("planned 3 tests, ran 1",)),
    ("two plans", {"a": GOOD + GOOD}, True, ("more than one plan",)),
    ("no output at all", {"a": ""}, True, ("planned None tests, ran 0",)),
    ("it never ends", {"a": GOOD + "import sys, time\nsys.stdout.flush()\n"
                       "time.sleep(60)\n", "b": GOOD}, True,
     ("ended after 2 s", "- b: fine", "2 of 2 programs told")),
    ("a child of its holds the pipe", {
        "a": GOOD + "import subprocess\nsubprocess.Popen(['sleep', '60'])\n"},
     True, ("ended after 2 s",)),
    ("a word that fits no program", {"a": GOOD}, True, ("no program",)),
]


def run(programs, words):
    with tempfile.TemporaryDirectory() as d:
        for name, text in programs.items():
            (pathlib.Path(d) / f"test_{name}.py").write_text(text)
        p = subprocess.run([sys.executable, RUN, "--folder", d, *words],
                           capture_output=True, check=False, timeout=60,
                           env={**os.environ, "PROGRAM_SECS": "2"})
    return p.returncode, (p.stdout + p.stderr).decode(errors="replace")


def judge(out, code, fails, words):
    """What is wrong with the stream: [] if nothing is."""
    lines = out.splitlines()
    wrong = [f"not there: {w}" for w in words if w not in out]
    bad = [x for x in lines if x.startswith("not ok")]
    results = [x for x in lines if x.startswith(("ok ", "not ok "))]
    if (code != 0) != fails or bool(bad) != fails:
        wrong.append(f"exit status {code}, {len(bad)} failed")
    if lines and lines[-1] != f"1..{len(results)}":
        wrong.append("the plan is not what was told")
    for i, x in enumerate(results, 1):
        if x.split(" - ")[0].split()[-1] != str(i):
            wrong.append(f"not number {i}: {x}")
    return wrong


def main():
    print(f"1..{len(CASES)}")
    failed = 0
    for i, (name, programs, fails, words) in enumerate(CASES, 1):
        code, out = run(programs, ["zebra"] if "a word" in name else [])
        wrong = judge(out, code, fails, words)
        failed += bool(wrong)
        for line in wrong + (out.splitlines() if wrong else []):
            print(f"# {line}")
        print(f"{'not ' if wrong else ''}ok {i} - {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
