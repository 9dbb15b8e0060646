# SPDX-License-Identifier: BSD-2-Clause
"""understudy replay: captures that tcpdump made in the lab, and broken ones,
played to a live SUT at other speeds, in parts and several times."""
import atexit
import collections
import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402
from again import derived, first_difference, rerun  # noqa: E402

MANY = 10000  # connections of the large capture
MATERIAL = os.environ.get("MATERIAL", "")
ETHERNET = 14
kept = tempfile.mkdtemp(prefix="understudy-replay-")
atexit.register(shutil.rmtree, kept, True)


def records(path):
    """[(seconds, nanoseconds, wire length, frame)] of a pcap by tcpdump."""
    with open(path, "rb") as f:
        data = f.read()
    at, got = 24, []
    while at + 16 <= len(data):
        sec, nano, cap, wire = struct.unpack_from("<IIII", data, at)
        got.append((sec, nano, wire, data[at + 16:at + 16 + cap]))
        at += 16 + cap
    return got


def write(path, rows):
    """A pcap with nanoseconds."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
        for sec, nano, wire, data in rows:
            f.write(struct.pack("<IIII", sec, nano, len(data), wire) + data)


def ports(frame):
    """(source port, destination port) of a TCP segment over IPv4 or IPv6."""
    at = ETHERNET + (40 if frame[12:14] == b"\x86\xdd"
                     else (frame[ETHERNET] & 15) * 4)
    return struct.unpack_from(">HH", frame, at)


def capture(l, prod, drive, snap=0, expr="tcp port 80"):
    """What tcpdump saw of `drive`, as a file that outlives the lab."""
    d = l.dump("us", "mon0", expr, snap=snap)
    drive(l)
    l.settle(prod)
    l.dumped(d)
    path = os.path.join(kept, "%d.pcap" % len(os.listdir(kept)))
    shutil.copy(d.path, path)
    return path


def replay(l, path, *args, seconds=60, compare="equivalent", port=80):
    """Runs it to its end: (Understudy, seconds that it took)."""
    l.files += 1
    jsonl = l.path("us%d.jsonl" % l.files)
    began = time.monotonic()
    us = lab.Understudy(l, [lab.BINARY, "replay", "-r", path, "--sut-dev",
                            "eth1", "--map", l.map(port), "--compare",
                            compare, "--json", jsonl, *args], jsonl)
    us.wait(seconds)
    return us, time.monotonic() - began


def sound(t, l, us, code=0):
    """Exit code and sums; nothing leaked. Gives the report."""
    t.equal(us.code, code, "exit code: " + us.text()[-600:])
    r = us.report()
    t.equal(r.get("sums", {}).get("closed"), True,
            "sums closed: %s" % r.get("sums"))
    lab.isolated(t, l)
    return r


def said(name, us, took, r):
    print("# %s: %.1f s; %d flows, %d requests, %d delivered, %d answered; "
          "%s; %s" % (name, took, r["flows"]["played"], r["requests"]["seen"],
                      r["requests"]["delivered"], r["requests"]["answered"],
                      r["verdicts"], {k: v for k, v in r["replay"].items()
                                      if v}))


def each(count):
    return lambda l: l.client("from", l.addr["client"], 1, count)


def keep(count, url="/b10k", run="q"):
    return lambda l: l.client("keep", *["%s?id=%s-%d" % (url, run, i)
                                        for i in range(count)])


def both(*drives):
    def drive(l):
        for d in drives:
            d(l)
    return drive


many = []  # the large capture and production's log of it


def make_many(t):
    with lab.Lab() as l:
        prod = l.nginx("prod")
        # No frame is as long, and its ring has place for more of them.
        path = capture(l, prod, each(MANY), snap=4096)
        log = os.path.join(kept, "many.log")
        shutil.copy(prod.log, log)
        rows = records(path)
        t.equal(len({r.id for r in lab.read_log(log)}), MANY, "requests")
        t.equal([x for x in rows if x[2] != len(x[3])][:1], [], "frames cut")
        span = rows[-1][0] - rows[0][0] + (rows[-1][1] - rows[0][1]) / 1e9
        print("# %d frames, %d bytes, %.1f s" % (
            len(rows), os.path.getsize(path), span))
        many.extend((path, log, span))


def play_many(t, name, *args):
    if not many:
        make_many(t)
    path, log, span = many
    with lab.Lab() as l:
        sut = l.nginx("sut")
        us, took = replay(l, path, *args)
        r = sound(t, l, us)
        l.settle(sut)
        got = lab.reach(log, sut.log)
        said(name, us, took, r)
        t.equal((got.asked, got.reached, got.duplicates, got.cut),
                (MANY, MANY, 0, 0), "asked, reached, duplicates, cut")
        t.equal((r["requests"]["answered"], r["verdicts"]["different"],
                 r["verdicts"]["not_compared"]), (MANY, 0, 0),
                "answered, different, not compared")
        t.equal(r["replay"]["flows"], MANY, "flows in the plan")
        if not args:
            t.check(took > span - 0.1, "faster than captured: %.1f s" % took)


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
        # With nothing to compare with, 0 is for who did not ask to compare.
        us, _ = replay(l, path, "-q", *args, compare="none")
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


def is_probe(ip):
    """Is it an address of understudy's own questions to the SUT?"""
    return ip[:2] in (b"\xc6\x12", b"\xc6\x13") or \
        ip[:4] == b"\x20\x01\x0d\xb8"


def loops(t, family, *args):
    """Each repetition asks the same, from clients of its own."""
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, both(keep(20), each(50)))
        d = l.dump("sut", "s0", "tcp port 80 and tcp[13] & 2 != 0"
                   if family == 4 else "tcp port 80")
        us, took = replay(l, path, "--loop", "3", *args)
        l.settle(sut)
        r = sound(t, l, us)
        said("--loop 3, IPv%d %s" % (family, " ".join(args)), us, took, r)
        ids = collections.Counter(x.id for x in lab.read_log(sut.log))
        t.equal((len(ids), set(ids.values())), (70, {3}), "requests, times")
        t.equal((r["requests"]["answered"], r["verdicts"]["different"],
                 r["verdicts"]["not_compared"], r["replay"]["loops"]),
                (210, 0, 0, 3), "answered, different, not compared, loops")
        at = slice(ETHERNET + 12, ETHERNET + 16) if family == 4 else \
            slice(ETHERNET + 8, ETHERNET + 24)
        clients = {x[at] for _, x in l.dumped(d) if ports(x)[1] == 80}
        clients = {x for x in clients if not is_probe(x)}
        t.equal(len(clients), 3, "clients: %s" % clients)


def at_once(path):
    """Most connections to port 80 that were open at one time."""
    now, most = set(), 0
    for _, _, _, f in records(path):
        s, d = ports(f)
        flags = f[ETHERNET + (f[ETHERNET] & 15) * 4 + 13]
        if d != 80 or is_probe(f[ETHERNET + 12:ETHERNET + 16]):
            continue
        if flags & 2:
            now.add(s)
        elif flags & 5:
            now.discard(s)
        most = max(most, len(now))
    return most


def concurrency(t, limit, *args):
    """A SUT that takes 50 ms has no more than N connections open."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.labsrv("sut", "-d", "50")
        path = capture(l, prod, each(200))
        d = l.dump("sut", "s0", "tcp port 80")
        us, took = replay(l, path, *args)
        r = sound(t, l, us, us.code)  # labsrv's answers are not nginx's
        l.settle(sut)
        l.dumped(d)
        most = at_once(d.path)
        said(" ".join(args), us, took, r)
        print("# at most %d connections at once" % most)
        t.equal(len({x.id for x in lab.read_log(sut.log)}), 200, "requests")
        t.equal(r["requests"]["answered"], 200, "answered")
        t.check(most <= limit and most > limit // 2, "%d at once" % most)


def first_flows(t):
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, each(50))
        us, took = replay(l, path, "--flows", "7")
        r = sound(t, l, us)
        l.settle(sut)
        said("--flows 7", us, took, r)
        first = [x.id for x in lab.read_log(prod.log)][:7]
        t.equal(sorted(x.id for x in lab.read_log(sut.log)), sorted(first),
                "requests at the SUT")
        t.equal(r["replay"]["records_beyond"], len(records(path)) -
                r["replay"]["records"], "records beyond")


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


def journal(t, *args):
    """rerun sends the same bytes as replay has, and reports the same."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = capture(l, prod, both(keep(20), each(50)))
        out = l.path("run.pcapng")
        us, _ = replay(l, path, "-w", out, *args)
        r = sound(t, l, us)
        again = subprocess.run((lab.BINARY, "rerun", out), text=True,
                               capture_output=True, timeout=60)
        print("# " + re.sub(r"^.*/", "", again.stdout.strip()))
        t.equal(again.returncode, 0, "rerun: " + again.stdout + again.stderr)
        n = re.search(r"(\d+) emitted", again.stdout)
        t.check(n and int(n[1]) >= r["requests"]["answered"], again.stdout)
        with open(us.jsonl) as f:
            live = derived(f)
        with open(out, "rb") as f:
            code, lines, _ = rerun(lab.BINARY, f.read())
        wrong = first_difference(live, lines)
        t.check(code == 0 and lines and not wrong, "the report: " + wrong)


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


def refused(t):
    with lab.Lab() as l:
        a = ("--sut-dev", "eth1", "--map", l.map())
        for args, word in (
                (("-r", "x", "--fast", "--multiplier", "2"), "drop one"),
                (("-r", "x", "--fast", "--level", "timing"), "level timing"),
                (("-r", "x", "--multiplier", "0"), "out of range"),
                (("-r", "x", "--loop", "0"), "out of range"),
                (("-r", "-"), "twice"),
                ((), "which capture"),
                (("-r", "x", "--loop", "2", "--skip", "100.64.1.0/24"),
                 "--skip names")):
            code, out = l.run("us", [lab.BINARY, "replay", *a, *args])
            t.equal((code, len(out.splitlines())), (2, 1), "%s: %s" % (
                args, out))
            t.check(word in out, "%s: %s" % (args, out))


TESTS = [
    ("10,000 connections are captured", make_many),
    ("original speed", play_many, "original speed"),
    ("--multiplier 10", play_many, "--multiplier 10", "--multiplier", "10"),
    ("--fast", play_many, "--fast", "--fast"),
    ("--fast --concurrency 500", play_many, "--fast --concurrency 500",
     "--fast", "--concurrency", "500"),
    ("one-sided, IPv4", one_sided, 4),
    ("one-sided, IPv6", one_sided, 6),
    ("one-sided, --fast", one_sided, 4, "--fast"),
    ("snaplen 96", short_snaplen),
    ("one record cut", one_record_cut, 2),
    ("one record cut, one-sided", one_record_cut, 1),
    ("a start in the middle", middle),
    ("a start in the middle, --fast", middle, "--fast"),
    ("--loop, IPv4", loops, 4),
    ("--loop, IPv6", loops, 6),
    ("--loop, --fast", loops, 4, "--fast"),
    ("--concurrency", concurrency, 10, "--concurrency", "10"),
    ("--concurrency, --fast", concurrency, 10, "--concurrency", "10",
     "--fast"),
    ("--flows", first_flows),
    ("its journal", journal),
    ("its journal, --fast --loop", journal, "--fast", "--loop", "2"),
    ("its journal, --multiplier --concurrency", journal, "--multiplier", "5",
     "--concurrency", "3"),
    ("a file that was cut", cut_file),
    ("--index is full", full_index),
    ("options that contradict each other", refused),
]
if shutil.which("unbound"):
    TESTS += [
        ("DNS", dns, 4, 1),
        ("DNS, IPv6, --multiplier", dns, 6, 1, "--multiplier", "10"),
        ("DNS, --fast", dns, 4, 1, "--fast"),
        ("DNS, --loop", dns, 4, 3),
        ("DNS, IPv6, --fast --loop", dns, 6, 2, "--fast"),
        ("DNS, queries cut", cut_datagrams),
    ]
else:
    print("# DNS: not played, unbound is not installed")
if MATERIAL:
    TESTS += [("captures of others", material)]
else:
    print("# captures of others: not played, MATERIAL is not set")
lab.main(TESTS)
