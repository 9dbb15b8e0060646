# SPDX-License-Identifier: BSD-2-Clause
"""Watches the datagrams of a tunnel with keys, or with a pad, on devices of a namespace:
does a nonce come twice under a key, or a byte of the pad twice?

A key follows from a handshake, whose two ephemeral keys are in clear (src/tunnel/keys).
Each response names the indices that both ends gave it; a packet bears the lower half of
its receiver's, its path and the lower half of its number. So a packet belongs to the
last response that has its index, by the end that it goes to.
"""
import os
import struct
import subprocess
import sys

import lab

HEAR = """
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
s.setsockopt(263, 15, 1)  # PACKET_VNET_HDR: of how many datagrams is this one?
devs = set(sys.argv[1:])
out = sys.stdout.buffer
print("ready", file=sys.stderr, flush=True)
while True:
    p, a = s.recvfrom(1 << 17)
    if a[0] not in devs or p[24] != 0x45 or p[33] != 17:
        continue
    each = struct.unpack("<H", p[4:6])[0] if p[1] else 65536
    port, whole = struct.unpack("!HH", p[46:50])
    whole -= 8
    for i in range(0, whole, each):
        n = min(each, whole - i)
        out.write(struct.pack("!HH", port, n) +
                  p[52 + i:52 + i + min(n, 160)].ljust(160, b"\\0"))
    out.flush()
"""
RECORD = 164
INITIATION, RESPONSE, PACKET, PAD = 1, 2, 16, 24
LISTENS = 7000


class Watch:
    """Hears from now on; finish() says what it heard."""

    def __init__(self, ns, devs):
        self.file = os.path.join("/tmp", "%s.heard" % ns)
        with open(self.file, "wb") as f:
            self.p = subprocess.Popen(
                ("ip", "netns", "exec", ns, sys.executable, "-c", HEAR, *devs),
                stdout=f, stderr=subprocess.PIPE, preexec_fn=lab._child)
        if self.p.stderr.readline() != b"ready\n":
            raise lab.LabError("nobody hears")

    def finish(self):
        self.p.terminate()
        self.p.wait()
        with open(self.file, "rb") as f:
            data = f.read()
        os.unlink(self.file)
        return Seen(data[i:i + RECORD]
                    for i in range(0, len(data) - RECORD + 1, RECORD))


class Seen:
    def __init__(self, records):
        self.datagrams = 0
        self.strange = 0    # of no handshake that was heard
        self.twice = []     # what came twice
        self.session = {}   # (to the end that listens, index): key
        self.ephemeral = {}  # of a response: the response
        self.numbers = set()
        self.pads = {}      # by direction: ranges of the pad, (from, to)
        for r in records:
            port, n = struct.unpack("!HH", r[:4])
            self.take(port == LISTENS, r[4:], n)
        for way, ranges in self.pads.items():
            ranges.sort()
            for one, two in zip(ranges, ranges[1:]):
                if two[0] < one[1]:
                    self.twice.append((way, one, two))

    def keys(self):
        return len(self.ephemeral)

    def take(self, to_listener, p, n):
        if p[0] == RESPONSE and n == 92:
            # Its sender is who listens: packets to him bear his index.
            theirs, ours = struct.unpack("<II", p[4:12])
            key = p[12:44]
            if self.ephemeral.setdefault(key, p[:60]) != p[:60]:
                self.twice.append(("ephemeral", key.hex()))
            self.session[True, theirs & 0xffff] = key
            self.session[False, ours & 0xffff] = key
        elif p[0] == PACKET and n >= 24:
            self.datagrams += 1
            path, index, number = struct.unpack("!BHI", p[1:8])
            key = self.session.get((to_listener, index))
            self.strange += key is None
            one = key, to_listener, path, number
            if one in self.numbers:
                self.twice.append(one)
            self.numbers.add(one)
        elif p[0] == PAD and n >= 24:
            self.datagrams += 1
            at = int.from_bytes(p[2:8], "big")
            # A key of 32 bytes, and a byte for each that is hidden.
            self.pads.setdefault(to_listener, []).append((at, at + 32 + n - 24))
