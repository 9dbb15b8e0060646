# SPDX-License-Identifier: BSD-2-Clause
"""What the network reports to a tunnel, and what --check says before there is one
(test_tunnel.py has the namespaces)."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_tunnel as rig  # noqa: E402
import test_tunnel_pad as pads  # noqa: E402
from test_tunnel import lab, until  # noqa: E402

IDLE = "a few messages"
# Messages about a datagram of ours from port argv[1], with bytes that nobody sent.
FORGE = """
import os, socket, struct, sys
port, six = int(sys.argv[1]), sys.argv[2] == "6"
def csum(b):
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    s = (s >> 16) + (s & 0xffff)
    return ~(s + (s >> 16)) & 0xffff
def quote():
    body = os.urandom(24)
    udp = struct.pack("!HHHH", port, 7000, 8 + len(body), 0) + body
    if six:
        return struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + b"".join(
            socket.inet_pton(socket.AF_INET6, "fd20:1::%d" % k)
            for k in (1, 2)) + udp
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                       socket.inet_aton("10.20.1.1"),
                       socket.inet_aton("10.20.1.2")) + udp
if six:
    s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    for kind, code, mtu in ((1, 4, 0), (2, 0, 1280), (1, 0, 0)):
        s.sendto(struct.pack("!BBHI", kind, code, 0, mtu) + quote(),
                 ("fd20:1::1", 0))
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    for code, mtu in ((3, 0), (4, 600), (1, 0)):
        m = struct.pack("!BBHHH", 3, code, 0, 0, mtu) + quote()
        s.sendto(m[:2] + struct.pack("!H", csum(m)) + m[4:], ("10.20.1.1", 0))
"""
LISTEN = {4: "0.0.0.0:7000", 6: "[::]:7000"}
PATHS = {4: ("p1,10.20.1.2:7000", "p2,10.20.2.2:7000"),
         6: ("p1,[fd20:1::2]:7000", "p2,[fd20:2::2]:7000")}


def told(end):
    r = end.report()
    return (r["ends"]["told"], r["ends"]["told_strange"],
            {p["path"]: (p["told"], p["told_size"], p["mtu"])
             for p in r["paths"]})


def reported(t, net, family):
    """A far end that is gone: its host says so, of each path. What quotes nothing of
    ours is counted, and is of no path."""
    with net:
        b = net.listen("--listen", LISTEN[family])
        a = net.begin(*(x for p in PATHS[family] for x in ("--path", p)))
        until("both paths are there", lambda: rig.both_alive(net, a))
        before = told(a)
        t.equal(before[:2], (0, 0), "nothing was reported")
        ports = lab.sh("ip", "netns", "exec", rig.A, "ss", "-Huan")
        mine = r"0\.0\.0\.0:(\d+)" if family == 4 else r"(?:\[::\]|\*):(\d+)"
        port = re.search(mine, ports).group(1)
        lab.sh("ip", "netns", "exec", rig.B, sys.executable, "-c", FORGE, port,
               str(family))
        until("three messages came", lambda: told(a)[0] >= 3)
        now = told(a)
        t.equal(now, (3, 3, before[2]), "forged messages")
        b.finish()
        net.ping()
        until("both paths are told of",
              lambda: all(p[0] > 0 for p in told(a)[2].values()))
        t.equal(told(a)[1], 3, "of what we did not send")
        net.listen("--listen", LISTEN[family])
        until("ping", net.ping)


def check(*words):
    r = subprocess.run(("ip", "netns", "exec", rig.A, lab.BINARY, "tunnel",
                        "--check", "--plain") + words, capture_output=True,
                       text=True, timeout=30, check=False)
    return r.returncode, r.stdout


def checked(t):
    """Each thing that --check finds, and that its remedy mends it."""
    ways = ("--path", "p1,10.20.1.2:7000", "--path", "p2,10.20.2.2:7000")
    with rig.Net(True):
        lab.sh("ip", "netns", "exec", rig.A, "sysctl", "-qw",
               "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.p1.rp_filter=0",
               "net.ipv4.conf.p2.rp_filter=0")
        code, said = check(*ways)
        t.check(code == 0 and "FAIL" not in said and said.count("ok") == 10,
                said)
        rows = (
            (("sysctl", "-qw", "net.ipv4.conf.p2.rp_filter=1"),
             r"FAIL +p2 drops.*\n.*remedy: (sysctl .*rp_filter=2)\n"),
            (("ip", "link", "set", "p1", "down"),
             r"FAIL +p1 is down.*\n.*remedy: (ip link set p1 up)\n"),
            (("ip", "link", "set", "p2", "mtu", "1000"),
             r"FAIL +p2 takes 1000.*\n.*remedy: (ip link set p2 mtu 1500)"),
        )
        for breaks, says in rows:
            lab.sh("ip", "netns", "exec", rig.A, *breaks)
            code, said = check(*ways)
            found = re.search(says, said)
            t.check(code == 2 and found and said.count("FAIL") == 1, said)
            lab.sh("ip", "netns", "exec", rig.A, *found.group(1).split())
            # A carrier is there a moment after its device.
            until("it is mended: " + said, lambda: check(*ways)[0] == 0)
        code, said = check("--path", "p1,10.20.2.2:7000")
        t.check(code == 2 and "no route leads to 10.20.2.2:7000 by p1" in said,
                said)
        code, said = check("--path", "p9,10.20.2.2:7000")
        t.check(code == 2 and "p9: there is no such device" in said, said)
        code, said = check("--path", "10.20.1.1,198.51.100.1:7000")
        t.check(code == 2 and "no route leads to 198.51.100.1:7000" in said,
                said)


if __name__ == "__main__":
    lab.main([("plain", reported, rig.Net(True), 4),
              ("plain, IPv6", reported, rig.Net(True), 6),
              ("with keys", reported, rig.Net(False), 4),
              ("with keys, IPv6", reported, rig.Net(False), 6),
              ("with a pad", reported, pads.Net(), 4),
              ("with a pad, IPv6", reported, pads.Net(), 6),
              ("--check", checked)])
