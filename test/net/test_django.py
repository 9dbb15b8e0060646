# SPDX-License-Identifier: BSD-2-Clause
"""Sessions: Django's admin against itself, in two processes with data of their own.

Each draws its sessions and tokens by lot, so the SUT knows none of those that a client
sends. What hangs on them is told apart; nothing else may differ, by the rules that
were learned on another run.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import admin  # noqa: E402
import again  # noqa: E402
import lab  # noqa: E402

IDLE = "a few requests"

PEOPLE = 3
ASKED = 10  # by each of them
SLOW = 90   # seconds that anything may take on a busy machine


def server(l, room):
    folder = l.path("admin-" + room)
    os.makedirs(folder)
    p = l.spawn(room, [admin.PYTHON, os.path.abspath(admin.__file__), "serve",
                       folder, l.addr[room], "key of " + room],
                err=folder + "/stderr")
    l.listening(room, p, seconds=SLOW)


def work(t, l, journal, *rules):
    us = l.understudy("-w", journal, *(w for r in rules for w in ("--rules", r)))
    code, out = l.run("client", [sys.executable, os.path.abspath(admin.__file__),
                                 "work", l.addr["prod"], str(PEOPLE),
                                 os.path.basename(journal)], timeout=SLOW)
    t.equal(code, 0, "client: " + out)
    t.equal(out.split(), "200 302 200 200 200 302 200 200 200 302".split() * PEOPLE,
            "what production says")
    us.finish(SLOW)
    r = us.report()
    t.equal(sum(r["verdicts"].values()), PEOPLE * ASKED, "verdicts: %s" %
            r["verdicts"])
    return us, r


def sessions(t):
    if subprocess.run([admin.PYTHON, "-c", "import django"],
                      capture_output=True).returncode:
        raise lab.Skip("no python3-django")
    with lab.Lab() as l:
        server(l, "prod")
        server(l, "sut")
        first, learned = l.path("first.pcapng"), l.path("learned.rules")
        work(t, l, first, "@django")
        code, out = l.run("us", [lab.BINARY, "rerun", first, "--rules-learn",
                                 learned])
        t.check(os.path.exists(learned), "nothing was learned: %s" % out)
        journal = l.path("run.pcapng")
        us, r = work(t, l, journal, "@django", learned)
        t.equal(us.code, 0, "exit code; " + us.text()[-500:])
        t.equal(r["verdicts"]["different"], 0, "different: %s" % [
            (d["request"], d["status"], d["detail"]) for d in us.differences()[:5]])
        # Of each person all but the login page, which it asks for first and last,
        # hangs on its token or its session, as far as it differs.
        apart = r["not_compared"]["diverged"]
        t.check(PEOPLE * 5 <= apart <= PEOPLE * 8, "told apart: %s of %s" % (
            apart, r["verdicts"]))
        t.equal(r["verdicts"]["not_compared"], apart, "not compared: %s" %
                r["not_compared"])
        t.check("hang on sessions" in us.text(), "no warning")
        plain, p = work(t, l, l.path("plain.pcapng"))
        t.equal(plain.code, 1, "exit code without rules; " + plain.text()[-500:])
        t.check(PEOPLE * 5 <= p["not_compared"]["diverged"] <= PEOPLE * 8,
                "told apart without rules: %s of %s" % (p["not_compared"],
                                                        p["verdicts"]))
        again.same(t, lab.BINARY, us.jsonl, journal)


lab.main([
    ("Django's admin", sessions),
])
