# SPDX-License-Identifier: BSD-2-Clause
"""Servers of static files, and a browser that has seen them before.

  alike.py ask HOST COUNT SEED

Asks for COUNT things, a GET or a HEAD each, in an order that SEED makes: whole and
in parts, compressed, on the condition of what it was told before, and what is not
there. Prints how many answers of each status came.

apache(), haproxy(), nginx(): start one in a room of a lab, on files of the time `when`.
"""
import collections
import os
import random
import socket
import sys

FILES = {  # name: bytes
    "page.html": b"<html><body>%s</body></html>" % (b"<p>words and words</p>" * 90),
    "b.txt": b"0123456789abcdef" * 700,
    "small.css": b"p { color: #123456 }\n",
    "pixel.png": bytes(range(256)) * 8,
}


def tree(root, when):
    """The files, of a time; what a server needs besides."""
    os.makedirs(os.path.join(root, "www", "folder"), exist_ok=True)
    for name, data in FILES.items():
        path = os.path.join(root, "www", name)
        with open(path, "wb") as f:
            f.write(data)
        os.utime(path, (when, when))


def apache(l, room, when, at=None, port=80):
    """Apache in a room. at, port: where it listens."""
    root = l.path("apache-" + room)
    tree(root, when)
    modules = "mpm_event authz_core dir mime deflate filter headers".split()
    with open(os.path.join(root, "conf"), "w") as f:
        f.write("".join("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n"
                        % (m, m) for m in modules))
        f.write("""
ServerName h
ServerLimit 1
MaxRequestWorkers 64
Listen %(at)s:%(port)d
PidFile %(root)s/pid
DefaultRuntimeDir %(root)s
ErrorLog %(root)s/error
User nobody
Group nogroup
StartServers 1
ThreadsPerChild 64
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 600
DocumentRoot %(root)s/www
TypesConfig /etc/mime.types
<Directory %(root)s/www>
  Require all granted
</Directory>
AddOutputFilterByType DEFLATE text/html text/css
LogFormat "%%k x %%{id}e %%>s %%B" lab
""" % {"root": root, "at": at or l.addr[room], "port": port})
    for path in (l.dir, root, root + "/www"):
        os.chmod(path, 0o755)
    p = l.spawn(room, ["apache2", "-d", root, "-f", root + "/conf", "-DFOREGROUND"],
                err=root + "/stderr")
    l.listening(room, p, port=port)
    return p


def nginx(l, room, when):
    """nginx in a room, which makes entity tags of a file's time and size."""
    root = l.path("nginx-" + room)
    tree(root, when)
    temps = "".join("%s_temp_path %s/%s;" % (t, root, t) for t in (
        "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(os.path.join(root, "conf"), "w") as f:
        f.write("""
daemon off; master_process off; worker_processes 1; pid %(root)s/pid;
error_log %(root)s/error;
events { worker_connections 4096; }
http {
  include /etc/nginx/mime.types;
  %(temps)s
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
  gzip on; gzip_types text/css; gzip_min_length 10; gzip_vary on;
  server { listen %(at)s:80 backlog=4096; root %(root)s/www; }
}
""" % {"root": root, "temps": temps, "at": l.addr[room]})
    p = l.spawn(room, ["nginx", "-p", root, "-c", root + "/conf", "-e",
                       root + "/error"], err=root + "/stderr")
    l.listening(room, p)
    return p


def haproxy(l, room, when):
    """HAProxy in a room, in front of an Apache on its loopback."""
    apache(l, room, when, at="127.0.0.1", port=8080)
    root = l.path("haproxy-" + room)
    os.makedirs(root, exist_ok=True)
    with open(root + "/conf", "w") as f:
        f.write("""
global
  maxconn 1000
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 60s
  compression algo gzip
  compression type text/plain
  unique-id-format %%{+X}o\\ %%ci:%%cp_%%fi:%%fp_%%Ts_%%rt:%%pid
  unique-id-header X-Unique-ID
frontend f
  bind %s:80
  http-response set-header X-Unique-ID %%[unique-id]
  default_backend b
backend b
  cookie SERVERID insert indirect nocache
  server %s 127.0.0.1:8080 cookie %s
""" % (l.addr[room], room, room))
    p = l.spawn(room, ["haproxy", "-f", root + "/conf", "-db"], err=root + "/stderr")
    l.listening(room, p)
    return p


class Browser:
    def __init__(self, host, seed):
        self.host, self.dice = host, random.Random(seed)
        self.known = {}  # path: (entity tag, Last-Modified)
        self.told = collections.Counter()
        self.left = 0  # requests that go on its connection

    def open(self):
        self.c = socket.create_connection((self.host, 80), 30)
        self.f = self.c.makefile("rb")
        self.left = 50

    def condition(self, path):
        """Fields of a request, as a browser, a cache or a downloader has them."""
        tag, modified = self.known.get(path, ("", ""))
        part = self.dice.choice(("bytes=0-9", "bytes=100-", "bytes=-17", "bytes=5-8,20-29",
                                 "bytes=0-0,-1", "bytes=999999-"))
        way = self.dice.randrange(7)
        if way == 0 and tag:
            return ["If-None-Match: " + tag]
        if way == 1 and modified:
            return ["If-Modified-Since: " + modified]
        if way == 2 and tag and not tag.startswith("W/"):
            return ["If-Range: " + tag, "Range: " + part]
        if way == 3:
            return ["Range: " + part]
        return []

    def ask(self):
        if self.left == 0:
            self.open()
        method = self.dice.choice(("GET", "GET", "GET", "HEAD"))
        path = "/" + self.dice.choice((*FILES, *FILES, "none", "folder"))
        more = self.condition(path)
        if self.dice.randrange(2) and not any(x.startswith("Range") for x in more):
            more.append("Accept-Encoding: gzip")
        self.c.sendall(("%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n" % (
            method, path, "".join(x + "\r\n" for x in more))).encode())
        status, head = self.head()
        if status in (200, 304) and b"content-encoding" not in head:
            self.known[path] = (head.get(b"etag", b"").decode(),
                                head.get(b"last-modified", b"").decode())
        if method == "GET" and status != 304:
            self.body(head)
        self.told[status] += 1
        self.left -= 1
        if head.get(b"connection", b"").lower() == b"close":
            self.left = 0

    def head(self):
        head = {}
        status = int(self.f.readline().split()[1])
        while (line := self.f.readline().strip()) != b"":
            name, value = line.split(b":", 1)
            head[name.lower()] = value.strip()
        return status, head

    def body(self, head):
        if b"chunked" not in head.get(b"transfer-encoding", b""):
            self.f.read(int(head[b"content-length"]))
            return
        while (n := int(self.f.readline(), 16)) > 0:
            self.f.read(n + 2)
        self.f.readline()


def ask(host, count, seed):
    b = Browser(host, seed)
    for _ in range(count):
        b.ask()
    print(" ".join("%d:%d" % x for x in sorted(b.told.items())))


if __name__ == "__main__":
    ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
