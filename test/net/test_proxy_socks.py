#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy --socks, headers of the PROXY protocol, and the logs.

On the hosts of test/lib/hosts.py; the client is curl where it can be.
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
import proxied  # noqa: E402
from hosts import ADDR, CLIENT, PROXY, SERVER, WAIT, result, within  # noqa: E402
from proxied import (Names, Proxy, Server, at, connected, exchange,  # noqa: E402
                     forward, is_cut, turned_away)

IDLE = "seconds, and little load"
BODY = hosts.pattern(1, 300_000)
ALLOW = ["--allow", "10.77.0.0/16", "--allow", "fd77::/16"]
HOST = bytes(map(int, ADDR[4][3].split(".")))
HTTP = 8080
TESTS = []


def test(name):
    def add(f):
        TESTS.append((name, f))
        return f
    return add


def socks(family=4):
    return ["--socks", at(ADDR[family][1], proxied.PORT)]


class Web:
    """HTTP/1.0 on the server's host, on both families."""

    def __init__(self):
        self.listening = [result(within(SERVER, lambda f=f: hosts.listener(
            f, ADDR[f][3], HTTP))) for f in (4, 6)]
        for one in self.listening:
            threading.Thread(target=self.run, args=(one,), daemon=True).start()

    def run(self, one):
        while True:
            try:
                conn, _ = one.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    @staticmethod
    def serve(conn):
        conn.settimeout(WAIT)
        with conn:
            head = b""
            try:
                while not head.endswith(b"\r\n\r\n"):
                    head += hosts.read_exactly(conn, 1)
                conn.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)
                             + BODY)
            except (OSError, EOFError):
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.listening:
            one.shutdown(socket.SHUT_RDWR)
            one.close()


def curl(scheme, host, family=4):
    """(exit status, is the body whole?)"""
    r = subprocess.run(
        ["ip", "netns", "exec", CLIENT, "curl", "-sS", "-m", str(WAIT), "-x",
         f"{scheme}://{at(ADDR[family][1], proxied.PORT)}", f"http://{host}:{HTTP}/"],
        capture_output=True)
    return r.returncode, r.stdout == BODY


def say(words, n):
    """What a client gets for these bytes, up to n of them."""
    with connected() as s:
        s.sendall(words)
        got = b""
        try:
            while len(got) < n:
                b = s.recv(n - len(got))
                if not b:
                    break
                got += b
        except ConnectionResetError:
            pass
        return got


def request(kind, addr, port=proxied.TO, command=1):
    """Version 5, all in one piece."""
    return b"\5\1\0\5" + bytes([command, 0, kind]) + addr + port.to_bytes(2, "big")


DEAD = ["10.77.2.%d" % i for i in range(71, 78)]  # addresses that swallow what they get
NAMES = {"server.lab": [ADDR[4][3], ADDR[6][3]], "four.lab": [ADDR[4][3]],
         "six.lab": [ADDR[6][3]], "meta.lab": ["169.254.169.254"],
         "here.lab": ["127.0.0.1", "::1"], "silent.lab": None,
         "mixed.lab": ["169.254.169.254", ADDR[4][3]],
         "second.lab": ["10.77.2.77", ADDR[4][3]]}
DNS = ["--dns", "127.0.0.1:5353"]


@test("curl by each version, to addresses and names, of both families")
def by_curl():
    six = f"[{ADDR[6][3]}]"
    rows = (("socks4", ADDR[4][3], 4), ("socks4a", "four.lab", 4),
            ("socks5", ADDR[4][3], 4), ("socks5h", "server.lab", 4),
            ("socks5h", "six.lab", 4), ("socks5", six, 6), ("socks5h", "server.lab", 6))
    for mode in ("tc", "copy", "auto"):
        with Web(), Names(NAMES), Proxy(*socks(), *socks(6), *ALLOW, *DNS, "--splice",
                                        mode) as p:
            n = 0
            for scheme, host, family in rows:
                # IPv4 on one side, IPv6 on the other.
                crossed = host == "six.lab"
                want = (97, False) if crossed and mode == "tc" else (0, True)
                got = curl(scheme, host, family)
                assert got == want, (mode, scheme, host, family, got)
                n += want[1] and not crossed
            r = p.end()
            assert r["accepted"] == len(rows) and r["lookups"] == 4, r
            assert r["copied" if mode == "copy" else "spliced"] >= n, r
            assert r["copied_families"] == (mode == "auto"), r


@test("what is said behind the request is the server's, and the reply comes first")
def early():
    for mode in ("tc", "copy"):
        with Server() as s, Proxy(*socks(), *ALLOW, "--splice", mode) as p:
            with connected() as c:
                c.sendall(request(1, HOST) + (2000).to_bytes(8, "big") + b"x" * 5000)
                got = hosts.read_exactly(c, 12)
                assert got[:6] == b"\5\0\5\0\0\1", got
                assert got[6:10] == bytes(map(int, ADDR[4][2].split("."))), got
                assert hosts.read_exactly(c, 2000) == hosts.pattern(2, 2000)
                c.shutdown(socket.SHUT_WR)
                assert c.recv(1) == b""
            hosts.until("the server has not got it", lambda: s.seen)
            assert s.seen[0][0] == 5000, s.seen
            r = p.end()
            assert (r["bytes_c2s"], r["bytes_s2c"]) == (5008, 2000), r


@test("a byte at a time")
def bytes_alone():
    with Server(), Proxy(*socks(), *ALLOW) as p:
        with connected() as c:
            for b in request(1, HOST):
                c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                c.sendall(bytes([b]))
            assert hosts.read_exactly(c, 6) == b"\5\0\5\0\0\1"
        p.end()


@test("private addresses, the proxy's own listeners and denied ones are refused")
def judged():
    def five(*host):
        return request(1, bytes(host))

    def name(text):
        return request(3, bytes([len(text)]) + text.encode())
    rows = ((five(127, 0, 0, 1), "refused_address"), (five(10, 0, 0, 1), "refused_address"),
            (five(169, 254, 169, 254), "refused_address"),
            (five(0, 0, 0, 0), "refused_address"), (five(224, 0, 0, 1), "refused_address"),
            (five(192, 168, 0, 1), "refused_address"),
            (request(4, bytes(15) + b"\1"), "refused_address"),
            (request(4, b"\0\x64\xff\x9b" + bytes(8) + b"\x7f\0\0\1"), "refused_address"),
            (request(4, bytes(10) + b"\xff\xff\x7f\0\0\1"), "refused_address"),
            (name("meta.lab"), "refused_address"), (name("here.lab"), "refused_address"),
            (five(*HOST), "refused_address"))
    with Names(NAMES), Proxy(*socks(), *DNS) as p:
        for i, (words, reason) in enumerate(rows):
            got = say(words, 12)
            assert got[:4] == b"\5\0\5\2", (words, got)
            assert p.report()[reason] == i + 1, (words, p.report())
        p.end()
    with Server(), Names(NAMES), Proxy(*socks(), *ALLOW, *DNS) as p:
        # Of a name with both only the one that may be is tried.
        assert say(name("mixed.lab"), 12)[:4] == b"\5\0\5\0"
        assert say(request(1, bytes(map(int, ADDR[4][1].split("."))), proxied.PORT),
                   12)[:4] == b"\5\0\5\2"
        r = p.end()
        assert r["refused_own"] == 1 and r["refused"] == 1, r
    any_ = ["--socks", "0.0.0.0:%d" % proxied.PORT, "--allow", "0.0.0.0/0"]
    with Server(), Proxy(*any_, "--deny", ADDR[4][3] + "/32") as p:
        for host in (ADDR[4][1], ADDR[4][2], "127.0.0.1", "127.1.2.3"):
            assert say(request(1, bytes(map(int, host.split("."))), proxied.PORT),
                       12)[:4] == b"\5\0\5\2", host
        assert say(five(*HOST), 12)[:4] == b"\5\0\5\2"
        r = p.end()
        assert r["refused_own"] == 4 and r["refused_address"] == 1, r


@test("what is refused, and what fails, is answered by its code and counted")
def codes():
    def name(text, port=proxied.TO):
        return request(3, bytes([len(text)]) + text.encode(), port)
    four = b"\4\1" + proxied.TO.to_bytes(2, "big")
    rows = (
        (request(1, HOST, command=2), b"\5\0\5\7", "refused_command"),
        (request(1, HOST, command=3), b"\5\0\5\7", "refused_command"),
        (b"\4\2\0\x50" + HOST + b"\0", b"\0\x5b", "refused_command"),
        (b"\5\2\1\2", b"\5\xff", "refused_method"),
        (b"GET / HTTP/1.0\r\n\r\n", b"", "refused_socks"),
        (b"\5\1\0\4", b"\5\0\5\1", "refused_socks"),
        (request(2, b""), b"\5\0\5\x08", "refused_socks"),
        (request(3, b"\3a b"), b"\5\0\5\x08", "refused_socks"),
        (four + HOST + b"u" * 300, b"\0\x5b", "refused_socks"),
        (four + b"\0\0\0\1\0" + b"n" * 300, b"\0\x5b", "refused_socks"),
        (request(1, HOST, 9), b"\5\0\5\5", "failed_server"),
        (request(1, bytes([192, 0, 2, 1])), b"\5\0\5\3", "failed_server"),
        (name("none.lab"), b"\5\0\5\4", "failed_name"),
        (name("second.lab"), b"\5\0\5\0", "spliced"),
    )
    hosts.on(PROXY, "ip", "neigh", "replace", "10.77.2.77", "lladdr", "02:00:00:00:00:77",
             "dev", "ps0")
    with Server(), Names(NAMES), Proxy(*socks(), *ALLOW, "--allow", "192.0.2.0/24", *DNS,
                                       "--connect-timeout", "300ms") as p:
        for words, want, reason in rows:
            before = p.report()[reason]
            got = say(words, 12)
            assert got[:len(want)] == want and (want or not got), (words, got)
            assert p.report()[reason] == before + 1, (words, reason, p.report())
        p.end()


@test("addresses of a name: one that is silent keeps none waiting, nor does a family")
def beside():
    names = {"dead.lab": [DEAD[0], ADDR[4][3]],
             "dead6.lab": [*DEAD[1:3], ADDR[6][3]],
             "all.lab": DEAD[3:6]}
    for dead in DEAD:
        hosts.on(PROXY, "ip", "neigh", "replace", dead, "lladdr", "02:00:00:00:00:77",
                 "dev", "ps0")
    long = ["--connect-timeout", "1h"]
    with Web(), Names(names) as n, Proxy(*socks(), *ALLOW, *DNS, *long) as p:
        # Nothing but the next attempt can end these.
        assert curl("socks5h", "dead.lab") == (0, True)
        p.until("it was not joined", lambda r: (r["spliced"], r["beside"]) == (1, 1))
        assert curl("socks5h", "dead6.lab") == (0, True)
        r = p.report()
        assert r["copied_families"] == 1 and r["beside"] >= 2, r
        # One family is not answered for: the other one is enough.
        n.names["half.lab"] = [ADDR[4][3]]
        n.mute.add(("half.lab", 28))
        assert curl("socks5h", "half.lab") == (0, True)
        n.names["half6.lab"] = [ADDR[6][3]]
        n.mute.add(("half6.lab", 1))
        assert curl("socks5h", "half6.lab") == (0, True)
        # A client that goes takes all its attempts with him.
        with connected() as c:
            c.sendall(request(3, bytes([7]) + b"all.lab", HTTP))
            p.until("three are not tried", lambda r: r["beside"] >= 4)
        p.until("he is not missed", lambda r: r["failed_left"] == 1)
        hosts.until("attempts are left", lambda: subprocess.run(
            ["ip", "netns", "exec", PROXY, "ss", "-Htn", "state", "syn-sent"],
            capture_output=True).stdout == b"")
        r = p.end()
        assert r["accepted"] == 5 and r["failed"] == 1, r
    with Web(), Names(names), Proxy(*socks(), *ALLOW, *DNS, "--connect-timeout",
                                    "300ms", "--splice", "tc") as p:
        assert curl("socks5h", "dead.lab") == (0, True)
        assert say(request(3, bytes([7]) + b"all.lab", HTTP), 12)[:4] == b"\5\0\5\4"
        r = p.end()
        assert r["beside"] == 0 and r["spliced"] == r["failed_server"] == 1, r


@test("names and passwords: who has one is let in and logged, others are not")
def login():
    with tempfile.TemporaryDirectory(prefix="us-proxy-") as d:
        os.chmod(d, 0o777)
        users, log, js = (os.path.join(d, n) for n in ("users", "log", "log.json"))

        def users_are(**hashes):
            with open(users, "w") as f:
                for name, password in hashes.items():
                    made = subprocess.run(["openssl", "passwd", "-6", password],
                                          capture_output=True, text=True, check=True)
                    f.write(name + ":" + made.stdout)
            os.chmod(users, 0o644)

        def five(name, password):
            return (b"\5\2\0\2\1" + bytes([len(name)]) + name.encode() +
                    bytes([len(password)]) + password.encode() + request(1, HOST)[3:])
        users_are(anna="tiger", otto="secret word")
        with Web(), Server(), Proxy(*socks(), *ALLOW, "--socks-users", users, "--log", log,
                                    "--log-json", js) as p:
            for who, good in (("anna:tiger@", True), ("otto:secret%20word@", True),
                              ("anna:secret%20word@", False), ("nobody:tiger@", False),
                              ("anna:@", False), ("", False)):
                r = subprocess.run(
                    ["ip", "netns", "exec", CLIENT, "curl", "-sS", "-m", str(WAIT), "-x",
                     f"socks5://{who}{at(ADDR[4][1], proxied.PORT)}",
                     f"http://{ADDR[4][3]}:{HTTP}/"], capture_output=True)
                assert (r.returncode == 0, r.stdout == BODY) == (good, good), (who, r)
            assert say(five("anna", "tiger"), 14)[:8] == b"\5\2\1\0\5\0\0\1"
            # The last reply of who is not let in, and nothing behind it.
            assert say(five("anna", "x"), 16) == b"\5\2\1\1"
            assert say(b"\4\1" + proxied.TO.to_bytes(2, "big") + HOST + b"anna\0",
                       8)[:2] == b"\0\x5b"
            assert say(request(1, HOST), 2) == b"\5\xff"
            assert say(b"\5\1\2\5", 4) == b"\5\2\1\1"
            r = p.report()
            assert r["refused_login"] == 4 and r["refused_method"] == 3, r
            assert r["refused_socks"] == 1 and r["spliced"] == 3, r
            # Read again: other passwords, and what is no file of users.
            users_are(anna="lion")
            p.p.send_signal(signal.SIGHUP)
            p.until("it is not read", lambda r: r["reloads"] == 1)
            assert say(five("anna", "tiger"), 16) == b"\5\2\1\1"
            assert say(five("anna", "lion"), 14)[:6] == b"\5\2\1\0\5\0"
            os.unlink(users)
            p.p.send_signal(signal.SIGHUP)
            p.until("it is not read", lambda r: r["reload_errors"] == 1)
            assert say(five("anna", "lion"), 14)[:6] == b"\5\2\1\0\5\0"
            # He is gone while his password is hashed; another one is in his place.
            for _ in range(20):
                with connected() as c:
                    c.sendall(five("anna", "lion"))
            p.until("they are not missed", lambda r: r["opening"] == 0)
            r = p.end()
        objects = [json.loads(x) for x in open(js)]
        assert {x["user"] for x in objects if x["how"] == "refused"} == {None}, objects
        assert {x["user"] for x in objects if x["how"] == "spliced"} <= {"anna", "otto"}
        assert re.search(r"^\S+ - otto \[.* spliced ", open(log).read(), re.M)
        users_are(anna="x")
        for change, said in ((lambda: open(users, "w").write("anna:x\n"), "line 1 has no"),
                             (lambda: os.unlink(users), "No such file")):
            change()
            r = subprocess.run(["ip", "netns", "exec", PROXY, proxied.BINARY, "proxy",
                                *socks(), "--socks-users", users], capture_output=True,
                               text=True, timeout=WAIT)
            assert r.returncode == 2 and said in r.stderr, (said, r)


@test("half a handshake, a name without an answer, a client that goes away")
def late():
    with Names(NAMES) as n, Proxy(*socks(), *ALLOW, *DNS, "--handshake-timeout",
                                  "300ms") as p:
        for words in (b"", b"\5", b"\5\1\0", b"\5\1\0\5\1\0\3\10serv"):
            assert say(words, 100) in (b"", b"\5\0", b"\5\0" + b"\5\4\0\1" + bytes(6)), words
        text = b"silent.lab"
        got = say(b"\5\1\0\5\1\0\3" + bytes([len(text)]) + text + b"\0\x50", 12)
        assert got[:4] == b"\5\0\5\4", got
        assert p.report()["failed_handshake"] == 5, p.report()
        assert "silent.lab" in n.asked
        connected().close()
        p.until("he is not missed", lambda r: r["failed_left"] == 1)
        # The name server may come back late; the proxy goes on.
        assert p.end()["failed"] == 6


def read_v1(conn):
    line = b""
    while not line.endswith(b"\r\n"):
        line += hosts.read_exactly(conn, 1)
    return line.decode()


def read_v2(conn):
    head = hosts.read_exactly(conn, 16)
    assert head[:12] == b"\r\n\r\n\0\r\nQUIT\n", head
    return head[12], head[13], hosts.read_exactly(conn, int.from_bytes(head[14:], "big"))


@test("PROXY headers to the server say who the client is")
def proxy_out():
    for mode in ("tc", "copy"):
        for family in (4, 6):
            c, to = ADDR[family][0], ADDR[family][1]
            raw = b"".join(socket.inet_pton(
                socket.AF_INET6 if family == 6 else socket.AF_INET, a) for a in (c, to))
            with Server(family, head=read_v2) as s, \
                    Proxy(*forward(family), "--proxy-out", "v2", "--splice", mode) as p:
                exchange(s, 10000, family)
                what, kind, rest = s.heads[0]
                assert (what, kind) == (0x21, 0x11 if family == 4 else 0x21), s.heads
                assert rest[:-4] == raw, rest
                assert rest[-2:] == proxied.PORT.to_bytes(2, "big"), rest
                r = p.end()
                assert r["bytes_c2s"] == 10008, r
            with Server(family, head=read_v1) as s, \
                    Proxy(*forward(family), "--proxy-out", "v1", "--splice", mode) as p:
                exchange(s, 10000, family)
                assert re.fullmatch(r"PROXY TCP%d %s %s \d+ %d\r\n" % (
                    family, c, to, proxied.PORT), s.heads[0]), s.heads
                p.end()


@test("PROXY headers of clients: believed of who is trusted, passed on, counted by client")
def proxy_in():
    line = b"PROXY TCP4 198.51.100.%d 203.0.113.9 4444 80\r\n"
    with Server(head=read_v1) as s, Proxy(
            *forward(), "--proxy-in", ADDR[4][0] + "/32", "--proxy-out", "v1",
            "--per-client", "1", "--timewait", "1ms") as p:
        for piece in (1, 1000):
            c = connected()
            head = line % 7
            for i in range(0, len(head), piece):
                c.sendall(head[i:i + piece])
            exchange(s, 3000, s=c)
            assert s.heads[-1] == head.decode(), s.heads
            p.until("it has not ended", lambda r: r["open"] == 0)
        held = connected()
        held.sendall(line % 8 + (4).to_bytes(8, "big"))
        assert hosts.read_exactly(held, 4) == hosts.pattern(2, 4)
        for host, good in ((8, False), (9, True)):
            c = connected()
            c.sendall(line % host + (4).to_bytes(8, "big"))
            if good:
                assert hosts.read_exactly(c, 4) == hosts.pattern(2, 4)
            else:
                assert is_cut(c)
            c.close()
        held.close()
        # What is none is refused, and nothing goes to the server.
        for words in (b"GET / HTTP/1.0\r\n", b"PROXY TCP4 1.2.3.4\r\n",
                      b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"):
            with connected() as c:
                c.sendall(words)
                assert is_cut(c)
        r = p.report()
        assert r["refused_header"] == 3 and r["refused_client"] == 1, r
        p.p.kill()
    # Who is not trusted has none: it is the server's to read.
    with Server() as s, Proxy(*forward(), "--proxy-in", "192.0.2.0/24") as p:
        exchange(s, 1000)
        p.end()


FORM = re.compile(r'(\S+) - - \[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000)\] "(\S+) (\S+)" '
                  r"(\S+) (\S+) (\S+) (\S+) (\d+) (\d+) (\S+) (\S+)\n")


@test("logs: a line a connection, and new files when the old ones have moved")
def logs():
    with tempfile.TemporaryDirectory(prefix="us-proxy-") as d:
        os.chmod(d, 0o777)
        text, js = os.path.join(d, "log"), os.path.join(d, "log.json")
        with Web(), Server() as s, Names(NAMES), Proxy(
                *socks(), *forward(6), "--log", text, "--log-json", js, *ALLOW, *DNS,
                "--timewait", "1ms") as p, Server(6) as t:
            exchange(t, 700, 6)
            assert curl("socks5h", "four.lab") == (0, True)
            say(request(1, b"\x7f\0\0\1"), 12)
            p.until("they have not ended", lambda r: r["open"] == 0)
            hosts.until("there is no log", lambda: len(open(js).readlines()) == 3)
            os.rename(text, text + ".1")
            os.rename(js, js + ".1")
            p.p.send_signal(signal.SIGHUP)
            hosts.until("there is no new log", lambda: os.path.exists(js))
            say(b"\5\1\0" + request(1, HOST, 9)[3:], 12)
            p.end()
        lines = open(text + ".1").readlines() + open(text).readlines()
        rows = [FORM.fullmatch(l).groups() for l in lines]
        got = {(r[2], r[5], r[6], r[7]): r for r in rows}
        one = got["forward", "spliced", "-", "closed"]
        assert one[0].startswith(f"[{ADDR[6][0]}]:") and one[8:10] == ("708", "700"), one
        assert one[4] == at(ADDR[6][3], proxied.TO) and float(one[11]) > 0, one
        two = got["socks5", "spliced", "-", "closed"]
        assert two[3] == f"four.lab:{HTTP}" and int(two[9]) > len(BODY), two
        assert got["socks5", "refused", "address", "-"][3] == "127.0.0.1:8000"
        assert got["socks5", "failed", "server", "-"][4] == f"{ADDR[4][3]}:9"
        objects = [json.loads(l) for l in open(js + ".1").readlines() +
                   open(js).readlines()]
        assert [(o["kind"], o["how"], o["why"] or "-", o["end"] or "-")
                for o in objects] == [(r[2], *r[5:8]) for r in rows], objects
        assert "four.lab" in [o["name"] for o in objects], objects
        assert s.seen == []
        for name in (text, js):
            assert os.stat(name).st_mode & 0o777 == 0o600


@test("logs that cannot be opened, and others' command lines")
def usage():
    def refused(*words):
        r = subprocess.run(["ip", "netns", "exec", PROXY, proxied.BINARY, "proxy", *words],
                           capture_output=True, text=True, timeout=WAIT)
        assert r.returncode == 2 and len(r.stderr.splitlines()) == 1, (words, r)
        return r.stderr
    with tempfile.TemporaryDirectory(prefix="us-proxy-") as d:
        os.chmod(d, 0o755)
        for words, said in (
                ((*socks(), "--log", d + "/log"), "--user"),
                ((*socks(), "--log", d + "/no/log"), "No such file"),
                ((*socks(), "--allow", "10.0.0.1/8"), "no network"),
                ((*socks(), "--dns", "name"), "no address"),
                (("--socks", "10.77.1.1"), "no address with a port"),
                ((*socks(), "--proxy-out", "v3"), "v1|v2"),
                (("--forward", "0.0.0.0:9000=127.0.0.1:9000"), "listener of ours"),
                (("--forward", "0.0.0.0:9000=10.77.2.1:9000"), "listener of ours")):
            line = refused(*words)
            assert said in line, (words, line)


if __name__ == "__main__":
    if sys.argv[1:]:
        TESTS = [t for t in TESTS if any(w in t[0] for w in sys.argv[1:])]
    sys.exit(hosts.run(TESTS, [proxied.BINARY]))
