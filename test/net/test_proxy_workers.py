#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy --workers: several processes are one proxy.

On the hosts of test/lib/hosts.py.
"""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
import proxied  # noqa: E402
from hosts import ADDR, PROXY, SERVER, WAIT, result, within  # noqa: E402
from proxied import Server, at, connected, exchange, forward, is_cut  # noqa: E402

IDLE = "seconds, and little load"
FOLDER = tempfile.mkdtemp(prefix="us-proxy-workers-")
os.chmod(FOLDER, 0o777)  # for who the proxy becomes
PATH = os.path.join(FOLDER, "ctl")
LOG = os.path.join(FOLDER, "log")
OPTIONS = os.path.join(FOLDER, "options")
SAID = os.path.join(FOLDER, "said")
MOUNT = os.path.join(FOLDER, "bpf")
PIN = os.path.join(MOUNT, "pins")
HEARD = ("sh", "-c", 'exec 2>"$0"; exec "$@"', SAID)
TWO = "10.77.2.3"
N = 3
MANY = 60  # that N workers get none of these is a chance of 3 * (2/3)^60
TESTS = []


def test(name):
    def add(f):
        TESTS.append((name, f))
        return f
    return add


class Crew(proxied.Proxy):
    """A proxy of N processes; when it is there, all are."""

    def __init__(self, *words, n=N, before=HEARD):
        with contextlib.suppress(FileNotFoundError):  # of one that was killed
            os.unlink(PATH)
        super().__init__(*words, "--workers", str(n), "--ctl", PATH, before=before)
        # A listener that was handed over is there before the proxy takes signals.
        hosts.until("there is no control socket", lambda: os.path.exists(PATH))
        self.report()

    def workers(self):
        """(process, open connections) of each."""
        return [(int(w["to"].split()[1]), w["open"]) for w in shown()["workers"]]

    def died(self):
        """Its last report, when it has ended by itself, and what it said."""
        last, line = None, self.line()
        while line is not None:
            last, line = line, self.line()
        assert self.p.wait(WAIT) == 2, self.p.returncode
        r = json.loads(last)
        proxied.check_sums(r)
        assert r["opening"] == r["open"] == 0, r
        with open(SAID) as f:
            return r, f.read()


control = proxied.Control(PATH)
ctl, ask, shown = control.ctl, control.ask, control.shown


def listed(first=0):
    return [json.loads(x) for x in ask("list", str(first)).splitlines()]


def begun(size=4, **more):
    """A connection whose server has answered."""
    c = connected(**more)
    c.sendall(size.to_bytes(8, "big"))
    assert hosts.read_exactly(c, size) == hosts.pattern(2, size)
    return c


def alive(pid):
    return os.path.exists(f"/proc/{pid}")


def write(*lines):
    with open(OPTIONS + ".new", "w") as f:
        f.write("".join(x + "\n" for x in lines))
    os.chmod(OPTIONS + ".new", 0o644)
    os.rename(OPTIONS + ".new", OPTIONS)


for mode in ("tc", "copy"):
    @test(f"{mode}: all get clients, and are shown, listed and ended as one")
    def as_one(mode=mode):
        with Server(keeps=True), Crew(*forward(), "--splice", mode) as p:
            kept = [begun() for _ in range(MANY)]
            if mode == "tc":
                hosts.no_sockets_left()
            got, all_ = shown(), p.workers()
            assert len(all_) == N and len({pid for pid, _ in all_}) == N, all_
            assert all(n > 0 for _, n in all_), all_
            assert sum(n for _, n in all_) == got["connections"]["open"] == MANY, got
            assert got["connections"]["used"] == MANY
            assert got["connections"][{"tc": "spliced", "copy": "copied"}[mode]] == MANY
            assert [(s["users"], s["taken"]) for s in got["servers"]] == [(MANY, MANY)]
            ids = [x["id"] for x in listed()]
            assert ids == sorted(set(ids)) and len(ids) == MANY, ids
            assert [x["id"] for x in listed(ids[7])] == ids[7:]
            who = {x["client"]: x["id"] for x in listed()}
            one = kept.pop()
            mine = who["%s:%d" % one.getsockname()]
            assert ask("kill", str(mine)) == "killed 1\n"
            if mode == "tc":
                one.sendall(b"x")
            assert is_cut(one)
            code, _, err = ctl("kill", str(mine))
            assert code == 1 and "there is nobody" in err, err
            assert ask("kill", ADDR[4][0]) == "killed %d\n" % (MANY - 1)
            r = p.end()
            assert r["accepted"] == r["ended_killed"] == MANY, r
            for c in kept:
                c.close()


@test("many connections, and every byte; one log has a whole line of each")
def many():
    logs = ("--log", LOG, "--log-json", LOG + ".json")
    with Server() as s, Server(6) as six, Crew(*forward(), *forward(6), *logs) as p:
        for i in range(MANY):
            exchange(six if i % 5 == 0 else s, 1000 * i, 6 if i % 5 == 0 else 4)
        r = p.end()
        assert r["accepted"] == r["spliced"] + r["copied"] == r["ended_closed"] == MANY, r
        assert r["bytes_s2c"] == sum(1000 * i for i in range(MANY)), r
    with open(LOG + ".json") as f:
        lines = [json.loads(x) for x in f]
    assert len({x["id"] for x in lines}) == MANY
    assert sorted(x["bytes_s2c"] for x in lines) == [1000 * i for i in range(MANY)]
    with open(LOG) as f:
        assert len(f.readlines()) == MANY


@test("a client's limit is one of all workers, and what is set holds in all")
def limits():
    with Server(keeps=True), Crew(*forward(), "--per-client", "10") as p:
        def taken():
            try:
                return begun()
            except (OSError, EOFError):
                return None
        kept = [c for c in (taken() for _ in range(30)) if c]
        assert len(kept) == 10, len(kept)
        ask("set", "per-client", "25")
        assert ask("get", "per-client") == "25\n"
        kept += [c for c in (taken() for _ in range(30)) if c]
        assert len(kept) == 25, len(kept)
        for c in kept[:20]:
            c.close()
        hosts.until("they have not ended", lambda: len(listed()) == 5)
        kept[:20] = [c for c in (taken() for _ in range(30)) if c]
        assert len(kept) == 25, len(kept)
        for c in kept:
            c.close()
        r = p.end()
        assert r["refused_client"] == r["refused"] == 45, r


@test("one client has one server, whichever worker has him; drained for all")
def same_server():
    hosts.address(SERVER, "s0", TWO + "/24")
    here, there = at(ADDR[4][3], 8000), at(TWO, 8000)
    try:
        with Server(keeps=True) as a, Server(addr=TWO, keeps=True) as b, \
                Crew(*forward(4, here, there)) as p:
            kept = [begun() for _ in range(20)]
            assert sorted((len(a.open), len(b.open))) == [0, 20]
            mine, first, other = (here, a, b) if a.open else (there, b, a)
            ask("drain", mine)
            kept += [begun() for _ in range(20)]
            assert (len(first.open), len(other.open)) == (20, 20)
            assert {s["to"]: s["users"] for s in shown()["servers"]} == \
                {here: 20, there: 20}
            ask("ready", mine)
            kept += [begun() for _ in range(10)]
            assert len(first.open) == 30
            code, _, err = ctl("drain", "10.9.9.9:9")
            assert code == 1 and "is no server" in err, err
            for c in kept:
                c.close()
            p.end()
    finally:
        hosts.on(SERVER, "ip", "addr", "del", TWO + "/24", "dev", "s0")


@test("events come of each worker; metrics and the text are of all")
def told():
    here, events = at(ADDR[4][3], 8000), os.path.join(FOLDER, "events")
    with Server(keeps=True), Crew(*forward(), "--metrics", "9900") as p, \
            open(events, "w") as out, \
            subprocess.Popen([proxied.BINARY, "ctl", PATH, "watch"],
                             stdout=out) as watch:
        hosts.until("nobody watches", lambda: "set" in
                    (ask("set", "failures", "3"), open(events).read())[1])
        kept = [begun() for _ in range(20)]
        ask("drain", here)
        hosts.until("not all are told", lambda: sorted(
            x["worker"] for x in map(json.loads, open(events))
            if x["event"] == "server_drained" and x["server"] == here) == list(range(N)))
        text = result(within(PROXY, lambda: urllib.request.urlopen(
            "http://127.0.0.1:9900/metrics", timeout=WAIT).read().decode()))
        assert re.search(r"^understudy_proxy_connections_accepted_total 20$", text, re.M)
        assert len(re.findall(r"^understudy_proxy_worker_open\{", text, re.M)) == N, text
        assert sum(n for _, n in p.workers()) == 20
        watch.terminate()
        for c in kept:
            c.close()
        p.end()


OPENER = """
import os, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen(100)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ["LISTEN_FDS"], os.environ["LISTEN_PID"] = "1", str(os.getpid())
os.execvp(sys.argv[3], sys.argv[3:])
"""


@test("a listener of systemd's is one of all workers")
def activated():
    opened = ("python3", "-c", OPENER, ADDR[4][1], str(proxied.PORT))
    with Server(keeps=True), Crew(*forward(), before=HEARD + opened) as p:
        kept = [begun() for _ in range(MANY)]
        assert sum(n for _, n in p.workers()) == MANY, p.workers()
        p.p.send_signal(signal.SIGTERM)
        hosts.until("it listens yet", lambda: not proxied.listens(proxied.PORT))
        for c in kept:
            c.close()
        r = p.end()
        assert r["ended_closed"] + r["ended_stopped"] == MANY, r


@test("options are read again by all, or by none")
def again():
    listen = at(ADDR[4][1], proxied.PORT)
    write(f"--forward {listen}={at(ADDR[4][3], 8000)}")
    with Server(keeps=True) as a, Server(port=8001, keeps=True) as b, \
            Crew("@" + OPTIONS) as p:
        begun().close()
        assert len(a.open) == 1
        write(f"--forward {listen}={at(ADDR[4][3], 8001)}")
        ask("reload")
        for _ in range(20):
            begun().close()
        assert len(b.open) == 20, (len(a.open), len(b.open))
        write(f"--forward {listen}={at(ADDR[4][3], 8000)}", "--connections 7")
        code, _, err = ctl("reload")
        assert code == 1 and "--connections cannot be changed" in err, err
        write(f"--forward {listen}={at(ADDR[4][3], 8000)}", "--pin /sys/fs/bpf/us-x")
        code, _, err = ctl("reload")
        assert code == 1 and "--pin cannot be changed" in err, err
        for _ in range(20):
            begun().close()
        assert (len(a.open), len(b.open)) == (1, 40)
        r = p.end()
        assert (r["reloads"], r["reload_errors"]) == (3, 2), r


@test("a signal ends all when the last connection has ended; a second one at once")
def ends():
    with Server(keeps=True), Crew(*forward(), "--splice", "copy") as p:
        kept = [begun() for _ in range(10)]
        pids = [pid for pid, _ in p.workers()]
        p.p.send_signal(signal.SIGTERM)
        hosts.until("it listens yet", lambda: not proxied.listens(proxied.PORT))
        assert shown()["connections"]["draining"] is True
        for pid in pids:  # what a service manager sends to all of its processes
            with contextlib.suppress(ProcessLookupError):  # it had no connection
                os.kill(pid, signal.SIGTERM)
        for c in kept[:9]:
            c.sendall(b"abc")
            c.close()
        hosts.until("nine have not ended", lambda: shown()["connections"]["open"] == 1)
        assert p.p.poll() is None
        r = p.end(signal.SIGINT)
        assert (r["ended_closed"], r["ended_stopped"]) == (9, 1), r
        assert is_cut(kept[9])
        assert not any(map(alive, pids)), pids


@test("one that is killed ends all at once, and the sums close")
def killed():
    for mode in ("tc", "copy"):
        with Server(keeps=True), Crew(*forward(), "--splice", mode) as p:
            kept = [begun() for _ in range(MANY)]
            all_ = p.workers()
            os.kill(all_[1][0], signal.SIGKILL)
            r, said = p.died()
            assert re.search(r"worker 1 \(process %d\) was killed by signal 9" %
                             all_[1][0], said), said
            assert r["accepted"] == r["ended_stopped"] == MANY, r
            assert not any(alive(pid) for pid, _ in all_)
            for c in kept:
                c.close()
        with Server() as s, Crew(*forward(), "--splice", mode) as p:
            exchange(s, 1000)  # and the next one begins where it was
            p.end()


@test("one that does not answer is waited for a little, and asked once when it does")
def stopped():
    with Server(keeps=True), Crew(*forward(), "--splice", "copy") as p:
        kept = [begun() for _ in range(MANY)]
        before = p.workers()
        hung, n = before[1]
        os.kill(hung, signal.SIGSTOP)
        code, _, err = ctl("kill", "192.0.2.1")
        assert code == 1 and "worker 1 does not answer" in err, err
        # What is shown of it is what it showed last.
        assert p.workers() == before
        code, _, err = ctl("set", "per-client", "1000")
        assert code == 1 and "worker 1 does not answer" in err, err
        p.p.send_signal(signal.SIGTERM)
        hosts.until("the others listen yet", lambda:
                    shown()["connections"]["draining"] is True)
        os.kill(hung, signal.SIGCONT)
        hosts.until("it listens yet", lambda: not proxied.listens(proxied.PORT))
        # It was told once to end, and so its connections go on.
        assert shown()["connections"]["open"] == MANY, shown()
        for c in kept:
            c.sendall(b"abc")
            c.close()
        last, line = None, p.line()
        while line is not None:
            last, line = line, p.line()
        assert p.p.wait(WAIT) == 0
        r = json.loads(last)
        proxied.check_sums(r)
        assert r["ended_closed"] == MANY, r
    # Nor does it hold up the end.
    with Server(keeps=True), Crew(*forward(), "--splice", "copy") as p:
        pids = [pid for pid, _ in p.workers()]
        os.kill(pids[2], signal.SIGSTOP)
        p.p.send_signal(signal.SIGTERM)
        p.p.send_signal(signal.SIGINT)
        assert "process %d) does not end" % pids[2] in p.died()[1]
        hosts.until("it is left", lambda: not any(map(alive, pids)))


@test("when the parent is killed, its workers end")
def orphans():
    with Server(keeps=True), Crew(*forward(), "--splice", "copy") as p:
        c = begun()
        all_ = p.workers()
        p.p.kill()
        p.p.wait(WAIT)
        hosts.until("workers are left", lambda: not any(alive(pid) for pid, _ in all_))
        assert not proxied.listens(proxied.PORT)
        assert is_cut(c)


@test("killed: what is spliced and pinned goes on, and the next ones have it")
def pinned():
    os.mkdir(MOUNT)
    hosts.sh("mount", "-t", "bpf", "bpf", MOUNT)
    words = (*forward(), "--pin", PIN, "--splice", "tc")
    try:
        with Server(keeps=True) as s:
            with Crew(*words) as p:
                kept = [begun() for _ in range(20)]
                hosts.no_sockets_left()
                assert all(n > 0 for _, n in p.workers()), p.workers()
                os.kill(p.workers()[2][0], signal.SIGKILL)
                r, _ = p.died()
                assert r["ended_left"] == 20, r
            for c in kept:
                c.sendall(b"abc")
            for n, why in ((1, "another number"), (2, "another number")):
                code, said = refused(*words, "--workers", str(n))
                assert code == 2 and why in said, said
            with Crew(*words) as p:
                assert p.report()["adopted"] == 20
                for c in kept:
                    c.sendall(b"def")
                    c.close()
                hosts.until("they have not ended", lambda: len(s.seen) == 20)
                assert {x[0] for x in s.seen} == {6}, s.seen
                exchange_keeps(s)
                p.end()
    finally:
        hosts.sh("umount", MOUNT)
        os.rmdir(MOUNT)


def exchange_keeps(s):
    """A new connection, with a server that waits for the client's end."""
    n = len(s.seen)
    begun().close()
    hosts.until("the server has not seen it", lambda: len(s.seen) == n + 1)


def refused(*words):
    r = subprocess.run(["ip", "netns", "exec", PROXY, proxied.BINARY, "proxy", *words],
                       capture_output=True, text=True, timeout=WAIT)
    return r.returncode, r.stderr


@test("what cannot be is one line, and no process stays")
def wrong():
    def listening():
        return hosts.listener(4, ADDR[4][1], proxied.PORT)
    for words, said in (
            (("--splice", "syn"), "goes without --splice syn"),
            (("--connections", "2"), "--connections: less than --workers"),
            (("--ports", "2000-2001"), "--ports: less than --workers"),
            (("--workers", "33"), "32"),
            (("--ctl", "/nowhere/ctl"), "/nowhere/ctl"),
            (("--log", "/nowhere/log"), "/nowhere/log"),
            (("--user", "no-such-user-here"), "no-such-user-here")):
        code, err = refused(*forward(), "--workers", str(N), *words)
        assert code == 2 and said in err and err.count("\n") == 1, (words, code, err)
    with result(within(PROXY, listening)):
        code, err = refused(*forward(), "--workers", str(N))
        assert code == 2 and "cannot listen at" in err, err
    with Crew(*forward()):
        code, err = refused(*forward(), "--workers", str(N))
        assert code == 2 and "cannot listen at" in err, err
    time.sleep(0.2)
    assert not proxied.listens(proxied.PORT)


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
