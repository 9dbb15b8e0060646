#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy prep as a process: signals, memory, the line on a terminal, and long
files, which two threads read, against the same bytes from a pipe. Prints TAP.
"""
import os
import pathlib
import pty
import random
import re
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
PREP = [os.environ.get("UNDERSTUDY",
                       str(TOP / "build-asan" / "understudy")), "prep"]
COMPAT = ["--compat", "tcpprep", "-p"]
MANNERS = ([], COMPAT)
WAIT = 60  # seconds until a process that should have ended is a failure
SHORT = 16 << 20  # bytes; long enough to be read by two threads
# The sandbox is in plain builds only.
PLAIN = str(TOP / "build" / "understudy")
number = failed = 0


def result(good, name, *notes):
    global number, failed
    number += 1
    failed += not good
    for n in notes:
        print("# " + str(n).replace("\n", "\n# "))
    print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)


def frame(rng, i, size):
    a, b = (10, 0, i >> 8 & 255, i & 255), (10, 1, 0, 1)
    up = rng.random() < 0.5
    src, dst = (a, b) if up else (b, a)
    sport, dport = (1024 + i, 80) if up else (80, 1024 + i)
    return b"\2" * 6 + b"\4" * 6 + b"\x08\0" + struct.pack(
        ">BBHHHBBH4B4B", 0x45, 0, 40 + size, 0, 0, 64, 6, 0, *src,
        *dst) + struct.pack(">HHIIBBHHH", sport, dport, 1, 1, 0x50, 0x18, 9, 0,
                            0) + bytes(size)


def pcap(bytes_wanted, seed, sizes, connections=500):
    rng = random.Random(seed)
    out = bytearray(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
    n = 0
    while len(out) < bytes_wanted:
        f = frame(rng, rng.randrange(connections), rng.choice(sizes))
        out += struct.pack("<IIII", n // 1000, n % 1000, len(f), len(f)) + f
        n += 1
    return bytes(out)


def pcapng(bytes_wanted, seed, sizes):
    rng = random.Random(seed)

    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        n = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + n + body + n
    out = bytearray(block(0x0a0d0d0a,
                          struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)))
    out += block(1, struct.pack("<HHI", 1, 0, 0))
    while len(out) < bytes_wanted:
        f = frame(rng, rng.randrange(500), rng.choice(sizes))
        out += block(6, struct.pack("<IIIII", 0, 0, 7, len(f), len(f)) + f)
    return bytes(out)


def until(what):
    """Waits for it to be true. Return: whether it is"""
    end = time.monotonic() + WAIT
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def signals(work):
    """The old cache stays, and nothing else, whatever ends the program. A shell
    starts what it puts into the background with SIGINT ignored, and the tests too.
    """
    pipe, out = work / "pipe", work / "out"
    os.mkfifo(pipe)
    for manner in MANNERS:
        bad = []
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                    signal.SIGQUIT, signal.SIGALRM):
            out.write_bytes(b"old")
            hold = os.open(pipe, os.O_RDWR)  # prep waits for bytes
            p = subprocess.Popen([*PREP, *manner, "-i", str(pipe), "-o",
                                  str(out)], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE,
                                 preexec_fn=lambda: signal.signal(
                                     sig, signal.SIG_DFL))
            began = until(lambda: len(os.listdir(work)) > 2)
            p.send_signal(sig)
            try:
                said = p.communicate(timeout=WAIT)[1]
            except subprocess.TimeoutExpired:
                p.kill()
                said = p.communicate()[1]
            os.close(hold)
            left = sorted(os.listdir(work))
            if not began or p.returncode != -sig or \
                    left != ["out", "pipe"] or out.read_bytes() != b"old":
                bad.append(f"{sig.name}: began {began}, ended with "
                           f"{p.returncode}, left {left} {said[-300:]}")
                for name in left[0:]:
                    if name.startswith("out."):
                        (work / name).unlink()
        result(not bad, f"a signal leaves nothing behind {manner}", *bad)
    pipe.unlink()
    source = work / "in"
    source.write_bytes(pcap(400000, 1, (0, 9)))
    out.write_bytes(b"old")
    p = subprocess.Popen([*PREP, *COMPAT, "-i", str(source), "-o", str(out)],
                         stderr=subprocess.PIPE, preexec_fn=lambda:
                         resource.setrlimit(resource.RLIMIT_FSIZE, (99, 99)))
    said = p.communicate(timeout=WAIT)[1]
    result(p.returncode == -signal.SIGXFSZ and out.read_bytes() == b"old" and
           sorted(os.listdir(work)) == ["in", "out"],
           "nor does a limit of the file's size",
           p.returncode, os.listdir(work), said[-300:])
    p = subprocess.Popen([*PREP, "-v", "-i", str(source), "-o", str(out)],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.close()  # -v prints much more than a pipe holds
    said = p.stderr.read()
    p.wait(WAIT)
    result(p.returncode == -signal.SIGPIPE and out.read_bytes() == b"old" and
           sorted(os.listdir(work)) == ["in", "out"],
           "nor a reader of -v that is gone",
           p.returncode, os.listdir(work), said[-300:])


def reads(p, path):
    """Has the process opened it?"""
    fds = f"/proc/{p.pid}/fd"
    try:
        return any(os.path.samefile(f"{fds}/{n}", path) for n in os.listdir(fds))
    except OSError:  # one of them is closed meanwhile, or has no file
        return False


def ignored(work):
    """nohup: the hang-up stays ignored."""
    pipe, out = work / "pipe", work / "out"
    os.mkfifo(pipe)
    hold = os.open(pipe, os.O_RDWR)
    p = subprocess.Popen([*PREP, "-q", "-i", str(pipe), "-o", str(out)],
                         preexec_fn=lambda:
                         signal.signal(signal.SIGHUP, signal.SIG_IGN))
    # What is written before prep has opened the pipe goes when it is closed.
    began = until(lambda: reads(p, pipe))
    p.send_signal(signal.SIGHUP)
    os.write(hold, pcap(2000, 1, (0,)))
    os.close(hold)
    try:
        p.wait(WAIT)
    finally:
        p.kill()
    result(began and p.returncode == 0 and
           sorted(os.listdir(work)) == ["out", "pipe"],
           "an ignored signal stays ignored", p.returncode)
    pipe.unlink()


def make(path, data, times):
    """`data` behind its own header, `times` times."""
    head = 24 if data[:4] != b"\x0a\x0d\x0d\x0a" else 0
    with open(path, "wb") as f:
        f.write(data[:head])
        for _ in range(times):
            f.write(data[head:])


# A process counts from the fork on, as large as its parent: so a small parent.
PEAK = """
import os, resource, sys
pid = os.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
status = os.waitpid(pid, 0)[1]
print(os.waitstatus_to_exitcode(status),
      resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(command, stdin):
    """(exit code, kilobytes)"""
    said = subprocess.run([sys.executable, "-S", "-c", PEAK, *command],
                          stdin=stdin, capture_output=True, text=True).stdout
    return [int(x) for x in said.split()]


def memory(work):
    """Ten times as long a capture takes no more, but for what is not yet
    written: a megabyte of the log, a byte for four frames. On a busy machine one
    thread may end a short capture before the other has touched its buffers (2 MB),
    so the short one is read three times, and the most of them counts. 144 MB and a
    million frames more: what is kept of a frame shows from 4 bytes on."""
    most = 4096
    path, out = str(work / "in"), str(work / "out")
    for name, data in (("pcap", pcap(SHORT, 2, (0, 500, 1448))),
                       ("pcapng", pcapng(SHORT, 3, (0, 500, 1448)))):
        for manner in (*MANNERS, ["--compat", "tcpprep", "-a", "bridge"]):
            for way in ("file", "pipe"):
                if way == "pipe" and "-a" in manner:
                    continue  # it reads twice
                used, codes = [], []
                for times in (1, 1, 1, 10):
                    if times != 1 or not used:
                        make(path, data, times)
                    source = path if way == "file" else "-"
                    cat = subprocess.Popen(["cat", path],
                                           stdout=subprocess.PIPE)
                    code, kb = peak([*PREP, "-q", *manner, "-i", source, "-o",
                                     out], cat.stdout)
                    cat.stdout.close()
                    cat.wait()
                    used.append(kb)
                    codes.append(code)
                result(not any(codes) and used[3] < max(used[:3]) + most,
                       f"memory does not grow: {name}, {way}, {manner}",
                       f"{len(data) >> 20} MB: {used[:3]} kB; ten times as "
                       f"much: {used[3]} kB; exit codes {codes}")


def on_terminal(command):
    """Runs it with standard error on a terminal, and stops it again and again, so
    that it takes long. What it said there."""
    ours, theirs = pty.openpty()
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    said = b""
    while p.poll() is None:
        if b"left" not in said:
            p.send_signal(signal.SIGSTOP)
            time.sleep(0.25)
            p.send_signal(signal.SIGCONT)
            time.sleep(0.01)
        while select.select([ours], [], [], 0.01)[0]:
            try:
                more = os.read(ours, 65536)
            except OSError:  # the other end is closed
                more = b""
            said += more
            if not more:
                break
    os.close(ours)
    return p.returncode, said.decode()


def progress(work):
    path, out = str(work / "in"), str(work / "out")
    make(path, pcap(SHORT, 2, (0,)), 5)
    line = r"[\d,]+ frames, [\d.]+ [kMG]?B/s, (\d+) %, [\d.]+ \w+ left"
    for manner in (*MANNERS, ["--compat", "tcpprep", "-a", "bridge"]):
        code, said = on_terminal([*PREP, *manner, "-i", path, "-o", out])
        shown = [x for x in said.split("\r") if "frames" in x]
        match = [re.fullmatch(line + r"\x1b\[K", x) for x in shown]
        done = [int(m[1]) for m in match if m]
        result(code == 0 and shown and all(match) and done == sorted(done) and
               0 < done[-1] <= 100 and said.endswith("\r\x1b[K"),
               f"rate and time left on a terminal {manner}", repr(shown[:2]),
               repr(said[-9:]))
    code, said = on_terminal([*PREP, "-q", "-i", path, "-o", out])
    result(code == 0 and not said, "-q: no line", repr(said[:99]))
    r = subprocess.run([*PREP, "-i", path, "-o", out], capture_output=True)
    result(r.returncode == 0 and not r.stderr, "no line where no terminal is",
           r.stderr[:99])


def two_ways(work):
    """A long file gives what the same bytes give through a pipe: whole, cut
    anywhere, broken anywhere."""
    path, out = work / "in", work / "out"
    rng = random.Random(6)
    bad = []
    codes = set()
    sources = [("short frames", pcap(12 << 20, 4, (0, 7, 300, 1400))),
               ("long frames", pcap(20 << 20, 5, (0, 60000, 65000))),
               ("pcapng", pcapng(12 << 20, 6, (0, 7, 300, 40000)))]
    for name, data in sources:
        for change in ("none", "cut", "cut", "broken"):
            d = bytearray(data)
            if change == "cut":
                del d[rng.randrange(9 << 20, len(d)):]
            elif change == "broken":
                at = rng.randrange(len(d) // 2, len(d) - 2000)
                d[at:at + 2000] = rng.randbytes(2000)
            path.write_bytes(d)
            for manner in MANNERS:
                got = []
                for way in ("file", "pipe"):
                    out.unlink(missing_ok=True)
                    source = str(path) if way == "file" else "-"
                    with open(path, "rb") as f:
                        cat = subprocess.Popen(["cat"], stdin=f,
                                               stdout=subprocess.PIPE)
                    r = subprocess.run(
                        [*PREP, "-q", "--no-arg-comment", *manner, "-i", source,
                         "-o", str(out)], stdin=cat.stdout,
                        capture_output=True)
                    cat.stdout.close()
                    cat.wait()
                    said = re.sub(rb"^.*?(-|standard input|/in):", b"",
                                  r.stderr, flags=re.S)
                    got.append((r.returncode, said, out.read_bytes()
                                if out.exists() else b""))
                    codes.add((change, r.returncode))
                if got[0] != got[1]:
                    bad.append(f"{name}, {change}, {manner}: {got[0][:2]} "
                               f"{got[1][:2]}")
    result(not bad and ("none", 0) in codes and ("cut", 0) in codes,
           "a long file, and the same bytes through a pipe",
           sorted(codes), *bad)


def status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.split(":", 1) for line in f)


def in_sandbox(work, manner):
    """While it reads: under which filter, and does a signal still clean up?"""
    pipe, out = work / "pipe", work / "out"
    hold = os.open(pipe, os.O_RDWR)
    p = subprocess.Popen([PLAIN, "prep", *manner, "-i", str(pipe), "-o",
                          str(out)], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE)
    inside = until(lambda: p.poll() is not None or
                   status(p.pid)["Seccomp"].strip() == "2")
    bound = p.poll() is None and status(p.pid)["NoNewPrivs"].strip() == "1"
    p.send_signal(signal.SIGTERM)
    try:
        said = p.communicate(timeout=WAIT)[1]
    except subprocess.TimeoutExpired:
        p.kill()
        said = p.communicate()[1]
    os.close(hold)
    left = sorted(os.listdir(work))
    result(inside and bound and p.returncode == -signal.SIGTERM and
           left == ["pipe"],
           f"it reads under a filter, and a signal cleans up {manner}",
           inside, bound, p.returncode, left, said[-300:])


def sandboxed(work):
    """What it does in its sandbox is what it does without: the same caches and
    words, of a file that one thread reads, of one that two read, and of a pipe.
    """
    pipe, short, long = work / "pipe", work / "short", work / "long"
    os.mkfifo(pipe)
    for manner in MANNERS:
        in_sandbox(work, manner)
    pipe.unlink()
    short.write_bytes(pcap(400000, 1, (0, 9)))
    make(str(long), pcap(SHORT, 2, (0,)), 2)
    bad = []
    for path in (short, long):
        for manner in ([], ["-v"], ["-x", "F:port http"], ["-r", "^10\\.0"],
                       COMPAT, ["--compat", "tcpprep", "-a", "bridge"]):
            seen = []
            for prog in ([PLAIN, "prep"], PREP):
                out = work / "out"
                r = subprocess.run([*prog, *manner, "--no-arg-comment", "-i",
                                    str(path), "-o", str(out)],
                                   capture_output=True, timeout=WAIT)
                shows = [subprocess.run([*prog, show, str(out)], timeout=WAIT,
                                        capture_output=True)
                         for show in ("-P", "-I", "-S")]
                seen.append((r.returncode, r.stdout, r.stderr,
                             out.exists() and out.read_bytes(),
                             [(s.returncode, s.stdout, s.stderr)
                              for s in shows]))
                out.unlink(missing_ok=True)
            if seen[0] != seen[1] or seen[0][0] != 0 or seen[0][4][1][0] != 0:
                bad.append(f"{path.name} {manner}: {seen[0][0]} "
                           f"{seen[0][2][-200:]}, {seen[1][0]}")
    result(not bad, "the same in its sandbox and without", *bad)
    named(short)


def named(path):
    """A link type for which no filter was made ahead (802.15.4): names are refused
    with a sentence, where looking them up would have ended it by a signal."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 20, 195)
    path.write_bytes(data)
    bad = []
    for expr, code, said in (("host localhost", 2, "names are not looked up"),
                             ("port http", 2, "names are not looked up"),
                             ("len > 1000", 0, "")):
        r = subprocess.run([PLAIN, "prep", "-x", "F:" + expr, "-i", str(path),
                            "-o", str(path) + ".cache"], capture_output=True,
                           text=True, timeout=WAIT)
        if r.returncode != code or said not in r.stderr:
            bad.append(f"{expr}: {r.returncode} {r.stderr[-300:]}")
    result(not bad, "names in a filter for a link type that is rare", *bad)


def main():
    tests = [signals, ignored, memory, progress, two_ways]
    if os.access(PLAIN, os.X_OK):
        tests.append(sandboxed)
    else:
        result(True, "in its sandbox # SKIP no plain build")
    for test in tests:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as d:
            test(pathlib.Path(d))
    print(f"1..{number}")
    return 1 if failed else 0


sys.exit(main())
