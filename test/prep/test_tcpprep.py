#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Caches of "prep --compat tcpprep" against those of the installed tcpprep.

Every mode over captures that nobody here wrote (MATERIAL) and captures made
here to reach what those do not; where tcpprep gives up, we must too. And
tcpreplay's own vectors. Prints TAP.
"""
import collections
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

TOP = pathlib.Path(__file__).resolve().parents[2]
PREP = [os.environ.get("UNDERSTUDY", str(TOP / "build" / "understudy")), "prep",
        "--compat", "tcpprep"]
MATERIAL = os.environ.get("MATERIAL")
MODES = [
    ["-a", "bridge"], ["-a", "router"], ["-a", "client"], ["-a", "server"],
    ["-a", "first"], ["-a", "router", "-N"], ["-a", "bridge", "-R", "0.3"],
    ["-p"], ["-p", "-N"], ["-p", "-s", "/etc/services"],
    ["-c", "10.0.0.0/8,192.168.0.0/16,[fe80::/10],[2001::/16]"],
    ["-c", "10.0.0.0/8", "--reverse"], ["-r", "^(10|192)\\."],
    ["-r", ":", "--reverse"], ["-e", "00:0c:29:00:00:01,00:00:00:00:00:00"],
    ["-p", "-X", "P:1-2,5,9-99"], ["-a", "bridge", "-X", "P:2-3"],
    ["-a", "client", "-x", "S:10.0.0.0/8"], ["-p", "-x", "E:192.168.0.0/16"],
    ["-a", "first", "-X", "B:0.0.0.0/0"], ["-p", "-x", "F:tcp"],
    ["-a", "server", "-x", "D:[::/0]"],
    ["-p", "-C", "a comment", "-N"], ["-p", "--comment=another"],
]
# One mode of these for a capture, in turn, and so all for every MODES captures.
PER_CAPTURE = int(os.environ.get("PREP_MODES", "3"))


def pcap(frames, link=1, snap=262144):
    out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snap, link)
    for i, f in enumerate(frames):
        f, wire = f if isinstance(f, tuple) else (f, len(f))
        out += struct.pack("<IIII", i, 0, len(f), wire) + f
    return out


ETH = b"\2" * 6 + b"\4" * 6


def ip4(src, dst, proto, l4, hl=5):
    return struct.pack(">BBHHHBBH4B4B", 0x40 | hl, 0, 20 + len(l4), 0, 0x4000,
                       64, proto, 0, *src, *dst) + b"\1" * (4 * hl - 20) + l4


def ip6(src, dst, proto, l4):
    return struct.pack(">IHBB", 0x60000000, len(l4), proto, 64) \
        + bytes([0x20, 1] + [0] * 13 + [src]) \
        + bytes([0x20, 1] + [0] * 13 + [dst]) + l4


def tcp(sport, dport, flags, data=b""):
    return struct.pack(">HHIIBBHHH", sport, dport, 1, 1, 0x50, flags, 1000, 0,
                       0) + data


def udp(sport, dport, data=b"\0" * 12):
    return struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data


def own_captures():
    """Name and bytes of captures for what the material has little of."""
    a, b, c = (10, 0, 0, 9), (10, 0, 0, 2), (192, 168, 1, 1)
    e4 = lambda p: ETH + b"\x08\x00" + p
    e6 = lambda p: ETH + b"\x86\xdd" + p
    hand = lambda s, d, f=2: [ip4(s, d, 6, tcp(1000, 80, f)),
                              ip4(d, s, 6, tcp(80, 1000, f | 0x10)),
                              ip4(s, d, 6, tcp(1000, 80, 0x18, b"GET"))]
    yield "hand", pcap([e4(p) for p in hand(a, b)])
    yield "hand_up", pcap([e4(p) for p in hand(b, a)])
    yield "ecn", pcap([e4(p) for p in hand(a, b, 0xc2)])
    yield "both_roles", pcap([e4(p) for p in hand(a, b) + hand(b, c)])
    yield "raw", pcap(hand(a, b), 101)
    yield "raw_old", pcap(hand(a, b), 12)
    yield "sll", pcap([b"\0" * 14 + b"\x08\0" + p for p in hand(a, b)], 113)
    yield "hdlc", pcap([b"\x0f\0\x08\0" + p for p in hand(a, b)], 104)
    yield "ppp", pcap([b"\xff\3\0\x21" + p for p in hand(a, b)], 50)
    yield "null", pcap([b"\2\0\0\0" + p for p in hand(a, b)], 0)
    yield "vlan", pcap([ETH + b"\x81\0\0\1\x08\0" + p for p in hand(a, b)])
    yield "qinq", pcap([ETH + b"\x88\xa8\0\1\x81\0\0\2\x08\0" + p
                        for p in hand(a, b)])
    yield "qinq_old", pcap([ETH + b"\x91\0\0\1\x81\0\0\2\x08\0" + p
                            for p in hand(a, b)])
    yield "mpls", pcap([ETH + b"\x88\x47\0\1\0\xff\0\1\1\xff" + p
                        for p in hand(a, b)])
    yield "eompls", pcap([ETH + b"\x88\x47\0\1\1\xff\0\0\0\0" + e4(p)
                          for p in hand(a, b)])
    syn, label = hand(a, b)[0], b"\0\1\1\xff"
    mpls = lambda rest, kind=b"\x88\x47": pcap([ETH + kind + rest, e4(syn)])
    yield "mpls_multi", mpls(label + syn, b"\x88\x48")
    yield "mpls_six", mpls(label + ip6(1, 2, 6, tcp(1000, 80, 2)))
    yield "mpls_channel", mpls(b"\0\0\xd1\xff" + syn)
    yield "mpls_other", mpls(label + b"\x50" + syn)
    yield "mpls_short", mpls(b"\0\1\0\xff\0")
    yield "mpls_alone", mpls(b"\0\1\0\xff" + label)
    for n in (0, 17, 18):
        yield f"eompls_short{n}", mpls(label + b"\0" * n)
    yield "qinq_short", pcap([ETH + b"\x88\xa8\0\1\x81\0\0", e4(syn)])
    for name, link, header in (("sll", 113, b"\0" * 14 + b"\x08\0"),
                               ("hdlc", 104, b"\x0f\0\x08\0"),
                               ("ppp", 50, b"\xff\3\0\x21"), ("raw", 101, b"")):
        yield name + "_short", pcap([header[:-1], header + syn], link)
    yield "raw_none", pcap([b"", syn], 101)
    yield "ppp_other", pcap([b"\xff\3\0\x57" + syn], 50)
    juniper = lambda *rest: pcap([b"MGC" + r for r in rest], 178)
    yield "juniper", juniper(*(b"\0" + e4(p) for p in hand(a, b)))
    yield "juniper_ext", juniper(*(b"\x80\0\4abcd" + e4(p)
                                   for p in hand(a, b)))
    yield "juniper_long", juniper(b"\x80\xff\0abcd" + e4(syn))
    yield "juniper_short", juniper(b"\0" + b"\0" * 19, b"\0a")
    yield "juniper_no", pcap([b"MGX\0" + e4(syn), b"MGC", b"MXC\0" + e4(syn),
                              b"XGC\0" + e4(syn)], 178)
    yield "six", pcap([e6(ip6(1, 2, 6, tcp(1000, 80, 2))),
                       e6(ip6(2, 1, 6, tcp(80, 1000, 0x12))),
                       e6(ip6(2, 1, 6, tcp(80, 1000, 0x12))),
                       e4(ip4(a, b, 6, tcp(1, 2, 0x10)))])
    hop = lambda nh, n=0: bytes([nh, n]) + b"\0" * (6 + 8 * n)
    frag = lambda nh: bytes([nh, 0, 0, 1, 0, 0, 0, 9])
    t = tcp(1000, 80, 2)
    for name, nh, body in (
            ("hop", 0, hop(6) + t), ("hop_long", 0, hop(6, 2) + t),
            ("hop_dest", 0, hop(60) + hop(6) + t), ("frag", 44, frag(6) + t),
            ("hop_frag", 0, hop(44) + frag(6) + t), ("esp", 50, t),
            ("none", 59, b""), ("hop_none", 0, hop(59)),
            ("routing_udp", 43, hop(17) + udp(1, 53)),
            ("auth", 51, hop(6, 1) + t), ("hop31", 0, hop(6, 31) + t),
            ("icmp6", 58, b"\x80\0\0\0" + b"\0" * 20)):
        yield "six_" + name, pcap([e6(ip6(1, 2, nh, body + b"\0" * 40))])
    for n in (0, 1, 2, 7, 9, 39):
        yield f"six_short{n}", pcap([e6(ip6(1, 2, 0, hop(6) + t))[:54 + n]])
    yield "options", pcap([e4(ip4(a, b, 6, t, 8)), e4(ip4(a, b, 6, t, 3))])
    yield "ftp", pcap([e4(ip4(a, b, 6, tcp(20, 80, 2))),
                       e4(ip4(b, c, 6, tcp(5120, 80, 2)))])
    dns = lambda b2, b3: b"\1\2" + bytes([b2, b3]) + b"\0" * 8
    yield "dns", pcap([e4(ip4(a, b, 17, udp(5, 53, dns(1, 0)))),
                       e4(ip4(b, a, 17, udp(53, 5, dns(0x81, 0x80)))),
                       e4(ip4(c, a, 17, udp(53, 6, dns(0, 0x80)))),
                       e4(ip4(c, b, 17, udp(7, 53, dns(0, 0x80))))])
    yield "icmp", pcap([e4(ip4(a, b, 1, b"\3\3\0\0" + b"\0" * 28)),
                        e4(ip4(b, a, 1, b"\3\1\0\0"))])
    yield "icmp_other", pcap([e4(ip4(a, b, 1, b"\5\3\0\0" + b"\0" * 28)),
                              e4(ip4(b, a, 1, b"\3\3\0\0"))])
    yield "udp_other", pcap([e4(ip4(a, b, 17, udp(5, 6))),
                             e4(ip4(b, a, 17, udp(53, 6))),
                             e4(ip4(b, a, 17, udp(53, 6)))])
    yield "icmp_short", pcap([e4(ip4(a, b, 1, b"\3\3\0"))])
    for n in (0, 7, 8, 19):
        yield f"udp_short{n}", pcap([e4(ip4(a, b, 17, udp(1, 53)[:n]))])
    for n in range(12, 56, 3):
        yield f"short{n}", pcap([e4(hand(a, b)[0]), e4(hand(b, a)[0])[:n]])
    for wire in (0, 10, 40, 262144, 262145):
        yield f"wire{wire}", pcap([(e4(hand(a, b)[0]), wire),
                                   e4(hand(a, b)[1])])
    yield "no_bytes", pcap([e4(hand(a, b)[0]), (b"", 60)])
    yield "snap", pcap([e4(p) for p in hand(a, b)], snap=40)
    yield "long", pcap([e4(hand(a, b)[0]) + b"a" * 262080])
    yield "too_long", pcap([e4(hand(a, b)[0]),
                            e4(hand(a, b)[0]) + b"a" * 262100])
    yield "cut", pcap([e4(p) for p in hand(a, b)])[:-5]
    yield "empty", pcap([])
    yield "arp", pcap([ETH + b"\x08\x06" + b"\0" * 40] * 5)
    yield "length", pcap([ETH + b"\0\x26" + b"\0" * 40,
                          ETH + b"\5\xf0" + b"\0" * 40])
    yield "length_ip", pcap([ETH + b"\0\x26" + p for p in hand(a, b)]
                            + [ETH + b"\0\0" + ip6(1, 2, 6, t)])
    yield "length_vlan", pcap([ETH + b"\x81\0\0\1\0\x26" + p
                              for p in hand(a, b)])
    for n in (60, 61, 62, 63, 64, 255):
        yield f"six_hop{n}", pcap([e6(ip6(1, 2, 0, hop(6)[:1] + bytes([n])
                                          + bytes(range(256)) * 5))])
        if n in (62, 63):
            continue  # tcpprep runs in circles
        yield f"six_dest{n}", pcap([e6(ip6(1, 2, 0, hop(60)[:1] + bytes([n])
                                           + b"\6\0" * 700))])
    for outer in (41, 0):
        yield f"six_in_six{outer}", pcap([e6(ip6(
            1, 2, outer, (hop(41) if outer == 0 else b"") +
            ip6(3, 4, 6, t) + b"\0" * 200))])
    yield "wide", pcap([e4(ip4((10, 1, i >> 8, i & 255), b, 6, t))
                        for i in range(5000)])


def run(command, out, **env):
    r = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                       env=dict(os.environ, **env))
    try:
        cache = out.read_bytes()
        out.unlink()
    except FileNotFoundError:
        cache = b""
    return r.returncode, cache, r.stderr.decode(errors="replace")


def is_undefined(args, out):
    """Does tcpprep's cache depend on memory that nobody wrote to (behind a frame
    that is cut)? What malloc() gives is filled otherwise each time."""
    return len({run(["tcpprep", *args], out, MALLOC_PERTURB_=str(fill))[:2]
                for fill in (1, 85, 170, 254)}) > 1


def compare(capture, mode, work):
    """None if equal, else a sentence; the second is what happened."""
    out = work / f"{os.getpid()}_{hash((capture, tuple(mode))) & 2**60 - 1}"
    args = ["-i", str(capture), "-o", str(out), *mode]
    code, theirs, _ = run(["tcpprep", *args], out)
    ours_code, ours, said = run(PREP + args, out)
    what = f"{capture.name} {' '.join(mode)}"
    if ours_code not in (0, 2):
        return f"{what}: we ended with {ours_code}: {said[-300:]}", "fault"
    if code < 0:
        return None, "tcpprep crashed"
    if code != 0:
        if ours_code == 0:
            return f"{what}: tcpprep gives up ({code}), we do not", "fault"
        return None, "gave up"
    if ours_code != 0:
        return f"{what}: tcpprep writes a cache, we do not: {said}", "fault"
    if theirs != ours and is_undefined(args, out):
        return None, "undefined"
    if theirs != ours:
        at = next((i for i, (x, y) in enumerate(zip(theirs, ours)) if x != y),
                  min(len(theirs), len(ours)))
        return (f"{what}: {len(theirs)} and {len(ours)} bytes, the first "
                f"difference at {at}"), "fault"
    return None, "equal"


def report(number, name, results):
    faults = [r for r, _ in results if r]
    counts = collections.Counter(w for _, w in results)
    for f in faults[:int(os.environ.get('SHOW', '20'))]:
        print("# " + f)
    print("# " + ", ".join(f"{v} {k}" for k, v in sorted(counts.items())))
    ok = not faults and counts["equal"] > 0
    print(f"{'ok' if ok else 'not ok'} {number} - {name}")
    sys.stdout.flush()
    return ok


VECTORS = {
    "auto_first": ["-a", "first"],
    "cidr_reverse": ["-c", "96.17.211.0/24", "--reverse"],
    "comment": ["-C", "This is a comment", "-p"],
    "include_dest": ["-c", "96.17.211.0/24", "-x", "D:96.0.0.0/8"],
    "include_packets": ["-c", "96.17.211.0/24", "-x", "P:61-65,88-91"],
    "include_source": ["-c", "96.17.211.0/24", "-x", "S:96.0.0.0/8"],
    "mac_reverse": ["-e", "00:1f:f3:3c:e1:13", "--reverse"],
    "prep_config": ["-a", "bridge", "-m", "31", "-M", "16", "-N", "-C",
                    "This file was generated via the config file"],
}


def vectors(work):
    folder = pathlib.Path(MATERIAL) / "tcpreplay-prep"
    for name, mode in VECTORS.items():
        out = work / "vector"
        _, ours, said = run(PREP + ["-i", str(folder / "test.pcap"), "-o",
                                    str(out), "--no-arg-comment", *mode], out)
        if ours == (folder / f"test.{name}").read_bytes():
            yield None, "equal"
        else:
            yield f"test.{name}: differs {said}", "fault"


def main():
    print("1..3")
    if not shutil.which("tcpprep"):
        for i in (1, 2, 3):
            print(f"ok {i} # SKIP tcpprep is not installed")
        return 0
    with tempfile.TemporaryDirectory(dir="/dev/shm") as d, \
            ThreadPoolExecutor(2) as pool:
        work = pathlib.Path(d)
        jobs = []
        for name, data in own_captures():
            path = work / f"{name}.pcap"
            path.write_bytes(data)
            jobs += [(path, m) for m in MODES]
        good = report(1, "captures made here, every mode", list(pool.map(
            lambda j: compare(*j, work), jobs)))
        if not MATERIAL:
            print("ok 2 # SKIP MATERIAL is not set\nok 3 # SKIP MATERIAL is "
                  "not set")
            return 0 if good else 1
        files = sorted(p for p in pathlib.Path(MATERIAL).rglob("*")
                       if p.suffix in (".pcap", ".pcapng", ".cap", ".dmp"))
        jobs = [(p, MODES[(i * PER_CAPTURE + k) % len(MODES)])
                for i, p in enumerate(files) for k in range(PER_CAPTURE)]
        good &= report(2, f"{len(files)} captures of MATERIAL", list(pool.map(
            lambda j: compare(*j, work), jobs)))
        good &= report(3, "tcpreplay's own vectors", list(vectors(work)))
    return 0 if good else 1


sys.exit(main())
