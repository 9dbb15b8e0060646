# SPDX-License-Identifier: BSD-2-Clause
"""What the SUT asks of others than its clients: refused, it fails at once; left
without an answer, it hangs. Nothing of it leaves its wire either way.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import again  # noqa: E402
import lab  # noqa: E402

ORIGIN = {4: "203.0.113.80", 6: "2001:db8:80::1"}
# Of a connect or a question: what came of it, and after how many ms.
ASK = """
import socket, sys, time
at = time.monotonic()
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET,
                  getattr(socket, "SOCK_" + sys.argv[2]))
s.settimeout(1)
try:
    s.connect((sys.argv[1], int(sys.argv[3])))
    if sys.argv[2] == "DGRAM":
        s.send(b"who is?")
        s.recv(100)
    print("answered")
except Exception as e:
    print(type(e).__name__, end=" ")
print(int((time.monotonic() - at) * 1000))
"""


def ask(l, kind, port):
    """(what, ms)"""
    code, out = l.python("sut", ASK, ORIGIN[l.family], kind, port)
    return out.split()[0], int(out.split()[1])


def proxy(family):
    at = ORIGIN[family]
    return "location /origin { proxy_pass http://%s:80; }" % (
        "[%s]" % at if family == 6 else at)


def named(r):
    return {(x["dst"], x["kind"]) for x in r["absorbed"]["top"]}


def refused(t, family):
    """The SUT's origin is outside, as production's is: both answer 502."""
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut", proxy(family))
        journal = l.path("run.pcapng")
        us = l.understudy("-w", journal)
        for kind, port in (("STREAM", 443), ("DGRAM", 53)):
            what, ms = ask(l, kind, port)
            t.equal(what, "ConnectionRefusedError", kind)
            t.check(ms < 500, "%s: %d ms" % (kind, ms))
        l.client("keep", "/origin?id=q-0", "/b100?id=q-1")
        l.settle(prod, sut)
        t.equal(us.finish(), 1, "exit code: production has no such place")
        t.equal([x["status"] for x in us.differences()], [[404, 502]],
                "the SUT's answer")
        r = us.report()
        t.equal(r["requests"]["answered"], 2, "answered")
        t.check(r["latency"]["sut_p99_us"] < 500000, "it hung: %s" %
                r["latency"])
        t.equal((r["frames"]["refused_tcp"], r["frames"]["refused_udp"]),
                (2, 1), "refused")
        t.equal(r["absorbed"]["refused"], 3, "absorbed.refused")
        form = "[%s]:%d" if family == 6 else "%s:%d"
        for port, kind in ((443, "tcp"), (80, "tcp"), (53, "udp")):
            t.check((form % (ORIGIN[family], port), kind) in named(r),
                    "not named: %d %s: %s" % (port, kind, named(r)))
        t.equal(r["emit"]["refused"], 0, "the sink refused")
        with open(journal, "rb") as f:
            code, _, said = again.rerun(lab.BINARY, f.read())
        t.equal(code, 0, "rerun: " + said)
        lab.isolated(t, l)


def silent(t):
    """The counter-test: the SUT waits for what never comes."""
    with lab.Lab() as l:
        l.nginx("prod"), l.nginx("sut", proxy(4))
        us = l.understudy("--outside", "silent")
        for kind, port in (("STREAM", 443), ("DGRAM", 53)):
            t.equal(ask(l, kind, port)[0], "TimeoutError", kind)
        l.client("keep", "/origin?id=q-0")
        time.sleep(0.5)
        us.finish()
        r = us.report()
        t.equal(r["requests"]["answered"], 0, "answered")
        t.equal(r["absorbed"]["refused"], 0, "refused")
        t.check(("203.0.113.80:443", "tcp") in named(r),
                "not named: %s" % named(r))
        lab.isolated(t, l)


def every_port(t):
    """--map without a port: what the SUT asks is told from what it answers."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        l.map = lambda port: "%s=%s" % (l.addr["prod"], l.addr["sut"])
        us = l.understudy()
        for kind, port in (("STREAM", 443), ("DGRAM", 53)):
            t.equal(ask(l, kind, port)[0], "ConnectionRefusedError", kind)
        l.client("keep", "/b100?id=q-0")
        l.settle(prod, sut)
        us.finish()
        r = us.report()
        t.equal(r["absorbed"]["refused"], 2, "refused")
        t.equal(len(named(r) & {("203.0.113.80:443", "tcp"),
                                ("203.0.113.80:53", "udp")}), 2, "named")
        lab.isolated(t, l)


lab.main([
    ("refused", refused, 4),
    ("refused, IPv6", refused, 6),
    ("silent", silent),
    ("every port is mapped", every_port),
])
