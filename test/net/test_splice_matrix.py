#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy in each way, over IPv4 and IPv6, on wires and between ends of all kinds.

  test_splice_matrix.py        environment: MATRIX=all for the whole of it, else a part;
                               KILLS, how often the proxy is killed (50, else 5);
                               FAMILIES, "4 6"

A cell is a way (tc: joined in the kernel; syn: from the SYN on; copy; pipe), a family, and a row
of ROWS. In each, every byte is the same at the other end, both ways; the connection was
joined as it should be; and the sums of the proxy's report close. The last rows kill the
ends, and the proxy, at any moment: no connection that the kernel has is lost.

The hosts are those of test/lib/hosts.py, with a slow wire on either side:

    c1 -- l0 l1 -- pc1   ps1 -- l2 l3 -- s1     10.77.3.0/24, 10.77.4.0/24, fd77:3, fd77:4
"""
import contextlib
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
import proxied  # noqa: E402
from hosts import ADDR, CLIENT, LINES, PROXY, SERVER, WAIT, result, within  # noqa: E402
from proxied import PORT, TO, Proxy, Server, at, exchange  # noqa: E402

IDLE = "some tens of megabytes, and pauses"
ALL = os.environ.get("MATRIX") == "all"
KILLS = int(os.environ.get("KILLS", "50" if ALL else "5"))
FAMILIES = [int(f) for f in os.environ.get("FAMILIES", "4 6").split()]
SIZE = 300_000
SLOW = {4: ("10.77.3.2", "10.77.3.1", "10.77.4.1", "10.77.4.2", 24),
        6: ("fd77:3::2", "fd77:3::1", "fd77:4::1", "fd77:4::2", 64)}
IP6 = dict(zip(("c0", "pc0", "ps0", "s0"), ADDR[6]))
LINGER = struct.pack("ii", 1, 0)
WAYS = {"tc": "auto", "syn": "syn", "copy": "copy", "pipe": "pipe"}
CARRIED = ("copy", "pipe")
MOUNT = tempfile.mkdtemp(prefix="us-matrix-")  # a bpffs
ENDS = ("syn_closed", "syn_reset", "syn_idle", "syn_half_closed", "syn_unopened")


# --- where ---

def slow_wires():
    hosts.sh("ip", "netns", "add", LINES)
    hosts.up(LINES, "lo")
    for a, dev_a, b, dev_b in ((CLIENT, "c1", LINES, "l0"), (LINES, "l1", PROXY, "pc1"),
                               (PROXY, "ps1", LINES, "l2"), (LINES, "l3", SERVER, "s1")):
        hosts.wire(a, dev_a, b, dev_b)
    for c, pc, ps, s, bits in SLOW.values():
        for host, dev, a in ((CLIENT, "c1", c), (PROXY, "pc1", pc), (PROXY, "ps1", ps),
                             (SERVER, "s1", s)):
            hosts.address(host, dev, f"{a}/{bits}")
    for host, dev in ((CLIENT, "c1"), (PROXY, "pc1"), (PROXY, "ps1"), (SERVER, "s1"),
                      *((LINES, f"l{i}") for i in range(4))):
        hosts.up(host, dev)
        hosts.offload(host, dev, "off")


class Place:
    """Where the client connects to, and what is behind it."""

    def __init__(self, family, addr=ADDR, host=SERVER, to=None):
        self.family, self.host = family, host
        self.listen, self.to = addr[family][1], to or addr[family][3]

    def words(self):
        return ["--forward", at(self.listen, PORT) + "=" + at(self.to, TO)]

    def server(self, kind=Server, **more):
        return kind(self.family, host=self.host, addr=self.to, **more)

    def connected(self):
        return result(within(CLIENT, lambda: socket.create_connection(
            (self.listen, PORT), timeout=WAIT)))


@contextlib.contextmanager
def near(family):
    yield Place(family)


def far(lost):
    @contextlib.contextmanager
    def slow(family):
        lines = [subprocess.Popen(["ip", "netns", "exec", LINES, hosts.LINE, a, b, "5",
                                   str(lost)]) for a, b in (("l0", "l1"), ("l2", "l3"))]
        try:
            yield Place(family, SLOW)
        finally:
            for p in lines:
                p.kill()
                p.wait()
    return slow


@contextlib.contextmanager
def one_armed(family):
    """The server is where the client is: all goes in and out by one device."""
    yield Place(family, host=CLIENT, to=ADDR[family][0])


def sysctl(host, name, value):
    name = "net.ipv4." + name

    @contextlib.contextmanager
    def changed(family):
        was = subprocess.run(["ip", "netns", "exec", host, "sysctl", "-n", name],
                             capture_output=True, text=True, check=True).stdout.strip()
        hosts.on(host, "sysctl", "-qw", f"{name}={value}")
        try:
            yield Place(family)
        finally:
            hosts.on(host, "sysctl", "-qw", f"{name}={was}")
    return changed


def small_buffers(host):
    @contextlib.contextmanager
    def both(family):
        with sysctl(host, "tcp_rmem", "4096 4096 4096")(family), \
                sysctl(host, "tcp_wmem", "4096 4096 4096")(family):
            yield Place(family)
    return both


@contextlib.contextmanager
def no_offloads(family):
    devs = ((CLIENT, "c0"), (PROXY, "pc0"), (PROXY, "ps0"), (SERVER, "s0"))
    for host, dev in devs:
        hosts.offload(host, dev, "off")
    try:
        yield Place(family)
    finally:
        for host, dev in devs:
            hosts.offload(host, dev, "on")


def narrow(*devs):
    @contextlib.contextmanager
    def wire(family):
        for host, dev in devs:
            hosts.sh("ip", "-n", host, "link", "set", dev, "mtu",
                     "1200" if family == 4 else "1280")
        try:
            yield Place(family)
        finally:
            for host, dev in devs:
                hosts.sh("ip", "-n", host, "link", "set", dev, "mtu", "1500")
                # Below 1280 there is no IPv6, and its addresses go.
                if family == 4:
                    hosts.address(host, dev, IP6[dev] + "/64")
    return wire


@contextlib.contextmanager
def conntrack(family):
    """The proxy's host follows connections, and drops what it takes for invalid."""
    hosts.on(PROXY, "nft", "add table inet m; "
             "add chain inet m i { type filter hook input priority 0; }; "
             "add chain inet m f { type filter hook forward priority 0; }; "
             "add rule inet m i ct state invalid drop; "
             "add rule inet m f ct state invalid drop")
    try:
        yield Place(family)
    finally:
        hosts.on(PROXY, "nft", "delete table inet m")


# --- what ---

class Greeter(Server):
    """It speaks first."""
    text = hosts.pattern(7, 20_000)

    def serve(self, conn, peer):
        conn.sendall(self.text)
        super().serve(conn, peer)


class Patient(Server):
    """It says nothing before the client has ended."""

    def serve(self, conn, peer):
        conn.settimeout(WAIT)
        size = int.from_bytes(hosts.read_exactly(conn, 8), "big")
        got = hosts.read_all(conn)
        self.say(conn, size)
        conn.close()
        self.seen.append((got[1], got[0], peer[0]))


def both_ways(p, size=SIZE):
    with p.server() as s:
        for n in (10, size):
            exchange(s, n, s=p.connected())
    return 2


def little(p):
    return both_ways(p, 30_000)


def server_first(p):
    with p.server(Greeter) as s:
        c = p.connected()
        assert hosts.read_exactly(c, len(s.text)) == s.text
        exchange(s, SIZE, s=c)
    return 1


def half_closed(p):
    with p.server(Patient) as s:
        exchange(s, SIZE, s=p.connected())
    return 1


def wrapping(p):
    """The client's numbers wrap within the first kilobyte."""
    def connect():
        c = socket.socket(socket.AF_INET if p.family == 4 else socket.AF_INET6)
        c.settimeout(WAIT)
        for name, v in ((19, 1), (20, 2), (21, 0xfffffe00), (19, -1)):
            c.setsockopt(socket.IPPROTO_TCP, name,
                         struct.pack("I", v) if v >= 0 else struct.pack("i", v))
        c.connect((p.listen, PORT))
        return c
    with p.server() as s:
        exchange(s, SIZE, s=result(within(CLIENT, connect)))
    return 1


def opened(p):
    """A connection whose server has answered."""
    c = p.connected()
    c.sendall((3).to_bytes(8, "big"))
    assert hosts.read_exactly(c, 3) == hosts.pattern(2, 3)
    return c


def ends_killed(p):
    with p.server(keeps=True) as s:
        c = opened(p)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        c.close()
        hosts.until("the server has not heard of it",
                    lambda: [x for x in s.seen if x[1] == "ConnectionResetError"])
        c = opened(p)
        s.open[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        s.open[-1].shutdown(socket.SHUT_RD)
        assert proxied.is_cut(c)
        c.close()
    return 2


# name: (where, what, ways that cannot join it)
ROWS = {
    "plain": (near, both_ways, ()),
    "1 % lost on each side, 20 ms away": (far(10), both_ways, ()),
    "20 ms away": (far(0), both_ways, ()),
    "one-armed": (one_armed, both_ways, ()),
    "the server speaks first": (near, server_first, ()),
    "the server waits for the client's end": (near, half_closed, ()),
    "numbers that wrap": (near, wrapping, ()),
    "conntrack drops what is invalid": (conntrack, both_ways, ()),
    "ends are killed": (near, ends_killed, ()),
    "no offloads": (no_offloads, both_ways, ()),
    "the host is a router": (sysctl(PROXY, "ip_forward", 1), both_ways, ()),
    "a narrow wire of the client": (narrow((CLIENT, "c0"), (PROXY, "pc0")), both_ways, ()),
    "a narrow wire of the server": (narrow((SERVER, "s0"), (PROXY, "ps0")), both_ways, ()),
}
for _host, _who in ((CLIENT, "client"), (SERVER, "server")):
    ROWS.update({
        f"the {_who} has no timestamps": (sysctl(_host, "tcp_timestamps", 0), both_ways,
                                          ("tc",)),
        f"the {_who} has no SACK": (sysctl(_host, "tcp_sack", 0), both_ways, ()),
        f"the {_who} has no scale": (sysctl(_host, "tcp_window_scaling", 0), both_ways, ()),
        f"the {_who} asks for ECN": (sysctl(_host, "tcp_ecn", 1), both_ways, ()),
        f"the {_who} has 4 KB": (small_buffers(_host), little, ()),
    })
# Of a part: what most differs.
PART = {("tc", 4): list(ROWS)[1:9:2], ("tc", 6): list(ROWS)[4:9:2],
        ("syn", 4): list(ROWS)[3:9:2], ("syn", 6): list(ROWS)[1:9:3],
        ("pipe", 4): list(ROWS)[2:9:3]}


# --- cells ---

def check_way(way, r, n, joins):
    k = r.get("kernel", {})
    if way == "syn":
        assert k["syn_begun"] == n and r["accepted"] == 0, r
        assert k["syn_begun"] == sum(k[e] for e in ENDS), k
    elif way in CARRIED or not joins:
        assert r["copied"] == n == r["accepted"], r
    else:
        assert r["spliced"] == n == r["accepted"], r
    assert k.get("dropped", 0) == 0 and k.get("failed", 0) == 0, k


def proxy(way, *words):
    return Proxy("--splice", WAYS[way], "--timewait", "50ms", *words)


def over(p, way):
    """Its last report, when all connections have come to their end."""
    if way == "syn":
        p.until("connections are left", lambda r: r["kernel"]["syn_live"] == 0)
    return p.end()


def cell(way, family, name):
    where, what, apart = ROWS[name]
    with where(family) as place, proxy(way, *place.words()) as p:
        n = what(place)
        check_way(way, over(p, way), n, way not in apart)


# --- the proxy is killed ---

class Echo:
    """A server that gives back what it gets."""

    def __init__(self, family):
        self.listening = result(within(SERVER, lambda: hosts.listener(
            family, ADDR[family][3], TO)))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                conn, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    @staticmethod
    def serve(conn):
        with contextlib.suppress(OSError), conn:
            while b := conn.recv(65536):
                conn.sendall(b)

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


class Talk(threading.Thread):
    """A client of it, who looks at each byte until he is told to end."""

    def __init__(self, place, i):
        super().__init__(daemon=True)
        self.c, self.i = place.connected(), i
        self.stop = threading.Event()
        self.wrong, self.rounds = None, 0
        self.one()

    def one(self):
        text = hosts.pattern(self.i + self.rounds, 1000 + 37 * self.i)
        self.c.sendall(text)
        if hosts.read_exactly(self.c, len(text)) != text:
            raise ValueError("other bytes")
        self.rounds += 1

    def run(self):
        try:
            while not self.stop.is_set():
                self.one()
            self.c.shutdown(socket.SHUT_WR)
            if self.c.recv(1) != b"":
                raise ValueError("more bytes")
        except (OSError, EOFError, ValueError) as e:
            self.wrong = e

    def end(self):
        self.stop.set()
        self.join(WAIT)
        self.c.close()
        if self.is_alive():
            raise TimeoutError("a connection hangs")
        if self.wrong:
            raise self.wrong


def newcomers(place, stop, n):
    """Who comes meanwhile; those that are not joined yet may break."""
    while not stop.is_set():
        with contextlib.suppress(OSError, EOFError, ValueError):
            t = Talk(place, 1)
            t.c.close()
            n[0] += 1


def killed(way, family):
    """Signal 9 at any moment, the next one takes over, and so on."""
    rng = random.Random(7)
    place, echo = Place(family), Echo(family)
    pin = os.path.join(MOUNT, f"{way}{family}")
    words = [*place.words(), "--pin", pin, "--timewait", "50ms"]
    p, stop, n = Proxy("--splice", WAYS[way], *words), threading.Event(), [0]
    try:
        talks = [Talk(place, i) for i in range(20)]
        name = "syn_live" if way == "syn" else "live"
        p.until("they are not all joined", lambda r: r["kernel"][name] == len(talks))
        others = threading.Thread(target=newcomers, args=(place, stop, n), daemon=True)
        others.start()
        for t in talks:
            t.start()
        for _ in range(KILLS):
            stop.wait(rng.random() / 20)
            p.kill()
            p = Proxy("--splice", WAYS[way], *words)
        hosts.until("some say nothing any more, or nobody comes",
                    lambda: n[0] > 0 and all(t.rounds > 1 or t.wrong for t in talks))
        stop.set()
        others.join(WAIT)
        for t in talks:
            t.end()
    finally:
        stop.set()
        p.kill()
        # Its program would go on passing SYNs.
        shutil.rmtree(pin, ignore_errors=True)
        echo.close()


def tests():
    out = []
    for way in WAYS:
        for family in FAMILIES:
            for name in ROWS if ALL else PART.get((way, family), ()):
                out.append((f"{way}, IPv{family}: {name}",
                            lambda w=way, f=family, n=name: cell(w, f, n)))
    for way, family in (("tc", 4), ("syn", 6), ("tc", 6), ("syn", 4))[:4 if ALL else 2]:
        if family not in FAMILIES:
            continue
        out.append((f"{way}, IPv{family}: killed {KILLS} times, nothing that the kernel "
                    "has is lost", lambda w=way, f=family: killed(w, f)))
    return out


def with_wires(f):
    def first():
        slow_wires()
        f()
    return first


if __name__ == "__main__":
    TESTS = tests()
    TESTS[0] = (TESTS[0][0], with_wires(TESTS[0][1]))
    if os.getuid() == 0:
        subprocess.run(["mount", "-t", "bpf", "none", MOUNT], check=True)
    try:
        status = hosts.run(TESTS, [proxied.BINARY, hosts.LINE])
    finally:
        if os.getuid() == 0:
            subprocess.run(["umount", MOUNT], check=False)
        shutil.rmtree(MOUNT, ignore_errors=True)
        subprocess.run(["ip", "netns", "del", LINES], stderr=subprocess.DEVNULL)
    sys.exit(status)
