#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy --http: requests are edited and carried, one after the other.

On the hosts of test/lib/hosts.py, with a server of this file's own that tells what it
got, and answers as a request asks. Every report's sums close.
"""
import hashlib
import os
import re
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
from proxied import at  # noqa: E402

PORT = 8080
ALLOW = ("--allow", "10.77.0.0/16", "--allow", "fd77::/16")
TESTS = []


def test(name):
    def add(f):
        TESTS.append((name, f))
        return f
    return add


class Proxy(proxied.Proxy):
    """Its requests close, too."""

    def __init__(self, *words, family=4):
        super().__init__("--http", at(ADDR[family][1], PORT), *ALLOW, *words, port=PORT)

    def end(self, sig=15):
        r = super().end(sig)
        assert r["requests"] == (r["requests_answered"] + r["requests_refused"] +
                                 r["requests_failed"] + r["requests_cut"]), r
        return r


def read_head(s, rest=b""):
    """A head, its first line and fields, and what stands behind it."""
    while b"\r\n\r\n" not in rest:
        more = s.recv(65536)
        if not more:
            return None, {}, rest
        rest += more
    head, rest = rest.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    fields = {}
    for line in lines[1:]:
        name, value = line.split(": ", 1)
        fields.setdefault(name.lower(), []).append(value)
    return lines[0], fields, rest


def read_body(s, fields, rest):
    if "transfer-encoding" in fields:
        body = b""
        while True:
            while b"\r\n" not in rest:
                rest += s.recv(65536)
            size, rest = rest.split(b"\r\n", 1)
            n = int(size.split(b";")[0], 16)
            if n == 0:
                while not rest.startswith(b"\r\n") and b"\r\n\r\n" not in rest:
                    rest += s.recv(65536)
                end = 2 if rest.startswith(b"\r\n") else rest.index(b"\r\n\r\n") + 4
                return body, rest[end:]
            while len(rest) < n + 2:
                rest += s.recv(65536)
            body, rest = body + rest[:n], rest[n + 2:]
    n = int(fields.get("content-length", ["0"])[0])
    while len(rest) < n:
        more = s.recv(1 << 20)
        if not more:
            break
        rest += more
    return rest[:n], rest[n:]


class Server:
    """GET /N: N bytes of a pattern; /chunked/N, /end/N: the same otherwise; /close/N and
    ends; /raw: what self.raw says. Others echo their body. self.seen: (first line,
    fields, body) of each request."""

    def __init__(self, family=4, port=80):
        self.seen, self.raw, self.connections, self.open = [], b"", 0, True
        self.s = result(within(SERVER, lambda: hosts.listener(
            family, ADDR[family][3], port)))
        threading.Thread(target=self.run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.shutdown(socket.SHUT_RDWR)
        self.s.close()

    def run(self):
        while True:
            try:
                c, _ = self.s.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        rest = b""
        try:
            while True:
                line, fields, rest = read_head(c, rest)
                if line is None:
                    return
                if "expect" in fields:
                    c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                body, rest = read_body(c, fields, rest)
                self.seen.append((line, fields, body))
                if not self.answer(c, line.split(" ")[1], line, body):
                    return
        except OSError:
            pass
        finally:
            c.close()

    def answer(self, c, path, line, body):
        kind, _, n = path.lstrip("/").rpartition("/")
        if path == "/raw":
            c.sendall(self.raw)
            return False
        if path == "/upgrade":
            c.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                      b"Upgrade: echo\r\n\r\n")
            while True:
                b = c.recv(65536)
                if not b:
                    return False
                c.sendall(b)
        data = hosts.pattern(3, int(n)) if n.isdigit() else body
        if line.startswith("HEAD"):
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data))
        elif kind == "chunked":
            c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for i in range(0, len(data), 1000):
                part = data[i:i + 1000]
                c.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            c.sendall(b"0\r\nX-Sum: 1\r\n\r\n")
        elif kind in ("end", "close"):
            length = b"Content-Length: %d\r\nConnection: close\r\n" % len(data)
            c.sendall(b"HTTP/1.1 200 OK\r\n" + (length if kind == "close" else b"") +
                      b"\r\n" + data)
            return False
        else:
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nKeep-Alive: timeout=5\r\n"
                      b"Connection: Keep-Alive, X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n"
                      % len(data) + data)
        return "1.1" in line


def connected(family=4):
    def body():
        s = socket.create_connection((ADDR[family][1], PORT), WAIT)
        s.settimeout(WAIT)
        return s
    return result(within(CLIENT, body))


def url(path="", family=4, port=None):
    host = ADDR[family][3]
    host = "[%s]" % host if family == 6 else host
    return "http://%s%s%s" % (host, ":%d" % port if port else "", path)


def is_reset(s):
    """What has come of it ends with a reset."""
    try:
        while s.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return False


def request(path, method="GET", version="1.1", more="", body=b"", family=4):
    return ("%s %s HTTP/%s\r\nHost: elsewhere\r\n%s\r\n" % (
        method, url(path, family), version, more)).encode() + body


def ask(s, rest, *args, **kw):
    s.sendall(request(*args, **kw))
    return answer(s, rest)


def answer(s, rest=b"", head=False):
    """(status, fields, body, what stands behind)."""
    line, fields, rest = read_head(s, rest)
    assert line, "no answer"
    status = int(line.split(" ")[1])
    if head or status in (204, 304) or status < 200:
        return status, fields, b"", rest
    if "content-length" in fields or "transfer-encoding" in fields:
        body, rest = read_body(s, fields, rest)
    else:
        body, rest = rest, b""
        for part in iter(lambda: s.recv(65536), b""):
            body += part
    return status, fields, body, rest


for family in (4, 6):
    @test(f"IPv{family}: a connection for many requests, of all lengths and framings")
    def many(family=family):
        with Server(family) as v, Proxy(family=family) as p, connected(family) as s:
            rest = b""
            for path in ("/0", "/1", "/1000", "/chunked/70000", "/10000000", "/1",
                         "/close/5000", "/7", "/chunked/0", "/300000"):
                status, fields, body, rest = ask(s, rest, path, family=family)
                n = int(path.rpartition("/")[2])
                assert status == 200 and body == hosts.pattern(3, n), (path, len(body))
                assert rest == b"", rest
            assert v.connections == 2, v.connections
            s.close()
            p.until("it is not over", lambda r: r["open"] == 0)
            r = p.end()
            assert r["copied"] == r["copied_http"] == r["accepted"] == 1, r
            assert r["requests"] == r["requests_answered"] == 10, r


@test("what is for us alone is left out, both ways; the request line says whom it is for")
def edited():
    with Server() as v, Proxy() as p, connected() as s:
        status, fields, _, _ = ask(
            s, b"", "/1?q=/a", more="Connection: x-mine, keep-alive\r\nX-Mine: 1\r\n"
            "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\n"
            "TE: trailers\r\nKeep-Alive: 3\r\nX-Yours:2 \r\nUpgrade: h2c\r\n")
        line, got, _ = v.seen[0]
        assert line == "GET /1?q=/a HTTP/1.1", line
        assert got == {"host": [ADDR[4][3]], "x-yours": ["2"],
                       "via": ["1.1 understudy"]}, got
        assert status == 200
        assert fields == {"content-length": ["0"], "x-end": ["2"],
                          "via": ["1.1 understudy"]} or "x-hop" not in fields, fields
        assert "keep-alive" not in fields and "connection" not in fields, fields
        p.end()


@test("pipelined: a hundred requests in one segment, answered in order")
def pipelined():
    with Server() as v, Proxy() as p, connected() as s:
        s.sendall(b"".join(request("/%d" % (i * 37)) for i in range(100)))
        rest = b""
        for i in range(100):
            status, _, body, rest = answer(s, rest)
            assert status == 200 and body == hosts.pattern(3, i * 37), i
        assert len(v.seen) == 100 and v.connections == 1
        s.close()
        assert p.end()["requests_answered"] == 100


@test("bodies: with a length, in chunks, on demand (100), to a client of 1.0, none")
def bodies():
    with Server() as v, Proxy() as p:
        data = hosts.pattern(9, 3000000)
        with connected() as s:
            status, _, body, rest = ask(s, b"", "/x", "POST", more="Content-Length: %d\r\n"
                                        % len(data), body=data)
            assert (status, body) == (200, data)
            chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(data[i:i + 7777]),
                                                    data[i:i + 7777])
                              for i in range(0, 100000, 7777)) + b"0\r\nA: b\r\n\r\n"
            status, _, body, rest = ask(s, rest, "/x", "PUT",
                                        more="Transfer-Encoding: chunked\r\n", body=chunks)
            assert status == 200 and body == data[:len(body)] and len(body) > 99999
            s.sendall(request("/x", "POST",
                              more="Content-Length: 3\r\nExpect: 100-continue\r\n"))
            status, _, _, rest = answer(s, rest)
            assert status == 100
            s.sendall(b"abc")
            assert answer(s, rest)[::2] == (200, b"abc")
            s.sendall(request("/5", "HEAD"))
            status, fields, _, rest = answer(s, head=True)
            assert fields["content-length"] == ["5"] and rest == b""
            # The next answer is the next request's.
            assert ask(s, rest, "/3")[2] == hosts.pattern(3, 3)
        for path, more in (("/end/5000", ""), ("/9", "Connection: keep-alive\r\n")):
            with connected() as s:
                status, fields, body, _ = ask(s, b"", path, version="1.0", more=more)
                assert body == hosts.pattern(3, int(path.rpartition("/")[2]))
                assert v.seen[-1][0].endswith("HTTP/1.0"), v.seen[-1]
                assert fields["connection"] == ["keep-alive" if more else "close"], fields
                assert more or s.recv(1) == b""
        p.end()


@test("CONNECT is joined in the kernel; later on a connection it is carried")
def tunnel():
    with Server() as v, Proxy() as p:
        for first in (True, False):
            with connected() as s:
                rest = b"" if first else ask(s, b"", "/1")[3]
                s.sendall(("CONNECT %s:80 HTTP/1.1\r\nHost: x\r\n\r\n" %
                           ADDR[4][3]).encode() + b"GET /50 HTTP/1.1\r\nHost: a\r\n\r\n")
                line, fields, rest = read_head(s, rest)
                assert line.split(" ")[1] == "200" and not fields, (line, fields)
                assert answer(s, rest)[2] == hosts.pattern(3, 50)
                assert "via" not in v.seen[-1][1]
                s.shutdown(socket.SHUT_WR)
                assert s.recv(1) == b""
        p.until("they are not over", lambda r: r["open"] == 0)
        r = p.end()
        assert r["spliced"] == 1 and r["copied"] == 1 and r["requests"] == 2, r


@test("another protocol is changed to, and then carried both ways")
def upgrade():
    with Server() as v, Proxy() as p, connected() as s:
        s.sendall(request("/upgrade", more="Connection: Upgrade\r\nUpgrade: echo\r\n"))
        status, fields, _, rest = answer(s)
        assert status == 101 and fields["upgrade"] == ["echo"], fields
        assert v.seen[0][1]["connection"] == ["upgrade"], v.seen
        for i in range(20):
            s.sendall(b"%d\0" % i * 1000)
            assert hosts.read_exactly(s, len(b"%d\0" % i * 1000)) == b"%d\0" % i * 1000
        s.close()
        p.until("it is not over", lambda r: r["open"] == 0)
        p.end()


HOSTILE = (
    ("two lengths", "POST", "Content-Length: 5\r\nContent-Length: 6\r\n", 400),
    ("the same length twice", "POST", "Content-Length: 5\r\nContent-Length: 5\r\n", 400),
    ("a list of lengths", "POST", "Content-Length: 5, 5\r\n", 400),
    ("length and chunks", "POST",
     "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
    ("a sign", "POST", "Content-Length: +5\r\n", 400),
    ("hexadecimal", "POST", "Content-Length: 0x5\r\n", 400),
    ("no digits", "POST", "Content-Length:\r\n", 400),
    ("an endless length", "POST", "Content-Length: 99999999999999999999\r\n", 400),
    ("two codings", "POST", "Transfer-Encoding: gzip, chunked\r\n", 501),
    ("chunks twice", "POST",
     "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
    ("a coding with a tab", "POST", "Transfer-Encoding: \x0bchunked\r\n", 400),
    ("an unknown coding", "POST", "Transfer-Encoding: xchunked\r\n", 501),
    ("a folded field", "GET", "A: b\r\n c\r\n", 400),
    ("a space before the colon", "POST", "Content-Length : 5\r\n", 400),
    ("a space before the name", "GET", " A: b\r\n", 400),
    ("no name", "GET", ": b\r\n", 400),
    ("no colon", "GET", "Ab\r\n", 400),
    ("a bare LF", "GET", "A: b\nContent-Length: 5\r\n", 400),
    ("a bare CR", "GET", "A: b\rContent-Length: 5\r\n", 400),
    ("a zero byte", "GET", "A: \0\r\n", 400),
    ("two hosts", "GET", "Host: b\r\n", 400),
    ("Connection names the length", "POST",
     "Connection: content-length\r\nContent-Length: 5\r\n", 400),
    ("Connection names the host", "GET", "Connection: host\r\n", 400),
    ("TRACE", "TRACE", "", 501),
    ("too many fields", "GET", "A: b\r\n" * 200, 431),
    ("too long", "GET", "A: " + "b" * 30000 + "\r\n", 431),
)
LINES = (
    ("GET /1 HTTP/1.1", 400), ("GET http:///1 HTTP/1.1", 400),
    ("GET  http://a/ HTTP/1.1", 400), ("GET http://a/ HTTP/1.1 ", 400),
    ("GET http://a/ HTTP/2.0", 505), ("GET http://a/ http/1.1", 400),
    ("GET http://u@a/ HTTP/1.1", 400), ("GET http://a:0/ HTTP/1.1", 400),
    ("GET http://a:99999/ HTTP/1.1", 400), ("GET https://a/ HTTP/1.1", 400),
    ("GET http://a/#x HTTP/1.1", 400), ("GET http://a/\x7f HTTP/1.1", 400),
    ("GET http://a/", 400), ("GET", 400), ("G(T http://a/ HTTP/1.1", 400),
    ("CONNECT a HTTP/1.1", 400), ("CONNECT a:b HTTP/1.1", 400),
    ("CONNECT http://a:1/ HTTP/1.1", 400),
)


@test("what two readers may split differently is answered, and never passed on")
def hostile():
    with Server() as v, Proxy() as p:
        for name, method, more, status in HOSTILE:
            with connected() as s:
                s.sendall(request("/1", method, more=more, body=b"hello"))
                got, _, body, _ = answer(s)
                assert got == status and b"." in body, (name, got, body)
                assert s.recv(1) == b"", name
        for line, status in LINES:
            with connected() as s:
                s.sendall(line.encode("latin-1") + b"\r\nHost: a\r\n\r\n")
                got, _, body, _ = answer(s)
                assert got == status, (line, got)
        with connected() as s:
            s.sendall(request("/x", "POST", more="Transfer-Encoding: chunked\r\n",
                              body=b"5 \r\nhello\r\n0\r\n\r\n"))
            assert is_reset(s)
        assert not v.seen, v.seen
        r = p.end()
        assert r["requests_refused"] + r["refused_http"] == len(HOSTILE) + len(LINES), r


@test("a server's answer that may be read in two ways, is cut, or does not come: 502")
def wrong_answers():
    two = b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"
    both = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Server() as v, Proxy() as p:
        for raw in (b"", b"HTTP/1.1 200 OK\r\nA", b"HTTP/1.1 200 OK\r\n" + two,
                    b"HTTP/1.1 200 OK\r\n" + both, b"HTTP/1.1 200 OK\nA: b\n\n",
                    b"HTTP/1.1 20 OK\r\n\r\n", b"hello\r\n\r\n",
                    b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"):
            v.raw = raw
            with connected() as s:
                status, _, body, rest = ask(s, b"", "/raw")
                assert status == 502 and b"server" in body, (raw, status)
                # He may go on.
                assert ask(s, rest, "/4")[2] == hosts.pattern(3, 4)
        for raw in (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"):
            v.raw = raw
            with connected() as s:
                s.sendall(request("/raw"))
                assert is_reset(s)
        p.end()


@test("no server, no address, a place where nobody may go: an answer that says so")
def refused():
    with Server(), Proxy("--deny", "10.77.9.0/24", "--connect-timeout", "300ms") as p:
        with connected() as s:
            for where, status in ((url("/1", port=81), 502),
                                  ("http://10.77.9.9/", 403),
                                  ("http://127.0.0.1:%d/" % PORT, 403),
                                  ("http://%s/" % at(ADDR[4][1], PORT), 403),
                                  ("http://169.254.169.254/", 403)):
                s.sendall(("GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % where).encode())
                got, fields, body, rest = answer(s)
                assert got == status and b"\n" in body, (where, got, body)
            # And on the same connection.
            assert ask(s, rest, "/8")[2] == hosts.pattern(3, 8)
        for where, status in (("10.77.9.9:80", 403), (at(ADDR[4][3], 81), 502)):
            with connected() as s:
                s.sendall(("CONNECT %s HTTP/1.1\r\nHost: a\r\n\r\n" % where).encode())
                assert answer(s)[0] == status, where
        r = p.end()
        assert r["requests"] == 6 and r["requests_answered"] == 1, r


@test("a server that has closed meanwhile is asked again, but not for what may not be")
def repeated():
    with Server() as v, Proxy() as p, connected() as s:
        rest = b""
        for i in range(5):
            status, _, body, rest = ask(s, rest, "/close/%d" % i)
            assert (status, body) == (200, hosts.pattern(3, i))
        assert v.connections == 5
        p.end()


@test("logs have each request: its line, status, bytes")
def logs():
    with tempfile.TemporaryDirectory() as room:
        os.chmod(room, 0o777)
        path = os.path.join(room, "log")
        with Server() as v, Proxy("--log", path, "--log-json", path + ".json") as p:
            with connected() as s:
                rest = ask(s, b"", "/100")[3]
                ask(s, rest, '/x"y', "POST", more="Content-Length: 2\r\n", body=b"ab")
            p.until("it is not over", lambda r: r["open"] == 0)
            p.end()
        lines = open(path).read().splitlines()
        assert re.search(r'"GET http://\S+/100 HTTP/1.1" %s:80 copied 200 server \d+ \d+ '
                         % re.escape(ADDR[4][3]), lines[0]), lines
        assert "/x%22y" in lines[1] and '"http ' in lines[2], lines
        import json
        rows = [json.loads(x) for x in open(path + ".json")]
        assert [x["type"] for x in rows] == ["request", "request", "connection"], rows
        assert rows[1]["status"] == 200 and rows[1]["request"].startswith("POST"), rows
        assert len(v.seen) == 2


@test("who asks for nothing more is no reason to wait at the end; several processes")
def ends():
    with Server(), Proxy("--workers", "2") as p:
        socks = [connected() for _ in range(8)]
        for i, s in enumerate(socks):
            assert ask(s, b"", "/%d" % i)[2] == hosts.pattern(3, i)
        r = p.end()
        assert r["requests_answered"] == r["copied_http"] == r["ended_stopped"] == 8, r
        for s in socks:
            s.close()


@test("a client that leaves, or is ended, in the middle of a request")
def cut():
    with Server() as v, Proxy("--connect-timeout", "20s", "--drain", "0") as p:
        hosts.on(PROXY, "ip", "neigh", "replace", "10.77.2.99", "lladdr",
                 "02:00:00:00:00:99", "dev", "ps0")
        waits = [connected() for _ in range(2)]
        for s in waits:
            s.sendall(b"GET http://10.77.2.99/ HTTP/1.1\r\nHost: a\r\n\r\n")
        half = connected()
        half.sendall(request("/x", "POST", more="Content-Length: 9\r\n", body=b"abc"))
        p.until("they have not asked", lambda r: r["copied"] == 3)
        waits[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            (1).to_bytes(4, "little") + bytes(4))
        waits[0].close()
        half.close()
        p.until("they are not over", lambda r: r["open"] == 1)
        r = p.end()
        assert r["requests_cut"] == r["requests"] == 3 and not v.seen, r
        waits[1].close()


@test("curl and ab, as they are")
def programs():
    with Server(), Proxy() as p:
        out = subprocess.run(
            ["ip", "netns", "exec", CLIENT, "curl", "-s", "-x", at(ADDR[4][1], PORT),
             url("/20000"), url("/chunked/30000"), url("/end/10")], capture_output=True,
            timeout=WAIT)
        want = b"".join(hosts.pattern(3, n) for n in (20000, 30000, 10))
        assert hashlib.sha256(out.stdout).digest() == hashlib.sha256(want).digest()
        out = subprocess.run(
            ["ip", "netns", "exec", CLIENT, "ab", "-q", "-k", "-n", "2000", "-c", "20",
             "-X", at(ADDR[4][1], PORT), url("/1000")], capture_output=True, text=True,
            timeout=60)
        assert re.search(r"Complete requests:\s+2000\n", out.stdout), out
        assert re.search(r"Failed requests:\s+0\n", out.stdout), out
        p.until("they are not over", lambda r: r["open"] == 0)
        assert p.end()["requests_answered"] == 2003


if __name__ == "__main__":
    if sys.argv[1:]:
        TESTS = [t for t in TESTS if any(w in t[0] for w in sys.argv[1:])]
    sys.exit(hosts.run(TESTS, [proxied.BINARY]))
