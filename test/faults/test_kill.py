# SPDX-License-Identifier: BSD-2-Clause
"""Killed at random instants, and under storms of signals.

KILLS (200): how often, spread over the families. What must hold when we are
dead: nothing of the SUT's wire answers to anyone, nothing leaves the mirror, and
the next start works without any mending.
"""
import os
import random
import signal
import subprocess
import sys
import time

import fault
from fault import lab

KILLS = int(os.environ.get("KILLS", "200"))
QUICK = 8
STORM = """
import os, random, sys, time
pid, seconds, names = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
sigs, n, end = [int(x) for x in names], 0, time.monotonic() + float(seconds)
while time.monotonic() < end:
    try:
        os.kill(pid, random.choice(sigs))
    except ProcessLookupError:
        break
    n += 1
    if n % 10 == 0:
        time.sleep(0.001)
print(n)
"""


def frames_to(l, room, dev):
    """Frames that a device has taken in so far."""
    got = lab.json.loads(l.ip(room, "-j", "-s", "link", "show", dev))
    return got[0]["stats64"]["rx"]["packets"]


def killed(t, family, count):
    """SIGKILL at random instants of start, proof and play."""
    rng, lived, early = random.Random(family), 0, 0
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        load = l.wrk(seconds=count * 2 + 10, conns=4, wait=False)
        for n in range(count):
            jsonl = l.path("k%d.jsonl" % n)
            p = l.spawn("us", [lab.BINARY, "shadow", "-i", "mon0", "--sut-dev",
                               "eth1", "--map", l.map(), "--json", jsonl, "-w",
                               l.path("k%d.pcapng" % n), "tcp port 80"],
                        err=l.path("k.err"))
            time.sleep(rng.uniform(0, 0.3) if n % 2 else rng.uniform(0.3, 1))
            t.equal(p.poll(), None, "run %d ended by itself: %s" % (
                n, open(l.path("k.err")).read()[-300:]))
            p.kill()
            p.wait()
            began = os.path.exists(jsonl) and '"start"' in open(jsonl).read()
            lived, early = lived + began, early + (not began)
            before = frames_to(l, "sut", "s0")
            time.sleep(0.05)
            t.equal(frames_to(l, "sut", "s0") - before, 0,
                    "frames to the SUT after death %d" % n)
            for name in ("k%d.jsonl" % n, "k%d.pcapng" % n):
                if os.path.exists(l.path(name)):
                    os.unlink(l.path(name))
        load.kill()
        load.wait()
        us = l.understudy()
        l.client("keep", *["/b100?id=after-%d" % i for i in range(30)])
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "the next start: " + us.text())
        at = {x.id for x in lab.read_log(sut.log) if x.id.startswith("after")}
        fault.figure("kill -9, IPv%d" % family, "%d times, %d in play, %d "
                     "before" % (count, lived, early),
                     "afterwards %d of 30 reached" % len(at))
        t.equal(len(at), 30, "requests after it")
        t.check(count == QUICK or lived > count / 10 and early > count / 10, "instants: %d in "
                "play, %d before" % (lived, early))
        lab.isolated(t, l)


def stopped(t, family):
    """Frozen: the wire is silent, and it goes on when thawed."""
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        load = l.wrk(seconds=2, conns=4, wait=False)
        time.sleep(0.6)
        us.signal(signal.SIGSTOP)
        time.sleep(0.05)
        before = frames_to(l, "sut", "s0")
        time.sleep(0.5)
        t.equal(frames_to(l, "sut", "s0") - before, 0, "frames while frozen")
        us.signal(signal.SIGCONT)
        l.wrk_rate(load)
        l.wrk(seconds=1, conns=4, run="after")
        l.settle(prod, sut, quiet=1)
        r = fault.ended(t, us, (0, 2))
        got = fault.clean(t, prod, sut)
        after = [len([x for x in lab.read_log(p.log)
                      if x.id.startswith("after")]) for p in (prod, sut)]
        fault.figure("frozen for 0.5 s, IPv%d" % family, "%d of %d reached" % (
            got.reached, got.asked), "drops %d" % r["capture"]["drops"])
        t.equal(after[1], after[0], "requests after it")
        fault.lost_by_drops(t, r, got)
        t.equal(us.differences(), [], "differences")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def storm(t, sigs, ends):
    """Thousands of signals a second while it plays."""
    names = [s.name for s in sigs]
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        load = l.wrk(seconds=2, conns=4, wait=False)
        time.sleep(0.5)
        began = time.monotonic()
        p = subprocess.run([sys.executable, "-c", STORM, str(us.proc.pid), "1",
                            *(str(int(s)) for s in sigs)], text=True,
                           capture_output=True)
        if ends:
            code = us.wait(10)
            took = time.monotonic() - began
            t.check(code is not None and took < 8, "the end took %.1f s" % took)
        else:
            t.check(us.alive(), "a signal ended it: " + us.text())
        l.wrk_rate(load)
        l.settle(prod, sut)
        r = fault.ended(t, us, (0, 2))
        got = fault.clean(t, prod, sut)
        reports = len([x for x in us.lines() if x["type"] == "report"])
        fault.figure("signals " + ", ".join(names), "%s sent" % p.stdout.strip(),
                     "%d reports" % reports, "%d of %d reached" % (
                         got.reached, got.asked), "drops %d" %
                     r["capture"]["drops"])
        if not ends:
            fault.lost_by_drops(t, r, got)
        t.equal(us.lines()[-1]["type"], "report", "the last line")
        t.equal(us.differences(), [], "differences")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


S = signal
TESTS = [("kill -9 a few times", True, killed, 4, QUICK)]
TESTS += [("kill -9 at random instants, IPv%d" % v, False, killed, v,
           KILLS // 2) for v in (4, 6)]
TESTS += [("frozen, IPv%d" % v, False, stopped, v) for v in (4, 6)]
TESTS += [
    ("a storm of SIGUSR1", False, storm, [S.SIGUSR1], False),
    ("a storm of SIGPIPE, SIGUSR2 and SIGHUP", False, storm,
     [S.SIGPIPE, S.SIGUSR2, S.SIGHUP], False),
    ("a storm of what ends it", True, storm,
     [S.SIGINT, S.SIGTERM, S.SIGUSR1, S.SIGPIPE], True),
]
fault.main(TESTS)
