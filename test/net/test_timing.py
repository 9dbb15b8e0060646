# SPDX-License-Identifier: BSD-2-Clause
"""When requests reach the SUT: levels and orders."""
import os
import re
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

ALONE = "times on the wires are measured"
TIMING_DELAY = 0.005  # what --level timing adds to the capture time
# How true the spacing is: half of the requests as near as MEDIAN, nine in ten as
# near as NINE. A busy machine delays single frames by far more than this.
MEDIAN, NINE = 0.002, 0.020


def first_seen(frames):
    """When the request of each id was seen first."""
    at = {}
    for when, data in frames:
        for rid in re.findall(rb"id=(q-\d+-\d+)", data):
            at.setdefault(rid, when)
    return at


def timing(t, family=4):
    """The SUT's wire sees the client's gaps, 5 ms later."""
    with lab.Lab(family=family) as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut")
        us = l.understudy("--level", "timing")
        dumps = [l.dump("us", "mon0", "tcp dst port 80"),
                 l.dump("sut", "s0", "tcp dst port 80")]
        code, out = l.client("paced", 4, 50, 2)
        t.equal(code, 0, "client: " + out[-200:])
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code: " + us.text()[-300:])
        got, r = lab.reach(prod.log, sut.log), us.report()
        t.equal((got.reached, got.duplicates, got.disorder), (400, 0, 0),
                "reached, duplicates, disorder: " + us.text())
        t.equal((r["verdicts"]["different"], r["capture"]["drops"],
                 r["sums"]["closed"]), (0, 0, True), "different, drops, sums")
        lab.isolated(t, l)
        before, after = (first_seen(l.dumped(d)) for d in dumps)
        late = sorted(after[i] - before[i] - TIMING_DELAY for i in before
                      if i in after)
        t.equal((len(before), len(late)), (400, 400), "requests on the wires")
        off = sorted(abs(x - statistics.median(late)) for x in late)
        print("# IPv%d: after capture time + 5 ms: least %.3f ms, p50 %.3f ms, "
              "p90 %.3f ms, max %.3f ms" % (family, *(1e3 * x for x in (
                  late[0], late[200], late[360], late[-1]))))
        t.check(late[0] > -0.0005, "a request %.3f ms early" % (late[0] * 1e3))
        t.check(off[200] < MEDIAN and off[360] < NINE and late[200] < NINE,
                "gaps are off by p50 %.3f ms, p90 %.3f ms, late p50 %.3f ms" % (
                    off[200] * 1e3, off[360] * 1e3, late[200] * 1e3))


def captured_order(t, family=4):
    """--order captured: a SUT that is 50 ms slower does not hold a request."""
    def spread(order):
        with lab.Lab(family=family) as l:
            prod, sut = l.labsrv("prod"), l.labsrv("sut", "-d", "50")
            us = l.understudy("--order", order, "--behind", "wait")
            d = l.dump("sut", "s0", "tcp dst port 80")
            code, out = l.client("paced", 1, 100, 0.3)
            t.equal(code, 0, "client: " + out[-200:])
            l.settle(prod, sut, quiet=1)
            t.equal(us.finish(30), 0, "exit code: " + us.text()[-300:])
            got = lab.reach(prod.log, sut.log)
            t.equal((got.asked, got.reached, got.disorder), (30, 30, 0),
                    order + ": reached, disorder")
            at = first_seen(l.dumped(d)).values()
            t.equal(us.report()["sums"]["closed"], True, "sums closed")
            lab.isolated(t, l)
            return max(at) - min(at)
    causal, captured = spread("causal"), spread("captured")
    print("# IPv%d: 0.3 s of requests reached the SUT in %.2f s (causal), %.2f s "
          "(captured)" % (family, causal, captured))
    # 30 answers of 50 ms, one after another; sent when captured: as asked.
    t.check(causal > 1.3, "causal order did not wait: %.2f s" % causal)
    t.check(captured < 1.0, "captured order waited: %.2f s" % captured)


TESTS = []
for v in (4, 6):
    TESTS += [("--level timing, IPv%d" % v, timing, v),
              ("--order captured, IPv%d" % v, captured_order, v)]
lab.main(TESTS)
