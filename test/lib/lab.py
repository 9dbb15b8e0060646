# SPDX-License-Identifier: BSD-2-Clause
"""The lab: five network namespaces, real servers, counters, and the joins.

    client               tap                prod
   +------+     +------------------+     +------+      10.0.0.0/24
   |  c0 --------- t0 ======== t1 --------- p0  |      client .2, production .10
   +------+     |    \\      /     |     +------+
                |     copies       |
                |       |          |       sut
                |  l0   m0         |     +------+      10.1.0.0/24
                +--|----|----------+     |  s0  |      SUT .20, its gateway .1,
                   |    |                +--|---+      which nobody has:
   +---------------|----|-------------------|---+      understudy answers
   |  us         lan0  mon0               eth1  |
   +--------------------------------------------+      lan0: 10.9.0.1

The tap forwards with tc between t0 and t1 and mirrors both directions to m0;
understudy runs in `us` and captures on mon0. Client, production and SUT are
plain hosts that know nothing of it. lan0 is the understudy host's own network.
Before anything else starts, counters watch that nothing comes out of mon0,
nothing of a stranger reaches client or production, and nothing leaves lan0.

Names carry the pid of the run. Everything is taken away on every exit; a run
that was killed with SIGKILL takes its children along (PDEATHSIG), and the next
one removes its namespaces.
"""
import atexit
import collections
import ctypes
import glob
import ipaddress
import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

import schema

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BINARY = os.environ.get("UNDERSTUDY",
                        os.path.join(ROOT, "build", "understudy"))
LIBC = ctypes.CDLL(None)
ROOMS = ("client", "prod", "sut", "us", "tap")
ADDR = {4: {"client": "10.0.0.2", "prod": "10.0.0.10", "sut": "10.1.0.20",
            "sut2": "10.1.0.21", "gw": "10.1.0.1", "len": 24,
            "lan": "10.9.0.1"},
        6: {"client": "fd00:a::2", "prod": "fd00:a::10", "sut": "fd00:b::20",
            "sut2": "fd00:b::21", "gw": "fd00:b::1", "len": 64,
            "lan": "fd00:9::1"}}
MAC = {"c0": "02:00:00:00:0c:00", "p0": "02:00:00:00:0b:00",
       "s0": "02:00:00:00:05:00"}
PARK = """
import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.bind((sys.argv[1], 80))
s.listen(int(sys.argv[2]))
time.sleep(3600)
"""
BODY = bytes(97 + i % 23 for i in range(1 << 20))


MTIME = 1000000000  # of the files that are served


class LabError(Exception):
    """The lab itself could not do what it was asked."""


class Skip(Exception):
    """Raised by a test that cannot be run here; its words say why."""


def sh(*argv, check=True):
    """Runs a command, gives its output; LabError if it fails."""
    r = subprocess.run(argv, capture_output=True, text=True)
    if check and r.returncode:
        raise LabError("%s: %s" % (" ".join(argv), r.stderr.strip()))
    return r.stdout


def why_not():
    """The reason why no lab can be made here, or None."""
    if os.geteuid():
        return "not root"
    for tool in ("ip", "tc", "nginx", "wrk", "cc"):
        if not shutil.which(tool):
            return "no " + tool
    probe = "us%d-probe" % os.getpid()
    if subprocess.run(("ip", "netns", "add", probe),
                      capture_output=True).returncode:
        return "cannot make network namespaces"
    subprocess.run(("ip", "netns", "del", probe))
    return None


def need(tool):
    """A test that needs a program which is not installed is skipped by name."""
    if not shutil.which(tool):
        raise Skip("no " + tool)


def no_lab(reason):
    """Ends a program for which no lab can be made: it has failed, unless NO_LAB=1
    says that none is wanted."""
    if os.environ.get("NO_LAB") == "1":
        print("1..0 # SKIP " + reason)
        sys.exit(0)
    print("not ok 1 - no lab: %s (NO_LAB=1: do without)\n1..1" % reason)
    sys.exit(1)


def not_built():
    """The reason why there is no understudy to run, or None."""
    if not os.access(BINARY, os.X_OK):
        return "understudy is not built (%s)" % os.path.relpath(BINARY)
    return None


def sweep():
    """Removes namespaces and files of runs whose process is gone. The folder of
    files says that a run was ours: names of namespaces may be another
    container's, whose processes are not seen here."""
    here = sh("ip", "netns", "list").split()
    for path in glob.glob(os.path.join(tempfile.gettempdir(),
                                       "understudy-lab-*-*")):
        pid = path.split("-")[-2]
        if os.path.exists("/proc/" + pid):
            continue
        for name in here:
            if name.startswith("us%s-" % pid):
                sh("ip", "netns", "del", name, check=False)
        shutil.rmtree(path, ignore_errors=True)


def whole_lines(path):
    """The lines of a file that is being written, without one that is not whole.
    Read at once: a file that grows while its lines are taken one by one gives the
    two parts of one as two."""
    with open(path) as f:
        return f.read().split("\n")[:-1]


def _child():
    LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # Ctrl-C is for the lab, which ends its children itself. Without a terminal a
    # child is what it is as a service: SIGHUP says that files were renamed.
    os.setsid()


class Understudy:
    """A running understudy: its process, its files and its end."""

    def __init__(self, lab, argv, jsonl, ready=5.0, env=None):
        lab.files += 1
        self.jsonl, self.err = jsonl, lab.path("understudy%d.err" % lab.files)
        self.out = lab.path("understudy%d.out" % lab.files)
        self.cpu = self.code = None
        self.proc = lab.spawn(lab.host, argv, out=self.out, err=self.err,
                              env=env)
        end = time.monotonic() + ready
        while time.monotonic() < end and self.alive():
            if any(x.get("type") == "start" for x in self.lines()):
                return
            time.sleep(0.02)

    def alive(self):
        return self.code is None and self.wait(0) is None

    def lines(self, path=None):
        """The JSON lines so far. A last line that is not whole is left out.
        `path`: what the file was renamed to."""
        path = path or self.jsonl
        if not os.path.exists(path):
            return []
        return [json.loads(x) for x in whole_lines(path)]

    def wait(self, seconds=10.0):
        """Exit code, or None if it still runs; CPU seconds go to self.cpu."""
        end = time.monotonic() + seconds
        while self.code is None:
            pid, status, use = os.wait4(self.proc.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                self.proc.returncode = self.code
                self.cpu = use.ru_utime + use.ru_stime
            elif time.monotonic() >= end:
                break
            else:
                time.sleep(0.01)
        return self.code

    def cpu_so_far(self):
        """CPU seconds of all its threads since they started."""
        ns, tasks = 0, "/proc/%d/task" % self.proc.pid
        for task in os.listdir(tasks):
            with open(os.path.join(tasks, task, "schedstat")) as f:
                ns += int(f.read().split()[0])
        return ns / 1e9

    def signal(self, sig):
        if self.alive():
            os.kill(self.proc.pid, sig)

    def finish(self, seconds=15.0):
        """SIGINT, wait, and the exit code (None: it did not end)."""
        self.signal(signal.SIGINT)
        return self.wait(seconds)

    def rss(self):
        """Resident memory now, in kB."""
        with open("/proc/%d/status" % self.proc.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])

    def report(self):
        """The last report, or {} if there is none."""
        r = [x for x in self.lines() if x.get("type") == "report"]
        return r[-1] if r else {}

    def differences(self):
        return [x for x in self.lines() if x.get("type") == "difference"]

    def text(self):
        with open(self.err) as e, open(self.out) as o:
            return o.read() + e.read()


class Lab:
    """See the top. Parameters: family 4 or 6; gso: offloads on; loss: permille
    of mirrored frames lost, in runs of `burst`; us_up: False leaves mon0 and
    eth1 down with IPv6 on, for understudy to bring up; tag: what the mirror
    puts around its copies, "vlan", "qinq" or "vxlan"; mangle: the mirror's
    copies go through test/lib/mangle.c with these arguments; inhost: understudy
    runs on production's own host, with the SUT's wire there."""

    # The understudy that was started last, and what it had said at the end of
    # its lab: evidence for a test that fails.
    last, said = None, ""

    # Larger than by default: what asserts that nothing is lost must not depend on
    # who else wants the processors. The faults take the default's, which grow.
    rings = ("--mirror-ring", "64M", "--sut-ring", "16M")

    wire = "eth1"  # understudy's end of the SUT's wire

    def __init__(self, family=4, gso=True, loss=0, burst=4, us_up=True,
                 tag=None, mangle=None, inhost=False, wrapped=None):
        self.family, self.addr = family, ADDR[family]
        self.gso, self.loss, self.burst, self.us_up = gso, loss, burst, us_up
        self.tag, self.mangle, self.wrapped = tag, mangle, wrapped
        self.host, self.dev = ("prod", "p0") if inhost else ("us", "mon0")
        self.dir = tempfile.mkdtemp(
            prefix="understudy-lab-%d-" % os.getpid())
        self.children, self.counters, self.made = [], [], []
        self.files = 0

    def __enter__(self):
        atexit.register(self.close)
        for s in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(s, lambda *_: sys.exit(143))
        try:
            sweep()
            self.build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        wrong = []
        if Lab.last:
            wrong = schema.faults(Lab.last.lines())
            Lab.said, Lab.last = Lab.last.text(), None
        self.close()
        if wrong and not kind:
            raise AssertionError("doc/lines.schema.json: " + "; ".join(wrong[:5]))

    # ------------------------------------------------------- namespaces

    def ns(self, room):
        return "us%d-%s" % (os.getpid(), room)

    def ip(self, room, *words):
        return sh("ip", "-n", self.ns(room), *words)

    def tc(self, room, *words):
        return sh("ip", "netns", "exec", self.ns(room), "tc", *words)

    def snmp(self, room, table, field):
        """A counter of a namespace's IP stack; Udp and Udp6 are summed."""
        total = 0
        old = sh("ip", "netns", "exec", self.ns(room), "cat", "/proc/net/snmp")
        names, values = [x.split() for x in old.splitlines()
                         if x.startswith(table + ":")]
        total += int(values[names.index(field)])
        new = sh("ip", "netns", "exec", self.ns(room), "cat",
                 "/proc/net/snmp6")
        m = re.search(r"^%s6%s\s+(\d+)" % (table, field), new, re.M)
        return total + (int(m[1]) if m else 0)

    def sysctl(self, room, key, value):
        sh("ip", "netns", "exec", self.ns(room), "sysctl", "-qw",
           "%s=%s" % (key, value))

    def build(self):
        for room in ROOMS:
            sh("ip", "netns", "add", self.ns(room))
            self.made.append(room)
            self.ip(room, "link", "set", "lo", "up")
            self.sysctl(room, "net.ipv6.conf.default.accept_dad", 0)
            self.sysctl(room, "net.ipv6.conf.default.router_solicitations", 0)
        quiet = ["tap"] + (["us"] if self.us_up else [])
        for room in quiet:
            self.sysctl(room, "net.ipv6.conf.default.disable_ipv6", 1)
        for a, x, b, y in (("client", "c0", "tap", "t0"),
                           ("prod", "p0", "tap", "t1"),
                           ("us", "mon0", "tap", "m0"),
                           ("us", "lan0", "tap", "l0"),
                           (self.host, "eth1", "sut", "s0")):
            self.ip(a, "link", "add", x, "type", "veth", "peer", "name", y,
                    "netns", self.ns(b))
        for room, dev in (("client", "c0"), ("prod", "p0"), ("sut", "s0")):
            self.ip(room, "link", "set", dev, "address", MAC[dev])
        if not self.gso:
            for room, dev in (("client", "c0"), ("prod", "p0"), ("sut", "s0")):
                sh("ip", "netns", "exec", self.ns(room), "ethtool", "-K", dev,
                   "gso", "off", "tso", "off", "gro", "off")
        self.watch()
        self.mirror()
        self.address()

    def mirror(self):
        port = "m0"
        if self.tag == "vxlan":
            port = self.vxlan()
        elif self.mangle:
            port = self.between("mangle", self.mangle)
        elif self.wrapped:
            for room, dev in (("tap", "m0"), ("us", "mon0")):
                self.ip(room, "link", "set", dev, "mtu", "9000")
            port = self.between("wrap", self.wrapped)
        for dev, to in (("t0", "t1"), ("t1", "t0")):
            self.tc("tap", "qdisc", "add", "dev", dev, "clsact")
            self.tc("tap", "filter", "add", "dev", dev, "ingress", "protocol",
                    "all", "u32", "match", "u32", "0", "0",
                    "action", "mirred", "egress", "mirror", "dev", port, "pipe",
                    "action", "mirred", "egress", "redirect", "dev", to)
        if self.loss:
            self.lose("m0", self.loss, self.burst)
        if self.tag in ("vlan", "qinq"):
            self.on_egress("m0", "tag", self.tag)

    def on_egress(self, dev, name, section="tc", room="tap"):
        """Puts test/net/NAME.bpf.c on the egress of a device."""
        obj = self.path(name + ".o")
        if not os.path.exists(obj):
            sh("clang", "-O2", "-g", "-target", "bpf", "-I/usr/include/" +
               sh("uname", "-m").strip() + "-linux-gnu",
               "-c", "-o", obj, os.path.join(ROOT, "test/net",
                                             name + ".bpf.c"))
        if "clsact" not in self.tc(room, "qdisc", "show", "dev", dev):
            self.tc(room, "qdisc", "add", "dev", dev, "clsact")
        self.tc(room, "filter", "add", "dev", dev, "egress", "bpf", "da",
                "obj", obj, "sec", section)

    def lose(self, dev, permille, burst=4, room="tap"):
        """Frames that leave by `dev` are lost from now on: in the tap m0 is the
        mirror, t1 the way to production, t0 the way to the client. 999.999
        permille in bursts of 1: all of them."""
        self.on_egress(dev, "loss", room=room)
        for key, value in ((4, int(permille * 1000)), (5, burst)):
            sh("bpftool", "map", "update", "id", str(self.loss_map(dev, room)),
               "key", str(key), "0", "0", "0", "value",
               *(str(x) for x in value.to_bytes(8, "little")))

    def vxlan(self):
        """A VXLAN device on the mirror's wire; gives its name."""
        mac = json.loads(self.ip("us", "-j", "link", "show", "mon0"))[0]
        for room, dev in (("tap", "m0"), ("us", "mon0")):
            self.ip(room, "link", "set", dev, "mtu", "9000")
        self.ip("tap", "addr", "add", "10.7.0.1/24", "dev", "m0")
        self.ip("tap", "link", "set", "m0", "up")
        self.ip("tap", "neigh", "replace", "10.7.0.2", "lladdr",
                mac["address"], "dev", "m0", "nud", "permanent")
        self.ip("tap", "link", "add", "vx0", "type", "vxlan", "id", "7",
                "local", "10.7.0.1", "remote", "10.7.0.2", "dev", "m0",
                "dstport", "4789", "nolearning")
        self.ip("tap", "link", "set", "vx0", "up")
        return "vx0"

    def between(self, tool, words):
        """A wire of its own in front of the mirror's, with mangle.c or wrap.c
        between; gives the name of its near end."""
        self.ip("tap", "link", "add", "q0", "type", "veth", "peer", "name",
                "q1")
        for dev in ("q0", "q1", "m0"):
            self.ip("tap", "link", "set", dev, "up")
        self.mangle_out = self.path(tool + ".out")
        self.mangler = self.spawn(
            "tap", [self.tool(tool, "test/lib/%s.c" % tool), "q1", "m0",
                    *words], out=self.mangle_out, err=self.mangle_out)
        end = time.monotonic() + 5
        while not open(self.mangle_out).read().startswith("ready"):
            if self.mangler.poll() is not None or time.monotonic() > end:
                raise LabError(tool + ": " + open(self.mangle_out).read())
            time.sleep(0.01)
        return "q0"

    def mangle_truth(self):
        """Ends mangle.c or wrap.c: what it did, {name: frames}."""
        self.mangler.terminate()
        self.mangler.wait(5)
        return {k: int(v) for k, v in re.findall(r"(\w+) (\d+)",
                                                 open(self.mangle_out).read())}

    def loss_map(self, dev="m0", room="tap"):
        """The id of the map of test/net/loss.bpf.c, by default the mirror's."""
        filters = json.loads(self.tc(room, "-j", "filter", "show", "dev", dev,
                                     "egress"))
        for f in filters:
            prog = f.get("options", {}).get("prog")
            if prog:
                shown = json.loads(sh("bpftool", "-j", "prog", "show", "id",
                                      str(prog["id"])))
                return shown["map_ids"][0]
        raise LabError("the lossy mirror is not there")

    def address(self):
        a, n = self.addr, "/%d" % self.addr["len"]
        v6 = ["nodad"] if self.family == 6 else []
        self.ip("client", "addr", "add", a["client"] + n, "dev", "c0", *v6)
        self.ip("prod", "addr", "add", a["prod"] + n, "dev", "p0", *v6)
        self.ip("sut", "addr", "add", a["sut"] + n, "dev", "s0", *v6)
        self.ip("us", "addr", "add", ADDR[4]["lan"] + "/24", "dev", "lan0")
        self.sysctl("us", "net.ipv6.conf.lan0.disable_ipv6", 1)
        up = [("tap", d) for d in ("t0", "t1", "m0", "l0")]
        up += [("client", "c0"), ("prod", "p0"), ("sut", "s0"), ("us", "lan0")]
        if self.us_up:
            up += [("us", "mon0")]
        if self.us_up and self.host == "us":
            up += [("us", self.wire)]
        for room, dev in up:
            self.ip(room, "link", "set", dev, "up")
        self.ip("us", "route", "add", "default", "via", "10.9.0.254", "dev",
                "lan0")
        self.ip("sut", "-%d" % self.family, "route", "add", "default", "via",
                a["gw"], "dev", "s0")

    def drive_directly(self):
        """Makes `us` a plain host on the SUT's wire, for a second load."""
        n = "/%d" % self.addr["len"]
        self.sysctl("us", "net.ipv6.conf.eth1.disable_ipv6",
                    0 if self.family == 6 else 1)
        self.ip("us", "link", "set", "eth1", "up")
        self.ip("us", "addr", "add", self.addr["gw"] + n, "dev", "eth1",
                *(["nodad"] if self.family == 6 else []))

    def close(self):
        # A second Ctrl-C must not leave half of it standing.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        # Each with what it has started: apache's children outlive it otherwise.
        for p in reversed(self.children):
            if p.poll() is None:
                os.killpg(p.pid, signal.SIGKILL)
        for p in self.children:
            try:
                p.wait(5)
            except (subprocess.TimeoutExpired, ChildProcessError):
                pass
        for room in self.made:
            sh("ip", "netns", "del", self.ns(room), check=False)
        self.children, self.made = [], []
        if os.environ.get("LAB_KEEP"):
            print("# kept: " + self.dir, file=sys.stderr)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        atexit.unregister(self.close)
        signal.signal(signal.SIGINT, before)

    # --------------------------------------------------------- processes

    def path(self, name):
        return os.path.join(self.dir, name)

    def tool(self, name, source):
        """A C helper of the lab: the build's, or compiled on first use."""
        built = os.path.join(os.path.dirname(BINARY), name)
        out = self.path(name)
        if os.access(built, os.X_OK):
            return built
        if not os.path.exists(out):
            sh("cc", "-std=c17", "-O2", "-D_GNU_SOURCE", "-o", out,
               os.path.join(ROOT, source))
        return out

    def spawn(self, room, argv, out=None, err=None, env=None):
        """Starts a child in a namespace. `ip netns exec` becomes the command:
        the pid is the command's own."""
        streams = [open(f, "ab") if f else subprocess.DEVNULL
                   for f in (out, err)]
        p = subprocess.Popen(["ip", "netns", "exec", self.ns(room)] + argv,
                             stdin=subprocess.DEVNULL, stdout=streams[0],
                             stderr=streams[1], preexec_fn=_child,
                             env=dict(os.environ, **(env or {})))
        for s in streams:
            if s != subprocess.DEVNULL:
                s.close()
        self.children.append(p)
        return p

    def run(self, room, argv, env=None, timeout=120):
        """Runs a command in a namespace to its end: (exit code, output)."""
        self.files += 1
        out = self.path("run%d" % self.files)
        p = self.spawn(room, argv, out=out, err=out, env=env)
        try:
            code = p.wait(timeout)
        except subprocess.TimeoutExpired:
            p.kill()
            code = p.wait()
        with open(out, errors="replace") as f:
            return code, f.read()

    def python(self, room, code, *args, timeout=60):
        """Runs Python text in a namespace: (exit code, output)."""
        return self.run(room, [sys.executable, "-c", code, *map(str, args)],
                        timeout=timeout)

    def client(self, how, *args, timeout=60):
        """Runs client.py against production: (exit code, output)."""
        return self.run("client", [sys.executable,
                                   os.path.join(HERE, "client.py"),
                                   self.addr["prod"], how, *map(str, args)],
                        timeout=timeout)

    def hold(self, count, seconds=600, each=15000):
        """Opens `count` idle connections to production, from an address of its
        own for `each`, and leaves them open. Gives how many stand."""
        outs = []
        for i in range(0, count, each):
            addr = ("10.0.0.%d" if self.family == 4 else "fd00:a::1%02x") % (
                100 + i // each)
            self.ip("client", "addr", "add", "%s/%d" % (addr, self.addr["len"]),
                    "dev", "c0", *(["nodad"] if self.family == 6 else []))
            outs.append(self.path("hold%d" % i))
            p = self.spawn("client", [sys.executable,
                                      os.path.join(HERE, "client.py"),
                                      self.addr["prod"], "idle",
                                      str(min(each, count - i)), str(seconds),
                                      addr], out=outs[-1], err=outs[-1])
            while p.poll() is None and not os.path.getsize(outs[-1]):
                time.sleep(0.1)
        text = "".join(open(o).read() for o in outs)
        if "error" in text or "Traceback" in text:
            raise LabError("idle connections: " + text[-300:])
        return sum(int(n) for n in re.findall(r"held (\d+)", text))

    # ---------------------------------------------------------- counters

    def watch(self):
        """Starts the counters of what must not be there."""
        tool = self.tool("isocount", "test/net/isocount.c")
        within = []
        if self.host == "prod":  # its kernel must not speak for us, or to the SUT
            mac = json.loads(self.ip("prod", "-j", "link", "show", "eth1"))[0]
            within = [("client", ["c0:in:reset"]),
                      ("sut", ["s0:in=" + mac["address"],
                               "s0:in!dst=" + MAC["s0"]])]
        for room, rules in (
                *within,
                ("client", ["c0:in!=" + MAC["p0"]]),
                ("prod", ["p0:in!=" + MAC["c0"]]),
                ("tap", ["m0:in", "l0:in"]),
                ("us", ["mon0:out", "lan0:out"])):
            out = self.path("iso-%s-%d" % (room, len(self.counters)))
            p = self.spawn(room, [tool] + rules, out=out, err=out)
            self.counters.append((room, p, out))
        end = time.monotonic() + 5
        for room, p, out in self.counters:
            while not open(out).read().startswith("ready"):
                if p.poll() is not None or time.monotonic() > end:
                    raise LabError("counter in %s: %s" % (room,
                                                          open(out).read()))
                time.sleep(0.01)

    def rules_watched(self):
        return 9 if self.host == "prod" else 6

    def leaks(self):
        """Stops the counters: {"room/IF:RULE": frames}, and the evidence."""
        got, seen = {}, []
        for room, p, out in self.counters:
            p.terminate()
            if p.wait(5):
                raise LabError("the counter in %s died" % room)
            for line in open(out).read().splitlines()[1:]:
                if line.startswith("#"):
                    seen.append(line)
                else:
                    what, n = line.rsplit(" ", 1)
                    got["%s/%s" % (room, what)] = int(n)
        self.counters = []
        if len(got) != self.rules_watched():
            raise LabError("counters are missing: %s" % got)
        return got, seen

    def mirror_truth(self, dev="m0"):
        """What lose() did: frames and sequenced segments, exactly."""
        name = ("passed", "dropped", "seq_passed", "seq_dropped")
        dump = json.loads(sh("bpftool", "-j", "map", "dump", "id",
                             str(self.loss_map(dev))))
        return {key: int.from_bytes(bytes(int(x, 16) for x in row["value"]),
                                    "little")
                for key, row in zip(name, dump)}

    # ------------------------------------------------------------ servers

    def parked(self, room, count):
        """A server whose kernel completes `count` connections that nobody
        accepts: idle ones, without a descriptor each."""
        self.sysctl(room, "net.core.somaxconn", count + 1000)
        self.sysctl(room, "net.ipv4.tcp_max_syn_backlog", count + 1000)
        p = self.spawn(room, [sys.executable, "-c", PARK, self.addr[room],
                              str(count + 1000)])
        self.listening(room, p)
        return p

    def nginx(self, room, extra="", listen=""):
        """A real nginx in `room` (prod or sut) at port 80. `extra` is put in
        its server block, `listen` at the end of its listen directive."""
        root = self.path("nginx-" + room)
        for d in ("www", "tmp"):
            os.makedirs(os.path.join(root, d), exist_ok=True)
        for name, size in (("b100", 100), ("b10k", 10240), ("b1m", 1 << 20)):
            path = os.path.join(root, "www", name)
            with open(path, "wb") as f:
                f.write(BODY[:size])
            os.utime(path, (MTIME, MTIME))  # Last-Modified, of both the same
        host = self.addr[room]
        temps = "".join("%s_temp_path %s/tmp/%s;" % (t, root, t) for t in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = os.path.join(root, "conf")
        with open(conf, "w") as f:
            f.write("""
daemon off; master_process off; worker_processes 1; pid %(root)s/pid;
error_log %(root)s/error;
events { worker_connections 8192; }
http {
  %(temps)s
  log_format lab '$connection $connection_requests $arg_id $status $bytes_sent'
                 ' $request_time $request_completion';
  access_log %(root)s/log lab buffer=256k flush=1s;
  keepalive_requests 1000000000; keepalive_timeout 600s; etag off;
  open_file_cache max=16; sendfile on; tcp_nopush on; default_type text/plain;
  server {
    listen %(at)s:80 backlog=4096 %(listen)s; root %(root)s/www;
    client_max_body_size 0;
    %(extra)s
    location / { }
  }
}
""" % {"root": root, "temps": temps, "extra": extra, "listen": listen,
       "at": "[%s]" % host if self.family == 6 else host})
        p = self.spawn(room, ["nginx", "-p", root, "-c", conf, "-e",
                              root + "/error"], err=root + "/stderr")
        p.log, p.reopen = root + "/log", True
        self.listening(room, p)
        return p

    def labsrv(self, room, *args, at=None, port=80):
        """Our own slow or faulty server (lab/labsrv.c), at the room's address
        or another one of it."""
        self.files += 1
        log = self.path("labsrv-%s.%d" % (room, self.files))
        p = self.spawn(room, [self.tool("labsrv", "lab/labsrv.c"), "-a",
                              self.addr[at or room], "-p", str(port), "-l",
                              log, *args], err=log + ".err")
        p.log, p.reopen = log, False
        self.listening(room, p, port)
        return p

    def second_sut(self):
        """Gives the SUT's host another address: "sut2"."""
        v6 = ["nodad"] if self.family == 6 else []
        self.ip("sut", "addr", "add", "%s/%d" % (
            self.addr["sut2"], self.addr["len"]), "dev", "s0", *v6)

    def unbound(self, room, extra=""):
        """A real unbound that answers all of lab. itself and logs queries."""
        need("unbound")
        root = self.path("unbound-" + room)
        os.makedirs(root)
        with open(root + "/conf", "w") as f:
            f.write("""
server:
  interface: %(at)s
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "%(root)s"
  pidfile: "%(root)s/pid"
  logfile: "%(root)s/log"
  use-syslog: no
  log-queries: yes
  num-threads: 1
  so-rcvbuf: 4m
  module-config: "iterator"
  local-zone: "lab." redirect
  local-data: "lab. A 192.0.2.1"
  %(extra)s
remote-control:
  control-enable: no
""" % {"at": self.addr[room], "root": root, "extra": extra})
        p = self.spawn(room, ["unbound", "-d", "-c", root + "/conf"],
                       err=root + "/stderr")
        p.log, p.reopen = root + "/log", False
        self.listening(room, p, 53, kind="-Hlun")
        return p

    def queries(self, count, window=100, timeout=120, pad=0):
        """DNS queries to production: (exit code, output). `pad`: see dns.py."""
        return self.run("client", [sys.executable, os.path.join(HERE, "dns.py"),
                                   self.addr["prod"], str(count), str(window),
                                   "8", str(pad)], timeout=timeout)

    def flood(self, seconds, rate=20000):
        """SYNs from addresses that nobody has, to production, `rate` a second:
        how many."""
        code, out = self.run("client", [
            sys.executable, os.path.join(HERE, "flood.py"), "c0", MAC["c0"],
            MAC["p0"], self.addr["client"], self.addr["prod"], str(seconds),
            str(rate)])
        if code:
            raise LabError("flood: " + out)
        return int(out)

    @staticmethod
    def names(log):
        """The names in unbound's log, in its order."""
        with open(log) as f:
            return re.findall(r"info: \S+ (n\d+)\.lab\. A IN", f.read())

    def listening(self, room, p, port=80, seconds=5, kind="-Hltn"):
        end = time.monotonic() + seconds
        while p.poll() is None and time.monotonic() < end:
            if ":%d " % port in sh("ip", "netns", "exec", self.ns(room), "ss",
                                   kind):
                return
            time.sleep(0.02)
        raise LabError("no server listens in " + room)

    # ------------------------------------------------------- load and us

    def url(self, room="prod"):
        host = self.addr[room]
        return "http://%s" % ("[%s]" % host if self.family == 6 else host)

    def wrk(self, seconds=2, conns=16, url="/b100", run="r", body=0, pipe=1,
            close=False, threads=1, room="client", to="prod", wait=True,
            delay=0):
        """Load by wrk. Gives requests a second (or the process, wait=False).
        `delay`: milliseconds that a connection rests before each request."""
        env = {"LAB_RUN": run, "LAB_URL": url, "LAB_BODY": str(body),
               "LAB_PIPE": str(pipe), "LAB_CLOSE": "1" if close else "0",
               "LAB_DELAY": str(delay)}
        argv = ["wrk", "-t%d" % threads, "-c%d" % conns, "-d%ds" % seconds,
                "--timeout", "30s", "-s", os.path.join(HERE, "load.lua"),
                self.url(to)]
        self.files += 1
        out = self.path("wrk%d" % self.files)
        p = self.spawn(room, argv, out=out, err=out, env=env)
        p.out = out
        return self.wrk_rate(p) if wait else p

    def wrk_rate(self, p):
        """The end of a load. No client may have noticed anything: not one
        socket error, and no answer but 2xx or 3xx."""
        code = p.wait(180)
        text = open(p.out).read()
        m = re.search(r"Requests/sec:\s*([\d.]+)", text)
        if code or not m or "Socket errors" in text or "Non-2xx" in text:
            raise LabError("wrk: " + text)
        return float(m[1])

    def map(self, port=80, sut="sut", sut_port=None):
        form = "[%s]:%d" if self.family == 6 else "%s:%d"
        return "%s=%s" % (form % (self.addr["prod"], port),
                          form % (self.addr[sut], sut_port or port))

    def understudy(self, *args, compare="equivalent", ready=5.0, port=80,
                   filt="tcp port 80", source=None, wrap=(), env=None):
        """Starts understudy and waits until it says that it plays. `source`:
        options instead of the mirror's; `wrap`: words in front of it."""
        if source is None and "--mirror-ring" not in args:
            args = (*self.rings, *args)
        self.files += 1
        jsonl = self.path("us%d.jsonl" % self.files)
        argv = [*wrap, BINARY, "shadow", *(source or ("-i", self.dev)),
                "--sut-dev", self.wire, "--map", self.map(port), "--compare",
                compare, "--json", jsonl, *args]
        Lab.last = Understudy(self, argv + [filt], jsonl, ready, env)
        return Lab.last

    def dump(self, room, dev, expr, snap=256):
        """tcpdump of a wire into a file; see dumped()."""
        self.files += 1
        path = self.path("dump%d.pcap" % self.files)
        err = path + ".err"
        p = self.spawn(room, ["tcpdump", "-i", dev, "-U", "-w", path, "-s",
                              str(snap), "-B", "65536", "-Z", "root",
                              "--time-stamp-precision=nano",
                              "--immediate-mode", expr], err=err)
        end = time.monotonic() + 10
        while not (os.path.exists(err) and "listening" in open(err).read()):
            if p.poll() is not None or time.monotonic() > end:
                raise LabError("tcpdump: " + open(err).read())
            time.sleep(0.02)
        p.path, p.err_path = path, err
        return p

    @staticmethod
    def dumped(p):
        """Ends a dump: [(seconds, frame)]. LabError if it lost frames."""
        time.sleep(0.3)
        p.send_signal(signal.SIGINT)
        p.wait(10)
        lost = re.search(r"(\d+) packets dropped by kernel",
                         open(p.err_path).read())
        if not lost or int(lost[1]):
            raise LabError("tcpdump lost frames: " + open(p.err_path).read())
        with open(p.path, "rb") as f:
            data = f.read()
        at, got = 24, []
        while at + 16 <= len(data):
            sec, nano, cap = struct.unpack_from("<III", data, at)
            got.append((sec + nano / 1e9, data[at + 16:at + 16 + cap]))
            at += 16 + cap
        return got

    def settle(self, *servers, quiet=0.6, uneven=3.0, seconds=10.0):
        """Waits until the servers' logs have not grown for `quiet` seconds, or
        for `uneven` seconds while one has fewer lines than another: a
        retransmission timer of the SUT may run twice before it goes on."""
        def lines():
            for p in servers:
                if p.reopen and p.poll() is None:
                    p.send_signal(signal.SIGUSR1)  # nginx writes its buffer
            time.sleep(0.1)
            return [count_lines(p.log) for p in servers]
        end = time.monotonic() + seconds
        last, since = lines(), time.monotonic()
        while time.monotonic() < end and time.monotonic() - since < (
                quiet if len(set(last)) == 1 else uneven):
            now = lines()
            if now != last:
                last, since = now, time.monotonic()


# -------------------------------------------------------------------- joins

Reach = collections.namedtuple(
    "Reach", "asked reached missing duplicates disorder cut")


Answer = collections.namedtuple(
    "Answer", "conn number id status size seconds whole")


def count_lines(path):
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as f:
        return sum(block.count(b"\n") for block in
                   iter(lambda: f.read(1 << 20), b""))


def read_log(path):
    """[Answer] in log order, without lines that have no id or are torn."""
    rows = []
    if os.path.exists(path):
        for line in whole_lines(path):
            w = line.split()
            if len(w) >= 6 and w[2] != "-":
                rows.append(Answer(int(w[0]), int(w[1]), w[2], w[3],
                                   int(w[4]), float(w[5]), w[6:] == ["OK"]))
    return rows


def reach(prod_log, sut_log, tail=0):
    """Joins the two access logs by request id.

    asked: ids at production. reached: those that stand in the SUT's log.
    duplicates: SUT lines beyond the first of an id. disorder: SUT requests
    that follow, on their connection, one of another of production's
    connections or one that came later there. cut: answers that production
    gave whole and the SUT did not, or with another length; not counted are
    the last `tail` of each of production's connections, which a client that
    closes in the middle of its work may end at either server.
    """
    prod, sut = read_log(prod_log), read_log(sut_log)
    at, length = {}, collections.Counter()
    for r in prod:
        at.setdefault(r.id, r)
        length[r.conn] = max(length[r.conn], r.number)
    seen = collections.Counter(r.id for r in sut)
    disorder = cut = 0
    last = {}
    for r in sorted(sut, key=lambda r: (r.conn, r.number)):
        p = at.get(r.id)
        if not p:
            continue
        before = last.get(r.conn)
        if before and (before.conn != p.conn or before.number >= p.number):
            disorder += 1
        last[r.conn] = p
        if p.number > length[p.conn] - tail:
            continue
        if p.whole and (not r.whole or r.size != p.size):
            cut += 1
    missing = [rid for rid in at if rid not in seen]
    return Reach(len(at), len(at) - len(missing), missing,
                 sum(n - 1 for n in seen.values()), disorder, cut)


# ---------------------------------------------------------------------- TAP

class Tap:
    """One test program's TAP. A test is a function; check() notes failures."""

    def __init__(self):
        self.n, self.bad, self.notes = 0, 0, []

    def check(self, cond, what):
        if not cond:
            self.notes.append(what)
        return bool(cond)

    def equal(self, got, want, what):
        return self.check(got == want, "%s: %.300r, expected %.300r" % (
            what, got, want))

    def run(self, name, test, *args, **kw):
        self.n += 1
        self.notes = []
        began = time.monotonic()
        skip = ""
        try:
            test(self, *args, **kw)
        except Skip as e:
            skip = " # SKIP %s" % e
        except Exception as e:  # a broken lab is a failed test, said so
            print("# " + traceback.format_exc().rstrip().replace("\n",
                                                                 "\n# "))
            self.notes.append("%s: %s" % (type(e).__name__, e))
        if self.notes and Lab.said:
            self.notes.append("understudy said:\n" + Lab.said[-4000:])
        Lab.said = ""
        for note in self.notes:
            for line in str(note).splitlines():
                print("# " + line[:500])
        self.bad += bool(self.notes)
        print("%s %d - %s%s" % ("not ok" if self.notes else "ok", self.n, name,
                                "" if self.notes else skip))
        print("# %.1f s" % (time.monotonic() - began), flush=True)

    def end(self):
        print("1..%d" % self.n)
        return 1 if self.bad else 0


def main(tests, binary=True):
    """Runs [(name, function, args...)] as a TAP program; fails without a lab
    (see no_lab()), and without understudy if `binary`. Arguments of the command
    line choose tests whose name has the word."""
    if why_not():
        no_lab(why_not())
    if binary and not_built():
        print("not ok 1 - %s\n1..1" % not_built())
        sys.exit(1)
    tap = Tap()
    for name, test, *args in tests:
        if not sys.argv[1:] or any(w in name for w in sys.argv[1:]):
            tap.run(name, test, *args)
    sys.exit(tap.end())


def isolated(t, lab):
    """Asserts that not one frame went where none may go."""
    got, seen = lab.leaks()
    for what, n in got.items():
        t.equal(n, 0, "frames counted at " + what)
    t.notes += seen[:4]
