# SPDX-License-Identifier: BSD-2-Clause
"""Every request reaches the SUT once, in order, and is answered whole.

Same server on both sides: nothing may differ, nearly all must be compared.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402


def exact(t, prod, sut, tail):
    got = lab.reach(prod.log, sut.log, tail)
    t.check(got.asked > 20, "too few requests at production: %d" % got.asked)
    t.check(not got.missing, "reached %d of %d, missing %s ..." % (
        got.reached, got.asked, got.missing[:5]))
    t.equal(got.duplicates, 0, "duplicates")
    t.equal(got.disorder, 0, "out of order")
    return got


def same(t, us, asked, compared=0.999):
    """The report of a run of a server against itself, with its sums."""
    r = us.report()
    if not t.check(r, "no report: " + us.text()):
        return
    v = r["verdicts"]
    total = sum(v.values())
    t.equal(v["different"], 0, "different")
    t.equal(us.differences(), [], "differences told")
    t.check(v["identical"] + v["equivalent"] >= compared * total,
            "compared too few: %s %s" % (v, r["not_compared"]))
    t.check(r["requests"]["seen"] >= asked, "seen %d of %d" % (
        r["requests"]["seen"], asked))
    t.equal(total, r["requests"]["seen"], "verdicts of requests seen")
    t.equal(sum(r["not_compared"].values()), v["not_compared"],
            "sum of not compared by reason")
    t.equal(r["capture"]["drops"], 0, "capture drops")
    t.equal(r["sums"]["closed"], True, "sums closed")
    return r


# Uploads of a second fill the default pool on a machine that leaves the SUT too
# little time: here all of it has room, and the SUT takes it when it can.
ROOM = ("--pool", "1G", "--flow-share", "512M")


def row(t, own=False, family=4, options=(), **load):
    with lab.Lab(family=family) as l:
        if own:
            prod, sut = l.labsrv("prod"), l.labsrv("sut")
        else:
            prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy(*options)
        l.wrk(**dict({"seconds": 1}, **load))
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code")
        got = exact(t, prod, sut, 0 if load.get("close") else
                    load.get("pipe", 1))
        # What wrk leaves unanswered when it stops cannot be compared.
        r = same(t, us, got.asked,
                 0.999 - 2 * load.get("conns", 16) / got.asked)
        # A client that resets in the middle of its work does so at the SUT.
        aborts = r["not_compared"]["client_abort"] if r else 0
        t.check(got.cut <= (aborts if load.get("close") else 0),
                "answers cut: %d, aborts %d" % (got.cut, aborts))
        lab.isolated(t, l)


lab.main([
    ("keepalive", row),
    ("one connection without think time", lambda t: row(t, conns=1)),
    ("10 KB keepalive", lambda t: row(t, url="/b10k")),
    ("short connections", lambda t: row(t, close=True)),
    ("five pipelined in one segment", lambda t: row(t, pipe=5)),
    ("POST 20 KB, GSO", lambda t: row(
        t, own=True, options=ROOM, url="/post", body=20480)),
    ("POST 200 KB, GSO", lambda t: row(
        t, own=True, options=ROOM, url="/post", body=204800)),
    ("1 MB short connections", lambda t: row(t, url="/b1m", close=True)),
    ("IPv6 keepalive", lambda t: row(t, family=6)),
    ("IPv6 short connections", lambda t: row(t, family=6, close=True)),
])
