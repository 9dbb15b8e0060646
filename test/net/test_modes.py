# SPDX-License-Identifier: BSD-2-Clause
"""Every way to run it, live: levels, rings, orders, tagged mirrors, in-host,
captures, shares of the clients."""
import os
import re
import shutil
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

TIMING_DELAY = 0.005  # what --level timing adds to the capture time
# How true the spacing is: half of the requests as near as MEDIAN, nine in ten as
# near as NINE. A busy machine delays single frames by far more than this.
MEDIAN, NINE = 0.002, 0.020


def whole(t, l, us, prod, sut, code=0, tail=0):
    """All reached once and in order, the report agrees, nothing leaked."""
    l.settle(prod, sut)
    t.equal(us.finish(), code, "exit code: " + us.text()[-300:])
    got = lab.reach(prod.log, sut.log, tail)
    t.check(got.asked > 20, "too few requests: %d" % got.asked)
    t.check(not got.missing, "reached %d of %d; %s" % (
        got.reached, got.asked, us.text()))
    t.equal((got.duplicates, got.disorder, got.cut), (0, 0, 0),
            "duplicates, disorder, cut")
    r = us.report()
    t.equal(r.get("verdicts", {}).get("different"), 0, "different")
    t.equal(r.get("capture", {}).get("drops"), 0, "capture drops")
    t.equal(r.get("sums", {}).get("closed"), True, "sums closed")
    lab.isolated(t, l)
    return got, r


def mode(t, *args, family=4, filt="tcp port 80", load=None, **made_of):
    with lab.Lab(family=family, **made_of) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy(*args, filt=filt)
        l.wrk(seconds=1, conns=8, url="/b10k", **(load or {}))
        whole(t, l, us, prod, sut, tail=1)
        return us.text()


def inhost(t, family=4):
    said = mode(t, family=family, inhost=True)
    t.check("p0 is in use" in said, "the use is not said: " + said)


def first_seen(frames):
    """When the request of each id was seen first."""
    at = {}
    for when, data in frames:
        for rid in re.findall(rb"id=(q-\d+-\d+)", data):
            at.setdefault(rid, when)
    return at


def timing(t, family=4):
    """The SUT's wire sees the client's gaps, 5 ms later."""
    with lab.Lab(family=family) as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut")
        us = l.understudy("--level", "timing")
        dumps = [l.dump("us", "mon0", "tcp dst port 80"),
                 l.dump("sut", "s0", "tcp dst port 80")]
        code, out = l.client("paced", 4, 50, 2)
        t.equal(code, 0, "client: " + out[-200:])
        whole(t, l, us, prod, sut)
        before, after = (first_seen(l.dumped(d)) for d in dumps)
        late = sorted(after[i] - before[i] - TIMING_DELAY for i in before
                      if i in after)
        t.equal((len(before), len(late)), (400, 400), "requests on the wires")
        off = sorted(abs(x - statistics.median(late)) for x in late)
        print("# IPv%d: after capture time + 5 ms: least %.3f ms, p50 %.3f ms, "
              "p90 %.3f ms, max %.3f ms" % (family, *(1e3 * x for x in (
                  late[0], late[200], late[360], late[-1]))))
        t.check(late[0] > -0.0005, "a request %.3f ms early" % (late[0] * 1e3))
        t.check(off[200] < MEDIAN and off[360] < NINE and late[200] < NINE,
                "gaps are off by p50 %.3f ms, p90 %.3f ms, late p50 %.3f ms" % (
                    off[200] * 1e3, off[360] * 1e3, late[200] * 1e3))


def captured_order(t):
    """--order captured: a SUT that is 50 ms slower does not hold a request."""
    def spread(order):
        with lab.Lab() as l:
            prod, sut = l.labsrv("prod"), l.labsrv("sut", "-d", "50")
            us = l.understudy("--order", order, "--behind", "wait")
            d = l.dump("sut", "s0", "tcp dst port 80")
            code, out = l.client("paced", 1, 100, 0.5)
            t.equal(code, 0, "client: " + out[-200:])
            l.settle(prod, sut, quiet=1)
            t.equal(us.finish(30), 0, "exit code: " + us.text()[-300:])
            got = lab.reach(prod.log, sut.log)
            t.equal((got.asked, got.reached, got.disorder), (50, 50, 0),
                    order + ": reached, disorder")
            at = first_seen(l.dumped(d)).values()
            t.equal(us.report()["sums"]["closed"], True, "sums closed")
            lab.isolated(t, l)
            return max(at) - min(at)
    causal, captured = spread("causal"), spread("captured")
    print("# 0.5 s of requests reached the SUT in %.2f s (causal), %.2f s "
          "(captured)" % (causal, captured))
    # 50 answers of 50 ms, one after another; sent when captured: as asked.
    t.check(causal > 2.2, "causal order did not wait: %.2f s" % causal)
    t.check(captured < 1.5, "captured order waited: %.2f s" % captured)


def from_a_file(t, family=4):
    """A capture that tcpdump made is played to a live SUT."""
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        d = l.dump("us", "mon0", "tcp port 80", snap=0)
        l.client("keep", *["/b10k?id=q-%d" % i for i in range(50)])
        l.client("each", *["/b100?id=r-%d" % i for i in range(30)])
        l.dumped(d)
        us = l.understudy(source=("-r", d.path))
        t.equal(us.wait(15), 0, "exit code: " + us.text())
        got, r = whole(t, l, us, prod, sut)
        t.equal((got.asked, r["requests"]["answered"]), (80, 80), "requests")


def fragments(t, family=4):
    """DNS queries that come in fragments reach the SUT whole."""
    with lab.Lab(family=family) as l:
        prod, sut = l.unbound("prod"), l.unbound("sut")
        us = l.understudy(port=53, filt="")
        code, out = l.queries(200, window=10, pad=2000)
        t.equal((code, out.strip()), (0, "answered 200"), "client")
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code: " + us.text())
        asked, got = (l.names(p.log) for p in (prod, sut))
        t.equal(len(asked), 200, "queries at production")
        t.equal(sorted(got), sorted(asked), "queries at the SUT: " + us.text())
        r = us.report()
        t.check(r["capture"]["decode"].get("fragment", 0) >= 200,
                "no fragments: %s" % r["capture"])
        t.equal((r["verdicts"]["different"], r["verdicts"]["not_compared"]),
                (0, 0), "different, not compared")
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


def clients(l, count):
    """Gives the client's host `count` more addresses, one after another."""
    first = "10.0.0.100" if l.family == 4 else "fd00:a::100"
    for n in range(count):
        at = lab.ipaddress.ip_address(first) + n
        l.ip("client", "addr", "add", "%s/%d" % (at, l.addr["len"]), "dev",
             "c0", *(["nodad"] if l.family == 6 else []))
    return first


def share(t, family, args, expect):
    """40 clients, two connections each; a client is played whole or not."""
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        first = clients(l, 40)
        us = l.understudy(*args)
        code, out = l.client("from", first, 40, 2)
        t.equal((code, out.count("200 100")), (0, 80), "client")
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code: " + us.text())
        at = lab.collections.Counter(r.id.rsplit("-", 1)[0][2:]
                                     for r in lab.read_log(sut.log))
        t.check(set(at.values()) == {2}, "clients in part: %s" % at)
        expect(t, {int(lab.ipaddress.ip_address(a)) -
                   int(lab.ipaddress.ip_address(first)) for a in at})
        t.equal(us.report()["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


def half(t, played):
    # Of 40 coins, less than 5 or more than 35 heads: once in 10 million runs.
    t.check(5 <= len(played) <= 35, "%d of 40 clients played" % len(played))


def all_but_28(t, played):
    t.equal(played, set(range(28)), "clients played")  # .128/25 is skipped


def few_flows(t, family=4):
    """A table for 16 flows and 48 connections: flows pay, nothing else."""
    with lab.Lab(family=family) as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut")
        us = l.understudy("--max-flows", "16")
        code, out = l.client("paced", 48, 10, 1.5)
        t.equal(code, 0, "client: " + out[-200:])
        l.settle(prod, sut)
        t.check(us.finish() in (0, 2), "exit code: " + us.text())
        got, r = lab.reach(prod.log, sut.log), us.report()
        print("# 48 connections, 16 flows: reached %d of %d, victims %d" % (
            got.reached, got.asked, r["machine"]["victims"]))
        t.equal((got.duplicates, got.disorder), (0, 0), "duplicates, disorder")
        t.check(got.reached >= 48, "reached %d" % got.reached)
        t.check(r["machine"]["victims"] >= 32, "no victims: %s" % r["machine"])
        t.equal(r["requests"]["delivered"] + sum(r["not_delivered"].values()),
                r["requests"]["seen"], "every request counted")
        t.equal(us.differences(), [], "differences")
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


TESTS = []
for v in (4, 6):
    n = ", IPv%d" % v
    TESTS += [
        ("--level timing" + n, timing, v),
        ("--capture v3" + n, lambda t, v=v: mode(t, "--capture", "v3",
                                                 family=v)),
        ("in-host" + n, inhost, v),
        ("VLAN" + n, lambda t, v=v: mode(t, family=v, tag="vlan")),
        ("QinQ" + n, lambda t, v=v: mode(t, family=v, tag="qinq", filt="")),
        ("VXLAN" + n, lambda t, v=v: mode(t, "--vxlan", "7", family=v,
                                          tag="vxlan", filt="")),
        ("a capture, to a live SUT" + n, from_a_file, v),
        ("--sample" + n, share, v, ("--sample", "50%"), half),
        ("--max-flows" + n, few_flows, v),
    ]
    if shutil.which("unbound"):
        TESTS += [("queries in fragments" + n, fragments, v)]
TESTS += [
    ("--order captured", captured_order),
    ("VXLAN, any", lambda t: mode(t, "--vxlan", "any", tag="vxlan", filt="")),
    ("--skip", share, 4, ("--skip", "10.0.0.128/25"), all_but_28),
]
lab.main(TESTS)
