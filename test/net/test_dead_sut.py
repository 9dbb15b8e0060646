# SPDX-License-Identifier: BSD-2-Clause
"""A SUT that dies while it is played to is told, and never "Same": the rows that
need a real kernel. And a pause of ours, or a mirror with holes, is never blamed
on it. The rows that need none are test/script/wait_*.pkt and test_dead.c."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

GOOD, BAD = 50, 200
# Nothing but the SUT's being down can make the exit code 1.
LENIENT = ("--answer-wait", "500ms", "--max-different", "1000000")


def paths(run, n):
    return ["/b100?id=%s-%d" % (run, i) for i in range(n)]


def dead(t, down, how="each", bad=BAD, options=LENIENT, kinds=None,
         compare="equivalent"):
    """GOOD requests, then `down` befalls the SUT, then `bad` more."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy(*options, compare=compare)
        l.client(how, *paths("good", GOOD))
        l.settle(prod, sut)
        undo = down(l, sut)
        try:
            l.client(how, *paths("bad", bad))
            time.sleep(0.6)
            code = us.finish(30)
        finally:
            if undo is not None:
                undo()
        r, said = us.report(), us.text()
        told = sum(r["unanswered"].values())
        t.equal(code, 1, "exit code")
        t.check("SUT DOWN for " in said and "Same" not in said,
                "the headline: " + said[:300])
        t.check(0.9 * bad <= told <= bad,
                "unanswered: %s of %d; %s" % (r["unanswered"], bad,
                                              r["not_compared"]))
        t.check(kinds is None or all(r["unanswered"][k] == 0
                                     for k in r["unanswered"]
                                     if k not in kinds),
                "kinds: %s" % r["unanswered"])
        states = [x["state"] for x in us.lines()
                  if x.get("type") == "sut_state"]
        t.check(states[:1] == ["up"] and
                set(states[1:2]) & {"refusing", "silent", "unproved"},
                "states: %s" % states)
        t.check(r["suts"][0]["down_ms"] > 0, "down: %s" % r["suts"])
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


def stopped(l, sut):
    sut.send_signal(signal.SIGSTOP)
    return lambda: sut.send_signal(signal.SIGCONT)


def short_queue(l, sut):
    """Stopped, and its kernel takes four connections more."""
    l.sysctl("sut", "net.core.somaxconn", 4)
    return stopped(l, sut)


def killed(l, sut):
    sut.kill()
    sut.wait()


def dropping(l, sut):
    """All that comes is dropped, and nothing is said."""
    l.ip("sut", "rule", "add", "from", l.addr["sut"], "blackhole", "pref", "5")


def unplugged(l, sut):
    l.ip("sut", "link", "set", "s0", "down")


def defaults(t):
    """The waits of a user who says nothing."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        l.client("keep", *paths("good", GOOD))
        l.settle(prod, sut)
        sut.send_signal(signal.SIGSTOP)
        l.client("each", *paths("bad", BAD))
        code = us.finish(30)
        sut.send_signal(signal.SIGCONT)
        r, said = us.report(), us.text()
        t.equal(code, 1, "exit code")
        t.equal(r["unanswered"]["silent"], BAD, "silent")
        t.check("the SUT owes 200 answers" in said, "the line: " + said[:300])
        t.check("%d requests unanswered" % BAD in said, said[:300])


def restarted(t):
    """Killed under load and started again: down once, then played as before."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy(*LENIENT)
        l.client("each", *paths("good", GOOD))
        l.settle(prod, sut)
        killed(l, sut)
        l.client("each", *paths("bad", 20))
        l.nginx("sut")
        time.sleep(0.3)
        l.client("each", *paths("back", GOOD))
        time.sleep(0.6)
        t.equal(us.finish(), 1, "exit code")
        r = us.report()
        t.equal(r["unanswered"]["refused"], 20, "refused")
        t.equal(r["verdicts"]["identical"] + r["verdicts"]["equivalent"],
                2 * GOOD, "same")
        t.equal([x["state"] for x in us.lines()
                 if x.get("type") == "sut_state"],
                ["up", "refusing", "back"], "states")
        lab.isolated(t, l)


def allowed(t):
    """--allow-down lets a restart pass."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy(*LENIENT, "--allow-down", "60s")
        l.client("each", *paths("good", GOOD))
        l.settle(prod, sut)
        killed(l, sut)
        l.client("each", *paths("bad", 5))
        t.equal(us.finish(), 0, "exit code")
        t.check("SUT DOWN" not in us.text(), us.text()[:200])


def frozen_us(t):
    """We stand still for 8 s under load: nobody else is blamed."""
    with lab.Lab() as l:
        l.nginx("prod"), l.nginx("sut")
        us = l.understudy("--answer-wait", "500ms")
        load = l.wrk(seconds=10, conns=8, wait=False)
        time.sleep(1)
        us.signal(signal.SIGSTOP)
        time.sleep(8)
        us.signal(signal.SIGCONT)
        l.wrk_rate(load)
        time.sleep(1)
        us.finish(30)
        r = us.report()
        t.equal(sum(r["unanswered"].values()), 0,
                "unanswered: %s" % r["unanswered"])
        t.equal(r["suts"][0]["times_down"], 0, "down: %s" % r["suts"])
        t.check(r["stalled"]["times"] >= 1 and r["stalled"]["ms"] > 7000,
                "stalled: %s" % r["stalled"])


def holes(t):
    """The same server twice, and 12 % of the mirror lost."""
    with lab.Lab(loss=120) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy("--answer-wait", "500ms")
        l.wrk(seconds=2, conns=16)
        l.settle(prod, sut)
        us.finish(30)
        r = us.report()
        t.equal((sum(r["unanswered"].values()), r["verdicts"]["different"],
                 r["suts"][0]["times_down"]), (0, 0, 0),
                "unanswered, different, down: %s" % r["unanswered"])
        t.check(r["requests"]["seen"] > 1000, "requests %s" % r["requests"])


lab.main([
    ("stopped, as it is by default", defaults),
    ("stopped, a connection each", dead, stopped, "each"),
    ("stopped, keepalive", dead, stopped, "keep", 20),
    ("stopped, nothing is compared", dead, stopped, "each", 50, LENIENT, None,
     "none"),
    ("its accept queue is full", dead, short_queue, "each", 50),
    ("killed", dead, killed, "each", 50, LENIENT, ("refused", "reset")),
    ("drops all", dead, dropping, "each", 50),
    ("its cable is out", dead, unplugged, "each", 50),
    ("killed and started again", restarted),
    ("a restart that is allowed", allowed),
    ("we stand still", frozen_us),
    ("a mirror with holes", holes),
])
