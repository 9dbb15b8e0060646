#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Captures as other programs write them, and as they get damaged: what shadow -r
and prep make of them. No SUT, no network. Prints TAP; with names of parts as
arguments, of these only.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "lib"))
from capture import dialogue, epb, idb, pcap, shb, spb  # noqa: E402

US = os.environ.get("UNDERSTUDY", str(TOP / "build-asan" / "understudy"))
MAP = ["--map", "10.2.0.1:80=10.3.0.1:80", "--map", "[fd00::201]:80=[fd01::1]:80"]
WAIT = 20  # seconds in which each must have ended
T0 = 1700000000 * 10**9
number = failed = 0


def result(good, name, *notes):
    global number, failed
    number += 1
    failed += not good
    for n in notes:
        print("# " + str(n).replace("\n", "\n# "))
    print("%sok %d - %s" % ("" if good else "not ", number, name), flush=True)


class Run:
    """One run of understudy on a capture: exit code, what it said, report."""

    def __init__(self, folder, words, data, env=None):
        path = folder / "in.cap"
        path.write_bytes(data)
        js = folder / "out.jsonl"
        js.unlink(missing_ok=True)
        words = [w.format(file=path, out=folder / "out", js=js) for w in words]
        p = subprocess.Popen([US] + words, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True,
                             errors="replace")
        try:
            self.out, self.err = p.communicate(timeout=WAIT)
        except subprocess.TimeoutExpired:
            p.kill()
            self.out, self.err = p.communicate()
            self.err += "\nhad to be killed"
        self.code = p.returncode
        self.report = {}
        if js.exists():
            rows = [json.loads(x) for x in js.read_text().splitlines()]
            self.report = rows[-1] if rows else {}

    def requests(self):
        return self.report.get("requests", {}).get("seen")

    def text(self):
        return (self.out + self.err)[-1500:]


def shadow(folder, data, *more):
    return Run(folder, ["shadow", "-r", "{file}", "--sut-dev", "none", "--json",
                        "{js}", *MAP, *more], data)


def prep(folder, data, *more):
    return Run(folder, ["prep", "-q", "-i", "{file}", "-o", "{out}", *more],
               data)


# --- stamps ---

def ng(stamps, resol=9, offset=None):
    """A dialogue of two requests, its frames at these times; None: without."""
    frames = dialogue(2)
    return shb() + idb(resol=resol, offset=offset) + b"".join(
        spb(f) if t is None else epb(f, t)
        for t, f in zip([stamps(i) for i in range(len(frames))], frames))


YEAR = 365 * 86400 * 10**9
STAMPS = [
    ("nanoseconds said to be microseconds", ng(lambda i: T0 + i, None)),
    ("the last stamp there is", ng(lambda i: 2**64 - 1)),
    ("from the last stamp on around", ng(lambda i: (2**64 - 3 + i) % 2**64)),
    ("all 0", ng(lambda i: 0)),
    ("before 1970", ng(lambda i: T0 + i, 9, -2**62)),
    ("far behind 2554 by an offset", ng(lambda i: T0 + i, 9, 2**62)),
    ("every second one missing", ng(lambda i: T0 + i if i % 2 else None)),
    ("every second one 1 s after 1970", ng(lambda i: T0 + i if i % 2
                                           else 10**9)),
    ("the first one missing", ng(lambda i: T0 + i if i else None)),
    ("one of them in 2500", ng(lambda i: T0 + i + (i == 5) * 477 * YEAR)),
    ("the last one 500 years behind", ng(lambda i: T0 + i +
                                         (i == 11) * 500 * YEAR)),
    ("going back by an hour each", ng(lambda i: T0 - i * 3600 * 10**9)),
]


def stamps(folder):
    for name, data in STAMPS:
        r = shadow(folder, data)
        p = prep(folder, data)
        result(r.code == 0 and r.requests() == 2 and p.code == 0 and
               r.report.get("sums", {}).get("closed"),
               "stamps: " + name, r.text() if r.requests() != 2 else "",
               "exit %s, prep %s" % (r.code, p.code))
    r = shadow(folder, ng(lambda i: T0 + i if i % 2 else None))
    result(r.report.get("input", {}).get("stamps_missing") == 6,
           "stamps that are missing are counted", r.report.get("input"))
    data = ng(lambda i: T0 + i * 86400 * 10**9)
    took = [shadow(folder, data, *o).report.get("elapsed_us", 0) / 1e6
            for o in ((), ("--maxsleep", "10s"))]
    result(took[0] > 11 * 86000 and took[1] == 110,
           "--maxsleep cuts gaps, by the capture's time", took)
    many = pcap(dialogue(400))
    r = shadow(folder, many, "--duration", "20s")
    seen = r.report.get("capture", {}).get("frames", 0)
    result(r.code == 0 and 900 < seen < 1100,
           "--duration is by the capture's time", seen)


# --- what a host leaves to its network device ---

def offload(folder):
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000
    for v6 in (False, True):
        for name, data in (
                ("", pcap(dialogue(3, v6=v6, answer=big, total=0), snap=20000)),
                (", cut by a snaplen", pcap(dialogue(3, v6=v6, answer=big,
                                                     total=0), snap=500))):
            r = shadow(folder, data)
            frames = r.report.get("capture", {}).get("decode", {})
            missed = r.report["machine"]["gap_prod_bytes"]
            result(r.requests() == 3 and frames == {"tcp": 15} and
                   r.report["frames"]["offloaded"] == 6 and
                   (missed > 20000) == bool(name),
                   "no length yet, IPv%d%s" % (6 if v6 else 4, name),
                   frames, r.text())


# --- pipes ---

def hears(words, sig):
    """Does a signal end what waits for more of a pipe?"""
    p = subprocess.Popen([US] + words, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdin.write(pcap(dialogue(2)))
    p.stdin.flush()
    time.sleep(1)
    p.send_signal(sig)
    try:
        p.wait(WAIT)
    except subprocess.TimeoutExpired:
        p.kill()
    p.stdin.close()
    out = p.stdout.read().decode()
    p.wait()
    return p.returncode, out


def pipes(_):
    words = ["shadow", "-r", "-", "--sut-dev", "none"] + MAP
    for name in ("SIGTERM", "SIGINT"):
        code, out = hears(words, getattr(signal, name))
        result(code == 0 and "2 seen" in out,
               "%s ends a run that waits for a pipe, with its report" % name,
               code, out[:300])


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="input-"))
    try:
        for part in (stamps, offload, pipes):
            if part.__name__ in sys.argv[1:] or len(sys.argv) == 1:
                part(folder)
    finally:
        shutil.rmtree(folder)
    print("1..%d" % number)
    return 1 if failed else 0


sys.exit(main())
