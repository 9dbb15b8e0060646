# SPDX-License-Identifier: BSD-2-Clause
"""Hosts A and B and the paths between them, for measurements of the tunnel.

A path is written RATE[:BACK][/MS[/LOSS]]: kB/s (1000 bytes), of the way back, if it has
another; ms one way; percent that is lost each way. "5x150" is five of them, "5=12500"
is five addresses on one wire. Rates are HTB's at both ends, behind a queue of 100
packets; a path with a delay or a loss has a host of its own in the middle (delay_line).
"""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import lab

LINE = os.path.join(os.path.dirname(lab.BINARY), "delay_line")
DIRECT = 1448 / 1514  # payload of a frame
PORT = 5000
WAIT = 20
# A connection that it takes: when how many bytes had come, as JSON lines.
RECEIVE = """
import json, socket, sys, time
l = socket.socket(socket.AF_INET, socket.SOCK_STREAM, int(sys.argv[3]))
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind((sys.argv[1], int(sys.argv[2])))
l.listen(1)
print("ready", flush=True)
s, n, seen = l.accept()[0], 0, []
seen.append((time.monotonic(), 0))
room = bytearray(1 << 18)
while True:
    try:
        k = s.recv_into(room)
    except ConnectionResetError:
        break
    if not k:
        break
    n += k
    seen.append((time.monotonic(), n))
json.dump(seen, sys.stdout)
"""
SEND = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, int(sys.argv[4]))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, sys.argv[5].encode())
s.connect((sys.argv[1], int(sys.argv[2])))
end, what = time.monotonic() + float(sys.argv[3]), bytes(65536)
s.settimeout(1)
while time.monotonic() < end:
    try:
        s.send(what)
    except TimeoutError:
        pass
# What waits in the queue is none of the measurement.
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
             b"\\1\\0\\0\\0\\0\\0\\0\\0")
s.close()
"""
MPTCP = 262


def start(ns, *argv, **kw):
    return subprocess.Popen(("ip", "netns", "exec", ns) + argv,
                            preexec_fn=lab._child, text=True, **kw)


def end(*children):
    for p in children:
        if p.poll() is None:
            p.kill()
        p.wait()


def until(what, cond, secs=WAIT):
    last = time.monotonic() + secs
    while not cond():
        if time.monotonic() > last:
            raise lab.LabError("not in %d s: %s" % (secs, what))
        time.sleep(0.02)


class Path:
    def __init__(self, word, wire=None):
        m = re.fullmatch(r"(\d+)(?::(\d+))?(?:/(\d+)(?:/([\d.]+))?)?", word)
        if not m:
            raise lab.LabError("no path: " + word)
        self.rate = int(m[1])
        self.back = int(m[2] or m[1])
        self.ms = int(m[3] or 0)
        self.lost = round(float(m[4] or 0) * 10)  # of 1000
        self.wire = wire


def paths_of(words):
    got = []
    for word in words.split(","):
        m = re.fullmatch(r"(\d+)([x=])(.+)", word)
        first = len(got)
        for _ in range(int(m[1]) if m else 1):
            got.append(Path(m[3] if m else word,
                            first if m and m[2] == "=" else None))
    return got


class Ways:
    """The hosts; all goes at the end. @tag tells several at a time apart."""

    def __init__(self, words, tag=""):
        self.paths = paths_of(words)
        self.a, self.b, self.m = ("us%d-%s%s" % (os.getpid(), x, tag)
                                  for x in "abm")
        self.lines = []
        self.keys = {}

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="understudy-ways-")
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        end(*self.lines)
        for ns in (self.a, self.b, self.m):
            subprocess.run(("ip", "netns", "del", ns), check=False,
                           stderr=subprocess.DEVNULL)
        lab.shutil.rmtree(self.dir, ignore_errors=True)

    def dev(self, i):
        wire = self.paths[i].wire
        return "p%d" % (i if wire is None else wire)

    def build(self):
        for ns in (self.a, self.b, self.m):
            lab.sh("ip", "netns", "add", ns)
            lab.sh("ip", "-n", ns, "link", "set", "lo", "up")
        for i, p in enumerate(self.paths):
            if p.wire in (None, i):
                self.lay(i, p)
            for k, ns in ((1, self.a), (2, self.b)):
                lab.sh("ip", "-n", ns, "addr", "add", "10.20.%d.%d/24" % (i, k),
                       "dev", self.dev(i))
        self.draw(True)

    def lay(self, i, p):
        """One wire, of two where a host lies between."""
        name = "p%d" % i
        ends = [(self.a, name, self.b, name)]
        if p.ms or p.lost:
            ends = [(self.a, name, self.m, "a%d" % i),
                    (self.b, name, self.m, "b%d" % i)]
        for one in ends:
            lab.sh("ip", "-n", one[0], "link", "add", one[1], "type", "veth",
                   "peer", "name", one[3], "netns", one[2])
            for ns, dev in (one[:2], one[2:]):
                # A limit counts whole packets only if there are no larger ones.
                if p.rate:
                    lab.sh("ip", "-n", ns, "link", "set", dev, "gso_max_segs",
                           "1", "gso_max_size", "1514")
                if ns == self.m or len(ends) > 1:
                    subprocess.run(("ip", "netns", "exec", ns, "ethtool", "-K",
                                    dev, "tx", "off", "gro", "off"),
                                   check=False, capture_output=True)
                lab.sh("ip", "-n", ns, "link", "set", dev, "up")
        for ns, rate in ((self.a, p.rate), (self.b, p.back)):
            if rate:
                self.limit(ns, name, rate, "add")

    def limit(self, ns, dev, rate, verb):
        tc = ("ip", "netns", "exec", ns, "tc")
        if verb == "add":
            lab.sh(*tc, "qdisc", "add", "dev", dev, "root", "handle", "1:",
                   "htb", "default", "1")
        lab.sh(*tc, "class", verb, "dev", dev, "parent", "1:", "classid",
               "1:1", "htb", "rate", "%dbps" % (rate * 1000), "burst", "6000",
               "cburst", "6000")
        if verb == "add":
            lab.sh(*tc, "qdisc", "add", "dev", dev, "parent", "1:1", "pfifo",
                   "limit", "100")

    def set_rate(self, i, rate):
        for ns in (self.a, self.b):
            self.limit(ns, self.dev(i), rate, "change")

    def draw(self, lossy):
        """Let the hosts between work, with what they lose or without."""
        end(*self.lines)
        self.lines = [start(self.m, LINE, "a%d" % i, "b%d" % i, str(p.ms),
                            str(p.lost if lossy else 0))
                      for i, p in enumerate(self.paths) if p.ms or p.lost]

    def silence(self, i, on):
        """Path i loses all, both ways, and nobody is told: it goes to a hardware
        address that nobody has."""
        for k, ns in ((2, self.a), (1, self.b)):
            words = ("neigh", "replace", "10.20.%d.%d" % (i, k), "lladdr",
                     "02:00:00:00:00:99", "dev", self.dev(i), "nud",
                     "permanent")
            if not on:
                words = ("neigh", "del") + words[2:3] + words[5:7]
            lab.sh("ip", "-n", ns, *words)

    def trust(self, ns, how):
        if how != "sealed":
            return ["--plain"]
        for one in (self.a, self.b):
            if one not in self.keys:
                path = os.path.join(self.dir, one)
                self.keys[one] = path, lab.sh(lab.BINARY, "tunnel", "keygen",
                                              path).strip()
        other = self.b if ns == self.a else self.a
        return ["--key", self.keys[ns][0], "--peer", self.keys[other][1]]

    def end_of(self, ns, how="plain", *more):
        """One end of the tunnel, which runs."""
        words = ["--addr", "10.99.0.%d/30" % (1 + (ns == self.b))]
        if ns == self.b:
            words += ["--listen", "0.0.0.0:7000"]
        else:
            for i in range(len(self.paths)):
                words += ["--path", "%s,10.20.%d.2:7000" % (
                    "10.20.%d.1" % i if self.paths[i].wire is not None
                    else "p%d" % i, i)]
        return start(ns, lab.BINARY, "tunnel", "--quiet", *words,
                     *self.trust(ns, how), *more)

    def pings(self):
        return start(self.a, "ping", "-c", "1", "-W", "1", "10.99.0.2",
                     stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL).wait() == 0

    @contextlib.contextmanager
    def tunnel(self, how="plain", *more):
        ends = [self.end_of(ns, how, *more) for ns in (self.b, self.a)]
        try:
            until("ping through the tunnel", self.pings)
            yield ends
        finally:
            for e in ends:
                e.send_signal(signal.SIGTERM)
                e.wait()

    def direct(self):
        return ["10.20.%d.2" % i for i in range(len(self.paths))]

    def connections(self, addrs, secs, proto=0, meanwhile=None, cc="cubic",
                    port=PORT):
        """What came when, of connections to these addresses, all at once: of each
        a list of (seconds since all began, bytes)."""
        get, put = [], []
        try:
            for k, a in enumerate(addrs):
                # Subflows come to other addresses, too.
                get.append(start(self.b, sys.executable, "-c", RECEIVE,
                                 "0.0.0.0" if proto else a, str(port + k), str(proto),
                                 stdout=subprocess.PIPE))
            for g in get:
                g.stdout.readline()
            began = time.monotonic()
            for k, a in enumerate(addrs):
                put.append(start(self.a, sys.executable, "-c", SEND, a,
                                 str(port + k), str(secs), str(proto), cc))
            if meanwhile:
                meanwhile(began)
            got = [g.communicate(timeout=secs + WAIT)[0] for g in get]
            return [[(t - began, n) for t, n in json.loads(g)] for g in got]
        finally:
            end(*get, *put)


def at(seen, t):
    """Bytes that had come by then."""
    n = 0
    for when, total in seen:
        if when > t:
            break
        n = total
    return n


def rate(seen, first, last):
    """kB/s between two times."""
    return (at(seen, last) - at(seen, first)) / (last - first) / 1000


def gap(seen, first, last):
    """The longest time without a byte, seconds, of those that begin there."""
    times = [t for t, _ in seen if t <= last] + [last]
    return max((b - a for a, b in zip(times, times[1:]) if b >= first),
               default=last - first)


def mptcp(ways):
    """Let the kernel use all paths for a connection to path 0's address."""
    for ns in (ways.a, ways.b):
        lab.sh("ip", "-n", ns, "mptcp", "limits", "set", "subflow", "8",
               "add_addr_accepted", "8")
    for i in range(1, len(ways.paths)):
        lab.sh("ip", "-n", ways.b, "mptcp", "endpoint", "add",
               "10.20.%d.2" % i, "dev", ways.dev(i), "signal")
