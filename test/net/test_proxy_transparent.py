#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy --transparent: servers see the client's address.

On the hosts of test/lib/hosts.py; the server's way to the clients is by the proxy.
"""
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
import proxied  # noqa: E402
from hosts import ADDR, CLIENT, PROXY, SERVER, WAIT  # noqa: E402
from proxied import Proxy, Server, at, connected, exchange, forward, turned_away  # noqa: E402

IDLE = "seconds, and little load"
HOW = ("--transparent", "--splice", "tc")
SECOND = "10.77.1.77"
NETS = {4: "10.77.1.0/24", 6: "fd77:1::/64"}
TESTS = []


def test(name):
    def add(f):
        TESTS.append((name, f))
        return f
    return add


def ip(*words):
    return subprocess.run(["ip", "-n", PROXY, *words], capture_output=True,
                          text=True).stdout


def rules():
    """How many lead marked packets here."""
    return sum(ip(family, "rule").count("fwmark") for family in ("-4", "-6"))


class Ways:
    """The server sends what is for clients by the proxy, and the client has a second
    address."""

    def __enter__(self):
        for family, net in NETS.items():
            hosts.sh("ip", "-n", SERVER, "route", "add", net, "via", ADDR[family][2])
        hosts.address(CLIENT, "c0", SECOND + "/24")

    def __exit__(self, *_):
        for net in NETS.values():
            hosts.sh("ip", "-n", SERVER, "route", "del", net)
        hosts.sh("ip", "-n", CLIENT, "addr", "del", SECOND + "/24", "dev", "c0")


for family in (4, 6):
    @test(f"the server sees who it is, IPv{family}, and the bytes are the same")
    def seen(family=family):
        with Ways(), Server(family) as s, Proxy(*forward(family), *HOW) as p:
            assert rules() == 2
            for size in (0, 1, 1000, 300000):
                got = exchange(s, size, family)
                assert got[2] == ADDR[family][0], got
            r = p.end()
            assert r["spliced"] == r["ended_closed"] == 4, r
        assert rules() == 0 and "local default" not in ip("route", "show", "table", "all")


@test("of two clients each is seen as himself, by SOCKS, too")
def socks():
    words = ("--socks", at(ADDR[4][1], proxied.PORT), "--allow", "10.77.2.0/24")
    with Ways(), Server() as s, Proxy(*words, *HOW) as p:
        for mine in (None, SECOND):
            c = connected(source=mine)
            c.sendall(b"\5\1\0\5\1\0\1" + socket.inet_aton(ADDR[4][3]) +
                      proxied.TO.to_bytes(2, "big"))
            assert hosts.read_exactly(c, 12)[:4] == b"\5\0\5\0"
            got = exchange(s, 5000, s=c)
            assert got[2] == (mine or ADDR[4][0]), got
        r = p.end()
        assert r["spliced"] == 2, r


@test("many at once, of several workers")
def workers():
    with Ways(), Server(keeps=True) as s, Proxy(*forward(), *HOW, "--workers", "2") as p:
        p.report()  # all are there
        assert rules() == 4
        kept = [connected(source=(None, SECOND)[i % 2]) for i in range(40)]
        for c in kept:
            c.sendall((4).to_bytes(8, "big"))
        for c in kept:
            assert hosts.read_exactly(c, 4) == hosts.pattern(2, 4)
        for c in kept:
            c.close()
        hosts.until("not all have ended", lambda: len(s.seen) == 40)
        assert sorted(x[2] for x in s.seen) == sorted([ADDR[4][0], SECOND] * 20)
        r = p.end()
        assert r["spliced"] == 40, r
    assert rules() == 0


@test("what was left by one that was killed is taken over, and removed")
def killed():
    with Ways(), Server() as s:
        with Proxy(*forward(), *HOW) as p:
            exchange(s, 1000)
            p.p.send_signal(signal.SIGKILL)
            p.p.wait(WAIT)
        assert rules() == 2
        with Proxy(*forward(), *HOW) as p:
            assert rules() == 2
            assert exchange(s, 1000)[2] == ADDR[4][0]
            p.end()
        assert rules() == 0


@test("without a way back nobody is let through, and nothing stays")
def no_way():
    with Server(), Proxy(*forward(), *HOW, "--connect-timeout", "300ms") as p:
        assert turned_away()
        r = p.end()
        assert r["failed_server"] == 1 and r["spliced"] == 0, r
    assert hosts.sockets_left() == ""


@test("it goes with --splice tc")
def wrong():
    for words in ((), ("--splice", "copy"), ("--splice", "auto"), ("--splice", "syn")):
        r = subprocess.run(["ip", "netns", "exec", PROXY, proxied.BINARY, "proxy",
                            *forward(), "--transparent", *words],
                           capture_output=True, text=True, timeout=WAIT)
        assert r.returncode == 2 and "goes with --splice tc" in r.stderr, r


if __name__ == "__main__":
    if sys.argv[1:]:
        TESTS = [t for t in TESTS if any(w in t[0] for w in sys.argv[1:])]
    sys.exit(hosts.run(TESTS, [proxied.BINARY]))
