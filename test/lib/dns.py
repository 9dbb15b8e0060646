# SPDX-License-Identifier: BSD-2-Clause
"""Asks HOST for n0.lab ... nCOUNT-1.lab, WINDOW queries at a time.

  dns.py HOST COUNT WINDOW [PORTS [PAD]]

One source port for each of PORTS (8) sockets, ids in turn. PAD: every query has
so many bytes of padding (RFC 7830), so that the kernel sends it in fragments.
Prints "answered N"; exit 1 if an answer is missing after 2 s.
"""
import select
import socket
import struct
import sys
import time

host, count, window = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ports = int((sys.argv[4:] or ["8"])[0])
pad = int((sys.argv[5:] or ["0"])[0])
opt = b"" if not pad else struct.pack(">BHHIHHH", 0, 41, 4096, 0, pad + 4, 12,
                                      pad) + bytes(pad)
family = socket.AF_INET6 if ":" in host else socket.AF_INET
socks = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(ports)]
for s in socks:
    s.connect((host, 53))
    s.setblocking(False)
    if pad and family == socket.AF_INET:
        s.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_PMTUDISC_DONT
sent, open_, done = 0, set(), 0
last = time.monotonic()
while done < count and time.monotonic() - last < 2:
    while sent < count and len(open_) < window:
        name = b"n%d" % sent
        query = struct.pack(">HHHHHH", sent % 65536, 0x100, 1, 0, 0,
                            1 if pad else 0) + bytes([len(name)]) + name + \
            b"\3lab\0" + struct.pack(">HH", 1, 1) + opt
        socks[sent % ports].send(query)
        open_.add((sent % ports, sent % 65536))
        sent += 1
    for s in select.select(socks, [], [], 0.5)[0]:
        try:
            while True:
                key = (socks.index(s), struct.unpack(">H", s.recv(4096)[:2])[0])
                if key in open_:
                    open_.remove(key)
                    done += 1
                    last = time.monotonic()
        except BlockingIOError:
            pass
print("answered", done)
sys.exit(done != count)
