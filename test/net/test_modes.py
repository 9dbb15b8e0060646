# SPDX-License-Identifier: BSD-2-Clause
"""Every way to run it, live: rings, tagged mirrors, in-host, captures, shares of
the clients, fragments. Levels and orders, which are about time: test_timing.py.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

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
        l.wrk(**dict({"seconds": 1, "conns": 8, "url": "/b10k", "delay": 2},
                     **(load or {})))
        whole(t, l, us, prod, sut, tail=1)
        return us.text()


def sized(t, mtu, sut_mtu):
    """Wires of another size than usual, the SUT's own maybe: uploads and
    downloads of many segments."""
    with lab.Lab(gso=False) as l:
        for room, devs, size in (
                ("client", ["c0"], mtu), ("prod", ["p0"], mtu),
                ("tap", ["t0", "t1", "m0"], mtu), ("us", ["mon0"], mtu),
                ("sut", ["s0"], sut_mtu), ("us", ["eth1"], sut_mtu)):
            for dev in devs:
                l.ip(room, "link", "set", dev, "mtu", str(size))
        prod, sut = l.labsrv("prod"), l.labsrv("sut")
        us = l.understudy()
        l.wrk(seconds=1, conns=4, url="/post", body=20480, delay=10)
        l.wrk(seconds=1, conns=4, url="/a", run="s", close=True, delay=5)
        whole(t, l, us, prod, sut, tail=1)


def inhost(t, family=4):
    said = mode(t, family=family, inhost=True)
    t.check("p0 is in use" in said, "the use is not said: " + said)


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
    t.equal(played, set(range(28)), "clients played")


SKIP_28 = {4: ("--skip", "10.0.0.128/25"),
           6: ("--skip", "fd00:a::11c/126", "--skip", "fd00:a::120/123")}


def rate(t, family=4, bits=40000, rounds=30):
    """40 clients that say more than they may: some are played, and no more."""
    with lab.Lab(family=family, gso=False) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        first = clients(l, 40)
        us = l.understudy("--max-rate", "40K")
        began = lab.time.monotonic()
        for _ in range(rounds):
            code, out = l.client("from", first, 40, 1)
            t.equal((code, out.count("200 100")), (0, 40), "client")
        secs = lab.time.monotonic() - began
        l.settle(prod, sut, uneven=0.6)
        t.equal(us.finish(), 0, "exit code: " + us.text()[-300:])
        r = us.report()
        sent, played = r["emit"]["bytes"] * 8, len(lab.read_log(sut.log))
        left = r["frames"]["over_rate"]
        print("# --max-rate 40K: %.0f bits a second played, %d of %d requests, "
              "%d frames left out, ended %s" % (
                  sent / secs, played, 40 * rounds, left, r["flows"]["ended"]))
        # Of a leap, a step is played before it is cut: 5 KB, and what it is short.
        t.check(sent <= 1.3 * bits * secs + 200000, "sent %d in %.1f s" % (sent,
                                                                         secs))
        t.check(left > 1000 and 20 < played < 40 * rounds, "played %d" % played)
        t.equal(us.differences(), [], "differences")
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


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
        ("in-host" + n, inhost, v),
        ("VLAN" + n, lambda t, v=v: mode(t, family=v, tag="vlan")),
        ("QinQ" + n, lambda t, v=v: mode(t, family=v, tag="qinq", filt="")),
        ("VXLAN" + n, lambda t, v=v: mode(t, "--vxlan", "7", family=v,
                                          tag="vxlan", filt="")),
        ("a capture, to a live SUT" + n, from_a_file, v),
    ]
    TESTS += [("queries in fragments" + n, fragments, v)]
# Of one family only: what they do does not look at addresses' kind but in decoding,
# and that is fuzzed (fuzz_wires).
TESTS += [
    ("--capture v3", lambda t: mode(t, "--capture", "v3")),
    ("--sample", share, 6, ("--sample", "50%"), half),
    ("--max-rate", rate),
    ("wires of MTU 9000", sized, 9000, 9000),
    ("wires of MTU 1280", sized, 1280, 1280),
    ("the SUT's wire of MTU 1280", sized, 1500, 1280),
    ("clients of MTU 9000, a SUT of 1500", sized, 9000, 1500),
    ("--skip", share, 6, SKIP_28[6], all_but_28),
    ("--max-flows", few_flows, 4),
    ("VXLAN, any", lambda t: mode(t, "--vxlan", "any", tag="vxlan", filt="")),
]
lab.main(TESTS)
