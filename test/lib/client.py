# SPDX-License-Identifier: BSD-2-Clause
"""A client that does what wrk cannot.

  client.py HOST keep PATH...         one connection, one request after another
  client.py HOST each PATH...         a connection for each request
  client.py HOST pipe PATH...         all requests in one segment
  client.py HOST slow PATH RATE       reads the answer at RATE bytes a second
  client.py HOST stall PATH BYTES SECONDS
                                      reads BYTES, nothing for SECONDS, the rest
  client.py HOST abort PATH BYTES     reads BYTES of the answer, then resets
  client.py HOST idle COUNT SECONDS FROM
                                      holds COUNT connections of one address
  client.py HOST from FIRST COUNT TIMES
                                      TIMES connections from each of COUNT
                                      addresses that follow FIRST, one request
                                      on each, id q-ADDRESS-NUMBER
  client.py HOST paced COUNT RATE SECONDS
                                      COUNT connections, RATE requests a second
                                      on each, id q-CONNECTION-NUMBER

Prints for each answer "STATUS LENGTH", or "error REASON" where it stopped.
"""
import ipaddress
import re
import socket
import struct
import sys
import time


def connect(host, rcvbuf=0, source=None):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.settimeout(10)
    if source:
        s.bind((source, 0))
    if rcvbuf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    s.connect((host, 80))
    return s


def request(path, last=False):
    return ("GET %s HTTP/1.1\r\nHost: lab\r\n%s\r\n" %
            (path, "Connection: close\r\n" if last else "")).encode()


def answer(s, rest):
    """Reads one answer; gives what came behind it."""
    while b"\r\n\r\n" not in rest:
        more = s.recv(65536)
        if not more:
            raise OSError("closed without an answer")
        rest += more
    head, rest = rest.split(b"\r\n\r\n", 1)
    size = int(re.search(rb"Content-Length: (\d+)", head)[1])
    while len(rest) < size:
        more = s.recv(65536)
        if not more:
            raise OSError("closed after %d of %d" % (len(rest), size))
        rest += more
    print(head.split()[1].decode(), size)
    return rest[size:]


def talk(host, how, paths):
    if how == "each":
        for path in paths:
            try:
                answer(*(_sent(connect(host), request(path, True))))
            except OSError as e:
                print("error", e)
        return
    s, rest = connect(host), b""
    if how == "pipe":
        s.sendall(b"".join(request(p) for p in paths))
    for path in paths:
        if how == "keep":
            s.sendall(request(path))
        rest = answer(s, rest)


def _sent(s, data):
    s.sendall(data)
    return s, b""


def slow(host, path, rate):
    s = connect(host, 16384)
    s.sendall(request(path, True))
    began, got = time.monotonic(), 0
    while True:
        data = s.recv(8192)
        if not data:
            break
        got += len(data)
        time.sleep(max(0.0, began + got / rate - time.monotonic()))
    print("read", got)


def stall(host, path, count, seconds):
    s = connect(host, 16384)
    s.sendall(request(path, True))
    got = 0
    while True:
        data = s.recv(8192)
        if not data:
            break
        if got < count <= got + len(data):
            time.sleep(seconds)
        got += len(data)
    print("read", got)


def abort(host, path, count):
    s = connect(host, 65536)
    s.sendall(request(path, True))
    got = 0
    while got < count:
        data = s.recv(min(8192, count - got))
        if not data:
            raise OSError("closed after %d" % got)
        got += len(data)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
    print("aborted", got)


def paced(host, count, rate, seconds):
    """Open loop in rounds: one request on each connection, every 1/RATE s."""
    conns = [connect(host) for _ in range(count)]
    began = time.monotonic()
    for n in range(int(rate * seconds)):
        time.sleep(max(0.0, began + n / rate - time.monotonic()))
        for i, s in enumerate(conns):
            s.sendall(request("/a?id=q-%d-%d" % (i, n)))
        for s in conns:
            answer(s, b"")


def idle(host, count, seconds, source):
    held = [connect(host, source=source) for _ in range(count)]
    print("held", len(held), flush=True)
    time.sleep(seconds)


def sources(host, first, count, times):
    for n in range(count):
        at = str(ipaddress.ip_address(first) + n)
        for i in range(times):
            s = connect(host, source=at)
            s.sendall(request("/b100?id=q-%s-%d" % (at, i), True))
            answer(s, b"")


def main():
    host, how, *rest = sys.argv[1:]
    try:
        if how == "slow":
            slow(host, rest[0], int(rest[1]))
        elif how == "stall":
            stall(host, rest[0], int(rest[1]), float(rest[2]))
        elif how == "abort":
            abort(host, rest[0], int(rest[1]))
        elif how == "idle":
            idle(host, int(rest[0]), float(rest[1]), rest[2])
        elif how == "from":
            sources(host, rest[0], int(rest[1]), int(rest[2]))
        elif how == "paced":
            paced(host, int(rest[0]), float(rest[1]), float(rest[2]))
        else:
            talk(host, how, rest)
    except OSError as e:
        print("error", e)
        sys.exit(1)


main()
