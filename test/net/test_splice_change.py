#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What changes while connections are spliced: routes, devices, and the proxy itself.

Three hosts (test/lib/hosts.py); the proxy is splice_tool.
"""
import hashlib
import os
import select
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
from hosts import ADDR, CLIENT, FAR, PROXY, SERVER, TWICE, WAIT  # noqa: E402
from hosts import result, within  # noqa: E402

IDLE = "seconds of load, and pauses"
TCP_REPAIR = 19
CLOSE = 7  # a connection's state in TCP_INFO (net/tcp_states.h)
TESTS = []


def test(name):
    def add(f):
        TESTS.append((name, f))
        return f
    return add


class Connection:
    """A client's connection through the proxy, and the server's end of it."""

    def __init__(self, accepting, addr=ADDR[4][1], port=0):
        def connect():
            s = socket.create_connection((addr, 1080), WAIT, ("", port))
            s.sendall(b"hello\n")
            assert hosts.read_exactly(s, 3) == b"ok\n"
            return s
        task = within(CLIENT, connect)
        self.server, _ = accepting.accept()
        self.server.settimeout(WAIT)
        self.client = result(task)

    def say(self, n, seed):
        """Some bytes each way."""
        for a, b in ((self.client, self.server), (self.server, self.client)):
            text = hosts.pattern(seed, n)
            task = within(CLIENT, lambda: a.sendall(text))
            assert hosts.read_exactly(b, n) == text, "other bytes"
            result(task)

    def close(self):
        """Returns when the last ack has come through: a proxy that ends before that
        has it, and the FIN that is then sent again, answered by its stack's RST."""
        self.client.shutdown(socket.SHUT_WR)
        assert self.server.recv(1) == b""
        self.server.shutdown(socket.SHUT_WR)
        assert self.client.recv(1) == b""
        end = time.monotonic() + WAIT
        while self.server.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != CLOSE:
            assert time.monotonic() < end, "the last ack has not come"
            time.sleep(0.001)
        self.server.close()
        self.client.close()


def vanish(s):
    """A socket goes, and nobody is told."""
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    s.close()


def server(addr=ADDR[4][3]):
    made = result(within(SERVER, lambda: hosts.listener(4, addr, 8000)))
    made.settimeout(WAIT)
    return made


def proxy(*more, addr=ADDR[4][3], way="best"):
    return hosts.Proxy(hosts.TOOL, "1080", addr, "8000", way, *more, ready="ready")


def sent_by(host, dev):
    """Bytes that a device has sent."""
    text = subprocess.run(["ip", "netns", "exec", host, "cat", "/proc/net/dev"],
                          capture_output=True, text=True).stdout
    row = [l.split(":")[1].split() for l in text.splitlines()
           if l.strip().startswith(dev + ":")]
    return int(row[0][8])


def route(host, *words):
    hosts.sh("ip", "-n", host, "route", "replace", *words)


@test("a server that never pauses, 40 ms from the client: its window shuts")
def never_pauses():
    size = 12_000_000
    with server() as accepting:
        p = proxy()
        text = hosts.pattern(3, size)

        def serve():
            conn, _ = accepting.accept()
            with conn:
                conn.settimeout(WAIT)
                conn.sendall(text)

        def fetch():
            with socket.create_connection((FAR, 1080), timeout=WAIT) as s:
                s.sendall(b"hello\n")
                assert hosts.read_exactly(s, 3) == b"ok\n"
                return hosts.read_all(s)
        task, got = within(SERVER, serve), within(CLIENT, fetch)
        assert result(got) == (hashlib.sha256(text).hexdigest(), size)
        result(task)
        hosts.no_sockets_left()
        c = p.end()
    assert p.pairs() == ["spliced"], p.lines
    # All but what our socket's window took.
    assert c["relayed"] > 4 * c["to_stack"], c


@test("both ends are gone, unseen, and the client's port comes again: to the proxy")
def port_comes_again():
    with server() as accepting:
        p = proxy()
        c = Connection(accepting)
        c.say(1000, 6)
        p.wait_for("pair: spliced")
        port = c.client.getsockname()[1]
        theirs = c.server.getpeername()
        for s in (c.client, c.server):
            vanish(s)
        # It is the proxy that says "ok", and what the server hears first is not "hello".
        c = Connection(accepting, port=port)
        assert c.client.getsockname()[1] == port
        assert c.server.getpeername() != theirs
        c.say(1000, 7)
        c.close()
        n = p.end()
    assert n["challenged"] > 0, n
    assert p.pairs() == ["spliced", "spliced"], p.lines


@test("a route moves to another device: both ways go there, and come in there")
def route_moves():
    route(PROXY, TWICE, "via", "10.77.2.2", "dev", "ps0")
    with server(TWICE) as accepting:
        p = proxy(addr=TWICE)
        c = Connection(accepting)
        c.say(100_000, 4)
        before = sent_by(PROXY, "ps1"), sent_by(SERVER, "s1")
        # Our own address there lies behind the other wire, too.
        route(SERVER, "10.77.2.1", "via", "10.77.4.1", "dev", "s1")
        route(PROXY, TWICE, "via", "10.77.4.2", "dev", "ps1")
        p.wait_for("moved: 1")
        c.say(500_000, 5)
        after = sent_by(PROXY, "ps1"), sent_by(SERVER, "s1")
        c.close()
        n = p.end()
    hosts.sh("ip", "-n", SERVER, "route", "del", "10.77.2.1", "via", "10.77.4.1")
    for i in range(2):
        assert after[i] - before[i] > 500_000, (before, after)
    assert n["moved"] == 1 and n["astray"] == 0, n


@test("a route gets an MTU: longer segments are answered")
def route_mtu():
    before = hosts.resets()
    with server() as accepting:
        p = proxy()
        c = Connection(accepting)
        c.say(100_000, 6)
        route(PROXY, "10.77.2.2", "dev", "ps0", "mtu", "1200")
        p.wait_for("moved: 1")
        c.say(100_000, 7)
        c.close()
        n = p.end()
    hosts.sh("ip", "-n", PROXY, "route", "del", "10.77.2.2", "dev", "ps0")
    assert n["too_long"] > 0, n
    assert hosts.resets() == before, "the proxy's stack has sent a RST"


@test("clsact is deleted: the program is attached again, and the connection goes on")
def clsact_deleted():
    with server() as accepting:
        p = proxy(way="clsact")
        c = Connection(accepting)
        c.say(1000, 8)
        for dev in ("pc0", "ps0"):
            hosts.on(PROXY, "tc", "qdisc", "del", "dev", dev, "clsact")
        p.wait_for("mended: 2")
        c.say(100_000, 9)
        c.close()
        n = p.end()
    assert n["mended"] == 2, n


@test("tcx does not notice that clsact is deleted")
def tcx_stays():
    with server() as accepting:
        p = proxy(way="tcx")
        c = Connection(accepting)
        hosts.on(PROXY, "tc", "qdisc", "replace", "dev", "ps0", "clsact")
        hosts.on(PROXY, "tc", "qdisc", "del", "dev", "ps0", "clsact")
        c.say(100_000, 10)
        c.close()
        n = p.end()
    assert n["mended"] == 0, n


@test("the proxy is killed; its connections go on, and the next one takes them over")
def killed():
    before = hosts.resets()
    with tempfile.TemporaryDirectory() as mount:
        hosts.sh("mount", "-t", "bpf", "none", mount)
        pin = os.path.join(mount, "splice")
        try:
            with server() as accepting:
                a = proxy(pin)
                c = [Connection(accepting) for _ in range(5)]
                for i in range(5):
                    a.wait_for("pair: spliced")
                a.kill()
                for i in range(5):
                    c[i].say(50_000, i)
                c[4].close()
                b = proxy(pin)
                assert b.events().count("adopted 0") == 5, b.lines
                other = subprocess.run(
                    ["ip", "netns", "exec", PROXY, hosts.TOOL, "1081", ADDR[4][3],
                     "8000", "best", pin], capture_output=True, text=True)
                assert other.returncode == 1 and "busy" in other.stdout, other
                c[0].say(50_000, 20)
                c.append(Connection(accepting))
                c[5].say(50_000, 21)
                for x in c[:4] + c[5:]:
                    x.close()
                n = b.end()
        finally:
            hosts.sh("umount", mount)
    assert n["adopted"] == 5 and n["spliced"] == 1, n
    # That of the one which ended while nobody was there lay in the ring.
    assert b.events().count("fin 0") == 6, b.events()
    assert hosts.resets() == before, "the proxy's stack has sent a RST"


@test("an end resets: the other one hears of it, and the proxy, too")
def reset():
    with server() as accepting:
        p = proxy()
        c = Connection(accepting)
        c.say(1000, 13)
        p.wait_for("pair: spliced")
        c.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            b"\1\0\0\0\0\0\0\0")
        c.client.close()
        select.select([c.server], [], [], WAIT)
        try:
            c.server.recv(1)
            raise AssertionError("no RST has come")
        except ConnectionResetError:
            pass
        c.server.close()
        p.wait_for("event: reset 0")
        # TIMEWAIT takes 4 s, and is told of.
        p.wait_for("event: over 0")
        n = p.end()
    assert n["over"] == n["spliced"] == 1, n


@test("the client breaks its connection before the splice is over")
def broken_early():
    with server() as accepting:
        p = proxy()

        def hello():
            s = socket.create_connection((FAR, 1080), timeout=WAIT)
            s.sendall(b"hello\n")
            return s
        s = result(within(CLIENT, hello))
        conn, _ = accepting.accept()
        # The proxy's "ok" is under way for 20 ms; so is this.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.close()
        conn.settimeout(WAIT)
        conn.sendall(b"x")
        try:
            while conn.recv(1):
                pass
        except ConnectionResetError:
            pass
        conn.close()
        hosts.no_sockets_left()
        p.end()


@test("a device goes away: what went by it is astray, and the rest goes on")
def device_goes():
    route(PROXY, TWICE, "via", "10.77.4.2", "dev", "ps1")
    with server("0.0.0.0") as accepting:
        p = proxy(addr=TWICE)
        a = Connection(accepting)
        a.say(1000, 11)
        hosts.sh("ip", "-n", PROXY, "link", "del", "ps1")
        hosts.until("the route is there", lambda: not subprocess.run(
            ["ip", "-n", PROXY, "route", "show", TWICE], capture_output=True).stdout)
        route(PROXY, TWICE, "via", "10.77.2.2", "dev", "ps0")
        b = Connection(accepting)
        b.say(1000, 12)
        b.close()
        n = p.end()
        a.client.close()
        a.server.close()
    assert n["astray"] > 0 and n["moved"] == 0 and n["spliced"] == 2, n


if __name__ == "__main__":
    sys.exit(hosts.run(TESTS, [hosts.TOOL, hosts.LINE], more=True))
