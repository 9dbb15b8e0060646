# SPDX-License-Identifier: BSD-2-Clause
"""The lab without a mirror port: a proxy is one.

    client               us                    prod
   +------+     +-----------------------+     +------+    10.0.0.0/24: client .2,
   |  c0 --------- pc0   proxy     ps0 -------- p0  |       proxy .1
   +------+     |          | copies    |     +------+    10.2.0.0/24: proxy .1,
                |        us-tap        |      sut          production .10
                |          |           |     +------+    10.1.0.0/24: SUT .20
                |        shadow  eth1 ------- s0  |
                +-----------------------+     +------+

Beside lab.py's: counters watch that client and production hear the proxy only, and
that nothing leaves us-tap.
"""
import json
import signal
import subprocess
import time

import lab

ADDR = {4: {"client": "10.0.0.2", "proxy": "10.0.0.1", "near": "10.2.0.1",
            "prod": "10.2.0.10", "sut": "10.1.0.20", "gw": "10.1.0.1", "len": 24},
        6: {"client": "fd00:a::2", "proxy": "fd00:a::1", "near": "fd00:c::1",
            "prod": "fd00:c::10", "sut": "fd00:b::20", "gw": "fd00:b::1", "len": 64}}
MAC = {"c0": "02:00:00:00:0c:00", "pc0": "02:00:00:00:0c:01",
       "ps0": "02:00:00:00:0b:01", "p0": "02:00:00:00:0b:00",
       "s0": "02:00:00:00:05:00"}
TAP, END = "us-tap", "us-tap-end"


class Tapped(lab.Lab):
    def __init__(self, family=4):
        super().__init__(family)
        self.addr, self.dev = ADDR[family], TAP

    def build(self):
        for room in ("client", "prod", "sut", "us"):
            lab.sh("ip", "netns", "add", self.ns(room))
            self.made.append(room)
            self.ip(room, "link", "set", "lo", "up")
            self.sysctl(room, "net.ipv6.conf.default.accept_dad", 0)
            self.sysctl(room, "net.ipv6.conf.default.router_solicitations", 0)
        for a, x, b, y in (("client", "c0", "us", "pc0"), ("prod", "p0", "us", "ps0"),
                           ("us", "eth1", "sut", "s0")):
            self.ip(a, "link", "add", x, "type", "veth", "peer", "name", y, "netns",
                    self.ns(b))
        for room, dev in (("client", "c0"), ("us", "pc0"), ("us", "ps0"),
                          ("prod", "p0"), ("sut", "s0")):
            self.ip(room, "link", "set", dev, "address", MAC[dev])
        self.sysctl("us", "net.ipv6.conf.eth1.disable_ipv6", 1)
        self.tap()
        self.watch()
        self.address()

    def tap(self):
        self.ip("us", "link", "add", TAP, "type", "veth", "peer", "name", END)
        self.sysctl("us", "net.ipv6.conf.%s.disable_ipv6" % END, 1)
        self.ip("us", "link", "set", END, "up")

    def address(self):
        v6 = ["nodad"] if self.family == 6 else []
        for room, dev, who in (("client", "c0", "client"), ("us", "pc0", "proxy"),
                               ("us", "ps0", "near"), ("prod", "p0", "prod"),
                               ("sut", "s0", "sut")):
            self.ip(room, "addr", "add", "%s/%d" % (self.addr[who], self.addr["len"]),
                    "dev", dev, *v6)
            self.ip(room, "link", "set", dev, "up")
        self.ip("us", "link", "set", "eth1", "up")
        self.ip("sut", "-%d" % self.family, "route", "add", "default", "via",
                self.addr["gw"], "dev", "s0")

    def rules(self):
        return (("client", ["c0:in!=" + MAC["pc0"]]),
                ("prod", ["p0:in!=" + MAC["ps0"]]),
                ("us", [TAP + ":out", END + ":in"]))

    def watch(self):
        tool = self.tool("isocount", "test/net/isocount.c")
        for room, rules in self.rules():
            out = self.path("iso-%s" % room)
            p = self.spawn(room, [tool] + rules, out=out, err=out)
            self.counters.append((room, p, out))
        end = time.monotonic() + 5
        for room, p, out in self.counters:
            while not open(out).read().startswith("ready"):
                if p.poll() is not None or time.monotonic() > end:
                    raise lab.LabError("counter in %s: %s" % (room, open(out).read()))
                time.sleep(0.01)

    def rules_watched(self):
        return 4

    def at(self, who, port):
        return ("[%s]:%d" if self.family == 6 else "%s:%d") % (self.addr[who], port)

    def proxy(self, *words, port=80):
        """A proxy that listens, with its copies at us-tap."""
        return Proxy(self, words, port)


class Proxy:
    def __init__(self, l, words, port):
        self.l = l
        l.files += 1
        self.out = l.path("proxy%d.out" % l.files)
        self.p = l.spawn("us", [lab.BINARY, "proxy", "--json", "--quiet", "--timewait",
                               "1ms", *words],
                         out=self.out, err=self.out)
        try:
            l.listening("us", self.p, port)
        except lab.LabError:
            raise lab.LabError("proxy: " + open(self.out).read())

    def end(self):
        """Its report, when its sums are seen to close."""
        self.p.send_signal(signal.SIGTERM)
        if self.p.wait(30):
            raise lab.LabError("the proxy ended: " + open(self.out).read())
        return json.loads(open(self.out).read().splitlines()[-1])


def refused(l, *words):
    """A proxy that does not begin: its one line."""
    r = subprocess.run(["ip", "netns", "exec", l.ns("us"), lab.BINARY, "proxy", *words],
                       capture_output=True, text=True, timeout=20)
    lines = r.stderr.splitlines()
    if r.returncode != 2 or r.stdout or len(lines) != 1:
        raise lab.LabError("%s: %d %s" % (words, r.returncode, r.stderr))
    return lines[0]
