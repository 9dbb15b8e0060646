# SPDX-License-Identifier: BSD-2-Clause
"""A SUT that is restarted again and again, under load: it is played to all the
same, and what it cannot be asked is told."""
import os
import time

import fault
from fault import lab

CONNS, REST = 64, 20  # about 3,000 requests a second
LEAST = 0.8  # of the requests reach it


def joined(l, logs):
    """The logs of one server's lives, as one."""
    path = l.path("lives")
    with open(path, "w") as out:
        for life, log in enumerate(logs):
            with open(log) as f:
                for line in f.read().splitlines(True):
                    conn, _, rest = line.partition(" ")
                    if line.endswith("\n"):  # the last one may be torn
                        out.write("%d%07d %s" % (life, int(conn), rest))
    return path


def restarts(t, every, secs, away, mute=False, keep=False):
    """Each `every` seconds it is killed and begins `away` seconds later, for
    `secs` seconds; `mute`: its host says nothing meanwhile, as one that boots.
    Each request is a connection, unless `keep`."""
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut")
        us = l.understudy("--answer-wait", "1s", "--allow-down", "1h")
        lives = [sut.log]
        load = l.wrk(seconds=secs, conns=CONNS, url="/a", close=not keep,
                     delay=REST, wait=False)
        end = time.monotonic() + secs
        rule = ("from", l.addr["sut"], "blackhole", "pref", "5")
        while time.monotonic() + every < end:
            time.sleep(every)
            if mute:
                l.ip("sut", "rule", "add", *rule)
            sut.kill()
            sut.wait(10)
            time.sleep(away)
            if mute:
                l.ip("sut", "rule", "del", *rule)
            sut = l.labsrv("sut")
            lives.append(sut.log)
        rate = l.wrk_rate(load)
        l.settle(prod, sut)
        us.finish(30)
        r = us.report()
        got = lab.reach(prod.log, joined(l, lives))
        share = got.reached / max(got.asked, 1)
        fault.figure(
            "SUT restarted each %g s, %d times, %g s away%s%s" % (
                every, len(lives) - 1, away, ", mute" if mute else "",
                ", keepalive" if keep else ""),
            "%.0f/s, reached %d of %d (%.2f %%)" % (
                rate, got.reached, got.asked, 100 * share),
            "not delivered %s" % {k: v for k, v in
                                  r["not_delivered"].items() if v},
            "verdicts %s" % r["verdicts"],
            "unanswered %s" % {k: v for k, v in r["unanswered"].items() if v},
            "not compared %s" % {k: v for k, v in
                                 r["not_compared"].items() if v},
            "drops %d" % r["capture"]["drops"])
        t.check(share >= LEAST, "reached %.3f" % share)
        t.equal(r["not_delivered"].get("no_route", 0), 0, "no_route")
        t.equal([x for x in us.lines() if x.get("type") == "network"], [],
                "networks told lost")
        t.check(got.asked <= r["requests"]["seen"] +
                2 * r["capture"]["drops"], "seen %d of %d" % (
                    r["requests"]["seen"], got.asked))
        t.equal(got.duplicates, 0, "asked twice")
        fault.told(t, us, r)
        fault.requests_closed(t, r)
        lab.isolated(t, l)


WANTED = os.environ.get("RESTARTS")  # five numbers: every secs away mute keep
TESTS = [
    ("a server each 8 s", False, restarts, 8, 38, 0.2),
    ("a host that boots each 8 s", False, restarts, 8, 38, 1, True),
]
if WANTED:
    TESTS = [(WANTED, False, restarts, *map(float, WANTED.split()))]

fault.main(TESTS)
