#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A proxy shows its connections at a device, and a shadow beside it plays them.

In test/lib/tapped.py's lab. Each run counts what leaves the tap's device (nothing),
whom client and production hear (the proxy alone), and closes the proxy's sums.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402
import proxied  # noqa: E402
import tapped  # noqa: E402
from tapped import TAP  # noqa: E402

BODY = lab.BODY
STRAY = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
s.send(b"\\xff" * 6 + b"\\x02" * 6 + b"\\x88\\xb5" + bytes(50))
"""


def exact(t, l, us, prod, sut, tail=0):
    """All of production's requests stand in the SUT's log once, and no answer
    differs."""
    l.settle(prod, sut)
    t.equal(us.finish(), 0, "exit code")
    got = lab.reach(prod.log, sut.log, tail)
    r = us.report()
    t.check(got.asked > 20, "too few requests: %d" % got.asked)
    t.check(not got.missing, "reached %d of %d, missing %s" % (
        got.reached, got.asked, got.missing[:5]))
    t.equal(got.duplicates, 0, "duplicates")
    t.equal(got.disorder, 0, "out of order")
    t.equal(r["verdicts"]["different"], 0, "different")
    t.equal(r["sums"]["closed"], True, "sums closed")
    t.equal(us.differences(), [], "differences told")
    return got, r


def counted(t, p, how=None):
    """The proxy's report, whose sums close; nothing that was to be shown is lost."""
    r = p.end()
    proxied.check_sums(r)
    for what in ("lost", "too_long", "odd", "harmed", "stray", "unknown"):
        t.equal(r["tap"][what], 0, "tap: " + what)
    t.check(r["tap"]["shown"] > 100, "shown: %d" % r["tap"]["shown"])
    if how:
        t.check(r[how] > 0, "%s: %r" % (how, r))
    return r


def same_clients(t, l, sut_wire):
    """What the SUT gets is the client's own: address, and no proxy's."""
    seen = {f[26:30] for _, f in l.dumped(sut_wire)
            if f[12:14] == b"\x08\x00" and f[23] == 6}
    proxy = bytes(int(x) for x in l.addr["near"].split("."))
    client = bytes(int(x) for x in l.addr["client"].split("."))
    t.check(client in seen and proxy not in seen, "addresses at the SUT: %r" % seen)


def forward(t, splice, how, family=4, **load):
    with tapped.Tapped(family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        p = l.proxy("--forward", "%s=%s" % (l.at("proxy", 80), l.at("prod", 80)),
                    "--tap", TAP, "--splice", splice)
        us = l.understudy()
        wire = l.dump("sut", "s0", "tcp port 80 and dst host %s" % l.addr["sut"],
                      snap=80)
        l.wrk(**dict({"seconds": 1, "delay": 2, "to": "proxy"}, **load))
        exact(t, l, us, prod, sut, 0 if load.get("close") else 1)
        if family == 4:
            same_clients(t, l, wire)
        r = counted(t, p, how)
        if how:
            t.equal(r["tap"]["connections"], r["accepted"], "connections shown")
        lab.isolated(t, l)


def socks(t):
    with tapped.Tapped() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        p = l.proxy("--socks", l.at("proxy", 1080), "--allow", "10.2.0.0/24", "--tap",
                    TAP, "--tap-match", l.at("prod", 80), port=1080)
        us = l.understudy()
        for i in range(4):
            code, out = l.run("client", [
                "curl", "-s", "-o", l.path("got%d" % i), "--socks5",
                l.at("proxy", 1080),
                l.url() + ("/b1m?id=c%d-[1-3]" if i == 3 else "/b10k?id=c%d-[1-40]") % i])
            t.equal(code, 0, "curl: " + out)
        with open(l.path("got3"), "rb") as f:
            t.check(f.read() in (BODY, BODY * 3), "the client's bytes")
        exact(t, l, us, prod, sut)
        r = counted(t, p)
        t.equal(r["spliced"], 4, "spliced")
        lab.isolated(t, l)


def http(t):
    """Requests of HTTP, over kept connections, and a CONNECT."""
    with tapped.Tapped() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        p = l.proxy("--http", l.at("proxy", 8080), "--allow", "10.2.0.0/24", "--tap",
                    TAP, port=8080)
        us = l.understudy()
        for i, more in enumerate(((), (), ("-p",))):
            code, out = l.run("client", [
                "curl", "-s", "-o", l.path("got"), "-x", l.at("proxy", 8080), *more,
                l.url() + "/b10k?id=h%d-[1-60]" % i])
            t.equal(code, 0, "curl: " + out)
        exact(t, l, us, prod, sut)
        r = counted(t, p)
        t.equal((r["requests_answered"], r["spliced"], r["copied"]), (120, 1, 2),
                "requests, spliced, copied")
        t.equal(r["tap"]["connections"], 3, "connections shown")
        lab.isolated(t, l)


def same_bytes(t, l, what, *words):
    code, out = l.run("client", ["curl", "-s", *words, "-o", l.path("got"),
                                 "http://%s/b1m?id=x" % l.at("proxy", 80)])
    t.equal(code, 0, what + ": curl: " + out)
    with open(l.path("got"), "rb") as f:
        t.check(f.read() == BODY, what + ": the client's bytes")


def broken(t):
    """The device is too small, down, deleted: counted, and clients notice nothing."""
    with tapped.Tapped() as l:
        l.nginx("prod")
        for splice in ("tc", "copy"):
            p = l.proxy("--forward", "%s=%s" % (l.at("proxy", 80), l.at("prod", 80)),
                        "--tap", TAP, "--splice", splice)
            same_bytes(t, l, "up")
            l.ip("us", "link", "set", TAP, "mtu", "600")
            same_bytes(t, l, "small")
            l.ip("us", "link", "set", TAP, "down")
            same_bytes(t, l, "down")
            l.ip("us", "link", "del", TAP)
            same_bytes(t, l, "deleted")
            r = p.end()
            proxied.check_sums(r)
            k = r["tap"]
            t.check(k["shown"] > 20 and k["lost"] > 40 and k["too_long"] > 5, k)
            t.equal(k["harmed"], 0, "harmed")
            l.tap()


def chosen(t):
    """By server, and by a share of clients: the rest is not shown."""
    with tapped.Tapped() as l:
        l.nginx("prod")
        words = ["--forward", "%s=%s" % (l.at("proxy", 80), l.at("prod", 80)), "--tap",
                 TAP]
        for more, any_ in ((["--tap-match", "10.2.0.0/24:80"], True),
                           (["--tap-match", "10.2.0.0/24:81"], False),
                           (["--tap-share", "0.0001%"], False)):
            for splice in ("copy", "syn", "tc"):
                p = l.proxy(*words, *more, "--splice", splice,
                            *(["--workers", "2"] if splice == "tc" else []))
                same_bytes(t, l, "chosen")
                k = p.end()["tap"]
                t.equal(k["shown"] > 10, any_, "%s %s shown: %r" % (splice, more, k))


def vxlan(t):
    """Copies that leave by a VXLAN device: those that it takes, and nothing else."""
    with tapped.Tapped() as l:
        l.nginx("prod")
        l.ip("us", "link", "del", TAP)
        l.ip("us", "link", "add", TAP, "type", "vxlan", "id", "42", "local",
             l.addr["near"], "remote", l.addr["prod"], "dstport", "4789")
        l.sysctl("us", "net.ipv6.conf.%s.disable_ipv6" % TAP, 1)
        l.ip("us", "link", "set", TAP, "mtu", "1450", "up")
        p = l.proxy("--forward", "%s=%s" % (l.at("proxy", 80), l.at("prod", 80)),
                    "--tap", TAP)
        wire = l.dump("prod", "p0", "udp port 4789", snap=200)
        same_bytes(t, l, "vxlan", "--local-port", "41234")
        l.python("us", STRAY, TAP)
        time.sleep(0.2)
        k = p.end()["tap"]
        # 14 + 20 + 8 + 8 in front of the frame that is shown.
        inner = [f[50:] for _, f in l.dumped(wire)]
        ends = {f[26:38] for f in inner}
        client, server = (bytes(int(x) for x in l.addr[w].split("."))
                          for w in ("client", "prod"))
        up, down = (41234).to_bytes(2, "big"), (80).to_bytes(2, "big")
        t.equal(ends, {client + server + up + down, server + client + down + up},
                "who is shown")
        t.check(k["shown"] > 5 and k["too_long"] > 5 and k["lost"] == 0, k)
        t.equal(k["stray"], 1, "of the host's own")


def usage(t):
    with tapped.Tapped() as l:
        where = "%s=%s" % (l.at("proxy", 80), l.at("prod", 80))
        for words, said in (
                (("--tap", "no-such"), "ip link add no-such type veth"),
                (("--tap", "ps0"), "in use"),
                (("--tap", "lo"), "in use"),
                (("--tap-match", "10.0.0.0/8"), "go with --tap"),
                (("--tap", TAP, "--tap-match", "x"), "no address"),
                (("--tap", TAP, "--tap-share", "0.5x"), "--tap-share")):
            line = tapped.refused(l, "--forward", where, *words)
            t.check(said in line, "%s: %s" % (words, line))
        l.ip("us", "addr", "add", "10.8.0.1/24", "dev", TAP)
        line = tapped.refused(l, "--forward", where, "--tap", TAP)
        t.check("has an address" in line and "type veth" in line, line)


lab.main([
    ("forward, spliced", forward, "tc", "spliced"),
    ("forward, copied, a connection for each request",
     lambda t: forward(t, "copy", "copied", close=True)),
    ("forward, from the SYN on, the same",
     lambda t: forward(t, "syn", None, close=True)),
    ("forward, IPv6", forward, "tc", "spliced", 6),
    ("SOCKS", socks),
    ("HTTP", http),
    ("a megabyte each",
     lambda t: forward(t, "tc", "spliced", url="/b1m", conns=2)),
    ("a device that is small, down, deleted", broken),
    ("some servers, a share of clients", chosen),
    ("copies in VXLAN", vxlan),
    ("command lines that are none", usage),
])
