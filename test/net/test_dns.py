# SPDX-License-Identifier: BSD-2-Clause
"""A shadowed DNS server: every query reaches it, and no answer differs.

ANSWERS: so many of two unbounds (2,000).
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import again  # noqa: E402
import lab  # noqa: E402
import rotate  # noqa: E402

IDLE = "queries one by one"

ANSWERS = int(os.environ.get("ANSWERS", "2000"))


def dns(t, family=4, planted=""):
    with lab.Lab(family=family) as l:
        prod = l.unbound("prod")
        sut = l.unbound("sut", planted)
        us = l.understudy(port=53, filt="udp port 53")
        code, out = l.queries(ANSWERS, timeout=120 + ANSWERS // 100)
        t.equal((code, out.strip()), (0, "answered %d" % ANSWERS), "client")
        l.settle(prod, sut)
        code = us.finish()
        asked, got = (l.names(p.log) for p in (prod, sut))
        t.equal(len(asked), ANSWERS, "queries at production")
        t.equal(sorted(got), sorted(asked), "queries at the SUT")
        v = us.report().get("verdicts", {})
        if planted:
            t.equal(code, 1, "exit code")
            t.equal(v.get("different"), 1, "different")
            t.check(any("n7.lab" in str(d.get("request"))
                        for d in us.differences()), "the name: %s" %
                    us.differences())
        else:
            t.equal(code, 0, "exit code")
            t.equal((v.get("different"), v.get("not_compared")), (0, 0),
                    "different, not compared")
        lab.isolated(t, l)


# Ten connections, each asking for names on it, one by one.
OVER_TCP = """
import socket, struct, sys
for c in range(10):
    s = socket.create_connection((sys.argv[1], 53), 30)
    f = s.makefile("rb")
    for i in range(20):
        name = b"ttl" if i == 7 else b"many"
        query = struct.pack(">HHHHHH", c * 100 + i, 0x100, 1, 0, 0, 0) + bytes([
            len(name)]) + name + b"\\4sets\\0" + struct.pack(">HH", 1, 1)
        s.sendall(struct.pack(">H", len(query)) + query)
        f.read(struct.unpack(">H", f.read(2))[0])
"""


def over_tcp(t):
    """Sets in another order are the same, and a time to live is not."""
    zone = 'local-zone: "sets." static\n' + "".join(
        '  local-data: "many.sets. 60 A 192.0.2.%d"\n' % i for i in range(1, 7))
    with lab.Lab() as l:
        prod = l.unbound("prod", zone + '  local-data: "ttl.sets. 3600 A 192.0.2.9"')
        sut = l.unbound("sut", zone + '  local-data: "ttl.sets. 60 A 192.0.2.9"\n'
                        '  rrset-roundrobin: no')
        us = l.understudy("--rules", "@dns", port=53, filt="tcp port 53")
        code, out = l.python("client", OVER_TCP, l.addr["prod"])
        t.equal(code, 0, "client: " + out)
        l.settle(prod, sut)
        t.equal(us.finish(), 1, "exit code")
        v = us.report()["verdicts"]
        t.equal((v["different"], v["not_compared"]), (10, 0), "verdicts: %s" % v)
        t.check(v["equivalent"] >= 100, "other orders: %s" % v)
        t.equal({(d["request"], d["detail"]) for d in us.differences()},
                {("ttl.sets. A", "TTL: production 3600, SUT 60")}, "what differs")
        lab.isolated(t, l)


ROTATED = 120  # queries
SLOW = 60  # seconds that anything may take on a busy machine


def rotating(l, room, step, foreign=0):
    log = l.path("rotate-" + room)
    p = l.spawn(room, [sys.executable, rotate.__file__, "serve", l.addr[room],
                       str(step), log, str(foreign)], err=log + ".err")
    p.log, p.reopen = log, False
    l.listening(room, p, 53, seconds=SLOW, kind="-Hlun")
    return p


def parts(t, rule, foreign=0):
    """Four addresses of twelve, others each time; one that is none of them."""
    with lab.Lab() as l:
        rules, journal = l.path("rules"), l.path("run.pcapng")
        with open(rules, "w") as f:
            f.write("understudy rules 1\n" + rule)
        prod = rotating(l, "prod", 4)
        sut = rotating(l, "sut", 5, foreign)
        us = l.understudy("--rules", rules, "-w", journal, port=53, filt="udp port 53")
        code, out = l.run("client", [sys.executable, rotate.__file__, "ask",
                                     l.addr["prod"], str(ROTATED)], timeout=SLOW)
        t.equal((code, out.strip()), (0, "answered %d" % ROTATED), "client: " + out)
        l.settle(prod, sut)
        code = us.finish(SLOW)
        r = us.report()
        v = r["verdicts"]
        t.equal(v["not_compared"], 0, "not compared: %s" % r["not_compared"])
        # Both begin alike every 12th time of a name, by other addresses else.
        part = ROTATED * 11 // 12
        differ = 1 if foreign else 0
        if not rule:
            differ, part = part, 0
        t.equal((code, v["different"]), (1 if differ else 0, differ),
                "exit code, different: %s" % v)
        if rule:
            t.check(r["rules"]["equivalent"].get("subset", 0) >= part - 1,
                    "by parts: %s" % r["rules"]["equivalent"])
            told = r["rules"]["versions"]
            t.check(told["parts_held"] - told["parts_taken_back"] == differ,
                    "waited: %s" % told)
        if foreign:
            d = us.differences()[0]
            t.equal(d["request"], rotate.NAMES[(foreign - 1) % 2].decode() + ".lab. A",
                    "which: %s" % d)
        t.equal(r["sums"]["closed"], True, "sums: %s" % r["sums"])
        again.same(t, lab.BINARY, us.jsonl, journal)


lab.main([
    ("parts of a set", parts, "dns subset\n"),
    ("parts of a set, one record of the SUT's is foreign", parts, "dns subset\n", 50),
    ("parts of a set without the rule", parts, ""),
    ("unbound against unbound", dns),
    ("unbound against unbound, IPv6", dns, 6),
    ("over TCP", over_tcp),
    ("one answer of the SUT is another", dns, 4,
     'local-zone: "n7.lab." redirect\n  local-data: "n7.lab. A 192.0.2.77"'),
])
