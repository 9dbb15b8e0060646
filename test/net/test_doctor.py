# SPDX-License-Identifier: BSD-2-Clause
"""understudy doctor against planted breakages.

    tap              us                      sut
   +------+   +-----------------+   +------------------+
   |  m0 -------- mon0   eth1 --------- s0  10.1.0.20  |
   +------+   +-----------------+   |       fd00:b::20 |
                                    +------------------+

A sender on m0 plays a mirror port; the SUT is a plain host. Every breakage is
planted in a lab that is well otherwise, and must be named as the first hop that
fails, with the command that mends it.
"""
import os
import shutil
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import lab  # noqa: E402

BINARY = os.environ.get("UNDERSTUDY", os.path.join(
    HERE, "..", "..", "build", "understudy"))
IDLE = "a few frames a second"
NET = "us%d-d" % os.getpid()
ROOMS = {r: NET + r for r in ("tap", "us", "sut")}

SENDER = """
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
while True:
    for f in sys.argv[2:]:
        try:
            s.send(bytes.fromhex(f))
        except OSError:
            pass
    time.sleep(0.05)
"""
LISTENER = """
import socket, time
s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(("::", 80))
s.listen()
time.sleep(600)
"""


def checksum(data):
    n = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff


def ipv4(src, dst, proto, payload):
    a, b = (bytes(map(int, x.split("."))) for x in (src, dst))
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0x4000, 64,
                       proto, 0) + a + b
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:], a + b


def tcp4(src, sport, dst, dport, payload=b""):
    seg = struct.pack("!HHIIBBHHH", sport, dport, 1, 1, 0x50, 0x10, 500, 0, 0)
    seg += payload
    head, ends = ipv4(src, dst, 6, seg)
    n = checksum(ends + struct.pack("!HH", 6, len(seg)) + seg)
    seg = seg[:16] + struct.pack("!H", n) + seg[18:]
    return ether(0x0800, head + seg)


def tcp6(src, sport, dst, dport):
    import socket
    ends = b"".join(socket.inet_pton(socket.AF_INET6, x) for x in (src, dst))
    seg = struct.pack("!HHIIBBHHH", sport, dport, 1, 1, 0x50, 0x10, 500, 0, 0)
    n = checksum(ends + struct.pack("!II", len(seg), 6) + seg)
    seg = seg[:16] + struct.pack("!H", n) + seg[18:]
    return ether(0x86dd, struct.pack("!IHBB", 6 << 28, len(seg), 6, 64) +
                 ends + seg)


def ether(kind, payload):
    return bytes.fromhex("02000000000b02000000000c") + struct.pack(
        "!H", kind) + payload


def vxlan(frame):
    data = struct.pack("!BBHI", 8, 0, 0, 5 << 8) + frame
    udp = struct.pack("!HHHH", 5555, 4789, 8 + len(data), 0)
    return ether(0x0800, ipv4("10.8.0.1", "10.8.0.2", 17, udp + data)[0] +
                 udp + data)


TO = tcp4("10.0.0.2", 4000, "10.0.0.10", 80)
FROM = tcp4("10.0.0.10", 80, "10.0.0.2", 4000)
TO6 = tcp6("fd00:a::2", 4000, "fd00:a::10", 80)
FROM6 = tcp6("fd00:a::10", 80, "fd00:a::2", 4000)
HELLO = bytes.fromhex("16030100c8010000c40303") + b"x" * 41
TLS = [tcp4("10.0.0.2", 4000, "10.0.0.10", 80, HELLO),
       tcp4("10.0.0.10", 80, "10.0.0.2", 4000, HELLO)]
HTTP = [tcp4("10.0.0.2", 4000, "10.0.0.10", 80, b"GET / HTTP/1.1\r\n\r\n"),
        tcp4("10.0.0.10", 80, "10.0.0.2", 4000, b"HTTP/1.1 204 N\r\n\r\n")]
UNFILLED = [f[:-2] + b"zz" for f in HTTP]
MDNS = ether(0x0800, ipv4("10.0.0.9", "224.0.0.251", 17, struct.pack(
    "!HHHH", 5353, 5353, 8, 0))[0] + struct.pack("!HHHH", 5353, 5353, 8, 0))
SUT_SEEN = tcp4("10.0.0.3", 4000, "10.1.0.20", 80)
STRANGER = bytes.fromhex("ffffffffffff0200000000ee08060001080006040001"
                         "0200000000ee0a0100630000000000000a010014")


def ip(room, *words, check=True):
    subprocess.run(("ip", "-n", ROOMS[room]) + words, check=check,
                   capture_output=True)


class Lab:
    """A well lab; children end with it."""

    def __init__(self, frames=(TO, FROM), listen=True):
        self.children = []
        self.close()
        for room in ROOMS.values():
            subprocess.run(("ip", "netns", "add", room), check=True)
        ip("us", "link", "add", "mon0", "type", "veth", "peer", "name", "m0",
           "netns", ROOMS["tap"])
        ip("us", "link", "add", "eth1", "type", "veth", "peer", "name", "s0",
           "netns", ROOMS["sut"])
        ip("tap", "link", "set", "m0", "up")
        ip("sut", "address", "add", "10.1.0.20/24", "dev", "s0")
        ip("sut", "address", "add", "fd00:b::20/64", "dev", "s0", "nodad")
        ip("sut", "link", "set", "lo", "up")
        ip("sut", "link", "set", "s0", "up")
        ip("sut", "route", "add", "default", "via", "10.1.0.1", "dev", "s0")
        ip("sut", "-6", "route", "add", "default", "via", "fd00:b::1", "dev",
           "s0")
        if frames:
            self.send("tap", "m0", *frames)
        if listen:
            self.spawn("sut", LISTENER)
            self.listening()

    def spawn(self, room, code, *args):
        self.children.append(subprocess.Popen(
            ("ip", "netns", "exec", ROOMS[room], sys.executable, "-c", code) +
            args))

    def listening(self):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            r = subprocess.run(
                ("ip", "netns", "exec", ROOMS["sut"], "ss", "-Hltn"),
                capture_output=True, text=True)
            if ":80 " in r.stdout:
                return
            time.sleep(0.02)
        raise RuntimeError("no server listens at the SUT")

    def send(self, room, dev, *frames):
        self.spawn(room, SENDER, dev, *(f.hex() for f in frames))

    def doctor(self, *args, wrap=()):
        return subprocess.run(
            ("ip", "netns", "exec", ROOMS["us"]) + tuple(wrap) +
            (BINARY, "doctor") + args, capture_output=True, text=True,
            timeout=60)

    def close(self):
        for c in self.children:
            c.kill()
            c.wait()
        for room in ROOMS.values():
            subprocess.run(("ip", "netns", "del", room), capture_output=True)


GOOD = ("-i", "mon0", "--sut-dev", "eth1", "--map",
        "10.0.0.10:80=10.1.0.20:80")
GOOD6 = GOOD[:5] + ("[fd00:a::10]:80=[fd00:b::20]:80",)


def swap(old, new):
    return tuple(new if w == old else w for w in GOOD)


def plant(room, *words):
    return lambda l: ip(room, *words)


def in_use_and_down(l):
    ip("us", "address", "add", "10.9.0.1/24", "dev", "mon0")
    ip("us", "link", "set", "mon0", "down")


def master(l):
    ip("us", "link", "add", "br0", "type", "bridge")
    ip("us", "link", "set", "eth1", "master", "br0")


def stranger(l):
    l.send("sut", "s0", STRANGER)


def firewall(rule):
    """Plants a rule for what comes in at the SUT."""
    return lambda l: subprocess.run(
        ("ip", "netns", "exec", ROOMS["sut"], "nft", "-f", "-"), check=True,
        input="table inet f {\nchain i {\ntype filter hook input priority 0;\n"
              "%s\n}\n}\n" % rule, text=True)


def no_raw(l):
    l.wrap = ("setpriv", "--bounding-set", "-net_raw", "--inh-caps",
              "-net_raw")


# Name; what the lab is made of; what is planted; arguments; words of the hop's
# line; words of the remedy's.
BROKEN = [
    ("no rights", {}, no_raw, GOOD, "CAP_NET_RAW", "sudo"),
    ("no mirror interface", {}, None, swap("mon0", "nosuch0"),
     "no interface nosuch0", "-i"),
    ("the loopback interface as mirror", {},
     plant("us", "link", "set", "lo", "up"), swap("mon0", "lo"),
     "loopback addresses", "--client-net"),
    ("mirror in use and down", {}, in_use_and_down, GOOD, "mon0 is down",
     "ip link set dev mon0 up"),
    ("mirror without carrier", {}, plant("tap", "link", "set", "m0", "down"),
     GOOD, "mon0 has no carrier", "ip link set dev"),
    ("a filter that is none", {}, None, GOOD + ("tcp prot 80",),
     "filter expression", "pcap-filter"),
    ("a silent mirror", {"frames": ()}, plant(
        "tap", "link", "set", "m0", "arp", "off"), GOOD, "no frame came in",
     "mirror production's port"),
    ("a filter that matches nothing", {}, None, GOOD + ("tcp port 81",),
     "matches none", "tcpdump -ni mon0 'tcp port 81'"),
    ("another production", {}, None,
     swap(GOOD[5], "10.0.0.11:80=10.1.0.20:80"), "none of the frames",
     "correct --map; seen is for example 10.0.0"),
    ("a mirror in VXLAN", {"frames": (vxlan(TO), vxlan(FROM))}, None, GOOD,
     "none of the frames", "--decap vxlan:"),
    ("wrong checksums", {"frames": UNFILLED}, None, GOOD,
     "frames have a wrong checksum", "ethtool -K DEV tx off"),
    ("TLS", {"frames": TLS}, None, GOOD, "to 10.0.0.10:80 is TLS",
     "behind what ends TLS"),
    ("TLS behind other segments", {"frames": [TO, FROM] + TLS}, None, GOOD,
     "to 10.0.0.10:80 is TLS", "behind what ends TLS"),
    ("only multicast", {"frames": (MDNS,)}, None, GOOD, "none of the frames",
     "ask production something"),
    ("a file that is there", {}, None, GOOD + ("--json", "/etc/passwd"),
     "--json /etc/passwd is there already", "another file"),
    ("a folder that is not", {}, None, GOOD + ("-w", "/nosuch/run.pcapng"),
     "there is no folder /nosuch", "mkdir -p"),
    ("only clients seen", {"frames": (TO,)}, None, GOOD,
     "only what clients send", "both directions"),
    ("only production seen", {"frames": (FROM,)}, None, GOOD,
     "only what production sends", "both directions"),
    ("SUT on the mirror", {"frames": (SUT_SEEN, TO, FROM)}, None, GOOD,
     "SUT's address shows up", "eth1"),
    ("no SUT interface", {}, None, swap("eth1", "nosuch1"),
     "no interface nosuch1", "--sut-dev"),
    ("an address on the SUT's wire", {},
     plant("us", "address", "add", "10.1.0.9/24", "dev", "eth1"), GOOD,
     "has an address", "ip address flush dev eth1"),
    ("the SUT's wire in a bridge", {}, master, GOOD, "belongs to br0",
     "ip link set dev eth1 nomaster"),
    ("an interface on the SUT's wire", {},
     plant("us", "link", "add", "link", "eth1", "name", "v5", "type",
           "macvlan"), GOOD, "built on it", "ip link delete"),
    ("SUT's wire without carrier", {},
     plant("sut", "link", "set", "s0", "down"), GOOD, "eth1 has no carrier",
     "on the SUT: ip link set dev DEV up"),
    ("SUT without its address", {},
     plant("sut", "address", "del", "10.1.0.20/24", "dev", "s0"), GOOD,
     "10.1.0.20 does not answer ARP", "ip address add 10.1.0.20/24"),
    ("SUT without its IPv6 address", {"frames": (TO6, FROM6)},
     plant("sut", "-6", "address", "del", "fd00:b::20/64", "dev", "s0"), GOOD6,
     "fd00:b::20 does not answer neighbour", "ip address add fd00:b::20/64"),
    ("no route back", {},
     plant("sut", "route", "del", "default"), GOOD,
     "10.1.0.20:80 does not answer a client", "ip route replace default via"),
    ("no IPv6 route back", {"frames": (TO6, FROM6)},
     plant("sut", "-6", "route", "del", "default"), GOOD6,
     "does not answer a client", "ip -6 route replace default via"),
    ("nobody listens", {"listen": False}, None, GOOD,
     "10.1.0.20:80 refuses", "start the server"),
    ("a route to another hardware address", {},
     plant("sut", "neigh", "replace", "10.1.0.1", "lladdr",
           "02:00:00:00:00:ee", "dev", "s0", "nud", "permanent"), GOOD,
     "leads to 02:00:00:00:00:ee", "neighbour flush dev"),
    ("a firewall that rejects", {}, firewall(
        "tcp dport 80 reject with icmpx type admin-prohibited"), GOOD,
     "a firewall rejects what a client from 198.1", "accept TCP to port 80"),
    ("a firewall that rejects IPv6", {"frames": (TO6, FROM6)}, firewall(
        "tcp dport 80 reject with icmpx type admin-prohibited"), GOOD6,
     "a firewall rejects what a client from 2001:db8:",
     "accept TCP to port 80"),
    ("a firewall that rejects the clients alone", {}, firewall(
        "ip saddr 10.0.0.0/16 tcp dport 80 reject"), GOOD,
     "a firewall rejects what a client from 10.0.", "accept TCP to port 80"),
    ("a stranger", {}, stranger, GOOD, "02:00:00:00:00:ee",
     "take that host off the wire of eth1"),
]


def lines_of(r):
    fails = [n for n in r.stdout.splitlines() if n.startswith("FAIL")]
    mends = [n for n in r.stdout.splitlines() if "remedy: " in n]
    return fails, mends


def broken(made_of, planted, args, says, mends):
    """What is wrong with the doctor's word on a breakage, or None."""
    l = Lab(**made_of)
    l.wrap = ()
    try:
        if planted:
            planted(l)
        r = l.doctor(*args, wrap=l.wrap)
    finally:
        l.close()
    fail, remedy = lines_of(r)
    if (r.returncode == 2 and len(fail) == 1 and says in fail[0] and
            len(remedy) == 1 and mends in remedy[0]):
        return None
    return "exit %d\n%s%s" % (r.returncode, r.stdout, r.stderr)


def well(args, frames):
    l = Lab(frames=frames)
    try:
        r = l.doctor(*args)
    finally:
        l.close()
    fail, _ = lines_of(r)
    if r.returncode == 0 and not fail and "all is well" in r.stdout:
        return None
    return "exit %d\n%s%s" % (r.returncode, r.stdout, r.stderr)


def guards(dev):
    return subprocess.run(
        ("ip", "netns", "exec", ROOMS["us"], "tc", "filter", "show", "dev",
         dev, "egress"), capture_output=True, text=True).stdout


def released():
    l = Lab()
    try:
        l.doctor(*GOOD)
        before = guards("eth1")
        r = l.doctor("--release", "eth1")
        after = guards("eth1")
        other = l.doctor("--release", "nosuch0").returncode
    finally:
        l.close()
    if before and not after and r.returncode == 0 and other == 2:
        return None
    return "before %r, after %r, exit %d, of nosuch0 %d" % (
        before, after, r.returncode, other)


def why_not():
    if os.geteuid():
        return "not root"
    if not os.access(BINARY, os.X_OK):
        return "understudy is not built"
    for tool in ("ip", "ss", "tc", "nft", "setpriv"):
        if not shutil.which(tool):
            return "no " + tool
    if subprocess.run(("ip", "netns", "add", ROOMS["us"]),
                      capture_output=True).returncode:
        return "cannot make network namespaces"
    subprocess.run(("ip", "netns", "del", ROOMS["us"]))
    return None


def main():
    why = why_not()
    if why:
        lab.no_lab(why)
    tests = [("well", lambda: well(GOOD, (TO, FROM))),
             ("well, with HTTP", lambda: well(GOOD, HTTP)),
             ("well, IPv6", lambda: well(GOOD6, (TO6, FROM6))),
             ("the guard is lifted", released)]
    tests += [(b[0], lambda b=b: broken(*b[1:])) for b in BROKEN]
    if sys.argv[1:]:
        tests = [t for t in tests if sys.argv[1] in t[0]]
    print("1..%d" % len(tests))
    bad = 0
    for i, (name, run) in enumerate(tests, 1):
        wrong = run()
        bad += wrong is not None
        if wrong:
            print("\n".join("# " + n for n in wrong.splitlines()))
        print("%sok %d - %s" % ("not " if wrong else "", i, name), flush=True)
    return 1 if bad else 0


sys.exit(main())
