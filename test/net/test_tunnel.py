# SPDX-License-Identifier: BSD-2-Clause
"""Two ends of a tunnel and two paths between them, in two network namespaces:

       a                       b
     us0 10.99.0.1           us0 10.99.0.2
     p1  10.20.1.1  -------  p1  10.20.1.2
     p2  10.20.2.1  -------  p2  10.20.2.2     (and fd20:N::1, fd20:N::2)
"""
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "a few megabytes"
A, B = ("us%d-%s" % (os.getpid(), x) for x in "ab")
WAIT = 20
SIZE = 8 << 20
RECEIVE = """
import hashlib, socket, sys
l = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind((sys.argv[1], 5000))
l.listen(1)
print("ready", flush=True)
s, h, n = l.accept()[0], hashlib.sha256(), 0
while True:
    b = s.recv(65536)
    if not b:
        break
    h.update(b)
    n += len(b)
print(n, h.hexdigest(), flush=True)
"""
SEND = """
import random, socket, sys, time
addr, size, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
s = socket.create_connection((addr, 5000), timeout=15)
r, at, t0 = random.Random(size), 0, time.monotonic()
while at < size:
    b = r.randbytes(min(65536, size - at))
    s.sendall(b)
    at += len(b)
    while rate and at / rate > time.monotonic() - t0:
        time.sleep(0.01)
s.close()
"""


def inside(ns, *argv, **kw):
    return subprocess.Popen(("ip", "netns", "exec", ns) + argv,
                            preexec_fn=lab._child, text=True, **kw)


def ip(ns, *words):
    return lab.sh("ip", "-n", ns, *words)


def until(what, cond):
    end = time.monotonic() + WAIT
    while not cond():
        if time.monotonic() > end:
            raise lab.LabError("not in %d s: %s" % (WAIT, what))
        time.sleep(0.05)


class End:
    """A running end of the tunnel."""

    def __init__(self, net, ns, *words, before=()):
        self.err = os.path.join(net.dir, "%s-%d.err" % (ns, len(net.ends)))
        self.out = self.err + ".out"
        argv = tuple(before) + (lab.BINARY, "tunnel", "--json") + words
        with open(self.out, "w") as o, open(self.err, "w") as e:
            self.p = inside(ns, *argv, stdout=o, stderr=e)
        net.ends.append(self)
        until("an end is up: " + self.said(),
              lambda: "is up" in self.said() or self.p.poll() is not None)

    def said(self):
        with open(self.err) as f:
            return f.read()

    def reports(self):
        return [json.loads(x) for x in lab.whole_lines(self.out)]

    def report(self):
        """The counters as they are now."""
        n = len(self.reports())
        self.p.send_signal(signal.SIGUSR1)
        until("a report", lambda: len(self.reports()) > n)
        return self.reports()[-1]

    def finish(self):
        self.p.send_signal(signal.SIGTERM)
        return self.p.wait(WAIT)


class Net:
    """The namespaces, and what runs in them; all goes at the end."""

    def __init__(self, plain):
        self.plain = plain
        self.ends, self.children = [], []

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="understudy-tunnel-")
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def build(self):
        for ns in (A, B):
            lab.sh("ip", "netns", "add", ns)
            ip(ns, "link", "set", "lo", "up")
        for i in (1, 2):
            ip(A, "link", "add", "p%d" % i, "type", "veth", "peer", "name",
               "p%d" % i, "netns", B)
            for k, ns in ((1, A), (2, B)):
                ip(ns, "addr", "add", "10.20.%d.%d/24" % (i, k), "dev",
                   "p%d" % i)
                ip(ns, "addr", "add", "fd20:%d::%d/64" % (i, k), "dev",
                   "p%d" % i, "nodad")
                ip(ns, "link", "set", "p%d" % i, "up")
        self.keys = {}
        for ns in (A, B):
            path = os.path.join(self.dir, ns + ".key")
            self.keys[ns] = (path, lab.sh(lab.BINARY, "tunnel", "keygen",
                                          path).strip())

    def trust(self, ns):
        if self.plain:
            return ("--plain",)
        return ("--key", self.keys[ns][0],
                "--peer", self.keys[B if ns == A else A][1])

    def listen(self, *words):
        return End(self, B, "--addr", "10.99.0.2/30", "--addr", "fd99::2/64",
                   *(words or ("--listen", "0.0.0.0:7000")), *self.trust(B))

    def begin(self, *words):
        return End(self, A, "--addr", "10.99.0.1/30", "--addr", "fd99::1/64",
                   *(words or ("--path", "p1,10.20.1.2:7000", "--path",
                               "10.20.2.1,10.20.2.2:7000")), *self.trust(A))

    def ping(self, count=1, addr="10.99.0.2", *words):
        r = inside(A, "ping", "-c", str(count), "-i", "0.05", "-W", "1",
                   *words, addr, stdout=subprocess.DEVNULL)
        return r.wait() == 0

    def transfer(self, to=B, size=SIZE, rate=0, addr=None, between=None):
        """One connection; whether what was sent is what came."""
        addr = addr or ("10.99.0.2" if to == B else "10.99.0.1")
        get = inside(to, sys.executable, "-c", RECEIVE, addr,
                     stdout=subprocess.PIPE)
        self.children.append(get)
        if get.stdout.readline() != "ready\n":
            raise lab.LabError("no receiver")
        put = inside(A if to == B else B, sys.executable, "-c", SEND, addr,
                     str(size), str(rate))
        self.children.append(put)
        if between:
            between()
        put.wait(3 * WAIT)
        got = get.communicate(timeout=WAIT)[0].split()
        r, h, at = random.Random(size), hashlib.sha256(), 0
        while at < size:
            b = r.randbytes(min(65536, size - at))
            h.update(b)
            at += len(b)
        return got == [str(size), h.hexdigest()]

    def __exit__(self, *_):
        for p in self.children + [e.p for e in self.ends]:
            if p.poll() is None:
                p.send_signal(signal.SIGKILL)
            p.wait()
        for ns in (A, B):
            subprocess.run(("ip", "netns", "del", ns), check=False,
                           stderr=subprocess.DEVNULL)
        lab.shutil.rmtree(self.dir, ignore_errors=True)


def drop(i, on):
    """Path i loses all packets, both ways, and nobody is told: they go to a
    hardware address that nobody has."""
    for k, ns in ((2, A), (1, B)):
        words = ("neigh", "replace", "10.20.%d.%d" % (i, k), "lladdr",
                 "02:00:00:00:00:99", "dev", "p%d" % i, "nud", "permanent")
        if not on:
            words = ("neigh", "del") + words[2:3] + words[5:7]
        ip(ns, *words)


def sent(report):
    return {p["path"]: p["sent"] for p in report["paths"]}


def both_used(t, net, end, to=B, addr=None, since=None, transfer=None):
    """Both paths of an end carry packets, some day: without a limit one path may be
    all that a connection needs, until it waits for room and the other one is
    measured anew. So there is no transfer that must have used both."""
    since = since or {0: 0, 1: 0}
    transfer = transfer or (lambda: t.check(
        net.transfer(to, addr=addr, size=2 << 20), "bytes differ"))

    def used():
        now = sent(end.report())
        if len(now) == 2 and all(now[i] > since[i] + 100 for i in now):
            return True
        transfer()
        return False
    until("both paths are used", used)


def both_ways(t, plain):
    with Net(plain) as net:
        b = net.listen()
        a = net.begin()
        until("ping", net.ping)
        t.check(net.ping(20), "of 20 pings some got lost")
        t.check(net.transfer(B), "a to b")
        t.check(net.transfer(A), "b to a")
        t.check(net.transfer(B, addr="fd99::2", size=1 << 20), "IPv6")
        for name, end, to in (("a", a, B), ("b", b, A)):
            both_used(t, net, end, to)
            r = end.report()
            t.equal(r["link"]["forged"] + r["link"]["bad"], 0, name)
            t.equal(end.finish(), 0, "exit code of " + name)


def over_ipv6(t, plain):
    with Net(plain) as net:
        net.listen("--listen", "0.0.0.0:7000", "--listen", "[::]:7001")
        a = net.begin("--path", "p1,10.20.1.2:7000", "--path",
                      "fd20:2::1,[fd20:2::2]:7001")
        until("both paths are there", lambda: both_alive(net, a))
        t.check(net.transfer(B), "transfer")
        both_used(t, net, a)


def done(net):
    """The last sender is."""
    return net.children[-1].poll() is not None


def path_dies(t, plain):
    with Net(plain) as net:
        net.listen()
        a = net.begin()
        until("both paths are there", lambda: both_alive(net, a))
        begun = sent(a.report())[0] + 100

        def die():
            until("a path is in use",
                  lambda: sent(a.report())[0] > begun or done(net))
            drop(1, True)

        # Two seconds long at least, and the path dies when it carries.
        t.check(net.transfer(B, rate=SIZE / 2, between=die), "bytes differ")
        until("it is noticed", lambda: net.ping() is not None and
              a.report()["machine"]["path_lost"] > 0)
        drop(1, False)
        until("the path is back", lambda: net.ping() is not None and
              a.report()["machine"]["path_back"] > 0)
        before = sent(a.report())
        t.check(net.transfer(B), "bytes differ behind it")
        both_used(t, net, a, since=before)


def far_end_dies(t, plain):
    with Net(plain) as net:
        b = net.listen()
        a = net.begin()
        until("ping", net.ping)
        b.p.send_signal(signal.SIGKILL)
        b.p.wait()
        t.check(not net.ping(), "ping to nobody")
        net.listen()
        until("ping, again", net.ping)
        t.check(net.transfer(B, size=1 << 20), "bytes differ")
        t.equal(a.report()["link"]["restarts"], 1, "restarts seen by a")
        # The end that begins, too; the other one knows its new process.
        a.p.send_signal(signal.SIGKILL)
        a.p.wait()
        net.begin()
        until("ping, a third time", net.ping)
        t.check(net.transfer(A, size=1 << 20), "bytes differ")


def address_changes(t, plain):
    with Net(plain) as net:
        b = net.listen()
        net.begin()
        until("ping", net.ping)
        ip(A, "addr", "add", "10.20.1.11/24", "dev", "p1")
        ip(A, "addr", "del", "10.20.1.1/24", "dev", "p1")
        ip(A, "addr", "add", "10.20.1.11/24", "dev", "p1")
        until("a path moved", lambda: net.transfer(B, size=1 << 20) and
              b.report()["ends"]["moved"] > 0)
        r = b.report()
        t.check(any(p["to"].startswith("10.20.1.11:") for p in r["paths"]),
                str(r["paths"]))


def both_alive(net, end):
    """Something has come back on both paths; pings wake the one that waits."""
    net.ping()
    paths = end.report()["paths"]
    return len(paths) == 2 and all(p["alive"] for p in paths)


def strangers(t, plain):
    """What is not from the other end changes nothing."""
    with Net(plain) as net:
        b = net.listen()
        a = net.begin()
        until("ping", net.ping)
        junk = """
import random, socket
s, r = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), random.Random(1)
for i in range(3000):
    p = bytearray(r.randbytes(r.choice((0, 1, 20, 36, 92, 148, 400))))
    if p and i % 2:
        p[0] = r.choice((1, 2, 3, 4, 16, 17, 18, 19, 20))
    if len(p) > 3 and i % 3:
        p[1] = p[2] = p[3] = 0
    s.sendto(p, ("10.20.1.2", 7000))
"""

        def seen():
            t.equal(inside(A, sys.executable, "-c", junk).wait(), 0,
                    "the stranger")
            n = b.report()["link"]
            return n["bad"] + n["unknown"] + n["bad_mac"] + n["forged"] > 500
        until("strangers are counted", seen)
        t.check(net.transfer(B, size=1 << 20), "bytes differ")
        r = b.report()
        t.equal((r["ends"]["moved"], r["link"]["restarts"],
                 a.report()["link"]["restarts"]), (0, 0, 0), "state")


def wrong_key(t):
    with Net(False) as net:
        b = net.listen()
        other = os.path.join(net.dir, "other")
        lab.sh(lab.BINARY, "tunnel", "keygen", other)
        a = End(net, A, "--addr", "10.99.0.1/30", "--path",
                "p1,10.20.1.2:7000", "--key", other, "--peer",
                net.keys[B][1])
        until("it asked twice", lambda: a.report()["link"]["asks"] > 1)
        t.check(not net.ping(), "ping")
        r = b.report()
        t.check(r["link"]["forged"] > 0, str(r["link"]))
        t.equal((r["link"]["sessions"], r["paths"]), (0, []), "sessions")


def sources(t, plain):
    """Packets of other networks than the device's do not come out."""
    with Net(plain) as net:
        b = net.listen()
        net.begin()
        until("ping", net.ping)
        ip(A, "addr", "add", "10.77.0.1/32", "dev", "lo")
        until("they are counted", lambda: not net.ping(
            2, "10.99.0.2", "-I", "10.77.0.1") and
            b.report()["ends"]["not_allowed"] >= 2)


MARKS = """
import socket, struct, sys
def fd(tos):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
    return s
for tos in (0xb8, 0x2a, 0x00):
    fd(tos).sendto(b"x", ("10.99.0.2", 6000))
"""
LISTEN = """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
s.settimeout(10)
print("ready", flush=True)
seen = set()
while True:
    p, a = s.recvfrom(2048)
    if a[0] == "us0" and p[0] == 0x45 and p[9] == 17:
        print("inner", p[1], flush=True)
        seen.add(p[1])
    elif a[0] in ("p1", "p2") and p[0] == 0x45 and p[9] == 17 and a[2] == 0:
        print("outer", p[1], flush=True)
    if len(seen) == 3:
        break
"""


def marks(t, plain):
    """DSCP and ECN of a packet are those of its datagram."""
    with Net(plain) as net:
        net.listen()
        net.begin()
        until("ping", net.ping)
        hear = inside(B, sys.executable, "-c", LISTEN, stdout=subprocess.PIPE)
        net.children.append(hear)
        hear.stdout.readline()
        t.equal(inside(A, sys.executable, "-c", MARKS).wait(), 0, "sender")
        said = hear.communicate(timeout=WAIT)[0].split("\n")
        for tos in (0xb8, 0x2a, 0):
            t.check("inner %d" % tos in said and "outer %d" % tos in said,
                    "%d: %s" % (tos, said))


def loops(t, plain):
    """A path that later comes to lead into the device itself."""
    with Net(plain) as net:
        net.listen()
        a = net.begin()
        until("ping", net.ping)
        ip(A, "route", "add", "10.20.2.2/32", "dev", "us0", "src",
           "10.20.2.1")
        net.ping(5)
        until("it was seen", lambda: a.report()["ends"]["looped"] > 0)
        t.check(net.transfer(B, size=1 << 20), "bytes differ")
        t.equal(a.finish(), 0, "exit code")


KEY = "A" * 42 + "A="
WRONG = [
    ([], "--path"),
    (["--path", "p1,10.20.1.2:7000"], "--addr"),
    (["--addr", "10.99.0.1/30", "--path", "p1,10.20.1.2:7000"], "keygen"),
    (["--addr", "10.99.0.1/30", "--path", "p1,10.20.1.2", "--plain"], "port"),
    (["--addr", "10.99.0.1/30", "--path", "p1", "--plain"], "far end"),
    (["--addr", "10.99.0.1", "--path", "p1,10.20.1.2:7000"], "length"),
    (["--addr", "10.99.0.1/30", "--path", "p1,10.20.1.2:7,tier=x"], "word"),
    (["--addr", "10.99.0.1/30", "--path", "10.0.0.1,[fd20:1::2]:7000"],
     "IPv6"),
    (["--addr", "10.99.0.1/30", "--path", "us0,10.20.1.2:7000", "--plain"],
     "tunnel itself"),
    (["--addr", "10.99.0.1/30", "--path", "any,10.99.0.2:7000", "--plain"],
     "tunnel itself"),
    (["--addr", "10.99.0.1/30", "--path", "p9,10.20.1.2:7000", "--plain"],
     "no such device"),
    (["--addr", "10.99.0.1/30", "--path", "p1,10.20.1.2:7000", "--listen",
      "0.0.0.0:7000", "--plain"], "one of them"),
    (["--addr", "10.99.0.1/30", "--listen", "10.1.2.3:7000", "--plain"],
     "10.1.2.3:7000"),
    (["--addr", "10.99.0.1/30", "--path", "p1,10.20.1.2:7000", "--plain",
      "--key", "x"], "--plain"),
    (["--addr", "10.99.0.1/30", "--path", "p1,10.20.1.2:7000", "--key", "x",
      "--peer", "x"], "public key"),
    (["--addr", "10.99.0.1/30", "--path", "p1,10.20.1.2:7000", "--key",
      "/nowhere", "--peer", KEY], "/nowhere"),
    (["--addr", "10.99.0.1/30", "--path", "p1,10.20.1.2:7000", "--key",
      "/etc/hostname", "--peer", KEY], "chmod"),
    (["--dev", "p1", "--addr", "10.99.0.1/30", "--path",
      "p2,10.20.1.2:7000", "--plain"], "--dev p1"),
    (["keygen"], "FILE"),
    (["keygen", "/etc/hostname"], "exists"),
    (["nonsense"], "nonsense"),
]


def wrong_input(t):
    with Net(True):
        for words, said in WRONG:
            r = subprocess.run(("ip", "netns", "exec", A, lab.BINARY,
                                "tunnel", *words), capture_output=True,
                               text=True, timeout=WAIT)
            t.equal(r.returncode, 2, " ".join(words))
            t.check(r.stderr.count("\n") == 1 and said in r.stderr,
                    "%s: %s" % (words, r.stderr))


def privileges(t):
    """What runs has no capability, no root, and a filter."""
    with Net(False) as net:
        b = net.listen()
        with open("/proc/%d/status" % b.p.pid) as f:
            got = dict(x.rstrip("\n").split(":\t", 1) for x in f if ":\t" in x)
        t.equal((got["CapEff"], got["CapPrm"], got["Seccomp"],
                 got["NoNewPrivs"]), ("0" * 16, "0" * 16, "2", "1"),
                "privileges")
        t.check(got["Uid"].split()[0] != "0", "it is root")


if __name__ == "__main__":
    tests = []
    for plain in (False, True):
        way = "plain" if plain else "sealed"
        tests += [(way + ": " + name, f, plain) for name, f in (
            ("both ways, byte for byte", both_ways),
            ("a path of IPv6", over_ipv6),
            ("a path dies and returns", path_dies),
            ("the far end dies and returns", far_end_dies),
            ("an address changes", address_changes),
            ("strangers", strangers),
            ("sources", sources),
            ("marks", marks),
            ("a path leads into the tunnel", loops))]
    tests += [("a wrong key", wrong_key), ("wrong input", wrong_input),
              ("privileges", privileges)]
    lab.main(tests)
