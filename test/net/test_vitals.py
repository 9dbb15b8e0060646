# SPDX-License-Identifier: BSD-2-Clause
"""--vitals: lines of understudy vitals from the SUT's room, beside its traffic; bad
lines; --max-leak. A server that leaks by order is told from nginx, which does not.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402
import schema  # noqa: E402

# A server of HTTP/1.1 that keeps BYTES of each request.
LEAKY = """
import socketserver, sys
keep, size = [], int(sys.argv[2])
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            if line == b"\\r\\n":
                keep.append(b"x" * size)
                self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 128
Server((sys.argv[1], 80), Handler).serve_forever()
"""


def lines_of(path, kind):
    with open(path) as f:
        return [l for l in map(json.loads, f) if l["type"] == kind]


def server(l, room, size):
    p = l.spawn(room, [sys.executable, "-c", LEAKY, l.addr[room], str(size)])
    l.listening(room, p)
    return p.pid


def played(t, l, pid, path, limit):
    """A run beside which the SUT's process is looked at, until there are enough looks
    and requests. Return: (exit code, what --vitals came to, its gate)"""
    us = l.understudy("--vitals", path, "--max-leak", limit)
    with open(path, "ab", buffering=0) as to:
        to.write(b"no line of ours\n")
        watch = subprocess.Popen([lab.BINARY, "vitals", "--pid", str(pid), "--every",
                                  "50ms"], stdout=to, stderr=subprocess.DEVNULL)
        try:
            end, done = time.monotonic() + 60, 0
            begun = time.monotonic()
            while time.monotonic() < end and (done < 2000 or
                                              time.monotonic() - begun < 4):
                l.client("keep", *("/b100?id=v-%d-%d" % (done, k) for k in range(100)))
                done += 100
        finally:
            watch.terminate()
            watch.wait(10)
    code = us.finish()
    text = us.text()
    t.check("\nvitals " in text and "gate        --max-leak " + limit in text, text)
    t.equal(schema.faults(lines_of(us.jsonl, "sut_vitals") +
                          lines_of(us.jsonl, "gate")), [], "against the schema")
    found, = lines_of(us.jsonl, "sut_vitals")
    t.equal(found["bad_lines"], 1, str(found))
    t.check(found["looks"] >= 29 and found["requests"] >= 1000 and found["rss"] > 1e6,
            str(found))
    return code, found, next(g for g in lines_of(us.jsonl, "gate")
                             if g["gate"].startswith("--max-leak"))


def leaks(t):
    with lab.Lab() as l:
        server(l, "prod", 0)
        pid, path = server(l, "sut", 20000), l.path("told")
        with open(path, "w") as f:
            f.write("of another run\n")
        code, found, gate = played(t, l, pid, path, "1000")
        t.equal((code, gate["state"], found["memory"]["says"]), (1, "failed", "leak"),
                str((found, gate)))
        t.check(5e9 < found["memory"]["per_million"] < 80e9, str(found))


def steady(t):
    with lab.Lab() as l:
        l.nginx("prod")
        pid, path = l.nginx("sut").pid, l.path("fifo")
        os.mkfifo(path)
        code, found, gate = played(t, l, pid, path, "4096")
        t.equal((code, gate["state"], found["memory"]["says"], found["restarts"]),
                (0, "passed", "steady", 0), str((found, gate)))


def refused(t):
    with lab.Lab() as l:
        for words, wrong in ((("--vitals", l.path("none")), "No such file"),
                             (("--vitals", l.dir), "neither a file nor a FIFO"),
                             (("--max-leak", "100"), "add --vitals")):
            us = l.understudy(*words, ready=0.5)
            t.equal(us.wait(10), 2, "exit code: " + us.text())
            t.check(wrong in us.text(), us.text())


lab.main([
    ("a server that leaks", leaks),
    ("nginx does not", steady),
    ("what cannot be read", refused),
])
