# SPDX-License-Identifier: BSD-2-Clause
"""Slow readers and aborts look at the SUT as they looked at production."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "one client at a time"

SMALL = "sndbuf=32768"  # so that the server feels the client's pace
# The client's largest window (its buffer, twice 65536) and what a server counts
# as sent that lies in its own buffer (twice 32768).
ROOM = 131072 + 65536


def pair(t, prod, sut, rid):
    """The one answer of request `rid` on both sides, or None."""
    got = [[r for r in lab.read_log(p.log) if r.id == rid] for p in (prod, sut)]
    if t.check(len(got[0]) == 1 and len(got[1]) == 1,
               "%s logged %d and %d times" % (rid, len(got[0]), len(got[1]))):
        return got[0][0], got[1][0]
    return None


def abort(t, family=4):
    with lab.Lab(family=family) as l:
        prod, sut = (l.nginx(r, listen=SMALL) for r in ("prod", "sut"))
        us = l.understudy()
        ends = {"q-%d" % i: 50000 + 150000 * i for i in range(4)}
        for rid, count in ends.items():
            code, out = l.client("abort", "/b1m?id=" + rid, count)
            t.equal(out.strip(), "aborted %d" % count, "client")
        l.settle(prod, sut)
        t.check(us.finish() in (0, 2), "exit code")
        for rid, count in ends.items():
            both = pair(t, prod, sut, rid)
            if both:
                print("#  %s: production sent %d, the SUT %d" % (
                    rid, both[0].size, both[1].size))
                t.check(not both[1].whole or both[0].whole,
                        rid + ": the SUT's answer was not cut")
                # What the client had read when it left the SUT has sent, too.
                t.check(both[1].size >= count, "%s: the SUT sent %d" % (
                    rid, both[1].size))
                t.check(abs(both[0].size - both[1].size) <= ROOM,
                        "%s: production sent %d, the SUT %d" % (
                            rid, both[0].size, both[1].size))
        t.equal(us.differences(), [], "differences")
        lab.isolated(t, l)


def slow(t, family=4):
    with lab.Lab(family=family) as l:
        prod, sut = (l.nginx(r, listen=SMALL) for r in ("prod", "sut"))
        us = l.understudy()
        code, out = l.client("slow", "/b1m?id=q-1", 1000000)
        t.check(out.startswith("read 1048"), "client: " + out)
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code")
        both = pair(t, prod, sut, "q-1")
        if both:
            p, s = both
            t.check(p.seconds > 0.3, "production was not slowed: %s" % (p,))
            t.check(0.5 * p.seconds <= s.seconds <= 2 * p.seconds,
                    "production took %.3f s, the SUT %.3f s" % (p.seconds,
                                                                s.seconds))
            t.equal((s.size, s.whole), (p.size, True), "the SUT's answer")
        lab.isolated(t, l)


def stall(t, family=4):
    """The client's window is shut in mid-answer, for a second."""
    with lab.Lab(family=family) as l:
        prod, sut = (l.nginx(r, listen=SMALL) for r in ("prod", "sut"))
        us = l.understudy()
        code, out = l.client("stall", "/b1m?id=q-1", 200000, 1)
        t.check(out.startswith("read 1048"), "client: " + out)
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code")
        both = pair(t, prod, sut, "q-1")
        if both:
            p, s = both
            t.check(p.seconds > 0.9, "production was not stalled: %s" % (p,))
            t.check(0.8 * p.seconds <= s.seconds <= 1.25 * p.seconds + 0.3,
                    "production took %.3f s, the SUT %.3f s" % (p.seconds,
                                                                s.seconds))
            t.equal((s.size, s.whole), (p.size, True), "the SUT's answer")
        lab.isolated(t, l)


lab.main([(name + ", IPv%d" % family, test, family)
          for family in (4, 6)
          for name, test in (("aborts in mid-answer", abort),
                             ("slow reader", slow),
                             ("a shut window", stall))])
