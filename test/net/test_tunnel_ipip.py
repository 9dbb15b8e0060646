# SPDX-License-Identifier: BSD-2-Clause
"""A tunnel of IP in IP, between ends of ours and through gateways that take the outer
header off (test/lib/gateways.py has the hosts)."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import gateways  # noqa: E402
import lab  # noqa: E402
from gateways import C, INNER, S, Gateways  # noqa: E402
from test_tunnel import RECEIVE, SEND  # noqa: E402
from ways import until  # noqa: E402

IDLE = "a few megabytes"
SIZE = 3 << 20
TURNS = ("--scheduler", "roundrobin")
CATCH = TURNS + ("--catch", "eth")
DIGEST = """
import hashlib, random, sys
size = int(sys.argv[1])
r, h, at = random.Random(size), hashlib.sha256(), 0
while at < size:
    b = r.randbytes(min(65536, size - at))
    h.update(b)
    at += len(b)
print(size, h.hexdigest())
"""


def transfer(net, to, size=SIZE):
    """One connection; whether what was sent is what came."""
    get = net.inside(to, sys.executable, "-c", RECEIVE, INNER[to],
                     stdout=subprocess.PIPE)
    if get.stdout.readline() != "ready\n":
        raise lab.LabError("no receiver")
    put = net.inside("c" if to == "s" else "s", sys.executable, "-c", SEND,
                     INNER[to], str(size), "0")
    put.wait(60)
    got = get.communicate(timeout=60)[0]
    return got == lab.sh(sys.executable, "-c", DIGEST, str(size))


def sums(t, r, name):
    """Each packet has one fate."""
    n, order = r["ends"], r["order"]
    t.equal(n["read"], sum(p["sent"] for p in r["paths"]) + n["looped"] +
            n["not_ip4"] + n["caught"], name + ": read")
    t.equal(order["came"], sum(order[k] for k in (
        "passed", "in_turn", "late", "held", "no_room", "duplicate")),
        name + ": came")
    t.equal(n["came"] + n["caught"], order["came"] + sum(n[k] for k in (
        "unknown_peer", "bad", "cut", "not_allowed", "no_memory")),
        name + ": what came")
    t.equal(n["not_written"], 0, name + ": not written")


def ours(t):
    """Both ends are ours: two paths between two addresses each."""
    with Gateways(0) as net:
        for room, k in (("c", 1), ("s", 2)):
            net.ip(room, "addr", "add", "10.20.1.%d/24" % k, "dev", "eth")
        ends = [net.end_of(room, *TURNS, paths=(
            "10.20.0.%d,10.20.0.%d" % (own, far),
            "10.20.1.%d,10.20.1.%d" % (own, far)))
            for room, own, far in (("c", 1, 2), ("s", 2, 1))]
        t.check(net.ping(10), "pings")
        for to in ("s", "c"):
            t.check(transfer(net, to), "to " + to)
        for e in ends:
            r = e.report()
            sent = [p["sent"] for p in r["paths"]]
            t.check(min(sent) > 500 and max(sent) - min(sent) < 100,
                    "not in turn: %s" % sent)
            t.check(min(p["came"] for p in r["paths"]) > 500, "came")
            sums(t, r, e.err)
            t.equal(e.finish(), 0, "exit code")


def stripped(t):
    """Three gateways of unequal rates take the header off, and plain packets are put in
    order: TCP sees none out of order, and without the buffer many."""
    for words, ordered in ((CATCH, True),
                           (CATCH + ("--release", "off"), False)):
        with Gateways(3) as net:
            net.limit((600, 1000, 1400))
            ends = [net.end_of(room, *words) for room in ("c", "s")]
            t.check(net.ping(5), "pings")
            t.check(transfer(net, "s", 1 << 20), "to s")
            t.check(transfer(net, "c", 1 << 20), "to c")
            odd = max(net.counter(room, "TcpExtTCPOFOQueue")
                      for room in ("c", "s"))
            for e in ends:
                r = e.report()
                t.check(r["ends"]["caught"] > 500, "caught")
                t.equal(r["ends"]["came"], 0, "in IP in IP")
                if ordered:
                    t.check(r["order"]["held"] > 50, "held")
                sums(t, r, e.err)
            if ordered:
                # What the timer gave up for a loss is seen by TCP.
                gave = sum(e.report()["order"]["given_up"] for e in ends)
                t.check(odd == 0 or gave > 0, "out of order: %d" % odd)
            else:
                t.check(odd > 50, "nothing was out of order: %d" % odd)


CRAFT = """
import socket, struct, sys
own, to, inner_src, inner_dst, what = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def ip(src, dst, proto, body, more=0):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body) + more, 1, 0,
                       64, proto, 0, socket.inet_aton(src),
                       socket.inet_aton(dst)) + body
udp = struct.pack("!HHHH", 7, 7, 16, 0) + b"understu"
inner = {"good": lambda: ip(inner_src, inner_dst, 17, udp),
         "cut": lambda: ip(inner_src, inner_dst, 17, udp, 100),
         "short": lambda: ip(inner_src, inner_dst, 17, udp)[:12],
         "long": lambda: ip(inner_src, inner_dst, 17, udp) + b"more",
         "six": lambda: b"\\x60" + bytes(47)}[what]()
p = ip(own, to, 4, inner)
for _ in range(5):
    s.sendto(p, (to, 0))
s.close()
"""


def bad_input(t):
    """Unknown peers, spoofed sources, inner packets that are not whole: counted, and
    nothing comes out."""
    with Gateways(2) as net:
        e = net.end_of("s", *TURNS, "--allow", "10.99.0.0/30")
        fate = {"good": (gateways.Gateways.gate(1), "10.99.0.1", None),
                "cut": (gateways.Gateways.gate(1), "10.99.0.1", "cut"),
                "short": (gateways.Gateways.gate(1), "10.99.0.1", "cut"),
                "long": (gateways.Gateways.gate(1), "10.99.0.1", "bad"),
                "six": (gateways.Gateways.gate(1), "10.99.0.1", "bad")}
        cases = [(w, *f) for w, f in fate.items()]
        cases += [("good", C, "10.99.0.1", "unknown_peer"),
                  ("good", gateways.Gateways.gate(1), "10.77.0.1",
                   "not_allowed")]
        for what, own, src, counter in cases:
            was = e.report()["ends"]
            p = net.inside("g1", sys.executable, "-c", CRAFT, own, S, src,
                           INNER["s"], what)
            t.equal(p.wait(), 0, "sender")
            until("%s from %s came" % (what, own), lambda: e.report()["ends"][
                "came"] == was["came"] + 5)
            now = e.report()["ends"]
            if counter:
                t.equal(now[counter] - was[counter], 5, what)
            t.equal(now["written"] - was["written"], 0 if counter else 5, what)
        sums(t, e.report(), "all")


def spoofed_plain(t):
    """A plain packet with a source that is not allowed is none of ours; the stack has
    it as ever."""
    with Gateways(1) as net:
        e = net.end_of("s", *CATCH, "--allow", "10.99.0.1/32")
        net.ip("g1", "addr", "add", "10.77.0.1/32", "dev", "lo")
        net.ip("s", "route", "add", "10.77.0.1/32", "via", net.gate(1))
        p = net.inside("g1", "ping", "-c", "2", "-W", "1", "-I", "10.77.0.1",
                       INNER["s"], stdout=subprocess.DEVNULL)
        t.equal(p.wait(), 0, "the stack answers")
        t.equal(e.report()["ends"]["caught"], 0, "caught")


def icmp(t):
    """A gateway that knows no IP in IP says so; it is counted, and the end goes on."""
    with Gateways(2, strip=False) as net:
        e = net.end_of("c", *TURNS)
        net.ping(3)
        until("told", lambda: e.report()["ends"]["told"] > 0)
        r = e.report()
        t.equal(r["ends"]["told"], sum(p["told"] for p in r["paths"]), "of paths")
        t.equal(e.finish(), 0, "exit code")


UDP = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(200):
    s.sendto(bytes(100), (sys.argv[1], 9))
"""


def pinned(t):
    """What has no numbers goes by one path; segments go by all."""
    with Gateways(3) as net:
        e = net.end_of("c", *CATCH)
        net.end_of("s", *CATCH)
        t.equal(net.inside("c", sys.executable, "-c", UDP, INNER["s"]).wait(),
                0, "sender")
        until("sent", lambda: sum(p["sent"] for p in e.report()["paths"]) >= 200)
        t.equal(sorted(p["sent"] for p in e.report()["paths"]), [0, 0, 200],
                "datagrams")
        t.check(transfer(net, "s", 1 << 20), "transfer")
        t.check(min(p["sent"] for p in e.report()["paths"]) > 200, "segments")


def weights(t):
    """1:4 over three paths: a fifth to the first, the rest in equal parts."""
    with Gateways(3) as net:
        e = net.end_of("c", "--catch", "eth", "--scheduler", "weights",
                       "--weight", "4")
        net.end_of("s", *CATCH)
        t.check(transfer(net, "s"), "transfer")
        sent = [p["sent"] for p in e.report()["paths"]]
        for got, want in zip(sent, (0.2, 0.4, 0.4)):
            t.check(abs(got / sum(sent) - want) < 0.01, str(sent))


def killed(t):
    """Who is killed leaves nothing in the kernel: plain packets reach the stack."""
    with Gateways(1) as net:
        net.ip("s", "addr", "add", INNER["s"] + "/32", "dev", "lo")
        net.ip("g1", "addr", "add", INNER["c"] + "/32", "dev", "lo")
        net.ip("g1", "route", "del", INNER["c"] + "/32")
        e = net.end_of("s", *CATCH)

        def plain():
            return net.inside("g1", "ping", "-c", "1", "-W", "1", "-I",
                              INNER["c"], INNER["s"],
                              stdout=subprocess.DEVNULL).wait() == 0
        plain()
        t.equal(e.report()["ends"]["caught"], 1, "caught")
        e.p.kill()
        e.p.wait()
        net.ip("s", "route", "add", INNER["c"] + "/32", "via", net.gate(1))
        t.check(plain(), "nothing is answered")


def in_the_kernel(t):
    """Where nothing is to be put in order the kernel does all: by the same rules, and
    with the same counters as the process does it."""
    off = TURNS + ("--release", "off")
    with Gateways(0) as net:
        for room, k in (("c", 1), ("s", 2)):
            net.ip(room, "addr", "add", "10.20.1.%d/24" % k, "dev", "eth")
        ends = [net.end_of(room, *off, paths=(
            "eth,10.20.0.%d" % far, "eth,10.20.1.%d" % far))
            for room, far in (("c", 2), ("s", 1))]
        t.check(all("in the kernel" in e.said() for e in ends), "who does it")
        t.check(net.ping(5), "pings")
        for to in ("s", "c"):
            t.check(transfer(net, to), "to " + to)
        for e in ends:
            r = e.report()
            sent = [p["sent"] for p in r["paths"]]
            # Long packets have one turn each, on each processor; pings have none.
            t.check(min(sent) > 10 and max(sent) - min(sent) <= 5 +
                    (os.cpu_count() or 1), "not in turn: %s" % sent)
            t.check(r["ends"]["read"] == sum(sent), "read: %s" % r)
            t.equal(r["ends"]["came"], r["ends"]["written"], "came")


def bad_in_the_kernel(t):
    """What the process refuses, the kernel does."""
    with Gateways(2) as net:
        net.sysctl("s", "net.ipv4.conf.all.rp_filter=0",
                   "net.ipv4.conf.eth.rp_filter=0")
        e = net.end_of("s", *TURNS, "--release", "off", "--allow",
                       "10.99.0.0/30")
        t.check("in the kernel" in e.said(), e.said())
        for what, src, counter in (("good", "10.99.0.1", "written"),
                                   ("cut", "10.99.0.1", "cut"),
                                   ("long", "10.99.0.1", "bad"),
                                   ("six", "10.99.0.1", "bad"),
                                   ("good", "10.77.0.1", "not_allowed")):
            was = e.report()["ends"]
            p = net.inside("g1", sys.executable, "-c", CRAFT, net.gate(1), S,
                           src, INNER["s"], what)
            t.equal(p.wait(), 0, "sender")
            until(what, lambda: e.report()["ends"]["came"] == was["came"] + 5)
            now = e.report()["ends"]
            t.equal(now[counter] - was[counter], 5, what)
            t.equal(now["written"] - was["written"],
                    5 * (counter == "written"), what)


def told_otherwise(t):
    """The buffer, its size and time, the scheduler and the weight by ctl."""
    with Gateways(2) as net:
        path = os.path.join(net.dir, "ctl")
        e = net.end_of("c", *CATCH, "--ctl", path)
        net.end_of("s", *CATCH)
        for word, value in (("release", "off"), ("buffer-size", "10"),
                            ("hold", "20ms"), ("scheduler", "pin"),
                            ("release", "order")):
            lab.sh(lab.BINARY, "ctl", path, "set", word, value)
        r = subprocess.run((lab.BINARY, "ctl", path, "set", "scheduler",
                            "earliest"), capture_output=True, text=True)
        t.check(r.returncode != 0 and "measures no path" in r.stderr + r.stdout,
                str(r))
        t.check(transfer(net, "c", 1 << 20), "transfer")
        t.equal(min(p["sent"] for p in e.report()["paths"]), 0, "pinned")


WRONG = [
    (["--path", "eth,10.20.0.11"], "--plain"),
    (["--plain", "--path", "eth,10.20.0.11:7"], "no port"),
    (["--plain", "--path", "eth,gate:7"], "no port"),
    (["--plain", "--path", "eth,10.20.0.11"], "--scheduler"),
    (["--plain", *TURNS, "--path", "eth,fd00::1"], "IPv4"),
    (["--plain", *TURNS], "--path"),
    (["--plain", *TURNS, "--path", "eth,10.20.0.11", "--listen", "0.0.0.0:7"],
     "leave one"),
    (["--plain", *TURNS, "--path", "eth,10.20.0.11", "--path",
      "any,10.20.0.11"], "one address"),
    (["--plain", *TURNS, "--path", "none,10.20.0.11"], "no such device"),
    (["--plain", *TURNS, "--path", "any,10.99.0.2"], "tunnel itself"),
    (["--plain", *TURNS, "--path", "eth,10.20.0.11", "--catch", "none"],
     "no such device"),
    (["--plain", *TURNS, "--path", "eth,10.20.0.11", "--tap"], "--tap"),
    (["--plain", *TURNS, "--path", "eth,10.20.0.11,rate=5M"], "weight="),
    (["--plain", *TURNS, "--release", "equal", "--path", "eth,10.20.0.11"],
     "order or off"),
    (["--key", "x", "--path", "eth,10.20.0.11"], "no keys"),
]


def wrong_input(t):
    with Gateways(0) as net:
        for words, said in WRONG:
            r = subprocess.run(("ip", "netns", "exec", net.ns("c"), lab.BINARY,
                                "tunnel", "--encap", "ipip", "--addr",
                                "10.99.0.1/30", *words), capture_output=True,
                               text=True, timeout=20)
            t.equal(r.returncode, 2, " ".join(words))
            t.check(r.stderr.count("\n") == 1 and said in r.stderr,
                    "%s: %s" % (words, r.stderr))


if __name__ == "__main__":
    lab.main([("both ends ours", ours), ("gateways strip", stripped),
              ("bad input", bad_input), ("spoofed, plain", spoofed_plain),
              ("a gateway answers ICMP", icmp), ("no TCP is pinned", pinned),
              ("weights", weights), ("killed", killed),
              ("in the kernel", in_the_kernel),
              ("bad input, in the kernel", bad_in_the_kernel),
              ("told otherwise", told_otherwise), ("wrong input", wrong_input)])
