# SPDX-License-Identifier: BSD-2-Clause
"""understudy replay: datagrams."""
import collections
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402
from replayed import (ETHERNET, capture, records, replay,  # noqa: E402
                      said, sound, write)


def dns(t, family, loops, *args):
    """Datagrams: each query of the capture reaches the SUT, once a repetition."""
    with lab.Lab(family=family) as l:
        prod, sut = l.unbound("prod"), l.unbound("sut")
        answered = []
        path = capture(l, prod, lambda l: answered.append(l.queries(300)),
                       expr="udp port 53")
        t.equal(answered[0][1].strip(), "answered 300", "the client")
        us, took = replay(l, path, "--loop", str(loops), *args, port=53)
        r = sound(t, l, us)
        l.settle(sut)
        said("DNS, IPv%d, --loop %d %s" % (family, loops, " ".join(args)), us,
             took, r)
        asked, got = (collections.Counter(l.names(p.log))
                      for p in (prod, sut))
        t.equal(got, collections.Counter({k: n * loops
                                          for k, n in asked.items()}),
                "queries at the SUT")
        t.equal((sum(asked.values()), r["datagrams"]["udp_answered"],
                 r["verdicts"]["different"], r["verdicts"]["not_compared"]),
                (300, 300 * loops, 0, 0),
                "asked, answered, different, not compared")
        t.equal((r["replay"]["records"], r["replay"]["flows_cut"],
                 r["replay"]["records_no_flow"]), (600, 0, 0),
                "records, flows cut, records of no connection")
        # Each costs 200 ms; some may be forced on a machine that stands still.
        t.check(r["replay"]["gates_forced"] < 50, "gates: %s" % r["replay"])


def cut_datagrams(t):
    """What a short snaplen cut off is counted, and never sent as if whole."""
    with lab.Lab() as l:
        prod, sut = l.unbound("prod"), l.unbound("sut")
        path = capture(l, prod, lambda l: l.queries(40), expr="udp port 53")
        rows = records(path)
        at = [i for i, x in enumerate(rows) if struct.unpack_from(
            ">H", x[3], ETHERNET + 22)[0] == 53]
        for i in at[:10]:
            rows[i] = rows[i][:3] + (rows[i][3][:50],)
        write(path, rows)
        us, took = replay(l, path, port=53)
        r = sound(t, l, us)
        l.settle(sut)
        said("ten queries cut", us, took, r)
        t.equal((len(l.names(sut.log)), r["replay"]["records_cut"],
                 r["datagrams"]["udp_answered"]), (30, 10, 30),
                "queries at the SUT, records cut, answered")
        t.equal(r["datagrams"]["udp_query_cut"], 10, "queries cut")



lab.main([
    ("DNS", dns, 4, 1),
    ("DNS, IPv6, --multiplier", dns, 6, 1, "--multiplier", "10"),
    ("DNS, --fast", dns, 4, 1, "--fast"),
    ("DNS, --loop", dns, 4, 3),
    ("DNS, IPv6, --fast --loop", dns, 6, 2, "--fast"),
    ("DNS, queries cut", cut_datagrams),
])
