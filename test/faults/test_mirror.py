# SPDX-License-Identifier: BSD-2-Clause
"""A mirror that loses, repeats and swaps; wires that go down."""
import signal
import time

import fault
from fault import lab


def after_the_tap(t, family):
    """Loss between the tap and both ends: the mirror saw what never arrived,
    and sees it again. Nothing is missing, nothing is there twice."""
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        for dev in ("t0", "t1"):
            l.lose(dev, 10, 1)
        us = l.understudy()
        l.wrk(seconds=3, conns=8, url="/b10k", delay=fault.DELAY)
        l.settle(prod, sut)
        r = fault.ended(t, us, (0,))
        got = fault.clean(t, prod, sut, tail=1)
        lost = sum(l.mirror_truth(d)["dropped"] for d in ("t0", "t1"))
        fault.figure("1 %% lost behind the tap, IPv%d" % family, "%d of %d "
                     "reached" % (got.reached, got.asked), "%d frames lost" %
                     lost, "compared %s" % compared(r))
        t.check(lost > 20, "only %d lost" % lost)
        t.equal((got.reached, got.cut), (got.asked, 0), "reached, cut")
        t.equal(us.differences(), [], "differences")
        t.equal(r["capture"]["drops"], 0, "capture drops")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def compared(r):
    v = r["verdicts"]
    return fault.percent(v["identical"] + v["equivalent"] + v["different"],
                         sum(v.values()))


def lossy(t, permille, family):
    """What was captured whole reaches the SUT; a hole costs its own request."""
    with lab.Lab(family=family, loss=permille, burst=1) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        l.wrk(seconds=4, conns=8, delay=fault.DELAY)
        l.settle(prod, sut, quiet=2.2)
        r = fault.ended(t, us, (0, 2))
        truth = l.mirror_truth()
        got = fault.clean(t, prod, sut)
        total = truth["passed"] + truth["dropped"]
        fault.figure("mirror loses %g %%, IPv%d" % (permille / 10, family),
                     "%d of %d reached (%s)" % (got.reached, got.asked,
                                                fault.percent(got.reached,
                                                              got.asked)),
                     "lost %d of %d frames" % (truth["dropped"], total),
                     "missed by report %d, true %d" % (
                         r["capture"]["missed_segments"],
                         truth["seq_dropped"]), "compared " + compared(r))
        # A lost request is gone; a lost answer or ack must not cost one. Half
        # of the lost segments are requests; now and then a gap takes the
        # request behind it.
        t.check(got.asked - got.reached <= 0.6 * truth["seq_dropped"] + 5,
                "%d missing, %d segments lost: %s" % (
                    got.asked - got.reached, truth["seq_dropped"], us.text()))
        t.equal(us.differences(), [], "differences by loss")
        t.equal(r["capture"]["drops"], 0, "capture drops of our own")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def overrun(t):
    """Stopped for 3 s under load: the kernel drops, we say how much, go on."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy("--mirror-ring", "4M")
        load = l.wrk(seconds=6, wait=False)
        time.sleep(1)
        us.signal(signal.SIGSTOP)
        time.sleep(3)
        us.signal(signal.SIGCONT)
        l.wrk_rate(load)
        l.wrk(seconds=1, run="after")
        l.settle(prod, sut, quiet=2.2)
        r = fault.ended(t, us, (0, 2))
        got = fault.clean(t, prod, sut)
        after = [len([x for x in lab.read_log(p.log)
                      if x.id.startswith("after")]) for p in (prod, sut)]
        fault.figure("stopped for 3 s under load", "%d of %d reached" % (
            got.reached, got.asked), "drops %d" % r["capture"]["drops"],
                     "afterwards %d of %d" % (after[1], after[0]))
        t.check(r["capture"]["drops"] > 0, "no drops were counted")
        t.equal(after[1], after[0], "requests after it")
        t.equal(us.differences(), [], "differences by drops")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def mangled(t, family, what, *args):
    exact = "swap=10,64" not in args
    with lab.Lab(family=family, mangle=args) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        l.wrk(seconds=2, conns=8, url="/b10k", delay=fault.DELAY)
        l.wrk(seconds=1, conns=8, close=True, run="short", delay=fault.DELAY)
        l.settle(prod, sut, quiet=1)
        r = fault.ended(t, us, (0,))
        got, did = fault.clean(t, prod, sut, tail=1), l.mangle_truth()
        fault.figure("%s, IPv%d" % (what, family), "%d of %d reached" % (
            got.reached, got.asked), str(did), "compared " + compared(r),
                     "gaps %d, resumed %d" % (
                         sum(v for k, v in r["machine"].items()
                             if k.startswith("gap") and "bytes" not in k),
                         r["flows"]["resumed"]))
        t.equal(did["lost"], 0, "frames that mangle lost")
        t.check(did["dup"] + did["swap"] > 100, "nothing was mangled")
        # What mangle holds back when the load ends never comes; and a SYN
        # behind all of its connection, on a tuple that was used before, begins
        # a flow of which nothing is left. Both are gaps, and counted.
        held = did["frames"] + did["dup"] - r["capture"]["frames"]
        lost = r["flows"]["ended"].get("client_gap", 0)
        most = min(held, 10) if exact else got.asked / 1000
        # A machine that is busy with others drops frames of its own: counted.
        most = min(lost, most) + 2 * r["capture"]["drops"]
        t.check(got.asked - got.reached <= most and
                not got.cut, "reached %d of %d, cut %d: %s" % (
                    got.reached, got.asked, got.cut, us.text()))
        t.equal(us.differences(), [], "differences")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def once(l, dev):
    """An interface is down for a second."""
    l.ip("us", "link", "set", dev, "down")
    time.sleep(1)
    l.ip("us", "link", "set", dev, "up")


def flaps(l, dev):
    """It goes down and comes back twenty times, for as long as takes no notice."""
    for i in range(20):
        l.ip("us", "link", "set", dev, "down")
        time.sleep(0.01 * (1 + i % 5))
        l.ip("us", "link", "set", dev, "up")
        time.sleep(0.05)
    once(l, dev)


def renamed(l, dev):
    """It comes back under another name."""
    l.ip("us", "link", "set", dev, "down")
    l.ip("us", "link", "set", dev, "name", "other0")
    time.sleep(1)
    l.ip("us", "link", "set", "other0", "up")


def down(t, happens, dev, what, after, quiet, codes):
    """Something happens to an interface, and it comes back: said, and gone on.
    @after: seconds from the load's end to the next load, of which all arrives.
    """
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        load = l.wrk(seconds=4, wait=False)
        time.sleep(0.7)
        happens(l, dev)
        l.wrk_rate(load)
        time.sleep(after)
        l.wrk(seconds=1, run="after")
        l.settle(prod, sut, quiet=quiet)
        r = fault.ended(t, us, codes)
        fault.told(t, us, r)
        got = fault.clean(t, prod, sut)
        later = [len([x for x in lab.read_log(p.log)
                      if x.id.startswith("after")]) for p in (prod, sut)]
        said = us.text()
        fault.figure(what, "%d of %d reached" % (
            got.reached, got.asked), "afterwards %d of %d" % (later[1],
                                                              later[0]))
        t.check(dev + " is down" in said, "not said: " + said)
        t.check(dev + " is up again" in said, "its return is not said: " + said)
        t.equal(later[1], later[0], "requests after it")
        t.equal(us.differences(), [], "differences")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def gone(t, dev):
    """An interface is taken away: the run ends by itself and says why."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        load = l.wrk(seconds=2, wait=False)
        time.sleep(0.7)
        if dev == "mon0":
            for room, rules, at in l.counters:
                if room in ("tap", "us"):  # their wires go too
                    rules.terminate()
        l.ip("us", "link", "del", dev)
        code = us.wait(10)
        l.wrk_rate(load)
        fault.figure(dev + " taken away", "exit %s" % code,
                     us.text().strip().splitlines()[-1])
        t.equal(code, 2, "exit code")
        t.check(dev + ": the interface is gone" in us.text(),
                "not said: " + us.text())
        t.check(us.report(), "no report")
        if dev != "mon0":
            lab.isolated(t, l)


def two_runs(t):
    """Two runs on one host, of one mirror, each with a SUT and a wire of its own:
    neither sees or hurts the other."""
    with lab.Lab() as l:
        l.addr = dict(l.addr, sut3="10.3.0.20")
        lab.sh("ip", "netns", "add", l.ns("sut3"))
        l.made.append("sut3")
        l.ip("us", "link", "add", "eth2", "type", "veth", "peer", "name", "s3",
             "netns", l.ns("sut3"))
        l.ip("sut3", "addr", "add", "10.3.0.20/24", "dev", "s3")
        for room, dev in (("sut3", "lo"), ("sut3", "s3"), ("us", "eth2")):
            l.ip(room, "link", "set", dev, "up")
        l.ip("sut3", "route", "add", "default", "via", "10.3.0.1")
        prod, sut, third = (l.nginx(x) for x in ("prod", "sut", "sut3"))
        us = l.understudy()
        jsonl = l.path("second.jsonl")
        other = lab.Understudy(l, [
            lab.BINARY, "shadow", "-i", "mon0", *l.rings, "--sut-dev", "eth2",
            "--map", l.map(sut="sut3"), "--json", jsonl, "tcp port 80"], jsonl)
        l.wrk(seconds=3, conns=8, delay=fault.DELAY)
        l.settle(prod, sut, third)
        for who, server in (us, sut), (other, third):
            r = fault.ended(t, who, (0,))
            got = fault.clean(t, prod, server, tail=1)
            fault.figure("two runs on one host, " + server.log.split("-")[-1],
                         "%d of %d reached" % (got.reached, got.asked))
            t.equal((got.reached, got.cut), (got.asked, 0), "reached, cut")
            t.equal(who.differences(), [], "differences")
            fault.requests_closed(t, r)
        lab.isolated(t, l)


TESTS = [("1 %% lost behind the tap, IPv%d" % v, v == 4, after_the_tap, v)
         for v in (4, 6)]
TESTS += [("mirror loses %g %%, IPv%d" % (p / 10, v), False, lossy,
           p, v) for p in (0.1, 1, 10, 50) for v in (4, 6)]
TESTS += [("stopped for 3 s under load", False, overrun)]
for v in (4, 6):
    TESTS += [
        ("5 %% repeated, IPv%d" % v, False, mangled, v, "5 % repeated",
         "dup=50"),
        ("1 %% swapped with the next, IPv%d" % v, False, mangled, v,
         "1 % swapped with the next", "swap=10,1"),
        ("1 %% swapped over 1-8, IPv%d" % v, v == 6, mangled, v,
         "1 % swapped over 1-8", "swap=10,8"),
        ("1 %% swapped over 1-64, 1 %% repeated, IPv%d" % v, False, mangled, v,
         "1 % swapped over 1-64, 1 % repeated", "swap=10,64", "dup=10"),
    ]
TESTS += [
    ("the mirror's interface down and up", False, down, once, "mon0",
     "mirror down for 1 s", 0, 2.2, (0, 2)),
    ("the SUT's wire down and up", False, down, once, "eth1",
     "SUT's wire down for 1 s", 2, 1, (0, 1, 2)),
    ("the mirror's interface goes and comes", False, down, flaps, "mon0",
     "mirror down 21 times", 0, 2.2, (0, 2)),
    ("the SUT's wire goes and comes", False, down, flaps, "eth1",
     "SUT's wire down 21 times", 2, 1, (0, 1, 2)),
    ("the mirror's interface is renamed", False, down, renamed, "mon0",
     "mirror renamed", 0, 2.2, (0, 2)),
    ("the SUT's wire is renamed", False, down, renamed, "eth1",
     "SUT's wire renamed", 2, 1, (0, 1, 2)),
    ("two runs on one host", False, two_runs),
    ("the mirror's interface taken away", True, gone, "mon0"),
    ("the SUT's wire taken away", False, gone, "eth1"),
]
fault.main(TESTS)
