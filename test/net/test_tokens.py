# SPDX-License-Identifier: BSD-2-Clause
"""Tokens in content: a service that gives its clients some, against one with bugs.

What hangs on a token that the SUT has drawn otherwise is told apart, on whatever
connection and in whatever form it is sent back; the bugs are told all the same, and
a rerun comes to the same.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import again  # noqa: E402
import lab  # noqa: E402
import tokens  # noqa: E402

IDLE = "a few requests"

SERVER = os.path.abspath(tokens.__file__)
TIMES = 5
SLOW = 60  # seconds that anything may take on a busy machine
RULES = """understudy rules 1
on POST /login
  json class $.access_token token
  json class $.order token
"""


def server(l, room):
    p = l.spawn(room, [sys.executable, SERVER, "serve", l.addr[room], room],
                err=l.path("tokens-" + room))
    l.listening(room, p, seconds=SLOW)


def apart(t):
    with lab.Lab() as l:
        server(l, "prod")
        server(l, "sut")
        rules, journal = l.path("rules"), l.path("run.pcapng")
        with open(rules, "w") as f:
            f.write(RULES)
        us = l.understudy("--rules", "@http", "--rules", rules, "-w", journal)
        code, out = l.run("client", [sys.executable, SERVER, "ask", l.addr["prod"],
                                     str(TIMES)], timeout=SLOW)
        t.equal((code, out.split()), (0, ["200"] * 7 * TIMES), "production's answers")
        t.equal(us.finish(SLOW), 1, "exit code; " + us.text()[-500:])
        r = us.report()
        told = sorted(d["request"].split()[1] for d in us.differences())
        t.equal(told, ["/crash"] * TIMES + ["/price"] * TIMES, "told as different")
        t.equal(r["not_compared"]["diverged"], 3 * TIMES, "told apart: %s" %
                r["not_compared"])
        t.equal(r["verdicts"], {"identical": 0, "equivalent": 2 * TIMES,
                                "different": 2 * TIMES, "not_compared": 3 * TIMES},
                "verdicts")
        t.equal(r["rules"]["sessions"]["tokens"], 3 * TIMES, "tokens: %s" %
                r["rules"]["sessions"])
        t.equal(r["sums"]["closed"], True, "sums: %s" % r["sums"])
        again.same(t, lab.BINARY, us.jsonl, journal)


lab.main([
    ("what hangs on a token", apart),
])
