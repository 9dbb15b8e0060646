#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy: options that are read again, and listeners that others opened.

On the hosts of test/lib/hosts.py.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
import proxied  # noqa: E402
from hosts import ADDR, PROXY, SERVER, WAIT  # noqa: E402
from proxied import Proxy, Server, at, connected, exchange  # noqa: E402

IDLE = "seconds, and little load"
FOLDER = tempfile.mkdtemp(prefix="us-proxy-reload-")
PATH = os.path.join(FOLDER, "ctl")
OPTIONS = os.path.join(FOLDER, "options")
SAID = os.path.join(FOLDER, "said")
TWO = "10.77.2.3"
FIRST, SECOND = at(ADDR[4][3], 8000), at(TWO, 8000)
LISTEN = at(ADDR[4][1], proxied.PORT)
# What is said on standard error, into a file.
HEARD = ("sh", "-c", 'exec 2>"$0"; exec "$@"', SAID)
TESTS = []


def test(name):
    def add(f):
        TESTS.append((name, f))
        return f
    return add


def write(*lines):
    with open(OPTIONS + ".new", "w") as f:
        f.write("".join(x + "\n" for x in lines))
    os.chmod(OPTIONS + ".new", 0o644)
    os.rename(OPTIONS + ".new", OPTIONS)


def forward(*servers):
    return "--forward %s=%s" % (LISTEN, ",".join(servers))


def start(*words, before=HEARD):
    return Proxy("--ctl", PATH, "@" + OPTIONS, *words, before=before, quiet=False)


def ctl(*words):
    r = subprocess.run([proxied.BINARY, "ctl", PATH, *words], capture_output=True,
                       text=True, timeout=WAIT)
    return r.returncode, r.stdout, r.stderr


def shown():
    return json.loads(ctl("show", "json")[1])


def hup(p):
    """Read again, and what was said of it."""
    before = shown()["connections"]["reloads"]
    with open(SAID) as f:
        f.seek(0, os.SEEK_END)
        p.p.send_signal(signal.SIGHUP)
        hosts.until("it is not read again",
                    lambda: shown()["connections"]["reloads"] == before + 1)
        return f.read()


def begun(size=4):
    c = connected()
    c.sendall(size.to_bytes(8, "big"))
    assert hosts.read_exactly(c, size) == hosts.pattern(2, size)
    return c


def users():
    return {x["to"]: x["users"] for x in shown()["servers"]}


for mode in ("tc", "copy"):
    @test(f"{mode}: other servers get the next connection, those that are there go on")
    def servers(mode=mode):
        write("# one", forward(FIRST), "--timewait 10ms")
        with Server(keeps=True) as a, Server(addr=TWO, keeps=True) as b, \
                start("--splice", mode) as p:
            c = begun()
            write(forward(SECOND), "--timewait 10ms")
            assert "options were read again" in hup(p)
            begun().close()
            assert (len(a.open), len(b.open)) == (1, 1)
            assert ctl("get", "forward")[1] == "%s=%s\n" % (LISTEN, SECOND)
            c.sendall(b"goes on")
            c.close()
            hosts.until("it did not go on", lambda: 7 in [x[0] for x in a.seen])
            # Back and forth: more servers than there are places.
            for i in range(40):
                write(forward("10.77.2.%d:1" % (10 + i), FIRST), "--timewait 10ms")
                assert ctl("reload") == (0, "", ""), i
            assert sorted(users()) == sorted([FIRST, "10.77.2.49:1"]), users()
            r = p.end()
            assert r["failed"] == 0 and r["reload_errors"] == 0, r


@test("what is wrong, cannot be read or cannot change: nothing changes, one line says so")
def wrong():
    write(forward(FIRST), "--per-client 5")
    with Server() as s, start() as p:
        rows = (
            ((forward(SECOND), "--per-clinet 7"), "did you mean --per-client"),
            ((forward(SECOND), "--per-client x"), "--per-client x"),
            ((forward(SECOND), "--log '"), "quotation"),
            ((forward(SECOND), "--connections 77"), "--connections cannot be changed"),
            ((forward(SECOND), "--log /tmp/x"), "--log cannot be changed"),
            ((forward(SECOND), "--pin /tmp/x"), "--pin cannot be changed"),
            ((forward(SECOND), "--socks 10.77.1.1:1080"), "listeners cannot be changed"),
            (("--socks " + LISTEN,), "listeners cannot be changed"),
            ((forward(LISTEN),), "leads to itself"),
            (("--splice auto",), "nothing to proxy"))
        for lines, said in rows:
            write(*lines)
            line = hup(p)
            assert said in line and "all options stay as they were" in line, (lines, line)
            assert line.count("\n") == 1, line
            code, out, err = ctl("reload")
            assert code == 1 and said in err, (lines, err)
        os.unlink(OPTIONS)
        assert "No such file" in hup(p)
        write(forward(SECOND))
        os.chmod(OPTIONS, 0o600)
        assert "Permission denied" in hup(p)
        n = 2 * len(rows) + 2
        got = shown()["connections"]
        assert got["reloads"] == got["reload_errors"] == n, got
        assert ctl("get", "per-client")[1] == "5\n" and list(users()) == [FIRST]
        exchange(s, 10000)
        p.end()


@test("limits and networks are changed; a server that is out and goes is not asked more")
def others():
    write(forward(SECOND, FIRST), "--failures 1", "--check-every 20ms", "--splice copy")
    with Server() as s, start() as p:
        # Whose this client is hangs on a random key.
        for _ in range(64):
            exchange(s, 100)
            if shown()["connections"]["servers_out"]:
                break
            p.kill()
            os.unlink(PATH)
            p = start()
        p.until("it is not asked", lambda r: r["checks"] > 2)
        write(forward(FIRST), "--splice copy", "--per-client 1")
        hup(p)
        checks = shown()["connections"]["checks"]
        one = connected()
        p.until("it is not there", lambda r: r["open"] == 1)
        assert proxied.turned_away()
        one.close()
        # In this time it would have been asked a hundred times.
        ctl("set", "per-client", "0")
        for _ in range(20):
            exchange(s, 100000)
        assert shown()["connections"]["checks"] <= checks + 1
        assert list(users()) == [FIRST]
        p.end()
    write("--socks " + LISTEN, "--allow 10.77.0.0/16")
    ask = b"\5\1\0\5\1\0\1" + socket.inet_aton(ADDR[4][3]) + (8000).to_bytes(2, "big")

    def answer():
        with connected() as c:
            c.sendall(ask)
            return hosts.read_exactly(c, 4)[3]
    with Server(), start() as p:
        assert answer() == 0
        write("--socks " + LISTEN, "--allow 10.77.0.0/16", "--deny 10.77.2.0/24")
        hup(p)
        assert answer() == 2
        write("--socks " + LISTEN)
        hup(p)
        assert answer() == 2
        write("--socks " + LISTEN, "--allow 10.77.2.2")
        hup(p)
        assert answer() == 0
        p.end()


@test("logs that were moved away are opened anew")
def logs():
    folder = os.path.join(FOLDER, "logs")
    os.mkdir(folder)
    os.chmod(FOLDER, 0o755)
    os.chown(folder, 65534, 65534)
    log, js = (os.path.join(folder, n) for n in ("a.log", "a.jsonl"))
    write(forward(FIRST), "--log " + log, "--log-json " + js)
    with Server() as s, start("--splice", "copy") as p:
        exchange(s, 100)
        hosts.until("no line", lambda: open(log).read() and open(js).read())
        for f in (log, js):
            os.rename(f, f + ".1")
        hup(p)
        exchange(s, 200)
        hosts.until("no new line", lambda: open(log).read() and open(js).read())
        for f in (log, js):
            assert len(open(f).readlines()) == len(open(f + ".1").readlines()) == 1
        assert json.loads(open(js).read())["bytes_s2c"] == 200
        p.end()
    for f in os.listdir(folder):
        os.unlink(os.path.join(folder, f))
    os.rmdir(folder)


# Opens listeners, hands them over as systemd does, and becomes the proxy.
OPENER = """
import os, socket, sys
at = sys.argv[1].split(",")
for i, a in enumerate(at):
    host, port = a.rsplit(":", 1)
    six = host.startswith("[")
    s = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
    if six:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, sys.argv[2] == "one")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host.strip("[]"), int(port)))
    if sys.argv[2] != "deaf":
        s.listen(5)
    os.dup2(s.fileno(), 100 + i)
for i in range(len(at)):
    os.dup2(100 + i, 3 + i)
    os.close(100 + i)
    os.set_inheritable(3 + i, True)
os.environ["LISTEN_FDS"] = str(len(at))
os.environ["LISTEN_PID"] = str(os.getpid() + (sys.argv[2] == "other"))
os.execvp(sys.argv[3], sys.argv[3:])
"""
# As contrib/understudy-proxy.service starts it: nobody, with these capabilities.
CAPS = "+net_bind_service,+net_admin,+bpf,+perfmon"
UNIT = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
        "--no-new-privs", "--inh-caps=-all," + CAPS, "--ambient-caps=-all," + CAPS,
        "--bounding-set=-all," + CAPS)


def opened(addresses, how="one"):
    return ("python3", "-c", OPENER, addresses, how)


@test("listeners of systemd's are taken, also by who could not open them")
def activated():
    here = at(ADDR[4][1], 81) + "," + at(ADDR[6][1], 81)
    words = ["--forward", "%s=%s" % (at(ADDR[4][1], 81), FIRST),
             "--forward", "%s=%s" % (at(ADDR[6][1], 81), at(ADDR[6][3], 8000))]
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
              "--inh-caps=-all", "--bounding-set=-all")
    for before, key in (((), "spliced"), (nobody, "copied")):
        with Server() as s, Server(6) as six, \
                Proxy(*words, port=81, before=opened(here) + before) as p:
            exchange(s, 5000, port=81)
            exchange(six, 5000, family=6, port=81)
            r = p.end()
            assert r[key] == 2, r


@test("listeners that are no use: a line, and status 2; another's are left alone")
def not_activated():
    four, six = at(ADDR[4][1], 81), at(ADDR[6][1], 81)
    rows = ((opened(four), six, "no option names it"),
            (opened("[::]:81", "both"), six, "BindIPv6Only=ipv6-only"),
            (opened(four, "deaf"), four, "is no listener of TCP"))
    for before, listen, said in rows:
        r = subprocess.run(["ip", "netns", "exec", PROXY, *before, proxied.BINARY,
                            "proxy", "--splice", "copy", "--forward",
                            listen + "=10.77.2.2:8000"], capture_output=True, text=True,
                           timeout=WAIT)
        assert r.returncode == 2 and said in r.stderr, (before, r)
        assert len(r.stderr.splitlines()) == 1, r.stderr
    # LISTEN_PID is another process's: the address is in use, and not by us.
    with Server(), Proxy("--forward", at(ADDR[4][1], 82) + "=" + FIRST, port=82,
                         before=opened(four, "other")) as p:
        p.end()


@test("as the unit starts it: joined, asked, and without rights when it runs")
def unit():
    write("--forward %s=%s" % (at(ADDR[4][1], 81), FIRST))
    os.chown(FOLDER, 65534, 65534)
    with Server() as s, Proxy("--ctl", PATH, "@" + OPTIONS, port=81, before=UNIT) as p:
        exchange(s, 100000, port=81)
        code, out, err = ctl("show", "json")
        assert code == 0 and json.loads(out)["connections"]["spliced"] == 1, err
        assert ctl("reload") == (0, "", "")
        with open("/proc/%d/status" % p.pid()) as f:
            st = dict(x.rstrip("\n").split(":\t", 1) for x in f if ":\t" in x)
        assert int(st["CapEff"], 16) == int(st["CapPrm"], 16) == 1 << 12, st["CapEff"]
        assert int(st["CapAmb"], 16) == 0 and st["Seccomp"] == "2", st
        p.end()


if __name__ == "__main__":
    if sys.argv[1:]:
        TESTS = [t for t in TESTS if any(w in t[0] for w in sys.argv[1:])]

    def with_second(f):
        def run():
            if os.path.exists(PATH):
                os.unlink(PATH)
            hosts.sh("ip", "-n", SERVER, "addr", "replace", TWO + "/24", "dev", "s0")
            f()
        return run
    os.chmod(FOLDER, 0o755)
    try:
        code = hosts.run([(n, with_second(f)) for n, f in TESTS], [proxied.BINARY])
    finally:
        subprocess.run(["rm", "-rf", FOLDER])
    sys.exit(code)
