#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy, asked and told while it runs: its control socket.

On the hosts of test/lib/hosts.py.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
import proxied  # noqa: E402
from hosts import ADDR, SERVER, WAIT  # noqa: E402
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


def ctl(*words):
    """Exit code, output, message."""
    r = subprocess.run([proxied.BINARY, "ctl", PATH, *words], capture_output=True,
                       text=True, timeout=WAIT)
    return r.returncode, r.stdout, r.stderr


def ask(*words):
    code, out, err = ctl(*words)
    assert (code, err) == (0, ""), (words, code, err)
    return out


def shown():
    return json.loads(ask("show", "json"))


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
                                   "taken": 3, "not_taken": 0}], got["servers"]
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
