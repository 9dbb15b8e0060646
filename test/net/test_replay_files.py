# SPDX-License-Identifier: BSD-2-Clause
"""understudy replay: files that were cut, that are too large for the index, that
are no captures of what is played."""
import collections
import glob
import os
import shutil
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402
from replayed import (capture, closed, each, records, replay,  # noqa: E402
                      said, sound, write)

IDLE = "small captures"

MATERIAL = os.environ.get("MATERIAL", "")


def cut_file(t):
    """What comes before the cut is played, and the end is said."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, each(20))
        size, bad = os.path.getsize(path), l.path("bad.pcap")
        for at, code in ((size - 7, 0), (size // 2, 0), (24, 2), (10, 2),
                         (0, 2)):
            shutil.copy(path, bad)
            os.truncate(bad, at)
            us, took = replay(l, bad, "--fast")
            lines = [x for x in us.text().splitlines() if "bad.pcap" in x]
            t.equal((us.code, len(lines)), (code, 0 if at == 24 else 1),
                    "code, lines on a file of %d bytes: %s" % (at, us.text()))
            if at > 1000:
                r = us.report()
                said("cut at %d of %d" % (at, size), us, took, r)
                t.check(r["requests"]["answered"] >= 9, "played: %s" % r)
                t.equal(r["sums"]["closed"], True, "sums closed")
        code, out = l.run("us", [
            "bash", "-c", 'exec "$0" replay -r <(cat "$1") --sut-dev eth1 '
            '--map "$2"', lab.BINARY, path, l.map()])
        t.check(code == 2 and "twice" in out, "a pipe: %d %s" % (code, out))
        lab.isolated(t, l)


def full_index(t):
    """What the index has no place for is counted, and said."""
    with lab.Lab() as l:
        prod = l.nginx("prod")
        l.nginx("sut")
        path = capture(l, prod, each(300))
        us, took = replay(l, path, "--index", "64K")
        r = sound(t, l, us, 2)
        said("--index 64K", us, took, r)
        t.check("raise --index" in us.text(), us.text()[-300:])
        left = r["replay"]
        t.equal(left["records"] + left["records_not_indexed"],
                len(records(path)), "records in the plan and beyond it")
        t.check(left["records_not_indexed"] > 0, str(left))


def loopback(t):
    """Clients that no SUT answers: said, or given other addresses."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, each(20))
        old = socket.inet_aton(l.addr["client"])
        write(path, [(s, n, w, f[:26] + f[26:34].replace(
            old, bytes((127, 0, 0, 2))) + f[34:])
            for s, n, w, f in records(path)])
        us, took = replay(l, path)
        t.check(us.code == 2 and "client 127.0.0.2" in us.text() and
                "--client-net" in us.text(), us.text()[-400:])
        t.equal(us.report()["flows"]["played"], 0, "flows played")
        for args in ((), ("--fast",), ("--loop", "2")):
            us, took = replay(l, path, "--client-net", "172.20.0.0/24", *args)
            r = closed(t, us)
            said("--client-net " + " ".join(args), us, took, r)
            n = 40 if "--loop" in args else 20
            t.equal((r["requests"]["answered"], r["verdicts"]["different"]),
                    (n, 0), "answered, different")
        l.settle(sut)
        t.equal(len(lab.read_log(sut.log)), 80, "requests at the SUT")
        lab.isolated(t, l)


def material(t):
    """Captures nobody here made, mostly broken or of other protocols: an error
    of one line, or a report whose sums close."""
    every = 12 if os.environ.get("REPLAY_ALL") is None else 1
    paths = sorted(glob.glob(os.path.join(MATERIAL, "tcpdump", "*")))[::every]
    codes = collections.Counter()
    with lab.Lab() as l:
        l.nginx("sut")
        a = l.addr["sut"]
        for path in paths:
            jsonl = l.path(os.path.basename(path) + ".jsonl")
            us = lab.Understudy(
                l, [lab.BINARY, "replay", "-r", path, "--sut-dev", "eth1",
                    "--map", "0.0.0.0/0:80=%s:80" % a, "--multiplier",
                    "1000000", "--duration", "1s", "--json", jsonl], jsonl)
            us.wait(20)
            name = os.path.basename(path)
            codes[us.code] += 1
            t.check(us.code in (0, 1, 2), "%s: exit %s" % (name, us.code))
            r = us.report()
            t.check(r.get("sums", {}).get("closed") if r else
                    len(us.text().splitlines()) == 1,
                    name + ": " + us.text()[-300:])
        print("# %d captures (every %d. of them; REPLAY_ALL=1: all), by exit "
              "code: %s" % (len(paths), every, dict(codes)))
        t.check(len(paths) > 0, "no captures in " + MATERIAL)
        lab.isolated(t, l)


TESTS = [
    ("a file that was cut", cut_file),
    ("--index is full", full_index),
    ("clients on loopback", loopback),
]
if MATERIAL:
    TESTS += [("captures of others", material)]
else:
    print("# captures of others: not played, MATERIAL is not set")
lab.main(TESTS)
