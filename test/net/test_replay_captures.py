# SPDX-License-Identifier: BSD-2-Clause
"""understudy replay: captures that lack a side, a beginning, bytes."""
import collections
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402
from replayed import (ETHERNET, both, capture, closed, each,  # noqa: E402
                      keep, ports, records, replay, said, sound, write)

IDLE = "small captures"


def one_sided(t, family, *args):
    """Only the client's packets: all of it is delivered, nothing compared."""
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, both(keep(20), each(30)))
        write(path, [x for x in records(path) if ports(x[3])[1] == 80])
        us, took = replay(l, path, *args)
        r = sound(t, l, us, 2)
        l.settle(sut)
        got = lab.reach(prod.log, sut.log)
        said("one-sided, IPv%d %s" % (family, " ".join(args)), us, took, r)
        t.equal((got.asked, got.reached, got.duplicates, got.disorder),
                (50, 50, 0, 0), "asked, reached, duplicates, disorder")
        t.equal((r["requests"]["answered"], r["replay"]["flows_one_sided"]),
                (50, 31), "answered, one-sided")
        t.equal({k: v for k, v in r["not_compared"].items() if v},
                {"production_gap": 50}, "not compared")
        if not args:
            # With nothing to compare with, 0 is for who did not ask to compare.
            us, _ = replay(l, path, "-q", compare="none")
            t.equal(us.code, 0, "with --compare none: " + us.text()[-300:])


def short_snaplen(t):
    """Where a request is cut its connection's playing ends, and says so."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, both(keep(5), each(20)), snap=96)
        us, took = replay(l, path)
        r = sound(t, l, us, 2)
        l.settle(sut)
        said("snaplen 96", us, took, r)
        t.equal(lab.read_log(sut.log), [], "requests at the SUT")
        t.equal((r["replay"]["flows_cut"], r["flows"]["ended"]),
                (21, {"client_gap": 21}), "flows cut, ended")
        cut = [x for x in records(path) if x[2] > len(x[3])]
        t.equal(r["replay"]["records_cut"], len(cut), "records cut")
        t.check(r["machine"]["client_truncated"] == 21 and
                r["replay"]["records_behind_cut"] > 0, str(r["replay"]))


def one_record_cut(t, sided):
    """The first two of four requests are whole: they alone are played."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, keep(4, "/b100"))
        rows = records(path)
        if sided == 1:
            rows = [x for x in rows if ports(x[3])[1] == 80]
        at = [i for i, x in enumerate(rows) if b"id=q-2" in x[3] and
              ports(x[3])[1] == 80][0]
        rows[at] = rows[at][:3] + (rows[at][3][:80],)
        write(path, rows)
        us, took = replay(l, path)
        r = sound(t, l, us, 0 if sided == 2 else 2)
        l.settle(sut)
        said("cut in the third request, %d-sided" % sided, us, took, r)
        t.equal([x.id for x in lab.read_log(sut.log)], ["q-0", "q-1"],
                "requests at the SUT")
        t.equal(r["flows"]["ended"], {"client_gap": 1}, "ended by")
        t.equal((r["requests"]["delivered"], r["requests"]["answered"],
                 r["replay"]["records_cut"], r["replay"]["flows_cut"]),
                (2, 2, 1, 1), "delivered, answered, records and flows cut")


def middle(t, *args):
    """A capture that begins in the middle of a connection."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, keep(20, "/b100"))
        rows = records(path)
        at = [i for i, x in enumerate(rows) if b"id=q-9" in x[3]][0]
        write(path, rows[at - 1:])
        us, took = replay(l, path, *args)
        r = sound(t, l, us)
        l.settle(sut)
        said("from the middle", us, took, r)
        t.equal([x.id for x in lab.read_log(sut.log)],
                ["q-%d" % i for i in range(9, 20)], "requests at the SUT")
        t.equal((r["replay"]["flows_midstream"],
                 r["machine"]["flows_midstream"]), (1, 1), "midstream")


def no_client(t):
    """Only production's packets: nothing to play, counted."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, each(5))
        write(path, [x for x in records(path) if ports(x[3])[0] == 80])
        us, took = replay(l, path)
        r = sound(t, l, us, 2)
        said("only production's side", us, took, r)
        t.equal((r["replay"]["flows"], r["replay"]["flows_no_client"],
                 r["replay"]["flows_one_sided"], r["flows"]["played"]),
                (5, 5, 0, 0), "flows, no client, one-sided, played")


def spoiled(frame):
    """An IPv4 segment that is not what was sent: another first byte of its
    payload, and a checksum that neither fits nor was left to a device."""
    f = bytearray(frame)
    tcp = ETHERNET + (f[ETHERNET] & 15) * 4
    f[tcp + (f[tcp + 12] >> 4) * 4] ^= 1
    f[tcp + 16] ^= 0x5a
    return bytes(f)


def bad_sums(t):
    """A copy of each request with another first byte and a wrong checksum goes
    in front of it: it is counted and not played, not in a repetition either."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, keep(5, "/b100"))
        rows = []
        for x in records(path):
            if b"id=q-" in x[3]:
                rows.append(x[:3] + (spoiled(x[3]),))
            rows.append(x)
        write(path, rows)
        for args, left in (((), 5), (("--fast",), 10)):
            us, took = replay(l, path, "--loop", "2", "--checksums",
                              "verify", *args)
            r = closed(t, us)
            said("wrong checksums " + " ".join(args), us, took, r)
            # Of no connection: handed in once and seen to be bad, or not at all.
            t.equal((r["replay"]["records_no_flow"],
                     r["replay"]["records_left"],
                     r["capture"]["decode"].get("bad_l4_csum", 0),
                     r["requests"]["answered"]), (5, left, 10 - left, 10),
                    "of no connection, left, bad checksums, answered")
        l.settle(sut)
        t.equal(collections.Counter(x.id for x in lab.read_log(sut.log)),
                {"q-%d" % i: 4 for i in range(5)}, "requests at the SUT")
        lab.isolated(t, l)


lab.main([
    ("one-sided, IPv4", one_sided, 4),
    ("one-sided, IPv6", one_sided, 6),
    ("one-sided, --fast", one_sided, 4, "--fast"),
    ("snaplen 96", short_snaplen),
    ("one record cut", one_record_cut, 2),
    ("one record cut, one-sided", one_record_cut, 1),
    ("a start in the middle", middle),
    ("a start in the middle, --fast", middle, "--fast"),
    ("only production's side", no_client),
    ("wrong checksums", bad_sums),
])
