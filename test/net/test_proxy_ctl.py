#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy, asked and told while it runs: its control socket.

On the hosts of test/lib/hosts.py.
"""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
import proxied  # noqa: E402
from hosts import ADDR, PROXY, SERVER, WAIT, result, within  # noqa: E402
from proxied import Proxy, Server, at, connected, exchange, forward, is_cut  # noqa: E402

IDLE = "seconds, and little load"
FOLDER = tempfile.mkdtemp(prefix="us-proxy-ctl-")
PATH = os.path.join(FOLDER, "ctl")
CTL = ["--ctl", PATH]
MANY = 2000  # connections: more than one answer lists
TESTS = []


def test(name):
    def add(f):
        TESTS.append((name, f))
        return f
    return add


control = proxied.Control(PATH)
ctl, ask, shown = control.ctl, control.ask, control.shown


def listed(first=None):
    """All that are listed, and how many answers that took."""
    got, asked = [], 0
    while True:
        lines = [json.loads(x) for x in
                 ask("list", *([] if first is None else [str(first)])).splitlines()]
        asked += 1
        more = lines.pop()["more"] if lines and "more" in lines[-1] else None
        got += lines
        if more is None:
            return got, asked
        first = more


def begun(size=4):
    """A connection whose server has answered."""
    c = connected()
    c.sendall(size.to_bytes(8, "big"))
    assert hosts.read_exactly(c, size) == hosts.pattern(2, size)
    return c


for mode in ("tc", "copy"):
    @test(f"{mode}: one is listed, and ended by its number; the others go on")
    def kill_one(mode=mode):
        with Server(keeps=True) as s, Proxy(*forward(), *CTL, "--splice", mode) as p:
            one, two = begun(), begun()
            if mode == "tc":
                hosts.no_sockets_left()
            got, _ = listed()
            assert [x["id"] for x in got] == [1, 2], got
            who = {x["client"]: x for x in got}
            me = who["%s:%d" % one.getsockname()]
            assert me["state"] == me["how"] == {"tc": "spliced", "copy": "copied"}[mode]
            assert me["server"] == at(ADDR[4][3], proxied.TO), me
            assert me["bytes_s2c"] == 4 and me["bytes_c2s"] == 8, me
            assert ask("kill", str(me["id"])) == "killed 1\n"
            if mode == "tc":
                one.sendall(b"x")
            assert is_cut(one)
            assert [x["id"] for x in listed()[0]] == [3 - me["id"]]
            code, out, err = ctl("kill", str(me["id"]))
            assert code == 1 and out == "" and "there is nobody" in err, (code, err)
            two.sendall(b"abc")
            two.close()
            hosts.until("the other one is not over", lambda: (3, ) in
                        [x[:1] for x in s.seen])
            one.close()
            r = p.end()
            assert r["ended_killed"] == 1 and r["ended_closed"] == 1, r


@test("all clients of a network are ended, also one who has no server yet")
def kill_net():
    with Server(keeps=True), Proxy(*forward(), "--socks", at(ADDR[4][1], 1080),
                                   *CTL) as p:
        four, six = begun(), connected(port=1080)
        p.until("they are not there", lambda r: r["accepted"] == 2)
        for words in (("10.0.0.1/8",), ("nobody",), (), ("0",)):
            code, _, err = ctl("kill", *words)
            assert code == 1 and "write kill ID" in err, (words, err)
        code, _, err = ctl("kill", "192.0.2.0/24")
        assert code == 1 and "there is nobody" in err, err
        assert ask("kill", ADDR[4][0]) == "killed 2\n"
        assert is_cut(six)
        four.close()
        r = p.end()
        assert r["ended_killed"] == r["refused_killed"] == 1, r


@test(f"{MANY} connections are listed in parts, each once")
def many():
    with Server(keeps=True), Proxy(*forward(), *CTL, "--splice", "copy", "--copies",
                                   str(MANY)) as p:
        socks = [connected() for _ in range(MANY)]
        p.until("not all are there", lambda r: r["open"] == MANY)
        got, asked = listed()
        assert [x["id"] for x in got] == list(range(1, MANY + 1)), len(got)
        assert asked > 1
        assert len(listed(MANY - 4)[0]) == 5
        assert ask("kill", "0.0.0.0/0") == "killed %d\n" % MANY
        for c in socks:
            c.close()
        r = p.end()
        assert r["ended_killed"] == MANY, r


@test("what is shown are the counters of the report; limits hold when they are set")
def counters():
    with Server(keeps=True) as s, Proxy(*forward(), *CTL) as p:
        kept = [begun() for _ in range(3)]
        hosts.no_sockets_left()
        got, r = shown(), p.report()
        for name in r:
            if name in got["connections"]:
                assert got["connections"][name] == r[name], (name, got)
        assert got["connections"]["accepted"] == got["connections"]["used"] == 3, got
        assert got["servers"] == [{"server": 0, "to": at(ADDR[4][3], proxied.TO),
                                   "users": 3, "out": False, "drained": False,
                                   "taken": 3, "not_taken": 0,
                                   "passed": 0}], got["servers"]
        assert got["kernel"]["live"] == 3 and got["ctl"]["clients"] == 1, got
        text = ask("show", "prometheus")
        assert re.search(r"^understudy_proxy_connections_spliced_total 3$", text, re.M)
        assert re.search(r'^understudy_proxy_server_users\{server="0",to="%s"\} 3$' %
                         re.escape(at(ADDR[4][3], proxied.TO)), text, re.M), text
        assert ask("get", "per-client") == "0\n"
        ask("set", "per-client", "3")
        assert proxied.turned_away()
        ask("set", "per-client", "0")
        exchange(s, 1000)
        for words, said in ((("set", "connections", "5"), "cannot be changed"),
                            (("set", "drain", "x"), "is no time"),
                            (("fetch",), "kill ID|NET")):
            code, _, err = ctl(*words)
            assert code == 1 and said in err, (words, err)
        for c in kept:
            c.close()
        r = p.end()
        assert r["refused_client"] == 1, r


@test("a drained server gets nobody and keeps who is there; events say so")
def drained():
    two = "10.77.2.3"
    here, there = at(ADDR[4][3], 8000), at(two, 8000)
    hosts.address(SERVER, "s0", two + "/24")
    events = os.path.join(FOLDER, "events")
    try:
        with Server(keeps=True) as a, Server(addr=two, keeps=True) as b, \
                Proxy(*forward(4, here, there), *CTL) as p, \
                open(events, "w") as out, \
                subprocess.Popen([proxied.BINARY, "ctl", PATH, "watch"],
                                 stdout=out) as watch:
            hosts.until("nobody watches", lambda: "set" in
                        (ask("set", "failures", "3"), open(events).read())[1])
            c = begun()
            mine = here if a.open else there
            ask("drain", mine)
            assert [x["users"] for x in shown()["servers"] if x["drained"]] == [1]
            for _ in range(4):
                begun().close()
            assert len(a.open) + len(b.open) == 5
            assert len((a if mine == here else b).open) == 1, "it got more"
            c.sendall(b"goes on")
            c.close()
            hosts.until("it did not go on",
                        lambda: 7 in [x[0] for x in a.seen + b.seen])
            hosts.until("it has users", lambda: [
                x["users"] for x in shown()["servers"] if x["drained"]] == [0])
            ask("ready", mine)
            begun().close()
            assert len((a if mine == here else b).open) == 2, "it gets nobody"
            ask("drain", here)
            ask("drain", there)
            assert proxied.turned_away()
            for words, said in (("10.0.0.1:80", "is no server"), ("x", "ADDR:PORT")):
                code, _, err = ctl("drain", words)
                assert code == 1 and said in err, err
            ask("drain")
            p.p.wait(WAIT)
            watch.wait(WAIT)
        said = [json.loads(x) for x in open(events)]
        assert [(x["event"], x.get("server")) for x in said if x["event"] != "set"] == [
            ("server_drained", mine), ("server_ready", mine), ("server_drained", here),
            ("server_drained", there), ("drain", None)], said
    finally:
        hosts.sh("ip", "-n", SERVER, "addr", "del", two + "/24", "dev", "s0")


METRICS = 9100


def visitor(words=b"", host="127.0.0.1", within_=PROXY):
    """A connection to the metrics that has said something."""
    s = result(within(within_, lambda: socket.create_connection((host, METRICS), WAIT)))
    s.sendall(words)
    return s


def fetched(words=b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", **where):
    """Status and body of what is answered."""
    with visitor(words, **where) as s:
        got = b""
        b = s.recv(65536)
        while b:
            got += b
            b = s.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert "Content-Length: %d" % len(body) in lines, lines
    return int(lines[0].split()[1]), body.decode()


@test("metrics: those of the control socket, over HTTP, to this host only")
def metrics():
    def plain(text):
        return [x for x in text.splitlines() if "_ctl_" not in x and "_metrics_" not in x]
    with Server(keeps=True), Proxy(*forward(), *CTL, "--metrics", str(METRICS)) as p:
        kept = [begun() for _ in range(3)]
        hosts.no_sockets_left()
        status, text = fetched()
        # What segments there were may change meanwhile.
        same = [x for x in plain(ask("show", "prometheus")) if "_kernel_" not in x]
        assert status == 200 and [x for x in plain(text) if "_kernel_" not in x] == same
        assert "understudy_proxy_connections_open 3" in same
        for words, want in ((b"POST /metrics HTTP/1.1\r\n\r\n", 405),
                            (b"GET / HTTP/1.1\r\n\r\n", 404),
                            (b"\x16\x03\x01\x02\r\n\r\n", 400),
                            (b"GET /metrics HTTP/3.0\r\n\r\n", 505),
                            (b"GET /metrics HTTP/1.1\r\nA: " + b"a" * 8000, 431)):
            assert fetched(words)[0] == want, words
        try:
            visitor(host=ADDR[4][1], within_=hosts.CLIENT)
            assert False, "it listens to all"
        except ConnectionRefusedError:
            pass
        for c in kept:
            c.close()
        got = shown()["metrics"]
        assert (got["clients"], got["given"], got["refused"]) == (6, 1, 5), got
        p.end()


@test("metrics: who says nothing, or half, or too much, keeps nobody out")
def metrics_hostile():
    with Server(keeps=True), Proxy(*forward(), *CTL, "--metrics", str(METRICS)) as p:
        silent = [visitor(b"GET /metrics HTTP/1.1\r\nHost"[:i * 9]) for i in range(12)]
        hosts.until("they are not there",
                    lambda: shown()["metrics"]["clients"] == len(silent))
        assert fetched()[0] == 200
        assert shown()["metrics"]["full"] == len(silent) + 1 - 4
        # He sends for ever behind his request, and is cut.
        with visitor(b"GET / HTTP/1.1\r\n\r\n") as s:
            try:
                while True:
                    s.sendall(b"x" * 65536)
            except (BrokenPipeError, ConnectionResetError):
                pass
        # He does not read: the others are served.
        mute = [visitor(b"GET /metrics HTTP/1.1\r\n\r\n") for _ in range(3)]
        begun().close()
        assert fetched()[0] == 200
        for s in silent + mute:
            s.close()
        p.end()


@test("metrics: no client of SOCKS is led to them")
def metrics_own():
    with Proxy("--socks", at(ADDR[4][1], proxied.PORT), "--allow", "0.0.0.0/0",
               "--metrics", "0.0.0.0:%d" % METRICS) as p:
        for host in ("127.0.0.1", ADDR[4][1], ADDR[4][2]):
            with connected() as s:
                s.sendall(b"\5\1\0\5\1\0\1" + socket.inet_aton(host) +
                          METRICS.to_bytes(2, "big"))
                assert hosts.read_exactly(s, 4) == b"\5\0\5\2", host
        assert fetched(host=ADDR[4][1], within_=hosts.CLIENT)[0] == 200
        r = p.end()
        assert r["refused_own"] == 3, r


@test("drain ends it when the last connection has ended, as a signal does")
def drain_all():
    with Server(keeps=True), Proxy(*forward(), *CTL) as p:
        c = begun()
        ask("drain")
        hosts.until("it listens yet", lambda: not proxied.listens(proxied.PORT))
        assert shown()["connections"]["draining"] is True
        code, _, err = ctl("drain")
        assert code == 1 and "already" in err, err
        assert p.p.poll() is None
        c.sendall(b"last")
        c.close()
        assert p.p.wait(WAIT) == 0


if __name__ == "__main__":
    if sys.argv[1:]:
        TESTS = [t for t in TESTS if any(w in t[0] for w in sys.argv[1:])]
    try:
        code = hosts.run(TESTS, [proxied.BINARY])
    finally:
        for f in os.listdir(FOLDER):
            os.unlink(os.path.join(FOLDER, f))
        os.rmdir(FOLDER)
    sys.exit(code)
