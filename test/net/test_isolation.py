# SPDX-License-Identifier: BSD-2-Clause
"""Nothing leaves: not from us, not from the SUT, not after our death."""
import os
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

SEND = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for _ in range(int(sys.argv[2])):
    s.send(bytes.fromhex(sys.argv[3] + "88b5") + bytes(46))
"""
ASK = """
import socket, sys
s = socket.socket(socket.AF_INET)
s.settimeout(1.5)
try:
    s.connect((sys.argv[1], 80))
    print("connected")
except OSError as e:
    print(type(e).__name__)
"""
TO_ALL, STRANGER = "ff" * 6, "0200000000ee"


def counters(t):
    """The counters count: frames planted on every watched way are seen."""
    with lab.Lab() as l:
        for room, dev, n in (("us", "mon0", 3), ("us", "lan0", 4),
                             ("tap", "t0", 5), ("tap", "t1", 6)):
            code, out = l.python(room, SEND, dev, n, TO_ALL + STRANGER)
            t.equal(code, 0, out)
        got, _ = l.leaks()
        t.equal(got, {"us/mon0:out": 3, "tap/m0:in": 3, "us/lan0:out": 4,
                      "tap/l0:in": 4, "client/c0:in!=" + lab.MAC["p0"]: 5,
                      "prod/p0:in!=" + lab.MAC["c0"]: 6}, "counted")


def counters_within(t):
    """The same of what is watched in-host: a TCP segment with RST, one without,
    ICMP and ICMPv6 to the client, a neighbour solicitation; frames to the SUT."""
    c0, p0 = (lab.MAC[d].replace(":", "") for d in ("c0", "p0"))
    four = c0 + p0 + "0800" + "45" + "00" * 8 + "%02x" + "00" * 10
    six = c0 + p0 + "86dd" + "60" + "00" * 5 + "%02x" + "00" * 33
    tcp = "00" * 13 + "%02x" + "00" * 40
    with lab.Lab(inhost=True) as l:
        l.ip("prod", "link", "set", "eth1", "up")
        for frame in (four % 6 + tcp % 4, four % 6 + tcp % 0x14,
                      four % 6 + tcp % 0x10, four % 1 + "00" * 40,
                      four % 17 + tcp % 4, six % 6 + tcp % 4,
                      six % 6 + tcp % 2, six % 58 + "01" + "00" * 40,
                      six % 58 + "87" + "00" * 40):
            l.python("tap", SEND.replace('"88b5"', '""'), "t0", 1, frame)
        l.python("prod", SEND, "eth1", 3, "0200000000ef" + STRANGER)
        l.python("prod", SEND, "eth1", 2, TO_ALL + STRANGER)
        got, _ = l.leaks()
        t.equal(got["client/c0:in:reset"], 5, "resets and ICMP")
        t.equal(got["sut/s0:in!dst=" + lab.MAC["s0"]], 3, "to another one")


def ask_host(l):
    """The SUT, with a route on its wire, asks for the host's LAN address."""
    l.ip("sut", "route", "replace", lab.ADDR[4]["lan"] + "/32", "dev", "s0")
    return l.python("sut", ASK, lab.ADDR[4]["lan"])[1].strip()


def silent_host(t):
    """Without us the host does answer: the next two tests can fail."""
    with lab.Lab() as l:
        ask_host(l)
        got, _ = l.leaks()
        t.check(got["tap/l0:in"] > 0, "an open host kept still: %s" % got)


def killed(t):
    """kill -9 under load: the SUT goes on sending, nothing comes out."""
    with lab.Lab() as l:
        l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        load = l.wrk(seconds=3, url="/b1m", wait=False)
        time.sleep(1)
        us.signal(signal.SIGKILL)
        t.equal(us.wait(2), -signal.SIGKILL, "killed")
        l.wrk_rate(load)
        t.check(ask_host(l) in ("TimeoutError", "OSError"),
                "after our death the host answers the SUT")
        lab.isolated(t, l)


def own_address(t):
    """The SUT asks for the host's own LAN address: the host stays silent."""
    with lab.Lab() as l:
        l.nginx("prod"), l.nginx("sut")
        us = l.understudy("--outside", "silent")
        t.equal(ask_host(l), "TimeoutError", "the SUT's attempt")
        us.finish()
        absorbed = us.report().get("absorbed", {})
        top = absorbed.get("top", [])
        t.equal(sum(x["n"] for x in top), absorbed.get("total"),
                "the list's sum")
        t.check(any(lab.ADDR[4]["lan"] in str(x.get("dst")) for x in top),
                "not among what the SUT tried to reach: %s" % top)
        lab.isolated(t, l)


def links_up(t):
    """Interfaces that are down, in a host that speaks IPv6 on `up`."""
    with lab.Lab(us_up=False) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        l.wrk(seconds=2, conns=8, delay=2)
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code: " + us.text())
        got = lab.reach(prod.log, sut.log)
        t.equal(got.reached, got.asked, "reached")
        lab.isolated(t, l)


def stranger(t):
    """Another hardware address on the SUT's wire stops the run."""
    with lab.Lab() as l:
        l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        l.wrk(seconds=1)
        arp = TO_ALL + STRANGER + "0806" + "0001080006040001" + STRANGER + \
            "0a010063" + "00" * 6 + "0a010001"
        l.python("sut", SEND.replace('"88b5"', '""'), "s0", 1, arp)
        t.equal(us.wait(5), 2, "exit code")
        t.check("02:00:00:00:00:ee" in us.text(),
                "the stranger is not named: " + us.text())
        lab.isolated(t, l)


def second_way(t):
    """The SUT's default route is another wire: it is not played to."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        l.ip("sut", "link", "add", "s1", "type", "veth", "peer", "name", "s1p",
             "netns", l.ns("tap"))
        l.ip("tap", "link", "set", "s1p", "up")
        l.ip("sut", "link", "set", "s1", "up")
        l.ip("sut", "addr", "add", "10.8.0.2/24", "dev", "s1")
        l.ip("sut", "route", "replace", "default", "via", "10.8.0.1", "dev",
             "s1")
        us = l.understudy()
        l.client("keep", *["/b100?id=q-%d" % i for i in range(10)])
        l.settle(prod, sut)
        t.equal(us.finish(), 2, "exit code")
        t.check("route" in us.text(), "the remedy is not named: " + us.text())
        t.equal(len(lab.read_log(sut.log)), 0, "requests at the SUT")
        lab.isolated(t, l)


def ask_production(l):
    """The SUT, with a route on its wire, asks for production's own address, whose
    host understudy is on."""
    f = "-%d" % l.family
    l.ip("sut", f, "route", "replace", "%s/%d" % (
        l.addr["prod"], 128 if l.family == 6 else 32), "dev", "s0")
    code = ASK.replace("AF_INET)", "AF_INET6)") if l.family == 6 else ASK
    return l.python("sut", code, l.addr["prod"])[1].strip()


def open_within(t, family):
    """In-host without us: production's kernel answers the SUT, so that the next
    three can fail."""
    with lab.Lab(family=family, inhost=True) as l:
        l.nginx("prod")
        l.ip("prod", "link", "set", "eth1", "up")
        ask_production(l)
        got, _ = l.leaks()
        n = [v for k, v in got.items() if k.startswith("sut/s0:in=")]
        t.check(n and n[0] > 0, "production's host kept still: %s" % got)


def killed_within(t, family):
    """In-host, kill -9 under load: production's host says nothing to the SUT, and
    nothing of the SUT's, nor a reset, comes to the clients."""
    with lab.Lab(family=family, inhost=True) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        paths = ["/b10k?id=q-%d" % i for i in range(30)]
        t.equal(l.client("keep", *paths)[0], 0, "clients before")
        us.signal(signal.SIGKILL)
        t.equal(us.wait(2), -signal.SIGKILL, "killed")
        t.equal(l.client("keep", *paths)[0], 0, "clients after")
        t.check(ask_production(l) in ("TimeoutError", "OSError"),
                "after our death production's host answers the SUT")
        t.check(len(lab.read_log(sut.log)) > 0, "nothing was played")
        lab.isolated(t, l)


def frozen_within(t, family):
    """In-host, frozen for 2 s: as above, and it goes on."""
    with lab.Lab(family=family, inhost=True) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        paths = ["/b10k?id=%%s-%d" % i for i in range(20)]
        for phase in ("before", "in", "after"):
            if phase == "in":
                us.signal(signal.SIGSTOP)
            code, out = l.client("keep", *(p % phase for p in paths))
            t.equal(code, 0, "clients %s it: %s" % (phase, out))
            if phase == "in":
                got = ask_production(l)
                t.check(got != "connected", "frozen: " + got)
                us.signal(signal.SIGCONT)
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code: " + us.text())
        ids = {r.id.split("-")[0] for r in lab.read_log(sut.log)}
        t.check({"before", "after"} <= ids, "played: %s" % ids)
        lab.isolated(t, l)


def own_within(t, family):
    """In-host, the SUT asks for production's address: nobody but us answers."""
    with lab.Lab(family=family, inhost=True) as l:
        l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        got = ask_production(l)
        t.check(got in ("TimeoutError", "ConnectionRefusedError"),
                "the SUT's attempt: " + got)
        us.finish()
        lab.isolated(t, l)


# As contrib/understudy.service starts it.
UNIT = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
        "--inh-caps=+net_raw,+net_admin,+bpf",
        "--ambient-caps=+net_raw,+net_admin,+bpf",
        "--bounding-set=-all,+net_raw,+net_admin,+bpf")


def unit_twice(t):
    """With the unit's capabilities alone: two runs, doctor, --release."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        os.chmod(l.dir, 0o755)
        binary, out = l.path("understudy"), l.path("out")
        shutil.copy(lab.BINARY, binary)
        os.mkdir(out)
        os.chown(out, 65534, 65534)
        opts = ["-i", "mon0", "--sut-dev", "eth1", "--map", l.map()]
        for i in (1, 2):
            code, text = l.run("us", [*UNIT, binary, "shadow", *opts, "--json",
                                      "%s/%d" % (out, i), "--duration", "2s"])
            t.equal(code, 2, "start %d: exit code: %s" % (i, text))
            t.check("No answer was compared" in text, "start %d: %s" % (
                i, text))
        load = l.wrk(seconds=4, wait=False)
        code, text = l.run("us", [*UNIT, binary, "doctor", *opts])
        t.equal(code, 0, "doctor: " + text)
        for dev in ("mon0", "eth1"):
            code, text = l.run("us", [*UNIT, binary, "doctor", "--release",
                                      dev])
            t.equal(code, 0, "release: " + text)
            t.check("clsact" not in l.tc("us", "qdisc", "show", "dev", dev),
                    "%s is guarded still" % dev)
        l.wrk_rate(load)
        l.settle(prod, sut)
        lab.isolated(t, l)


def in_use(t):
    """Production's bridge, what is built on its card, and a way into the bridge:
    each refused by name, by `send` and as the SUT's wire."""
    with lab.Lab() as l:
        l.nginx("prod")
        us, cap = l.host, l.path("cap.pcap")
        dump = l.dump("client", "c0", "tcp")
        l.client("keep", "/b100?id=q-0")
        lab.Lab.dumped(dump)
        os.rename(dump.path, cap)
        l.ip(us, "addr", "flush", "dev", "lan0")
        l.ip(us, "link", "add", "br0", "type", "bridge",
             "mcast_snooping", "0")
        l.ip(us, "link", "set", "lan0", "master", "br0")
        l.ip(us, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
        l.ip(us, "link", "set", "v1", "master", "br0")
        l.ip(us, "link", "add", "link", "br0", "name", "mv0", "type",
             "macvlan")
        for dev in ("br0", "v0", "v1", "mv0"):
            l.sysctl(us, "net.ipv6.conf.%s.disable_ipv6" % dev, 1)
            l.ip(us, "link", "set", dev, "up")
        for dev, why in (("br0", "it has"), ("mv0", "br0, on which it is"),
                         ("v1", "it belongs to br0"),
                         ("v0", "v1, its other end, belongs to br0")):
            code, text = l.run(us, [lab.BINARY, "send", "-i", dev, "-t", cap])
            t.equal(code, 2, "send -i %s: %s" % (dev, text))
            t.check("%s is in use" % dev in text and why in text,
                    "send -i %s: %s" % (dev, text))
            code, text = l.run(us, [lab.BINARY, "shadow", "-i", "mon0",
                                    "--sut-dev", dev, "--map", l.map(),
                                    "--duration", "1s"])
            t.equal(code, 2, "--sut-dev %s: %s" % (dev, text))
            t.check("%s is in use" % dev in text and why in text,
                    "--sut-dev %s: %s" % (dev, text))
        code, text = l.run(us, [lab.BINARY, "shadow", "-i", "lo", "--sut-dev",
                                "eth1", "--map", l.map(), "--duration", "1s"])
        t.equal(code, 2, "-i lo: %s" % text)
        t.check("loopback addresses" in text and "--client-net" in text,
                "-i lo: %s" % text)
        lab.isolated(t, l)


def another_router(t):
    """The SUT's route leads to another hardware address on its wire. What it
    sends there comes by us, and is no proof."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        l.ip("sut", "neigh", "replace", l.addr["gw"], "lladdr",
             "02:00:00:00:00:ee", "dev", "s0", "nud", "permanent")
        us = l.understudy(ready=0.0)
        l.client("keep", *["/b100?id=q-%d" % i for i in range(10)])
        t.equal(us.wait(15), 2, "exit code")
        t.check("leads to 02:00:00:00:00:ee" in us.text(),
                "it is not named: " + us.text())
        t.equal(len(lab.read_log(sut.log)), 0, "requests at the SUT")
        lab.isolated(t, l)


lab.main([
    ("the unit's capabilities, twice", unit_twice),
    ("what belongs to a bridge of the host", in_use),
    ("the counters count", counters),
    ("the counters count, in-host", counters_within),
    ("a host without us does answer", silent_host),
    ("kill -9 under load", killed),
    ("in-host, without us", open_within, 4),
    ("in-host, without us, IPv6", open_within, 6),
    ("in-host, kill -9", killed_within, 4),
    ("in-host, kill -9, IPv6", killed_within, 6),
    ("in-host, frozen", frozen_within, 4),
    ("in-host, production's own address", own_within, 4),
    ("in-host, production's own address, IPv6", own_within, 6),
    ("the host's own address", own_address),
    ("links going up", links_up),
    ("a SUT with a second way out", second_way),
    ("a route to another hardware address", another_router),
    ("a stranger on the wire", stranger),
])
