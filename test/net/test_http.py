# SPDX-License-Identifier: BSD-2-Clause
"""Ways in which HTTP/1 asks and answers, spoken live to nginx, Apache, and HAProxy
in front of nginx; and TLS.

Each row is one connection. Played to the same server all of it is alike; to one
that answers with one more field, every answer of each row is different: so each is
read up to its end, and found.
"""
import email.utils
import gzip
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "some hundred requests"

# argv: host, port, and rows as JSON: lists of what is sent at once. The server closes.
CLIENT = """
import json, socket, sys, time
for parts in json.loads(sys.argv[3]):
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for p in parts:
        s.sendall(p.encode("latin-1"))
        time.sleep(0.01)
    got = b""
    while True:
        more = s.recv(65536)
        if not more:
            break
        got += more
    print(json.dumps(got.decode("latin-1")))
"""

TLS_CLIENT = """
import socket, ssl, sys
c = ssl.create_default_context()
c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
for _ in range(3):
    with c.wrap_socket(socket.create_connection((sys.argv[1], 443), 10)) as s:
        s.sendall(b"GET /b100 HTTP/1.1\\r\\nHost: lab\\r\\nConnection: close\\r\\n\\r\\n")
        while s.recv(65536):
            pass
print("done")
"""

SERVER = """
location = /empty { return 204; }
location = /moved { return 301 /b100; }
location = /sad { return 503 "sad"; }
location = /made { default_type text/html; return 200 "<p>made</p>"; }
location /packed/ { alias %s/; gzip on; gzip_min_length 1; gzip_types text/plain;
  gzip_http_version 1.0; }
"""


APACHE = """
ServerName lab
ServerLimit 1
MaxRequestWorkers 16
StartServers 1
ThreadsPerChild 16
User nobody
Group nogroup
Listen %(at)s:80
PidFile %(root)s/pid
DefaultRuntimeDir %(root)s
ErrorLog %(root)s/error
LogFormat "%%k" lab
CustomLog %(root)s/log lab
DocumentRoot %(root)s/www
TypesConfig /etc/mime.types
<Directory %(root)s/www>
  Require all granted
</Directory>
Alias /packed/ %(root)s/www/
<Location /packed/>
  ForceType text/plain
  SetOutputFilter DEFLATE
</Location>
Alias /made %(root)s/www/made.html
Redirect 301 /moved http://lab/b100
RewriteEngine On
RewriteRule ^/empty$ - [R=204,L]
RewriteRule ^/sad$ - [R=503,L]
"""

HAPROXY = """
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind %(at)s:81
  default_backend b
  %(more)s
backend b
  server s %(at)s:80
"""


def nginx(l, room, more):
    """With a field more: a directive of its own."""
    return l.nginx(room, SERVER % l.path("nginx-%s/www" % room) +
                   (more and "add_header X-More 1 always;"))


def apache(l, room, more):
    root = l.path("apache-" + room)
    os.makedirs(root + "/www")
    for name, data in (("b100", lab.BODY[:100]), ("b10k", lab.BODY[:10240]),
                       ("made.html", b"<p>made</p>")):
        with open(os.path.join(root, "www", name), "wb") as f:
            f.write(data)
        os.utime(os.path.join(root, "www", name), (lab.MTIME, lab.MTIME))
    modules = "mpm_event authz_core alias dir mime deflate filter headers rewrite"
    with open(root + "/conf", "w") as f:
        f.write("".join("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n"
                        % (m, m) for m in modules.split()))
        f.write(APACHE % {"root": root, "at": l.addr[room]} +
                (more and "Header always set X-More 1\n"))
    for path in (l.dir, root, root + "/www"):
        os.chmod(path, 0o755)
    p = l.spawn(room, ["apache2", "-d", root, "-f", root + "/conf", "-DFOREGROUND"],
                err=root + "/stderr")
    p.log, p.reopen = root + "/log", False
    l.listening(room, p)
    return p


def haproxy(l, room, more):
    """In front of nginx, whose log is looked at."""
    server = nginx(l, room, "")
    root = l.path("haproxy-" + room)
    os.makedirs(root)
    with open(root + "/conf", "w") as f:
        f.write(HAPROXY % {"at": l.addr[room], "more": more and
                           "http-after-response set-header X-More 1"})
    p = l.spawn(room, ["haproxy", "-f", root + "/conf", "-db"], err=root + "/stderr")
    l.listening(room, p, 81)
    return server


def ask(target, *fields, method="GET", body="", version="1.1", last=True):
    lines = ["%s %s HTTP/%s" % (method, target, version), "Host: lab", *fields]
    if last and version == "1.1":
        lines.append("Connection: close")
    return "\r\n".join(lines) + "\r\n\r\n" + body


PACKED = "Accept-Encoding: gzip"
SINCE = "If-Modified-Since: " + email.utils.formatdate(lab.MTIME, usegmt=True)
CHUNKS = "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n"

# Name: what is sent, how many requests that is, what the last answer must hold.
ROWS = {
    "GET": ([ask("/b100")], 1, " 200 "),
    "HEAD": ([ask("/b10k", method="HEAD")], 1, "Content-Length: 10240\r\n"),
    "HTTP/1.0": ([ask("/b100", version="1.0")], 1, " 200 "),
    "304": ([ask("/b100", SINCE)], 1, " 304 "),
    "a range": ([ask("/b10k", "Range: bytes=100-199")], 1, " 206 "),
    "a range that is not there": ([ask("/b100", "Range: bytes=500-")], 1, " 416 "),
    "404": ([ask("/nothing")], 1, " 404 "),
    "204": ([ask("/empty")], 1, " 204 "),
    "a redirect": ([ask("/moved")], 1, " 301 "),
    "503": ([ask("/sad")], 1, " 503 "),
    "another type": ([ask("/made")], 1, "<p>made</p>"),
    "chunks": ([ask("/packed/b10k", PACKED)], 1, "Transfer-Encoding: chunked\r\n"),
    "until it closes": ([ask("/packed/b10k", PACKED, version="1.0")], 1,
                        "Content-Encoding: gzip\r\n"),
    "POST": ([ask("/b100", "Content-Length: 5", method="POST", body="hello")], 1,
             " 405 "),
    "POST in chunks, with a trailer": (
        [ask("/b100", "Transfer-Encoding: chunked", method="POST", body=CHUNKS)], 1,
        " 405 "),
    "DELETE": ([ask("/b100", method="DELETE")], 1, " 405 "),
    "pipelined": ([ask("/b100", last=False) + ask("/b10k", last=False) +
                   ask("/nothing", last=False) + ask("/empty")], 4, " 204 "),
    "HEAD, and GET behind it": (
        [ask("/b10k", method="HEAD", last=False) + ask("/b100")], 2, " 200 "),
    "byte by byte": (list(ask("/b100")), 1, " 200 "),
    "100 fields": ([ask("/b100", *["X-%d: %d" % (i, i) for i in range(98)])], 1,
                   " 200 "),
    "a long target": ([ask("/b100?" + "x" * 4000)], 1, " 200 "),
}

# Of what another server says otherwise.
OTHERWISE = {
    apache: {"POST": " 200 ", "POST in chunks, with a trailer": " 200 ",
             "chunks": "Content-Encoding: gzip\r\n"},  # it knows their length
}
# Apache lists methods in Allow in any order.
RULES = {apache: ("--rules", "@apache")}


def spoken(t, l, start, port):
    """All rows; what production said is what it should have."""
    code, out = l.run("client", [sys.executable, "-c", CLIENT, l.addr["prod"],
                                 str(port),
                                 json.dumps([r[0] for r in ROWS.values()])])
    answers = [json.loads(x) for x in out.splitlines()] if code == 0 else []
    t.equal(len(answers), len(ROWS), "answers: " + out[-300:])
    for (name, row), answer in zip(ROWS.items(), answers):
        want = OTHERWISE.get(start, {}).get(name, row[2])
        t.check(want.lower() in answer.lower(), "%s: %s" % (name, answer[:300]))
        if name == "until it closes":
            t.equal(len(gzip.decompress(answer.split("\r\n\r\n", 1)[1].encode(
                "latin-1"))), 10240, name)
    return sum(r[1] for r in ROWS.values())


def rows(t, start, more, verdict, port=80, *tools):
    for tool in tools:
        lab.need(tool)
    with lab.Lab() as l:
        servers = [start(l, "prod", ""), start(l, "sut", more)]
        us = l.understudy(*RULES.get(start, ()), port=port,
                          filt="tcp port %d" % port)
        asked = spoken(t, l, start, port)
        l.settle(*servers)
        us.finish()
        r = us.report()
        got = dict(r["verdicts"])
        got["alike"] = got.pop("identical") + got.pop("equivalent")
        want = {"alike": 0, "different": 0, "not_compared": 0, verdict: asked}
        t.equal(got, want, "verdicts; not compared %s" % {
            k: n for k, n in r["not_compared"].items() if n})
        t.equal(r["requests"]["answered"], asked, "answered")
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


def tls(t):
    """A real handshake, to a server with keys of its own: it is told what to do."""
    lab.need("openssl")
    with lab.Lab() as l:
        servers = []
        for room in "prod", "sut":
            key, cert = l.path(room + ".key"), l.path(room + ".crt")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048",
                            "-nodes", "-subj", "/CN=lab", "-keyout", key, "-out",
                            cert], check=True, capture_output=True)
            servers.append(l.nginx(room, "listen %s:443 ssl; ssl_certificate %s; "
                                   "ssl_certificate_key %s;" % (
                                       l.addr[room], cert, key)))
        us = l.understudy(port=443, filt="tcp port 443")
        code, out = l.run("client", [sys.executable, "-c", TLS_CLIENT,
                                     l.addr["prod"]])
        t.check(code == 0 and "done" in out, "client: " + out[-300:])
        l.settle(*servers)
        t.equal(us.finish(), 2, "exit code: nothing was compared")
        r = us.report()
        t.equal(r["flows"]["ended"].get("tls"), 3, "ended %s" % r["flows"]["ended"])
        t.equal(r["verdicts"]["different"], 0, "different")
        t.check(re.search("TLS.*mirror the wire behind", us.text()), us.text()[-600:])
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


WAYS = "%d ways to ask" % len(ROWS)
lab.main([
    (WAYS + ", nginx that is the same", rows, nginx, "", "alike"),
    ("nginx with one more field", rows, nginx, "more", "different"),
    (WAYS + ", Apache that is the same", rows, apache, "", "alike", 80, "apache2"),
    ("Apache with one more field", rows, apache, "more", "different", 80,
     "apache2"),
    (WAYS + ", HAProxy that is the same", rows, haproxy, "", "alike", 81, "haproxy"),
    ("HAProxy with one more field", rows, haproxy, "more", "different", 81,
     "haproxy"),
    ("TLS", tls),
])
