# SPDX-License-Identifier: BSD-2-Clause
"""The command: signals, bad input, captures played to nobody."""
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "a few requests, and one second of load"


def signals(t):
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy()
        l.client("keep", *["/b100?id=q-%d" % i for i in range(30)])
        l.settle(prod, sut)
        us.signal(signal.SIGUSR1)
        time.sleep(0.5)
        t.check(us.alive(), "SIGUSR1 ended the run: " + us.text())
        first = us.report()
        t.equal(first.get("requests", {}).get("answered"), 30, "by SIGUSR1")
        l.client("keep", *["/b100?id=r-%d" % i for i in range(12)])
        l.settle(prod, sut)
        began = time.monotonic()
        t.equal(us.finish(), 0, "exit code by SIGINT")
        t.check(time.monotonic() - began < 3, "the end took 3 s")
        t.equal(us.report().get("requests"),
                {"seen": 42, "delivered": 42, "answered": 42}, "by SIGINT")
        t.equal(us.lines()[0].get("type"), "start", "first line")
        t.equal(us.lines()[0].get("schema"), 1, "schema")
        t.equal(us.lines()[-1].get("type"), "report", "last line")
        t.check("42" in us.text(), "no summary for a person: " + us.text())
        lab.isolated(t, l)


def duration(t):
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy("--duration", "2s")
        l.client("keep", "/b100?id=q-1", "/b100?id=q-2")
        t.equal(us.wait(6), 0, "exit code")
        t.equal(us.report().get("requests", {}).get("answered"), 2, "answered")


def load_goes_on(t):
    """The end of a run under load: what comes when the mirror is not read any
    more, a wait for the SUT's last answers long, was not missed."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy("--mirror-ring", "4M", "-c", "500")
        load = l.wrk(seconds=4, conns=2, url="/b10k", wait=False)
        t.equal(us.wait(10), 0, "exit code: " + us.text())
        l.wrk_rate(load)
        r = us.report()
        t.check(r["capture"]["frames"] >= 500, "frames: %s" % r["capture"])
        t.equal(r["capture"]["drops"], 0, "missed")
        t.equal(r["sums"]["closed"], True, "sums closed")
        lab.isolated(t, l)


BAD = [  # what is wrong, arguments instead of the good ones, words of the line
    ("no such mirror interface", {"-i": "nosuch0"}, ["nosuch0"]),
    ("no such SUT interface", {"--sut-dev": "nosuch1"}, ["nosuch1"]),
    ("no SUT interface", {"--sut-dev": None}, ["--sut-dev"]),
    ("no map", {"--map": None}, ["--map"]),
    ("a map that is none", {"--map": "10.0.0.10:80"}, ["10.0.0.10:80"]),
    ("a map of two families", {"--map": "10.0.0.10:80=[fd00::1]:80"},
     ["fd00::1"]),
    ("maps that play twice", {"+": ["--map", "10.0.0.0/24:80=10.1.0.20:80"]},
     ["10.0.0.0/24"]),
    ("a second SUT that answers no ARP",
     {"+": ["--map", "10.0.0.0/24:80=10.1.0.21:80"]}, ["10.1.0.21", "ARP"]),
    ("a bad filter", {"filter": "tcp prot 80"}, ["filter"]),
    ("a bad duration", {"--duration": "soon"}, ["soon"]),
    ("a bad level of comparison", {"--compare": "roughly"}, ["roughly"]),
    ("an unknown option", {"+": ["--nonesuch"]}, ["nonesuch"]),
    ("a SUT that answers no ARP", {"--map": "10.0.0.10:80=10.1.0.77:80"},
     ["10.1.0.77"]),
    ("an existing -w file", {"-w": "exists.pcapng"}, ["exists.pcapng"]),
    ("a directory that is missing", {"-w": "no/such/run.pcapng"}, ["no/such"]),
    ("an existing --json file", {"+": ["--json", "/dev/null"]}, ["/dev/null"]),
]


def bad_input(t):
    with lab.Lab() as l:
        l.nginx("prod"), l.nginx("sut")
        good = {"-i": "mon0", "--sut-dev": "eth1", "--map": l.map(),
                "filter": "tcp port 80"}
        with open(l.path("exists.pcapng"), "w") as f:
            f.write("precious")
        for name, change, words in BAD:
            args = dict(good, **change)
            more, filt = args.pop("+", []), args.pop("filter")
            if "-w" in args:
                args["-w"] = l.path(args["-w"])
            argv = [lab.BINARY, "shadow", "--json", l.path("bad.jsonl")]
            for k, v in args.items():
                argv += [k, v] if v is not None else []
            refuses(t, l, name, argv + more + [filt], words)
            if os.path.exists(l.path("bad.jsonl")):
                t.check(False, name + ": left its --json file")
                os.unlink(l.path("bad.jsonl"))
        refuses(t, l, "no rights", ["setpriv", "--reuid=65534", "--regid=65534",
                                    "--clear-groups", lab.BINARY, "shadow",
                                    "-i", "mon0", "--sut-dev", "eth1", "--map",
                                    l.map()], ["root"])
        t.equal(open(l.path("exists.pcapng")).read(), "precious",
                "the existing file")
        lab.isolated(t, l)


def refuses(t, l, name, argv, words):
    """One line on stderr with all `words`, nothing on stdout, exit 2."""
    out, err = l.path("bad.out"), l.path("bad.err")
    for f in (out, err):
        open(f, "w").close()
    p = l.spawn("us", argv, out=out, err=err)
    try:
        code = p.wait(15)
    except subprocess.TimeoutExpired:
        p.kill()
        code = "none in 15 s"
    lines = open(err).read().splitlines()
    t.check(code == 2 and len(lines) == 1 and not open(out).read() and
            all(w in lines[0] for w in words) and
            lines[0].startswith("understudy: "),
            "%s: exit %s, said %r, and on stdout %.60r" % (
                name, code, lines, open(out).read()))


def offline(t):
    """A capture goes through the whole way with nobody to send to."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        dump = l.dump("us", "mon0", "tcp port 80", snap=0)
        pcap = dump.path
        l.client("keep", *["/b10k?id=q-%d" % i for i in range(50)])
        l.client("each", *["/b100?id=r-%d" % i for i in range(30)])
        l.dumped(dump)
        whole = open(pcap, "rb").read()
        played(t, l, pcap, 0, 80)
        with open(l.path("cut.pcap"), "wb") as f:
            f.write(whole[:-7])
        for name, data in (("empty", b""), ("text", b"no capture\n" * 9)):
            with open(l.path(name), "wb") as f:
                f.write(data)
        base = [lab.BINARY, "shadow", "--sut-dev", "none", "--map", l.map()]
        for name, word in (("empty", "empty"), ("text", "text"),
                           ("nosuch", "nosuch")):
            refuses(t, l, "capture " + name, base + ["-r", l.path(name)],
                    [word])
        text = played(t, l, l.path("cut.pcap"), 0, 80)
        t.equal(len([x for x in text.splitlines() if "cut.pcap" in x]), 1,
                "lines on the cut: " + text)
        t.equal(len(lab.read_log(sut.log)), 0, "requests at the SUT")
        lab.isolated(t, l)


def played(t, l, pcap, code, requests):
    """What it said, of a capture that holds so many requests."""
    jsonl = pcap + ".jsonl"
    us = lab.Understudy(l, [lab.BINARY, "shadow", "-r", pcap, "--sut-dev",
                            "none", "--map", l.map(), "--json", jsonl], jsonl)
    t.equal(us.wait(10), code, "exit code: " + us.text())
    r = us.report()
    t.equal(r.get("requests", {}).get("seen"), requests, "requests seen")
    t.equal(r.get("sums", {}).get("closed"), True, "sums closed")
    t.check(1e4 < r.get("elapsed_us", 0) < 1e7, "elapsed: %s" %
            r.get("elapsed_us"))
    return us.text()


def journal(t):
    """-w: a file of its owner only, that tshark opens and rerun repeats."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = l.path("run.pcapng")
        us = l.understudy("-w", path)
        l.client("keep", *["/b10k?id=q-%d" % i for i in range(30)])
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code: " + us.text())
        t.equal(os.stat(path).st_mode & 0o777, 0o600, "mode")
        code, out = l.run("us", [lab.BINARY, "rerun", path])
        t.equal(code, 0, "rerun: " + out)
        lab.need("tshark")
        code, out = l.run("us", ["tshark", "-r", path, "-T", "fields", "-e",
                                 "frame.interface_name"])
        t.equal(code, 0, "tshark: " + out[-300:])
        names = {x for x in out.split() if x in (
            "client", "production", "SUT", "emitted")}
        t.equal(len(names), 4, "interfaces with frames: %s" % names)


TAGGED = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
s.send(bytes.fromhex("ffffffffffff0200000000cc8100200788b5") + bytes(46))
"""


def every_frame(t):
    """--print: a line a frame; a VLAN tag is in the journal again."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = l.path("run.pcapng")
        us = l.understudy("--print", "-w", path, filt="")
        l.client("keep", "/b100?id=q-1", "/b100?id=q-2")
        l.python("tap", TAGGED, "m0")
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code: " + us.text())
        lines = us.text().splitlines()
        for who, what, flags, more in (
                ("client", "taken", "[S]", "10.0.0.10:80 ["),
                ("production", "taken", "[S.]", "10.0.0.10:80 > "),
                ("emitted", "syn", "[S]", "10.1.0.20:80 ["),
                ("SUT", "answer", "[S.]", "10.1.0.20:80 > "),
                ("emitted", "data", "[P.]", " flow 1")):
            got = [x for x in lines if x.split()[1:3] == [who, what] and
                   flags in x and more in x and " len " in x]
            t.check(got, "no line of %s %s %s" % (who, what, flags))
        t.check(any(x.split()[1:4] == ["mirror", "ignored", "not_ip"]
                    for x in lines), "the tagged frame: " + us.text()[:2000])
        with open(path, "rb") as f:
            t.equal(f.read().count(bytes.fromhex("0200000000cc8100200788b5")),
                    1, "tagged frames in the journal")
        t.equal(l.run("us", [lab.BINARY, "rerun", path])[0], 0, "rerun")


def one_connection(t):
    """--trace: of several connections the frames and verdicts of one."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        port = 45123
        us = l.understudy("--trace", "10.0.0.2:%d" % port)
        l.client("keep", "/b100?id=q-1")
        code, said = l.run("client", [
            "curl", "-s", "-o", "/dev/null", "--local-port", str(port),
            "http://10.0.0.10/b100?id=q-2"])
        t.equal(code, 0, "curl: " + said)
        l.client("keep", "/b100?id=q-3")
        l.settle(prod, sut)
        t.equal(us.finish(), 0, "exit code: " + us.text())
        lines = [x.split() for x in us.text().splitlines()]
        traced = [x for x in lines if len(x) > 4 and
                  re.fullmatch(r"\d+\.\d{6}", x[0])]
        for who in ("client", "production", "SUT", "emitted", "verdict"):
            t.check(any(x[1] == who for x in traced), "no line of " + who)
        verdicts = [x[2] for x in traced if x[1] == "verdict"]
        t.check(verdicts in (["identical"], ["equivalent"]),
                "verdicts: %s" % verdicts)
        t.equal([" ".join(x) for x in traced if x[1] != "verdict" and
                 not any(e.startswith("10.0.0.2:%d" % port) for e in x)], [],
                "lines of others")
        times = [float(x[0]) for x in traced]
        t.check(times == sorted(times), "times go on")


lab.main([
    ("--trace", one_connection),
    ("SIGUSR1 and SIGINT", signals),
    ("--duration", duration),
    ("an end under load", load_goes_on),
    ("a journal", journal),
    ("--print and a VLAN tag", every_frame),
    ("bad input", bad_input),
    ("a capture, to nobody", offline),
])
