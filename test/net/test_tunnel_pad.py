# SPDX-License-Identifier: BSD-2-Clause
"""A tunnel under a one-time pad (test_tunnel.py has the namespaces), and numbers and
bytes that are never used twice, whoever is killed."""
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_tunnel as rig  # noqa: E402
from test_tunnel import A, B, lab, until  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import nonces  # noqa: E402

IDLE = "a few megabytes"
MANY = 1 << 20
KILLS = 20


class Net(rig.Net):
    """Each end has a copy of one pad; or, with plain=False, keys."""

    def __init__(self, size="64M"):
        super().__init__(False)
        self.size = size

    def build(self):
        super().build()
        self.pad = {}
        if self.size:
            for ns in (A, B):
                self.pad[ns] = os.path.join(self.dir, ns + ".pad")
            lab.sh(lab.BINARY, "tunnel", "padgen", self.pad[A], self.size)
            shutil.copy2(self.pad[A], self.pad[B])

    def trust(self, ns):
        return ("--pad", self.pad[ns]) if self.pad else super().trust(ns)


def refuse(t, ns, says, *words):
    r = subprocess.run(("ip", "netns", "exec", ns, lab.BINARY, "tunnel",
                        *words), capture_output=True, text=True,
                       timeout=rig.WAIT, check=False)
    t.check(r.returncode == 2 and says in r.stderr and
            r.stderr.count("\n") == 1, "%s: %s" % (says, r.stderr))


def both_ways(t):
    with Net() as net:
        b = net.listen()
        a = net.begin()
        until("ping", net.ping)
        watch = nonces.Watch(B, ("p1", "p2"))
        t.check(net.transfer(B), "a to b")
        t.check(net.transfer(A), "b to a")
        for name, end in (("a", a), ("b", b)):
            r = end.report()
            t.equal((r["link"]["sessions"], r["link"]["forged"],
                     r["link"]["bad"]), (1, 0, 0), name)
            left = r["ends"]["pad_left"]
            t.check(rig.SIZE < (32 << 20) - left < 3 * rig.SIZE, str(left))
        for end, to in ((a, B), (b, A)):
            rig.both_used(t, net, end, to)
        # Whose pad it is now, nobody else's it can be.
        refuse(t, A, "another process", "--addr", "10.98.0.1/30", "--dev",
               "us9", "--path", "p1,10.20.1.2:7000", "--pad", net.pad[A])
        t.equal((a.finish(), b.finish()), (0, 0), "exit codes")
        seen = watch.finish()
        t.check(seen.datagrams > 10000 and not seen.twice,
                "%d datagrams, twice %s" % (seen.datagrams, seen.twice[:3]))
        # What was sent, and what was opened, is wiped in both copies.
        for name in net.pad.values():
            with open(name, "rb") as f:
                f.seek(4096)
                t.check(f.read(4096) == bytes(4096), name)


def far_end_dies(t):
    with Net() as net:
        b = net.listen()
        a = net.begin()
        until("ping", net.ping)
        b.p.send_signal(signal.SIGKILL)
        b.p.wait()
        net.listen()
        until("ping, again", net.ping)
        t.check(net.transfer(B, size=MANY), "bytes differ")
        t.equal(a.report()["link"]["restarts"], 1, "restarts seen by a")
        a.p.send_signal(signal.SIGKILL)
        a.p.wait()
        net.begin()
        until("ping, a third time", net.ping)
        t.check(net.transfer(A, size=MANY), "bytes differ")


def kills(t, size):
    """KILLS times one end or both are killed in the middle of a transfer."""
    with Net(size) as net:
        watch = nonces.Watch(B, ("p1", "p2"))
        a = b = None
        for i in range(KILLS):
            if b is None or i % 3 != 1:
                b = net.listen()
            if a is None or i % 3 != 2:
                a = net.begin()
            until("ping %d" % i, net.ping)
            sent = a.report()["machine"]["inner"]
            inside = rig.inside(A, "ping", "-f", "-c", "2000", "-s", "1000",
                                "10.99.0.2", stdout=subprocess.DEVNULL)
            net.children.append(inside)
            until("packets", lambda: a.report()["machine"]["inner"] > sent)
            for end in ([a, b], [a], [b])[(i + 1) % 3]:
                end.p.send_signal(signal.SIGKILL)
                end.p.wait()
            inside.kill()
            inside.wait()
        seen = watch.finish()
        t.check(seen.datagrams > 5 * KILLS, "%d datagrams" % seen.datagrams)
        if size is None:
            t.check(seen.keys() >= KILLS, "%d keys" % seen.keys())
            t.equal(seen.strange, 0, "packets of no handshake")
        t.equal(seen.twice[:3], [], "twice")


def used_up(t):
    """The end whose half is used up ends, and says so."""
    with Net("1M") as net:
        b = net.listen()
        a = net.begin()
        until("ping", net.ping)
        p = rig.inside(A, "ping", "-f", "-s", "1300", "10.99.0.2",
                       stdout=subprocess.DEVNULL)
        net.children.append(p)
        t.equal(a.p.wait(3 * rig.WAIT) if b.p.poll() is None else 2, 2, "exit")
        until("one of them says it", lambda: "used up" in a.said() + b.said())
        p.kill()
        p.wait()
        if a.p.poll() is not None:
            refuse(t, A, "used up", "--addr", "10.99.0.1/30", "--path",
                   "p1,10.20.1.2:7000", "--pad", net.pad[A])


def wrong_files(t):
    with Net("1M") as net:
        words = ("--addr", "10.99.0.1/30", "--path", "p1,10.20.1.2:7000",
                 "--pad")
        a = net.begin()
        a.p.send_signal(signal.SIGTERM)
        a.p.wait(rig.WAIT)
        copy = os.path.join(net.dir, "copy")
        shutil.copy2(net.pad[A], copy)
        refuse(t, A, "is a copy of a pad that was in use", *words, copy)
        refuse(t, B, "is the copy of the end that begins", "--addr",
               "10.99.0.2/30", "--listen", "0.0.0.0:7000", "--pad",
               net.pad[A])
        with open(copy, "wb") as f, open(net.pad[B], "rb") as g:
            f.write(g.read(700000))
        refuse(t, A, "not a whole one", *words, copy)
        os.chmod(copy, 0o640)
        refuse(t, A, "others can read", *words, copy)
        zero = os.path.join(net.dir, "zero")
        shutil.copy2(net.pad[B], zero)
        with open(zero, "r+b") as f:
            f.seek(4096)
            f.write(bytes(1 << 20))
        refuse(t, A, "has zeros", *words, zero)
        refuse(t, A, "is no file", *words, "/dev/zero")
        refuse(t, A, "this is not random", "padgen",
               os.path.join(net.dir, "x"), "1M", "/dev/zero")
        t.check(not os.path.exists(os.path.join(net.dir, "x")), "x is left")
        refuse(t, A, "not so many bytes", "padgen",
               os.path.join(net.dir, "x"), "1M", "/etc/hostname")


def strangers(t):
    """What was sent before, and noise, changes nothing."""
    with Net() as net:
        b = net.listen()
        net.begin()
        until("ping", net.ping)
        t.check(net.ping(5), "pings")
        junk = """
import random, socket
s, r = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), random.Random(1)
for i in range(3000):
    p = bytearray(r.randbytes(r.choice((0, 1, 8, 23, 24, 25, 60, 92, 400))))
    if p and i % 4:
        p[0] = 24
    if len(p) > 8 and i % 2:
        p[1] = r.randrange(20)
        p[2:8] = (4096 + r.randrange(32 << 20)).to_bytes(6, "big")
    s.sendto(p, ("10.20.1.2", 7000))
"""

        def seen():
            t.equal(rig.inside(A, sys.executable, "-c", junk).wait(), 0,
                    "the stranger")
            n = b.report()["link"]
            return n["forged"] > 500 and n["bad"] > 500
        until("strangers are counted", seen)
        t.check(net.transfer(B, size=MANY), "bytes differ")
        r = b.report()
        t.equal((r["ends"]["moved"], r["link"]["restarts"]), (0, 0), "state")


if __name__ == "__main__":
    lab.main([("both ways, byte for byte", both_ways),
              ("the far end dies and returns", far_end_dies),
              ("strangers", strangers), ("wrong files", wrong_files),
              ("a pad is used up", used_up),
              ("%d kills, no byte of a pad twice" % KILLS, kills, "256M"),
              ("%d kills, no nonce twice" % KILLS, kills, None)])
