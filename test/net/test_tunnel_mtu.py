# SPDX-License-Identifier: BSD-2-Clause
"""A path of a tunnel that takes less than the other one (test_tunnel.py has the
namespaces): nobody is told of it, and what the tunnel says inside."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_tunnel as rig  # noqa: E402
from test_tunnel import lab, until  # noqa: E402

IDLE = "a few megabytes"
TAKES = 1300
# IPv4, UDP, number and tag of the link, header of the machine.
MOST = TAKES - 20 - 8 - 8 - 16 - 12
TOP = 1436


def size_of(end, path=1):
    return [p["mtu"] for p in end.report()["paths"] if p["path"] == path][0]


def ping(net, size, addr="10.99.0.2", *words):
    """One ping of so many bytes that may not be cut: whether it came, and what was
    said."""
    p = rig.inside(rig.A, "ping", "-c", "1", "-W", "2", "-M", "do", "-s",
                   str(size), *words, addr, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT)
    said = p.communicate(timeout=rig.WAIT)[0]
    return p.returncode == 0, said


def narrow(net, both):
    """The second path takes TAKES bytes. If only the far end knows, it is a black
    hole: what is longer is lost, in pieces or whole, and nobody says so."""
    for ns in (rig.A, rig.B) if both else (rig.B,):
        rig.ip(ns, "link", "set", "p2", "mtu", str(TAKES))


def found(t, net, a, b):
    """Each transfer gives what looks for it something to do."""
    until("the limit of a path",
          lambda: net.transfer(rig.B, size=1 << 19) and size_of(a) < TAKES)
    # A veth lets room for a tag of a VLAN through.
    t.check(MOST - 8 <= size_of(a) <= MOST + 4, "a: %d" % size_of(a))
    t.equal(size_of(a, 0), TOP, "the other path")


def limits(t, both, black):
    with rig.Net(False) as net:
        narrow(net, both)
        b = net.listen()
        a = net.begin()
        until("both paths are there", lambda: rig.both_alive(net, a))
        found(t, net, a, b)
        now = size_of(a)
        ok, said = ping(net, now - 28)
        t.check(ok, said)
        ok, said = ping(net, now - 28 + 1)
        t.check(not ok and re.search(r"mtu ?= ?%d" % now, said), said)
        # Now the kernel knows, and the next one is refused here.
        ok, said = ping(net, now - 28 + 1)
        t.check(not ok and "local error" in said, said)
        n = a.report()["ends"]
        t.check(n["too_big"] >= 1 and n["too_big_untold"] == 0, str(n))
        # IPv6 takes 1280 everywhere.
        ok, said = ping(net, 1280 - 48, "fd99::2", "-6")
        t.check(ok, said)
        ok, said = ping(net, 1281 - 48, "fd99::2", "-6")
        t.check(not ok and re.search(r"mtu ?= ?1280", said), said)
        # What may be cut is, and comes.
        p = rig.inside(rig.A, "ping", "-c", "3", "-i", "0.2", "-M", "dont",
                       "-s", "1400", "10.99.0.2", stdout=subprocess.DEVNULL)
        t.check(p.wait(rig.WAIT) == 0 or black, "cut packets")
        t.check(net.transfer(rig.A, size=1 << 20), "bytes differ")


def mss(t):
    """Hosts behind the ends whose own links take 1500: their SYNs are told, both
    ways, with ICMP out of the picture."""
    with rig.Net(True) as net:
        b = net.listen()
        a = net.begin()
        until("ping", net.ping)
        for ns in (rig.A, rig.B):
            rig.ip(ns, "link", "set", "us0", "mtu", "1500")
        t.check(net.transfer(rig.B, size=1 << 20), "bytes differ")
        t.check(net.transfer(rig.A, addr="fd99::1", size=1 << 20),
                "bytes differ")
        for end in (a, b):
            n = end.report()["ends"]
            # A SYN and its answer, of two connections, are seen on both ends;
            # who sees it second finds it short enough.
            t.check(n["mss"] >= 2, str(n))
            t.equal(n["too_big"], 0, "too big")
        t.equal(sum(e.report()["ends"]["mss"] for e in (a, b)), 4,
                "lowered once each")


if __name__ == "__main__":
    lab.main([("a path that takes less", limits, True, False),
              ("a black hole", limits, False, True), ("SYNs", mss)])
