# SPDX-License-Identifier: BSD-2-Clause
"""A DNS server that has twelve addresses of each name, and answers with four.

  rotate.py serve ADDRESS STEP LOG [FOREIGN]   the next answer begins STEP further on
  rotate.py ask HOST COUNT                     two names in turn, query by query

LOG gets a line a query. The answer with the number FOREIGN has an address that is
none of the twelve. Prints "answered N".
"""
import socket
import struct
import sys

NAMES = (b"pool", b"other")
HAS, SAYS = 12, 4


def serve(address, step, log, foreign):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE
    s.bind((address, 53))
    asked, told = {}, 0
    with open(log, "w", buffering=1) as out:
        while True:
            query, client = s.recvfrom(4096)
            name = query[13:13 + query[12]]
            at = asked[name] = asked.get(name, -1) + 1
            told += 1
            last = [1 + (at * step + k) % HAS for k in range(SAYS)]
            if told == foreign:
                last[0] = 200
            answer = query[:2] + b"\x85\x00" + query[4:6] + struct.pack(
                ">HHH", SAYS, 0, 0) + query[12:]
            for x in last:
                answer += struct.pack(">HHHIH4B", 0xc00c, 1, 1, 60, 4, 192, 0, 2, x)
            s.sendto(answer, client)
            print(name.decode(), file=out)


def ask(host, count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(30)
    s.connect((host, 53))
    for i in range(count):
        name = NAMES[i % len(NAMES)]
        s.send(struct.pack(">HHHHHH", i, 0x100, 1, 0, 0, 0) + bytes([len(name)]) +
               name + b"\3lab\0" + struct.pack(">HH", 1, 1))
        s.recv(4096)
    print("answered", count)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]), sys.argv[4],
              int((sys.argv[5:] or ["0"])[0]))
    else:
        ask(sys.argv[2], int(sys.argv[3]))
