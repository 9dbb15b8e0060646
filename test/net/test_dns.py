# SPDX-License-Identifier: BSD-2-Clause
"""A shadowed DNS server: every query reaches it, and no answer differs."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "queries one by one"


def dns(t, family=4, planted=""):
    with lab.Lab(family=family) as l:
        prod = l.unbound("prod")
        sut = l.unbound("sut", planted)
        us = l.understudy(port=53, filt="udp port 53")
        code, out = l.queries(2000)
        t.equal((code, out.strip()), (0, "answered 2000"), "client")
        l.settle(prod, sut)
        code = us.finish()
        asked, got = (l.names(p.log) for p in (prod, sut))
        t.equal(len(asked), 2000, "queries at production")
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


lab.main([
    ("unbound against unbound", dns),
    ("unbound against unbound, IPv6", dns, 6),
    ("over TCP", over_tcp),
    ("one answer of the SUT is another", dns, 4,
     'local-zone: "n7.lab." redirect\n  local-data: "n7.lab. A 192.0.2.77"'),
])
