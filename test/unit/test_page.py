#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The page of a run's folder, asked over HTTP: who gets what, and who gets nothing. The
plain program, in its sandbox. Prints TAP.
"""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
US = os.environ.get("UNDERSTUDY", str(TOP / "build-asan" / "understudy"))
STORED = str(pathlib.Path(US).parent / "stored")
WAIT = 60  # seconds in which each must have ended
OPEN = ("/", "/page.css", "/page.js", "/icon.svg", "/healthz")
DATA = ("/metrics", "/api/run", "/api/kinds", "/api/kind?id=1", "/api/difference?id=1",
        "/api/packets?id=1")
number = failed = 0


def result(good, name, *notes):
    global number, failed
    number += 1
    failed += not good
    print("%s %d - %s" % ("ok" if good else "not ok", number, name))
    for n in notes if not good else ():
        print("#   " + str(n)[:400].replace("\n", "\n#   "))
    sys.stdout.flush()


class Page:
    """understudy page of a folder."""

    def __init__(self, folder, *more):
        self.proc = subprocess.Popen((US, "page", folder) + more, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        url = self.proc.stdout.readline()
        m = re.fullmatch(r"http://(127\.0\.0\.1):(\d+)/#([0-9a-f]{32})\n", url)
        if not m:
            raise RuntimeError("no address: %r %s" % (url, self.proc.communicate()[1]))
        self.port, self.token = int(m[2]), m[3]
        self.host = "127.0.0.1:%d" % self.port

    def ask(self, path, method="GET", host=None, token=None, body=None, **fields):
        """Status, fields and content. @token: "" for none."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        try:
            c.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            c.putheader("Host", self.host if host is None else host)
            if token != "":
                c.putheader("Authorization", "Bearer " + (token or self.token))
            for name, value in fields.items():
                c.putheader(name.replace("_", "-"), value)
            c.endheaders(body)
            r = c.getresponse()
            return r.status, dict(r.getheaders()), r.read()
        finally:
            c.close()

    def raw(self, data):
        """What comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), WAIT) as s:
            s.sendall(data)
            out = b""
            try:
                while piece := s.recv(65536):
                    out += piece
            except ConnectionResetError:
                pass
            return out

    def end(self):
        self.proc.send_signal(signal.SIGTERM)
        return self.proc.wait(WAIT), self.proc.stderr.read()


def gets_what_is_there(p):
    bad = [(path, a[0]) for path in OPEN for a in [p.ask(path, token="")] if a[0] != 200]
    bad += [(path, a[0], a[2]) for path in DATA for a in [p.ask(path)] if a[0] != 200]
    result(not bad, "each path", bad)
    run = json.loads(p.ask("/api/run")[2])
    result(run["ended"] and run["verdicts"]["different"] == 600 and run["kinds"] > 5 and
           len(run["gates"]) == 3 and len(run["ticks"]) == 120 and len(run["warnings"]) ==
           1 and len(run["ticks"][0]) == len(run["tick_names"]), "the run", run)
    kinds = json.loads(p.ask("/api/kinds?from=1&n=2")[2])
    result(len(kinds["kinds"]) == 2 and kinds["from"] == 1 and kinds["all"] ==
           run["kinds"], "a part of the kinds", kinds)
    found = json.loads(p.ask("/api/kinds?find=%2Fprice")[2])
    result(0 < found["all"] < run["kinds"] and
           all("/price" in k["name"] for k in found["kinds"]), "those that are found", found)
    one = json.loads(p.ask("/api/difference?id=1")[2])
    result([s["side"] for s in one["samples"]] == ["request", "production", "sut"] and
           one["difference"]["status"] == [200, 200] and "curl" in
           one["difference"]["curl_sut"], "a difference", one)
    result(p.ask("/api/packets?id=1")[2] == b"packets", "packets")
    text = p.ask("/metrics")[2].decode()
    values = dict(re.findall(r"^(\w+) (\d+)$", text, re.M))
    kinds = set(re.findall(r"^# TYPE (\w+) (?:counter|gauge)$", text, re.M))
    result(set(values) == kinds and values["understudy_run_all_seen_total"] ==
           str(run["ticks"][-1][1]), "metrics", text)


def forbids(p):
    fields = p.ask("/", token="")[1]
    policy = fields.get("Content-Security-Policy", "")
    result(policy.startswith("default-src 'none';") and "unsafe" not in policy and
           "frame-ancestors 'none'" in policy and
           "require-trusted-types-for 'script'" in policy and
           fields.get("X-Content-Type-Options") == "nosniff" and
           fields.get("Cache-Control") == "no-store" and "Set-Cookie" not in fields,
           "what a browser is told", fields)
    p_text = p.ask("/")[2].decode() + p.ask("/page.js")[2].decode()
    result(not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|"
                         r"https?://(?!www\.w3\.org/2000/svg)", p_text),
           "nothing in it makes markup of text, or names another host")


def refuses(p):
    me = p.host
    rows = [
        (401, "no token", dict(token="")), (401, "another", dict(token="0" * 32)),
        (401, "a longer one", dict(token=p.token + "0")),
        (403, "another host", dict(host="evil.example:%d" % p.port)),
        (403, "another port", dict(host="127.0.0.1:1")), (403, "none", dict(host="")),
        (200, "by localhost", dict(host="localhost:%d" % p.port)),
        (403, "another origin", dict(Origin="http://evil.example")),
        (403, "no origin's", dict(Origin="null")),
        (403, "another scheme", dict(Origin="https://" + me)),
        (200, "its own", dict(Origin="http://" + me)),
        (403, "from another site", dict(Sec_Fetch_Site="cross-site")),
        (403, "from the same site", dict(Sec_Fetch_Site="same-site")),
        (200, "from its own", dict(Sec_Fetch_Site="same-origin")),
    ]
    bad = [(want, got, name) for want, name, how in rows
           for got in [p.ask("/api/run", **how)[0]] if got != want]
    bad += [(path, a[0]) for path in DATA for a in [p.ask(path, token="")] if a[0] != 401]
    bad += [(path, "host") for path in OPEN
            for a in [p.ask(path, token="", host="evil.example")] if a[0] != 403]
    result(not bad, "tokens, hosts, origins", bad)
    bad = [(m, a[0], a[1].get("Allow")) for m in ("POST", "PUT", "DELETE", "PATCH",
                                                  "OPTIONS", "PROPFIND")
           for a in [p.ask("/api/run", method=m)]
           if a[0] != 405 or a[1].get("Allow") != "GET, HEAD"]
    a = p.ask("/api/run", method="HEAD")
    result(not bad and a[0] == 200 and a[2] == b"", "methods", bad, a)
    rows = ("/nothing", "/api", "/api/", "/page.css/", "//", "/%2e%2e/etc/passwd",
            "/api/../api/run", "/../run.sqlite", "/run.sqlite", "/d-000001.pcapng")
    bad = [(path, a[0]) for path in rows for a in [p.ask(path)] if a[0] != 404]
    rows = ("/?x=1", "/api/run?x", "/api/kind", "/api/kind?id=", "/api/kind?id=1&id=1",
            "/api/kind?id=-1", "/api/kind?id=1x", "/api/kind?id=9999999999999999999",
            "/api/kinds?n=1&from=99999999999", "/api/kinds?find=%", "/api/kinds?find=%zz",
            "/api/kinds?find=" + "a" * 129, "/api/packets?id=../1",
            "/api/run?" + "a" * 2000)
    bad += [(path, a[0]) for path in rows for a in [p.ask(path)] if a[0] != 400]
    rows = ("/api/kind?id=4000", "/api/difference?id=999999999999999",
            "/api/packets?id=2")
    bad += [(path, a[0]) for path in rows for a in [p.ask(path)] if a[0] != 404]
    result(not bad, "paths and arguments", bad)
    a = p.ask("/api/run", method="POST", body=b"x" * 10, Content_Length="10")
    result(a[0] == 400, "content", a)


def survives(p):
    head = "Host: %s\r\nAuthorization: Bearer %s\r\nConnection: close\r\n" % (p.host,
                                                                             p.token)
    rows = [b"GET\r\n\r\n", b"GET /api/run HTTP/1.1\r\n\r\n",
            ("GET /api/run HTTP/1.1\r\n%s%s\r\n" % (head, head)).encode(),
            ("GET /api/run HTTP/1.1\r\nHost: evil.example\r\n%s\r\n" % head).encode(),
            b"GET /api/run HTTP/1.1\r\nHost" + b"x" * 100000,
            ("GET http://evil.example/api/run HTTP/1.1\r\n%s\r\n" % head).encode()]
    bad = [(r[:60], a[:60]) for r in rows for a in [p.raw(r)]
           if a.startswith(b"HTTP/1.1 200") or b"verdicts" in a]
    result(not bad, "what is malformed gets nothing", bad)
    held = [socket.create_connection(("127.0.0.1", p.port)) for _ in range(40)]
    for s in held:
        s.sendall(b"\0\1" if s is held[0] else b"GET / HT")
    result(p.ask("/healthz", token="")[0] == 200, "clients that say half a line")
    for s in held:
        s.close()
    one = "GET /healthz HTTP/1.1\r\nHost: %s\r\n" % p.host
    a = p.raw((one + "\r\n" + one + "\r\n" + one +
               "Connection: close\r\n\r\n").encode())
    result(a.count(b"\r\n\r\nok\n") == 3, "three requests of one connection", a)


def goes_on(folder):
    """A run that goes on: its last second is there, and nobody waits."""
    writer = subprocess.Popen((STORED, folder, "goes-on"), text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    writer.stdout.readline()
    p = Page(folder)
    try:
        run = json.loads(p.ask("/api/run")[2])
        result(run["ended"] is False and len(run["ticks"]) == 120 and run["kinds"] > 5,
               "of a run that goes on", run)
        writer.stdin.close()
        good = writer.wait(WAIT) == 0
        result(good and json.loads(p.ask("/api/run")[2])["kinds"] == run["kinds"],
               "and of one that was ended there")
    finally:
        p.end()


def says_no(folder, top):
    rows = [(("page",), "A folder of --out is missing"),
            (("page", folder, folder), "there is a folder already"),
            (("page", os.path.join(top, "none")), "give the folder that a run made"),
            (("page", top), "no run.sqlite that can be read"),
            (("page", folder, "--listen", "0.0.0.0:80"), "only this host's loopback"),
            (("page", folder, "--listen", "192.0.2.1:80"), "only this host's loopback"),
            (("page", folder, "--listen", "127.0.0.1"), "write ADDR:PORT")]
    p = Page(folder)
    rows.append((("page", folder, "--listen", p.host), "give another port"))
    bad = []
    for words, want in rows:
        r = subprocess.run((US,) + words, capture_output=True, text=True, timeout=WAIT)
        if r.returncode != 2 or want not in r.stderr or r.stderr.count("\n") != 1 or \
                r.stdout:
            bad.append((words, r))
    p.end()
    result(not bad, "one line with the remedy", *bad)
    later = os.path.join(top, "later")
    subprocess.run((STORED, later), check=True)
    db = sqlite3.connect(later + "/run.sqlite")
    db.execute("PRAGMA user_version=99")
    db.close()
    r = subprocess.run((US, "page", later), capture_output=True, text=True, timeout=WAIT)
    result(r.returncode == 2 and "a later version wrote it" in r.stderr, "a later store", r)


def main():
    with tempfile.TemporaryDirectory() as top:
        folder = os.path.join(top, "out")
        subprocess.run((STORED, folder), check=True)
        was = {n: os.stat(os.path.join(folder, n)).st_mtime_ns for n in os.listdir(folder)}
        p = Page(folder, "--listen", "127.0.0.1:0")
        gets_what_is_there(p)
        forbids(p)
        refuses(p)
        survives(p)
        code, said = p.end()
        result((code, said) == (0, ""), "it ends", code, said)
        result({n: os.stat(os.path.join(folder, n)).st_mtime_ns
                for n in os.listdir(folder)} == was, "nothing was changed")
        goes_on(os.path.join(top, "on"))
        says_no(folder, top)
    print("1..%d" % number)
    return failed > 0


sys.exit(main())
