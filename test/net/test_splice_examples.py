#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The examples of libunderstudy-splice: the thesis's SOCKS server and HTTP/1.0 proxy.

They run on the proxy's host of test/lib/hosts.py; the client is curl.
"""
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
from hosts import ADDR, CLIENT, SERVER, WAIT, result, within  # noqa: E402

IDLE = "seconds, and little load"
SOCKS = os.path.join(hosts.BUILD, "example_socks")
HTTP = os.path.join(hosts.BUILD, "example_http")
BODY = hosts.pattern(1, 1_000_000)
TESTS = []


def test(name):
    def add(f):
        TESTS.append((name, f))
        return f
    return add


class Server:
    """HTTP on the server's host; keeps the heads that it has read."""

    def __init__(self, family):
        self.heads, self.bodies = [], []
        self.listening = result(within(SERVER, lambda: hosts.listener(
            family, ADDR[family][3], 8000)))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                conn, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        conn.settimeout(WAIT)
        with conn:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += hosts.read_exactly(conn, 1)
            self.heads.append(head.decode())
            for line in head.decode().split("\r\n"):
                if line.lower().startswith("content-length:"):
                    self.bodies.append(hosts.read_exactly(conn, int(line[15:])))
            conn.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)
                         + BODY)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


def curl(*args):
    """(exit status, what it has got)"""
    r = subprocess.run(["ip", "netns", "exec", CLIENT, "curl", "-sS", "-m", str(WAIT),
                        *args], capture_output=True)
    return r.returncode, r.stdout


def started(*cmd):
    """An example that listens."""
    p = hosts.Proxy(*cmd)

    def listens():
        if p.p.poll() is not None:
            raise EOFError("it has ended")
        return subprocess.run(["ip", "netns", "exec", hosts.PROXY, "ss", "-Htln",
                               "sport", "= :" + cmd[1]], capture_output=True).stdout
    hosts.until("it does not listen", listens)
    return p


def url(family, path="/"):
    a = ADDR[family][3]
    return "http://%s:8000%s" % (f"[{a}]" if family == 6 else a, path)


def proxy_of(family, scheme):
    a = ADDR[family][1]
    return "%s://%s:1080" % (scheme, f"[{a}]" if family == 6 else a)


for family in (4, 6):
    @test(f"SOCKS, IPv{family}: a megabyte, and the server's sockets are gone")
    def socks(family=family):
        p = started(SOCKS, "1080")
        with Server(family):
            for _ in range(3):
                rc, got = curl("-x", proxy_of(family, "socks5"), url(family))
                assert rc == 0 and got == BODY, (rc, len(got))
                p.wait_for("spliced")
            hosts.no_sockets_left()


@test("SOCKS: a refusal, an address without a way, a name, another command")
def socks_refuses():
    started(SOCKS, "1080")
    # Nobody listens there.
    rc, _ = curl("-x", proxy_of(4, "socks5"), url(4))
    assert rc == 97, rc
    rc, _ = curl("-x", proxy_of(4, "socks5"), "http://192.0.2.1/")
    assert rc == 97, rc
    rc, _ = curl("-x", proxy_of(4, "socks5h"), "http://name.example/")
    assert rc == 97, rc

    def bare(words):
        with socket.create_connection((ADDR[4][1], 1080), timeout=WAIT) as s:
            s.sendall(words)
            got = b""
            try:
                s.shutdown(socket.SHUT_WR)
                while True:
                    b = s.recv(100)
                    if not b:
                        return got
                    got += b
            except OSError:  # what it has not read makes a RST
                return got
    rows = ((b"\5\1\0\5\2\0\1\1\2\3\4\0\x50", b"\5\0\5\7"), (b"\5\1\2", b"\5\xff"),
            (b"\4\1\0\x50\1\2\3\4\0", b""), (b"\5", b""))
    for words, want in rows:
        got = result(within(CLIENT, lambda: bare(words)))
        assert got[:4] == want, (words, got)


@test("HTTP: the request as HTTP/1.0, without what is between the client and us")
def http():
    p = started(HTTP, "1080")
    with Server(4) as s:
        rc, got = curl("-x", proxy_of(4, "http"), "-H", "Keep-Alive: 5", "-H", "X-Y: z",
                       url(4, "/a/b?c=d"))
        assert rc == 0 and got == BODY, (rc, len(got))
        p.wait_for("spliced")
        lines = s.heads[0].split("\r\n")
        assert lines[0] == "GET /a/b?c=d HTTP/1.0", lines
        assert "X-Y: z" in lines and f"Host: {ADDR[4][3]}:8000" in lines, lines
        assert not [l for l in lines if "onnection" in l or "Keep" in l], lines
        hosts.no_sockets_left()


@test("HTTP: the body of a request goes through the splice")
def http_body():
    started(HTTP, "1080")
    with Server(4) as s, tempfile.NamedTemporaryFile() as f:
        f.write(BODY)
        f.flush()
        rc, got = curl("-x", proxy_of(4, "http"), "-H", "Expect:", "--data-binary",
                       "@" + f.name, url(4))
        assert rc == 0 and got == BODY, (rc, len(got))
        assert s.bodies == [BODY], [len(b) for b in s.bodies]


@test("HTTP: from the cache, and what is none")
def http_cache():
    with tempfile.TemporaryDirectory() as cache:
        os.mkdir(os.path.join(cache, ADDR[4][3]))
        with open(os.path.join(cache, ADDR[4][3], "it"), "wb") as f:
            f.write(BODY)
        os.mkdir(os.path.join(cache, ADDR[4][3], "folder"))
        p = started(HTTP, "1080", cache)
        rc, got = curl("-x", proxy_of(4, "http"), f"http://{ADDR[4][3]}/it")
        assert rc == 0 and hashlib.sha256(got).digest() == \
            hashlib.sha256(BODY).digest(), (rc, len(got))
        for path, want in (("http://nobody.invalid/", b"502"),
                           (f"http://{ADDR[4][3]}:8000/x/../../it", b"502")):
            rc, got = curl("--path-as-is", "-o", "/dev/null", "-w", "%{http_code}",
                           "-x", proxy_of(4, "http"), path)
            assert rc == 0 and got == want, (path, rc, got)

        def bare():
            with socket.create_connection((ADDR[4][1], 1080), timeout=WAIT) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return hosts.read_exactly(s, 12)
        assert result(within(CLIENT, bare)) == b"HTTP/1.0 400"
        assert p.p.poll() is None


if __name__ == "__main__":
    if shutil.which("curl") is None:
        print("1..0 # SKIP no curl" if os.environ.get("NO_LAB") == "1" else
              "not ok 1 - no lab: no curl (NO_LAB=1: do without)\n1..1")
        sys.exit(os.environ.get("NO_LAB") != "1")
    sys.exit(hosts.run(TESTS, [SOCKS, HTTP]))
