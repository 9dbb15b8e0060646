#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Spliced connections through three hosts: client, proxy (splice_tool), server.

Every byte both ways must be the same at the other end, and the proxy must be out of it:
its sockets are gone, its stack has sent nothing, and the packets were relayed.
"""
import hashlib
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
from hosts import ADDR, CLIENT, PROXY, SERVER, WAIT, result, within  # noqa: E402

IDLE = "seconds of load, and pauses"
SIZE = 3_000_000


def opened(family):
    """A client's connection through the proxy, past its opening."""
    s = socket.create_connection((ADDR[family][1], 1080), timeout=WAIT)
    s.sendall(b"hello\n")
    ok = hosts.read_exactly(s, 3)
    assert ok == b"ok\n", ok
    return s


def exchange(family, way, greet, client_size, server_size, connections):
    """All of it; what each end says of what it got."""
    up, down = hosts.pattern(1, client_size), hosts.pattern(2, server_size)
    before = hosts.resets()
    accepting = result(within(SERVER, lambda: hosts.listener(
        family, ADDR[family][3], 8000)))
    proxy = hosts.Proxy(hosts.TOOL, "1080", ADDR[family][3], "8000", way,
                        ready="ready")

    def both_ways(s, first, text):
        def send():
            s.sendall(first + text)
            s.shutdown(socket.SHUT_WR)
        t = threading.Thread(target=send)
        t.start()
        got = hosts.read_all(s)
        t.join()
        s.close()
        return got

    def one_server():
        conn, _ = accepting.accept()
        conn.settimeout(WAIT)
        return both_ways(conn, b"welcome\n" if greet else b"", down)

    want_up = (hashlib.sha256(up).hexdigest(), client_size)
    text = (b"welcome\n" if greet else b"") + down
    want_down = (hashlib.sha256(text).hexdigest(), len(text))
    wrong = []
    try:
        for _ in range(connections):
            s = within(SERVER, one_server)
            c = within(CLIENT, lambda: both_ways(opened(family), b"", up))
            got_down, got_up = result(c), result(s)
            if got_up != want_up or got_down != want_down:
                wrong.append((got_up[1], got_down[1]))
        hosts.no_sockets_left()
    finally:
        counters = proxy.end()
        accepting.close()
    assert not wrong, f"other bytes: {wrong}"
    assert proxy.pairs() == ["spliced"] * connections, proxy.pairs()
    assert counters["spliced"] == connections, counters
    assert counters["failed"] == 0 and counters["dropped"] == 0, counters
    assert hosts.resets() == before, "the proxy's stack has sent a RST"
    return counters


TESTS = []


def test(name):
    def add(f):
        TESTS.append((name, f))
        return f
    return add


for family in (4, 6):
    for way in ("tcx", "clsact"):
        @test(f"IPv{family}, {way}: 3 MB both ways at once")
        def both(family=family, way=way):
            c = exchange(family, way, False, SIZE, SIZE, 1)
            assert c["relayed"] > 50, c

    @test(f"IPv{family}: a server that speaks first")
    def greets(family=family):
        exchange(family, "best", True, 1000, 50_000, 3)

    @test(f"IPv{family}: 100 short connections, one after the other")
    def short(family=family):
        c = exchange(family, "best", False, 100, 1000, 100)
        assert c["relayed"] >= 400, c


def mtu(n):
    for host, dev in ((PROXY, "ps0"), (SERVER, "s0")):
        hosts.sh("ip", "-n", host, "link", "set", dev, "mtu", str(n))


for family in (4, 6):
    @test(f"IPv{family}: the server's wire has an MTU of 1280, the client's 1500")
    def narrow(family=family):
        mtu(1280)
        try:
            c = exchange(family, "best", False, SIZE, SIZE, 1)
        finally:
            mtu(1500)
        assert c["too_long"] > 0, c

    @test(f"IPv{family}: without offloads")
    def plain(family=family):
        devs = ((CLIENT, "c0"), (PROXY, "pc0"), (PROXY, "ps0"), (SERVER, "s0"))
        for host, dev in devs:
            hosts.offload(host, dev, "off")
        try:
            exchange(family, "best", False, SIZE, SIZE, 1)
        finally:
            for host, dev in devs:
                hosts.offload(host, dev, "on")


for host, name in ((CLIENT, "sack"), (SERVER, "sack"), (CLIENT, "window_scaling"),
                   (SERVER, "window_scaling")):
    who = "client" if host == CLIENT else "server"

    @test(f"IPv4: the {who} has no {name}")
    def lacks(host=host, name=name):
        hosts.on(host, "sysctl", "-qw", f"net.ipv4.tcp_{name}=0")
        try:
            exchange(4, "best", False, SIZE, SIZE, 1)
        finally:
            hosts.on(host, "sysctl", "-qw", f"net.ipv4.tcp_{name}=1")


@test("IPv4: ECN on the server's side alone, then on both")
def ecn():
    for both in (False, True):
        on = [PROXY, SERVER] + [CLIENT] * both
        for host in on:
            hosts.on(host, "sysctl", "-qw", "net.ipv4.tcp_ecn=1")
        try:
            exchange(4, "best", False, SIZE, SIZE, 1)
        finally:
            for host in on:
                hosts.on(host, "sysctl", "-qw", "net.ipv4.tcp_ecn=2")


if __name__ == "__main__":
    sys.exit(hosts.run(TESTS, [hosts.TOOL]))
