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


def same(t, us, asked, open_=0):
    """The report of a run of a server against itself, with its sums. All but one
    in a thousand are compared, and the `open_` requests that the client left
    without an answer when it stopped."""
    r = us.report()
    if not t.check(r, "no report: " + us.text()):
        return
    v = r["verdicts"]
    total = sum(v.values())
    t.equal(v["different"], 0, "different")
    t.equal(us.differences(), [], "differences told")
    t.check(v["identical"] + v["equivalent"] >= total - open_ - total // 1000,
            "compared too few: %s %s" % (v, r["not_compared"]))
    t.check(r["requests"]["seen"] >= asked, "seen %d of %d" % (
        r["requests"]["seen"], asked))
    t.equal(total, r["requests"]["seen"], "verdicts of requests seen")
    t.equal(sum(r["not_compared"].values()), v["not_compared"],
            "sum of not compared by reason")
    t.equal(r["capture"]["drops"], 0, "capture drops")
    t.equal(r["sums"]["closed"], True, "sums closed")
    return r


# A client that never rests fills every ring of a machine which is busy beside it:
# what is asserted here is that nothing is lost at all, so the load is paced.
# Milliseconds that a connection rests before each request.
REST = 2


def row(t, own=False, family=4, gso=True, **load):
    with lab.Lab(family=family, gso=gso) as l:
        if own:
            prod, sut = l.labsrv("prod"), l.labsrv("sut")
        else:
            prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        l.wrk(**dict({"seconds": 1, "delay": REST}, **load))
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code")
        got = exact(t, prod, sut, 0 if load.get("close") else
                    load.get("pipe", 1))
        # What wrk leaves unanswered when it stops cannot be compared.
        r = same(t, us, got.asked,
                 load.get("conns", 16) * load.get("pipe", 1))
        # A client that resets in the middle of its work does so at the SUT.
        aborts = r["not_compared"]["client_abort"] if r else 0
        t.check(got.cut <= (aborts if load.get("close") else 0),
                "answers cut: %d, aborts %d" % (got.cut, aborts))
        lab.isolated(t, l)


lab.main([
    ("keepalive", row),
    ("one connection without think time", lambda t: row(t, conns=1, delay=0)),
    ("10 KB keepalive", lambda t: row(t, url="/b10k")),
    ("short connections", lambda t: row(t, close=True)),
    ("five pipelined in one segment", lambda t: row(t, pipe=5)),
    ("POST 20 KB, GSO", lambda t: row(
        t, own=True, url="/post", body=20480, delay=10)),
    ("POST 200 KB, GSO", lambda t: row(
        t, own=True, url="/post", body=204800, delay=100)),
    ("1 MB short connections", lambda t: row(
        t, url="/b1m", close=True, conns=4, delay=50)),
    # Frames as a card without receive offload hands them over: none is merged.
    ("keepalive, no GSO", lambda t: row(t, gso=False)),
    ("short connections, no GSO", lambda t: row(t, gso=False, close=True)),
    ("POST 20 KB, no GSO", lambda t: row(
        t, own=True, gso=False, url="/post", body=20480, delay=20)),
    ("POST 20 KB, no GSO, one connection", lambda t: row(
        t, own=True, gso=False, url="/post", body=20480, conns=1, delay=2)),
    ("POST 20 KB, no GSO, IPv6", lambda t: row(
        t, own=True, family=6, gso=False, url="/post", body=20480, delay=20)),
    ("IPv6 keepalive", lambda t: row(t, family=6)),
    ("IPv6 short connections", lambda t: row(t, family=6, close=True)),
])
