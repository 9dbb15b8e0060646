# SPDX-License-Identifier: BSD-2-Clause
"""A journal makes the engine send the same bytes again and report the same, and
rerun would notice.

Runs are live; their journals are then changed by hand, byte by byte, and must be
found out.
"""
import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import again  # noqa: E402
import lab  # noqa: E402

IDLE = "a few requests"

CLIENT, EMITTED = 0, 3  # interfaces of the file


def rerun(*files, stdin=subprocess.DEVNULL):
    return subprocess.run((lab.BINARY, "rerun") + files, capture_output=True,
                          text=True, timeout=120, stdin=stdin)


def record(l, drive, *args, sut=""):
    """Journal of a run in which `drive` was done."""
    journal = l.path("run.pcapng")
    prod, sut = l.nginx("prod"), l.nginx("sut", sut)
    us = l.understudy("-w", journal, *args)
    drive(l)
    l.settle(prod, sut)
    us.finish()
    with open(us.jsonl) as f:
        l.live_lines = again.derived(f)
    return journal


def reports_the_same(t, l, journal):
    """--json: the lines are the live run's."""
    path = l.path("again.jsonl")
    r = rerun("--json", path, journal)
    t.equal(r.returncode, 0, "exit code; " + r.stdout + r.stderr)
    with open(path) as f:
        lines = again.derived(f)
    wrong = again.first_difference(l.live_lines, lines)
    t.check(lines and not wrong, "live and rerun: " + wrong)
    t.equal(os.stat(path).st_mode & 0o777, 0o600, "its mode")
    t.equal(rerun("--json", path, journal).returncode, 2,
            "exit code over a file that is there")


def keepalive(l):
    l.client("keep", *["/b100?id=q-%d" % i for i in range(30)])


def load(l):
    l.wrk(1, 16, delay=2)
    l.wrk(1, 4, url="/b10k", run="s", delay=2)


def is_equal(t, journal, least):
    r = rerun(journal)
    t.equal(r.returncode, 0, "exit code; " + r.stdout + r.stderr)
    words = r.stdout.split()
    t.check("equal:" in words and int(words[-3]) >= least,
            "fewer than %d emitted frames: %s" % (least, r.stdout))


def equal(t, drive, least, *args):
    with lab.Lab() as l:
        journal = record(l, drive, *args)
        is_equal(t, journal, least)
        reports_the_same(t, l, journal)


def differences(t):
    """A SUT that answers otherwise: each difference is told again."""
    with lab.Lab() as l:
        journal = record(l, keepalive, sut="location = /b100 { return 404; }")
        t.equal(len(l.live_lines), 32,
                "30 differences, the SUT is up, and a report")
        reports_the_same(t, l, journal)
        report = json.loads(l.live_lines[-1])
        times = report["latency"]
        for side in "prod", "sut":
            t.equal(times[side + "_measured"], 30, side + " measured")
            t.check(times[side + "_last_p50_us"] >= times[side + "_p50_us"] and
                    times[side + "_connect_p50_us"] is not None, str(times))
        # On a busy machine each request may wait for the SUT's answer before it.
        t.check(times["own_delay_p50_us"] is not None or
                report["machine"].get("order_held") == 29, str(times))


def piped(t):
    with lab.Lab() as l, open(record(l, keepalive), "rb") as f:
        r = rerun("-", stdin=f)
        t.equal(r.returncode, 0, "exit code; " + r.stdout + r.stderr)
        t.check("-: equal:" in r.stdout, r.stdout)


def lossy(t):
    with lab.Lab(loss=50) as l:
        journal = record(l, load)
        is_equal(t, journal, 100)
        reports_the_same(t, l, journal)


def rotated(t):
    with lab.Lab() as l:
        journal = record(l, load, "-C", "1")
        t.check(os.path.exists(journal + "3"), "fewer than 4 files")
        is_equal(t, journal, 1000)
        with open(journal, "rb") as f:
            t.check(len(f.read()) > 900000, "a file is not of a million bytes")
        os.unlink(journal + "2")
        t.equal(rerun(journal).returncode, 2, "exit code without a file")


def blocks(data):
    """(interface, offset of the frame, its length) of each packet block."""
    at = 0
    while at + 12 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 6:
            iface, = struct.unpack_from("<I", data, at + 8)
            cap, = struct.unpack_from("<I", data, at + 20)
            yield iface, at + 28, cap
        at += size


def changed(data, iface, word):
    """`data` with one byte of the frame of `iface` that holds `word` changed."""
    for i, at, cap in blocks(data):
        where = data.find(word, at, at + cap)
        if i == iface and where >= 0:
            return data[:where] + b"X" + data[where + 1:]
    raise lab.LabError("no frame holds %r" % word)


def found_out(t):
    with lab.Lab() as l:
        journal = record(l, keepalive)
        with open(journal, "rb") as f:
            good = f.read()
        bad = l.path("bad.pcapng")
        for iface, name in ((EMITTED, "what was sent"), (CLIENT, "an input")):
            with open(bad, "wb") as f:
                f.write(changed(good, iface, b"q-7"))
            r = rerun(bad)
            t.equal(r.returncode, 1, "exit code, changed is " + name)
            t.check("payload" in r.stdout and "flow" in r.stdout and
                    "record" in r.stdout, name + ": " + r.stdout)
        with open(bad, "wb") as f:
            f.write(good[:len(good) * 2 // 3])
        r = rerun(bad)
        t.equal(r.returncode, 2, "exit code of a cut one: " + r.stderr)
        t.equal(rerun(journal, bad).returncode, 2, "of a good and a bad one")


def cannot(t):
    with lab.Lab() as l:
        journal = record(l, keepalive, "--journal-only", "client")
        r = rerun(journal)
        t.equal(r.returncode, 2, "exit code")
        t.check("journal-only" in r.stderr, r.stderr)
        for name in (lab.BINARY, l.path("none"), "/dev/null"):
            r = rerun(name)
            t.equal(r.returncode, 2, "exit code of " + name)
            t.equal(len(r.stderr.splitlines()), 1, "lines for " + name)


def from_a_capture(t):
    with lab.Lab() as l:
        first = record(l, keepalive)
        again = l.path("again.pcapng")
        r = subprocess.run(
            (lab.BINARY, "shadow", "-r", first, "--sut-dev", "none", "--map",
             l.map(), "-w", again), capture_output=True, text=True)
        t.equal(r.returncode, 0, "exit code of the run: " + r.stderr)
        is_equal(t, again, 0)


lab.main([
    ("one connection", equal, keepalive, 30),
    ("from standard input", piped),
    ("load", equal, load, 1000),
    ("level timing", equal, keepalive, 30, "--level", "timing"),
    ("a mirror that loses frames", lossy),
    ("differences", differences),
    ("several files", rotated),
    ("a capture played to nobody", from_a_capture),
    ("a changed byte is found out", found_out),
    ("what cannot be rerun", cannot),
])
