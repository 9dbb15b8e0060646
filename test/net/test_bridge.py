# SPDX-License-Identifier: BSD-2-Clause
"""A real bridge as the SUT's wire: it snoops, asks and spans its tree, and is no
stranger; whoever could be a way out for the SUT on it ends the run by name.

The SUT's wire leads through a room "br": eth1 - b0 br0 b1 - s0; others hang on it
by b2 - b3.
"""
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

EVIL = "02:00:00:00:00:ee"
SEND = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for f in sys.argv[2:]:
    s.send(bytes.fromhex(f))
"""


class Bridged(lab.Lab):
    """The lab with a bridge in the SUT's wire."""

    def __init__(self, stp=0, **kw):
        super().__init__(**kw)
        self.stp = stp

    def mirror(self):
        sh, br = lab.sh, self.ns("br")
        sh("ip", "netns", "add", br)
        self.made.append("br")
        self.ip("us", "link", "del", "eth1")
        for a, x, y in (("us", "eth1", "b0"), ("sut", "s0", "b1")):
            self.ip(a, "link", "add", x, "type", "veth", "peer", "name", y,
                    "netns", br)
        self.ip("sut", "link", "set", "s0", "address", lab.MAC["s0"])
        self.ip("br", "link", "add", "br0", "type", "bridge", "mcast_snooping",
                "1", "mcast_querier", "1", "mcast_query_interval", "100",
                "mcast_startup_query_interval", "100", "stp_state",
                str(self.stp), "forward_delay", "200", "hello_time", "100")
        for dev in ("b0", "b1"):
            self.ip("br", "link", "set", dev, "master", "br0")
            self.ip("br", "link", "set", dev, "up")
        self.ip("br", "link", "set", "br0", "up")
        super().mirror()

    def flap(self):
        """The bridge comes up anew: probes for its address, reports, queries."""
        self.ip("br", "link", "set", "br0", "down")
        self.ip("br", "link", "set", "br0", "up")


def starts(t, family, stp):
    """Three starts, each while the bridge has much to say."""
    with Bridged(family=family, stp=stp) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        if stp:
            time.sleep(4.2)  # until the ports forward
        heard = spans = 0
        for i in range(3):
            if not stp:
                l.flap()
            us = l.understudy(ready=6.0)
            l.client("keep", *["/b100?id=q%d-%d" % (i, k) for k in range(20)])
            l.settle(prod, sut)
            t.equal(us.finish(), 0, "start %d: %s" % (i, us.text()))
            r = us.report()
            heard += sum(r.get("other_hosts", {}).get(k, 0) for k in (
                "mld", "igmp_from_nobody", "dad"))
            spans += r["sut_wire"]["control"]
        # A start may be over between two hellos; three are not.
        t.check(heard > 0, "the bridge said nothing")
        t.check(not stp or spans > 0, "no STP")
        got = lab.reach(prod.log, sut.log)
        t.equal((got.asked, got.reached), (60, 60), "requests")
        lab.isolated(t, l)


def named(t):
    """A bridge with an address, and the user says so: its frames are no reason
    to stop, and its address is not answered for."""
    with Bridged() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        text = l.ip("br", "link", "show", "br0")
        also = text.split("link/ether ")[1].split()[0] + ",10.1.0.9"
        us = l.understudy("--wire-also", also)
        addressed(l)
        code, _ = l.run("sut", ["ping", "-c1", "-W1", "10.1.0.9"])
        t.equal(code, 0, "the SUT reaches the bridge")
        l.client("keep", *["/b100?id=q-%d" % k for k in range(20)])
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code: " + us.text())
        r = us.report()
        t.check(r["sut_wire"]["wire_also"] > 0, "nothing of it was seen")
        got = lab.reach(prod.log, sut.log)
        t.equal((got.asked, got.reached), (20, 20), "requests")
        lab.isolated(t, l)


# ------------------------------------------------------------- what stops it

def csum(b):
    if len(b) % 2:
        b += b"\0"
    n = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff


def mac(text):
    return bytes(int(x, 16) for x in text.split(":"))


def packed4(text):
    return bytes(int(x) for x in text.split("."))


def ip4(to, src, dst, proto, payload, ttl=255):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, ttl,
                       proto, 0, packed4(src), packed4(dst))
    head = head[:10] + struct.pack("!H", csum(head)) + head[12:]
    return mac(to) + mac(EVIL) + b"\x08\x00" + head + payload


def udp4(to, src, dst, sport, dport, payload):
    return ip4(to, src, dst, 17, struct.pack(
        "!HHHH", sport, dport, 8 + len(payload), 0) + payload)


def advertisement():
    src = bytes.fromhex("fe80" + "00" * 6 + "020000fffe0000ee")
    dst = bytes.fromhex("ff02" + "00" * 13 + "01")
    icmp = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
    icmp += b"\x01\x01" + mac(EVIL)
    pseudo = src + dst + struct.pack("!II", len(icmp), 58)
    icmp = icmp[:2] + struct.pack("!H", csum(pseudo + icmp)) + icmp[4:]
    return mac("33:33:00:00:00:01") + mac(EVIL) + b"\x86\xdd" + struct.pack(
        "!IHBB", 6 << 28, len(icmp), 58, 255) + src + dst + icmp


VRRP = ip4("01:00:5e:00:00:12", "10.1.0.1", "224.0.0.18", 112,
           bytes.fromhex("2101640100010000" + "0a010001"))
DHCP = udp4("ff:ff:ff:ff:ff:ff", "10.1.0.1", "255.255.255.255", 67, 68,
            b"\x02\x01\x06\x00" + b"\0" * 240)


def said(frame):
    """A frame that somebody sends from the bridge's third port."""
    def send(l):
        l.python("br", SEND, "b3", frame.hex())
    return send


def third_port(l):
    l.ip("br", "link", "add", "b2", "type", "veth", "peer", "name", "b3")
    for dev in ("b2", "b3"):
        l.sysctl("br", "net.ipv6.conf.%s.disable_ipv6" % dev, 1)
        l.ip("br", "link", "set", dev, "up")
    l.ip("br", "link", "set", "b2", "master", "br0")


def addressed(l):
    """The bridge has an address of that network, and uses it."""
    l.ip("br", "addr", "add", "10.1.0.9/24", "dev", "br0")
    l.run("br", ["ping", "-c1", "-W1", "10.1.0.20"])


def stops(t, plant, words):
    with Bridged() as l:
        l.nginx("prod"), l.nginx("sut")
        third_port(l)
        us = l.understudy()
        l.client("keep", "/b100?id=q-0")
        t.check(us.alive(), "it ended before: " + us.text())
        plant(l)
        t.equal(us.wait(3), 2, "exit code")
        for word in words:
            t.check(word in us.text(), "no word of %s" % word)
        lab.isolated(t, l)


def router(t):
    """A router that the SUT uses: the bridge shows us nothing of their talk, but
    it answers when we ask who has the SUT's gateway."""
    with Bridged() as l:
        l.nginx("prod"), l.nginx("sut")
        third_port(l)
        lab.sh("ip", "netns", "add", l.ns("far"))
        l.made.append("far")
        l.ip("br", "link", "set", "b3", "address", EVIL, "netns", l.ns("far"))
        l.ip("far", "addr", "add", "10.1.0.1/24", "dev", "b3")
        l.ip("far", "link", "set", "b3", "up")
        us = l.understudy()
        t.equal(us.wait(8), 2, "exit code")
        for word in ("ARP from 10.1.0.1", EVIL):
            t.check(word in us.text(), "no word of %s" % word)
        lab.isolated(t, l)


lab.main([
    ("IPv4", starts, 4, 0),
    ("IPv4 and a spanning tree", starts, 4, 1),
    ("IPv6", starts, 6, 0),
    ("IPv6 and a spanning tree", starts, 6, 1),
    ("a bridge that was named", named),
    ("a bridge with an address", stops, addressed,
     ["ARP from 10.1.0.9", "--wire-also"]),
    ("a router advertisement", stops, said(advertisement()),
     ["a router advertisement from fe80::200:ff:fe00:ee", EVIL]),
    ("a router that the SUT uses", router),
    ("VRRP", stops, said(VRRP), ["VRRP", "10.1.0.1", EVIL]),
    ("DHCP", stops, said(DHCP), ["DHCP offer", EVIL]),
])
