# SPDX-License-Identifier: BSD-2-Clause
"""understudy replay: captures that lack something, and what is no capture."""
import collections
import glob
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402
from replayed import (ETHERNET, both, capture, closed, each,  # noqa: E402
                      keep, ports, records, replay, said, sound, write)

MATERIAL = os.environ.get("MATERIAL", "")


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
            us, took = replay(l, path, "--loop", "2", *args)
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


def cut_file(t):
    """What comes before the cut is played; the end is an error that says so."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, each(20))
        size, bad = os.path.getsize(path), l.path("bad.pcap")
        for at, code in ((size - 7, 2), (size // 2, 2), (24, 2), (10, 2),
                         (0, 2)):
            shutil.copy(path, bad)
            os.truncate(bad, at)
            us, took = replay(l, bad, "--fast")
            lines = [x for x in us.text().splitlines() if "bad.pcap" in x]
            t.equal((us.code, len(lines)), (code, 0 if at == 24 else 1),
                    "code, lines on a file of %d bytes: %s" % (at, us.text()))
            if at > 1000:
                r = us.report()
                said("cut at %d of %d" % (at, size), us, took, r)
                t.check(r["requests"]["answered"] >= 9, "played: %s" % r)
                t.equal(r["sums"]["closed"], True, "sums closed")
        code, out = l.run("us", [
            "bash", "-c", 'exec "$0" replay -r <(cat "$1") --sut-dev eth1 '
            '--map "$2"', lab.BINARY, path, l.map()])
        t.check(code == 2 and "twice" in out, "a pipe: %d %s" % (code, out))
        lab.isolated(t, l)


def full_index(t):
    """What the index has no place for is counted, and said."""
    with lab.Lab() as l:
        prod = l.nginx("prod")
        l.nginx("sut")
        path = capture(l, prod, each(300))
        us, took = replay(l, path, "--index", "64K")
        r = sound(t, l, us, 2)
        said("--index 64K", us, took, r)
        t.check("raise --index" in us.text(), us.text()[-300:])
        left = r["replay"]
        t.equal(left["records"] + left["records_not_indexed"],
                len(records(path)), "records in the plan and beyond it")
        t.check(left["records_not_indexed"] > 0, str(left))


def material(t):
    """Captures nobody here made, mostly broken or of other protocols: an error
    of one line, or a report whose sums close."""
    every = 12 if os.environ.get("REPLAY_ALL") is None else 1
    paths = sorted(glob.glob(os.path.join(MATERIAL, "tcpdump", "*")))[::every]
    codes = collections.Counter()
    with lab.Lab() as l:
        l.nginx("sut")
        a = l.addr["sut"]
        for path in paths:
            jsonl = l.path(os.path.basename(path) + ".jsonl")
            us = lab.Understudy(
                l, [lab.BINARY, "replay", "-r", path, "--sut-dev", "eth1",
                    "--map", "0.0.0.0/0:80=%s:80" % a, "--multiplier",
                    "1000000", "--duration", "1s", "--json", jsonl], jsonl)
            us.wait(20)
            name = os.path.basename(path)
            codes[us.code] += 1
            t.check(us.code in (0, 1, 2), "%s: exit %s" % (name, us.code))
            r = us.report()
            t.check(r.get("sums", {}).get("closed") if r else
                    len(us.text().splitlines()) == 1,
                    name + ": " + us.text()[-300:])
        print("# %d captures (every %d. of them; REPLAY_ALL=1: all), by exit "
              "code: %s" % (len(paths), every, dict(codes)))
        t.check(len(paths) > 0, "no captures in " + MATERIAL)
        lab.isolated(t, l)


TESTS = [
    ("one-sided, IPv4", one_sided, 4),
    ("one-sided, IPv6", one_sided, 6),
    ("one-sided, --fast", one_sided, 4, "--fast"),
    ("snaplen 96", short_snaplen),
    ("one record cut", one_record_cut, 2),
    ("one record cut, one-sided", one_record_cut, 1),
    ("a start in the middle", middle),
    ("a start in the middle, --fast", middle, "--fast"),
    ("a file that was cut", cut_file),
    ("--index is full", full_index),
    ("only production's side", no_client),
    ("wrong checksums", bad_sums),
]
if MATERIAL:
    TESTS += [("captures of others", material)]
else:
    print("# captures of others: not played, MATERIAL is not set")
lab.main(TESTS)
