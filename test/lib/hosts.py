# SPDX-License-Identifier: BSD-2-Clause
"""Three hosts for the splicing proxy: client, proxy, server.

    client                 proxy               server
   +------+             +---------+           +------+    10.77.1.0/24, fd77:1::/64
   |  c0 ---------------- pc0 ps0 -------------- s0  |    10.77.2.0/24, fd77:2::/64
   |      |    line     |         |           |      |
   |  c1 ---- l0 l1 ------ pc1 ps1 ------------- s1  |    10.77.3.0/24, 10.77.4.0/24
   +------+             +---------+           +------+    lo: 10.77.9.9

`more=True` makes the second row: between c1 and pc1 lies a host that does nothing but
hold up each packet and lose `lost` of 1000 (delay_line); 10.77.9.9 is reached by either
wire.
"""
import ctypes
import hashlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(HERE, "../../build")))
TOOL = os.path.join(BUILD, "splice_tool")
LINE = os.path.join(BUILD, "delay_line")
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
ADDR = {4: ("10.77.1.2", "10.77.1.1", "10.77.2.1", "10.77.2.2", 24),
        6: ("fd77:1::2", "fd77:1::1", "fd77:2::1", "fd77:2::2", 64)}
FAR = "10.77.3.1"  # the proxy's address on the slow wire
TWICE = "10.77.9.9"  # the server's address behind two wires
NAMES = [f"us-{n}-{os.getpid()}" for n in ("xc", "xp", "xs", "xl")]
CLIENT, PROXY, SERVER, LINES = NAMES
WAIT = 20
DELAY = 20  # ms, each way


def sh(*args):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


def on(host, *args):
    """Run a command on a host."""
    sh("ip", "netns", "exec", host, *args)


def within(name, call):
    """Run a function in a thread of its own, in a network namespace; its result."""
    out = []

    def body():
        with open(f"/run/netns/{name}") as f:
            if LIBC.setns(f.fileno(), CLONE_NEWNET):
                out.append(OSError("setns"))
                return
        try:
            out.append(call())
        except Exception as e:  # told to whoever joins
            out.append(e)
    t = threading.Thread(target=body, daemon=True)
    t.start()
    return t, out


def result(task):
    t, out = task
    t.join(WAIT)
    if t.is_alive():
        raise TimeoutError("a host does not come to its end")
    if isinstance(out[0], Exception):
        raise out[0]
    return out[0]


def wire(a, dev_a, b, dev_b):
    sh("ip", "link", "add", dev_a, "netns", a, "type", "veth", "peer", "name", dev_b,
       "netns", b)


def address(host, dev, addr):
    more = ("nodad",) if ":" in addr else ()
    sh("ip", "-n", host, "addr", "add", addr, "dev", dev, *more)


def up(host, *devs):
    for dev in devs:
        sh("ip", "-n", host, "link", "set", dev, "up")


def setup(more=False, lost=0):
    for n in NAMES[:4 if more else 3]:
        sh("ip", "netns", "add", n)
        up(n, "lo")
    wire(CLIENT, "c0", PROXY, "pc0")
    wire(PROXY, "ps0", SERVER, "s0")
    for c, pc, ps, s, bits in ADDR.values():
        for host, a, dev in ((CLIENT, c, "c0"), (PROXY, pc, "pc0"),
                             (PROXY, ps, "ps0"), (SERVER, s, "s0")):
            address(host, dev, f"{a}/{bits}")
    up(CLIENT, "c0")
    up(PROXY, "pc0", "ps0")
    up(SERVER, "s0")
    if more:
        setup_more(lost)


def setup_more(lost):
    wire(CLIENT, "c1", LINES, "l0")
    wire(LINES, "l1", PROXY, "pc1")
    wire(PROXY, "ps1", SERVER, "s1")
    address(CLIENT, "c1", "10.77.3.2/24")
    address(PROXY, "pc1", f"{FAR}/24")
    address(PROXY, "ps1", "10.77.4.1/24")
    address(SERVER, "s1", "10.77.4.2/24")
    address(SERVER, "lo", f"{TWICE}/32")
    up(LINES, "l0", "l1")
    up(CLIENT, "c1")
    up(PROXY, "pc1", "ps1")
    up(SERVER, "s1")
    # The line takes frames as they come; none may be longer than the wire's.
    for host, dev in ((CLIENT, "c1"), (PROXY, "pc1"), (LINES, "l0"), (LINES, "l1")):
        offload(host, dev, "off")
    p = subprocess.Popen(["ip", "netns", "exec", LINES, LINE, "l0", "l1", str(DELAY),
                          str(lost)])
    CHILDREN.append(p)


CHILDREN = []


PROXIES = []


def end_proxies():
    """Those that a test has left."""
    while PROXIES:
        PROXIES.pop().kill()


def cleanup():
    end_proxies()
    for p in CHILDREN:
        p.kill()
        p.wait()
    for n in NAMES:
        subprocess.run(["ip", "netns", "del", n], stderr=subprocess.DEVNULL)


def offload(host, dev, how):
    """Checksums and segmentation of a device."""
    on(host, "ethtool", "-K", dev, "tx", how, "rx", how, "tso", how, "gso", how,
       "gro", how)


def listener(family, addr, port):
    fam = socket.AF_INET6 if family == 6 else socket.AF_INET
    made = socket.socket(fam)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((addr, port))
    made.listen(128)
    return made


def read_all(s):
    h, n = hashlib.sha256(), 0
    while True:
        b = s.recv(65536)
        if not b:
            return h.hexdigest(), n
        h.update(b)
        n += len(b)


def read_exactly(s, n):
    got = b""
    while len(got) < n:
        b = s.recv(n - len(got))
        if not b:
            raise EOFError("it has closed")
        got += b
    return got


def pattern(seed, size):
    return (hashlib.sha256(bytes([seed % 256])).digest() * (size // 32 + 1))[:size]


def resets():
    """RSTs that the proxy's stack has sent so far."""
    text = subprocess.run(["ip", "netns", "exec", PROXY, "cat", "/proc/net/snmp"],
                          capture_output=True, text=True).stdout
    names, values = [l.split() for l in text.splitlines() if l.startswith("Tcp:")]
    return int(values[names.index("OutRsts")])


def sockets_left():
    """Connections that the proxy's stack knows; one that closed before its pair was
    joined waits there as ever."""
    return subprocess.run(["ip", "netns", "exec", PROXY, "ss", "-Htan", "state",
                           "connected", "exclude", "time-wait"],
                          capture_output=True, text=True).stdout.strip()


def no_sockets_left():
    """Wait for the proxy to be out of all connections."""
    end = time.monotonic() + WAIT
    left = sockets_left()
    while left:
        if time.monotonic() > end:
            raise TimeoutError(f"sockets are left: {left}")
        time.sleep(0.01)
        left = sockets_left()


def until(what, call):
    """Wait for something to become true."""
    end = time.monotonic() + WAIT
    while not call():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


class Proxy:
    """A program on the proxy's host that prints lines."""

    def __init__(self, *cmd, ready=None):
        self.p = subprocess.Popen(["ip", "netns", "exec", PROXY, *cmd],
                                  stdout=subprocess.PIPE)
        PROXIES.append(self)
        self.lines = []
        self.said = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        while ready is not None:
            line = self.line()
            if line == ready:
                break
            if line is None or not line.startswith("event: "):
                raise RuntimeError(f"the proxy does not begin: {line}")
            self.lines.append(line)

    def read(self):
        """A thread of its own, so that the program never waits for a reader."""
        for line in self.p.stdout:
            self.said.put(line.decode().rstrip("\n"))
        self.said.put(None)

    def line(self):
        """Its next line; None: it has ended."""
        try:
            return self.said.get(timeout=WAIT)
        except queue.Empty:
            raise TimeoutError("the proxy says nothing") from None

    def wait_for(self, line):
        """Read until it says this."""
        while True:
            said = self.line()
            if said is None:
                raise EOFError(f"{line!r} is not in {self.lines}")
            self.lines.append(said)
            if said == line:
                return

    def kill(self):
        self.p.kill()
        self.p.wait()

    def end(self):
        """Counters, and self.lines is all that it has said."""
        self.p.send_signal(signal.SIGTERM)
        line = self.line()
        while line is not None:
            self.lines.append(line)
            line = self.line()
        assert self.p.wait() == 0, f"the proxy ended with {self.p.returncode}"
        return {l.split()[1]: int(l.split()[2]) for l in self.lines
                if l.startswith("= ")}

    def pairs(self):
        return [l[6:] for l in self.lines if l.startswith("pair: ")]

    def events(self):
        return [l[7:] for l in self.lines if l.startswith("event: ")]


def run(tests, needs, more=False, lost=0):
    """Run (name, function) pairs on fresh hosts, as TAP; the exit status."""
    missing = [n for n in needs if not os.access(n, os.X_OK)]
    if os.getuid() != 0 or missing:
        why = "needs root" if os.getuid() else f"no {missing[0]}"
        if os.environ.get("NO_LAB") == "1":
            print(f"1..0 # SKIP {why}")
            return 0
        print(f"not ok 1 - no lab: {why} (NO_LAB=1: do without)\n1..1")
        return 1
    bad = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        setup(more, lost)
        for i, (name, f) in enumerate(tests, 1):
            try:
                f()
                print(f"ok {i} - {name}", flush=True)
            except Exception as e:
                bad += 1
                print(f"# {type(e).__name__}: {e}\nnot ok {i} - {name}", flush=True)
            end_proxies()
    finally:
        cleanup()
    print(f"1..{len(tests)}")
    return 1 if bad else 0
