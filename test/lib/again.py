# SPDX-License-Identifier: BSD-2-Clause
"""What a rerun must find again: of a report, all that follows from the journal."""
import json
import subprocess

# What only the live run's wires, clock and process know.
LIVE = ("version", "elapsed_us", "memory", "cpu_us", "lost", "sums", "replay",
        "input", "mirror_ring", "sut_ring", "sink")
LIVE_CAPTURE = ("drops", "rings_not_grown", "delay_p50_us", "delay_p99_us")


def derived(lines):
    """The lines of --json without what a rerun cannot know: texts, in order."""
    out = []
    for line in lines:
        if not line.strip():
            continue
        d = json.loads(line)
        if d["type"] == "start":
            continue
        if d["type"] == "report":
            d = {k: v for k, v in d.items() if k not in LIVE}
            d["capture"] = {k: v for k, v in d["capture"].items()
                            if k not in LIVE_CAPTURE}
        out.append(json.dumps(d))
    return out


def rerun(binary, data, *options):
    """(exit code, derived lines, what was said) of the rerun of a journal's
    bytes."""
    r = subprocess.run((binary, "rerun", *options, "--json", "-", "-"), input=data,
                       capture_output=True, timeout=120)
    return r.returncode, derived(r.stdout.decode().splitlines()), \
        r.stderr.decode(errors="replace")


def first_difference(a, b):
    """A sentence on two lists of lines."""
    for i, (x, y) in enumerate(zip(a, b)):
        if x == y:
            continue
        x, y = json.loads(x), json.loads(y)
        keys = [k for k in {**x, **y} if x.get(k) != y.get(k)]
        return "line %d: %s" % (i, ", ".join("%s: %s and %s" % (
            k, x.get(k), y.get(k)) for k in keys)[:600])
    return "" if len(a) == len(b) else "%d and %d lines" % (len(a), len(b))


def same(t, binary, jsonl, journal):
    """The journal's rerun says what the run said whose lines are in @jsonl."""
    with open(jsonl) as f:
        live = sorted(derived(f))
    with open(journal, "rb") as f:
        code, lines, said = rerun(binary, f.read())
    t.equal(code, 0, "exit code of the rerun: " + said)
    wrong = first_difference(live, sorted(lines))
    t.check(lines and not wrong, "live and rerun: " + wrong)
