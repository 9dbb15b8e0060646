# SPDX-License-Identifier: BSD-2-Clause
"""Every planted difference is found, and only it.

labsrv on both sides; only the SUT's obeys fault= in a request.
"""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "a few requests"

COUNT = 20


def found(us):
    """The ids of the requests that were told as different."""
    ids = [re.search(r"id=([\w-]+)", d.get("request") or "")
           for d in us.differences()]
    return [m[1] if m else "?" for m in ids]


def plant(t, fault, how="keep", family=4):
    with lab.Lab(family=family) as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
        us = l.understudy()
        bad = {5, 11, 12}
        paths = ["/f?id=q-%d&size=%d%s" % (
            i, 1000 + i, "&fault=" + fault if i in bad else "")
            for i in range(COUNT)]
        code, out = l.client(how, *paths)
        t.equal(code, 0, "client: " + out)
        t.equal(out.count("200 "), COUNT, "answers of production")
        l.settle(prod, sut)
        t.equal(us.finish(), 1, "exit code")
        t.equal(sorted(found(us)), sorted("q-%d" % i for i in bad),
                "requests told as different")
        v = us.report().get("verdicts", {})
        t.equal(v.get("different"), len(bad), "different")
        t.equal(v.get("not_compared"), 0, "not compared %s" %
                us.report().get("not_compared"))
        for d in us.differences():
            t.check(d.get("reason"), "a difference without its reason: %s" % d)
        if fault == "status":
            t.equal([d["status"] for d in us.differences()],
                    [[200, 500]] * len(bad), "status")
        lab.isolated(t, l)


def stop_after(t):
    """The run ends by itself at the second difference."""
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
        us = l.understudy("--stop-after", "2")
        l.client("each", "/f?id=q-0&size=9", "/f?id=q-1&size=9&fault=status",
                 "/f?id=q-2&size=9")
        l.settle(prod, sut)
        t.check(us.alive(), "it ended at the first: " + us.text())
        l.client("each", "/f?id=q-3&size=9&fault=status")
        t.equal(us.wait(15), 1, "exit code: " + us.text())
        t.equal(sorted(found(us)), ["q-1", "q-3"], "told as different")
        lab.isolated(t, l)


def stop_early(t):
    """The run ends when what is allowed was exceeded, and no earlier."""
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
        us = l.understudy("--stop-early", "--max-different", "1")
        l.client("each", "/f?id=q-0&size=9", "/f?id=q-1&size=9&fault=status",
                 "/f?id=q-2&size=9")
        l.settle(prod, sut)
        time.sleep(2)
        t.check(us.alive(), "it ended at the first: " + us.text())
        l.client("each", "/f?id=q-3&size=9&fault=status")
        t.equal(us.wait(15), 1, "exit code: " + us.text())
        t.check("--max-different 1 cannot be met any more" in us.text(),
                us.text())
        gates = [g for g in us.lines() if g["type"] == "gate"]
        t.equal([(g["gate"], g["state"], g["limit"], g["answers"])
                 for g in gates], [("--max-different 1", "failed", 1, 2)],
                "gates")
        lab.isolated(t, l)


def undecided(t):
    """Of six answers nobody knows whether one of a hundred differs; an endpoint's
    demand of so many answers is not met."""
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
        rules = l.path("rules")
        with open(rules, "w") as f:
            f.write("understudy rules 1\nendpoint GET /f as f\n"
                    "on f\ngate max-different 0%\n")
        os.chmod(os.path.dirname(rules), 0o755)
        us = l.understudy("--rules", rules, "--max-different", "1%")
        l.client("each", *("/f?id=q-%d&size=9" % i for i in range(6)))
        l.settle(prod, sut)
        t.equal(us.finish(), 2, "exit code: " + us.text())
        gates = {g["gate"]: g for g in us.lines() if g["type"] == "gate"}
        t.equal(gates["max-different 0%"]["state"], "passed", str(gates))
        t.equal(gates["max-different 0%"]["endpoint"], "f", str(gates))
        run = gates["--max-different 1%"]
        t.equal((run["state"], run["endpoint"]), ("undecided", None), str(run))
        # ln(0.025) / ln(0.99) = 367
        t.check(367 <= run["answers_needed"] <= 380, str(run))
        lab.isolated(t, l)


def order(t):
    """Two pipelined requests, answered by the SUT in the wrong order."""
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
        us = l.understudy()
        code, out = l.client("pipe", "/a?id=q-0&size=100",
                             "/b?id=q-1&size=200&fault=swap",
                             "/c?id=q-2&size=300", "/d?id=q-3&size=400")
        t.equal((code, out.split()[1::2]), (0, ["100", "200", "300", "400"]),
                "production")
        l.settle(prod, sut)
        t.equal(us.finish(), 1, "exit code")
        t.equal(sorted(found(us)), ["q-1", "q-2"],
                "requests told as different")
        lab.isolated(t, l)


lab.main([
    ("--stop-after", stop_after),
    ("--stop-early", stop_early),
    ("--max-different by a share, and an endpoint's", undecided),
    ("status", plant, "status"),
    ("a header", plant, "header"),
    ("one byte of the body", plant, "byte"),
    ("one byte, IPv6", lambda t: plant(t, "byte", family=6)),
    ("truncated body", plant, "cut", "each"),
    ("missing answer", plant, "missing", "each"),
    ("RST instead of an answer", plant, "reset", "each"),
    ("wrong order", order),
])
