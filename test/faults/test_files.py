# SPDX-License-Identifier: BSD-2-Clause
"""Disks that are full or slow, and captures whose clock jumps.

The disk is a tmpfs in a mount namespace of the run's own: it is gone with it.
"""
import os
import re
import struct
import sys
import time

import fault
from fault import lab

STOPPED = """
import os, sys, time
r, w = os.pipe()
us = os.getpid()
if os.fork() == 0:
    os.close(w)
    os.read(r, 65536)
    while os.getppid() == us:
        time.sleep(0.2)
    os._exit(0)
os.close(r)
os.dup2(w, 1)
os.close(w)
os.execvp(sys.argv[1], sys.argv[1:])
"""
STALL = 5  # s that the end waits for a reader (OUTLET_STALL of os/outlet.h)
FULL = """
mkdir -p "$0" && mount -t tmpfs -o size=1m none "$0" && exec "$@"
"""
SLOW = """
import os, sys, time
r, w = os.pipe()
if os.fork() == 0:
    os.close(w)
    while os.read(r, 65536):
        time.sleep(65536 / float(sys.argv[1]))
    os._exit(0)
os.close(r)
os.dup2(w, 1)
os.close(w)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def journaling(t, what, wrap, path, *args):
    """The journal loses, the play does not."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        where = l.path("disk")
        us = l.understudy("-w", path(where), *args, wrap=wrap(where))
        l.wrk(seconds=3, conns=8, url="/b10k", delay=fault.DELAY)
        l.settle(prod, sut)
        began = time.monotonic()
        r = fault.ended(t, us, (0,), 60)
        took = time.monotonic() - began
        got = fault.clean(t, prod, sut, tail=1)
        said = re.search(r"([\d,]+) records? (?:is|are) missing in the journal",
                         us.text())
        fault.figure(what, "%d of %d reached" % (got.reached, got.asked),
                     "records lost: %s" % (said[1] if said else "none"),
                     "ended in %.1f s" % took,
                     "behind p99 %s ms, drops %d" % (
                         r["behind"]["p99_ms"], r["capture"]["drops"]))
        if wrap is stopped:
            t.check(STALL <= took < 2 * STALL + 10, "ended in %.1f s" % took)
        t.check(said, "the loss is not told: " + us.text()[:600])
        fault.lost_by_drops(t, r, got)
        t.check(got.cut <= r["capture"]["drops"], "cut %d" % got.cut)
        t.equal(us.differences(), [], "differences")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def full(where):
    return ("unshare", "-m", "sh", "-c", FULL, where)


def short(where):
    os.makedirs(where)
    return ("prlimit", "--fsize=1000000")


def slow(where):
    return (sys.executable, "-c", SLOW, "4e6")


def stopped(where):
    return (sys.executable, "-c", STOPPED)


def jump(data, how):
    """A capture of tcpdump's whose time stamps are changed by how(i, sec)."""
    out, at, i = [data[:24]], 24, 0
    while at + 16 <= len(data):
        sec, nano, cap, wire = struct.unpack_from("<IIII", data, at)
        out += [struct.pack("<IIII", how(i, sec) & 0xffffffff, nano, cap, wire),
                data[at + 16:at + 16 + cap]]
        at, i = at + 16 + cap, i + 1
    return b"".join(out)


JUMPS = {
    "an hour back in the middle": lambda i, s: s - (3600 if i > 100 else 0),
    "a day ahead and back again": lambda i, s: s + (86400 if 80 < i < 90
                                                     else 0),
    "all at 0": lambda i, s: 0,
    "past 2^32 seconds": lambda i, s: 2**32 - 1 + (i > 100),
}


def clock(t, live):
    """To nobody: all is seen whatever the stamps. To a live SUT: all reaches it,
    where no stamp asks us to wait for a day."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        d = l.dump("us", "mon0", "tcp port 80", snap=0)
        l.client("keep", *["/b100?id=q-%d" % i for i in range(60)])
        l.dumped(d)
        l.settle(prod)
        with open(d.path, "rb") as f:
            whole = f.read()
        for name, how in JUMPS.items():
            if live and "ahead" in name:
                continue
            path = l.path("jump.pcap")
            with open(path, "wb") as f:
                f.write(jump(whole, how))
            before = len(lab.read_log(sut.log))
            if live:
                us = l.understudy(source=("-r", path))
            else:
                jsonl = l.path(name.replace(" ", "-") + ".jsonl")
                us = lab.Understudy(l, [
                    lab.BINARY, "shadow", "-r", path, "--sut-dev", "none",
                    "--map", l.map(), "--json", jsonl], jsonl)
            code = us.wait(15)
            l.settle(sut)
            r = us.report()
            t.equal(code, 0, name + ": exit code: " + us.text())
            t.equal(r.get("requests", {}).get("seen"), 60, name + ": seen")
            t.equal(r.get("sums", {}).get("closed"), True, name + ": sums")
            fault.figure("stamps: " + name, "to a live SUT" if live else
                         "to nobody", "%s of 60 seen" % r["requests"]["seen"],
                         "elapsed %.3f s" % (r["elapsed_us"] / 1e6))
            if live:
                t.equal(len(lab.read_log(sut.log)) - before, 60,
                        name + ": at the SUT")
        lab.isolated(t, l)


fault.main([
    ("a full disk", True, journaling, "journal on a full disk", full,
     lambda d: d + "/run.pcapng"),
    ("a limit on files", False, journaling, "journal over the file size limit",
     short, lambda d: d + "/run.pcapng"),
    ("a pipe that nobody reads any more", True, journaling,
     "journal to a reader that stopped", stopped, lambda d: "-"),
    ("a slow pipe", False, journaling, "journal to 4 MB/s", slow,
     lambda d: "-"),
    ("stamps that jump, to nobody", True, clock, False),
    ("stamps that jump, live", False, clock, True),
])
