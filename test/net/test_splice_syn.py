#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy --splice syn: connections that no process sees.

On the hosts of test/lib/hosts.py. In every report the sums close: begun = closed + reset
+ idle + half-closed + unopened + live.
"""
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
import proxied  # noqa: E402
from hosts import ADDR, CLIENT, FAR, PROXY, SERVER, WAIT, result, within  # noqa: E402
from proxied import Proxy, Server, at, connected, exchange, forward, is_cut  # noqa: E402

IDLE = "some tens of megabytes"
MOUNT = tempfile.mkdtemp(prefix="us-syn-")  # a bpffs
PIN = os.path.join(MOUNT, "proxy")
SOCKETS = tempfile.mkdtemp(prefix="us-syn-")
LINGER = struct.pack("ii", 1, 0)
ENDS = ("syn_closed", "syn_reset", "syn_idle", "syn_half_closed", "syn_unopened")
TESTS = []


def test(name):
    def add(f):
        TESTS.append((name, f))
        return f
    return add


class Passing(Proxy):
    """A proxy that passes SYNs on; TIMEWAIT is short, so that ends are soon counted."""

    def __init__(self, *words, timewait="50ms"):
        super().__init__("--splice", "syn", "--timewait", timewait, *words)

    def kernel(self):
        k = self.report()["kernel"]
        assert k["syn_begun"] == sum(k[e] for e in ENDS) + k["syn_live"], k
        return k

    def wait(self, what, call):
        hosts.until(what, lambda: call(self.kernel()))

    def last(self):
        """Its last report, when all have ended."""
        self.wait("connections are left", lambda k: k["syn_live"] == 0)
        r = self.end()
        k = r["kernel"]
        assert k["syn_begun"] == sum(k[e] for e in ENDS), k
        assert k["syn_opening"] == k["live"] == 0, k
        return r


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
    s.close()


def opened(port=proxied.PORT, size=3):
    """A connection whose server has answered so many bytes."""
    c = connected(port=port)
    c.sendall(size.to_bytes(8, "big"))
    assert hosts.read_exactly(c, size) == hosts.pattern(2, size)
    return c


for family in (4, 6):
    @test(f"IPv{family}: nothing, 1 KB and 10 MB both ways at once, half-closed")
    def same_bytes(family=family):
        with Server(family) as s, Passing(*forward(family)) as p:
            for size in (0, 1024, 10 << 20):
                seen = exchange(s, size, family)
                assert seen[2] == ADDR[family][2], seen
            r = p.last()
            assert r["accepted"] == 0 and r["kernel"]["syn_closed"] == 3, r


@test("40 ms away, and 1 % of packets are lost")
def lossy():
    words = ["--forward", at(FAR, 9000) + "=" + at(ADDR[4][3], proxied.TO)]
    with Server() as s, Passing(*words) as p:
        for size in (10, 300000, 300000):
            c = result(within(CLIENT, lambda: socket.create_connection(
                (FAR, 9000), timeout=WAIT)))
            exchange(s, size, s=c)
        r = p.last()
        assert r["accepted"] == 0 and r["kernel"]["syn_begun"] == 3, r


@test("a reset of either end ends both")
def resets():
    with Server(keeps=True) as s, Passing(*forward()) as p:
        c = opened()
        reset(c)
        hosts.until("the server has not heard of it",
                    lambda: [x for x in s.seen if x[1] == "ConnectionResetError"])
        c = opened()
        # Its reader, which holds the socket, finds an end and closes it.
        s.open[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        s.open[-1].shutdown(socket.SHUT_RD)
        assert is_cut(c)
        c.close()
        r = p.last()
        assert r["kernel"]["syn_reset"] == 2, r


@test("a server that is down refuses the client himself")
def down():
    with Passing(*forward()) as p:
        for _ in range(3):
            try:
                connected().close()
                assert False, "somebody has answered"
            except ConnectionRefusedError:
                pass
        r = p.last()
        assert r["accepted"] == 0 and r["kernel"]["syn_reset"] == 3, r


@test("400 at once, and ports of ours that are had again")
def many():
    with Server(), Passing(*forward(), "--ports", "3000-3999") as p:
        socks = [opened() for _ in range(400)]
        ports = {int(l.split()[4].rsplit(":", 1)[1]) for l in subprocess.run(
            ["ip", "netns", "exec", SERVER, "ss", "-Htan", "sport", "= :8000"],
            capture_output=True, text=True).stdout.splitlines()
            if not l.startswith(("LISTEN", "TIME-WAIT"))}
        assert len(ports) == 400 and min(ports) >= 3500 and max(ports) <= 3999, (
            len(ports), min(ports, default=0))
        for c in socks:
            c.close()
        p.wait("they have not ended", lambda k: k["syn_live"] == 0)
        for _ in range(300):
            opened().close()
        k = p.last()["kernel"]
        assert k["syn_begun"] == 700 and k["syn_ports"] == 0, k


@test("ports in TIMEWAIT are had again, by what is newer")
def ports_again():
    # Half of them are for SYNs; a TSval is newer after a millisecond.
    words = [*forward(), "--ports", "3000-3039"]
    with Server() as s, Passing(*words, timewait="60s") as p:
        for _ in range(100):
            exchange(s, 1000)
        r = p.report()
        k = r["kernel"]
        assert k["syn_begun"] == 100 and k["syn_ports"] == 0, k
        assert k["syn_closed"] >= 80 and r["accepted"] == 0, r


def checksum(b):
    n = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    n = (n & 0xffff) + (n >> 16)
    return ~((n & 0xffff) + (n >> 16)) & 0xffff


def syns(first, count):
    """SYNs of that many hosts that are not there."""
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    to = socket.inet_aton(ADDR[4][1])
    for i in range(first, first + count):
        src = bytes((10, 77, 1, 10 + i % 200))
        tcp = struct.pack("!HHIIHHHH", 1024 + i // 200, proxied.PORT, i, 0,
                          0x5002, 1000, 0, 0)
        pseudo = src + to + struct.pack("!HH", 6, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        s.sendto(struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + src + to + tcp,
                 (ADDR[4][1], 0))
    s.close()


CLIENTS = ["10.77.1.%d" % i for i in range(211, 243)]
SERVERS = [at(ADDR[4][3], 8000 + i) for i in range(3)]


def who_serves(servers, clients):
    """One connection of each client; the index of the server that each has got."""
    out = {}
    for c in clients:
        n = [len(s.seen) for s in servers]
        with connected(source=c) as s:
            s.sendall((3).to_bytes(8, "big"))
            assert hosts.read_exactly(s, 3) == hosts.pattern(2, 3)
            s.shutdown(socket.SHUT_WR)
            hosts.until("no server has seen it",
                        lambda n=n: sum(len(s.seen) for s in servers) == sum(n) + 1)
        out[c], = [i for i, s in enumerate(servers) if len(s.seen) > n[i]]
    return out


@test("three servers by the client's address; one that is down moves its own clients only")
def several():
    for c in CLIENTS:
        hosts.address(CLIENT, "c0", c + "/24")
    ctl = os.path.join(SOCKETS, "several")
    words = ["--check-every", "20ms", "--failures", "2", "--ctl", ctl]
    servers = [Server(port=8000 + i) for i in range(3)]
    with Passing(*forward(4, *SERVERS), *words) as p:
        first = who_serves(servers, CLIENTS)
        assert set(first.values()) == {0, 1, 2}, first
        assert who_serves(servers, CLIENTS) == first
        servers[1].__exit__()
        p.wait("nobody has noticed", lambda k: p.report()["servers_out"] == 1)
        moved = who_serves([servers[0], servers[2]], CLIENTS)
        for c, i in first.items():
            assert i == 1 or moved[c] == i // 2, (c, i, moved[c])
        servers[1] = Server(port=8001)
        p.wait("nobody has noticed", lambda k: p.report()["servers_back"] == 1)
        assert who_serves(servers, CLIENTS) == first
        subprocess.run([proxied.BINARY, "ctl", ctl, "drain", SERVERS[0]], check=True,
                       timeout=WAIT)
        drained = who_serves(servers, CLIENTS)
        assert 0 not in drained.values() and all(
            drained[c] == i for c, i in first.items() if i), drained
        r = p.last()
        assert r["accepted"] == 0 and r["kernel"]["syn_begun"] == 5 * len(CLIENTS), r
        # Counts go on when a server was out meanwhile.
        served = [list(m.values()) for m in (first, first, first, drained)]
        served.append([2 * i for i in moved.values()])
        assert [v["passed"] for v in r["servers"]] == [
            sum(s.count(i) for s in served) for i in range(3)], (r["servers"], served)
    for s in servers:
        s.__exit__()


@test("whom the listener gets goes to the same server")
def listener_too():
    servers = [Server(port=8000 + i) for i in range(3)]
    with Passing(*forward(4, *SERVERS), "--connections", "64") as p:
        first = who_serves(servers, CLIENTS[:12])
        p.wait("they have not ended", lambda k: k["syn_live"] == 0)
        # SYNs that are not answered hold all places of those that open.
        result(within(CLIENT, lambda: syns(0, 8)))
        p.wait("they were not seen", lambda k: k["syn_opening"] == 8)
        again = who_serves(servers, CLIENTS[:12])
        assert again == first, (first, again)
        assert p.report()["accepted"] == 12
    for s in servers:
        s.__exit__()


@test("a flood of SYNs fills its share, and clients are served all the same")
def flood():
    with Server() as s, Passing(*forward(), "--connections", "1024") as p:
        result(within(CLIENT, lambda: syns(0, 1000)))
        p.wait("it was not seen", lambda k: k["syn_full"] > 0)
        k = p.kernel()
        assert k["syn_opening"] == 128 == k["syn_begun"] and k["syn_full"] >= 872, k
        exchange(s, 5000)
        r = p.report()
        assert r["accepted"] >= 1 and r["spliced"] + r["copied"] >= 1, r
        p.wait("the flood is not forgotten", lambda k: k["syn_unopened"] == 128)
        n = p.report()["accepted"]
        exchange(s, 5000)
        k = p.kernel()
        assert k["syn_begun"] == 129 and p.report()["accepted"] == n, k


@test("from nowhere, from everywhere and from this host: not passed on")
def odd_sources():
    def one(src):
        s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        to = socket.inet_aton(ADDR[4][1])
        tcp = struct.pack("!HHIIHHHH", 999, proxied.PORT, 1, 0, 0x5002, 9, 0, 0)
        s.sendto(struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) +
                 socket.inet_aton(src) + to + tcp, (ADDR[4][1], 0))
        s.close()
    with Server() as s, Passing(*forward()) as p:
        for src in ("0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255"):
            result(within(CLIENT, lambda src=src: one(src)))
        exchange(s, 10)
        k = p.last()["kernel"]
        assert k["syn_begun"] == 1, k


@test("who says nothing for too long is forgotten")
def idle():
    with Server(keeps=True), Passing(*forward(), "--idle-timeout", "500ms") as p:
        c = opened()
        p.wait("it is not forgotten", lambda k: k["syn_idle"] == 1)
        c.sendall(b"x")
        assert is_cut(c)
        c.close()
        p.last()


@test("killed by signal 9: what is pinned goes on, and new ones come; then the next one")
def killed():
    with Server() as s:
        p = Passing(*forward(), "--pin", PIN)
        c = opened()
        assert p.kernel()["syn_live"] == 1
        p.kill()
        c.sendall(b"x" * 100000)
        exchange(s, 5000)
        with Passing(*forward(), "--pin", PIN) as p:
            assert p.kernel()["syn_begun"] == 2
            c.sendall(b"y" * 100000)
            c.shutdown(socket.SHUT_WR)
            hosts.until("the server has not got it",
                        lambda: [x for x in s.seen if x[0] == 200000])
            c.close()
            exchange(s, 5000)
            r = p.last()
            assert r["kernel"]["syn_closed"] == 3, r


@test("the end lets what is there come to its end, and nobody else in")
def drain():
    with Server() as s, Passing(*forward()) as p:
        c = opened()
        p.p.terminate()
        hosts.until("it listens", lambda: not proxied.listens(proxied.PORT))
        try:
            connected().close()
            assert False, "somebody has answered"
        except ConnectionRefusedError:
            pass
        c.sendall(b"z" * 1000)
        c.shutdown(socket.SHUT_WR)
        hosts.until("the server has not got it", lambda: s.seen)
        c.close()
        assert p.p.wait(WAIT) == 0, p.p.returncode


@test("what needs a process for each connection is refused")
def refused():
    for words, what in ((("--proxy-out", "v1"), "--proxy-out"),
                        (("--per-client", "2"), "--per-client"),
                        (("--log", "/tmp/x"), "--log"),
                        (("--forward", "0.0.0.0:9001=10.77.2.2:1"), "any"),
                        (("--forward", "10.77.1.1:9001=10.77.2.1:1"), "this host")):
        r = subprocess.run(["ip", "netns", "exec", PROXY, proxied.BINARY, "proxy",
                            "--splice", "syn", *forward(), *words],
                           capture_output=True, text=True, timeout=WAIT)
        assert r.returncode == 2 and what in r.stderr, (words, r)


if __name__ == "__main__":
    def all_tests():
        subprocess.run(["mount", "-t", "bpf", "none", MOUNT], check=True)
        return TESTS
    if os.getuid() == 0:
        all_tests()
    try:
        status = hosts.run(TESTS, [proxied.BINARY, hosts.LINE], more=True, lost=10)
    finally:
        if os.getuid() == 0:
            subprocess.run(["umount", MOUNT], check=False)
        os.rmdir(MOUNT)
        shutil.rmtree(SOCKETS, ignore_errors=True)
    sys.exit(status)
