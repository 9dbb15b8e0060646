# SPDX-License-Identifier: BSD-2-Clause
"""Servers against themselves: what two of one version say differently is nothing.

The files of both have other times, and so other validators; a client brings those of
production. ANSWERS: so many of each server (2,500).
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import alike  # noqa: E402
import lab  # noqa: E402

ALONE = "servers close connections where machines are busy"

ANSWERS = int(os.environ.get("ANSWERS", "2500"))
SLOW = 60 + ANSWERS // 50  # seconds that anything may take on a busy machine
LATER = 4321  # seconds that the SUT's files are younger


def itself(t, start, presets, *tools):
    for tool in tools:
        lab.need(tool)
    with lab.Lab() as l:
        start(l, "prod", lab.MTIME)
        start(l, "sut", lab.MTIME + LATER)
        us = l.understudy(*(w for p in presets for w in ("--rules", p)))
        code, out = l.run("client", [sys.executable, alike.__file__, "ask",
                                     l.addr["prod"], str(ANSWERS), "7"],
                          timeout=SLOW)
        t.equal(code, 0, "client: " + out)
        told = dict((int(k), int(v)) for k, v in
                    (x.split(":") for x in out.split()))
        for status in (200, 206, 304, 404, 416):
            t.check(told.get(status, 0) > 10, "answers of each kind: %s" % told)
        t.equal(us.finish(SLOW), 0, "exit code; " + us.text()[-600:])
        r = us.report()
        v = r["verdicts"]
        t.equal(v["different"], 0, "different: %s" % [
            (d["request"], d["status"], d["detail"])
            for d in us.differences()[:5]])
        compared = v["identical"] + v["equivalent"]
        t.equal(compared + v["not_compared"], ANSWERS, "answers: %s" % v)
        t.check(compared >= ANSWERS * 0.995, "compared: %s; %s" % (
            v, r["not_compared"]))
        t.check(r["rules"]["equivalent"]["validator"] > 10,
                "by what the client has: %s" % r["rules"]["equivalent"])


lab.main([
    ("nginx, @nginx", itself, alike.nginx, ("@nginx",), "nginx"),
    ("Apache, @apache", itself, alike.apache, ("@apache",), "apache2"),
    # Its origin's validators are its origin's.
    ("HAProxy, @haproxy", itself, alike.haproxy, ("@apache", "@haproxy"), "haproxy",
     "apache2"),
])
