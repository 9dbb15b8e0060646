# SPDX-License-Identifier: BSD-2-Clause
"""What lab/demo shows: load, planted differences, the report, the judgement."""
import collections
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "test", "lib"))
import lab  # noqa: E402
import tapped  # noqa: E402

PROD = """
    location = /price { return 200 "price: 100\\n"; }
    location = /old { return 200 "still here\\n"; }
    location = /page { return 200 "a page\\n"; }
"""
SUT = """
    location = /price { return 200 "price: 101\\n"; }
    location = /old { return 410 "still here\\n"; }
    location = /page { add_header X-Version 2; return 200 "a page\\n"; }
"""
PLANTED = {"/price": "one byte of the body", "/old": "the status",
           "/page": "a header more"}
NEXT = """
Try next:
  lab/demo --flat-out            as many requests as this machine can make
  lab/demo --tap                 without a mirror port: the proxy is one
  build/understudy shadow --help
  man -l man/understudy-shadow.1
  On a host with a mirror port on mon0 and the SUT alone on eth1, first
    build/understudy doctor -i mon0 --sut-dev eth1 --map PROD:80=SUT:80
  which goes the way of a packet and says what is missing, then
    build/understudy shadow -i mon0 --sut-dev eth1 --map PROD:80=SUT:80 \\
        --duration 60s --json out.jsonl 'tcp port 80'"""
ASKED = 5  # each planted URL, by curl
TAP = os.environ.get("DEMO_TAP")
TO = "proxy" if TAP else "prod"  # where the clients go


def drive(l):
    """A few seconds of keepalive and of short connections, and curl."""
    rest = 0 if os.environ.get("DEMO_FLAT_OUT") else 1
    loads = [l.wrk(seconds=4, conns=16, run="keep", wait=False, delay=5 * rest,
                   to=TO),
             l.wrk(seconds=4, conns=4, url="/b10k", run="short", close=True,
                   wait=False, delay=10 * rest, to=TO)]
    for i in range(ASKED):
        for path in PLANTED:
            code, _ = l.run("client", ["curl", "-sS", "-o", "/dev/null",
                                       l.url(TO) + "%s?id=curl%s-%d" % (
                                           path, path[1:], i)])
            if code:
                raise lab.LabError("curl %s failed" % path)
    l.run("client", ["curl", "-sS", "-o", "/dev/null",
                     l.url(TO) + "/b1m?id=curl-big"])
    return [l.wrk_rate(p) for p in loads]


def judge(us, got):
    """The list of what is not as it should be."""
    bad = []
    told = collections.Counter(
        (re.match(r"\w+ (/\w*)", d.get("request") or "") or ["", "?"])[1]
        for d in us.differences())
    report = us.report()
    if not report:
        return ["no report"]
    for path, what in PLANTED.items():
        n = told.pop(path, 0)
        print("  %-8s %-22s planted %d times, found %d times" % (
            path, what, ASKED, n))
        if n != ASKED:
            bad.append("%s found %d times, not %d" % (path, n, ASKED))
    if told:
        bad.append("found what was not planted: %s" % dict(told))
    v = report["verdicts"]
    total = sum(v.values())
    share = 1 - v["not_compared"] / max(total, 1)
    print("  compared %d of %d answers: %.3f %%" % (
        total - v["not_compared"], total, 100 * share))
    if share < 0.999:
        bad.append("less than 99.9 %% compared: %s" % report["not_compared"])
    if v["different"] != ASKED * len(PLANTED):
        bad.append("%d different in the report" % v["different"])
    print("  access logs: production %d requests, SUT %d of them" % (
        got.asked, got.reached))
    return bad


def main():
    why = lab.why_not() or lab.not_built()
    if why:
        print("demo: " + why, file=sys.stderr)
        return 2
    with tapped.Tapped() if TAP else lab.Lab() as l:
        prod, sut = l.nginx("prod", PROD), l.nginx("sut", SUT)
        print("demo: production and SUT are up; the differences are planted")
        if TAP:
            proxy = l.proxy("--forward", "%s=%s" % (l.at("proxy", 80),
                                                    l.at("prod", 80)),
                            "--tap", tapped.TAP)
            print("demo: the proxy at %s shows its connections at %s" % (
                l.at("proxy", 80), tapped.TAP))
        us = l.understudy()
        if not us.alive():
            print("demo: understudy did not start: " + us.text(),
                  file=sys.stderr)
            return 2
        rates = drive(l)
        print("demo: drove %.0f requests/s by keepalive, %.0f/s by short "
              "connections" % tuple(rates))
        l.settle(prod, sut)
        code = us.finish()
        print("\n--- understudy says (exit %s) ---\n%s\n--- the demo's "
              "judgement ---" % (code, us.text().strip()))
        bad = judge(us, lab.reach(prod.log, sut.log))
        if TAP:
            r = proxy.end()
            print("  the proxy: %d connections, %d joined in the kernel; %d frames "
                  "shown, %d lost" % (r["accepted"], r["spliced"],
                                      r["tap"]["shown"], r["tap"]["lost"]))
            if r["tap"]["lost"]:
                bad.append("the tap lost %d frames" % r["tap"]["lost"])
        leaks, _ = l.leaks()
        print("  frames towards client, production or out of the mirror: %d" %
              sum(leaks.values()))
        if any(leaks.values()):
            bad.append("frames leaked: %s" % leaks)
        if code != 1:
            bad.append("exit code %s, expected 1 (different)" % code)
    for line in bad:
        print("demo: FAILED: " + line)
    if not bad:
        print("demo: exactly the planted differences were found\n" + NEXT)
    return 1 if bad else 0


try:
    sys.exit(main())
except KeyboardInterrupt:
    sys.exit(130)
except lab.LabError as e:
    print("demo: " + str(e), file=sys.stderr)
    sys.exit(2)
