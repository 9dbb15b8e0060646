# SPDX-License-Identifier: BSD-2-Clause
"""SUTs that die, forget, stall or never end, and very many flows."""
import os
import signal
import sys
import time

import fault
from fault import lab

RSS_MORE = 64 << 10  # kB that a run may grow by, beside its pool
DROPS_MOST = 0.05  # of the frames of a flood: more, and it tells nothing
BAD_SERVER = """
import select, socket, sys
addr, how = sys.argv[1], sys.argv[2]
s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if how == "deaf":
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
s.bind((addr, 80))
s.listen(1000)
open_, chunk = [], bytes(65536)
while True:
    for x in select.select([s] + (open_ if how == "endless" else []), [], [],
                           0 if open_ and how == "endless" else 1)[0]:
        if x is s:
            c = s.accept()[0]
            c.setblocking(False)
            open_.append(c)
        else:
            try:
                if x.recv(65536):
                    x.send(b"HTTP/1.1 200 OK\\r\\n"
                           b"Content-Length: 999999999999\\r\\n\\r\\n")
            except OSError:
                open_.remove(x)
    if how == "endless":
        for x in list(open_):
            try:
                x.send(chunk)
            except BlockingIOError:
                pass
            except OSError:
                open_.remove(x)
"""


def bad_server(l, how):
    p = l.spawn("sut", [sys.executable, "-c", BAD_SERVER, l.addr["sut"], how],
                err=l.path("bad"))
    l.listening("sut", p)
    return p


def at_rest(t, us, what, seconds=5):
    """Flows, timers and pool come back to nothing."""
    keys = ("flows_used", "pool_used")
    end = time.monotonic() + seconds
    while True:
        now = fault.snapshot(us)["memory"]
        if not any(now[k] for k in keys) or time.monotonic() > end:
            break
        time.sleep(0.3)
    t.equal({k: now[k] for k in keys}, dict.fromkeys(keys, 0), what)


def killed(t, family):
    """SIGKILL in the middle of 1 MB answers; a new one is started."""
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        load = l.wrk(seconds=4, conns=8, url="/b1m", wait=False)
        time.sleep(1)
        sut.kill()
        time.sleep(1)
        again = l.nginx("sut")
        l.wrk_rate(load)
        l.wrk(seconds=1, conns=4, run="after")
        l.settle(prod, again)
        at_rest(t, us, "at rest")
        r = fault.ended_by_sut(t, us)
        got = fault.clean(t, prod, again)
        after = [len([x for x in lab.read_log(p.log)
                      if x.id.startswith("after")]) for p in (prod, again)]
        fault.figure("SUT killed in 1 MB answers, back after 1 s, IPv%d" %
                     family, "%d of %d reached" % (got.reached, got.asked),
                     "afterwards %d of %d" % (after[1], after[0]),
                     str(r["not_delivered"]))
        t.equal(after[1], after[0], "requests after it")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def forgetful(t, family):
    """The SUT's host forgets its connections, and says nothing about it."""
    with lab.Lab(family=family) as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut")
        us = l.understudy()
        load = l.wrk(seconds=4, conns=8, url="/a", delay=2, wait=False)
        time.sleep(1)
        ns = ["ip", "netns", "exec", l.ns("sut")]
        l.lose("s0", 999.999, 1, "sut")
        sut.send_signal(signal.SIGKILL)
        sut.wait()
        lab.sh(*ns, "ss", "-K", "sport", "=", ":80", check=False)
        left = lab.sh(*ns, "ss", "-Htan", "state", "connected")
        lab.sh(*ns, "tc", "qdisc", "del", "dev", "s0", "clsact")
        again = l.labsrv("sut")
        l.wrk_rate(load)
        l.wrk(seconds=1, conns=4, url="/a", run="after", delay=2)
        l.settle(prod, again)
        at_rest(t, us, "at rest")
        r = fault.ended_by_sut(t, us)
        asked, got = ([x for x in lab.read_log(p.log)
                       if x.id.startswith("after")] for p in (prod, again))
        fault.figure("SUT forgets its connections, IPv%d" % family,
                     "afterwards %d of %d" % (len(got), len(asked)),
                     "flows ended %s" % r["flows"]["ended"])
        t.equal(left.strip(), "", "connections that were not forgotten")
        t.equal({x.id for x in got}, {x.id for x in asked}, "requests after it")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def deaf(t, family):
    """A SUT that never reads: its window shuts, its flows end, no more."""
    with lab.Lab(family=family) as l:
        l.labsrv("prod")
        bad_server(l, "deaf")
        us = l.understudy("--max-lag", "2s", "--sut-silent", "3s")
        before = us.rss()
        l.wrk(seconds=4, conns=4, url="/post", body=20000)
        at_rest(t, us, "at rest", 8)
        grown = us.rss() - before
        r = fault.ended(t, us, (1, 2))
        fault.figure("SUT never reads, IPv%d" % family, "%d requests, %d "
                     "delivered" % (r["requests"]["seen"],
                                    r["requests"]["delivered"]),
                     "ended %s" % r["flows"]["ended"],
                     "pool at most %d of %d MB, grown by %d MB" % (
                         r["memory"]["pool_peak"] >> 20,
                         r["memory"]["pool_total"] >> 20, grown >> 10))
        t.equal(r["requests"]["answered"], 0, "answered")
        t.check(r["memory"]["pool_peak"] > 0, "the pool was not used")
        t.check(grown <= RSS_MORE + (r["memory"]["pool_peak"] >> 10),
                "grown by %d kB" % grown)
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def endless(t, family):
    """An answer without end is different or not compared, and is bounded."""
    with lab.Lab(family=family) as l:
        l.labsrv("prod")
        bad_server(l, "endless")
        us = l.understudy()
        before = us.rss()
        code, out = l.client("each", *["/a?id=q-%d" % i for i in range(10)])
        t.equal(out.count("200 "), 10, "client: " + out)
        time.sleep(3)
        grown = us.rss() - before
        began = time.monotonic()
        r = fault.ended(t, us, (1, 2))
        took = time.monotonic() - began
        fault.figure("endless answers, IPv%d" % family, "%s" % r["verdicts"],
                     "ended in %.1f s, grown by %d MB, %d frames of the SUT" % (
                         took, grown >> 10, r["frames"]["frames_sut"]))
        t.equal(r["verdicts"]["identical"] + r["verdicts"]["equivalent"], 0,
                "taken for the same")
        t.check(grown < RSS_MORE, "grown by %d kB" % grown)
        t.check(took < 10, "the end took %.1f s" % took)
        t.equal(sum(r["verdicts"].values()), r["requests"]["seen"],
                "verdicts: " + us.text())
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def million(t, family):
    """A million SYNs from nobody, beside established connections that think:
    one without think time would fall behind, and be ended so."""
    want, sent = int(os.environ.get("SYNS", "1000000")), 0
    with lab.Lab(family=family) as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut")
        us = l.understudy("--mirror-ring", "256M")
        before = us.rss()
        load = l.spawn("client", [
            sys.executable, os.path.join(lab.HERE, "client.py"),
            l.addr["prod"], "paced", "8", "20", str(want / 40000 + 2)],
            out=l.path("paced"), err=l.path("paced"))
        began = time.monotonic()
        while sent < want and time.monotonic() < began + 60:
            sent += l.flood(4, 50000)
        grown = us.rss() - before
        t.equal(load.wait(60), 0, "client: " + open(l.path("paced")).read()[
            -200:])
        l.settle(prod, sut)
        r = fault.ended(t, us, (0, 2))
        got = fault.clean(t, prod, sut, tail=1)
        drops = r["capture"]["drops"]
        fault.figure("SYN flood, IPv%d" % family, "%d SYNs" % sent,
                     "%d of %d reached beside it" % (got.reached, got.asked),
                     "half-open victims %d, drops %d, grown by %d MB" % (
                         r["machine"]["victims_half_open"], drops,
                         grown >> 10))
        t.check(sent >= want, "only %d SYNs" % sent)
        fault.lost_by_drops(t, r, got)
        t.check(r["machine"]["victims_half_open"] > sent / 2, "victims: %d" %
                r["machine"]["victims_half_open"])
        t.equal(us.differences(), [], "differences")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def many(t, family):
    """A hundred thousand connections at once."""
    count = int(os.environ.get("FLOWS", "100000"))
    with lab.Lab(family=family) as l:
        for room in ("prod", "sut"):
            l.parked(room, count)
        us = l.understudy("--max-flows", "131072", compare="none")
        held = l.hold(count)
        time.sleep(2)
        now = fault.snapshot(us)
        r = fault.ended(t, us, (2,), 60)  # nothing is compared
        fault.figure("very many flows, IPv%d" % family, "%d held, %d "
                     "established at the SUT" % (
                         held, now["machine"]["flows_established"]),
                     "drops %d, victims %d, used %d" % (
                         now["capture"]["drops"], now["machine"]["victims"],
                         now["memory"]["flows_used"]))
        t.equal(held, count, "held")
        drops = now["capture"]["drops"]
        t.check(drops <= count * DROPS_MOST, "%d drops" % drops)
        t.check(now["machine"]["flows_established"] >= count - drops,
                "established %d" % now["machine"]["flows_established"])
        t.equal(now["machine"]["victims"], 0, "victims")
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


TESTS = []
for v in (4, 6):
    TESTS += [
        ("killed in the middle of answers, IPv%d" % v, False, killed, v),
        ("a host that forgets, IPv%d" % v, v == 4, forgetful, v),
        ("a SUT that never reads, IPv%d" % v, False, deaf, v),
        ("endless answers, IPv%d" % v, False, endless, v),
        ("a million SYNs, IPv%d" % v, False, million, v),
        ("a hundred thousand flows, IPv%d" % v, False, many, v),
    ]
fault.main(TESTS)
