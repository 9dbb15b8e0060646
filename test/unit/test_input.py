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
import struct
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "lib"))
from capture import (DSB, block, dialogue, epb, idb, pcap, shb,  # noqa: E402
                     spb)

US = os.environ.get("UNDERSTUDY", str(TOP / "build-asan" / "understudy"))
MAP = ["--map", "10.2.0.1:80=10.3.0.1:80", "--map", "[fd00::201]:80=[fd01::1]:80"]
WAIT = 20  # seconds in which each must have ended
T0 = 1700000000 * 10**9
TCPPREP = shutil.which("tcpprep")
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


# --- what other programs write ---

KEYS = b"CLIENT_RANDOM " + b"0" * 64 + b" " + b"0" * 96 + b"\n"


def interfaces(n, link=1):
    """A frame of each of n interfaces, in turn."""
    frames = dialogue(2)
    return shb() + idb(link) * n + b"".join(
        epb(f, T0 + i, n - 1 - i % n) for i, f in enumerate(frames))


def raw(link):
    return pcap([f[14:] for f in dialogue(2)], link=link)


def cooked(link, head):
    return pcap([head + f[12:] for f in dialogue(2)], link=link)


def variants():
    """(name, capture, what the report's group "input" has but zeroes)."""
    good = pcap(dialogue(2))
    frames = dialogue(2)
    blocks = [epb(f, T0 + i) for i, f in enumerate(frames)]
    half = b"".join(blocks[:6]), b"".join(blocks[6:])
    yield "pcap", good, {}
    for minor in (0, 1, 2, 3, 5):
        yield ("version 2.%d" % minor, good[:6] + bytes((minor, 0)) + good[8:],
               {})
    for link in (12, 14, 101, 228):
        yield "raw IP, link type %d" % link, raw(link), {}
    yield "null", pcap([b"\2\0\0\0" + f[14:] for f in frames], link=0), {}
    yield "loop", pcap([b"\0\0\0\2" + f[14:] for f in frames], link=108), {}
    yield "cooked", cooked(113, bytes(14)), {}
    yield "cooked, version 2", pcap([f[12:14] + bytes(18) + f[14:]
                                     for f in frames], link=276), {}
    yield "Kuznetzov's", kuznetzov(frames), {}
    yield ("a frame of a netfilter log", shb() + idb() + idb(239) + half[0] +
           epb(b"\2\0\0\0" + frames[0], T0, 1) + half[1],
           {"frames_link": 1})
    yield ("2 MB of secrets", shb() + idb() +
           block(DSB, struct.pack("<II", 0x544c534b, 2 << 20) +
                 KEYS * ((2 << 20) // len(KEYS))) + half[0] + half[1], {})
    yield "200 interfaces", interfaces(200), {}
    yield "5000 interfaces", interfaces(5000), {}
    yield ("unknown blocks", shb() + idb() + half[0] + block(9, b"x" * 99) +
           block(0x80000001, b"y" * 40) + half[1], {"blocks_unknown": 2})
    yield ("an interface that nobody described", shb() + idb() + half[0] +
           epb(b"\0" * 60, T0, 7) + half[1], {"damaged": 1})
    yield ("a clock that nobody has", shb() + idb(resol=99) + half[0] + half[1],
           {"stamps_missing": 12})
    for name, junk in (("0xff", b"\xff" * 5000), ("zeroes", bytes(5000)),
                       ("text", b"lorem ipsum " * 400)):
        yield ("damaged in the middle: " + name, shb() + idb() + half[0] +
               junk + half[1], {"damaged": 1})
        yield ("damaged in the middle of a pcap: " + name,
               good[:24 + 70] + junk + good[24 + 70:], {"damaged": 1})
    yield "cut off", good + good[24:50], {"cut_off": 1}


def kuznetzov(frames):
    out = struct.pack("<IHHIIII", 0xa1b2cd34, 2, 4, 0, 0, 65535, 1)
    for i, f in enumerate(frames):
        out += struct.pack("<IIIIIHBB", 1700000000, i, len(f), len(f), 2, 8, 0,
                           0) + f
    return out


def written_by_others(folder):
    for name, data, odd in variants():
        r = shadow(folder, data)
        got = {k: v for k, v in r.report.get("input", {}).items()
               if v and not k.startswith("bytes_") and k != "damaged_unsure"}
        p = prep(folder, data)
        few = r.report.get("input", {}).get("bytes_all", 0) > 4000 and odd
        result(r.requests() == 2 and r.code == (2 if few else 0) and
               got == odd and p.code == r.code and
               r.report["sums"]["closed"], name,
               "exit %s, prep %s; %s" % (r.code, p.code, got),
               r.text() if r.requests() != 2 else "")
        if TCPPREP:
            ours, theirs = (cache(folder, data, x) for x in (
                [US, "prep", "--compat", "tcpprep"], [TCPPREP]))
            result(ours == theirs, name + ", as tcpprep", len(ours),
                   len(theirs))


def cache(folder, data, command):
    """The cache that a command makes; nothing if it gives up."""
    path, out = folder / "in.cap", folder / "cache"
    path.write_bytes(data)
    out.unlink(missing_ok=True)
    p = subprocess.run(command + ["-a", "client", "-i", path, "-o", out],
                       capture_output=True, timeout=WAIT)
    return out.read_bytes() if p.returncode == 0 else b""


NONE = [
    ("gzip", b"\x1f\x8b\x08" + bytes(99), ("gzip", "gunzip -c")),
    ("zstd", b"\x28\xb5\x2f\xfd" + bytes(99), ("zstd", "zstd -dc")),
    ("xz", b"\xfd7zXZ\0" + bytes(99), ("xz", "xz -dc")),
    ("snoop", b"snoop\0\0\0\0\0\0\2\0\0\0\4", ("snoop", "editcap")),
    ("ERF", (bytes(8) + b"\2\4\0\x50\0\0\0\x3c" + bytes(64)) * 4,
     ("ERF", "editcap")),
    ("text", b"12:00:00.000000 IP 10.0.0.1.80 > 10.0.0.2.4000: Flags [S]\n",
     ("text", "text2pcap")),
    ("nothing", b"", ("not a capture file",)),
    ("no format", b"\xf0\xf1\xf2\xf3" * 99, ("not a capture file",)),
    ("pcap 1.2", pcap([])[:4] + b"\1\0\2\0" + pcap([])[8:], ("version",)),
    ("another link type only", pcap(dialogue(1), link=147),
     ("link type 147",)),
]


def not_read(folder):
    for name, data, words in NONE:
        r = shadow(folder, data)
        result(r.code == 2 and all(w in r.text() for w in words),
               "named: " + name, r.text())


# --- checksums ---

def spoilt(frames, which, at):
    """Some frames with a byte changed."""
    return [f[:at] + bytes((f[at] ^ 0x55,)) + f[at + 1:] if which(i) else f
            for i, f in enumerate(frames)]


def every(i):
    return True


def checksums(folder):
    frames, six = dialogue(20), dialogue(20, v6=True)
    n = len(frames)
    rows = [  # name, frames, words, requests, trusted, wrong
        ("right", frames, (), 20, 0, 0),
        ("all of IPv4 wrong", spoilt(frames, every, 24), (), 20, n, 0),
        ("all of TCP wrong", spoilt(frames, every, 50), (), 20, n, 0),
        ("all of TCP over IPv6 wrong", spoilt(six, every, 70), (), 20, n, 0),
        ("a tenth wrong", spoilt(frames, lambda i: i % 10 == 3, 50), (), 20, n,
         0),
        ("a twentieth wrong", spoilt(frames, lambda i: i % 20 == 3, 50), (),
         None, 0, 4),
        ("wrong, verify", spoilt(frames, every, 50), ("verify",), 0, 0, n),
        ("a twentieth wrong, trust", spoilt(frames, lambda i: i % 20 == 3, 50),
         ("trust",), 20, n, 0),
    ]
    for name, data, words, seen, trusted, wrong in rows:
        r = shadow(folder, pcap(data),
                   *(x for w in words for x in ("--checksums", w)))
        bad = r.report["capture"]["decode"].get("bad_l4_csum", 0)
        said = "--checksums verify refuses" in r.err
        result(r.code == 0 and seen in (None, r.requests()) and bad == wrong and
               r.report["input"]["frames_trusted"] == trusted and
               said == (trusted > 0 and not words), "sums: " + name,
               r.requests(), bad, r.report["input"], r.err)
    data = pcap(spoilt(frames, every, 50))
    for words, seen in (((), "0 seen"), (("--checksums", "trust"), "20 seen")):
        p = subprocess.run([US, "shadow", "-r", "-", "--sut-dev", "none", *MAP,
                            *words], input=data, capture_output=True,
                           timeout=WAIT)
        result(p.returncode == 0 and seen in p.stdout.decode() and
               (b"--checksums trust" in p.stderr) == (not words),
               "sums of a pipe: %s" % (words or "verify",), p.stderr.decode())
    p = subprocess.run([US, "shadow", "-i", "lo", "--sut-dev", "none", *MAP,
                        "--checksums", "trust"], capture_output=True)
    result(p.returncode == 2 and b"about captures" in p.stderr,
           "sums: of a live mirror they are tested", p.stderr.decode())
    journal(folder, data)


def journal(folder, data):
    """A journal of frames that were trusted is rerun alike; as a capture its own
    sums are tested."""
    out = folder / "run.pcapng"
    out.unlink(missing_ok=True)
    shadow(folder, data, "-w", str(out))
    p = subprocess.run([US, "rerun", out], capture_output=True, timeout=WAIT)
    result(p.returncode == 0 and b"--checksums auto" in out.read_bytes(),
           "sums: the journal is rerun alike", p.stdout.decode(),
           p.stderr.decode())
    r = shadow(folder, out.read_bytes())
    result(r.report["input"]["frames_trusted"] == 0 and
           "--checksums trust" in r.err, "sums: a journal as a capture",
           r.text())


# --- clients that no SUT would answer ---

def moved(frames, client, prod):
    """The same with other addresses; their sums are not made anew."""
    return [f.replace(bytes((10, 1, 0, 1)), client).replace(
        bytes((10, 2, 0, 1)), prod) for f in frames]


def clients(folder):
    lo = bytes((127, 0, 0, 1))
    frames = moved(dialogue(2), lo, lo)
    words = ["--map", "127.0.0.1:80=10.3.0.1:80", "--checksums", "trust"]
    r = shadow(folder, pcap(frames), *words)
    result(r.code == 0 and r.requests() == 2 and "client 127.0.0.1" in r.err and
           "loopback" in r.err and "--client-net" in r.err,
           "clients: a loopback address is said", r.text())
    # Sums that are right stay so: of link-local clients.
    frames = dialogue(2) + dialogue(2, port=40001)
    net = ["--client-net", "all,172.20.0.0/30"]
    out = folder / "clients.pcapng"
    out.unlink(missing_ok=True)
    r = shadow(folder, pcap(frames), "--checksums", "verify", "-w", str(out),
               *net)
    result(r.code == 0 and r.requests() == 4 and
           r.report["input"]["frames_renamed"] == len(frames) and
           r.report["capture"]["decode"] == {"tcp": len(frames)},
           "clients: all get other addresses", r.text())
    data = out.read_bytes()
    result(bytes((172, 20, 0, 1)) in data and bytes((10, 1, 0, 1)) not in data,
           "clients: the journal has the new ones")
    p = subprocess.run([US, "rerun", out], capture_output=True, timeout=WAIT)
    result(p.returncode == 0, "clients: and is rerun alike", p.stdout, p.stderr)
    both = frames + moved(dialogue(1, port=9), bytes((10, 1, 0, 2)),
                          bytes((10, 2, 0, 1))) + moved(
        dialogue(1, port=9), bytes((10, 1, 0, 3)), bytes((10, 2, 0, 1)))
    r = shadow(folder, pcap(both), "--checksums", "trust", *net)
    result(r.report["input"]["frames_unplayable"] == len(dialogue(1)) and
           r.requests() == 5 and "no address left" in r.err,
           "clients: a network that is too small", r.text())
    r = shadow(folder, pcap(dialogue(2, v6=True)), "--client-net",
               "all,fd77::/64")
    result(r.requests() == 2 and r.report["input"]["frames_renamed"] ==
           len(dialogue(2)) and r.report["sums"]["closed"],
           "clients: IPv6", r.text())
    for bad in ("10.0.0.1/24", "all", "x", "10.0.0.0/8,10.1.0.0/16",
                "10.0.0.0/8"):
        r = shadow(folder, pcap(frames), "--client-net", bad)
        result(r.code == 2 and "--client-net" in r.err,
               "clients: a bad network: " + bad, r.err)


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
        for part in (stamps, offload, written_by_others, not_read, checksums,
                     clients, pipes):
            if part.__name__ in sys.argv[1:] or len(sys.argv) == 1:
                part(folder)
    finally:
        shutil.rmtree(folder)
    print("1..%d" % number)
    return 1 if failed else 0


sys.exit(main())
