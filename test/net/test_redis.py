# SPDX-License-Identifier: BSD-2-Clause
"""Two redis of one version: with @redis no answer differs; what is planted does.

ANSWERS: about so many (3,000).
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import again  # noqa: E402
import lab  # noqa: E402

IDLE = "a few thousand commands"

CLIENT = os.path.join(lab.HERE, "redis.py")
ANSWERS = int(os.environ.get("ANSWERS", "3000"))
SLOW = 60 + ANSWERS // 100  # seconds that anything may take on a busy machine


def redis(l, room):
    lab.need("redis-server")
    root = l.path("redis-" + room)
    os.makedirs(root)
    p = l.spawn(room, ["redis-server", "--bind", l.addr[room], "--port", "6379",
                       "--save", "", "--protected-mode", "no", "--dir", root,
                       "--logfile", root + "/log"], err=root + "/err")
    l.listening(room, p, 6379)
    return p


def tell(t, l, room, *words):
    """A command to a server in its own room: no packet of it is seen."""
    code, out = l.run(room, ["redis-cli", "-h", l.addr[room], *words])
    t.equal(code, 0, "redis-cli: " + out)
    return out.strip()


def ended(t, l):
    """Waits until no client is left at the SUT but who asks."""
    end = time.monotonic() + SLOW
    while len(tell(t, l, "sut", "client", "list").splitlines()) > 1:
        if not t.check(time.monotonic() < end, "clients are left at the SUT"):
            break
        time.sleep(0.1)


def alike(t, connections, count):
    with lab.Lab() as l:
        redis(l, "prod")
        redis(l, "sut")
        journal = l.path("run.pcapng")
        us = l.understudy("--rules", "@redis", "-w", journal, port=6379,
                          filt="tcp port 6379")
        code, out = l.run("client", [sys.executable, CLIENT, l.addr["prod"],
                                     str(connections), str(count)], timeout=SLOW)
        t.equal(code, 0, "client: " + out)
        ended(t, l)
        t.equal(us.finish(SLOW), 0, "exit code; " + us.text()[-600:])
        r = us.report()
        v = r["verdicts"]
        asked = int(out.split()[1])
        t.equal(v["different"], 0, "different: %s" % us.differences()[:3])
        t.check(sum(v.values()) >= asked, "verdicts %s of %d" % (v, asked))
        t.check(v["identical"] + v["equivalent"] >= 0.995 * sum(v.values()),
                "compared: %s %s" % (v, r["not_compared"]))
        t.check(v["equivalent"] >= asked // 20 and
                r["rules"]["equivalent"]["reply"] >= asked // 40,
                "equivalent: %s" % r["rules"]["equivalent"])
        t.equal(r["sums"]["closed"], True, "sums: %s" % r["sums"])
        again.same(t, lab.BINARY, us.jsonl, journal)
        lab.isolated(t, l)


PLANTS = """
import sys
sys.path.insert(0, sys.argv[2])
import redis
c = redis.Connection(sys.argv[1])
c.ask(("GET", "same"), ("GET", "value"), ("SMEMBERS", "set"), ("TTL", "dies"),
      ("GET", "kind"), ("HGETALL", "hash"), ("LRANGE", "list", 0, -1), ("TIME",))
c.ask(("AUTH", "hunter2"), ("GET", "none"), ("SET", "same", "hunter3"))
c.ask(("MULTI",), ("GET", "value"), ("EXEC",))
c.sock.close()
"""


def planted(t):
    """One of each sort: it is found, by its command, and no secret is shown."""
    with lab.Lab() as l:
        for room, other in (("prod", ""), ("sut", "2")):
            redis(l, room)
            for words in (("set", "same", "x"), ("set", "value", "x" + other),
                          ("sadd", "set", "a", "b" + other),
                          ("set", "dies", "x", "ex", (other or "1") + "000"),
                          ("hset", "hash", "a", "1", "b", "1" + other),
                          ("set" if other else "sadd", "kind", "x"),
                          ("rpush", "list", *(("b", "a") if other else
                                              ("a", "b")))):
                tell(t, l, room, *words)
        us = l.understudy("--rules", "@redis", port=6379, filt="tcp port 6379")
        code, out = l.python("client", PLANTS, l.addr["prod"], lab.HERE)
        t.equal(code, 0, "client: " + out)
        ended(t, l)
        t.equal(us.finish(SLOW), 1, "exit code; " + us.text()[-600:])
        told = [(d["request"], d["reason"]) for d in us.differences()]
        t.equal(told, [("GET value", "bytes"), ("SMEMBERS set", "bytes"),
                       ("TTL dies", "bytes"),
                       ("GET kind", "status"), ("HGETALL hash", "bytes"),
                       ("LRANGE list", "bytes"), ("EXEC", "bytes")],
                "told as different")
        details = [d["detail"] for d in us.differences()]
        t.check("an error / a string" in details[3], "details: %s" % details)
        r = us.report()
        t.equal(r["verdicts"]["not_compared"], 0, "not compared")
        t.check({"GET", "HGETALL"} <= {e["request"] for e in r["endpoints"]},
                "endpoints are commands: %s" % r["endpoints"])
        with open(us.jsonl) as f:
            t.check("hunter" not in f.read() + us.text(), "a secret is shown")


lab.main([
    ("redis against redis", alike, 6, ANSWERS // 6),
    ("planted differences are found", planted),
])
