# SPDX-License-Identifier: BSD-2-Clause
"""Copies of the same bytes that contradict each other, before a real stack (I18).

A client by hand sends overlapping segments of different bytes to production, which
is Linux. What Understudy takes the client to have said it plays to the SUT; both
servers write down what they got, and it is the same, byte by byte.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402
import overlap  # noqa: E402

IDLE = "connections one by one"

COUNT = int(os.environ.get("OVERLAPS", "60"))
SLOW = 120  # seconds that anything may take on a busy machine
PORT = 20000


def server(l, room):
    log = l.path("overlap-" + room)
    p = l.spawn(room, [sys.executable, overlap.__file__, "serve", l.addr[room], log],
                err=log + ".err")
    p.log, p.reopen = log, False
    l.listening(room, p, seconds=SLOW)
    return p


def got(p):
    with open(p.log) as f:
        return dict(line.split(None, 1) for line in f.read().splitlines())


def overlaps(t, seed):
    with lab.Lab() as l:
        prod, sut = server(l, "prod"), server(l, "sut")
        here = l.addr["client"].rsplit(".", 1)[0] + ".211"
        l.ip("prod", "neigh", "add", here, "lladdr", lab.MAC["c0"], "dev", "p0")
        us = l.understudy()
        code, out = l.run("client", [
            sys.executable, overlap.__file__, "talk", "c0", here, l.addr["prod"],
            lab.MAC["c0"], lab.MAC["p0"], str(PORT), str(COUNT), str(seed)],
            timeout=SLOW)
        t.equal((code, out.strip()), (0, "talked %d" % COUNT), "client: " + out)
        l.settle(prod, sut)
        us.finish(SLOW)
        r = us.report()
        want, have = got(prod), got(sut)
        t.equal(len(want), COUNT, "connections at production")
        other = {p: (want[p], have.get(p)) for p in want if want[p] != have.get(p)}
        for p in list(other)[:8]:
            print("# %s: %s" % (p, overlap.pieces(overlap.random.Random(
                seed + int(p) - PORT))))
            print("#   prod %s\n#   sut  %s" % other[p])
        t.equal(len(other), 0, "connections of which the SUT got other bytes")
        t.check(r["machine"].get("client_conflict", 0) > 0, "counted: %s" % r["machine"])
        t.equal(r["sums"]["closed"], True, "sums: %s" % r["sums"])


lab.main([
    ("overlaps that contradict each other", overlaps, 1),
])
