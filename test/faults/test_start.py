# SPDX-License-Identifier: BSD-2-Clause
"""Memory and writes that fail, one after another, from the first to the last.

FROM, TO: only these; STEP (1): every so many-th.
"""
import os
import subprocess

import fault
from fault import lab

STEP = int(os.environ.get("STEP", "1"))


def library(l):
    out = l.path("failing.so")
    if not os.path.exists(out):
        lab.sh("cc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC",
               "-o", out, os.path.join(lab.ROOT, "test/faults/failing.c"))
    return out


def has_failed(log):
    with open(log) as f:
        return f.read() == "1"


def one(t, l, so, n):
    """Starts with allocation `n` failing. Gives what came of it."""
    names = {k: l.path("start." + k) for k in ("json", "pcapng", "log", "out",
                                               "err")}
    for path in names.values():
        if os.path.exists(path):
            os.unlink(path)
    p = l.spawn("us", [lab.BINARY, "shadow", "-i", "mon0", "--sut-dev", "eth1",
                       "--map", l.map(), "--json", names["json"], "-w",
                       names["pcapng"], "--duration", "100ms", "--max-flows",
                       "16", "tcp port 80"],
                out=names["out"], err=names["err"],
                env={"LD_PRELOAD": so, "FAIL_ALLOC": str(n),
                     "FAIL_LOG": names["log"]})
    try:
        code = p.wait(20)
    except subprocess.TimeoutExpired:
        p.kill()
        code = "none in 20 s"
    l.children.remove(p)
    said = open(names["err"]).read()
    failed = has_failed(names["log"])
    began = os.path.exists(names["json"]) and \
        '"start"' in open(names["json"]).read()
    t.equal(code, 2, "allocation %d: exit code; said %r" % (n, said[-300:]))
    if not began:  # then there is nothing but a line
        # libpcap's own parser ends the process where it gets no memory.
        t.check(said.startswith(("understudy: error: ", "out of dynamic memory "
                                 "in yy")) and
                len(said.splitlines()) == 1, "allocation %d: said %r" % (
                    n, said[-300:]))
        left = [k for k in ("json", "pcapng") if os.path.exists(names[k])]
        t.equal(left, [], "allocation %d: files left" % n)
    return failed, began


def memory(t):
    """The nth allocation fails, until none is left to fail before the start."""
    with lab.Lab() as l:
        l.nginx("prod"), l.nginx("sut")
        so, n, refused, borne = library(l), 1, 0, 0
        while True:
            failed, began = one(t, l, so, n)
            if not failed:
                break
            refused += not began
            borne += began
            n += STEP
        fault.figure("every allocation of a start fails once", "%d" % (n - 1),
                     "%d ended with a line and exit 2" % refused,
                     "%d were done without" % borne)
        t.check(refused > 20 // STEP, "only %d failures were noticed" % refused)
        t.check(began, "the last did not start")
        us = l.understudy()
        l.client("keep", *["/b100?id=q-%d" % i for i in range(30)])
        t.equal(us.finish(), 0, "a start after all these")
        lab.isolated(t, l)


def writing(t, which, least):
    """The nth write to --json or -w fails: the play goes on, the loss is told."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        so, n, lost, asked, refused = library(l), 1, 0, 0, 0
        while n <= 40:
            log = l.path("log%d" % n)
            path = l.path("run%d.pcapng" % n)
            us = l.understudy("-w", path, env={
                "LD_PRELOAD": so, "FAIL_LOG": log,
                "FAIL_WRITE": "%d%s" % (n, which)}, ready=1)
            if not us.alive():  # not even the journal's header
                t.equal(us.code, 2, "write %d: exit code" % n)
                t.check("No space left" in us.text(), us.text())
                t.check(not os.path.exists(path) and
                        not os.path.exists(us.jsonl), "files left")
                refused += 1
                n += STEP
                continue
            l.client("keep", *["/b10k?id=q-%d-%d" % (n, i) for i in range(30)])
            code, said = us.finish(), us.text()
            asked += 30
            t.equal(code, 0, "write %d: exit code: %s" % (n, said[-300:]))
            failed = has_failed(log)
            told = "missing in the" in said or "could not be written" in said
            lost += told
            if failed:
                t.check(told, "write %d: not told: %s" % (n, said))
            n += STEP
            if not failed:
                break
        l.settle(prod, sut)
        got = fault.clean(t, prod, sut)
        fault.figure("every write fails, " + ("and all after it" if which else
                                               "once"),
                     "%d writes" % (n - 2), "%d runs refused, %d told a loss" % (refused, lost),
                     "%d of %d reached" % (got.reached, got.asked))
        t.check(n - 2 >= least and lost >= least, "%d writes" % (n - 2))
        t.equal((got.asked, got.reached), (asked, asked), "asked, reached")
        lab.isolated(t, l)


fault.main([
    ("memory fails at every place", False, memory),
    ("one write fails", False, writing, "", 2),
    ("all writes fail from one on", False, writing, "+", 2),
])
