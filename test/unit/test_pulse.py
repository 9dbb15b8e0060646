#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy vitals looks at processes that leak, that do not, that end, and that are
not there. No SUT, no network. Prints TAP.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "lib"))
import schema  # noqa: E402

US = os.environ.get("UNDERSTUDY", str(TOP / "build-asan" / "understudy"))
WAIT = 60  # seconds in which each must have ended
number = failed = 0

# What a server does: each 50 ms so many bytes, or a file.
SERVER = """
import os, sys, time
kept, what, n = [], sys.argv[1], int(sys.argv[2])
print("here", flush=True)
while True:
    if what == "bytes" and n:
        kept.append(b"x" * n)
    if what == "files":
        kept.append(os.open("/dev/null", os.O_RDONLY))
    time.sleep(0.05)
"""


def result(good, name, *notes):
    global number, failed
    number += 1
    failed += not good
    for n in notes if not good else ():
        print("# " + str(n).replace("\n", "\n# "))
    print("%sok %d - %s" % ("" if good else "not ", number, name), flush=True)


def server(*args):
    p = subprocess.Popen([sys.executable, "-c", SERVER, *map(str, args)],
                         stdout=subprocess.PIPE)
    p.stdout.readline()
    return p


def vitals(*words, during=None):
    """(exit code, lines, standard error)"""
    p = subprocess.Popen([US, "vitals", *map(str, words)], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    if during:
        during(p)
    out, err = p.communicate(timeout=WAIT)
    return p.returncode, [json.loads(x) for x in out.splitlines()], err


def grew(what, size, says, *gate, code=0):
    s = server(what, size)
    rc, lines, err = vitals("--pid", s.pid, "--every", "50ms", "--duration", "4s",
                            *gate)
    s.kill()
    s.wait()
    looks = [x for x in lines if x["type"] == "vitals"]
    grown = {x["what"]: x for x in lines if x["type"] == "growth"}
    wrong = schema.faults(lines)
    good = (rc == code and not wrong and 30 < len(looks) <= 82 and
            {k: x["says"] for k, x in grown.items()} == says)
    result(good, "%s %s %s" % (what, size, " ".join(gate)), rc, len(looks), grown,
           wrong, err)
    return looks


def group():
    """A folder with a group's files; its server is started anew."""
    s = [server("bytes", 0), server("bytes", 0)]
    with tempfile.TemporaryDirectory() as d:
        path = pathlib.Path(d)

        def procs(*pids):
            new = path / "new"
            new.write_text("".join("%d\n" % p for p in pids))
            new.rename(path / "cgroup.procs")

        def anew(_):
            time.sleep(0.5)
            procs()
            time.sleep(0.5)
            procs(s[1].pid)

        (path / "memory.current").write_text("123456\n")
        (path / "pids.current").write_text("7\n")
        (path / "cpu.stat").write_text("nr_periods 0\nusage_usec 99\nuser_usec 1\n")
        procs(s[0].pid)
        rc, lines, err = vitals("--cgroup", d, "--every", "50ms", "--duration", "2s",
                                during=anew)
    for p in s:
        p.kill()
        p.wait()
    looks = [x for x in lines if x["type"] == "vitals"]
    result(rc == 0 and not schema.faults(lines) and
           {(x["rss"], x["threads"], x["cpu_us"]) for x in looks} == {(123456, 7, 99)}
           and [looks[0]["restarts"], looks[-1]["restarts"]] == [0, 1] and
           all(x["fds"] > 2 for x in looks), "a control group", rc, looks[-1:], err)


def main():
    looks = grew("bytes", 500000, {"rss": "leak", "fds": "steady"})
    result(looks[-1]["rss"] - looks[0]["rss"] > 20e6 and looks[-1]["threads"] == 1 and
           looks[-1]["restarts"] == 0, "what it has is told", looks[-1])
    grew("bytes", 0, {"rss": "steady", "fds": "steady"})
    grew("files", 0, {"rss": "steady", "fds": "leak"})
    grew("bytes", 500000, {"rss": "leak", "fds": "steady"}, "--max-leak", "1G", code=1)
    grew("bytes", 0, {"rss": "steady", "fds": "steady"}, "--max-leak", "1G")

    s = server("bytes", 0)
    rc, lines, err = vitals("--pid", s.pid, "--every", "50ms", "--duration", "500ms",
                            "--max-leak", "1G")
    result(rc == 2 and "too few looks" in err, "a leak that cannot be told", rc, err)

    def end(p):
        time.sleep(0.5)
        s.kill()
        s.wait()
    rc, lines, err = vitals("--pid", s.pid, "--every", "50ms", during=end)
    result(rc == 0 and lines[-1]["type"] == "growth" and
           lines[-1]["says"] == "too_few", "its end is the end", rc, lines[-2:], err)

    s = server("bytes", 0)
    rc, lines, err = vitals(
        "--pid", s.pid, "--every", "50ms",
        during=lambda p: (time.sleep(0.5), p.send_signal(signal.SIGINT)))
    s.kill()
    s.wait()
    result(rc == 0 and lines[-1]["what"] == "fds", "a signal is the end", rc, err)

    group()
    for words, says in (
            ((), "whose? Add --pid PID, or --cgroup PATH"),
            (("--pid", 1, "--cgroup", "/x"), "at once; drop one of them"),
            (("--pid", 2**22 + 5), "there is no such process"),
            (("--cgroup", "/tmp"), "it must be a control group of version 2")):
        rc, lines, err = vitals(*words)
        result(rc == 2 and says in err and not lines and err.count("\n") == 1,
               "%s: %s" % (" ".join(map(str, words)), says), rc, err)
    print("1..%d" % number)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
