# SPDX-License-Identifier: BSD-2-Clause
"""understudy replay: when a record is played, what it waits for, how a run is
interrupted."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402
from replayed import (ETHERNET, both, capture, closed,  # noqa: E402
                      is_probe, keep, ports, records, replay, said, sound,
                      spread, write)

BIG = 16 << 20
UPLOAD = """
import socket, sys
s = socket.create_connection((sys.argv[1], 80))
body = int(sys.argv[2])
s.sendall(b"POST /?id=q-0 HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: %d\\r\\n\\r\\n"
          % body + b"u" * body)
s.recv(65536)
"""
DOWNLOAD = """
import socket, sys
s = socket.create_connection((sys.argv[1], 80))
s.sendall(b"GET /?id=q-1&size=%d HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
          % int(sys.argv[2]))
left = int(sys.argv[2])
while left > 0:
    left -= len(s.recv(1 << 20))
"""


def times(t, *args):
    """Distances are the capture's, divided by --multiplier, in each repetition:
    neither bound has to do with how fast the machine is."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, both(keep(4, "/b100"), keep(4, "/b100", "r")))
        for length, factor, n in ((0.15, "0.1", 2), (30, "20", 1)):
            spread(path, length)
            us, took = replay(l, path, "--multiplier", factor, "--loop", str(n),
                              *args)
            r = closed(t, us)
            said("%s s, --multiplier %s" % (length, factor), us, took, r)
            t.equal((r["requests"]["answered"], r["verdicts"]["different"],
                     r["verdicts"]["not_compared"]), (8 * n, 0, 0),
                    "answered, different, not compared")
            # Nothing is played early: 150 ms become 1.5 s, twice. And 30 s
            # become 1.5 s.
            t.check(3 <= took if length < 1 else took < 15,
                    "%s s with --multiplier %s took %.1f s" % (length, factor,
                                                               took))
            t.check(r["capture"]["delay_p99_us"] > 0, "how late: not measured")
        l.settle(sut)
        t.equal(len(lab.read_log(sut.log)), 24, "requests at the SUT")
        lab.isolated(t, l)


def last_record(t):
    """A capture that ends with a request: it is played like any other."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, keep(3, "/b100"))
        rows = records(path)
        at = [i for i, x in enumerate(rows) if b"id=q-2" in x[3]][0]
        write(path, rows[:at + 1])
        for args in ((), ("--concurrency", "3"), ("--fast",)):
            us, took = replay(l, path, *args)
            r = closed(t, us)
            said("a request at the end " + " ".join(args), us, took, r)
            t.equal((r["replay"]["records"], r["replay"]["records_played"],
                     r["requests"]["answered"]), (at + 1, at + 1, 3),
                    "records in the plan, played; answered")
        l.settle(sut)
        t.equal([x.id for x in lab.read_log(sut.log)],
                ["q-0", "q-1", "q-2"] * 3, "requests at the SUT")
        lab.isolated(t, l)


def early(path):
    """Requests to port 80 that went out before the answer to the one before:
    (of them, of all). One connection, one segment a request."""
    asked = answered = before = 0
    seen = set()
    for _, _, _, f in records(path):
        s, d = ports(f)
        tcp = ETHERNET + (f[ETHERNET] & 15) * 4
        key = (s, f[tcp + 4:tcp + 8])
        if is_probe(f[ETHERNET + 12:ETHERNET + 16]) or \
                b"HTTP/1.1" not in f or key in seen:
            continue
        seen.add(key)
        if d == 80:
            before += asked > answered
            asked += 1
        else:
            answered += 1
    return before, asked


def waits(t):
    """--fast without production's side: what a client sent after it had read an
    answer waits for the SUT's, which takes 50 ms."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.labsrv("sut", "-d", "50")
        path = capture(l, prod, keep(20, "/b100"))
        write(path, [x for x in records(path) if ports(x[3])[1] == 80])
        d = l.dump("sut", "s0", "tcp port 80")
        us, took = replay(l, path, "--fast")
        r = sound(t, l, us, 2)
        l.settle(sut)
        l.dumped(d)
        said("one-sided, 50 ms an answer", us, took, r)
        before, asked = early(d.path)
        forced = r["replay"]["gates_forced"]
        print("# %d of %d requests before the answer to the one before" % (
            before, asked))
        t.equal((asked, r["requests"]["answered"]), (20, 20),
                "requests at the SUT, answered")
        # A machine that stands still for 200 ms forces one. If all were handed in
        # at once none would be forced, and nearly all early.
        t.check(before <= forced < 15, "%d early, %d forced" % (before,
                                                                forced))


def in_parts(t):
    """--fast hands in a large message as fast as the SUT takes or gives it: no
    more than a part of it is ever kept."""
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-d", "100")
        # What the SUT may not have acked is kept too.
        l.sysctl("sut", "net.ipv4.tcp_rmem", "4096 131072 262144")
        for what, text in (("upload", UPLOAD), ("download", DOWNLOAD)):
            path = capture(l, prod, lambda l: l.python(
                "client", text, l.addr["prod"], BIG))
            us, took = replay(l, path, "--fast")
            r = closed(t, us)
            said(what, us, took, r)
            peak = r["memory"]["pool_peak"]
            print("# %d kB of the pool at most, capture %d kB" % (
                peak >> 10, os.path.getsize(path) >> 10))
            t.equal((r["requests"]["answered"], os.path.getsize(path) > BIG),
                    (1, True), what + ": answered, the capture has all of it")
            t.check(peak < BIG // 4, "%s: pool: %d kB" % (what, peak >> 10))
        lab.isolated(t, l)


def interrupted(t):
    """SIGINT ends a run with the report of what was played."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, keep(20, "/b100"))
        spread(path, 150)
        for args in ((), ("--concurrency", "3")):
            l.files += 1
            jsonl = l.path("us%d.jsonl" % l.files)
            us = lab.Understudy(l, [
                lab.BINARY, "replay", "-r", path, "--sut-dev", "eth1", "--map",
                l.map(), "--multiplier", "10", "--json", jsonl, *args], jsonl)
            end = time.monotonic() + 30
            while us.alive() and time.monotonic() < end and \
                    us.report().get("requests", {}).get("answered", 0) < 2:
                us.signal(signal.SIGUSR1)
                time.sleep(0.1)
            us.finish()
            r = closed(t, us, reached=False)
            p, asked = r["replay"], r["requests"]
            said("interrupted " + " ".join(args), us, 0, r)
            t.check(2 <= asked["answered"] <= asked["seen"] < 20, str(asked))
            t.equal(p["records_played"] + p["records_not_reached"],
                    p["records"], "records played and not reached")
            t.check(p["records_not_reached"] > 0, str(p))
            t.equal((r["verdicts"]["different"], us.lines()[-1]["type"],
                     "requests" in us.text()), (0, "report", True),
                    "different, last line, a summary for a person")
        lab.isolated(t, l)


def interrupted_early(t):
    """SIGINT while the SUT's wire is not proved: one sentence and no files."""
    with lab.Lab() as l:
        prod = l.nginx("prod")
        path = capture(l, prod, keep(2, "/b100"))
        l.ip("sut", "link", "set", "s0", "down")
        jsonl = l.path("early.jsonl")
        us = lab.Understudy(l, [lab.BINARY, "replay", "-r", path, "--sut-dev",
                                "eth1", "--map", l.map(), "--json", jsonl],
                            jsonl, ready=1.5)
        t.equal((us.finish(), os.path.exists(jsonl),
                 "ended before a client was played" in us.text()),
                (2, False, True), "code, a file, the sentence: " + us.text())


def stamps(t):
    """Records without a time, and some that lie 20 years ahead of the others:
    nobody waits for them, and a wait that is left is said."""
    with lab.Lab() as l:
        prod = l.nginx("prod")
        l.nginx("sut")
        path = capture(l, prod, keep(4, "/b100"))
        good = records(path)
        write(path, [x if i % 2 else (0, 0) + x[2:]
                     for i, x in enumerate(good)])
        for args in ((), ("--concurrency", "3")):
            us, took = replay(l, path, *args, seconds=15)
            r = closed(t, us)
            said("every second one without a time", us, took, r)
            t.equal((r["requests"]["answered"], took < 10), (4, True),
                    "answered; it took %.1f s" % took)
        write(path, [(x[0] + (i > 6) * 20 * 365 * 86400,) + x[1:]
                     for i, x in enumerate(good)])
        for args in ((), ("--concurrency", "3")):
            us, took = replay(l, path, "--maxsleep", "500ms", *args,
                              seconds=15)
            r = closed(t, us)
            said("20 years, --maxsleep 500ms", us, took, r)
            t.equal((r["requests"]["answered"], 0.5 <= took < 10,
                     r["input"]["stamps_leaps"]), (4, True, 1),
                    "answered; it took %.1f s; leaps" % took)
            us, took = replay(l, path, "--duration", "1s", *args, seconds=15)
            t.check("next record comes in 16" in us.text(),
                    "a wait of days is not said: " + us.text()[:400])
        lab.isolated(t, l)


lab.main([
    ("--multiplier, times", times),
    ("--multiplier --concurrency, times", times, "--concurrency", "4"),
    ("a request is the last record", last_record),
    ("stamps that are missing or far ahead", stamps),
    ("one-sided, --fast waits for answers", waits),
    ("large messages in parts, --fast", in_parts),
    ("interrupted", interrupted),
    ("interrupted before a client was played", interrupted_early),
])
