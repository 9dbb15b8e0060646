#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A splice ends at a cut, and the proxy has its connections back: usplice_cut() and
usplice_unsplice(), on the hosts of test/lib/hosts.py.

The proxy here reads a request, writes it to the server, reads the head of the answer,
writes that to the client, and has the body spliced; then comes the next request, over
the same two connections. What arrives is held against what was sent, byte by byte.
"""
import ctypes
import errno
import os
import random
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
from hosts import ADDR, PROXY, WAIT, result, within  # noqa: E402
from test_splice_library import (OVER, RESET, SO, SPLICED,  # noqa: E402
                                 Ends, Library)

IDLE = "seconds, and little load"
CUT = 7
HEAD = 8
TESTS = []
U32 = ctypes.c_uint32 * 2


def to_its_end(task):
    """As result(), for what takes many steps, each of which has its own limit."""
    task[0].join(6 * WAIT)
    return result(task)


def test(name, families=(4, 6)):
    """On the proxy's host, over each family by itself: to load the program takes a
    while on a busy machine."""
    def add(f):
        for n in families:
            TESTS.append((f"{name} (IPv{n})", lambda addr=ADDR[n]: to_its_end(
                within(PROXY, lambda: f(addr)))))
        return f
    return add


def body(n, size):
    return random.Random(n).randbytes(size)


class Relay(Library):
    """A pair of connected sockets that is spliced and had back."""

    def begin(self, e):
        rc, self.pair = self.intend(e.ours, e.far, e.to)
        assert rc == 0, rc
        e.connect()
        self.client, self.server = e.ours, e.far
        for s in (self.client, self.server):
            s.settimeout(WAIT)

    def cut(self, c2s, s2c):
        return self.so.usplice_cut(self.pair, U32(c2s, s2c))

    def give(self, c2s, s2c):
        """Splice it for so many bytes; the sockets are the library's then."""
        assert self.cut(c2s, s2c) == 0
        rc = self.so.usplice_give(self.pair, 0)
        assert rc == 0, rc
        self.client.detach()
        self.server.detach()

    def back(self):
        """Wait for the cut. Return: the bytes that have crossed"""
        fd, crossed = (ctypes.c_int * 2)(), U32()
        note = self.next()
        while note is not None and note.what == SPLICED:
            note = self.next()
        assert note is not None and note.what == CUT, note and (note.what, note.reason)
        assert self.so.usplice_unsplice(self.pair, fd, crossed) == 0
        self.client, self.server = (socket.socket(fileno=f) for f in fd)
        for s in (self.client, self.server):
            s.settimeout(WAIT)
        return list(crossed)

    def counters(self):
        c = (ctypes.c_uint64 * 32)()
        assert self.so.usplice_counters(self.u, c) == 0
        return {"spliced": c[0], "cut": c[-2], "held": c[-1], "live": c[8]}


def serve(s, sizes):
    """Answer requests, each with a head that has the length of its body."""
    for size in sizes:
        n, = struct.unpack("!Q", hosts.read_exactly(s, HEAD))
        s.sendall(struct.pack("!Q", size))
        s.sendall(body(n, size))


def ask(s, sizes):
    for n, size in enumerate(sizes):
        s.sendall(struct.pack("!Q", n))
        assert struct.unpack("!Q", hosts.read_exactly(s, HEAD))[0] == size
        assert hosts.read_exactly(s, size) == body(n, size), (n, size)


def start(call, *args):
    out = []

    def run():
        try:
            call(*args)
        except Exception as x:  # told to whoever joins
            out.append(x)
    t = threading.Thread(target=run, daemon=True)
    t.start()
    return t, out


def finish(tasks):
    for t, out in tasks:
        t.join(WAIT)
        assert not t.is_alive(), "an end waits for ever"
        assert not out, out


@test("fifty answers over one connection, each body spliced: identical")
def answers(addr):
    rng = random.Random(addr[4])
    sizes = [rng.choice((1, 1400, 20000, 100000, 1000000)) for _ in range(50)]
    with Relay() as u, Ends(addr) as e:
        u.begin(e)
        tasks = [start(serve, e.server, sizes), start(ask, e.client, sizes)]
        for size in sizes:
            u.server.sendall(hosts.read_exactly(u.client, HEAD))
            u.client.sendall(hosts.read_exactly(u.server, HEAD))
            u.give(0, size)
            assert u.back() == [0, size]
        finish(tasks)
        n = u.counters()
        # Those that our sockets had done before the ends could be joined count
        # as none.
        assert n["spliced"] == n["cut"] and n["live"] == 0, n
        assert n["spliced"] > 0, n
        u.so.usplice_end(u.pair)
        # And now they are as any two sockets.
        u.client.sendall(b"last")
        assert hosts.read_exactly(e.client, 4) == b"last"
        e.client.sendall(b"word")
        assert hosts.read_exactly(u.client, 4) == b"word"
        e.server.close()
        assert u.server.recv(1) == b""


@test("who says more than may cross is heard afterwards, and nothing of it crosses")
def beyond(addr):
    with Relay() as u, Ends(addr) as e:
        u.begin(e)
        # He ends the splice, while nothing has come from the other end.
        u.give(0, 100)
        e.client.sendall(b"more")
        assert u.back() == [0, 0]
        assert hosts.read_exactly(u.client, 4) == b"more"
        # With an end of his stream.
        u.give(0, 100)
        note = u.next()
        assert note.what == SPLICED, note.what
        e.client.sendall(b"again")
        e.client.shutdown(socket.SHUT_WR)
        assert u.back() == [0, 0]
        e.server.sendall(b"x" * 100)
        assert hosts.read_exactly(u.server, 100) == b"x" * 100
        assert hosts.read_exactly(u.client, 5) == b"again"
        assert u.client.recv(1) == b""
        e.server.setblocking(False)
        try:
            assert e.server.recv(1) == b"nothing"
        except BlockingIOError:
            pass
        u.so.usplice_end(u.pair)


@test("cut now, by whoever has changed his mind; what is refused", (4,))
def now(addr):
    with Relay() as u, Ends(addr) as e:
        u.begin(e)
        assert u.so.usplice_cut(u.pair, None) == -errno.EINVAL
        assert u.cut(0, (1 << 30) + 1) == -errno.ERANGE
        fd, crossed = (ctypes.c_int * 2)(), U32()
        assert u.so.usplice_unsplice(u.pair, fd, crossed) == -errno.EAGAIN
        assert u.cut(0, 1 << 30) == 0
        # Its descriptors must be the library's, with nothing left to be written.
        assert u.splice(u.pair) == -errno.EINVAL
        assert u.so.usplice_give(u.pair, 1) == -errno.EINVAL
        u.give(0, 1 << 30)
        assert u.next().what == SPLICED
        e.server.sendall(b"y" * 1000)
        assert hosts.read_exactly(e.client, 1000) == b"y" * 1000
        assert u.so.usplice_cut(u.pair, None) == 0
        assert u.back() == [0, 1000]
        e.server.sendall(b"z")
        assert hosts.read_exactly(u.server, 1) == b"z"
        u.so.usplice_end(u.pair)


@test("an end that breaks off before the cut ends the pair as ever", (4,))
def broken(addr):
    with Relay(timewait=1) as u, Ends(addr) as e:
        u.begin(e)
        u.give(0, 1000)
        assert u.next().what == SPLICED
        e.server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        e.server.close()
        try:
            assert e.client.recv(1) == b"?"
        except ConnectionResetError:
            pass
        notes = [u.next(), u.next()]
        assert [n.what for n in notes] == [RESET, OVER], [n.what for n in notes]
        left = hosts.sockets_left()
        assert not left, left


if __name__ == "__main__":
    sys.exit(hosts.run(TESTS, [SO]))
