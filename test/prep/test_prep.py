#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy prep, connection by connection, where the truth is known.

Captures are made here together with the way that each frame goes. Then: router
mode where tcpprep gives up, broken captures, and tcpreplay sending by a cache of
ours over a veth pair. Prints TAP.
"""
import collections
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
PREP = [os.environ.get("UNDERSTUDY",
                       str(TOP / "build-asan" / "understudy")), "prep"]
MATERIAL = os.environ.get("MATERIAL")
FIN, SYN, RST, PSH, ACK, ECE, CWR = 1, 2, 4, 8, 16, 64, 128
ETH = b"\2" * 6 + b"\4" * 6
number = 0
failed = 0


def result(good, name, *notes):
    global number, failed
    number += 1
    failed += not good
    for n in notes:
        print("# " + str(n).replace("\n", "\n# "))
    print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
    return good


def skip(name, why):
    global number
    number += 1
    print(f"ok {number} - {name} # SKIP {why}")


def pcap(frames, link=1):
    out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link)
    for i, f in enumerate(frames):
        out += struct.pack("<IIII", 1000, i, len(f), len(f)) + f
    return out


def pcapng(frames):
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        n = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + n + body + n
    out = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    out += block(1, struct.pack("<HHI", 1, 0, 0))
    for i, f in enumerate(frames):
        out += block(6, struct.pack("<IIIII", 0, 0, i, len(f), len(f)) + f)
    return out


def host(n, v6):
    return bytes([0x20, 1, 13, 0xb8] + [0] * 10) + struct.pack(">H", n) if v6 \
        else struct.pack(">BBH", 10, 0, n)


def ip(src, dst, proto, l4, offset=0, more=False, ident=0):
    if len(src) == 4:
        frag = (offset >> 3) | (0x2000 if more else 0)
        return ETH + b"\x08\0" + struct.pack(
            ">BBHHHBBH", 0x45, 0, 20 + len(l4), ident, frag, 64, proto,
            0) + src + dst + l4
    if offset or more:
        l4 = struct.pack(">BBHI", proto, 0, offset | more, ident) + l4
        proto = 44
    return ETH + b"\x86\xdd" + struct.pack(">IHBB", 0x60000000, len(l4), proto,
                                           64) + src + dst + l4


def tcp(src, dst, sport, dport, flags, data=b""):
    return ip(src, dst, 6, struct.pack(">HHIIBBHHH", sport, dport, 1, 1, 0x50,
                                       flags, 1000, 0, 0) + data)


def udp(src, dst, sport, dport, data):
    return ip(src, dst, 17, struct.pack(">HHHH", sport, dport, 8 + len(data),
                                        0) + data)


class World:
    """Frames of many connections, mixed, each with its truth."""
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.conns = []

    def tcp(self, client, server, cport, sport, ecn=False, mid=False,
            talk=None):
        r = self.rng
        c = lambda f, d=b"": ("P", tcp(client, server, cport, sport, f, d))
        s = lambda f, d=b"": ("S", tcp(server, client, sport, cport, f, d))
        ask, answer = talk or (b"", b"")
        frames = [] if mid else [
            c(SYN | (ECE | CWR if ecn else 0)),
            s(SYN | ACK | (ECE if ecn else 0)), c(ACK)]
        for _ in range(r.randrange(1, 6)):
            frames += [c(ACK | PSH, ask), s(ACK | PSH, answer), c(ACK)]
        frames += r.choice([[c(FIN | ACK), s(FIN | ACK), c(ACK)], [s(RST)], []])
        if mid:
            frames = frames[r.randrange(3):]
        self.conns.append(frames)

    def udp(self, client, server, cport, sport, ask, answer):
        self.conns.append([("P", udp(client, server, cport, sport, ask)),
                           ("S", udp(server, client, sport, cport, answer))])

    def mixed(self):
        """Connections interleaved, each in its own order."""
        left = [list(c) for c in self.conns]
        live, out = [], []
        while left or live:
            while left and len(live) < 50:
                live.append(left.pop(0))
            c = self.rng.choice(live)
            out.append(c.pop(0))
            if not c:
                live.remove(c)
        return out


def prep(work, data, *args):
    """(fates, exit code, output); no sanitizer may speak."""
    src, out = work / "in", work / "out"
    if isinstance(data, bytes):
        src.write_bytes(data)
        data = src
    out.unlink(missing_ok=True)
    r = subprocess.run([*PREP, "-i", str(data), "-o", str(out), *args],
                       capture_output=True, timeout=120)
    said = (r.stdout + r.stderr).decode(errors="replace")
    if r.returncode not in (0, 2) or "Sanitizer" in said or \
            "runtime error" in said:
        return None, -1, said
    if r.returncode:
        return None, r.returncode, said
    b = out.read_bytes()
    n, _, comment = struct.unpack(">QHH", b[12:24])
    b = b[24 + comment:]
    return "".join("NnSP"[b[i // 4] >> 2 * (i % 4) & 3] for i in range(n)), \
        0, said


def same(work, world, name, *args, write=pcap, want=None):
    frames = world.mixed()
    truth = "".join(t for t, _ in frames)
    truth = want(truth) if want else truth
    got, _, said = prep(work, write([f for _, f in frames]), *args)
    wrong = sum(a != b for a, b in zip(truth, got or ""))
    return result(got == truth, name,
                  f"{len(truth)} frames, {wrong} wrong", said.strip())


HTTP = (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n")
TLS = (b"\x16\3\1\0\x20\1" + b"\0" * 20, b"\x16\3\3\0\x20\2" + b"\0" * 20)
DNS = (b"\1\2\1\0" + b"\0" * 12, b"\1\2\x81\x80" + b"\0" * 12)


def truths(work):
    for v6 in (False, True):
        six = "IPv6" if v6 else "IPv4"
        w = World(1 + v6)
        for i in range(300):
            w.tcp(host(i % 40, v6), host(1000 + i % 7, v6), 20000 + i,
                  4000 + i % 5, ecn=i % 2 == 0)
        same(work, w, f"{six}: handshakes with and without ECN, odd ports")
        w = World(60 + v6)
        for i in range(100):
            w.tcp(host(i, v6), host(1000 + i, v6), 20000 + i, 40000 + i,
                  ecn=True)
        w.conns = [c[1:] for c in w.conns]
        same(work, w, f"{six}: SYN,ACK with ECN, and the SYN was missed")
        w = World(3 + v6)
        for i in range(300):
            # Every host is client and server, of connections to both sides.
            a, b = w.rng.sample(range(8), 2)
            w.tcp(host(a, v6), host(b, v6), 20000 + i, w.rng.choice(
                (80, 5000, 30000)), ecn=i % 3 == 0, talk=HTTP)
        for mode in ("bridge", "router", "client", "server", "first"):
            same(work, w, f"{six}: hosts that are client and server, -a "
                 f"{mode}", "-a", mode)
        w = World(5 + v6)
        for i in range(200):
            w.tcp(host(i % 9, v6), host(100, v6), 40000 + i, 7777, mid=True,
                  talk=(HTTP, TLS)[i % 2])
            w.udp(host(i % 9, v6), host(53, v6), 30000 + i, 53, *DNS)
        same(work, w, f"{six}: in mid-stream, by content; DNS")
        w = World(7 + v6)
        for i in range(100):
            w.tcp(host(i % 9, v6), host(100, v6), 40000 + i, 7777,
                  mid=i % 2 == 1)
            w.tcp(host(i % 9, v6), host(101, v6), 40000 + i, 22, mid=True)
        same(work, w, f"{six}: in mid-stream, by an endpoint known to serve "
             "and by port")
        w = World(9 + v6)
        for i in range(50):
            w.tcp(host(i % 9, v6), host(0x4000 + i % 3, v6), 40000 + i, 7777)
            w.tcp(host(i % 9, v6), host(0x4005, v6), 50000 + i, 40000 + i,
                  mid=True)
        same(work, w, f"{six}: router mode: a silent host in the servers' "
             "network", "-a", "router")
        same(work, w, f"{six}: router mode with -M and -m", "-a", "router", "-M", "29", "-m", "30")
        same(work, w, f"{six}: pcapng", "-a", "router", write=pcapng)


def rules(work):
    w = World(20)
    for i in range(60):
        w.tcp(host(i % 9, False), host(300 + i % 3, False), 4000 + i, 7777)
    flip = lambda t: t.translate(str.maketrans("PS", "SP"))
    same(work, w, "-c names the servers", "-c", "10.0.1.0/24")
    same(work, w, "-c --reverse names the clients", "-c", "10.0.0.0/24",
         "--reverse")
    same(work, w, "-c of the clients is the other way round", "-c",
         "10.0.0.0/24", want=flip)
    same(work, w, "-r names the servers", "-r", r"^10\.0\.1\.")
    same(work, w, "-c of both: the handshake says it", "-c", "10.0.0.0/8")
    same(work, w, "--max-flows: places are used again", "--max-flows", "20")
    picked = w.mixed()
    w.mixed = lambda: picked
    n = len(picked)
    same(work, w, "-x P: every packet keeps its entry", "-x", "P:2-9,20-",
         want=lambda t: "".join(c if 2 <= i + 1 <= 9 or i >= 19 else "N"
                                for i, c in enumerate(t)))
    same(work, w, "-X P: in an auto mode shifts nothing", "-a", "router",
         "-X", f"P:1-3,{n}", want=lambda t: "NNN" + t[3:-1] + "N")
    same(work, w, "-x F: leaves entries for the others", "-x",
         "F:src net 10.0.1.0/24", want=lambda t: t.replace("P", "N"))
    same(work, w, "-X F: too", "-X", "F:src net 10.0.1.0/24",
         want=lambda t: t.replace("S", "N"))
    same(work, w, "-X S:", "-X", "S:10.0.0.0/24",
         want=lambda t: t.replace("P", "N"))
    a, b = host(1, False), host(2, False)
    data = [udp(a, b, 9, 9999, b"x" * 8)[:34] + b"\0" * 10,
            ETH + b"\x08\6" + b"\0" * 30, b"\0" * 5]
    for args, want in (((), "PPP"), (("-N",), "PSS"),
                       (("--reverse",), "PSS"), (("-N", "--reverse"), "PPP"),
                       (("-e", "04:04:04:04:04:04"), "SSP")):
        got, _, said = prep(work, pcap(data), *args)
        result(got == want, f"frames without IP and short ones, {args}", got,
               said.strip())
    ping = lambda s, d, t: ip(s, d, 1, bytes([t, 0, 0, 0, 1, 2, 3, 4]))
    ask = udp(a, b, 4000, 5000, b"x" * 20)
    big = struct.pack(">HHHH", 4001, 53, 60, 0) + DNS[0] + b"\0" * 40
    data = [ping(b, a, 0), ask, ip(b, a, 1, b"\3\3\0\0\0\0\0\0" + ask[14:]),
            ping(a, b, 8), ip(a, b, 17, big[:24], 0, True, 7),
            ip(a, b, 17, big[24:], 24, False, 7)]
    got, _, said = prep(work, pcap(data))
    result(got == "SPSPPP", "echo, an ICMP error, parts of a datagram", got)
    data = [tcp(a, b, 5, 6, SYN), tcp(b, a, 6, 5, SYN | ACK),
            tcp(b, a, 6, 5, RST | ACK), tcp(b, a, 6, 5, SYN),
            tcp(a, b, 5, 6, SYN | ACK), tcp(b, a, 6, 5, ACK)]
    got, _, said = prep(work, pcap(data))
    result(got == "PSSPSP", "the same endpoints, opened from the other side",
           got)


def broken(work):
    w = World(30)
    for i in range(20):
        w.tcp(host(i, False), host(300, False), 4000 + i, 80)
    data = pcap([f for _, f in w.mixed()])
    bad = []
    ends = collections.Counter()
    rng = random.Random(4)
    for i in range(120):
        d = bytearray(data)
        if i % 2:
            d = d[:rng.randrange(len(d))]
        else:
            for _ in range(rng.choice((1, 5, 50))):
                d[rng.randrange(len(d))] ^= 1 << rng.randrange(8)
        for manner in ((), ("--compat", "tcpprep", "-a", "bridge")):
            _, code, said = prep(work, bytes(d), *manner)
            ends[code] += 1
            if code not in (0, 2) or (code == 2 and "prep:" not in said):
                bad.append(said[-500:])
    result(not bad and ends[0] and ends[2], "broken captures: a cache or an "
           "error", dict(ends), *bad[:3])


def router(work):
    if not MATERIAL or not shutil.which("tcpprep"):
        skip("router mode where tcpprep gives up", "MATERIAL or tcpprep is "
             "missing")
        return
    n = collections.Counter()
    bad = []
    program = PREP[0]
    PREP[0] = str(TOP / "build" / "understudy")
    for p in sorted(pathlib.Path(MATERIAL).rglob("*http*.pcap")):
        out = work / "theirs"
        r = subprocess.run(["tcpprep", "-a", "router", "-i", str(p), "-o",
                            str(out)], capture_output=True)
        got, code, said = prep(work, p, "-a", "router")
        n["tcpprep " + ("gives up" if r.returncode else "makes one")] += 1
        n["we " + ("give up" if code else "make one")] += 1
        if code or not got:
            bad.append(f"{p.name}: {said.strip()}")
    PREP[0] = program
    result(n["we make one"] > 0 and all("no frames" in b or "not a capture" in b
                                        or "link type" in b for b in bad),
           "router mode, HTTP captures of MATERIAL", dict(n), *bad[:9])


def tcpreplay(work):
    name = "tcpreplay sends by our cache"
    if os.geteuid() or not shutil.which("tcpreplay"):
        skip(name, "needs root and tcpreplay")
        return
    w = World(40)
    for i in range(30):
        w.tcp(host(i % 9, i % 2), host(300, i % 2), 4000 + i, 7777)
    frames = w.mixed()
    _, code, said = prep(work, pcap([f for _, f in frames]), "-X", "P:3")
    want = {d: [f for i, (t, f) in enumerate(frames) if t == d and i != 2]
            for d in "PS"}
    size = {d: 24 + sum(16 + len(f) for f in own) for d, own in want.items()}
    script = f"""
set -e
ip link add p0 type veth peer name p1
ip link add s0 type veth peer name s1
for d in p0 p1 s0 s1; do
    echo 1 > /proc/sys/net/ipv6/conf/$d/disable_ipv6
    ip link set $d up
done
tcpdump -Z root -i p1 -w {work}/p --immediate-mode -U 2>{work}/pe & a=$!
tcpdump -Z root -i s1 -w {work}/s --immediate-mode -U 2>{work}/se & b=$!
for i in $(seq 100); do
    grep -q listening {work}/pe && grep -q listening {work}/se && break
    sleep 0.1
done
tcpreplay -q -p 2000 -c {work}/out -i p0 -I s0 {work}/in
for i in $(seq 300); do
    [ $(stat -c %s {work}/p) -ge {size["P"]} ] && \\
        [ $(stat -c %s {work}/s) -ge {size["S"]} ] && break
    sleep 0.1
done
kill $a $b
wait $a $b || :
"""
    r = subprocess.run(["unshare", "-n", "sh", "-c", script],
                       capture_output=True, text=True, timeout=120)

    def sent(path):
        b = path.read_bytes() if path.exists() else b""
        out, at = [], 24
        while at + 16 <= len(b):
            n = struct.unpack("<I", b[at + 8:at + 12])[0]
            out.append(b[at + 16:at + 16 + n])
            at += 16 + n
        return out
    got = {"P": sent(work / "p"), "S": sent(work / "s")}
    result(code == 0 and got == want, name,
           f"{len(got['P'])} and {len(got['S'])} frames of "
           f"{len(want['P'])} and {len(want['S'])}",
           r.stderr[-400:] if got != want else "", said.strip())


def shown(work):
    """-P, -I and -S of ours and of tcpprep, of both kinds of cache."""
    name = "-P, -I and -S print what tcpprep prints"
    if not shutil.which("tcpprep"):
        skip(name, "tcpprep is not installed")
        return
    w = World(50)
    for i in range(9):
        w.tcp(host(i, False), host(300, False), 4000 + i, 80)
    _, _, said = prep(work, pcap([f for _, f in w.mixed()]), "-X", "P:4", "-C",
                      "a word")
    subprocess.run(["tcpprep", "-p", "-X", "P:3", "-i", str(work / "in"), "-o",
                    str(work / "theirs")], capture_output=True)
    bad = []
    for cache in (work / "out", work / "theirs"):
        for letter in "PIS":
            a = subprocess.run(["tcpprep", "-" + letter, str(cache)],
                               capture_output=True).stdout
            b = subprocess.run([*PREP, "-" + letter, str(cache)],
                               capture_output=True).stdout
            if a != b or not a:
                bad.append(f"{letter}: {a[:200]} {b[:200]}")
    result(not bad, name, *bad)


def main():
    with tempfile.TemporaryDirectory() as d:
        work = pathlib.Path(d)
        truths(work)
        rules(work)
        broken(work)
        router(work)
        tcpreplay(work)
        shown(work)
    print(f"1..{number}")
    return 1 if failed else 0


sys.exit(main())
