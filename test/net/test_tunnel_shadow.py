# SPDX-License-Identifier: BSD-2-Clause
"""A SUT in another building: its wire is a tunnel of Ethernet over two paths of
10 Mbit/s, each through a gateway, and a bridge at the far end.

             us                              far                    sut
     mon0  w1 --------- g1 --------- f1            b1 ------- s0
     us0 - tunnel                        tunnel - us0 ' br0
           w2 --------- g2 --------- f2

The shadow plays on us0. All else is as in lab.py: its counters, and its joins.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "paths of 10 Mbit/s"
RATE = "10mbit"
NOWHERE = "02:00:00:00:00:99"
CONNS, REST = 48, 20  # 2,000 requests a second, if they are answered at once
KEYS = ("near", "far")
LEAST = 200  # requests, and packets of a path, however slow the machine is


class Afar(lab.Lab):
    """The lab, whose SUT's wire is a tunnel."""

    wire = "us0"

    def mirror(self):
        for room in ("g1", "g2", "far"):
            lab.sh("ip", "netns", "add", self.ns(room))
            self.made.append(room)
            self.ip(room, "link", "set", "lo", "up")
            self.sysctl(room, "net.ipv6.conf.default.disable_ipv6", 1)
        for i in (1, 2):
            self.lay(i)
        self.ip("us", "link", "del", "eth1")
        self.ip("sut", "link", "add", "s0", "address", lab.MAC["s0"], "type",
                "veth", "peer", "name", "b1", "netns", self.ns("far"))
        self.ip("far", "link", "add", "br0", "type", "bridge")
        for dev in ("b1", "br0"):
            self.ip("far", "link", "set", dev, "up")
        self.ip("far", "link", "set", "b1", "master", "br0")
        self.tunnel()
        super().mirror()

    def lay(self, i):
        """A path, whose gateway forwards and knows nothing."""
        gw = "g%d" % i
        self.sysctl(gw, "net.ipv4.ip_forward", 1)
        for room, dev, net, on in (("us", "w%d" % i, 30, "gn"),
                                   ("far", "f%d" % i, 31, "gf")):
            self.ip(room, "link", "add", dev, "type", "veth", "peer", "name",
                    on, "netns", self.ns(gw))
            self.ip(room, "addr", "add", "10.%d.%d.2/24" % (net, i), "dev",
                    dev)
            self.ip(gw, "addr", "add", "10.%d.%d.1/24" % (net, i), "dev", on)
            for where, d in ((room, dev), (gw, on)):
                self.ip(where, "link", "set", d, "gso_max_segs", "1",
                        "gso_max_size", "1514")
                self.ip(where, "link", "set", d, "up")
            self.ip(room, "route", "add", "10.%d.%d.0/24" % (61 - net, i),
                    "via", "10.%d.%d.1" % (net, i))
            self.tc(room, "qdisc", "add", "dev", dev, "root", "handle", "1:",
                    "htb", "default", "1")
            self.tc(room, "class", "add", "dev", dev, "parent", "1:",
                    "classid", "1:1", "htb", "rate", RATE, "burst", "6000",
                    "cburst", "6000")
            self.tc(room, "qdisc", "add", "dev", dev, "parent", "1:1",
                    "pfifo", "limit", "100")

    def tunnel(self):
        pub = {k: lab.sh(lab.BINARY, "tunnel", "keygen",
                         self.path(k + ".key")).strip() for k in KEYS}
        self.end = {}
        for room, own, other, words in (
                ("far", "far", "near", ("--listen", "0.0.0.0:7000")),
                ("us", "near", "far", (
                    "--path", "w1,10.31.1.2:7000",
                    "--path", "w2,10.31.2.2:7000"))):
            said = self.path("tunnel-" + room)
            self.end[room] = self.spawn(room, [
                lab.BINARY, "tunnel", "--tap", "--key",
                self.path(own + ".key"), "--peer", pub[other], "--ctl",
                self.path(room + ".ctl"), *words], out=said, err=said)
            within(20, "the tunnel in " + room,
                   lambda: "is up" in open(said).read())
        self.ip("far", "link", "set", "us0", "master", "br0")

    def paths(self):
        """Of each path of the near end: is it alive, datagrams sent."""
        code, out = self.run("us", [lab.BINARY, "ctl", self.path("us.ctl"),
                                    "show", "json"])
        if code:
            raise lab.LabError(out)
        return [(p["alive"], p["sent"])
                for p in lab.json.loads(out)["paths"]]

    def cut(self, i):
        """Path i loses all, both ways, and nobody is told."""
        for room, net, dev in (("us", 30, "w"), ("far", 31, "f")):
            self.ip(room, "neigh", "replace", "10.%d.%d.1" % (net, i),
                    "lladdr", NOWHERE, "dev", "%s%d" % (dev, i), "nud",
                    "permanent")


def within(secs, what, cond):
    end = time.monotonic() + secs
    while not cond():
        if time.monotonic() > end:
            raise lab.LabError("not in %d s: %s" % (secs, what))
        time.sleep(0.02)


def same(t, us, asked, conns):
    """The report says of all that was asked that it is the same, but for what the
    client left without an answer when it stopped."""
    r = us.report()
    if not t.check(r, "no report: " + us.text()):
        return
    v = r["verdicts"]
    t.equal(v["different"], 0, "different")
    t.check(v["identical"] + v["equivalent"] >= asked - conns,
            "compared too few of %d: %s %s" % (asked, v, r["not_compared"]))
    t.equal(r["sums"]["closed"], True, "sums closed")


def plays(t, family, cut, secs):
    """Under load all of it arrives, and nothing leaks; also if a path dies."""
    with Afar(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy(ready=8.0)
        load = l.wrk(seconds=secs, conns=CONNS, delay=REST, wait=False)
        if cut:
            within(30, "the first path carries",
                   lambda: l.paths()[0][1] > LEAST or load.poll() is not None)
            l.cut(1)
        rate = l.wrk_rate(load)
        l.settle(prod, sut)
        if cut:
            within(30, "the path is dead", lambda: not l.paths()[0][0])
        paths = l.paths()
        t.equal(us.finish(), 0, "exit code: " + us.text())
        got = lab.reach(prod.log, sut.log, tail=1)
        t.check(got.asked > LEAST, "asked: %d" % got.asked)
        t.equal(got[1:], (got.asked, [], 0, 0, 0), "reached")
        same(t, us, got.asked, CONNS)
        t.check(min(n for _, n in paths) > LEAST, "one path only: %s" % paths)
        t.equal([x for x, _ in paths], [not cut, True], "alive")
        print("# %.0f requests/s, %d asked, by paths %s" % (
            rate, got.asked, [n for _, n in paths]))
        lab.isolated(t, l)


def stranger(t):
    """Somebody in the other building who could be a way out ends the run, as on
    any wire."""
    with Afar() as l:
        l.nginx("prod"), l.nginx("sut")
        us = l.understudy(ready=8.0)
        l.client("keep", "/b100?id=q-0")
        t.check(us.alive(), "it ended before: " + us.text())
        l.ip("far", "addr", "add", "10.1.0.9/24", "dev", "br0")
        l.run("far", ["ping", "-c1", "-W1", "10.1.0.20"])
        t.equal(us.wait(5), 2, "exit code")
        t.check("10.1.0.9" in us.text(), "not named")
        lab.isolated(t, l)


if __name__ == "__main__":
    lab.main([("two paths", plays, 4, False, 4),
              ("two paths, IPv6", plays, 6, False, 2),
              ("a path is cut", plays, 4, True, 4),
              ("a stranger", stranger)])
