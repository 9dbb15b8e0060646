# SPDX-License-Identifier: BSD-2-Clause
"""A SUT that dies, refuses, freezes or lags; everything returns to rest."""
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402


def snapshot(us, seconds=2.0):
    """SIGUSR1 and the report that it brings."""
    before = len(us.lines())
    us.signal(signal.SIGUSR1)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        new = [x for x in us.lines()[before:] if x.get("type") == "report"]
        if new:
            return new[-1]
        time.sleep(0.02)
    raise lab.LabError("SIGUSR1 brought no report")


def at_rest(t, us, rest, what):
    now = snapshot(us)["memory"]
    for key in ("pool_used", "flows_used", "timers_used"):
        t.equal(now[key], rest[key], "%s: %s" % (what, key))


def killed(t):
    with lab.Lab() as l:
        l.nginx("prod")
        sut = l.nginx("sut")
        us = l.understudy()
        rest = snapshot(us)["memory"]
        load = l.wrk(seconds=2, wait=False)
        time.sleep(0.7)
        sut.kill()
        l.wrk_rate(load)
        time.sleep(1.1)
        at_rest(t, us, rest, "1 s after the end")
        t.check(us.finish() in (1, 2), "exit code")
        r = us.report()
        t.check(r["requests"]["delivered"] < r["requests"]["seen"],
                "all was delivered to a dead SUT: %s" % r["requests"])
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


def refusing(t):
    with lab.Lab() as l:
        l.nginx("prod")
        us = l.understudy()
        load = l.wrk(seconds=1, close=True, wait=False)
        l.wrk_rate(load)
        time.sleep(1.1)
        t.equal(us.finish(), 1, "exit code when all was refused")
        r = us.report()
        t.equal(r["unanswered"]["refused"], r["requests"]["seen"], "refused")
        t.equal(r["requests"]["answered"], 0, "answered")
        t.equal(r["memory"]["flows_used"], 0, "flows")
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


def resetting(t):
    """A RST for each request: the flow begins anew at the next one."""
    with lab.Lab() as l:
        l.labsrv("prod")
        l.labsrv("sut", "-f")
        us = l.understudy()
        rest = snapshot(us)["memory"]
        l.wrk(seconds=1, conns=4, url="/a?fault=reset")
        time.sleep(1.1)
        at_rest(t, us, rest, "1 s after the end")
        t.equal(us.finish(), 1, "exit code")
        r = us.report()
        t.check(r["flows"]["ended"].get("sut_rst", 0) > 10, "no RST reported")
        t.equal(r["requests"]["answered"], 0, "answered")
        t.equal(r["requests"]["delivered"] + sum(r["not_delivered"].values()),
                r["requests"]["seen"], "every request counted")
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


def frozen(t):
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut")
        us = l.understudy("--sut-silent", "1s", "--answer-wait", "1s")
        rest = snapshot(us)["memory"]
        l.wrk(seconds=1, url="/a", run="before", delay=1)
        l.settle(prod, sut)
        sut.send_signal(signal.SIGSTOP)
        l.wrk(seconds=3, url="/a", run="frozen", delay=1)
        time.sleep(1.5)
        t.check("silent" in json.dumps(snapshot(us)),
                "the report does not say that the SUT is silent")
        sut.send_signal(signal.SIGCONT)
        time.sleep(3)
        l.wrk(seconds=1, url="/a", run="after", delay=1)
        l.settle(prod, sut)
        time.sleep(1.1)
        at_rest(t, us, rest, "at the end")
        us.finish()
        for run in ("before", "after"):
            asked = {r.id for r in lab.read_log(prod.log)
                     if r.id.startswith(run)}
            got = {r.id for r in lab.read_log(sut.log)}
            t.check(asked and asked <= got, "%s: reached %d of %d" % (
                run, len(asked & got), len(asked)))
        lab.isolated(t, l)


def flooded(t):
    """A SYN flood many times the table: established flows are untouched."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy("--max-flows", "1000")
        load = l.wrk(seconds=3, conns=8, delay=2, wait=False)
        time.sleep(0.3)
        t.check(l.flood(2, 10000) > 10000, "the flood was a trickle")
        l.wrk_rate(load)
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code")
        got = lab.reach(prod.log, sut.log, tail=1)
        r = us.report()
        t.check(got.asked and got.reached == got.asked,
                "reached %d of %d; drops %d, victims %d, %s" % (
                    got.reached, got.asked, r["capture"]["drops"],
                    r["machine"]["victims"], r["flows"]))
        t.check(r["machine"]["victims_half_open"] > 5000, "half-open victims")
        t.equal((got.duplicates, got.disorder, got.cut), (0, 0, 0),
                "duplicates, disorder, cut")
        t.equal(r["sums"]["closed"], True, "sums closed")
        # The flood itself comes from addresses of the client's own wire.
        lab.isolated(t, l)


def lagging(t):
    """50 ms slower, `wait`: all is played in the end, `behind` says so. The
    run is ended while the SUT is seconds behind, and waits for it."""
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-d", "50")
        us = l.understudy("--behind", "wait")
        n = 80
        l.client("keep", *("/a?id=q-%d" % i for i in range(n)))
        t.equal(us.finish(30), 0, "exit code")
        got = lab.reach(prod.log, sut.log)
        t.equal((got.asked, got.reached, got.disorder), (n, n, 0), "reached")
        worst, true = us.report()["behind"]["max_ms"], (n - 1) * 50
        t.check(true * 0.9 <= worst <= true * 1.1 + 20,
                "behind at most %s ms, true about %d" % (worst, true))
        lab.isolated(t, l)


def two(t, family=4):
    """Two SUTs of one production server: both get everything. One is killed:
    the other does not feel it."""
    with lab.Lab(family=family) as l:
        l.second_sut()
        prod, one = l.labsrv("prod"), l.labsrv("sut")
        other = l.labsrv("sut", at="sut2", port=81)
        us = l.understudy("--map", l.map(sut="sut2", sut_port=81))
        rest = snapshot(us)["memory"]
        # Paced: what a machine can take at most is not the question here.
        l.wrk(seconds=1, conns=8, url="/a", run="both", delay=1)
        l.settle(prod, one, other)
        for name, sut in (("first", one), ("second", other)):
            got = lab.reach(prod.log, sut.log)
            t.check(got.asked and got.reached == got.asked,
                    "%s: reached %d of %d" % (name, got.reached, got.asked))
            t.equal((got.duplicates, got.disorder, got.cut), (0, 0, 0),
                    name + ": duplicates, disorder, cut")
        load = l.wrk(seconds=2, conns=8, url="/a", run="one", delay=1,
                     wait=False)
        time.sleep(0.7)
        other.kill()
        l.wrk_rate(load)
        l.settle(prod, one)
        time.sleep(1.1)
        at_rest(t, us, rest, "at the end")
        us.finish()
        n = us.report()
        got = lab.reach(prod.log, one.log)
        t.check(got.asked and got.reached == got.asked,
                "beside a dead one: reached %d of %d; drops %d, %s" % (
                    got.reached, got.asked, n["capture"]["drops"],
                    n["not_delivered"]))
        t.equal((got.duplicates, got.disorder, got.cut), (0, 0, 0),
                "beside a dead one: duplicates, disorder, cut")
        t.equal(n["requests"]["delivered"] + sum(n["not_delivered"].values()),
                n["requests"]["seen"], "every request counted")
        t.equal(n["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


def moves(t, family, told):
    """Its hardware address changes under load: with --sut-mac any it is followed,
    and its connections go on; without, that ends the run."""
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy(*told)
        load = l.wrk(seconds=5, conns=8, delay=5, wait=False)
        time.sleep(1)
        l.ip("sut", "link", "set", "s0", "address", "02:00:00:00:99:01")
        l.wrk_rate(load)
        l.settle(prod, sut)
        code, text = us.finish(), us.text()
        if not told:
            t.equal(code, 2, "exit code: " + text[-300:])
            t.check("02:00:00:00:99:01" in text, text[-300:])
            return
        got, r = lab.reach(prod.log, sut.log, 1), us.report()
        t.check("has moved to 02:00:00:00:99:01" in text, text[:600])
        t.check(not got.missing, "reached %d of %d" % (got.reached, got.asked))
        t.equal((got.duplicates, got.cut), (0, 0), "duplicates, cut")
        t.equal(r["sut_wire"]["moves"], 1, "moves")
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


lab.main([
    ("killed", killed),
    ("refusing", refusing),
    ("answering with RST", resetting),
    ("frozen, and back", frozen),
    ("a SYN flood", flooded),
    ("50 ms slower, wait", lagging),
    ("another hardware address, --sut-mac any", moves, 4, ("--sut-mac", "any")),
    ("the same, IPv6", moves, 6, ("--sut-mac", "any")),
    ("another hardware address, as ever", moves, 4, ()),
    ("two SUTs of one server", two),
    ("two SUTs of one server, IPv6", two, 6),
])
