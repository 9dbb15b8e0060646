# SPDX-License-Identifier: BSD-2-Clause
"""Evidence: packets of a run's first differences, made of its journal, as tshark reads
them; and secrets that clients send, which no output has, decoded or not.
"""
import glob
import os
import sqlite3
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

SECRETS = {"query": b"qU3ryS3cr3t", "bearer": b"b3ar3rT0k3n", "cookie": b"c00ki3Valu3",
           "json": b"js0nPassw0rd", "split": b"spl1tT0k3nXy", "card":
           b"4111111111111111", "zip": b"z1pp3dPassw0rd"}

CLIENT = """
import socket, sys, time, gzip
s = socket.create_connection((sys.argv[1], 80))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
f = s.makefile("rb")
def ask(head, body, cut):
    text = head + b"\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body
    at = text.index(cut) + len(cut) // 2
    s.sendall(text[:at]); time.sleep(0.2); s.sendall(text[at:])
    n = 0
    while (line := f.readline()) not in (b"\\r\\n", b""):
        if line.lower().startswith(b"content-length:"):
            n = int(line.split(b":")[1])
    f.read(n)
head = (b"POST /ok?id=e-%d&size=9&password=qU3ryS3cr3t HTTP/1.1\\r\\nHost: shop\\r\\n"
        b"Authorization: Bearer b3ar3rT0k3n\\r\\nCookie: sid=c00ki3Valu3; a=b\\r\\n"
        b"X-Api-Key: spl1tT0k3nXy\\r\\nContent-Type: application/json")
body = b'{"user":"bob","password":"js0nPassw0rd","card":"4111111111111111"}'
ask(head % 0, body, b"spl1tT0k3nXy")
ask(head.replace(b"/ok?", b"/f?fault=status&") % 1, body, b"spl1tT0k3nXy")
ask(head.replace(b"/ok?", b"/f?fault=byte&") % 2, body, b"js0nPassw0rd")
ask(head.replace(b"/ok?", b"/g?fault=status&") % 3 + b"\\r\\nContent-Encoding: gzip",
    gzip.compress(body.replace(b"js0nPassw0rd", b"z1pp3dPassw0rd")), b"spl1tT0k3nXy")
s.close()
"""


def tshark(path, *words):
    r = subprocess.run(("tshark", "-n", "-r", path, "-o", "tcp.check_checksum:TRUE",
                        *words), capture_output=True, text=True, timeout=60)
    if r.returncode != 0:
        raise lab.LabError("tshark: " + r.stderr)
    return r.stdout


def found(data):
    """Secrets that are in these bytes, or in what of them can be inflated."""
    texts = [data]
    at = data.find(b"\x1f\x8b\x08")
    while at >= 0:
        try:
            texts.append(zlib.decompressobj(31).decompress(data[at:]))
        except zlib.error:
            pass
        at = data.find(b"\x1f\x8b\x08", at + 1)
    return {k for k, v in SECRETS.items() for x in texts
            if any(v[i:i + 6] in x for i in range(len(v) - 5))}


def samples(out, number):
    db = sqlite3.connect("file:%s/run.sqlite?mode=ro" % out, uri=True)
    try:
        return db.execute("SELECT side, shown, head, body FROM sample WHERE "
                          "difference=? ORDER BY rowid", (number,)).fetchall()
    finally:
        db.close()


def run(t, l, *more):
    prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
    out, journal = l.path("out"), l.path("run.pcapng")
    os.chmod(os.path.dirname(out), 0o777)
    us = l.understudy("--out", out, "-w", journal, *more)
    code, text = l.python("client", CLIENT, l.addr["prod"])
    t.equal(code, 0, text)
    l.settle(prod, sut)
    t.equal(us.finish(), 1, "exit code: " + us.text()[-600:])
    t.check("--out" not in us.text(), "it complains: " + us.text())
    with open(journal, "rb") as f:
        t.equal(found(f.read()), set(SECRETS), "the journal has them all")
    return out, sorted(glob.glob(out + "/d-*.pcapng"))


def evidence(t, *more):
    lab.need("tshark")
    with lab.Lab() as l:
        out, files = run(t, l, *more)
        t.equal([os.path.basename(f) for f in files],
                ["d-%06d.pcapng" % i for i in (1, 2, 3)], "files")
        for name in os.listdir(out):
            with open(os.path.join(out, name), "rb") as f:
                t.equal(found(f.read()), set(), "secrets in " + name)
        for i, path in enumerate(files):
            t.equal(os.stat(path).st_mode & 0o777, 0o600, "its mode")
            codes = tshark(path, "-Y", "http.response", "-T", "fields", "-e",
                           "ip.src", "-e", "http.response.code").split("\n")
            t.equal(sorted(filter(None, codes)),
                    ["10.0.0.10\t200",
                     "10.1.0.20\t" + ("200" if i == 1 else "500")],
                    "answers, dissected")
            requests = tshark(path, "-Y", "http.request", "-T", "fields", "-e",
                              "http.host").split()
            t.equal(requests, ["shop", "shop"], "requests, dissected")
            t.equal(tshark(path, "-Y", "tcp.analysis.retransmission || "
                           "tcp.analysis.out_of_order || tcp.checksum.status == 0"),
                    "", "what looks wrong")
            said = tshark(path, "-Y", "frame.comment", "-T", "fields", "-e", "ip.src",
                          "-e", "frame.comment").strip().split("\n")
            t.equal(sorted(x.split("\t")[0] for x in said),
                    ["10.0.0.10", "10.1.0.20"],
                    "frames with a comment")
            t.check(all("answer differs here: " + ("body" if i == 1 else "status") in x
                        for x in said), str(said))
            sample = samples(out, i + 1)
            t.equal([x[0] for x in sample], ["request", "production", "sut"], "sides")
            t.check(b"<secret:" in sample[0][2] and b"POST" in sample[0][2],
                    "the request's head")
            t.equal([x[1] for x in sample], ["decoded" if i == 2 else "plain", "plain",
                                             "plain"], "what is shown")
            t.check(b'"user":"bob","password":"<secret:' in sample[0][3], "its body")
            text = tshark(path, "-V")
            t.check("Bearer <secret:" in text, "a tag in the head")
            t.check(i == 2 or '"user":"bob"' in text or "bob" in text,
                    "the rest of a text is shown")
            t.check("secrets are tags" in subprocess.run(
                ("capinfos", path), capture_output=True, text=True).stdout,
                "it says so")


def raw(t):
    lab.need("tshark")
    with lab.Lab() as l:
        _, files = run(t, l, "--evidence", "raw")
        all_of_it = b"".join(open(f, "rb").read() for f in files)
        t.check({"bearer", "cookie", "zip"} <= found(all_of_it), "as they were")
        t.check(b"raw: nothing is redacted" in all_of_it, "it says so")


lab.main([
    ("evidence", evidence),
    ("as another user", evidence, "--user", "daemon"),
    ("raw", raw),
])
