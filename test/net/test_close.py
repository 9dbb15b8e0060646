# SPDX-License-Identifier: BSD-2-Clause
"""A SUT that closes connections which production keeps: what was not about a
request costs nothing, what was is told once."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

# One connection, one request after the other.
ASK = """
import http.client, sys, time
c = http.client.HTTPConnection(sys.argv[1])
for word in sys.argv[3:]:
    method, path = word.split(":")
    c.request(method, path, body="y" * 20480 if method == "POST" else None)
    c.getresponse().read()
    time.sleep(float(sys.argv[2]))
"""

# Reads a request whole, writes it down and answers; one whose path has argv[2] it
# does not answer, but closes ("fin") or resets ("rst") the connection.
SERVER = """
import os, socket, struct, sys, threading
log = os.open(sys.argv[4], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def serve(c):
    f = c.makefile("rb")
    while True:
        line = f.readline().decode()
        if not line:
            break
        n = 0
        for field in iter(f.readline, b"\\r\\n"):
            if field.lower().startswith(b"content-length:"):
                n = int(field.split(b":")[1])
        f.read(n)
        os.write(log, line.encode())
        if sys.argv[2] in line:
            if sys.argv[3] == "rst":
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
            break
        c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello")
    f.close()
    c.close()
s = socket.create_server((sys.argv[1], 80), backlog=100)
while True:
    c, _ = s.accept()
    threading.Thread(target=serve, args=(c,), daemon=True).start()
"""


def server(l, room, word="nothing", how="fin"):
    p = l.spawn(room, [sys.executable, "-c", SERVER, l.addr[room], word, how,
                       l.path("server-" + room)])
    p.log = l.path("server-" + room)
    l.listening(room, p)
    return p


def reached(t, prod, sut):
    """Lengths are not looked at: keep-alive and close differ in theirs."""
    got = lab.reach(prod.log, sut.log)
    t.check(got.asked > 2, "too few requests: %d" % got.asked)
    t.equal((got.missing, got.duplicates), ([], 0), "missing, duplicates")


def same(t, us, code=0):
    t.equal(us.finish(), code, "exit code")
    r = us.report()
    t.equal(r["verdicts"]["different"], 0, "different: %s" % r["different"])
    t.equal(r["verdicts"]["not_compared"], 0, "not compared: %s" % {
        k: v for k, v in r["not_compared"].items() if v})
    t.equal(r["sums"]["closed"], True, "sums closed")
    return r


def fewer_requests(t):
    """nginx says Connection: close with the 7th answer, and closes."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut", "keepalive_requests 7;")
        us = l.understudy()
        l.client("keep", *("/b100?id=k-%d" % i for i in range(40)))
        l.client("pipe", *("/b100?id=p-%d" % i for i in range(20)))
        l.settle(prod, sut)
        r = same(t, us)
        t.check(r["machine"]["resumed_by_close"] >= 7, "resumed: %d" %
                r["machine"]["resumed_by_close"])
        reached(t, prod, sut)
        lab.isolated(t, l)


def shorter_idle(t):
    """nginx closes after a second without a request, and says nothing."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut", "keepalive_timeout 1s;")
        us = l.understudy()
        l.python("client", ASK, l.addr["prod"], 1.5,
                 *("GET:/b100?id=i-%d" % i for i in range(4)))
        l.settle(prod, sut)
        r = same(t, us)
        t.equal(r["machine"]["resumed_by_close"], 3, "resumed")
        reached(t, prod, sut)
        lab.isolated(t, l)


def about_it(t, how):
    """The SUT dies of a request that it has read: that is told, once for each,
    it is not asked again, and the others are played and compared."""
    with lab.Lab() as l:
        server(l, "prod")
        sut = server(l, "sut", "kill", how)
        us = l.understudy()
        words = ["GET:/a", "POST:/kill", "GET:/b", "POST:/c", "GET:/kill",
                 "GET:/d"]
        code, out = l.python("client", ASK, l.addr["prod"], 0.2, *words)
        t.equal(code, 0, "client: " + out)
        t.equal(us.finish(), 1, "exit code")
        r = us.report()
        t.equal(r["verdicts"]["different"], 2, "different")
        t.equal(r["verdicts"]["identical"], 4, "identical")
        with open(sut.log) as f:
            got = [":".join(line.split()[:2]) for line in f]
        t.equal(got, words, "what the SUT read")
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


lab.main([
    ("fewer requests a connection", fewer_requests),
    ("a shorter idle limit", shorter_idle),
    ("a close that is about the request", lambda t: about_it(t, "fin")),
    ("a reset that is about the request", lambda t: about_it(t, "rst")),
])
