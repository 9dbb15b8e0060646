# SPDX-License-Identifier: BSD-2-Clause
"""A baseline: what a second server of production's version shows too is noise.

Three servers draw values that no server gives twice (test/lib/noisy.py). Two of one
version are the same; one answer that is otherwise, in the midst of noise, is found;
a rerun comes to the same.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import again  # noqa: E402
import lab  # noqa: E402
import noisy  # noqa: E402

IDLE = "a few requests"

SERVER = os.path.abspath(noisy.__file__)
SLOW = 60  # seconds that anything may take on a busy machine
COUNT = 400


def server(l, room, at, share=30, plant="none"):
    log = l.path("noisy-" + at)
    open(log, "w").close()
    p = l.spawn(room, [sys.executable, SERVER, "serve", l.addr[at], log,
                       str(share), plant], err=log + ".err")
    p.log, p.reopen = log, False
    end = time.monotonic() + SLOW
    while p.poll() is None and "%s:80 " % l.addr[at] not in lab.sh(
            "ip", "netns", "exec", l.ns(room), "ss", "-Hltn"):
        if time.monotonic() > end:
            raise lab.LabError("no server listens at " + at)
        time.sleep(0.02)
    return p


def run(t, l, plant, share=30):
    """(exit code, its report, the run, its journal)"""
    l.second_sut()
    every = [server(l, "prod", "prod", share), server(l, "sut", "sut", share, plant),
             server(l, "sut", "sut2", share)]
    journal = l.path("run.pcapng")
    us = l.understudy("--rules", "@http", "--baseline", l.addr["sut2"], "-w",
                      journal)
    code, out = l.run("client", [sys.executable, SERVER, "ask", l.addr["prod"],
                                 str(COUNT), "3"])
    t.equal((code, out.strip()), (0, "asked"), "client")
    l.settle(*every)
    code = us.finish(SLOW)
    r = us.report()
    t.equal(r["baseline"]["paired"], COUNT, "compared on both")
    t.equal(sum(r["verdicts"].values()), COUNT, "verdicts of the SUT's alone")
    t.equal(r["sums"]["closed"], True, "sums: %s" % r["sums"])
    t.equal([m.get("baseline", False) for m in r["maps"]], [False, True],
            "whose map is the baseline's")
    with open(journal, "rb") as f:
        rc, lines, said = again.rerun(lab.BINARY, f.read())
    with open(us.jsonl) as f:
        live = sorted(again.derived(f))
    wrong = again.first_difference(live, sorted(lines))
    t.equal(rc, 0, "rerun: " + said)
    t.check(lines and not wrong, "live and rerun: " + wrong)
    return code, r, us, journal


def same(t):
    with lab.Lab() as l:
        code, r, us, journal = run(t, l, "none")
        t.equal(code, 0, "exit code; %s" % r["baseline"])
        t.check(r["verdicts"]["different"] > 50, "it was not noisy: %s" %
                r["verdicts"])
        t.equal(r["baseline"]["noise"], r["verdicts"]["different"], "noise")
        t.check("Same: all " in us.text(), us.text()[:200])
        lab.isolated(t, l)
        # What is learned of it makes it quiet, and is no wider than it must be.
        learned = l.path("learned")
        p = subprocess.run([lab.BINARY, "rerun", "--rules-learn", learned, journal],
                           capture_output=True, text=True, timeout=SLOW)
        t.equal(p.returncode, 0, "rerun --rules-learn: " + p.stdout + p.stderr)
        with open(learned) as f:
            text = f.read()
        words = sorted(x.split("#")[0].strip() for x in text.splitlines()[3:])
        t.equal(words, ["json class $.at time", "json class $.id hex",
                        "json class $.items[*].stock integer",
                        "json class $.took integer"], text)
        with open(journal, "rb") as f:
            rc, lines, said = again.rerun(lab.BINARY, f.read(), "--rules", "@http",
                                          "--rules", learned)
        t.equal((rc, json.loads(lines[-1])["verdicts"]["different"]), (0, 0),
                "by what was learned: " + said)


def planted(t, plant):
    with lab.Lab() as l:
        code, r, us, _ = run(t, l, "%s:%d" % (plant, COUNT // 2))
        t.equal(code, 1, "exit code; %s" % r["baseline"])
        t.equal(r["verdicts"]["different"] - r["baseline"]["noise"], 1,
                "differences that are no noise: %s" % r["baseline"])
        quiet = [p for p in r["baseline"]["places"] if p["state"] == "quiet"]
        t.equal([(p["place"], p["change"], p["sut"]) for p in quiet],
                [{"price": ("$.price", "value", 1),
                  "missing": ("$.at", "missing", 1),
                  "type": ("$.took", "type", 1)}[plant]], "what counts")
        t.check("DIFFERENT: 1 of " in us.text(), us.text()[:200])


def mistakes(t):
    """One line with the remedy, exit code 2."""
    bad = [(["--rules", "@http", "--baseline", "10.0.0.2"], "it is the SUT; name"),
           (["--rules", "@http", "--baseline", "10.0.0.1:81"],
            "it is production; name"),
           (["--baseline", "10.0.0.3"], "add --rules"),
           (["--rules", "@http", "--baseline", "::3"], "run them apart"),
           (["--rules", "@http", "--baseline", "here"], "no address"),
           (["--rules", "@http", "--baseline", "10.0.0.3", "--map",
             "10.0.0.1:80=10.0.0.9:80"], "several SUTs"),
           (["--rules", "@http", "--baseline", "10.0.0.3", "--sut-dev", "none"],
            "drop --sut-dev none")]
    for words, want in bad:
        p = subprocess.run([lab.BINARY, "shadow", "-i", "lo", "--sut-dev", "x",
                            "--map", "10.0.0.1:80=10.0.0.2:80", *words],
                           capture_output=True, text=True, timeout=SLOW)
        t.equal(p.returncode, 2, "exit code: " + p.stderr)
        t.check(want in p.stderr and p.stderr.count("\n") == 1, p.stderr)


lab.main([
    ("two of one version are the same", same),
    ("another price is found", lambda t: planted(t, "price")),
    ("a member that is missing is found", lambda t: planted(t, "missing")),
    ("another type is found", lambda t: planted(t, "type")),
    ("mistakes", mistakes),
])
