# SPDX-License-Identifier: BSD-2-Clause
"""Frames of one connection, made by hand as a hostile client would.

A Talk is a client's connection to production as the mirror shows it: both ends
are made up, so every field can be anything. Only the SUT behind understudy is
real.
"""
import socket
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" +
          bytes(97 + i % 23 for i in range(100)))
SEND = """
import socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
gap, data, at = float(sys.argv[3]), open(sys.argv[2], "rb").read(), 0
while at < len(data):
    n = struct.unpack_from("<I", data, at)[0]
    s.send(data[at + 4:at + 4 + n])
    at += 4 + n
    if gap:
        time.sleep(gap)
"""


def csum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Talk:
    """isn: first numbers of client and production; ts: their timestamps."""

    def __init__(self, addr, macs, port, isn=(1000, 5000), ts=None, opts=b""):
        self.family = socket.AF_INET6 if ":" in addr[0] else socket.AF_INET
        self.ip = [socket.inet_pton(self.family, a) for a in addr]
        self.mac = [bytes.fromhex(m.replace(":", "")) for m in macs]
        self.port, self.ts, self.extra = (port, 80), ts, opts
        self.nxt, self.isn, self.ident = list(isn), isn, port
        self.frames = []

    # ------------------------------------------------------------ one frame

    def tcp(self, who, flags, data=b"", seq=None, ack=None, opts=None,
            bad=False):
        """A segment of `who` (0 client, 1 production), checksummed."""
        if opts is None:
            opts = b"" if not self.ts else b"\1\1\x08\x0a" + struct.pack(
                "!II", self.ts[who] & 0xffffffff,
                self.ts[1 - who] & 0xffffffff if flags & ACK else 0)
        seq = self.nxt[who] if seq is None else seq
        ack = self.nxt[1 - who] if ack is None else ack
        head = struct.pack("!HHIIBBHHH", self.port[who], self.port[1 - who],
                           seq & 0xffffffff, ack & 0xffffffff if flags & ACK
                           else 0, (20 + len(opts)) // 4 << 4, flags, 65000, 0,
                           0) + opts
        ends = self.ip[who] + self.ip[1 - who]
        total = csum(ends + struct.pack("!II", len(head) + len(data), 6) +
                     head + data) ^ (0x1234 if bad else 0)
        return head[:16] + struct.pack("!H", total) + head[18:] + data

    def packet(self, who, payload, options=b"", proto=6, flags=0x4000, off=0,
               headers=b""):
        """IP around a payload, in Ethernet; `headers`: of IPv6, in front."""
        src, dst = self.ip[who], self.ip[1 - who]
        eth = self.mac[1 - who] + self.mac[who]
        if self.family == socket.AF_INET6:
            first = headers[0] if headers else proto
            body = headers[1:] + payload
            return eth + b"\x86\xdd" + struct.pack(
                "!IHBB", 6 << 28, len(body), first, 64) + src + dst + body
        ip = struct.pack("!BBHHHBBH", 0x40 | (20 + len(options)) // 4, 0,
                         20 + len(options) + len(payload), self.ident,
                         flags | off // 8, 64, proto, 0) + src + dst + options
        return eth + b"\x08\x00" + ip[:10] + struct.pack(
            "!H", csum(ip)) + ip[12:] + payload

    def fragment(self, who, payload, off, more, ident=None):
        """One IP fragment of a payload that is a segment's part."""
        self.ident = ident or self.ident
        if self.family == socket.AF_INET6:
            return self.packet(who, payload, headers=bytes([44]) + struct.pack(
                "!BBHI", 6, 0, off | more, self.ident))
        return self.packet(who, payload, flags=0x2000 if more else 0, off=off)

    # ----------------------------------------------------------- the course

    def put(self, who, flags, data=b"", **kw):
        self.frames.append(self.packet(who, self.tcp(who, flags, data, **kw)))
        self.move(who, flags, data, kw.get("seq"))

    def move(self, who, flags, data, seq=None):
        """The numbers go on, unless `seq` was somewhere else."""
        if seq is None:
            self.nxt[who] += len(data) + bool(flags & (SYN | FIN))
        if self.ts:
            self.ts[who] += 7

    def open(self, data=b""):
        syn = b"\2\4\x05\xb4" + self.extra
        if self.ts:
            stamp = b"\1\1\x08\x0a" + struct.pack("!I", self.ts[0] & 0xffffffff)
            self.put(0, SYN, data, opts=syn + stamp + bytes(4))
            self.put(1, SYN | ACK, opts=syn[:4] + b"\1\1\x08\x0a" + struct.pack(
                "!II", self.ts[1] & 0xffffffff, self.ts[0] & 0xffffffff))
        else:
            self.put(0, SYN, data, opts=syn)
            self.put(1, SYN | ACK, opts=b"\2\4\x05\xb4")
        self.put(0, ACK)
        return self

    def answer(self):
        self.put(1, ACK | PSH, ANSWER)
        self.put(0, ACK)
        return self

    def close(self):
        self.put(0, ACK | FIN)
        self.put(1, ACK | FIN)
        self.put(0, ACK)
        return self


def request(rid):
    return b"GET /a?id=%s HTTP/1.1\r\nHost: lab\r\n\r\n" % rid.encode()


def send(l, frames, gap=0.0005):
    """Sends frames as the mirror would."""
    path = l.path("crafted")
    with open(path, "wb") as f:
        for x in frames:
            f.write(struct.pack("<I", len(x)) + x)
    code, out = l.python("tap", SEND, "m0", path, gap, timeout=120)
    if code:
        raise OSError("sender: " + out)
