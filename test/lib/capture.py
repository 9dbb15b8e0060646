# SPDX-License-Identifier: BSD-2-Clause
"""Capture files: frames made here, and frames of files read again."""
import struct

CLIENT, PROD = bytes((10, 1, 0, 1)), bytes((10, 2, 0, 1))
CLIENT6, PROD6 = (b"\xfd" + bytes(13) + bytes((n, 1)) for n in (1, 2))
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def csum(b):
    b += b"\0" * (len(b) % 2)
    s = sum(struct.unpack(f">{len(b) // 2}H", b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def ip(src, dst, proto, l4, total=None):
    """An IP packet in an Ethernet frame; `total`: its length is said to be."""
    if len(src) == 16:
        return bytes(12) + b"\x86\xdd" + struct.pack(
            ">IHBB", 0x60000000, len(l4) if total is None else total, proto,
            64) + src + dst + l4
    h = struct.pack(">BBHHHBBH4s4s", 0x45, 0,
                    20 + len(l4) if total is None else total, 7, 0, 64, proto, 0,
                    src, dst)
    h = h[:10] + struct.pack(">H", csum(h)) + h[12:]
    return bytes(12) + b"\x08\0" + h + l4


def tcp(up, seq, ack, flags, data=b"", port=40000, v6=False, total=None):
    src, dst = (CLIENT6, PROD6) if v6 else (CLIENT, PROD)
    if not up:
        src, dst = dst, src
    ports = (port, 80) if up else (80, port)
    h = struct.pack(">HHIIBBHHH", *ports, seq % 2**32, ack % 2**32, 0x50, flags,
                    60000, 0, 0)
    pseudo = src + dst + struct.pack(">BBH", 0, 6, len(h) + len(data))
    h = h[:16] + struct.pack(">H", csum(pseudo + h + data)) + h[18:]
    return ip(src, dst, 6, h + data, total)


def dns(up, n, answer):
    q = b"\1a\0\0\1\0\1"
    m = struct.pack(">HHHHHH", n, 0x8180 if answer else 0x100, 1, answer, 0, 0)
    m += q + (b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4" if answer else b"")
    ports = (5353, 53) if up else (53, 5353)
    src, dst = (CLIENT, PROD) if up else (PROD, CLIENT)
    return ip(src, dst, 17, struct.pack(">HHHH", *ports, 8 + len(m), 0) + m)


def dialogue(requests, c=0xfffffff0, p=0x7ffffff0, port=40000, v6=False,
             answer=OK, total=None):
    """A whole connection; its numbers wrap. `total`: what the IP length of all
    that has payload is said to be."""
    def say(up, seq, ack, flags, data=b""):
        out.append(tcp(up, seq, ack, flags, data, port, v6,
                       total if data else None))
    out = []
    say(1, c, 0, SYN)
    say(0, p, c + 1, SYN | ACK)
    c, p = c + 1, p + 1
    say(1, c, p, ACK)
    for _ in range(requests):
        say(1, c, p, ACK | PSH, GET)
        c += len(GET)
        say(0, p, c, ACK | PSH, answer)
        p += len(answer)
        say(1, c, p, ACK)
    say(1, c, p, FIN | ACK)
    say(0, p, c + 1, FIN | ACK)
    say(1, c + 1, p + 1, ACK)
    return out


def pcap(frames, magic=0xa1b2c3d4, snap=65535, link=1):
    out = struct.pack("<IHHIIII", magic, 2, 4, 0, 0, snap, link)
    unit = 20000 if magic == 0xa1b2c3d4 else 20000000  # 20 ms
    for i, f in enumerate(frames):
        kept = f[:snap]
        out += struct.pack("<IIII", 1700000000 + i // 50, i % 50 * unit,
                           len(kept), len(f)) + kept
    return out


def read_pcap(data, order):
    link = struct.unpack(order + "I", data[20:24])[0] & 0xffff
    at = 24
    while at + 16 <= len(data):
        n = struct.unpack(order + "I", data[at + 8:at + 12])[0]
        yield link, data[at + 16:at + 16 + n]
        at += 16 + n


def read_pcapng(data, order):
    links, at = [], 0
    while at + 12 <= len(data):
        kind, n = struct.unpack(order + "II", data[at:at + 8])
        if kind == 0x0a0d0d0a:
            links = []
        elif kind == 1:
            links.append(struct.unpack(order + "H", data[at + 8:at + 10])[0])
        elif kind == 6:
            i, _, _, cap = struct.unpack(order + "IIII", data[at + 8:at + 24])
            if i < len(links):
                yield links[i], data[at + 28:at + 28 + cap]
        if n < 12:
            return
        at += n


def frames(path):
    """(link type, bytes) of each frame of a file; nothing if it is none."""
    with open(path, "rb") as f:
        data = f.read()
    magic = data[:4]
    if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        return read_pcap(data, "<")
    if magic in (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d"):
        return read_pcap(data, ">")
    if magic == b"\x0a\x0d\x0d\x0a" and len(data) >= 12:
        return read_pcapng(data, "<" if data[8:12] == b"\x4d\x3c\x2b\x1a"
                           else ">")
    return iter(())


# Bytes in front of the IP header, by link type.
IP_AT = {0: 4, 1: 14, 12: 0, 101: 0, 108: 4, 113: 16, 228: 0, 229: 0}


def ip_of(link, frame):
    """The IP packet in a frame, without tags, or b""."""
    at = IP_AT.get(link)
    if at is None:
        return b""
    while link == 1 and frame[at - 2:at] in (b"\x81\0", b"\x88\xa8"):
        at += 4
    return frame[at:]


def segment(packet):
    """(protocol, (address, port) of both ends, flags, payload) of a whole TCP
    segment or datagram, or None."""
    if packet[:1] and packet[0] >> 4 == 4:
        at, proto = (packet[0] & 15) * 4, packet[9:10]
        if packet[6:8] not in (b"\0\0", b"\x40\0"):
            return None
        ends = packet[12:16], packet[16:20]
    elif packet[:1] and packet[0] >> 4 == 6:
        at, proto, ends = 40, packet[6:7], (packet[8:24], packet[24:40])
    else:
        return None
    l4 = packet[at:]
    if proto not in (b"\6", b"\x11") or len(l4) < (20 if proto == b"\6" else 8):
        return None
    ports = struct.unpack(">HH", l4[:4])
    both = tuple(zip(ends, ports))
    if proto == b"\x11":
        return 17, both, 0, l4[8:]
    return 6, both, l4[13], l4[(l4[12] >> 4) * 4:]


def server_of(path):
    """(address, port) of the server in a file's first TCP connection, or None."""
    for link, frame in frames(path):
        s = segment(ip_of(link, frame))
        if s is None or s[0] != 6:
            continue
        if s[2] & (SYN | ACK) == SYN:
            return s[1][1]
        if s[2] & SYN:
            return s[1][0]
        return min(s[1], key=lambda end: end[1])
    return None


# pcapng, little-endian.
SHB, IDB, PB, SPB, NRB, ISB, EPB, DSB = 0x0a0d0d0a, 1, 2, 3, 4, 5, 6, 10


def block(kind, body):
    body += bytes(-len(body) % 4)
    n = len(body) + 12
    return struct.pack("<II", kind, n) + body + struct.pack("<I", n)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(
        -len(value) % 4)


def shb():
    return block(SHB, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))


def idb(link=1, resol=9, offset=None):
    """An interface; its clock's ticks a second are 10^resol, None: not said."""
    b = struct.pack("<HHI", link, 0, 0)
    if resol is not None:
        b += option(9, bytes((resol,)))
    if offset is not None:
        b += option(14, struct.pack("<q", offset))
    return block(IDB, b + option(0, b""))


def epb(frame, ts, iface=0, wire=None):
    wire = len(frame) if wire is None else wire
    return block(EPB, struct.pack("<IIIII", iface, ts >> 32, ts & 0xffffffff,
                                  len(frame), wire) + frame)


def spb(frame):
    return block(SPB, struct.pack("<I", len(frame)) + frame)
