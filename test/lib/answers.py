# SPDX-License-Identifier: BSD-2-Clause
"""Answers that are planted: a server of one side, and a client that asks for all.

usage: answers.py serve ADDRESS prod|sut LOG
       answers.py ask ADDRESS [REPEAT] [NAME...]

PLANTS names each pair of answers and what must come of it: "equal", "equivalent"
with what made it so, or "different" with words of its place.
"""
import ctypes
import gzip
import hashlib
import json
import socket
import sys
import threading

OK = "HTTP/1.1 200 OK\r\n"
DATE = "Date: Sun, 06 Nov 1994 08:%02d:%02d GMT\r\n"
TEXT = "Content-Type: text/plain\r\n"
JSON = "Content-Type: application/json\r\n"
HTML = "Content-Type: text/html\r\n"
PNG = "Content-Type: image/png\r\n"
GZIP = "Content-Encoding: gzip\r\n"
BR = "Content-Encoding: br\r\n"
LINES = "".join("line %d of a text\n" % i for i in range(200)).encode()
DIGESTS = "".join(hashlib.sha256(b"%d" % i).hexdigest() + "\n"
                  for i in range(5000)).encode()  # its window is 1 MB
ITEMS = {"m%d" % i: [i, {"name": "item %d" % i}] for i in range(100)}
TOKEN = "0123456789abcdef0123456789abcdef"


def zipped(b, level=6):
    return gzip.compress(b, level, mtime=0)


def brotli(b, level):
    """By the encoder that the unit tests use, too."""
    lib = ctypes.CDLL("libbrotlienc.so.1")
    out = ctypes.create_string_buffer(len(b) + 1024)
    n = ctypes.c_size_t(len(out))
    assert lib.BrotliEncoderCompress(level, 22, 0, ctypes.c_size_t(len(b)), b,
                                     ctypes.byref(n), out) == 1
    return out.raw[:n.value]


def text(value):
    return json.dumps(value).encode()


def changed(b, at):
    return b[:at] + bytes((b[at] ^ 1,)) + b[at + 1:]


def swapped():
    other = dict(ITEMS)
    other["m3"], other["m4"] = ITEMS["m4"], ITEMS["m3"]
    return other


BACK = dict(reversed(ITEMS.items()))
BIG = b"\x89PNG\r\n\x1a\n" + LINES * 300  # 1 MB: more than is kept
RULES = """understudy rules 1
include @http
endpoint GET /ignored as ignored
endpoint GET /only as only
endpoint GET /nothing as nothing
on ignored
json ignore $.at
on only
compare status
on nothing
compare nothing
"""

# Of what is planted, and of a query: what must not be shown.
SECRETS = ("secRet", "4111 1111", "5500 0000")

# name: (head of production, content), (head of the SUT, content), what comes of it
PLANTS = {
    "same": ((TEXT, LINES), (TEXT, LINES), "identical"),
    "byte": ((PNG, b"\x89PNG" + LINES), (PNG, changed(b"\x89PNG" + LINES, 2000)),
             "different bytes byte 2000"),
    "byte-of-a-megabyte": ((PNG, BIG), (PNG, changed(BIG, 900000)), "different"),
    "text-too-long": ((TEXT, BIG), (TEXT, changed(BIG, 900000)), "too_long"),
    "members-reordered": ((JSON, text(ITEMS)), (JSON, text(BACK)),
                          "equivalent json"),
    "members-swapped": ((JSON, text(ITEMS)), (JSON, text(swapped())),
                        "different json $.m3"),
    "ignored": ((JSON, b'{"at":1,"b":2}'), (JSON, b'{"b":2,"at":2}'),
                "equivalent place"),
    "gzip-or-not": ((TEXT + GZIP, zipped(LINES)), (TEXT, LINES),
                    "equivalent coding"),
    "gzip-of-two-levels": ((TEXT + GZIP, zipped(LINES, 1)),
                           (TEXT + GZIP, zipped(LINES, 9)), "equivalent coding"),
    "br-of-two-levels": ((TEXT + BR, brotli(DIGESTS, 1)),
                         (TEXT + BR, brotli(DIGESTS, 5)), "equivalent coding"),
    "gzip-of-another": ((TEXT + GZIP, zipped(LINES)), (TEXT, changed(LINES, 999)),
                        "different text line"),
    "gzip-broken": ((TEXT + GZIP, zipped(LINES)), (TEXT + GZIP, zipped(LINES)[:-9]),
                    "different coding"),
    "gzip-broken-here": ((TEXT + GZIP, zipped(LINES)[:-9]), (TEXT, LINES),
                         "coding"),
    "gzip-bomb": ((TEXT + GZIP, zipped(bytes(12 << 20))), (TEXT, LINES), "bomb"),
    "attributes": ((HTML, b"<a b=1 c=2>x</a>"), (HTML, b"<a c='2' b='1'>x</a>"),
                   "equivalent markup"),
    "csrf": ((HTML, b"<input type=hidden name=csrf value=%s>" % TOKEN.encode()),
             (HTML, b"<input type=hidden name=csrf value=%s>" %
              TOKEN[::-1].encode()), "equivalent token"),
    "an-error-in-a-page": ((HTML, b"<p>3 items</p>"), (HTML, b"<p>error</p>"),
                           "different html p"),
    "clock-61-seconds-off": ((DATE % (10, 0) + TEXT, b"x"),
                             (DATE % (11, 1) + TEXT, b"x"),
                             "different headers date"),
    "clock-a-second-off": ((DATE % (10, 0) + TEXT, b"x"),
                           (DATE % (10, 1) + TEXT, b"x"), "equivalent date"),
    "request-id": ((TEXT + "X-Request-Id: a\r\n", b"x"),
                   (TEXT + "X-Request-Id: b\r\n", b"x"), "equivalent ignore"),
    "vary": ((TEXT + "Vary: A, B\r\n", b"x"), (TEXT + "Vary: B\r\nVary: a\r\n",
                                              b"x"), "equivalent set"),
    "etag": ((TEXT + 'ETag: "a"\r\n', b"x"), (TEXT + 'ETag: "b"\r\n', b"x"),
             "different headers etag"),
    "cookie": ((TEXT + "Set-Cookie: s=1; Path=/; HttpOnly\r\n", b"x"),
               (TEXT + "Set-Cookie: s=1; Path=/\r\n", b"x"),
               "different headers set-cookie"),
    "HEAD-header": ((TEXT + "X: 1\r\n", b""), (TEXT + "X: 2\r\n", b""),
                    "different headers x"),
    "only": ((JSON, b"[1]"), (JSON, b"[2]"), "equivalent status"),
    "nothing": ((JSON, b"[1]"), (JSON, b"[2]"), "by_rule"),
    "json-cut": ((JSON, text(ITEMS)), (JSON, text(ITEMS)[:-1]),
                 "different json"),
    # what no report shows
    "secret-field": ((TEXT + "X-Auth-Token: fIeld-1-secRet\r\n", b"x"),
                     (TEXT + "X-Auth-Token: fIeld-2-secRet\r\n", b"x"),
                     "different headers x-auth-token"),
    "secret-cookie": ((TEXT + "Set-Cookie: sid=cOokie-1-secRet; Path=/\r\n", b"x"),
                      (TEXT + "Set-Cookie: sid=cOokie-2-secRet; Path=/\r\n", b"x"),
                      "different headers set-cookie"),
    "secret-json": ((JSON, text({"a": {"password": "jSon-1-secRet"}})),
                    (JSON, text({"a": {"password": "jSon-2-secRet"}})),
                    "different json $.a.password"),
    "secret-line": ((TEXT, b"a\nlogin password=lIne-1-secRet\n"),
                    (TEXT, b"a\nlogin password=lIne-2-secRet\n"),
                    "different text line 2"),
    "secret-byte": ((PNG, b"\x89PNG\0\0 card 4111 1111 1111 1111 x"),
                    (PNG, b"\x89PNG\0\0 card 5500 0000 0000 0004 x"),
                    "different bytes byte 12"),
    # for a desk that is behind: long, and equivalent
    "long": ((JSON, text([LINES.decode()] * 50 + [{"a": 1, "b": 2}])),
             (JSON, text([LINES.decode()] * 50 + [{"b": 2, "a": 1}])),
             "equivalent json"),
}


def answer(name, side, head_only):
    head, body = PLANTS[name][side]
    h = OK + head + "Content-Length: %d\r\n\r\n" % len(body)
    return h.encode() + (b"" if head_only else body)


def serve_one(c, side, log):
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            more = c.recv(65536)
            if not more:
                c.close()
                return
            data += more
        head, data = data.split(b"\r\n\r\n", 1)
        method, target = head.decode().split()[:2]
        c.sendall(answer(target[1:].split("?")[0], side, method == "HEAD"))
        log.write("%s %s\n" % (method, target))
        log.flush()


def serve(addr, side, path):
    s = socket.create_server((addr, 80), backlog=64)
    with open(path, "a") as log:
        while True:
            c, _ = s.accept()
            threading.Thread(target=serve_one, daemon=True,
                             args=(c, side == "sut", log)).start()


def ask(addr, repeat, names):
    c = socket.create_connection((addr, 80), timeout=30)
    f = c.makefile("rb")
    for i in range(repeat):
        for name in names or PLANTS:
            method = name.split("-")[0] if name.startswith("HEAD") else "GET"
            c.sendall(("%s /%s?n=%d HTTP/1.1\r\nHost: h\r\n\r\n" %
                       (method, name, i)).encode())
            length = 0
            while (line := f.readline().strip()) != b"":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split()[1])
            if method == "GET" and len(f.read(length)) != length:
                sys.exit("cut: " + name)
    print("asked")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:5])
    else:
        ask(sys.argv[2], int((sys.argv + ["1"])[3]) if len(sys.argv) > 3 else 1,
            sys.argv[4:])
