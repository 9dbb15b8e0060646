# SPDX-License-Identifier: BSD-2-Clause
"""Mirrors that wrap frames, cut them, show them twice or from one side only.

Each way of wrapping is tried over one family, and with KINDS=all over both.
Frames are wrapped by test/lib/wrap.c; that they are what they are meant to be
is tshark's word, not ours. The kernel's own VXLAN stands in test_modes.py.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "a few hundred requests"

KEY = 77
# How it is wrapped: --decap, the report's kind and key, what tshark says of it.
KINDS = {
    "vxlan": ("vxlan:77", "vxlan", KEY, "vxlan", "vxlan.vni", "77"),
    "vxlan-8472": ("vxlan", "vxlan", KEY, "vxlan", "vxlan.vni", "77"),
    "geneve": ("geneve:77", "geneve", KEY, "geneve", "geneve.vni", "0x00004d"),
    "gre": ("gre", "gre", None, "gre", "gre.proto", "0x6558"),
    "gre-key": ("gre:77", "gre", KEY, "gre", "gre.key", "0x0000004d"),
    "gre-ip": ("auto", "gre", KEY, "gre", "gre.key", "0x0000004d"),
    "erspan1": ("erspan", "erspan", None, "gre", "gre.proto", "0x88be"),
    "erspan2": ("erspan:77", "erspan", KEY, "erspan", "erspan.spanid", "77"),
    "erspan3": ("auto", "erspan", KEY, "erspan", "erspan.spanid", "77"),
    "mpls": ("none", None, None, "mpls", "mpls.label", "77,78"),
    "pppoe": ("none", None, None, "pppoes", "pppoe.session_id", "0x004d"),
}


def load(l):
    """Connections that last and short ones, as keep and each ask."""
    ids = iter(range(1000))
    for _ in range(3):
        l.client("keep", *["/b10k?id=q-%d" % next(ids) for _ in range(40)])
    l.client("each", *["/b100?id=r-%d" % i for i in range(40)])
    return 160


def whole(t, l, us, prod, sut, asked):
    """All reached once and compared alike; nothing leaked."""
    l.settle(prod, sut)
    t.equal(us.finish(), 0, "exit code: " + us.text()[-600:])
    got, r = lab.reach(prod.log, sut.log), us.report()
    t.equal((got.asked, got.reached), (asked, asked), "asked, reached")
    t.equal((got.duplicates, got.disorder, got.cut), (0, 0, 0),
            "duplicates, disorder, cut")
    t.equal((r["verdicts"]["identical"] + r["verdicts"]["equivalent"],
             r["verdicts"]["different"], r["verdicts"]["not_compared"]),
            (asked, 0, 0), "verdicts")
    t.equal(r["sums"]["closed"], True, "sums closed")
    lab.isolated(t, l)
    return r


def dissected(t, path, proto, field, value):
    """What tshark makes of the frames that hold a request."""
    out = subprocess.run(
        ["tshark", "-r", path, "-d", "udp.port==8472,vxlan", "-Y",
         "http.request", "-T", "fields", "-e", "frame.protocols", "-e", field],
        capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in out.splitlines()]
    t.check(len(rows) > 20, "tshark found %d requests" % len(rows))
    for row in rows:
        if not t.check(":%s:" % proto in row[0] and row[1] == value,
                       "tshark: %s" % row):
            return


def kind(t, how, family, words):
    lab.need("tshark")
    decap, name, key, proto, field, value = KINDS[how]
    with lab.Lab(family=family, gso=False,
                 wrapped=(how, "key=%d" % KEY, *words)) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        d = l.dump("us", "mon0", "", snap=0)
        us = l.understudy("--decap", decap, filt="")
        asked = load(l)
        r = whole(t, l, us, prod, sut, asked)
        l.dumped(d)
        dissected(t, d.path, proto, field, value)
        seen = r["capture"].get("tunnels", [])
        if name is None:
            t.equal(seen, [], "tunnels")
            return
        frames = l.mangle_truth()["frames"]
        t.check(len(seen) == 1 and seen[0]["kind"] == name and
                seen[0].get("key") == key and seen[0]["taken"] and
                0 < seen[0]["frames"] <= frames, "tunnels %s" % seen)


def as_mirrored(t, *words, **lab_words):
    """Frames that are whole, whatever a mirror did to them beside."""
    with lab.Lab(gso=False, wrapped=words, **lab_words) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy(filt="")
        whole(t, l, us, prod, sut, load(l))


def cut(t, how, decap):
    """Copies are cut: what is there is played, nothing is invented."""
    with lab.Lab(gso=False, wrapped=(how, "key=1", "cut=400")) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy("--decap", decap, filt="")
        l.client("keep", *["/b10k?id=q-%d" % i for i in range(40)])
        l.client("each", *["/b100?id=r-%d" % i for i in range(40)])
        l.settle(prod, sut)
        us.finish()
        got, r = lab.reach(prod.log, sut.log), us.report()
        t.equal((got.asked, got.reached, got.duplicates), (80, 80, 0),
                "asked, reached, duplicates; " + us.text()[-300:])
        t.equal(us.differences(), [], "differences")
        t.check(r["capture"]["missed_segments"] > 0, "no gap: %s" %
                r["capture"])
        t.check(r["verdicts"]["not_compared"] >= 40, "%s" % r["verdicts"])
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


def addressed(t, how, decap):
    """A cloud sends to an address of ours: that interface is only listened to,
    and its kernel answers nobody."""
    with lab.Lab(gso=False, wrapped=(how, "key=9")) as l:
        # Until understudy listens the kernel answers, so nobody speaks yet.
        for room, dev in (("client", "c0"), ("prod", "p0")):
            l.sysctl(room, "net.ipv6.conf.%s.disable_ipv6" % dev, 1)
        l.ip("us", "link", "set", "mon0", "address", "02:00:00:00:07:02")
        l.ip("us", "addr", "add", "10.7.0.2/24", "dev", "mon0")
        l.ip("us", "neigh", "replace", "10.7.0.1", "lladdr",
             "02:00:00:00:07:01", "dev", "mon0", "nud", "permanent")
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy("--decap", decap, filt="")
        whole(t, l, us, prod, sut, load(l))
        t.check("mon0 is in use" in us.text(), "not said: " + us.text()[:400])


def told(t, words, args, sentence, reached):
    """What the mirror does not show is said while the run goes on."""
    with lab.Lab(gso=False, wrapped=words) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy(*args, filt="")
        asked = load(l)
        end = lab.time.monotonic() + 15
        while sentence not in us.text() and lab.time.monotonic() < end:
            lab.time.sleep(0.1)
        t.check(sentence in us.text(), "not said: " + us.text())
        l.settle(prod, sut)
        t.equal(us.finish(), 2, "exit code: nothing was compared")
        got = lab.reach(prod.log, sut.log)
        t.equal((got.asked, got.reached, got.duplicates),
                (asked, reached, 0), "asked, reached, duplicates")
        lab.isolated(t, l)


FAMILIES = ((4, ()), (6, ("v6",)))
TESTS = [(n + (", IPv6" if v == 6 else ""), kind, n, v, w)
         for i, n in enumerate(KINDS) for k, (v, w) in enumerate(FAMILIES)
         if i % 2 == k or os.environ.get("KINDS") == "all"]
TESTS += [
    ("every frame twice", as_mirrored, "twice"),
    ("every frame twice, routed between", as_mirrored, "route"),
    ("a tag on what clients send", as_mirrored, "vlan=" + lab.MAC["c0"]),
    ("a tag on what production sends", as_mirrored, "vlan=" + lab.MAC["p0"]),
    ("an address where VXLAN comes in", addressed, "vxlan", "vxlan"),
    ("an address where GENEVE comes in", addressed, "geneve", "auto"),
    ("an address where GRE comes in", addressed, "gre-key", "gre:9"),
    ("only clients on the mirror", told, ("only=" + lab.MAC["c0"],), (),
     "shows only what clients send", 160),
    ("only production on the mirror", told, ("only=" + lab.MAC["p0"],), (),
     "shows only what production sends", 0),
    ("another key", told, ("geneve", "key=3"), ("--decap", "geneve:4"),
     "--decap geneve:3", 0),
    ("no key", told, ("erspan1",), ("--decap", "erspan:4"),
     "without a key", 0),
    ("copies that are cut, ERSPAN", cut, "erspan2", "erspan:1"),
    ("copies that are cut, VXLAN", cut, "vxlan", "auto"),
]
lab.main(TESTS)
