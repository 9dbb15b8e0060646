#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The recipes of README.md and doc/RECIPES.md, typed as they stand there.

A block of commands whose first line names a host ("# sut") is run on that host of
a small world: client, production, SUT and understudy's host on a LAN, whose switch
has a mirror port. Changed is only how long a run takes, and in the last recipe the
port of the example. A recipe works if all answers were compared, and equal.
"""
import json
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

LAN = {"client": "10.0.0.2", "prod": "10.0.0.10", "sut": "10.0.0.20",
       "us": "10.0.0.50"}
ROOM = {"understudy": "us", "production": "prod", "sut": "sut"}
ASKED = 20
SERVER = """
import http.server, os, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
os.chdir(sys.argv[1])
http.server.ThreadingHTTPServer(("", 80), Quiet).serve_forever()
"""
SSH = """#!/bin/sh
# In place of ssh: the words behind the host's name, on production's.
shift
echo $$ >%s
exec ip netns exec %s "$@"
"""


def blocks(path):
    """[(the heading or bold words above, host, commands)] of a document."""
    got, above, lines = [], "", None
    for line in open(os.path.join(lab.ROOT, path)):
        if lines is not None and line.startswith("```"):
            host = lines[0].lstrip("# ").split()[0] if lines else ""
            if host in ROOM:
                got.append((above, ROOM[host], "".join(lines[1:])))
            lines = None
        elif lines is not None:
            lines.append(line)
        elif line.startswith("```sh"):
            lines = []
        elif line.startswith("#"):
            above = line.strip("# \n")
        elif line.startswith("**"):
            above = line.split("**")[1]
    return got


BLOCKS = {p: blocks(p) for p in ("README.md", "doc/RECIPES.md")}


def block(path, above, host, nth=0):
    got = [text for a, h, text in BLOCKS[path] if a.startswith(above) and
           h == host]
    if len(got) <= nth:
        raise lab.LabError("%s has no such block: %s, %s" % (path, above, host))
    return got[nth]


class World(lab.Lab):
    """@wire: the SUT's own one is eth1 of understudy's host, else it is on the
    LAN alone."""

    def __init__(self, wire=True, legs=False):
        super().__init__()
        self.wire, self.legs = wire, legs

    def port(self, room, dev, name):
        self.ip(room, "link", "add", dev, "type", "veth", "peer", "name", name,
                "netns", self.ns("tap"))
        self.ip("tap", "link", "set", name, "master", "lan", "up")
        self.ip(room, "addr", "add", LAN[room] + "/24", "dev", dev)
        self.ip(room, "link", "set", dev, "up")

    def build(self):
        for room in lab.ROOMS:
            lab.sh("ip", "netns", "add", self.ns(room))
            self.made.append(room)
            self.ip(room, "link", "set", "lo", "up")
        self.sysctl("tap", "net.ipv6.conf.default.disable_ipv6", 1)
        self.ip("tap", "link", "add", "lan", "type", "bridge")
        self.ip("tap", "link", "set", "lan", "up")
        for room in ("client", "prod", "us"):
            self.port(room, "eth0", room)
        if self.wire:
            self.ip("us", "link", "add", "eth1", "type", "veth", "peer", "name",
                    "eth0", "netns", self.ns("sut"))
            self.ip("sut", "link", "set", "eth0", "up")
        if not self.wire or self.legs:
            self.port("sut", "eth1" if self.wire else "eth0", "sut")
        if self.legs:
            self.ip("sut", "route", "add", "default", "via", "10.0.0.1")
        self.ip("us", "link", "add", "mon0", "type", "veth", "peer", "name",
                "span", "netns", self.ns("tap"))
        self.ip("tap", "link", "set", "span", "up")
        self.tc("tap", "qdisc", "add", "dev", "prod", "clsact")
        for way in ("ingress", "egress"):
            self.tc("tap", "filter", "add", "dev", "prod", way, "protocol",
                    "all", "u32", "match", "u32", "0", "0", "action", "mirred", "egress", "mirror", "dev", "span")
        self.tools()
        for room in ("prod", "sut"):
            self.serve(room)

    def tools(self):
        os.mkdir(self.path("bin"))
        os.symlink(lab.BINARY, self.path("bin/understudy"))
        with open(self.path("bin/ssh"), "w") as f:
            f.write(SSH % (self.path("ssh.pid"), self.ns("prod")))
        os.chmod(self.path("bin/ssh"), 0o755)

    def serve(self, room):
        folder = self.path("www-" + room)
        os.mkdir(folder)
        for name, text in (("same", "as ever"), ("price", room)):
            with open(os.path.join(folder, name), "w") as f:
                f.write(text)
            os.utime(f.name, (lab.MTIME, lab.MTIME))
        self.spawn(room, [sys.executable, "-c", SERVER, folder])
        end = time.monotonic() + 5
        while not lab.sh("ip", "netns", "exec", self.ns(room), "ss", "-Hltn",
                         "sport", "=", ":80"):
            if time.monotonic() > end:
                raise lab.LabError("the server does not listen")
            time.sleep(0.02)

    def typed(self, room, text, wait=True):
        """Runs a block; gives its process."""
        self.files += 1
        said = self.path("said%d" % self.files)
        p = self.spawn(room, ["sh", "-ec", "cd %s; %s" % (self.dir, text)],
                       out=said, err=said,
                       env={"PATH": self.path("bin") + ":" + os.environ["PATH"]})
        p.said = said
        if wait and p.wait(20):
            raise lab.LabError("%s\n%s" % (text, open(said).read()))
        return p

    def ask(self, path="/same", n=ASKED):
        for _ in range(n):
            lab.sh("ip", "netns", "exec", self.ns("client"), "curl", "-s",
                   "--max-time", "5", "-o", "/dev/null", "http://10.0.0.10" +
                   path)

    def lines(self):
        try:
            return [json.loads(x)
                    for x in lab.whole_lines(self.path("out.jsonl"))]
        except FileNotFoundError:
            return []


def until(cond, seconds, what, p):
    end = time.monotonic() + seconds
    while not cond():
        if time.monotonic() > end or p.poll() is not None:
            raise lab.LabError("%s: %s" % (what, open(p.said).read()))
        time.sleep(0.02)


def shadow_of(p):
    """The process of understudy that a shell has started, or became."""
    with open("/proc/%d/task/%d/children" % (p.pid, p.pid)) as f:
        pids = [p.pid] + [int(x) for x in f.read().split()]
    for pid in pids:
        with open("/proc/%d/cmdline" % pid) as f:
            words = f.read().split("\0")
        if words[:2] == ["understudy", "shadow"]:
            return pid
    raise lab.LabError("no shadow runs")


def verdicts(w):
    """Of the last report; {}: there is none yet."""
    reports = [x for x in w.lines() if "verdicts" in x]
    return reports[-1]["verdicts"] if reports else {}


def compared(w):
    return sum(n for k, n in verdicts(w).items() if k != "not_compared")


def plays(t, w, room, text, code=0, path="/same"):
    """Runs a block of understudy while the client asks; all must be compared."""
    p = w.typed(room, text, wait=False)
    # What reads a pipe begins with its first frame: tcpdump says that it listens.
    until(lambda: w.lines() or "listening on" in open(p.said).read(), 10,
          "it did not start", p)
    w.ask(path)
    pid = w.path("ssh.pid")
    if os.path.exists(pid):
        time.sleep(1.5)  # it hands out what it has once a second
        os.kill(int(open(pid).read()), signal.SIGINT)
    else:
        # It would go on for a minute; a report says when all is compared.
        def all_compared():
            os.kill(shadow_of(p), signal.SIGUSR1)
            time.sleep(0.1)
            return compared(w) == ASKED
        until(all_compared, 20, "not all is compared", p)
        os.kill(shadow_of(p), signal.SIGINT)
    t.equal(p.wait(30), code, "exit code: " + open(p.said).read())
    t.equal(compared(w), ASKED, "answers compared: %s" % verdicts(w))
    t.equal(verdicts(w).get("different"), 0 if code == 0 else ASKED, "different")


FIRST = "Your first mirror"
SPAN = "A switch's mirror port (SPAN)"


def switch(t):
    with World() as w:
        w.typed("sut", block("README.md", FIRST, "sut"))
        plays(t, w, "us", block("README.md", SPAN, "us"))


def by_tc(t):
    above = "No mirror port, but root on production's own host"
    with World() as w:
        w.typed("sut", block("README.md", FIRST, "sut"))
        w.typed("prod", block("README.md", above, "prod"))
        plays(t, w, "us", block("README.md", above, "us"))


def two_legs(t):
    with World(legs=True) as w:
        w.typed("sut", block("doc/RECIPES.md", "A SUT with two legs", "sut"))
        plays(t, w, "us", block("README.md", SPAN, "us"))


VXLAN = "A SUT in a cloud"


def vxlan(t):
    with World(wire=False) as w:
        w.typed("us", block("doc/RECIPES.md", VXLAN, "us"))
        w.typed("sut", block("doc/RECIPES.md", VXLAN, "sut"))
        plays(t, w, "us", block("doc/RECIPES.md", VXLAN, "us", 1))


def own_host(t):
    """The VXLAN device as above, of production's host."""
    with World(wire=False) as w:
        for room, host in (("us", "prod"), ("sut", "sut")):
            text = block("doc/RECIPES.md", VXLAN, room)
            w.typed(host, text.replace(LAN["us"], LAN["prod"]))
        plays(t, w, "prod", block("doc/RECIPES.md", "On production's own host",
                                  "prod"))


def by_ssh(t):
    lab.need("tcpdump")
    with World() as w:
        w.typed("sut", block("README.md", FIRST, "sut"))
        plays(t, w, "us", block("doc/RECIPES.md", "A capture that comes by ssh",
                                "us"))


def one_difference(t):
    with World() as w:
        w.typed("sut", block("README.md", FIRST, "sut"))
        plays(t, w, "us", block("README.md", SPAN, "us"), 1, "/price")
        first = next(x for x in w.lines() if x["type"] == "difference")
        text = block("doc/RECIPES.md", "One difference", "us")
        p = w.typed("us", text.replace("51644", first["client"].split(":")[1]),
                    wait=False)
        code, said = p.wait(20), open(p.said).read()
        t.equal(code, 1, "exit code of the replay: " + said)
        t.check(re.search(r"^DIFFERENT: 1 of 1 ", said, re.M), said)
        t.check('"type":"difference"' in said, "the grep found nothing: " + said)


lab.main([("a switch's mirror port", switch),
          ("production's host mirrors by tc", by_tc),
          ("a SUT with two legs", two_legs),
          ("VXLAN is the SUT's wire", vxlan),
          ("on production's own host", own_host),
          ("a capture by ssh", by_ssh),
          ("one difference, once more", one_difference)])
