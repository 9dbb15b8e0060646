#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy: connections to servers, spliced or copied, and what becomes of each.

On the hosts of test/lib/hosts.py. Every report's sums close (proxied.check_sums()).
"""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
import proxied  # noqa: E402
from hosts import ADDR, PROXY, SERVER, WAIT, result, within  # noqa: E402
from proxied import (Proxy, Server, at, connected, exchange, forward,  # noqa: E402
                     is_cut, turned_away)

IDLE = "some tens of megabytes"
MOUNT = tempfile.mkdtemp(prefix="us-proxy-")  # a bpffs, as /sys/fs/bpf is elsewhere
PIN = os.path.join(MOUNT, "proxy")
DEAD = "10.77.2.99"  # an address that swallows what it gets
TESTS = []


def test(name):
    def add(f):
        TESTS.append((name, f))
        return f
    return add


def refused(*words, before=()):
    """A command line that does not begin: its one line."""
    r = subprocess.run(["ip", "netns", "exec", PROXY, *before, proxied.BINARY, "proxy",
                        *words], capture_output=True, text=True, timeout=WAIT)
    assert r.returncode == 2 and r.stdout == "", (words, r)
    assert len(r.stderr.splitlines()) == 1, r.stderr
    return r.stderr


for family in (4, 6):
    for mode in ("tc", "copy", "pipe"):
        @test(f"IPv{family}, {mode}: 1 KB and 10 MB both ways at once, half-closed")
        def same_bytes(family=family, mode=mode):
            with Server(family) as s, Proxy(*forward(family), "--splice", mode) as p:
                for size in (0, 1024, 10 << 20):
                    seen = exchange(s, size, family)
                    assert seen[2] == ADDR[family][2], seen
                r = p.end()
                key = "spliced" if mode == "tc" else "copied"
                assert r["accepted"] == r[key] == r["ended_closed"] == 3, r
                assert (r["bytes_c2s"], r["bytes_s2c"]) == (
                    1024 + (10 << 20) + 24, 1024 + (10 << 20)), r


@test("many at once, of which some are reset by their client and some by the server")
def many():
    with Server() as s, Proxy(*forward()) as p:
        socks = [connected() for _ in range(60)]
        for i, c in enumerate(socks):
            c.sendall((1000 + i).to_bytes(8, "big"))
        for i, c in enumerate(socks):
            assert hosts.read_exactly(c, 1000 + i) == hosts.pattern(2, 1000 + i)
        hosts.until("not all are there", lambda: len(s.open) == 60)
        reset = (1).to_bytes(4, "little") + bytes(4)
        for i, c in enumerate(socks):
            if i % 3 == 0:
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            c.close()
        p.until("not all have ended", lambda r: r["open"] == 0)
        r = p.end()
        assert r["spliced"] == 60 and r["ended_reset"] == 20, r
        assert r["ended_closed"] == 40, r


@test("what cannot be spliced is copied, by reason; with --splice tc it is refused")
def fallbacks():
    def stamps(on):
        hosts.on(SERVER, "sysctl", "-qw", "net.ipv4.tcp_timestamps=%d" % on)
    rows = (("copied_families", forward(4, to=6), lambda: Server(6)),
            ("copied_local", forward(4, at(ADDR[4][2], proxied.TO)),
             lambda: Server(4, PROXY)),
            ("copied_options", forward(), Server),
            ("copied_ports", [*forward(), "--ports", "3000-3000"], Server))
    holder = result(within(PROXY, lambda: hosts.listener(4, ADDR[4][2], 3000)))
    try:
        for reason, words, server in rows:
            stamps(reason != "copied_options")
            with server() as s, Proxy(*words) as p:
                exchange(s, 100000)
                r = p.end()
                assert r["copied"] == r[reason] == 1, (reason, r)
            with server() as s, Proxy(*words, "--splice", "tc") as p:
                assert turned_away()
                r = p.end()
                assert r["refused"] == r["refused_unspliced"] == 1, (reason, r)
                assert not [x for x in s.seen if x[0]], s.seen
    finally:
        holder.close()
        stamps(True)


@test("the end of the client's stream before the splice is no hindrance")
def early_fin():
    with Server() as s, Proxy(*forward(4, at(DEAD, 8000), at(ADDR[4][3], 8000)),
                              "--connect-timeout", "300ms") as p:
        hosts.on(PROXY, "ip", "neigh", "replace", DEAD, "lladdr", "02:00:00:00:00:99",
                 "dev", "ps0")
        for _ in range(4):
            exchange(s, 5000)
        r = p.end()
        assert r["spliced"] == 4, r


@test("a server that is down: the other has its clients, and it comes back")
def health():
    two = "10.77.2.3"
    words = [*forward(4, at(two, 8001), at(ADDR[4][3], 8000)), "--failures", "2",
             "--check-every", "50ms", "--splice", "copy"]
    hosts.address(SERVER, "s0", two + "/24")
    try:
        # Whose this client is hangs on the proxy's random key.
        for _ in range(64):
            with Server() as s, Proxy(*words) as p:
                exchange(s, 1000)
                if p.report()["server_failures"] == 0:
                    p.kill()
                    continue
                for _ in range(4):
                    exchange(s, 1000)
                r = p.report()
                assert r["server_failures"] == 2 and r["servers_out"] == 1, r
                assert [x["out"] for x in r["servers"]] == [True, False], r
                p.until("it is not asked", lambda r: r["checks"] > 2)
                with Server(addr=two, port=8001) as t:
                    p.until("it is not back", lambda r: r["servers_back"] == 1)
                    t.seen.clear()
                    exchange(t, 1000)
                    r = p.end()
                assert r["failed"] == 0 and not r["servers"][0]["out"], r
                return
        assert False, "nobody is ever led to the first"
    finally:
        hosts.sh("ip", "-n", SERVER, "addr", "del", two + "/24", "dev", "s0")


@test("no server at all: refused, silent, without a route")
def nobody():
    hosts.on(PROXY, "ip", "neigh", "replace", DEAD, "lladdr", "02:00:00:00:00:99",
             "dev", "ps0")
    for to, failures in ((at(ADDR[4][3], 8000), 1), (at(DEAD, 8000), 1),
                         (at("192.0.2.1", 80), 1)):
        for mode in ("copy", "pipe", "auto"):
            with Proxy(*forward(4, to), "--connect-timeout", "200ms", "--splice",
                       mode) as p:
                assert turned_away()
                r = p.end()
                assert r["failed"] == r["failed_server"] == failures, (to, r)


for mode in ("copy", "pipe", "tc"):
    @test(f"{mode}: who says nothing is cut, and who does after half of the end")
    def idle(mode=mode):
        with Server(keeps=True), Proxy(*forward(), "--splice", mode, "--idle-timeout",
                                  "500ms", "--timewait", "10ms") as p:
            with connected() as c:
                c.sendall((10).to_bytes(8, "big"))
                assert hosts.read_exactly(c, 10) == hosts.pattern(2, 10)
                p.until("it is not cut", lambda r: r["ended_idle"] == 1)
                # Where it was spliced, this host answers what comes next.
                if mode == "tc":
                    c.sendall(b"x")
                assert is_cut(c)
            p.end()
        with Server() as s, Proxy(*forward(), "--splice", mode, "--half-closed-timeout",
                                  "500ms", "--timewait", "10ms") as p:
            with connected() as c:
                c.sendall((10).to_bytes(8, "big"))
                hosts.until("nobody is there", lambda: s.open)
                # The server's stream ends with its ten bytes, the client's does not.
                assert hosts.read_exactly(c, 10) == hosts.pattern(2, 10)
                p.until("it is not cut", lambda r: r["ended_half_closed"] == 1)
            p.end()


@test("limits: in all, of one client, copied")
def limits():
    rows = ((("--connections", "2"), "refused_full"),
            (("--per-client", "2"), "refused_client"),
            (("--copies", "2", "--splice", "copy"), "refused_copies"))
    for words, reason in rows:
        with Server() as s, Proxy(*forward(), *words, "--timewait", "1ms") as p:
            kept = []
            for _ in range(2):
                c = connected()
                c.sendall((3).to_bytes(8, "big"))
                assert hosts.read_exactly(c, 3) == hosts.pattern(2, 3)
                kept.append(c)
            for _ in range(3):
                assert turned_away()
            assert p.report()[reason] == 3, reason
            for c in kept:
                c.close()
            p.until("they have not ended", lambda r: r["open"] == 0)
            exchange(s, 1000)
            r = p.end()
            assert r["refused"] == 3 and r["accepted"] == 6, (reason, r)


@test("killed by signal 9: what is spliced and pinned goes on, and the next one has it")
def killed():
    with Server() as s:
        with Proxy(*forward(), "--pin", PIN, "--splice", "tc") as p:
            c = connected()
            c.sendall((100).to_bytes(8, "big"))
            assert hosts.read_exactly(c, 100) == hosts.pattern(2, 100)
            hosts.no_sockets_left()
            p.kill()
        c.sendall(b"x" * 100000)
        with Proxy(*forward(), "--pin", PIN, "--splice", "tc") as p:
            assert p.report()["adopted"] == 1
            c.sendall(b"y" * 100000)
            c.shutdown(socket.SHUT_WR)
            assert c.recv(1) == b""
            c.close()
            hosts.until("the server has not got it", lambda: s.seen)
            assert s.seen[0][0] == 200000, s.seen
            exchange(s, 5000)
            assert p.end()["spliced"] == 1


@test("the end leaves what is pinned, and the next one takes it over")
def left():
    with Server() as s:
        with Proxy(*forward(), "--pin", PIN) as p:
            c = connected()
            c.sendall((5).to_bytes(8, "big"))
            assert hosts.read_exactly(c, 5) == hosts.pattern(2, 5)
            hosts.no_sockets_left()
            r = p.end()
            assert r["ended_left"] == 1, r
        c.sendall(b"z" * 1000)
        c.shutdown(socket.SHUT_WR)
        hosts.until("the server has not got it", lambda: s.seen)
        assert s.seen[0][0] == 1000, s.seen
        c.close()


@test("the end waits for what is open, not for ever, and not for who comes late")
def drain():
    for mode in ("copy", "pipe", "tc"):
        with Server() as s, Proxy(*forward(), "--splice", mode) as p:
            c = connected()
            c.sendall((4).to_bytes(8, "big"))
            assert hosts.read_exactly(c, 4) == hosts.pattern(2, 4)
            p.p.send_signal(signal.SIGTERM)
            hosts.until("it listens yet", lambda: not proxied.listens(proxied.PORT))
            try:
                connected().close()
                assert False, "somebody answers"
            except ConnectionRefusedError:
                pass
            assert p.p.poll() is None
            c.sendall(b"last")
            c.shutdown(socket.SHUT_WR)
            assert c.recv(1) == b""
            c.close()
            hosts.until("the server has not got it", lambda: s.seen)
            assert s.seen[0][0] == 4, s.seen
            r = last_report(p)
            assert r["ended_closed"] == 1, r
        with Server() as s, Proxy(*forward(), "--splice", mode, "--drain", "100ms") as p:
            with connected() as c:
                c.sendall((4).to_bytes(8, "big"))
                assert hosts.read_exactly(c, 4) == hosts.pattern(2, 4)
                r = p.end()
                assert r["ended_stopped"] == 1, r
        with Server() as s, Proxy(*forward(), "--splice", mode) as p:
            with connected() as c:
                c.sendall((4).to_bytes(8, "big"))
                assert hosts.read_exactly(c, 4) == hosts.pattern(2, 4)
                p.p.send_signal(signal.SIGTERM)
                hosts.until("it listens yet", lambda: not proxied.listens(proxied.PORT))
                # A second one says at once.
                r = p.end(signal.SIGINT)
                assert r["ended_stopped"] == 1, r


def last_report(p):
    last, line = None, p.line()
    while line is not None:
        last, line = line, p.line()
    assert p.p.wait(WAIT) == 0
    proxied.check_sums(json.loads(last))
    return json.loads(last)


@test("rights: nobody, CAP_NET_ADMIN where it splices, a filter of system calls")
def rights():
    def status(pid):
        with open("/proc/%d/status" % pid) as f:
            return dict(l.rstrip("\n").split(":\t", 1) for l in f if ":\t" in l)
    for mode, caps in (("tc", 1 << 12), ("copy", 0), ("pipe", 0)):
        with Proxy(*forward(), "--splice", mode) as p:
            # It listens before it gives them up, but accepts nobody.
            hosts.until("there is no filter", lambda: status(p.pid())["Seccomp"] == "2")
            st = status(p.pid())
            assert st["Uid"].split() != ["0"] * 4, st["Uid"]
            assert int(st["CapEff"], 16) == int(st["CapPrm"], 16) == caps, st["CapEff"]
            assert int(st["CapBnd"], 16) == 0 and st["NoNewPrivs"] == "1"
            p.end()


@test("without rights: all is copied, or it says what it needs")
def no_rights():
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "--inh-caps=-all", "--bounding-set=-all")
    with Server() as s, Proxy(*forward(), before=user) as p:
        exchange(s, 50000)
        r = p.end()
        assert r["copied"] == r["copied_rights"] == 1, r
    line = refused(*forward(), "--splice", "tc", before=user)
    assert "run as root" in line and "--splice copy" in line, line


@test("--check names what stands in the way, and touches no proxy that runs")
def checks():
    def check(*words, before=()):
        r = subprocess.run(["ip", "netns", "exec", PROXY, *before, proxied.BINARY, "proxy",
                            "--check", *words], capture_output=True, text=True,
                           timeout=WAIT)
        assert not r.stderr, r.stderr
        return r.returncode, r.stdout
    with Server() as s, Proxy(*forward(), "--pin", PIN) as p:
        with connected() as c:
            c.sendall((4).to_bytes(8, "big"))
            assert hosts.read_exactly(c, 4) == hosts.pattern(2, 4)
            code, said = check()
            assert code == 0 and "can be loaded" in said and "2048-32767" in said, said
            code, said = check("--pin", PIN)
            assert code == 0 and "another proxy" in said, said
            exchange(s, 100000)
            c.sendall(b"x" * 5000)
            c.shutdown(socket.SHUT_WR)
            assert c.recv(1) == b""
        p.until("they have not ended", lambda r: r["ended_closed"] == 2)
        p.end()
    code, said = check("--ports", "30000-40000")
    assert code == 2 and "ip_local_port_range" in said and "--ports" in said, said
    code, said = check("--pin", "/proc/nothing")
    assert code == 2 and "mount -t bpf" in said, said
    code, said = check(before=("setpriv", "--reuid=65534", "--regid=65534",
                               "--clear-groups", "--bounding-set=-all"))
    assert code == 2 and "CAP_NET_ADMIN" in said, said


@test("descriptors run out: counted, and the next one is served again")
def descriptors():
    few = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
           "--inh-caps=-all", "--bounding-set=-all", "prlimit", "--nofile=40:40")
    with Server() as s, Proxy(*forward(), "--splice", "copy", before=few) as p:
        socks = []
        for _ in range(30):
            try:
                socks.append(connected())
            except ConnectionResetError:
                pass
        p.until("there were enough",
                lambda r: r["accept_errors"] + r["failed_own"] > 0)
        for c in socks:
            c.close()
        p.until("they have not ended", lambda r: r["opening"] + r["open"] == 0)
        exchange(s, 10000)
        assert p.end()["copied"] > 1


@test("command lines that are none, addresses that are not ours: a line, and status 2")
def usage():
    rows = (
        ((), "nothing to proxy"),
        (("10.0.0.1:80=10.0.0.2:80",), "what is it"),
        (("--forward", "10.0.0.1:80"), "listen at"),
        (("--forward", "10.0.0.1:80="), "no server"),
        (("--forward", "10.0.0.1=10.0.0.2:80"), "listen at"),
        (("--forward", "10.0.0.1:80=10.0.0.1:80"), "leads to itself"),
        (("--forward", "10.0.0.1:80=name:80"), "no address"),
        ((*forward(), *forward()), "where another one does"),
        ((*forward(), "--splice", "mux"), "auto|tc|copy"),
        ((*forward(), "--connections", "0"), "--connections"),
        ((*forward(), "--ports", "9-8"), "range of ports"),
        ((*forward(), "--splice", "copy", "--pin", PIN), "--pin"),
        ((*forward(), "--user", "no-such-user"), "no user"),
        (("--forward", "192.0.2.7:80=10.0.0.1:80"), "cannot listen"),
        ((*forward(), "--pin", "/tmp/us-no-bpffs-%d" % os.getpid()), "spliced"))
    for words, said in rows:
        line = refused(*words)
        assert said in line and line.startswith("understudy: "), (words, line)
    if os.path.isdir("/tmp/us-no-bpffs-%d" % os.getpid()):
        os.rmdir("/tmp/us-no-bpffs-%d" % os.getpid())


if __name__ == "__main__":
    if sys.argv[1:]:
        TESTS = [t for t in TESTS if any(w in t[0] for w in sys.argv[1:])]
    mounted = os.getuid() == 0 and subprocess.run(
        ["mount", "-t", "bpf", "none", MOUNT]).returncode == 0
    try:
        code = hosts.run(TESTS, [proxied.BINARY])
    finally:
        if mounted:
            hosts.sh("umount", MOUNT)
        os.rmdir(MOUNT)
    sys.exit(code)
