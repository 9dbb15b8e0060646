# SPDX-License-Identifier: BSD-2-Clause
"""understudy replay: captures that tcpdump made in the lab, played to a live SUT
at other speeds, in parts and several times."""
import collections
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402
from again import derived, first_difference, rerun  # noqa: E402
from replayed import (ETHERNET, both, capture, each, is_probe,  # noqa: E402
                      keep, kept, ports, records, replay, said, sound)

MANY = 10000  # connections of the large capture
many = []  # the large capture and production's log of it


def make_many(t):
    with lab.Lab() as l:
        prod = l.nginx("prod")
        # No frame is as long, and its ring has place for more of them.
        path = capture(l, prod, each(MANY), snap=4096)
        log = os.path.join(kept, "many.log")
        shutil.copy(prod.log, log)
        rows = records(path)
        t.equal(len({r.id for r in lab.read_log(log)}), MANY, "requests")
        t.equal([x for x in rows if x[2] != len(x[3])][:1], [], "frames cut")
        span = rows[-1][0] - rows[0][0] + (rows[-1][1] - rows[0][1]) / 1e9
        print("# %d frames, %d bytes, %.1f s" % (
            len(rows), os.path.getsize(path), span))
        many.extend((path, log, span))


def play_many(t, name, *args):
    if not many:
        make_many(t)
    path, log, span = many
    with lab.Lab() as l:
        sut = l.nginx("sut")
        us, took = replay(l, path, *args)
        r = sound(t, l, us)
        l.settle(sut)
        got = lab.reach(log, sut.log)
        said(name, us, took, r)
        t.equal((got.asked, got.reached, got.duplicates, got.cut),
                (MANY, MANY, 0, 0), "asked, reached, duplicates, cut")
        t.equal((r["requests"]["answered"], r["verdicts"]["different"],
                 r["verdicts"]["not_compared"]), (MANY, 0, 0),
                "answered, different, not compared")
        t.equal(r["replay"]["flows"], MANY, "flows in the plan")
        if not args:
            t.check(took > span - 0.1, "faster than captured: %.1f s" % took)


def loops(t, family, *args):
    """Each repetition asks the same, from clients of its own."""
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, both(keep(20), each(50)))
        d = l.dump("sut", "s0", "tcp port 80 and tcp[13] & 2 != 0"
                   if family == 4 else "tcp port 80")
        us, took = replay(l, path, "--loop", "3", "--prove", "default", *args)
        l.settle(sut)
        r = sound(t, l, us)
        said("--loop 3, IPv%d %s" % (family, " ".join(args)), us, took, r)
        ids = collections.Counter(x.id for x in lab.read_log(sut.log))
        t.equal((len(ids), set(ids.values())), (70, {3}), "requests, times")
        t.equal((r["requests"]["answered"], r["verdicts"]["different"],
                 r["verdicts"]["not_compared"], r["replay"]["loops"]),
                (210, 0, 0, 3), "answered, different, not compared, loops")
        at = slice(ETHERNET + 12, ETHERNET + 16) if family == 4 else \
            slice(ETHERNET + 8, ETHERNET + 24)
        clients = {x[at] for _, x in l.dumped(d) if ports(x)[1] == 80}
        clients = {x for x in clients if not is_probe(x)}
        t.equal(len(clients), 3, "clients: %s" % clients)


def at_once(path):
    """Most connections to port 80 that were open at one time."""
    now, most = set(), 0
    for _, _, _, f in records(path):
        s, d = ports(f)
        flags = f[ETHERNET + (f[ETHERNET] & 15) * 4 + 13]
        if d != 80 or is_probe(f[ETHERNET + 12:ETHERNET + 16]):
            continue
        if flags & 2:
            now.add(s)
        elif flags & 5:
            now.discard(s)
        most = max(most, len(now))
    return most


def concurrency(t, limit, *args):
    """A SUT that takes 50 ms has no more than N connections open."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.labsrv("sut", "-d", "50")
        path = capture(l, prod, each(200))
        d = l.dump("sut", "s0", "tcp port 80")
        us, took = replay(l, path, *args)
        r = sound(t, l, us, 1)
        # labsrv's answers are not nginx's: every one of them is told.
        t.equal(r["verdicts"]["different"], 200, "different")
        l.settle(sut)
        l.dumped(d)
        most = at_once(d.path)
        said(" ".join(args), us, took, r)
        print("# at most %d connections at once" % most)
        t.equal(len({x.id for x in lab.read_log(sut.log)}), 200, "requests")
        t.equal(r["requests"]["answered"], 200, "answered")
        t.check(most <= limit and most > limit // 2, "%d at once" % most)


def first_flows(t):
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, each(50))
        us, took = replay(l, path, "--flows", "7")
        r = sound(t, l, us)
        l.settle(sut)
        said("--flows 7", us, took, r)
        # A connection is known by its ends; the kernel may give a client's port
        # out again, and then the later one is the same.
        asked = [ports(f)[0] for _, _, _, f in records(path) if ports(f)[1] == 80 and
                 f[ETHERNET + (f[ETHERNET] & 15) * 4 + 13] & 0x12 == 2]
        first = list(dict.fromkeys(asked))[:7]
        want = [x.id for x, port in zip(lab.read_log(prod.log), asked)
                if port in first]
        t.check(len(asked) == 50 and len(want) >= 7, "SYNs: %d" % len(asked))
        t.equal(sorted(x.id for x in lab.read_log(sut.log)), sorted(want),
                "requests at the SUT")
        t.equal(r["replay"]["records_beyond"], len(records(path)) -
                r["replay"]["records"], "records beyond")


def journal(t, *args):
    """rerun sends the same bytes as replay has, and reports the same."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, both(keep(20), each(50)))
        out = l.path("run.pcapng")
        us, _ = replay(l, path, "-w", out, *args)
        r = sound(t, l, us)
        again = subprocess.run((lab.BINARY, "rerun", out), text=True,
                               capture_output=True, timeout=60)
        print("# " + re.sub(r"^.*/", "", again.stdout.strip()))
        t.equal(again.returncode, 0, "rerun: " + again.stdout + again.stderr)
        n = re.search(r"(\d+) emitted", again.stdout)
        t.check(n and int(n[1]) >= r["requests"]["answered"], again.stdout)
        with open(us.jsonl) as f:
            live = derived(f)
        with open(out, "rb") as f:
            code, lines, _ = rerun(lab.BINARY, f.read())
        wrong = first_difference(live, lines)
        t.check(code == 0 and lines and not wrong, "the report: " + wrong)


def refused(t):
    with lab.Lab() as l:
        a = ("--sut-dev", "eth1", "--map", l.map())
        for args, word in (
                (("-r", "x", "--fast", "--multiplier", "2"), "drop one"),
                (("-r", "x", "--fast", "--level", "timing"), "level timing"),
                (("-r", "x", "--multiplier", "0"), "out of range"),
                (("-r", "x", "--loop", "0"), "out of range"),
                (("-r", "-"), "twice"),
                ((), "which capture"),
                (("-r", "x", "--loop", "2", "--skip", "100.64.1.0/24"),
                 "--skip names")):
            code, out = l.run("us", [lab.BINARY, "replay", *a, *args])
            t.equal((code, len(out.splitlines())), (2, 1), "%s: %s" % (
                args, out))
            t.check(word in out, "%s: %s" % (args, out))


def wrong_map(t):
    """Nothing would be played for as long as the capture is: said at once."""
    if not many:
        make_many(t)
    with lab.Lab() as l:
        code, out = l.run("us", [lab.BINARY, "replay", "--sut-dev", "eth1",
                                 "--map", l.map(81), "-r", many[0]])
        t.equal(code, 2, "exit code: " + out)
        t.check("seen is for example %s:80" % l.addr["prod"] in out, out)
        t.equal(len(out.splitlines()), 1, "lines: " + out)


TESTS = [
    ("10,000 connections are captured", make_many),
    ("original speed", play_many, "original speed"),
    ("--multiplier 10", play_many, "--multiplier 10", "--multiplier", "10"),
    ("--fast", play_many, "--fast", "--fast"),
    ("--fast --concurrency 500", play_many, "--fast --concurrency 500",
     "--fast", "--concurrency", "500"),
    ("--loop, IPv4", loops, 4),
    ("--loop, IPv6", loops, 6),
    ("--loop, --fast", loops, 4, "--fast"),
    ("--concurrency", concurrency, 10, "--concurrency", "10"),
    ("--concurrency, --fast", concurrency, 10, "--concurrency", "10",
     "--fast"),
    ("--flows", first_flows),
    ("its journal", journal),
    ("its journal, --fast --loop", journal, "--fast", "--loop", "2"),
    ("its journal, --multiplier --concurrency", journal, "--multiplier", "5",
     "--concurrency", "3"),
    ("options that contradict each other", refused),
    ("a wrong --map", wrong_map),
]
lab.main(TESTS)
