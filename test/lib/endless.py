# SPDX-License-Identifier: BSD-2-Clause
"""A server and a client of bodies that are longer than sequence numbers are.

  endless.py serve ADDRESS LAST     LAST: the last byte of /other, a letter
  endless.py ask HOST BYTES RATE    GET /same, GET /other and POST, on one connection,
                                    RATE bytes a second at most; prints "asked"

The length of a body is the query: /same?5000000000.
"""
import socket
import sys

BLOCK = bytes(97 + i % 23 for i in range(1 << 16))
SO_MAX_PACING_RATE = 47


def serve(address, last):
    listener = socket.create_server((address, 80))
    while True:
        c, _ = listener.accept()
        try:
            while one(c, c.makefile("rb"), last):
                pass
        except OSError:
            pass
        c.close()


def one(c, f, last):
    words = f.readline().split()
    if len(words) < 2:
        return False
    size, left, head = 0, 0, b""
    while (line := f.readline().strip()) != b"":
        name, value = line.split(b":", 1)
        if name.lower() == b"content-length":
            left = int(value)
        if name.lower() == b"rate":
            c.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, int(value))
    got = left
    while left > 0:
        left -= len(f.read(min(left, len(BLOCK))))
    if words[0] == b"GET":
        size = int(words[1].split(b"?")[1])
    text = b"%d" % got
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (size or len(text))
    c.sendall(head + (b"" if size else text))
    while size > 0:
        part = BLOCK[:min(size, len(BLOCK))]
        size -= len(part)
        if size == 0 and b"other" in words[1]:
            part = part[:-1] + last.encode()
        c.sendall(part)
    return True


def ask(host, size, rate):
    c = socket.create_connection((host, 80))
    c.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, rate)
    f = c.makefile("rb")
    for what in ("GET /same?%d" % size, "GET /other?%d" % size, "POST /up"):
        body = size if what.startswith("POST") else 0
        c.sendall(("%s HTTP/1.1\r\nHost: x\r\nRate: %d\r\nContent-Length: %d\r\n\r\n"
                   % (what, rate, body)).encode())
        while body > 0:
            c.sendall(BLOCK[:min(body, len(BLOCK))])
            body -= min(body, len(BLOCK))
        left = 0
        while (line := f.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                left = int(line.split(b":")[1])
        while left > 0:
            left -= len(f.read(min(left, len(BLOCK))))
    print("asked")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:4])
    else:
        ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
