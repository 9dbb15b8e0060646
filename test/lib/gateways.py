# SPDX-License-Identifier: BSD-2-Clause
"""The thesis's testbed: hosts on one switch, each with one wire.

     c 10.20.0.1     s 10.20.0.2     g1 10.20.0.11 ... gN
       |               |               |
     eth             eth             eth
       '---------------+---------------'
                     bridge (sw)

A gateway forwards, takes outer headers off (test/net/strip.bpf.c, as this kernel may
have no device of IP in IP), and knows that 10.99.0.1 is at c and 10.99.0.2 at s. Of c
and s what leaves is limited by HTB: a class for each gateway, and one of the wire
above all (the thesis's $maxSpeed).
"""
import json
import os
import subprocess
import tempfile

import lab
from ways import end, start, until

STRIP = os.path.join(os.path.dirname(lab.BINARY), "strip.bpf.o")
C, S = "10.20.0.1", "10.20.0.2"
INNER = {"c": "10.99.0.1", "s": "10.99.0.2"}
WIRE = 12500  # kB/s of a wire
QUEUE = 100


class Gateways:
    """The hosts; all goes at the end. `whole`: packets may be longer than the wire's,
    for throughput without limits."""

    def __init__(self, n, whole=False, strip=True):
        self.n, self.whole, self.strip = n, whole, strip
        self.rooms = ["c", "s", "sw"] + ["g%d" % (i + 1) for i in range(n)]
        self.children, self.ends = [], []

    def ns(self, room):
        return "us%d-%s" % (os.getpid(), room)

    def ip(self, room, *words):
        return lab.sh("ip", "-n", self.ns(room), *words)

    def inside(self, room, *argv, **kw):
        p = start(self.ns(room), *argv, **kw)
        self.children.append(p)
        return p

    def tc(self, room, *words):
        return lab.sh("ip", "netns", "exec", self.ns(room), "tc", *words)

    def sysctl(self, room, *pairs):
        lab.sh("ip", "netns", "exec", self.ns(room), "sysctl", "-qw", *pairs)

    @staticmethod
    def gate(i):
        """The address of gateway i, from 1 on."""
        return "10.20.0.%d" % (10 + i)

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="understudy-gateways-")
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        end(*self.children)
        for room in self.rooms:
            subprocess.run(("ip", "netns", "del", self.ns(room)), check=False,
                           stderr=subprocess.DEVNULL)
        lab.shutil.rmtree(self.dir, ignore_errors=True)

    def build(self):
        for room in self.rooms:
            lab.sh("ip", "netns", "add", self.ns(room))
            self.ip(room, "link", "set", "lo", "up")
            self.sysctl(room, "net.ipv6.conf.default.disable_ipv6=1")
        self.ip("sw", "link", "add", "br0", "type", "bridge")
        self.ip("sw", "link", "set", "br0", "up")
        for room in self.rooms:
            if room != "sw":
                self.plug(room)
        for i in range(1, self.n + 1):
            self.gateway(i)

    def plug(self, room):
        self.ip(room, "link", "add", "eth", "type", "veth", "peer", "name",
                room, "netns", self.ns("sw"))
        for where, dev in ((room, "eth"), ("sw", room)):
            if not self.whole:
                self.ip(where, "link", "set", dev, "gso_max_segs", "1",
                        "gso_max_size", "1514")
            self.ip(where, "link", "set", dev, "up")
        self.ip("sw", "link", "set", room, "master", "br0")
        addr = {"c": C, "s": S}.get(room) or self.gate(int(room[1:]))
        self.ip(room, "addr", "add", addr + "/24", "dev", "eth")

    def gateway(self, i):
        room = "g%d" % i
        self.sysctl(room, "net.ipv4.ip_forward=1",
                    "net.ipv4.conf.all.send_redirects=0",
                    "net.ipv4.conf.eth.send_redirects=0",
                    "net.ipv4.conf.all.rp_filter=0",
                    "net.ipv4.conf.eth.rp_filter=0")
        for k, at in (("c", C), ("s", S)):
            self.ip(room, "route", "add", INNER[k] + "/32", "via", at)
        if self.strip:
            self.tc(room, "qdisc", "add", "dev", "eth", "clsact")
            self.tc(room, "filter", "add", "dev", "eth", "ingress", "bpf", "da",
                    "obj", STRIP, "sec", "tc")

    def limit(self, rates, wire=WIRE):
        """HTB at c and at s: kB/s of 1,000 bytes to each gateway, None: the wire's;
        one packet counts whole, as it is one."""
        for room in ("c", "s"):
            subprocess.run(("ip", "netns", "exec", self.ns(room), "tc", "qdisc",
                            "del", "dev", "eth", "root"), check=False,
                           stderr=subprocess.DEVNULL)
            self.tc(room, "qdisc", "add", "dev", "eth", "root", "handle", "1:",
                    "htb", "default", "99")
            self.leaf(room, "1:", "1:1", wire)
            self.leaf(room, "1:1", "1:99", wire)
            for i, rate in enumerate(rates, 1):
                # What is guaranteed is not bounded by the wire's class.
                self.leaf(room, "1:1", "1:%d" % (9 + i), rate or wire // 16,
                          rate or wire)
                self.tc(room, "qdisc", "add", "dev", "eth", "parent",
                        "1:%d" % (9 + i), "pfifo", "limit", str(QUEUE))
                self.tc(room, "filter", "add", "dev", "eth", "parent", "1:",
                        "protocol", "ip", "u32", "match", "ip", "dst",
                        self.gate(i), "flowid", "1:%d" % (9 + i))

    def leaf(self, room, parent, name, rate, most=None):
        self.tc(room, "class", "add", "dev", "eth", "parent", parent,
                "classid", name, "htb", "rate", "%dbps" % (rate * 1000), "ceil",
                "%dbps" % ((most or rate) * 1000), "burst", "6000", "cburst",
                "6000")

    def end_of(self, room, *words, paths=None):
        """An end, which runs; by default with a path to each gateway."""
        if paths is None:
            paths = ["eth," + self.gate(i) for i in range(1, self.n + 1)]
        e = End(self, room, "--encap", "ipip", "--plain", "--addr",
                INNER[room] + "/30",
                *(w for p in paths for w in ("--path", p)), *words)
        self.ends.append(e)
        return e

    def ping(self, count=1, *words):
        return start(self.ns("c"), "ping", "-c", str(count), "-i", "0.05", "-W",
                     "1", *words, INNER["s"], stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL).wait() == 0

    def counter(self, room, name):
        """One of the kernel's (nstat)."""
        text = lab.sh("ip", "netns", "exec", self.ns(room), "nstat", "-asz",
                      name)
        return int(text.split("\n")[1].split()[1])


class End:
    """A running end of a tunnel of IP in IP."""

    def __init__(self, net, room, *words):
        self.err = os.path.join(net.dir, "%s-%d.err" % (room, len(net.ends)))
        self.out = self.err + ".out"
        with open(self.out, "w") as o, open(self.err, "w") as e:
            self.p = net.inside(room, lab.BINARY, "tunnel", "--json", *words,
                                stdout=o, stderr=e)
        until("an end is up", lambda: "is up" in self.said() or
              self.p.poll() is not None)
        if self.p.poll() is not None:
            raise lab.LabError(self.said())

    def said(self):
        with open(self.err) as f:
            return f.read()

    def reports(self):
        return [json.loads(x) for x in lab.whole_lines(self.out)]

    def report(self):
        """The counters as they are now."""
        n = len(self.reports())
        self.p.send_signal(lab.signal.SIGUSR1)
        until("a report", lambda: len(self.reports()) > n)
        return self.reports()[-1]

    def finish(self):
        self.p.send_signal(lab.signal.SIGTERM)
        return self.p.wait(20)
