# SPDX-License-Identifier: BSD-2-Clause
"""The lab can be believed: its joins, faults and losses are what they say."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "a few requests"

PROD = """\
1 1 a 200 100 0.000 OK
1 2 b 200 100 0.000 OK
2 1 c 200 100 0.000 OK
2 2 d 200 100 0.000
1 3 e 200 100 0.000 OK
"""
JOINS = [  # name, the SUT's log, (reached, missing, duplicates, disorder, cut)
    ("same", PROD, (5, [], 0, 0, 0)),
    ("nothing", "", (0, ["a", "b", "c", "d", "e"], 0, 0, 0)),
    ("one missing", PROD.replace("2 1 c", "2 1 -"), (4, ["c"], 0, 0, 0)),
    ("twice", PROD + "3 1 e 200 100 0.000 OK\n", (5, [], 1, 0, 0)),
    ("two connections in one", PROD.replace("2 1 c", "1 4 c"),
     (5, [], 0, 1, 0)),
    ("wrong order", PROD.replace("1 1 a", "1 9 a"), (5, [], 0, 1, 0)),
    ("shorter", PROD.replace("b 200 100", "b 200 99"), (5, [], 0, 0, 1)),
    ("not whole", PROD.replace("e 200 100 0.000 OK", "e 200 100 0.000"),
     (5, [], 0, 0, 1)),
    ("last line torn", PROD[:-1], (4, ["e"], 0, 0, 0)),
]


def joins(t):
    with lab.Lab() as l:
        prod, sut = l.path("p"), l.path("s")
        for name, text, want in JOINS:
            for path, data in ((prod, PROD), (sut, text)):
                with open(path, "w") as f:
                    f.write(data)
            t.equal(tuple(lab.reach(prod, sut)), (5,) + want, name)
        with open(sut, "w") as f:
            f.write(PROD.replace("e 200 100 0.000 OK", "e 499 0 0.000"))
        t.equal([lab.reach(prod, sut, tail).cut for tail in (0, 1)], [1, 0],
                "the last of a connection")


def faults(t):
    """labsrv with -f does what the request plants, without it nothing."""
    path = "/x?id=q&size=1000&fault="
    want = {"status": "500 1000", "header": "200 1000", "byte": "200 1000",
            "cut": "error closed after 500 of 1000",
            "missing": "error closed without an answer"}
    for args, planted in (((), False), (("-f",), True)):
        with lab.Lab() as l:
            l.labsrv("prod", *args)
            for fault, said in want.items():
                code, out = l.client("each", path + fault)
                t.equal(out.strip(), said if planted else "200 1000", fault)
            code, out = l.client("each", path + "reset")
            t.equal("reset" in out, planted, "reset: " + out)
            code, out = l.client("pipe", "/x?size=7&fault=swap", "/x?size=9")
            t.equal(out.split()[1::2], ["9", "7"] if planted else ["7", "9"],
                    "swap")
            bodies = [l.run("client", ["curl", "-si", l.url() + path + f])[1]
                      for f in ("byte", "header", "none")]
            t.equal(bodies[0][-1] != bodies[2][-1], planted, "last byte")
            t.equal(bodies[0][:-1], bodies[2][:-1], "other bytes")
            t.equal("X-Lab: other" in bodies[1], planted, "header")


def losses(t):
    """The lossy mirror loses its share, and its counts are the wire's."""
    with lab.Lab(loss=120) as l:
        prod = l.nginx("prod")
        l.wrk(seconds=1)
        got = l.mirror_truth()
        total = got["passed"] + got["dropped"]
        t.check(0.10 < got["dropped"] / total < 0.14, "share %s" % got)
        seen = int(l.ip("us", "-j", "-s", "link", "show", "mon0").split(
            '"rx":{')[1].split('"packets":')[1].split(",")[0])
        t.equal(got["passed"], seen, "frames on mon0")
        l.settle(prod)
        asked = len(lab.read_log(prod.log))
        seq = got["seq_passed"] + got["seq_dropped"]
        # A request and an answer each, and an opening and an end a connection.
        t.check(2 * asked <= seq <= 2 * asked + 16 * 8,
                "%d requests, %d sequenced segments" % (asked, seq))


def stays(t):
    """Nothing is left of a lab: no namespace, no file, no process."""
    with lab.Lab() as l:
        l.nginx("prod")
        where, names = l.dir, [l.ns(r) for r in lab.ROOMS]
        pids = [p.pid for p in l.children]
    left = lab.sh("ip", "netns", "list")
    t.check(not any(n in left for n in names), "namespaces: " + left)
    t.check(not os.path.exists(where), "files in " + where)
    t.check(not any(os.path.exists("/proc/%d" % p) for p in pids), "processes")


lab.main([
    ("joins", joins),
    ("planted faults", faults),
    ("losses", losses),
    ("nothing stays", stays),
], binary=False)
