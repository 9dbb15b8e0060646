#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""MINUTES (60) of paced load, and a SUT that is restarted every 20 s: what a run
holds stays the same. Part of "make nightly"; MINUTES=2 is its least.

What is held is looked at as late behind a restart as can be, each time: resident
memory, descriptors, bytes of the pool, flows and timers (of --metrics). The median
of the last third may be no more than 1 % above that of the second, and at the end
nothing is left. Of numbers below a hundred, one is more than 1 %, so one is allowed;
of the pool, what the requests under way may hold.
"""
import os
import re
import statistics
import time

import fault
from fault import lab

MINUTES = int(os.environ.get("MINUTES", "60"))
EVERY, AWAY = 20, 0.2
CONNS, REST = 16, 20  # some 700 requests a second, in paced connections
WAIT = 11  # --metrics writes every 10 s

HELD = ("rss", "fds", "pool_used", "flows", "timers")
MORE = {"pool_used": CONNS * 4096}  # a block of the pool for each


def gauges(path):
    with open(path) as f:
        return {name: float(n) for name, n in re.findall(
            r"^understudy_shadow_now_(\w+?)(?:_bytes)? (\S+)$", f.read(), re.M)}


def look(us, path):
    now = gauges(path)
    return {"rss": us.rss(), "fds": len(os.listdir("/proc/%d/fd" % us.proc.pid)),
            **{k: now[k] for k in HELD[2:]}}


def hours(t):
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut")
        path = l.path("us.prom")
        us = l.understudy("--answer-wait", "1s", "--allow-down", "10d",
                          "--metrics", path)
        end = time.monotonic() + MINUTES * 60
        load = l.wrk(seconds=MINUTES * 60, conns=CONNS, url="/a", delay=REST,
                     wait=False)
        seen, restarts = [], 0
        while time.monotonic() + EVERY < end:
            sut.kill()
            sut.wait(10)
            os.unlink(sut.log)  # an hour of them fills a disk
            time.sleep(AWAY)
            sut = l.labsrv("sut")
            restarts += 1
            time.sleep(EVERY - AWAY)
            seen.append(look(us, path))
        load.wait(120)
        time.sleep(WAIT)
        rest = gauges(path)
        us.finish(30)
        third = len(seen) // 3
        for what in HELD:
            early, late = (statistics.median(s[what] for s in part) for part in (
                seen[third:2 * third], seen[2 * third:]))
            fault.figure(what, "%d" % early, "%d" % late, "%d at most" % max(
                s[what] for s in seen))
            t.check(late <= max(early * 1.01, early + MORE.get(what, 1)),
                    "%s grows: %d, then %d" % (what, early, late))
        r = us.report()
        fault.figure("%d minutes" % MINUTES, "%d restarts" % restarts,
                     "%d requests" % r["requests"]["seen"],
                     "%s" % r["verdicts"])
        t.check(len(seen) >= 3, "too short: %d looks" % len(seen))
        t.equal({k: rest[k] for k in ("pool_used", "timers")},
                {"pool_used": 0, "timers": 0}, "what is left at rest")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


fault.main([("paced load, a SUT that is restarted every 20 s", True, hours)])
