# SPDX-License-Identifier: BSD-2-Clause
"""Long packets of a tunnel's device and long datagrams of its paths (test_tunnel.py
has the namespaces): what goes through is the same with and without them, and with them
at one end only. A kernel checks the sums of all that is not joined."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_tunnel as rig  # noqa: E402
from test_tunnel import lab, until  # noqa: E402

IDLE = "a few megabytes"
LONG = ("cut", "joined", "sent_joined", "came_joined")
EACH, COUNT, ROUNDS = 1200, 10, 20
# Datagrams that the kernel is given in one, and what came of them: each round is
# answered when all of it is there, else it is sent again.
DATAGRAMS = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("10.99.0.2", 5001))
s.setsockopt(17, 103, %d)
s.settimeout(1)
for k in range(%d):
    for _ in range(10):
        s.send(b"".join(bytes([k, i]) * %d for i in range(%d)))
        try:
            while s.recv(9) != bytes([k]):
                pass
            break
        except TimeoutError:
            pass
    else:
        raise SystemExit("round %%d did not come" %% k)
""" % (EACH, ROUNDS, EACH // 2, COUNT)
TAKE = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.99.0.2", 5001))
s.settimeout(15)
print("ready", flush=True)
came = [set() for _ in range(%d)]
while True:
    b, who = s.recvfrom(65536)
    if b != b[:2] * %d:
        raise SystemExit("not as it was sent")
    came[b[0]].add(b[1])
    if len(came[b[0]]) == %d:
        s.sendto(b[:1], who)
""" % (ROUNDS, EACH // 2, COUNT)


def counted(end):
    r = end.report()["ends"]
    return {name: r[name] for name in LONG}


def ends(net, at_a="auto", at_b="auto"):
    b = net.listen("--listen", "0.0.0.0:7000", "--offload", at_b)
    a = net.begin("--path", "p1,10.20.1.2:7000", "--path",
                  "10.20.2.1,10.20.2.2:7000", "--offload", at_a)
    until("ping", net.ping)
    return a, b


def both_ways(t, plain, at_a, at_b):
    with rig.Net(plain) as net:
        a, b = ends(net, at_a, at_b)
        t.check(net.transfer(rig.B), "a to b")
        t.check(net.transfer(rig.A), "b to a")
        t.check(net.transfer(rig.B, addr="fd99::2", size=2 << 20), "IPv6")
        for name, end, has in (("a", a, at_a), ("b", b, at_b)):
            n = counted(end)
            # What comes joined is the other end's doing.
            for what in LONG[:3]:
                t.equal(n[what] > 0, has == "auto", "%s: %s" % (name, n))
            if (at_a, at_b) != ("auto", "auto"):
                continue
            t.check(n["came_joined"] > 0, "%s: %s" % (name, n))
        for name, end in (("a", a), ("b", b)):
            r = end.report()
            t.equal(r["ends"]["broken"] + r["ends"]["not_written"] +
                    r["ends"]["not_ip"], 0, name)
            t.equal(r["machine"]["delivered"], r["ends"]["written"] +
                    r["ends"]["not_allowed"], name)


def refused(t):
    """A device that takes no datagrams so long: the kernel cuts single ones, and
    refuses several in one."""
    with rig.Net(False) as net:
        for ns in (rig.A, rig.B):
            rig.ip(ns, "link", "set", "p2", "mtu", "1300")
        a, b = ends(net)
        t.check(net.transfer(rig.B), "a to b")
        t.check(net.transfer(rig.A), "b to a")
        n = a.report()["ends"]["joined_refused"] + \
            b.report()["ends"]["joined_refused"]
        t.check(n > 0, "nothing was refused")


def datagrams(t):
    with rig.Net(False) as net:
        a, b = ends(net)
        get = rig.inside(rig.B, sys.executable, "-c", TAKE,
                         stdout=subprocess.PIPE)
        net.children.append(get)
        get.stdout.readline()
        put = rig.inside(rig.A, sys.executable, "-c", DATAGRAMS)
        net.children.append(put)
        t.equal(put.wait(3 * rig.WAIT), 0, "sending")
        t.check(get.poll() is None, "what came is not what was sent")
        n = counted(a)["cut"]
        if n == 0:
            raise lab.Skip("the kernel's TUN has no long datagrams")


if __name__ == "__main__":
    lab.main([
        ("sealed: at both ends", both_ways, False, "auto", "auto"),
        ("plain: at both ends", both_ways, True, "auto", "auto"),
        ("at one end", both_ways, False, "auto", "off"),
        ("at the other end", both_ways, False, "off", "auto"),
        ("at none", both_ways, False, "off", "off"),
        ("a device that refuses", refused),
        ("long datagrams", datagrams)])
