# SPDX-License-Identifier: BSD-2-Clause
"""--perf, --max-slower and --hdr: a SUT that is slower is told, and decides about the
exit code; one that is the same passes a gate that has room for the lab's noise.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

SECONDS = 36  # intervals want 30 blocks of a second


def rows(us, kind):
    with open(us.jsonl) as f:
        return [r for r in map(json.loads, f) if r["type"] == kind]


def judged(t, delay_ms, gates, code, states, *more):
    with lab.Lab() as l:
        prod = l.labsrv("prod")
        sut = l.labsrv("sut", *(["-d", str(delay_ms)] if delay_ms else []))
        hdr = l.path("us.hdr")
        if more:
            os.chmod(os.path.dirname(hdr), 0o777)
        us = l.understudy("--hdr", hdr, *gates, *more)
        l.client("paced", 4, 20, SECONDS, timeout=SECONDS + 60)
        l.settle(prod, sut)
        t.equal(us.finish(40), code, "exit code: " + us.text()[-900:])
        times = {r["metric"]: r for r in rows(us, "times")}
        t.check(set(times) >= {"service_first", "service_last",
                               "response_first", "response_last"}, str(times))
        last = times["service_last"]
        n = us.report()["verdicts"]["identical"]
        t.check(n >= 4 * 20 * (SECONDS - 2), "compared: %d" % n)
        t.check(n * 9 // 10 <= last["answers"][1] <= n, str(last))
        t.check(last["yardstick"] == "production" and last["blocks"] >= 30,
                str(last))
        t.check(last["error_ns"] > 0, "own error")
        if delay_ms:
            q = last["quantiles"][0]
            t.equal(q["says"], "slower", str(q))
            t.check(q["low"] <= q["by"] <= q["high"] and
                    delay_ms * 0.9e6 <= q["by"], str(q))
        t.equal([g["state"] for g in rows(us, "gate")], states, "gates")
        with open(hdr) as f:
            tags = {s.split(",")[0] for s in f if s.startswith("Tag=")}
        t.check("Tag=all.sut.service_last" in tags and
                "Tag=all.production.service_last" in tags, str(tags))


lab.main([
    ("slower by 20 ms", judged, 20, ("--max-slower", "p50:100%"), 1, ["failed"]),
    ("undecided: too few for p99.9, as another user", judged, 0,
     ("--max-slower", "p99.9:50%"), 2, ["undecided"], "--user", "daemon"),
])
