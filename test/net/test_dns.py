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


lab.main([
    ("unbound against unbound", dns),
    ("unbound against unbound, IPv6", dns, 6),
    ("one answer of the SUT is another", dns, 4,
     'local-zone: "n7.lab." redirect\n  local-data: "n7.lab. A 192.0.2.77"'),
])
