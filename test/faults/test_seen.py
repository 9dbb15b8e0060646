# SPDX-License-Identifier: BSD-2-Clause
"""A machine that is busy with other things, over and over.

Two SUTs of which one dies, and a hundred thousand DNS queries, with a program
beside on every processor that never rests. What the mirror's ring was given must
reach the SUT; a frame the kernel could not give us is counted (`drops`), and
only then may a request be missing. REPEATS (5) times each.
"""
import os
import time

import fault
from fault import lab

REPEATS = int(os.environ.get("REPEATS", "5"))


def two(t, family):
    """One of two SUTs dies in mid-run: the other does not feel it."""
    for n in range(REPEATS):
        with lab.Lab(family=family) as l, fault.Busy():
            l.second_sut()
            prod, one = l.labsrv("prod"), l.labsrv("sut")
            other = l.labsrv("sut", at="sut2", port=81)
            us = l.understudy("--map", l.map(sut="sut2", sut_port=81))
            load = l.wrk(seconds=2, conns=8, url="/a", wait=False)
            time.sleep(0.7)
            other.kill()
            l.wrk_rate(load)
            l.settle(prod, one)
            time.sleep(1.1)
            r = fault.ended_by_sut(t, us)
            got = fault.clean(t, prod, one)
            drops = r["capture"]["drops"]
            fault.figure("one of two SUTs dies, IPv%d, busy" % family, "%d of %d "
                         "reached beside it" % (got.reached, got.asked),
                         "drops %d" % drops, "not delivered %s" %
                         r["not_delivered"], "flows ended %s" %
                         r["flows"]["ended"])
            fault.lost_by_drops(t, r, got)
            fault.requests_closed(t, r)
            lab.isolated(t, l)


def dns(t, family):
    for n in range(REPEATS):
        with lab.Lab(family=family) as l, fault.Busy():
            prod, sut = l.unbound("prod"), l.unbound("sut")
            us = l.understudy(port=53, filt="udp port 53")
            code, said = l.queries(100000, timeout=180)
            l.settle(prod, sut, quiet=2)
            r = fault.ended(t, us, (0, 2))
            t.equal(us.differences(), [], "differences")
            asked, got = (lab.collections.Counter(l.names(p.log))
                          for p in (prod, sut))
            drops, missing = r["capture"]["drops"], sum((asked - got).values())
            left = l.snmp("sut", "Udp", "RcvbufErrors")
            fault.figure("100,000 DNS queries, IPv%d, busy" % family,
                         "%s; %d missing at the SUT" % (said.strip(), missing),
                         "drops %d, SUT's own socket dropped %d" % (drops, left),
                         {k: v for k, v in r["datagrams"].items() if v})
            t.check(missing <= drops + left, "run %d: %d missing: %s" % (
                n, missing, us.text()))
            t.equal(sum((got - asked).values()), 0, "surplus")
            t.equal(r["sums"]["closed"], True, "sums closed")
            lab.isolated(t, l)


TESTS = [("one of two SUTs dies on a busy machine, IPv%d" % v, False, two, v)
         for v in (6, 4)]
TESTS += [("100,000 DNS queries on a busy machine, IPv%d" % v, False, dns,
           v) for v in (4, 6)]
fault.main(TESTS)
