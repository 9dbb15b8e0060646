# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of `understudy replay` share: captures that tcpdump made in the
lab or that were changed by hand, and a run of replay to its end."""
import atexit
import os
import shutil
import struct
import tempfile
import time

import lab

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


def closed(t, us, code=0, reached=True):
    """Exit code and sums; with `reached`, all was played that was not left out
    for a reason. Gives the report."""
    t.equal(us.code, code, "exit code: " + us.text()[-600:])
    r = us.report()
    t.equal(r.get("sums", {}).get("closed"), True,
            "sums closed: %s" % r.get("sums"))
    if reached:
        t.equal(r.get("replay", {}).get("records_not_reached"), 0,
                "records not reached")
    return r


def sound(t, l, us, code=0):
    """The same of a lab's last run; nothing leaked."""
    r = closed(t, us, code)
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


def spread(path, seconds):
    """Lets a capture last `seconds`, with even distances."""
    rows = records(path)
    for i, x in enumerate(rows):
        at = i * int(seconds * 1e9) // (len(rows) - 1)
        rows[i] = (1000 + at // 10**9, at % 10**9) + x[2:]
    write(path, rows)


def is_probe(ip):
    """Is it an address of understudy's own questions to the SUT?"""
    return ip[:2] in (b"\xc6\x12", b"\xc6\x13") or \
        ip[:4] == b"\x20\x01\x0d\xb8"
