# SPDX-License-Identifier: BSD-2-Clause
"""--out: a run's folder, what understudy report and diff make of it, and what becomes
of a run whose folder fails it.

The forms that a run writes itself are the oracle of those that are made again; rows
are read by Python's SQLite, which is not ours.
"""
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402
import schema  # noqa: E402

EVIL = "<script>alert(1)</script>&y=\"'`[a](javascript:b)|%00"
SECRET = "hunter2hunter2"
KINDS = ("junit", "summary", "html", "har")
RULES = """understudy rules 1
endpoint GET /f as faults
endpoint GET /ok as fine
on fine
  gate max-different 1%
"""
MODEST = ["/f?id=f-%d&size=9&fault=status" % i for i in range(4)]


def understudy(*words):
    return subprocess.run((lab.BINARY,) + words, capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL)


def rows(folder, sql):
    db = sqlite3.connect("file:%s/run.sqlite?mode=ro" % folder, uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def servers(l):
    return l.labsrv("prod"), l.labsrv("sut", "-f")


def content(path):
    with open(path) as f:
        return f.read()


def lines_of(text, kind):
    return [l for l in text.splitlines() if json.loads(l)["type"] == kind]


def again(t, *more):
    """Each form that is made of the folder is the one that the run wrote."""
    with lab.Lab() as l:
        prod, sut = servers(l)
        rules, out = l.path("rules"), l.path("out")
        with open(rules, "w") as f:
            f.write(RULES)
        os.chmod(os.path.dirname(rules), 0o777)
        path = {k: l.path("live." + k) for k in KINDS}
        us = l.understudy("--rules", rules, "--max-different", "2", "--perf",
                          "--out", out,
                          *(w for k in KINDS for w in ("--" + k, path[k])), *more)
        l.client("each", *("/ok?id=o-%d&size=9" % i for i in range(20)),
                 "/f?id=f-0&size=9&fault=status&password=" + SECRET, *MODEST,
                 "/f?x=%s&id=f-9&size=9&fault=byte" % EVIL)
        l.settle(prod, sut)
        t.equal(us.finish(), 1, "exit code: " + us.text()[-600:])
        t.check("--out" not in us.text(), "it complains: " + us.text())

        mode = {n: os.stat(os.path.join(out, n)).st_mode & 0o777
                for n in os.listdir(out)}
        t.equal(mode, {n: 0o600 for n in ("run.sqlite", "report.txt", "report.html",
                                          "summary.md", "junit.xml")}, "files")
        t.equal(os.stat(out).st_mode & 0o777, 0o700, "mode of the folder")
        t.equal(rows(out, "SELECT count(*) FROM difference"), [(6,)], "rows")
        t.equal(sorted(rows(out, "SELECT n FROM kind")), [(1,), (5,)], "kinds")
        for name in mode:
            with open(os.path.join(out, name), "rb") as f:
                t.check(SECRET.encode() not in f.read(), "a secret is in " + name)

        made = {k: l.path("made." + k) for k in (*KINDS, "json")}
        r = understudy("report", out, *(w for k in made for w in ("--" + k, made[k])))
        t.equal(r.returncode, 1, "report's exit code: " + r.stderr)
        t.check(r.stdout and r.stdout in us.text(), "its text: " + r.stdout)
        t.equal(r.stdout, content(os.path.join(out, "report.txt")), "and in the file")
        for k in KINDS:
            t.check(content(made[k]) == content(path[k]), k + " is another one")
        t.equal(content(os.path.join(out, "report.html")), content(path["html"]),
                "the folder's page")
        live, stored = content(us.jsonl), content(made["json"])
        for kind in ("difference", "times", "gate"):
            t.equal(lines_of(stored, kind), lines_of(live, kind), kind + " lines")
        t.check(len(lines_of(stored, "gate")) > 1 and lines_of(stored, "times"),
                "there were some")
        t.equal(schema.faults(json.loads(x) for x in stored.splitlines()), [],
                "against the schema")
        t.equal((len(lines_of(stored, "report")), len(lines_of(stored, "start"))),
                (1, 1), "its other lines")
        r = understudy("report", out, "--html", made["html"])
        t.equal(r.returncode, 2, "over a file that is there")
        lab.isolated(t, l)


def regression(t):
    """Two versions of a SUT: the second one has a fault that the first has not, and has
    lost one."""
    with lab.Lab() as l:
        prod, sut = servers(l)
        out = [l.path("a"), l.path("b")]
        for i, faults in enumerate((["/f?fault=status", "/g?fault=byte"],
                                    ["/f?fault=status", "/h?fault=header"])):
            us = l.understudy("--out", out[i])
            l.client("each", *("/ok?id=%d-o-%d&size=9" % (i, n) for n in range(20)),
                     *("%s&size=9&id=%d-%d" % (f, i, n)
                       for n, f in enumerate(faults)))
            l.settle(prod, sut)
            t.equal(us.finish(), 1, "exit code: " + us.text()[-600:])
        path = l.path("diff.json")
        r = understudy("diff", *out, "--json", path)
        t.equal(r.returncode, 1, "diff's exit code: " + r.stdout + r.stderr)
        t.check(r.stdout.startswith("WORSE: 1 new, 0 more, 0 less, 1 gone, 1 the "
                                    "same kinds"), r.stdout)
        kinds = [json.loads(line) for line in content(path).splitlines()]
        t.equal(schema.faults(kinds), [], "against the schema")
        t.equal({(k["state"], k["endpoint"], k["first"]["answers"],
                  k["second"]["answers"]) for k in kinds},
                {("new", "GET /h", 0, 1), ("gone", "GET /g", 1, 0),
                 ("same", "GET /f", 1, 1)}, "kinds")
        t.equal(understudy("diff", out[0], out[0]).returncode, 0, "with itself")
        t.equal(understudy("diff", out[0]).returncode, 2, "with nothing")


def later(t):
    """A store of a later version, none, a damaged one, a folder that is full."""
    with lab.Lab() as l:
        prod, sut = servers(l)
        out, full = l.path("out"), l.path("full")
        us = l.understudy("--out", out)
        l.client("each", *MODEST)
        l.settle(prod, sut)
        t.equal(us.finish(), 1, "exit code: " + us.text()[-600:])
        page = l.path("page")
        db = sqlite3.connect(out + "/run.sqlite")
        db.execute("PRAGMA user_version=3")
        db.close()
        r = understudy("report", out, "--html", page)
        t.equal((r.returncode, r.stdout), (2, ""), "exit code of a later one")
        t.check("a later version wrote it (its tables are of version 3, ours of 2); "
                "use that one" in r.stderr and r.stderr.count("\n") == 1, r.stderr)
        t.check(not os.path.exists(page), "a file was made")
        db = sqlite3.connect(out + "/run.sqlite")
        db.execute("PRAGMA user_version=2")
        db.execute("UPDATE difference SET reason='nothing of ours' WHERE id=2")
        db.commit()
        db.close()
        r = understudy("report", out)
        t.equal(r.returncode, 2, "exit code of a damaged one")
        t.check("damaged" in r.stderr and r.stderr.count("\n") == 1, r.stderr)
        t.equal(understudy("report", l.path("none")).returncode, 2, "of none")
        os.mkdir(full)
        open(os.path.join(full, "x"), "w").close()
        us = l.understudy("--out", full, "--html", page, ready=0.5)
        t.equal(us.wait(10), 2, "exit code: " + us.text())
        t.check("is there already; remove it" in us.text(), us.text())
        t.equal((os.listdir(full), os.path.exists(page)), (["x"], False),
                "what is there")


def named(us, name, seconds=30):
    """A process of the run's, once it has its name."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                stat = content("/proc/%s/stat" % pid)
            except OSError:
                continue
            if "(%s)" % name in stat and " %d " % us.proc.pid in stat:
                return int(pid)
        time.sleep(0.05)
    raise RuntimeError("there is no " + name)


def ended(pid, seconds=5):
    """A process is gone, or nobody has asked yet how it ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if content("/proc/%d/stat" % pid).rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def fails(t, how):
    """Its process is killed, stopped, or somebody holds the database: the run says so
    and is what it would have been."""
    with lab.Lab() as l:
        prod, sut = servers(l)
        out, held = l.path("out"), None
        us = l.understudy("--out", out)
        l.client("each", "/f?id=f-0&size=9&fault=status")
        if how == "held":
            held = sqlite3.connect(out + "/run.sqlite", isolation_level=None)
            time.sleep(1.5)  # the first one's transaction is over
            held.execute("BEGIN IMMEDIATE")
        else:
            pid = named(us, "understudy-keep")
            os.kill(pid, {"killed": signal.SIGKILL,
                          "stopped": signal.SIGSTOP}[how])
        l.client("each", *("/f?id=g-%d&size=9&fault=status" % i for i in range(9)))
        l.settle(prod, sut)
        t.equal(us.finish(30), 1, "exit code: " + us.text()[-600:])
        t.equal(len(us.differences()), 10, "differences that the run tells")
        t.check("--out %s: not whole" % out in us.text(), us.text())
        t.check(how == "held" or ended(pid), "its process outlives the run")
        if how == "held":
            held.close()
            t.equal(rows(out, "SELECT count(*) FROM difference"), [(1,)], "rows")
        r = understudy("report", out)
        t.equal(r.returncode, 2, "report: " + r.stderr)
        lab.isolated(t, l)


ASK = """
import json, sys, time, urllib.error, urllib.request
base, token, what = sys.argv[1].rstrip("/"), sys.argv[2], sys.argv[3]
while True:  # until it shows what the run has found
    r = urllib.request.Request(base + "/api/run", headers={"Authorization": "Bearer " +
                                                           token})
    try:
        run = json.load(urllib.request.urlopen(r, timeout=60))
    except urllib.error.HTTPError as e:
        if e.code != 503:  # the store cannot be read now
            raise
        time.sleep(0.1)
        continue
    if run["kinds"] > 0 and len(run["ticks"]) > 0 and \
       run["ticks"][-1][run["tick_names"].index("different")] == int(what):
        break
    time.sleep(0.1)
print(json.dumps(run))
"""


def shown(t, *more):
    """A run with a page: what has been found is there while it goes on, and the page
    ends with the run, or without it."""
    with lab.Lab() as l:
        prod, sut = servers(l)
        out = l.path("out")
        os.chmod(os.path.dirname(out), 0o777)
        us = l.understudy("--out", out, "--listen", "127.0.0.1:0", *more)
        url = re.search(r"page of this run: (http://127\.0\.0\.1:\d+/)#([0-9a-f]{32})\n",
                        us.text())
        t.check(url, us.text())
        pid = named(us, "understudy-page")
        l.client("each", *("/ok?id=o-%d&size=9" % i for i in range(20)), *MODEST)
        code, text = l.python("us", ASK, url[1], url[2], str(len(MODEST)))
        t.equal(code, 0, text)
        run = json.loads(text.splitlines()[-1])
        t.equal((run["ended"], run["kinds"]), (False, 1), "what it shows")
        if "--user" in more:
            os.kill(pid, signal.SIGKILL)
        l.settle(prod, sut)
        t.equal(us.finish(), 1, "exit code: " + us.text()[-600:])
        t.check("--out" not in us.text(), "it complains: " + us.text())
        t.check(ended(pid, 30), "the page outlives the run")
        t.equal(sorted(os.listdir(out)), ["junit.xml", "report.html", "report.txt",
                                          "run.sqlite", "summary.md"], "files")
        t.check(rows(out, "SELECT count(*) FROM tick")[0][0] > 0, "ticks")
        lab.isolated(t, l)


def not_shown(t):
    """A page that cannot be leaves no run and no folder."""
    with lab.Lab() as l:
        out = l.path("out")
        for more, why in ((("--listen", "127.0.0.1:0"), "add --out DIR"),
                          (("--out", out, "--listen", "0.0.0.0:80"),
                           "only this host's loopback"),
                          (("--out", out, "--listen", "127.0.0.1"), "write ADDR:PORT")):
            us = l.understudy(*more, ready=0.5)
            t.equal(us.wait(10), 2, "exit code: " + us.text())
            t.check(why in us.text(), us.text())
            t.check(not os.path.exists(out), "the folder is there")


def forgotten(t):
    """A run that cannot begin leaves no folder."""
    with lab.Lab() as l:
        out = l.path("out")
        us = l.understudy("--out", out, "-i", "nowhere0", ready=0.5)
        t.equal(us.wait(10), 2, "exit code: " + us.text())
        t.check(not os.path.exists(out), "the folder is there")


lab.main([
    ("forms again", again),
    ("as another user", again, "--user", "daemon"),
    ("two runs", regression),
    ("a store that is none of ours", later),
    ("its process is killed", fails, "killed"),
    ("its process is stopped", fails, "stopped"),
    ("somebody holds the database", fails, "held"),
    ("a run that cannot begin", forgotten),
    ("a page beside it", shown),
    ("a page that is killed, as another user", shown, "--user", "daemon"),
    ("a page that cannot be", not_shown),
])
