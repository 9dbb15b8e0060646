# SPDX-License-Identifier: BSD-2-Clause
"""A SUT with a second leg in the clients' network: real clients get nothing.

To the lab a wire is added, from the SUT to the clients' network, whose tap carries
what the SUT sends there to the clients: TCP only, since a question of the SUT for
an address (ARP, neighbour solicitation) is its own and is meant for nobody. The
SUT knows the real client's hardware address, so that nothing but routing decides.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "a few requests a second"
# Requests every 0.1 s, each on a connection of its own, from one address.
ASK = """
import socket, sys, time
here, there, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in there else socket.AF_INET
good = 0
for i in range(count):
    with socket.socket(family) as s:
        s.settimeout(5)
        s.bind((here, 0))
        s.connect((there, 80))
        s.sendall(b"GET /b100?id=%s-%d HTTP/1.1\\r\\nHost: a\\r\\n"
                  b"Connection: close\\r\\n\\r\\n" % (here.encode(), i))
        got = b""
        while True:
            part = s.recv(65536)
            if not part:
                break
            got += part
        good += got.startswith(b"HTTP/1.1 200")
    time.sleep(0.1)
print(good)
"""


def leg(l):
    """The SUT's second leg, s1, in the clients' network."""
    six = l.family == 6
    addr, client = (("fd00:a::21/64", "fd00:a::2") if six else
                    ("10.0.0.21/24", "10.0.0.2"))
    l.ip("sut", "link", "add", "s1", "type", "veth", "peer", "name", "s1p",
         "netns", l.ns("tap"))
    for room, dev in (("sut", "s1"), ("tap", "s1p")):
        l.ip(room, "link", "set", dev, "up")
    l.sysctl("sut", "net.ipv4.conf.all.rp_filter", 0)
    l.sysctl("sut", "net.ipv4.conf.s0.rp_filter", 0)
    l.ip("sut", "addr", "add", addr, "dev", "s1", *(["nodad"] if six else []))
    l.ip("sut", "neigh", "replace", client, "lladdr", lab.MAC["c0"], "dev",
         "s1", "nud", "permanent")
    l.tc("tap", "qdisc", "add", "dev", "s1p", "clsact")
    match = (("protocol", "ipv6", "u32", "match", "ip6", "protocol", "6",
              "0xff") if six else
             ("protocol", "ip", "u32", "match", "ip", "protocol", "6", "0xff"))
    l.tc("tap", "filter", "add", "dev", "s1p", "ingress", *match, "action",
         "mirred", "egress", "redirect", "dev", "t0")


def ask(l, count=20, here=None):
    """Requests to production, all answered: (exit code, output)."""
    return l.python("client", ASK, here or l.addr["client"], l.addr["prod"],
                    count)


def networks(us):
    return [(x["network"], x["state"]) for x in us.lines()
            if x.get("type") == "network"]


def not_played(t, family):
    """Not one frame of the SUT reaches the client, and the network is named."""
    with lab.Lab(family) as l:
        l.nginx("prod")
        sut = l.nginx("sut")
        leg(l)
        us = l.understudy()
        began = time.monotonic()
        code, out = ask(l, 40)
        t.equal((code, out.strip()), (0, "40"), "the clients' answers")
        net = "fd00:a::/64" if family == 6 else "10.0.0.0/24"
        t.equal(networks(us), [(net, "no_route")], "said at once")
        t.check(time.monotonic() - began < 20, "the lab is slow")
        t.equal(us.finish(), 2, "exit code")
        t.check("SUT does not answer %s: firewall or route" % net in us.text(),
                "the headline: " + us.text())
        t.equal(len(lab.read_log(sut.log)), 0, "requests at the SUT")
        r = us.report()
        t.equal(r["networks"]["lost"], 1, "networks lost")
        t.check(r["flows"]["ended"].get("no_route", 0) >= 35, str(r["flows"]))
        lab.isolated(t, l)


def leaks_without(t):
    """The counter-test: without the proof the client does get the SUT's frames,
    which the first line says."""
    with lab.Lab() as l:
        l.nginx("prod"), l.nginx("sut")
        leg(l)
        us = l.understudy("--prove", "default")
        ask(l, 10)
        us.finish()
        t.check("--prove default" in us.text().splitlines()[0] or
                "--prove default" in us.text(), "not said: " + us.text())
        got, _ = l.leaks()
        t.check(got["client/c0:in!=" + lab.MAC["p0"]] > 0,
                "nothing leaked: %s" % got)


def one_of_two(t):
    """Clients of another /24 are played, those of the SUT's are not."""
    with lab.Lab() as l:
        l.nginx("prod")
        sut = l.nginx("sut")
        leg(l)
        l.ip("client", "addr", "add", "10.0.1.2/24", "dev", "c0")
        l.ip("prod", "route", "add", "10.0.1.0/24", "dev", "p0")
        us = l.understudy("--max-no-route", "100%")
        t.equal(ask(l, 20, "10.0.1.2"), (0, "20\n"), "answers there")
        t.equal(ask(l, 20), (0, "20\n"), "answers here")
        l.settle(sut)
        t.equal(us.finish(), 0, "exit code")
        ids = {r.id.rsplit("-", 1)[0] for r in lab.read_log(sut.log)}
        t.equal(ids, {"10.0.1.2"}, "who was played")
        t.equal(len(lab.read_log(sut.log)), 20, "requests at the SUT")
        t.equal(networks(us), [("10.0.0.0/24", "no_route")], "named")
        lab.isolated(t, l)


def policy_route(t, family):
    """The remedy: with a policy route for its own address the SUT answers by its
    wire, all is played and nothing leaks."""
    with lab.Lab(family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        leg(l)
        f = "-%d" % family
        l.ip("sut", f, "rule", "add", "from", l.addr["sut"], "table", "100")
        l.ip("sut", f, "route", "add", "default", "via", l.addr["gw"], "dev",
             "s0", "table", "100")
        us = l.understudy()
        t.equal(ask(l, 20), (0, "20\n"), "the clients' answers")
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code: " + us.text())
        got = lab.reach(prod.log, sut.log)
        t.equal((got.asked, got.reached), (20, 20), "reached")
        t.equal(networks(us), [], "networks named")
        lab.isolated(t, l)


def doctor_says(t):
    """doctor names the network and the remedy; with the remedy all is well."""
    with lab.Lab() as l:
        l.nginx("prod"), l.nginx("sut")
        leg(l)
        opts = ["-i", "mon0", "--sut-dev", "eth1", "--map", l.map()]
        load = l.wrk(seconds=6, conns=1, wait=False)
        code, out = l.run("us", [lab.BINARY, "doctor", *opts])
        t.equal(code, 2, "exit code: " + out)
        for word in ("10.0.0.0/24", "ip route get", "ip rule add from "
                     "10.1.0.20 table 100", "ip route add default via"):
            t.check(word in out, "'%s' is not said: %s" % (word, out))
        l.ip("sut", "rule", "add", "from", l.addr["sut"], "table", "100")
        l.ip("sut", "route", "add", "default", "via", l.addr["gw"], "dev",
             "s0", "table", "100")
        code, out = l.run("us", [lab.BINARY, "doctor", *opts])
        t.equal(code, 0, "with the remedy: " + out)
        l.wrk_rate(load)
        lab.isolated(t, l)


def datagrams(t):
    """Queries of a network that is not proved are not played; of one that is, all
    are, the first one too."""
    for bad in (False, True):
        with lab.Lab() as l:
            l.unbound("prod")
            sut = l.unbound("sut")
            if bad:
                leg(l)
            us = l.understudy("--max-no-route", "100%", port=53,
                              filt="udp port 53")
            code, out = l.queries(100, window=10)
            t.equal(code, 0, out)
            time.sleep(1.5)
            us.finish()
            t.equal(len(lab.Lab.names(sut.log)), 0 if bad else 100,
                    "queries at the SUT, %s" % us.report().get("networks"))
            lab.isolated(t, l)


lab.main([
    ("a leg in the clients' network", not_played, 4),
    ("the same, IPv6", not_played, 6),
    ("without the proof it does leak", leaks_without),
    ("one of two networks", one_of_two),
    ("a policy route, IPv4", policy_route, 4),
    ("a policy route, IPv6", policy_route, 6),
    ("datagrams", datagrams),
    ("doctor", doctor_says),
])
