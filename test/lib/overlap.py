# SPDX-License-Identifier: BSD-2-Clause
"""Segments that contradict each other, and a server that says what it got of them.

  overlap.py serve ADDRESS LOG     a line a connection: port, and all of its bytes
  overlap.py talk DEVICE FROM TO HERE THERE PORT COUNT SEED
      COUNT connections from FROM, PORT and up, whose host nobody is, by frames made
      by hand, HERE and THERE the hardware addresses

The segments of a connection come in a drawn order, each of a letter of its own, and
cover each other; the hole at their front is filled last. So the letters that a server
reads say which copy of each byte its stack took. No early one begins where another
ends: Linux may join such two, or not, by how they lie in memory. Prints "talked N".
"""
import os
import random
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "faults"))
from craft import ACK, FIN, PSH, SYN, Talk  # noqa: E402

LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LENGTH = 90


def serve(address, log):
    s = socket.create_server((address, 80), backlog=1024)
    with open(log, "w", buffering=1) as out:
        while True:
            c, (_, port) = s.accept()
            c.settimeout(60)
            data = b""
            try:
                while part := c.recv(4096):
                    data += part
            except OSError as e:
                data += str(e).encode()
            c.close()
            print(port, data.decode(), file=out)


def pieces(dice):
    """[(offset, bytes)] in their order: early ones, and all of it from the front."""
    out, n = [], dice.randrange(2, 9)
    for i in range(n):
        at = dice.randrange(1, LENGTH - 1)
        if out and dice.randrange(3) == 0:
            at = dice.choice(out)[0]  # where another one begins
        end = at + dice.randrange(1, LENGTH - at + 1)
        if all(end != a and at != a + len(d) for a, d in out):
            out.append((at, LETTERS[i:i + 1] * (end - at)))
    cut = dice.randrange(1, LENGTH)
    return out + [(0, b"y" * cut), (cut, b"z" * (LENGTH - cut))]


class Wire:
    def __init__(self, device):
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.s.bind((device, 0))

    def wait(self, port, flag):
        """The next frame to our port with a flag: its number."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.s.settimeout(max(0.01, end - time.monotonic()))
            f = self.s.recv(4096)
            if f[12:14] != b"\x08\x00" or f[23] != 6:
                continue
            tcp = 14 + (f[14] & 15) * 4
            _, to, seq = struct.unpack_from("!HHI", f, tcp)
            if to == port and f[tcp + 13] & flag:
                return seq
        raise OSError("port %d: no answer" % port)

    def put(self, k, flags, data=b"", **kw):
        self.s.send(k.packet(0, k.tcp(0, flags, data, **kw)))
        k.move(0, flags, data, kw.get("seq"))


def talk(device, ends, macs, port, count, seed):
    w = Wire(device)
    for i in range(count):
        k = Talk(ends, macs, port + i)
        w.put(k, SYN, opts=b"\2\4\x05\xb4")
        k.nxt[1] = w.wait(port + i, SYN) + 1
        w.put(k, ACK)
        first = k.nxt[0]
        for at, data in pieces(random.Random(seed + i)):
            w.put(k, ACK | PSH, data, seq=first + at)
        k.nxt[0] = first + LENGTH
        w.put(k, ACK | FIN)
        k.nxt[1] = w.wait(port + i, FIN) + 1
        w.put(k, ACK)
    print("talked", count)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:4])
    else:
        dev, here, there, mac, other, *n = sys.argv[2:]
        talk(dev, (here, there), (mac, other), *(int(x) for x in n))
