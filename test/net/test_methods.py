# SPDX-License-Identifier: BSD-2-Clause
"""--methods: what is left out never reaches the SUT, all else does."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

# A letter a request, a word a connection; behind a "+" the client waits for no answer,
# and behind a "." its connection speaks HTTP/1.0 once.
CLIENT = """
import socket, sys
METHOD = {"G": b"GET", "P": b"POST", "D": b"DELETE", "H": b"HEAD", "F": b"FROB"}
def answers(s, letters):
    data = b""
    for l in letters:
        while b"\\r\\n\\r\\n" not in data:
            more = s.recv(65536)
            if not more:
                sys.exit("closed early")
            data += more
        head, data = data.split(b"\\r\\n\\r\\n", 1)
        size = [int(h.split(b":")[1]) for h in head.split(b"\\r\\n")
                if h.lower().startswith(b"content-length")]
        size = size[0] if size and l != "H" else 0
        while len(data) < size:
            data += s.recv(65536)
        data = data[size:]
def ask(letter, rid, version):
    size = 50000 if letter == "P" else 0
    return (b"%s /b100?id=%s HTTP/1.%d\\r\\nHost: lab\\r\\n" % (
                METHOD[letter], rid, version)
            + (b"Content-Length: %d\\r\\n" % size if size else b"")
            + b"\\r\\n" + b"x" * size)
n = 0
for words in sys.argv[2:]:
    s = socket.create_connection((sys.argv[1], 80))
    out, owed = b"", ""
    for i, m in enumerate(words):
        if m in "+.":
            continue
        out += ask(m, b"%s-%d" % (m.lower().encode(), n), 0 if "." in words else 1)
        owed += m
        n += 1
        if words[i + 1:i + 2] != "+":
            s.sendall(out)
            answers(s, owed)
            out, owed = b"", ""
    s.close()
print("asked", n)
"""
WORDS = ("GGPGG", "PGG", "GP", "P", "PPGPP", "GGGG", "GDGHG", "G+P+G", "P+G+P+G", "P+G",
         "G+P", "G.", "P.", "GPGPGPG", "D+D+G", "GFG")


def methods(t, family, args, left_out):
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = l.path("run.pcapng")
        us = l.understudy("-w", path, *args)
        total = sum(c.isalpha() for w in WORDS for c in w)
        for turn in range(3):
            code, out = l.python("client", CLIENT, l.addr["prod"], *WORDS)
            t.equal((code, out.strip()), (0, "asked %d" % total), "client")
        l.settle(prod, sut, uneven=1.0)
        t.equal(us.finish(), 0, "exit code: " + us.text()[-400:])
        asked = [r.id for r in lab.read_log(prod.log)]
        got = [r.id for r in lab.read_log(sut.log)]
        want = [i for i in asked if i[0] not in left_out]
        t.equal(len(asked), 3 * total, "asked")
        t.equal([i for i in got if i[0] in left_out], [], "left out, and came")
        r = us.report()
        why = r["not_compared"]
        t.equal(why.get("method", 0), len(asked) - len(want), "method")
        t.equal(sorted(got), sorted(want), "what is not left out came, once")
        t.equal((r["verdicts"]["different"], r["verdicts"]["not_compared"]),
                (0, len(asked) - len(got)), "different, not compared %s" % why)
        t.equal(r["machine"]["flows_resumed"] > 0, bool(left_out),
                "taken up again")
        t.check(("POST and DELETE" in us.text()) == (not args),
                "the first lines: " + us.text()[:300])
        code, out = l.run("us", [lab.BINARY, "rerun", path])
        t.equal(code, 0, "rerun: " + out[-400:])
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


lab.main([
    ("all, by default", methods, 4, (), ""),
    ("safe", methods, 4, ("--methods", "safe"), "pdf"),
    ("safe, IPv6", methods, 6, ("--methods", "safe"), "pdf"),
    ("POST alone", methods, 4, ("--methods", "POST,PUT"), "gdhf"),
])
