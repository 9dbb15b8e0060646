# SPDX-License-Identifier: BSD-2-Clause
"""A server whose answers have values that no server gives twice, and a client.

usage: noisy.py serve ADDRESS LOG SHARE PLANT
       noisy.py ask ADDRESS COUNT CONNECTIONS

SHARE of 100 answers have noise: an identifier, a moment, a number, a field of the
head. PLANT is "none", or KIND:N: the answer to request N has another price, no
moment, or a number that is a text.
"""
import json
import random
import socket
import sys
import threading


def answer(n, share, plant):
    kind, at = (plant.split(":") + ["-1"])[:2]
    kind = kind if int(at) == n else "none"
    noisy = random.randrange(100) < share
    body = {"id": "%016x" % (random.getrandbits(64) if noisy else 17),
            "at": "2026-11-30T20:00:%02dZ" % (random.randrange(60) if noisy else 1),
            "took": random.randrange(900) if noisy else 5,
            "price": "11.00" if kind == "price" else "10.00",
            "items": [{"stock": random.randrange(9) if noisy else 3}
                      for _ in range(9)]}
    if kind == "missing":
        del body["at"]
    if kind == "type":
        body["took"] = str(body["took"])
    return ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: "
            "%08x\r\nContent-Length: %%d\r\n\r\n" % random.getrandbits(32),
            json.dumps(body).encode())


def serve_one(c, log, share, plant):
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            more = c.recv(65536)
            if not more:
                c.close()
                return
            data += more
        head, data = data.split(b"\r\n\r\n", 1)
        target = head.decode().split()[1]
        top, body = answer(int(target.rsplit("=", 1)[1]), share, plant)
        c.sendall((top % len(body)).encode() + body)
        log.write(head.decode().split("\r\n")[0] + "\n")
        log.flush()


def serve(addr, path, share, plant):
    s = socket.create_server((addr, 80), backlog=64)
    with open(path, "a") as log:
        while True:
            c, _ = s.accept()
            threading.Thread(target=serve_one, daemon=True,
                             args=(c, log, share, plant)).start()


def ask(addr, count, connections):
    cs = [socket.create_connection((addr, 80), timeout=30)
          for _ in range(connections)]
    fs = [c.makefile("rb") for c in cs]
    for n in range(count):
        cs[n % connections].sendall(
            ("GET /x?n=%d HTTP/1.1\r\nHost: h\r\n\r\n" % n).encode())
        f, length = fs[n % connections], 0
        while (line := f.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split()[1])
        if len(f.read(length)) != length:
            sys.exit("cut")
    print("asked")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
    else:
        ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
