# SPDX-License-Identifier: BSD-2-Clause
"""shadow --ctl: a run that goes on is asked, told, watched and ended by its control
socket.
"""
import json
import os
import re
import stat
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "a few requests"


def ctl(path, *words, user=None):
    """Exit code, output, message."""
    r = subprocess.run([lab.BINARY, "ctl", path, *words], capture_output=True,
                       text=True, timeout=30, check=False, user=user)
    return r.returncode, r.stdout, r.stderr


def until(what, true, seconds=20.0):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise lab.LabError("never: " + what)
        time.sleep(0.05)


def urls(first, n, fault=""):
    return ["/f?id=q-%d&size=%d%s" % (i, 100 + i, fault and "&fault=" + fault)
            for i in range(first, first + n)]


class Watch:
    """Who watches, from when on a change of an option has come to him."""

    def __init__(self, l, path):
        self.file = l.path("events")
        with open(self.file, "w") as f:
            self.p = subprocess.Popen([lab.BINARY, "ctl", path, "watch"],
                                      stdout=f, preexec_fn=lab._child)
        until("it is watched", lambda: ctl(path, "set", "duration", "1h")[0]
              == 0 and self.of("set"))

    def of(self, name):
        return [e for e in map(json.loads, lab.whole_lines(self.file))
                if e["event"] == name]


def told(t, *args):
    """Counters are the report's, an option that is changed holds, what happens is
    told, and `stop` ends the run."""
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
        if args:
            os.chmod(l.dir, 0o777)
        path = l.path("us.ctl")
        us = l.understudy("--ctl", path, "--max-different", "1", *args)
        mode = os.stat(path).st_mode
        t.check(stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600, oct(mode))
        t.equal(ctl(path, "get", "max-different"), (0, "1\n", ""), "get")
        listed = dict(x.partition(" ")[::2] for x in
                      ctl(path, "get")[1].splitlines())
        t.equal((listed["map"], listed["compare"], listed["stop-after"]),
                (l.map(), "equivalent", "0"), "all of them")
        w = Watch(l, path)
        code, out = l.client("keep", *urls(0, 5),
                             *urls(5, 3, "status"), *urls(8, 2))
        t.equal(code, 0, "client: " + out)
        l.settle(prod, sut)
        until("differences are told", lambda: len(w.of("different")) == 3)
        one = w.of("different")[0]
        t.equal((one["request"], one["production"], one["sut"], one["reason"],
                 one["baseline"]),
                ("GET /f?id=q-5&size=105&fault=status HTTP/1.1",
                 "10.0.0.10:80", "10.1.0.20:80", "status", False), "event")
        t.check(re.fullmatch(r"10\.0\.0\.2:\d+", one["client"]), str(one))
        now = json.loads(ctl(path, "show", "json")[1])
        t.equal((now["type"], now["answers"]["identical"],
                 now["answers"]["different"], now["different"]["status"],
                 now["machine"]["requests_seen"]),
                ("shadow", 7, 3, 3, 10), "counters")
        t.equal((now["events"]["told"], now["events"]["left_out"]), (3, 0),
                "events")
        t.check("understudy_shadow_answers_different_total 3\n" in
                ctl(path, "show", "prometheus")[1], "for Prometheus")
        t.check("answers that differ" in ctl(path, "show")[1], "for a person")
        t.equal(ctl(path, "set", "max-different", "3"), (0, "", ""), "set")
        until("who watches hears of the change", lambda: [
            (e["name"], e["value"]) for e in w.of("set")][-1] ==
              ("max-different", "3"))
        t.equal(ctl(path, "report"), (0, "", ""), "report")
        until("a report on demand", lambda: us.report().get(
            "verdicts", {}).get("different") == 3)
        t.check(us.alive(), "it goes on")
        t.equal(ctl(path, "stop"), (0, "", ""), "stop")
        t.equal(us.wait(15), 0, "exit code, by what was set: " +
                us.text()[-300:])
        t.equal(w.p.wait(15), 0, "who watched ends, too")
        t.equal(len(w.of("end")), 1, "the end is told")
        t.equal(us.report()["verdicts"],
                dict(us.report()["verdicts"], identical=7, different=3), "sums")
        lab.isolated(t, l)


def stop_after(t):
    """A limit that is set while it runs ends the run."""
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
        path = l.path("us.ctl")
        us = l.understudy("--ctl", path)
        l.client("keep", *urls(0, 2, "status"))
        l.settle(prod, sut)
        t.check(us.alive(), "it goes on")
        t.equal(ctl(path, "set", "stop-after", "2"), (0, "", ""), "set")
        t.equal(us.wait(15), 1, "exit code")


def refusals(t):
    with lab.Lab() as l:
        path = l.path("us.ctl")
        us = l.understudy("--ctl", path)
        for words, says in (
                (("set", "compare", "none"), "compare cannot be changed"),
                (("set", "duration", "x"), "duration x"),
                (("set", "max-different", "101%"), "max-different 101%"),
                (("set", "undecided", "maybe"), "undecided maybe"),
                (("report", "all"), "report takes no word"),
                (("stop", "now"), "stop takes no word"),
                (("drain",), "report, stop")):
            got = ctl(path, *words)
            t.check(got[0] == 1 and says in got[2] and got[1] == "" and
                    got[2].count("\n") == 1, "%s: %s" % (words, got))
        t.equal([ctl(path, "get", x)[1] for x in
                 ("duration", "max-different", "undecided")],
                ["0s\n", "0\n", "error\n"], "what was before")
        os.chmod(l.dir, 0o755)
        t.equal(ctl(path, "show", user=65534)[0], 2, "a stranger")
        os.chmod(path, 0o666)
        got = ctl(path, "show", user=65534)
        t.check(got[0] == 2, "let in by the mode alone: %s" % (got,))
        t.equal(json.loads(ctl(path, "show", "json")[1])["ctl"]["strangers"],
                1, "strangers")
        t.check(us.alive(), "it goes on")
        second = l.run("us", [lab.BINARY, "shadow", "-i", "mon0", "--sut-dev",
                              "none", "--map", l.map(), "--ctl", path])
        t.check(second[0] == 2 and "another process listens there" in
                second[1], str(second))
        t.equal(us.finish(), 2, "nothing was compared")


def many(t):
    """Of more than a hundred events in a second the rest is counted."""
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
        path = l.path("us.ctl")
        us = l.understudy("--ctl", path)
        w = Watch(l, path)
        for i in range(4):
            l.client("keep", *urls(100 * i, 100, "status"))
        l.settle(prod, sut)
        now = json.loads(ctl(path, "show", "json")[1])
        n = now["events"]
        t.equal((n["told"] + n["left_out"], now["ctl"]["slow"]), (400, 0),
                "each is told or counted: %s" % n)
        t.check(n["told"] >= 100, str(n))
        until("all that were told are there",
              lambda: len(w.of("different")) == n["told"])
        t.equal(us.finish(), 1, "exit code")


def link(t):
    with lab.Lab() as l:
        l.labsrv("prod")
        l.labsrv("sut")
        path = l.path("us.ctl")
        us = l.understudy("--ctl", path)
        w = Watch(l, path)
        l.ip("us", "link", "set", "mon0", "down")
        until("down", lambda: w.of("link"))
        l.ip("us", "link", "set", "mon0", "up")
        until("up", lambda: len(w.of("link")) == 2)
        t.equal([(e["interface"], e["state"]) for e in w.of("link")],
                [("mon0", "down"), ("mon0", "up")], "events")
        us.finish()


def pipe(t):
    """A capture that comes by a pipe: who waits for its next record answers."""
    with tempfile.TemporaryDirectory() as d:
        fifo, path = os.path.join(d, "fifo"), os.path.join(d, "us.ctl")
        os.mkfifo(fifo)
        us = subprocess.Popen([lab.BINARY, "shadow", "-r", fifo, "--sut-dev",
                               "none", "--map", "10.0.0.1:80=10.0.0.2:80",
                               "--ctl", path], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True,
                              preexec_fn=lab._child)
        with open(fifo, "wb", buffering=0) as f:
            f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            f.write(struct.pack("<IIII", 1, 0, 60, 60) + bytes(60))
            until("the frame is counted", lambda: "frames_mirror\":1," in
                  ctl(path, "show", "json")[1])
            t.equal(ctl(path, "get", "read")[1], fifo + "\n", "get")
            t.equal(ctl(path, "stop")[0], 0, "stop")
            t.equal(us.wait(15), 0, "exit code")
        us.stdout.close()


lab.main([
    ("asked, told and ended", told),
    ("the same as another user", told, "--user", "daemon"),
    ("a limit is set", stop_after),
    ("what is refused, and who", refusals),
    ("events have a bound", many),
    ("an interface that goes and comes", link),
    ("a pipe is waited for", pipe),
])
