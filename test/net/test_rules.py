# SPDX-License-Identifier: BSD-2-Clause
"""Differences that matter: what rules and the desk make of two answers.

What is planted (test/lib/answers.py) comes to what is said there; two nginx whose
files have other times do not differ; what production served before is known; a desk that dies, stops or is behind costs
answers, and nothing else; a rerun judges the same, and by other rules anew.
"""
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import again  # noqa: E402
import answers  # noqa: E402
import lab  # noqa: E402

IDLE = "a few requests"

SERVER = os.path.abspath(answers.__file__)
SLOW = 60  # seconds that anything may take on a busy machine


def server(l, room):
    log = l.path("answers-" + room)
    open(log, "w").close()
    p = l.spawn(room, [sys.executable, SERVER, "serve", l.addr[room], room, log],
                err=log + ".err")
    p.log, p.reopen = log, False
    l.listening(room, p)
    return p


def ask(t, l, *names, repeat=1):
    code, out = l.run("client", [sys.executable, SERVER, "ask", l.addr["prod"],
                                 str(repeat), *names])
    t.equal((code, out.strip()), (0, "asked"), "client")


def rules(l, text=answers.RULES):
    l.files += 1
    path = l.path("rules%d" % l.files)
    with open(path, "w") as f:
        f.write(text)
    return path


def rerun(l, journal, *options):
    """(exit code, derived lines in order of their text)"""
    with open(journal, "rb") as f:
        code, lines, said = again.rerun(lab.BINARY, f.read(), *options)
    return code, sorted(lines), said


def same_reports(t, us, l, journal):
    """The rerun comes to what the live run came to."""
    with open(us.jsonl) as f:
        live = sorted(again.derived(f))
    code, lines, said = rerun(l, journal)
    t.equal(code, 0, "exit code of the rerun: " + said)
    wrong = again.first_difference(live, lines)
    t.check(lines and not wrong, "live and rerun: " + wrong)


def name_of(d):
    return re.search(r" /([\w-]+)", d.get("request") or " /?")[1]


def planted(t):
    with lab.Lab() as l:
        prod, sut = server(l, "prod"), server(l, "sut")
        journal = l.path("run.pcapng")
        us = l.understudy("--rules", rules(l), "-w", journal)
        ask(t, l)
        l.settle(prod, sut)
        t.equal(us.finish(SLOW), 1, "exit code; " + us.text()[-300:])
        told = {name_of(d): d for d in us.differences()}
        r = us.report()
        want = {n: p[2].split() for n, p in answers.PLANTS.items()}
        for name, words in want.items():
            detail = told.get(name, {}).get("detail", "")
            t.equal(name in told, words[0] == "different", name + " is told")
            t.check(" ".join(words[1:]) in detail or words[0] != "different",
                    "%s: %s" % (name, detail))
        kinds = {e["kind_id"]: e for e in r["endpoints"] if "kind_id" in e}
        swap = kinds.get(told["members-swapped"].get("kind_id"), {})
        t.equal((swap.get("place"), swap.get("change"), swap.get("different")),
                ("$.m3[*]", "value", 1), "the kind of what was swapped")
        made = r.get("rules", {}).get("equivalent", {})
        for kind in ("json", "place", "coding", "markup", "date", "ignore", "set",
                     "status", "token"):
            t.equal(made.get(kind, 0) >= sum(
                w == ["equivalent", kind] for w in want.values()), True,
                    "equivalent by %s: %s" % (kind, made))
        n = {"identical": 0, "equivalent": 0, "different": 0, "not_compared": 0}
        for w in want.values():
            n[w[0] if w[0] in n else "not_compared"] += 1
        t.equal(r.get("verdicts"), n, "verdicts")
        for why in ("too_long", "bomb", "coding", "by_rule"):
            t.equal(r["not_compared"].get(why),
                    sum(w[0] == why for w in want.values()), why)
        ends = {e["name"]: e for e in r["rules"]["endpoints"]}
        t.equal([ends[e]["equivalent"] for e in ("ignored", "only")], [1, 1],
                "equivalent by endpoint")
        t.equal(ends["nothing"]["not_compared"], 1, "not compared by endpoint")
        lines = {x["line"]: x for x in r["rules"]["lines"]
                 if x["source"] != "preset"}
        t.equal(lines[7]["hits"], 1, "hits of json ignore")
        t.equal(r["sums"]["closed"], True, "sums: %s" % r["sums"])
        same_reports(t, us, l, journal)
        # By other rules the same traffic comes to something else.
        code, other, said = rerun(l, journal, "--rules", rules(
            l, "understudy rules 1\non GET /etag\nheader class ETag etag\n"))
        t.equal(code, 0, "exit code with other rules: " + said)
        t.check(not any("/etag?" in x for x in other if "difference" in x),
                "etag differs by rules that let it")
        t.check(any("/vary?" in x for x in other if "difference" in x),
                "vary does not differ without its rule")
        lab.isolated(t, l)


def nothing_without(t):
    """Without --rules none of it happens."""
    with lab.Lab() as l:
        prod, sut = server(l, "prod"), server(l, "sut")
        us = l.understudy()
        ask(t, l, "same", "members-reordered", "clock-61-seconds-off")
        l.settle(prod, sut)
        t.equal(us.finish(SLOW), 1, "exit code")
        t.equal([name_of(d) for d in us.differences()], ["members-reordered"],
                "told as different")
        t.check("rules" not in us.report(), "rules in a report without any")
        t.check("overload" not in us.report()["not_compared"],
                "their reasons in a report without any")


def redacted(t):
    """No secret is in a report, with rules and without; -w has them all."""
    names = [n for n in answers.PLANTS if n.startswith("secret-")]
    names += [n + "?api_key=qUery-secRet" for n in names]
    for options in ((), ("--rules",)):
        with lab.Lab() as l:
            prod, sut = server(l, "prod"), server(l, "sut")
            journal = l.path("run.pcapng")
            us = l.understudy(*options, *([rules(l)] if options else []),
                              "-w", journal)
            ask(t, l, *names)
            l.settle(prod, sut)
            t.equal(us.finish(SLOW), 1, "exit code; " + us.text()[-300:])
            with open(us.jsonl) as f:
                lines = f.read()
            with open(journal, "rb") as f:
                data = f.read()
            t.equal(len(us.differences()), len(names), "told as different")
            for s in answers.SECRETS:
                t.check(s not in lines, "%s is in --json" % s)
                t.check(s not in us.text(), "%s is in the report" % s)
                t.check(s.encode() in data, "%s is not in -w" % s)
            tags = [d["detail"] for d in us.differences()]
            t.equal(tags[:5], tags[5:], "equal values have equal tags")
            t.equal([len(set(re.findall("<secret:[^>]*>", x))) for x in tags],
                    [2] * len(tags), "both values have a tag: %s" % tags)
            same_reports(t, us, l, journal)
            code, shown, said = rerun(l, journal, "--redact", "off")
            t.equal(code, 0, "rerun with --redact off: " + said)
            t.check(all(s in "".join(shown) for s in answers.SECRETS[:2]),
                    "--redact off shows them")


def copies(t):
    """Two nginx, whose files have other times, compressed otherwise."""
    zip_by = "etag on; gzip on; gzip_types text/plain; gzip_comp_level %d;"
    with lab.Lab() as l:
        prod = l.nginx("prod", zip_by % 1)
        sut = l.nginx("sut", zip_by % 9)
        for name in ("b100", "b10k", "b1m"):
            path = os.path.join(l.path("nginx-sut"), "www", name)
            os.utime(path, (lab.MTIME + 77, lab.MTIME + 77))
        journal = l.path("run.pcapng")
        us = l.understudy("--rules", "@nginx", "-w", journal)
        l.wrk(1, 4, url="/b100", run="a", delay=5)
        code, _ = l.python("client", """
import socket, sys
c = socket.create_connection((sys.argv[1], 80))
f = c.makefile("rb")
for i in range(40):
    c.sendall(("GET /%s?id=z-%d HTTP/1.1\\r\\nHost: h\\r\\nAccept-Encoding: gzip\\r\\n"
               "\\r\\n" % (("b100", "b10k")[i % 2], i)).encode())
    n = -1
    while (line := f.readline().strip()) != b"":
        if line.lower().startswith(b"content-length:"):
            n = int(line.split()[1])
    while n < 0:
        k = int(f.readline(), 16)
        f.read(k + 2)
        if k == 0:
            break
    else:
        f.read(n)
""", l.addr["prod"])
        t.equal(code, 0, "client")
        l.settle(prod, sut)
        t.equal(us.finish(SLOW), 0, "exit code; " + us.text()[-300:])
        r = us.report()
        t.equal(r["verdicts"]["different"], 0, "different")
        t.equal(r["verdicts"]["not_compared"], 0,
                "not compared: %s" % r["not_compared"])
        t.check(r["verdicts"]["equivalent"] >= 100, "equivalent: %s" %
                r["verdicts"])
        made = r["rules"]["equivalent"]
        t.check(made["class"] >= 100 and made["coding"] >= 20,
                "what made them so: %s" % made)
        t.check(r["rules"]["handed"] <= 60,
                "a Date or a tag costs a judge: %s" % r["rules"]["handed"])
        same_reports(t, us, l, journal)


GET = """
import socket, sys
c = socket.create_connection((sys.argv[1], 80))
f = c.makefile("rb")
for spec in sys.argv[2:]:
    path, *more = spec.split("|")
    c.sendall(("GET /%s HTTP/1.1\\r\\nHost: h\\r\\n%s\\r\\n" % (
        path, "".join(m + "\\r\\n" for m in more))).encode())
    head = {}
    status = f.readline().split()[1].decode()
    while (line := f.readline().strip()) != b"":
        name, value = line.split(b":", 1)
        head[name.lower()] = value.strip().decode()
    f.read(int(head.get(b"content-length", 0)) if status != "304" else 0)
    print(status, head.get(b"etag", "-"))
"""


def get(t, l, *specs):
    """[(status, entity tag)] of production's answers on one connection."""
    code, out = l.python("client", GET, l.addr["prod"], *specs)
    t.equal(code, 0, "client")
    return [line.split() for line in out.splitlines()]


def versions(t):
    """Validators of production's, and objects that are older or newer."""
    own = """
on GET /w
version older within 0s
on GET /n
version newer
on GET /m
version newer
"""
    with lab.Lab() as l:
        conf = ('open_file_cache off; etag on; '
                'add_header Cache-Control "max-age=3600";')
        prod, sut = l.nginx("prod", conf), l.nginx("sut", conf)

        def put(room, text, *names):
            for name in names:
                path = os.path.join(l.path("nginx-" + room), "www", name)
                with open(path + ".new", "w") as f:
                    f.write(text)
                os.utime(path + ".new", (put.time, put.time))
                os.rename(path + ".new", path)
                put.time += 1
        put.time = lab.MTIME + 1000
        for room in ("prod", "sut"):
            put(room, "first", "v", "w", "n", "m")
        journal = l.path("run.pcapng")
        us = l.understudy("--rules", "@nginx", "--rules",
                          rules(l, "understudy rules 1" + own), "-w", journal)
        asked = get(t, l, "v", "w", "n", "m")
        tag = asked[0][1]
        asked += get(t, l, "v|If-None-Match: " + tag,
                     "v|Range: bytes=1-3|If-Range: " + tag)
        put("prod", "other", "v", "w")
        put("sut", "newer", "n", "m")
        asked += get(t, l, "v", "w")
        l.settle(prod, sut)  # the next one is read later than this one
        asked += get(t, l, "w", "n", "m")
        put("prod", "newer", "n")
        asked += get(t, l, "n")
        t.equal([a[0] for a in asked], ["200"] * 4 + ["304", "206"] + ["200"] * 6,
                "production's answers")
        l.settle(prod, sut)
        t.equal(us.finish(SLOW), 1, "exit code; " + us.text()[-300:])
        told = {name_of(d): d.get("detail", "") for d in us.differences()}
        t.equal(sorted(told), ["m", "w"], "told as different: %s" % told)
        t.check(re.search(r"older by \d+ s, lifetime 0 s", told.get("w", "")),
                "a stale object: %s" % told)
        r = us.report()
        made = r["rules"]["equivalent"]
        t.equal([made[k] for k in ("validator", "older", "newer")], [2, 2, 1],
                "what made them so: %s" % made)
        t.equal([sum(r["verdicts"].values()), r["verdicts"]["not_compared"]],
                [len(asked), 0], "verdicts: %s" % r["verdicts"])
        v = r["rules"]["versions"]
        t.equal([v["held"], v["taken_back"], v["note_refused"]], [2, 1, 0],
                "held: %s" % v)
        t.equal(r["sums"]["closed"], True, "sums: %s" % r["sums"])
        same_reports(t, us, l, journal)
        lab.isolated(t, l)


def desk_of(us):
    """The pid of its desk."""
    for pid in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % pid) as f:
                stat = f.read()
        except OSError:
            continue
        if "(understudy-desk)" in stat and \
                int(stat.rsplit(")", 1)[1].split()[1]) == us.proc.pid:
            return int(pid)
    return 0


def played(t, us, l, count):
    """Every request reached the SUT, and every verdict is accounted for."""
    r = us.report()
    t.equal(r["requests"]["answered"], count, "answered")
    t.equal(sum(r["verdicts"].values()), count, "verdicts %s" % r["verdicts"])
    t.equal(r["sums"]["closed"], True, "sums: %s" % r["sums"])
    t.equal(r["memory"]["pool_used"], 0, "pool in use at the end")
    t.equal(lab.count_lines(l.path("answers-sut")), count, "requests at the SUT")


def killed(t):
    with lab.Lab() as l:
        prod, sut = server(l, "prod"), server(l, "sut")
        us = l.understudy("--rules", rules(l))
        ask(t, l, "members-reordered", repeat=5)
        desk = desk_of(us)
        t.check(desk > 0, "no desk is there")
        os.kill(desk, signal.SIGKILL)
        ask(t, l, "members-reordered", "same", repeat=5)
        l.settle(prod, sut)
        t.equal(us.finish(SLOW), 2, "exit code")
        played(t, us, l, 15)
        t.equal(us.report()["not_compared"]["desk"] in range(5, 11), True,
                "not judged: %s" % us.report()["not_compared"])
        t.equal(us.report()["verdicts"]["identical"], 5, "identical")
        t.check("the desk has died" in us.text(), "it is not said")
        lab.isolated(t, l)


def starve(pid):
    """No more memory for it, said by its own user, who may."""
    with open("/proc/%d/status" % pid) as f:
        who = dict(x.split(":", 1) for x in f if x.startswith(("Uid", "Gid")))
    subprocess.run(["prlimit", "--pid=%d" % pid, "--data=0:0", "--as=0:0"],
                   user=int(who["Uid"].split()[0]), group=int(who["Gid"].split()[0]),
                   extra_groups=[], check=True, timeout=SLOW)


def starved(t):
    """The system refuses it memory: it ends, and is no worse a judge before."""
    with lab.Lab() as l:
        prod, sut = server(l, "prod"), server(l, "sut")
        us = l.understudy("--rules", rules(l))
        ask(t, l, "members-reordered", repeat=5)
        desk = desk_of(us)
        starve(desk)
        ask(t, l, "br-of-two-levels", "gzip-or-not", "same", repeat=5)
        l.settle(prod, sut)
        t.equal(us.finish(SLOW), 2, "exit code; " + us.text()[-300:])
        played(t, us, l, 20)
        r = us.report()
        t.equal([r["verdicts"][v] for v in ("identical", "different")], [5, 0],
                "verdicts: %s" % r["verdicts"])
        t.equal(r["verdicts"]["equivalent"] + r["not_compared"]["desk"], 15,
                "judged or not: %s" % r["not_compared"])
        t.check(r["not_compared"]["desk"] > 0, "it was not starved")
        t.check("the desk has died" in us.text(), "it is not said")
        lab.isolated(t, l)


def frozen(t):
    """It is waited for, and not for ever; it ends with the run."""
    with lab.Lab() as l:
        prod, sut = server(l, "prod"), server(l, "sut")
        us = l.understudy("--rules", rules(l))
        desk = desk_of(us)
        os.kill(desk, signal.SIGSTOP)
        ask(t, l, "members-reordered", "same", repeat=5)
        l.settle(prod, sut)
        t.equal(us.finish(SLOW), 2, "exit code")
        played(t, us, l, 10)
        t.equal(us.report()["not_compared"]["desk"], 5, "not judged")
        end = time.monotonic() + SLOW
        while os.path.exists("/proc/%d" % desk) and time.monotonic() < end:
            time.sleep(0.05)
        t.check(not os.path.exists("/proc/%d" % desk), "it outlives the run")


def behind(t):
    """A desk without room refuses; a rerun refuses the same."""
    count = 60
    with lab.Lab() as l:
        prod, sut = server(l, "prod"), server(l, "sut")
        journal = l.path("run.pcapng")
        us = l.understudy("--rules", rules(l), "-w", journal)
        desk = desk_of(us)
        os.kill(desk, signal.SIGSTOP)
        ask(t, l, "long", repeat=count)
        l.settle(prod, sut, seconds=SLOW)
        os.kill(desk, signal.SIGCONT)
        t.equal(us.finish(SLOW), 0, "exit code; " + us.text()[-300:])
        played(t, us, l, count)
        r = us.report()
        t.check(0 < r["not_compared"]["overload"] < count,
                "refused: %s" % r["not_compared"])
        t.equal(r["rules"]["endpoints"][0]["overload"],
                r["not_compared"]["overload"], "refused by endpoint")
        t.equal(r["verdicts"]["equivalent"] + r["not_compared"]["overload"],
                count, "equivalent or refused")
        same_reports(t, us, l, journal)
        code, lines, _ = rerun(l, journal, "--rules", "@http")
        t.equal(code, 0, "exit code with other rules")
        t.check('"overload": 0' in "".join(lines),
                "other rules are refused what is here")


def mistakes(t):
    """One line with the place and the remedy, exit code 2, no file."""
    bad = [("understudy rules 1\nheader forget X\n", ":2:8: "),
           ("header ignore X\n", ":1:1: "),
           ("understudy rules 1\njson number $.a within x\n", ":2:"),
           ("understudy rules 1\nheader ignore A\nheader set A\n", "(line 2)")]
    with lab.Lab() as l:
        words = [(rules(l, text), want) for text, want in bad]
        words += [("@nope", "there are @http"), ("/nonexistent/x", "No such file"),
                  (l.path("."), "cannot be read")]
        for word, want in words:
            l.files += 1
            new = l.path("new%d" % l.files)
            p = subprocess.run([lab.BINARY, "shadow", "-i", "lo", "--sut-dev",
                                "none", "--map", "10.0.0.1:80=10.0.0.2:80",
                                "--json", new, "--rules", word],
                               capture_output=True, text=True, timeout=SLOW)
            t.equal(p.returncode, 2, "exit code: " + p.stderr)
            t.check(want in p.stderr and p.stderr.count("\n") == 1 and
                    "; " in p.stderr or "read" in want, p.stderr)
            t.check(not os.path.exists(new), "a file was made")


lab.main([
    ("what is planted is found", planted),
    ("without rules", nothing_without),
    ("secrets are tags", redacted),
    ("copies of nginx", copies),
    ("older and newer objects", versions),
    ("a killed desk", killed),
    ("a frozen desk", frozen),
    ("a desk without memory", starved),
    ("a desk that is behind", behind),
    ("mistakes", mistakes),
])
