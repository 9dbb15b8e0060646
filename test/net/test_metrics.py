# SPDX-License-Identifier: BSD-2-Clause
"""--metrics: a whole file at any moment, in Prometheus's text format, that others may
read.
"""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "a few requests"
NAME = r"[a-z_][a-z0-9_]*"


def parse(text):
    """Values by name; ValueError at what is not the format: each family has its HELP
    and its TYPE, then its samples, and comes once."""
    values, families, now = {}, set(), None
    if not text.endswith("\n"):
        raise ValueError("does not end with a line")
    for line in text.splitlines():
        m = re.fullmatch(r"# HELP (%s) (\S.*)" % NAME, line)
        if m:
            if m[1] in families:
                raise ValueError("twice: " + line)
            families.add(m[1])
            now = [m[1], None]
            continue
        m = re.fullmatch(r"# TYPE (%s) (counter|gauge)" % NAME, line)
        if m:
            if now is None or now[0] != m[1] or now[1] is not None:
                raise ValueError("TYPE without HELP: " + line)
            now[1] = m[2]
            if (m[2] == "counter") != m[1].endswith("_total"):
                raise ValueError("a counter ends in _total: " + line)
            continue
        m = re.fullmatch(r"(%s) (\d+)" % NAME, line)
        if not m or now is None or now != [m[1], now[1]] or now[1] is None:
            raise ValueError("no sample of its family: " + line)
        if m[1] in values:
            raise ValueError("twice: " + line)
        values[m[1]] = int(m[2])
    if set(values) != families:
        raise ValueError("without a sample: %s" % (families - set(values)))
    return values


def read(path):
    with open(path) as f:
        return parse(f.read())


def written(t, args, *more):
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = l.path("us.prom")
        with open(path, "w") as f:
            f.write("old_total 1\n")
        if args:
            os.chmod(os.path.dirname(path), 0o777)
        us = l.understudy("--metrics", path, *args)
        end = time.monotonic() + 60
        while "old_total" in open(path).read() and time.monotonic() < end:
            time.sleep(0.1)
        first = read(path)
        t.equal(os.stat(path).st_mode & 0o777, 0o644, "mode")
        l.client("keep", *["/b100?id=q-%d" % i for i in range(40)])
        l.settle(prod, sut)
        inode = os.stat(path).st_ino
        while os.stat(path).st_ino == inode and time.monotonic() < end:
            time.sleep(0.1)
        t.check(os.stat(path).st_ino != inode, "another file takes its place")
        read(path)
        t.equal(us.finish(), 0, "exit code: " + us.text()[-300:])
        last = read(path)
        r = us.report()
        p = "understudy_shadow_"
        t.equal(set(first) - set(last), set(), "names stay")
        for name, want in (
                ("answers_identical_total", r["verdicts"]["identical"]),
                ("answers_different_total", 0),
                ("machine_requests_seen_total", r["requests"]["seen"]),
                ("machine_client_bytes_total", r["machine"]["client_bytes"]),
                ("frames_frames_mirror_total", r["capture"]["frames"]),
                ("now_flows", 0)):
            t.equal(last.get(p + name), want, name)
        t.equal(last[p + "answers_identical_total"], 40, "compared")
        t.equal([n for n in os.listdir(os.path.dirname(path))
                 if n.startswith("us.prom")], ["us.prom"], "what is left")


def refused(t, *_):
    for path, why in (("-", "is no file"), ("/nonexistent/x.prom", "no folder"),
                      ("/tmp", "is no file")):
        p = subprocess.run([lab.BINARY, "shadow", "-i", "x0", "--sut-dev", "y0",
                            "--map", "10.0.0.1:80=10.0.0.2:80", "--metrics", path],
                           capture_output=True, text=True)
        t.equal(p.returncode, 2, path)
        t.check(why in p.stderr, p.stderr)


lab.main([
    ("written by root", written, ()),
    ("written by another user", written, ("--user", "daemon")),
    ("refused", refused),
])
