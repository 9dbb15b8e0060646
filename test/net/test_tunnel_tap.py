# SPDX-License-Identifier: BSD-2-Clause
"""A tunnel of Ethernet (test_tunnel.py has the namespaces): each end's device is a port
of a bridge, behind which is a host, and the hosts are on one network:

     ha --- br --- us0 ( a )  =======  ( b ) us0 --- br --- hb
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_tunnel as rig  # noqa: E402
from test_tunnel import lab, until  # noqa: E402

IDLE = "a few megabytes"
HOSTS = {rig.A: rig.A + "h", rig.B: rig.B + "h"}
ADDR = {rig.A: "192.0.2.1", rig.B: "192.0.2.2"}
PATHS = ("--path", "p1,10.20.1.2:7000", "--path", "10.20.2.1,10.20.2.2:7000")
# A tag is not among the bytes that a socket gives.
GIVE = """
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth", 0))
while True:
    for tag in (b"", b"\\x81\\0\\0\\7"):
        s.send(b"\\2\\0\\0\\0\\0\\7\\2\\0\\0\\0\\0\\6" + tag + b"\\x88\\xb5" +
               bytes([len(tag)]) + bytes(range(250)) * 5 + bytes(249))
    time.sleep(0.1)
"""
TAKE = """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("eth", 3))
s.settimeout(15)
print("ready", flush=True)
came = set()
while len(came) < 2:
    b = s.recv(65536)
    if b[:6] == b"\\2\\0\\0\\0\\0\\7" and len(b) == 1514 and \\
            b[15:] == bytes(range(250)) * 5 + bytes(249):
        came.add(b[14])
print("both came" if came == {0, 4} else came, flush=True)
"""


class Bridged(rig.Net):
    """Two networks that the tunnel joins."""

    def build(self):
        super().build()
        for ns, host in HOSTS.items():
            lab.sh("ip", "netns", "add", host)
            rig.ip(ns, "link", "add", "bridge0", "type", "bridge")
            rig.ip(ns, "link", "set", "bridge0", "up")
            rig.ip(ns, "link", "add", "port", "type", "veth", "peer", "name",
                   "eth", "netns", host)
            rig.ip(ns, "link", "set", "port", "master", "bridge0", "up")
            rig.ip(host, "link", "set", "lo", "up")
            rig.ip(host, "addr", "add", ADDR[ns] + "/24", "dev", "eth")
            rig.ip(host, "addr", "add", "2001:db8::%s/64" % ADDR[ns][-1],
                   "dev", "eth", "nodad")
            rig.ip(host, "link", "set", "eth", "up")

    def __exit__(self, *_):
        super().__exit__()
        for host in HOSTS.values():
            subprocess.run(("ip", "netns", "del", host), check=False,
                           stderr=subprocess.DEVNULL)

    def pair(self, *words):
        b = rig.End(self, rig.B, "--tap", "--listen", "0.0.0.0:7000",
                    *self.trust(rig.B), *words)
        a = rig.End(self, rig.A, "--tap", *PATHS, *self.trust(rig.A))
        for ns in (rig.A, rig.B):
            rig.ip(ns, "link", "set", "us0", "master", "bridge0")
        return a, b

    def host_ping(self, to, *words):
        return rig.inside(HOSTS[rig.A], "ping", "-c", "1", "-W", "1", *words,
                          to, stdout=subprocess.DEVNULL).wait() == 0


def transfer(t, net, to, addr, size):
    """As rig.Net.transfer(), between the hosts."""
    names = rig.A, rig.B
    try:
        rig.A, rig.B = HOSTS[names[0]], HOSTS[names[1]]
        t.check(net.transfer(HOSTS[names[to]], size=size, addr=addr),
                "to " + addr)
    finally:
        rig.A, rig.B = names


def bridged(t, plain):
    with Bridged(plain) as net:
        a, b = net.pair()
        until("a host", lambda: net.host_ping(ADDR[rig.B]))
        until("IPv6", lambda: net.host_ping("2001:db8::2"))
        # A packet that fills the networks' 1500 bytes, and may not be cut.
        t.check(net.host_ping(ADDR[rig.B], "-M", "do", "-s", "1472"), "1500")
        transfer(t, net, 1, ADDR[rig.B], 4 << 20)
        transfer(t, net, 0, ADDR[rig.A], 4 << 20)
        transfer(t, net, 1, "2001:db8::2", 1 << 20)
        for k, (name, end) in enumerate((("a", a), ("b", b))):
            rig.both_used(t, net, end, transfer=lambda to=1 - k: transfer(
                t, net, to, ADDR[(rig.A, rig.B)[to]], 2 << 20))
            n = end.report()["ends"]
            t.check(n["parted"] > 100 and n["parts_joined"] > 100, name)
            t.equal(n["broken"] + n["not_allowed"] + n["not_written"], 0,
                    name)
            t.equal(end.finish(), 0, "exit code of " + name)


def allowed(t):
    """With --allow only what has such a source, and what is no IP."""
    with Bridged(False) as net:
        _, b = net.pair("--allow", "192.0.2.0/24")
        until("a host", lambda: net.host_ping(ADDR[rig.B]))
        until("it is counted", lambda: not net.host_ping("2001:db8::2") and
              b.report()["ends"]["not_allowed"] > 0)


def no_ip(t):
    """Frames of a type that nobody knows, tagged and not, as long as can be: the same
    bytes come out."""
    with Bridged(False) as net:
        net.pair()
        until("a host", lambda: net.host_ping(ADDR[rig.B]))
        get = rig.inside(HOSTS[rig.B], sys.executable, "-c", TAKE,
                         stdout=subprocess.PIPE)
        net.children.append(get)
        get.stdout.readline()
        put = rig.inside(HOSTS[rig.A], sys.executable, "-c", GIVE)
        net.children.append(put)
        t.equal(get.communicate(timeout=rig.WAIT)[0], "both came\n", "frames")


if __name__ == "__main__":
    lab.main([("sealed: two networks are one", bridged, False),
              ("plain: two networks are one", bridged, True),
              ("sources", allowed), ("frames that are no IP", no_ip)])
