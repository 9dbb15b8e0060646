# SPDX-License-Identifier: BSD-2-Clause
"""Gates and forms of a rerun: those of the live run, byte for byte but for what the
live run's clock and wires alone knew; and its folder, evidence included.
"""
import glob
import json
import os
import re
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import again  # noqa: E402
import lab  # noqa: E402

IDLE = "a few requests"

KINDS = ("junit", "summary", "html", "har")
SECRET = "hunter2hunter2"
RULES = """understudy rules 1
endpoint GET /f as faults
endpoint GET /ok as fine
on fine
  gate max-different 1%
"""

# Paragraphs of the text that say what the live run's wires, clock and process did.
LIVE = re.compile(r"(?m)^(capture|used|mirror_ring|sut_ring|sink|lost) .*\n( {12}.*\n)*")


def rerun(*words):
    return subprocess.run((lab.BINARY, "rerun") + words, capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL)


def content(path):
    with open(path) as f:
        return f.read()


def lines_of(path, kind):
    with open(path) as f:
        return [l for l in map(json.loads, f) if l["type"] == kind]


def still(text):
    """Without what is of the clock."""
    text = re.sub(r"in [0-9.]+ (m?s|us|min|h)\b", "in TIME", text)
    text = re.sub(r'\btime="[0-9.]+"', 'time="T"', text)
    return LIVE.sub("", text)


def first(a, b):
    for x, y in zip(a.splitlines(), b.splitlines()):
        if x != y:
            return "%s | %s" % (x[:200], y[:200])
    return "one is longer"


def run(l, name, *more):
    """A live run with faults. Return: (journal, --json, what it said, exit code)"""
    prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
    journal = l.path(name + ".pcapng")
    us = l.understudy("-w", journal, *more)
    l.client("each", *("/ok?id=o-%d&size=9" % i for i in range(20)),
             *("/f?id=f-%d&size=9&fault=status&password=%s" % (i, SECRET)
               for i in range(5)), "/f?id=f-9&size=9&fault=byte")
    l.settle(prod, sut)
    code = us.finish()
    return journal, us.jsonl, us.text(), code


def alike(t):
    with lab.Lab() as l:
        rules, out = l.path("rules"), l.path("live.out")
        with open(rules, "w") as f:
            f.write(RULES)
        os.chmod(os.path.dirname(rules), 0o777)
        path = {k: l.path("live." + k) for k in KINDS}
        journal, jsonl, said, code = run(
            l, "run", "--rules", rules, "--max-different", "2", "--min-compared", "10",
            "--max-slower", "p50:100%", "--out", out,
            *(w for k in KINDS for w in ("--" + k, path[k])))
        t.equal(code, 1, "exit code of the run: " + said[-600:])

        made = {k: l.path("again." + k) for k in (*KINDS, "json", "out")}
        r = rerun(*(w for k in made for w in ("--" + k, made[k])), journal)
        t.equal(r.returncode, 1, "of the rerun: " + r.stdout + r.stderr)
        t.check("equal:" in r.stdout and "DIFFERENT: 6" in r.stdout, r.stdout)
        for k in KINDS:
            a, b = still(content(path[k])), still(content(made[k]))
            b = b.replace("/again.", "/live.")  # the options name their files
            t.check(a == b and len(a) > 400, "%s: %s" % (k, first(a, b)))
        for kind in ("start", "difference", "gate", "times"):
            a, b = lines_of(jsonl, kind), lines_of(made["json"], kind)
            for x in a + b:
                if kind == "start":
                    x["options"] = x["options"].replace("/again.", "/live.")
            t.check(a == b and a, "%s lines: %s | %s" % (kind, a[:2], b[:2]))
        with open(jsonl) as f, open(made["json"]) as g:
            wrong = again.first_difference(again.derived(f), again.derived(g))
        t.equal(wrong, "", "the report")
        folders(t, out, made["out"])


def folders(t, live, again_):
    """The same files, rows of differences, and packets."""
    for d in (live, again_):
        t.equal(os.stat(d).st_mode & 0o777, 0o700, "mode of " + d)
    names = [sorted(os.path.relpath(p, d) for p in
                    glob.glob(d + "/**", recursive=True)) for d in (live, again_)]
    t.equal(names[0], names[1], "files")
    evidence = [n for n in names[0] if n.endswith(".pcapng")]
    t.check(evidence, "files of evidence: " + str(names[0]))
    for n in evidence:
        with open(os.path.join(live, n), "rb") as f, \
                open(os.path.join(again_, n), "rb") as g:
            t.check(f.read() == g.read(), n + " is another one")
    rows = []
    for d in (live, again_):
        db = sqlite3.connect("file:%s/run.sqlite?mode=ro" % d, uri=True)
        rows.append(db.execute("SELECT * FROM difference").fetchall())
        db.close()
    t.check(rows[0] == rows[1] and len(rows[0]) == 6, "rows: %s" % rows)
    for n in os.listdir(again_):
        p = os.path.join(again_, n)
        if os.path.isfile(p):
            with open(p, "rb") as f:
                t.check(SECRET.encode() not in f.read(), "a secret is in " + n)


def gates(t):
    """Each gate by itself; those of the run where the rerun names none."""
    with lab.Lab() as l:
        journal, _, said, code = run(l, "run", "--max-different", "6")
        t.equal(code, 0, "exit code of the run: " + said[-600:])
        for words, want in (((), 0), (("--perf",), 0), (("--max-different", "6"), 0),
                            (("--max-different", "5"), 1),
                            (("--max-different", "0"), 1),
                            (("--max-different", "90%"), 0),
                            (("--max-different", "1%"), 1),
                            (("--max-different", "25%"), 2),
                            (("--max-different", "25%", "--undecided", "pass"), 0),
                            (("--min-compared", "26"), 0),
                            (("--min-compared", "27"), 2),
                            (("--min-compared", "100%"), 0),
                            (("--max-slower", "p50:10%"), 2)):
            r = rerun(*words, journal)
            t.equal(r.returncode, want, "%s: %s" % (words, r.stdout + r.stderr))
            t.equal("compared answers" in r.stdout, bool(words), "report: " + r.stdout)
        cut = l.path("cut.pcapng")
        with open(journal, "rb") as f, open(cut, "wb") as g:
            data = f.read()
            g.write(data[:len(data) // 2])
        page, out = l.path("page"), l.path("folder")
        r = rerun("--html", page, "--out", out, cut)
        t.equal((r.returncode, os.path.exists(page), os.path.exists(out) and
                 os.listdir(out)), (2, False, []), "of half a journal: " + r.stderr)
        for words, wrong in ((("--html", "-", journal, journal), "of one journal"),
                             (("--out", out + "2", "-"), "reads its journal twice"),
                             (("--html", "-", "--json", "-", journal), "keep one"),
                             (("--html", cut, journal), "is there already")):
            r = rerun(*words)
            t.equal((r.returncode, r.stderr.count("\n")), (2, 1), str(words))
            t.check(wrong in r.stderr, r.stderr)


lab.main([
    ("gates, forms and folder of a rerun", alike),
    ("each gate", gates),
])
