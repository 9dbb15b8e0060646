#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many connections at once through splice_tool, drawn by a seed (SEED=, COUNT=).

Sizes, who ends first and how (a FIN, half-closed, a RST of either end, at once), how much
an end buffers, and whether the client is near, or 40 ms away with 1 % of packets lost,
are drawn. What arrives must be what was sent,
all of it where nobody has reset; in the end no socket is left, and the sums close.
"""
import os
import queue
import random
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
from hosts import ADDR, CLIENT, FAR, SERVER, WAIT, result, within  # noqa: E402

IDLE = "seconds of load, and pauses"
SEED = int(os.environ.get("SEED", "1"))
COUNT = int(os.environ.get("COUNT", "100"))
AT_ONCE = 16
KILLS = int(os.environ.get("KILLS", "10"))
KEPT = 10  # connections that must outlive them all
WAYS = ("client first", "server first", "crossing", "client resets", "server resets",
        "gone at once")
LINGER = b"\1\0\0\0\0\0\0\0"


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
    s.close()


def send(s, text):
    """All of it, or as much as the other end takes."""
    try:
        s.sendall(text)
    except ConnectionError:
        pass


def receive(s):
    """What comes until the end, and whether it was no RST."""
    got = b""
    try:
        while True:
            b = s.recv(65536)
            if not b:
                return got, True
            got += b
    except (ConnectionResetError, BrokenPipeError):
        return got, False


class Job:
    def __init__(self, number):
        r = random.Random(SEED * 1_000_003 + number)
        self.number = number
        self.way = r.choice(WAYS[:3] * 3 + WAYS[3:])
        # Through 4 KB the kernel sends 8 KB a second, also without a splice.
        self.buffer = 4096 if r.randrange(4) == 0 else None
        most = 20_000 if self.buffer else 300_000
        self.up = hosts.pattern(number, r.choice((0, 10, 3000, r.randrange(most))))
        self.down = hosts.pattern(number + 1,
                                  r.choice((0, 10, 3000, r.randrange(most))))
        # A RST that is lost may leave the other end waiting for ever.
        self.addr = FAR if r.randrange(4) == 0 and "resets" not in self.way \
            else ADDR[4][1]
        self.wrong = None

    def check(self, who, got, sent, whole, must):
        if sent[:len(got)] != got or (must and (not whole or got != sent)):
            self.wrong = f"{self.number}, {self.way}: the {who} has got {len(got)} " \
                f"of {len(sent)} bytes, {'a FIN' if whole else 'a RST'}"

    def at_client(self):
        s = socket.socket()
        s.settimeout(WAIT)
        if self.buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.buffer)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.buffer)
        s.connect((self.addr, 1080))
        s.sendall(b"hello\n")
        if self.way == "gone at once":
            reset(s)
            return
        assert hosts.read_exactly(s, 3) == b"ok\n"
        s.sendall(self.number.to_bytes(4, "big"))
        sender = threading.Thread(target=send, args=(s, self.up))
        if self.way != "server first":
            sender.start()
        if self.way in ("client first", "crossing"):
            sender.join()
            s.shutdown(socket.SHUT_WR)
        if self.way == "client resets":
            if self.down:
                s.recv(10)
            sender.join()
            reset(s)
            return
        got, whole = receive(s)
        self.check("client", got, self.down, whole, self.way in WAYS[:3])
        if self.way == "server first":
            sender.start()
        sender.join()
        s.close()

    def at_server(self, s):
        sender = threading.Thread(target=send, args=(s, self.down))
        sender.start()
        if self.way in ("server first", "crossing"):
            sender.join()
            s.shutdown(socket.SHUT_WR)
        if self.way == "server resets":
            sender.join()
            reset(s)
            return
        got, whole = receive(s)
        self.check("server", got, self.up, whole, self.way in WAYS[:3])
        sender.join()
        s.close()


def serve(listening, jobs, wrong):
    """Each connection says first which job's it is."""
    def one(conn):
        conn.settimeout(WAIT)
        try:
            job = jobs[int.from_bytes(hosts.read_exactly(conn, 4), "big")]
        except (EOFError, ConnectionResetError):
            conn.close()  # "gone at once"
            return
        try:
            job.at_server(conn)
        except Exception as e:
            wrong.append(f"server, {job.number}, {job.way}: {e!r}")
    threads = []
    while True:
        try:
            conn, _ = listening.accept()
        except OSError:
            break
        threads.append(threading.Thread(target=one, args=(conn,), daemon=True))
        threads[-1].start()
    for t in threads:
        t.join()


def work(todo, wrong):
    while True:
        try:
            job = todo.get_nowait()
        except queue.Empty:
            return
        try:
            job.at_client()
        except Exception as e:
            wrong.append(f"client, {job.number}, {job.way}: {e!r}")


def many(way):
    jobs = [Job(i) for i in range(COUNT)]
    listening = result(within(SERVER, lambda: hosts.listener(4, ADDR[4][3], 8000)))
    proxy = hosts.Proxy(hosts.TOOL, "1080", ADDR[4][3], "8000", way, ready="ready")
    todo, wrong = queue.Queue(), []
    for j in jobs:
        todo.put(j)
    server = threading.Thread(target=serve, args=(listening, jobs, wrong))
    server.start()
    for t, _ in [within(CLIENT, lambda: work(todo, wrong)) for _ in range(AT_ONCE)]:
        t.join()
    hosts.no_sockets_left()
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    server.join()
    c = proxy.end()
    wrong += [j.wrong for j in jobs if j.wrong]
    assert not wrong, f"SEED={SEED}: {len(wrong)}: {wrong[:3]}"
    assert c["failed"] == c["dropped"] == c["missed"] == 0, c
    # All that were there to the end were spliced.
    whole = sum(j.way in WAYS[:3] for j in jobs)
    assert proxy.pairs().count("spliced") == c["spliced"] >= whole, (c, whole)
    assert c["spliced"] == c["done"] + c["live"], c


class Echo:
    """A server that says again what it hears, and is told of no harm."""

    def __init__(self):
        self.listening = result(within(SERVER, lambda: hosts.listener(
            4, ADDR[4][3], 8000)))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                conn, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(conn,), daemon=True).start()

    @staticmethod
    def one(conn):
        conn.settimeout(WAIT)
        try:
            while True:
                b = conn.recv(65536)
                if not b:
                    break
                conn.sendall(b)
        except OSError:
            pass
        conn.close()

    def end(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


def opened():
    s = socket.create_connection((ADDR[4][1], 1080), timeout=WAIT)
    s.sendall(b"hello\n")
    assert hosts.read_exactly(s, 3) == b"ok\n"
    return s


def ask(s, number, stop):
    """Questions and answers until all is over. How many there were."""
    n = 0
    while not stop.is_set() or n == 0:
        text = hosts.pattern(number + n, 5000)
        s.sendall(text)
        assert hosts.read_exactly(s, len(text)) == text, "other bytes"
        n += 1
    s.shutdown(socket.SHUT_WR)
    assert s.recv(1) == b""
    s.close()
    return n


def churn(stop):
    """Connections that come and go; who is not spliced yet may be lost. None is the
    server's at once, which would say the greeting again, though ports come again and
    pairs are left whose sockets went with the proxy."""
    while not stop.is_set():
        try:
            with socket.create_connection((ADDR[4][1], 1080), timeout=WAIT) as s:
                s.sendall(b"hello\n")
                got = hosts.read_exactly(s, 3)
                assert got == b"ok\n", got
                s.sendall(b"x")
                s.recv(1)
        except (OSError, EOFError):
            pass


def killed():
    stop = threading.Event()
    r = random.Random(SEED)
    adopted = 0
    with tempfile.TemporaryDirectory() as mount:
        hosts.sh("mount", "-t", "bpf", "none", mount)
        try:
            def proxy():
                return hosts.Proxy(hosts.TOOL, "1080", ADDR[4][3], "8000", "best",
                                   os.path.join(mount, "splice"), ready="ready")
            echo = Echo()
            p = proxy()
            old = [result(within(CLIENT, opened)) for _ in range(KEPT)]
            for s in old:
                p.wait_for("pair: spliced")
            tasks = [within(CLIENT, lambda i=i, s=s: ask(s, i, stop))
                     for i, s in enumerate(old)]
            noise = [within(CLIENT, lambda: churn(stop)) for _ in range(4)]
            for _ in range(KILLS):
                time.sleep(r.random() / 20)
                p.kill()
                time.sleep(r.random() / 50)
                p = proxy()
                adopted = p.events().count("adopted 0")
                assert adopted >= KEPT, adopted
            stop.set()
            said = [result(t) for t in tasks]
            for t in noise:
                result(t)
            echo.end()
            p.end()
        finally:
            stop.set()
            hosts.end_proxies()
            hosts.sh("umount", mount)
    assert min(said) > KILLS, said


if __name__ == "__main__":
    tests = [(f"{COUNT} connections, {AT_ONCE} at once, {way}",
              lambda way=way: many(way)) for way in ("tcx", "clsact")]
    tests.append((f"the proxy is killed {KILLS} times: what was spliced goes on",
                  killed))
    sys.exit(hosts.run(tests, [hosts.TOOL, hosts.LINE], more=True,
                       lost=10))
