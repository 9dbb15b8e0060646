# SPDX-License-Identifier: BSD-2-Clause
"""A tunnel that runs, asked and told by its control socket (test_tunnel.py has the
namespaces)."""
import json
import os
import re
import stat
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_tunnel as rig  # noqa: E402
from test_tunnel import lab, until  # noqa: E402

IDLE = "a few megabytes"
MANY = 1 << 20


def path_of(net, name="a"):
    return os.path.join(net.dir, name + ".ctl")


def ctl(net, *words, name="a", user=None):
    """Exit code, output, message."""
    argv = [lab.BINARY, "ctl", path_of(net, name), *words]
    r = subprocess.run(argv, capture_output=True, text=True, timeout=30,
                       check=False, user=user)
    return r.returncode, r.stdout, r.stderr


def pair(net, *words):
    net.listen()
    a = net.begin("--path", "p1,10.20.1.2:7000", "--path",
                  "10.20.2.1,10.20.2.2:7000", "--ctl", path_of(net), *words)
    until("both paths are there", lambda: rig.both_alive(net, a))
    return a


def get(net, name):
    code, out, err = ctl(net, "get", name)
    if code:
        raise lab.LabError(err)
    return out.rstrip("\n")


def shown(net):
    r = json.loads(ctl(net, "show", "json")[1])
    return {p["path"]: p["sent"] for p in r["paths"]}, r["machine"]


def used(net, t):
    """Packets that each path gets of a transfer."""
    before = shown(net)[0]
    t.check(net.transfer(rig.B, size=MANY), "bytes differ")
    after = shown(net)[0]
    return [after[i] - before[i] for i in sorted(after)]


def one_to_four(net, t):
    """A fifth of what goes in turn is the first path's. What has no turn (thin
    packets, what is sent again, probes) may go on either, and a busy machine has
    more of it."""
    before = shown(net)[1]
    got = used(net, t)
    after = shown(net)[1]
    turns, thin = (after[k] - before[k] for k in ("first", "inner_thin"))
    turns -= thin
    rest = sum(got) - turns
    for n, share in zip(got, (turns / 5, turns * 4 / 5)):
        t.check(turns > 500 and share - 5 <= n <= share + rest + 5,
                "not 1 to 4: %s, %d in turn" % (got, turns))


def at_last(what, net, t, cond):
    """A path that seems to be silent, as the machine is busy, is not used for a
    while."""
    until(what, lambda: cond(*used(net, t)))


def knobs(t):
    """The thesis's names and ours are the same values, and they do what they say."""
    with rig.Net(True) as net:
        a = pair(net)
        for name, value in (("scheduler", "earliest"), ("multipath", "1"),
                            ("weights", "1:1"), ("bufferOn", "1"),
                            ("bufferSize", "0"), ("numOfNode", "2"),
                            ("log", "1"), ("no-again", "off"),
                            ("srcAddr", "00000000 0102140a"),
                            ("destAddr", "0201140a 0202140a")):
            t.equal(get(net, name), value, name)
        listed = dict(x.partition(" ")[::2] for x in
                      ctl(net, "get")[1].splitlines())
        t.equal((listed["dev"], listed["bufferSize"], listed["plain"]),
                ("us0", "0", "on"), "get")
        rig.both_used(t, net, a)
        t.equal(ctl(net, "set", "numOfNode", "1"), (0, "", ""), "one node")
        at_last("the first alone is used", net, t,
                lambda first, second: first > 500 and second < 50)
        ctl(net, "set", "numOfNode", "2")
        ctl(net, "set", "multipath", "weights")
        ctl(net, "set", "weights", "1:4")
        t.equal((get(net, "scheduler"), get(net, "weight")),
                ("weights", "4"), "weights")
        one_to_four(net, t)
        for name, value, other, same in (
                ("bufferOn", "0", "release", "off"),
                ("bufferSize", "25", "buffer-size", "25"),
                ("multipath", "0", "scheduler", "pin"),
                ("log", "0", "quiet", "on"), ("keepalive", "2s", "log", "0")):
            t.equal(ctl(net, "set", name, value), (0, "", ""), name)
            t.equal(get(net, other), same, other)
        t.check(net.transfer(rig.A, size=MANY), "bytes differ")


def refusals(t):
    with rig.Net(True) as net:
        pair(net)
        for words, code, says in (
                (("set", "mtu", "900"), 1, "mtu cannot be changed"),
                (("set", "srcAddr", "1"), 1, "srcAddr cannot be changed"),
                (("set", "weight", "0"), 1, "--weight 0"),
                (("set", "weights", "2:1"), 1, "write 1:N"),
                (("set", "numOfNode", "17"), 1, "from 1 to 16"),
                (("set", "keepalive", "1ms"), 1, "write 1s or more"),
                (("set", "release", "equal"), 1, "start both ends with"),
                (("set", "schedulr", "pin"), 1, "scheduler"),
                (("fetch",), 1, "write get [NAME]"),
                (("get", "nothing"), 1, "nothing")):
            got = ctl(net, *words)
            t.check(got[0] == code and says in got[2] and got[1] == "" and
                    got[2].count("\n") == 1, "%s: %s" % (words, got))
        t.equal((get(net, "weight"), get(net, "release"),
                 get(net, "keepalive")), ("1", "order", "0s"), "what was before")
        t.equal(ctl(net, "show", name="none")[0], 2, "nobody there")


def counters(t):
    """Prometheus's form: each family has its help and type, once, and the values are
    those of the JSON."""
    with rig.Net(True) as net:
        pair(net)
        t.check(net.transfer(rig.B, size=MANY), "bytes differ")
        code, text, err = ctl(net, "show", "prometheus")
        t.equal((code, err), (0, ""), "show")
        kind, value = {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, what = line.split()[2:]
                t.check(name not in kind, "twice: " + name)
                kind[name] = what
            elif not line.startswith("# HELP "):
                m = re.fullmatch(r"([a-z_]+)(\{([a-z]+)=\"(\d+)\"(,to=\"[0-9.:]+\")?\})? (\d+)",
                                 line)
                t.check(m is not None and m[1] in kind, line)
                if m:
                    value[m[1], m[4]] = int(m[6])
        t.equal(text.count("# HELP "), len(kind), "helps")
        t.check(all(k.endswith("_total") == (v == "counter")
                    for k, v in kind.items()), "names")
        got = json.loads(ctl(net, "show", "json")[1])
        now = "understudy_tunnel_"
        for name, one, key in (
                ("path_sent_bytes_total", got["paths"][1]["sent_bytes"], "1"),
                ("machine_arrived_total", got["machine"]["arrived"], None),
                ("ends_read_total", got["ends"]["read"], None)):
            t.check(0 < value[now + name, key] <= one, "%s: %d, then %d" % (
                name, value[now + name, key], one))
        t.equal(sum(x["inner"] for x in got["lanes"]),
                got["machine"]["inner"], "lanes together")
        t.check(got["lanes"][0]["inner"] > 0 and any(
            x["inner"] > 500 for x in got["lanes"][1:]), "thin and bulk")
        t.check("path 0 to 10.20.1.2:7000" in ctl(net, "show")[1], "text")


class Watch:
    def __init__(self, net):
        self.file = os.path.join(net.dir, "events")
        with open(self.file, "w") as f:
            self.p = subprocess.Popen([lab.BINARY, "ctl", path_of(net),
                                       "watch"], stdout=f,
                                      preexec_fn=lab._child)
        net.children.append(self.p)

    def events(self):
        return [json.loads(x) for x in lab.whole_lines(self.file)]

    def names(self, path=None):
        return [e["event"] for e in self.events()
                if path is None or e.get("path") == path]


def events(t):
    with rig.Net(False) as net:
        b = net.listen()
        a = net.begin("--path", "p1,10.20.1.2:7000", "--path",
                      "10.20.2.1,10.20.2.2:7000", "--ctl", path_of(net))
        w = Watch(net)
        # Which of the first events it has seen is a matter of who was first.
        until("it is watched", lambda: ctl(net, "set", "weight", "3")[0] == 0
              and "set" in w.names())
        until("both paths are there", lambda: rig.both_alive(net, a))
        rig.drop(1, True)
        until("a path is down", lambda: net.ping() is not None and
              "path_down" in w.names(0))
        rig.drop(1, False)
        until("it is back", lambda: net.ping() is not None and
              "path_back" in w.names(0))
        b.p.kill()
        b.p.wait()
        net.listen()
        until("a new process is there", lambda: net.ping() is not None and
              "peer" in w.names())
        one = [e for e in w.events() if e["event"] == "path_down"][0]
        t.equal((one["path"], one["to"]), (0, "10.20.1.2:7000"), str(one))
        t.check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z",
                             one["at"]), one["at"])
        said = [(e["name"], e["value"]) for e in w.events()
                if e["event"] == "set"]
        t.equal(said[0], ("weight", "3"), "set")
        t.equal(a.finish(), 0, "end")
        t.equal(w.p.wait(rig.WAIT), 0, "who watched ends, too")


def moved(t):
    """The end that waits is watched, and an address of the other one changes."""
    with rig.Net(True) as net:
        net.listen("--listen", "0.0.0.0:7000", "--ctl", path_of(net))
        net.begin()
        until("ping", net.ping)
        w = Watch(net)
        until("it is watched", lambda: ctl(net, "set", "weight", "3")[0] == 0
              and "set" in w.names())
        rig.ip(rig.A, "addr", "add", "10.20.1.11/24", "dev", "p1")
        rig.ip(rig.A, "addr", "del", "10.20.1.1/24", "dev", "p1")
        rig.ip(rig.A, "addr", "add", "10.20.1.11/24", "dev", "p1")
        until("a path moved", lambda: net.transfer(rig.B, size=MANY) and
              "path_moved" in w.names(0))
        one = [e for e in w.events() if e["event"] == "path_moved"][-1]
        t.check(one["to"].startswith("10.20.1.11:"), str(one))


def place(t):
    """The socket is its owner's; who is killed leaves it, and the next takes it."""
    with rig.Net(True) as net:
        a = pair(net)
        mode = os.stat(path_of(net)).st_mode
        t.check(stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600, oct(mode))
        os.chmod(net.dir, 0o755)
        got = ctl(net, "show", user=65534)
        t.check(got[0] == 2 and "start this as root" in got[2], str(got))
        os.chmod(path_of(net), 0o666)
        got = ctl(net, "show", user=65534)
        t.check(got[0] == 2 and "of its own user" in got[2], str(got))
        second = rig.End(net, rig.A, "--dev", "us9", "--addr", "10.98.0.1/30",
                         "--path", "p1,10.20.1.2:7000", "--plain", "--ctl",
                         path_of(net))
        t.equal(second.p.wait(rig.WAIT), 2, "a second one")
        t.check("another process listens there" in second.said(),
                second.said())
        a.p.kill()
        a.p.wait()
        t.equal(ctl(net, "show")[0], 2, "of the dead")
        a = net.begin("--path", "p1,10.20.1.2:7000", "--ctl", path_of(net))
        t.equal(ctl(net, "get", "dev")[:2], (0, "us0\n"), "the next one")


def names(t):
    """A host's name, from the file of this namespace; and one that nobody has."""
    folder = "/etc/netns/" + rig.A
    with rig.Net(True) as net:
        os.makedirs(folder)
        try:
            with open(folder + "/hosts", "w") as f:
                f.write("10.20.1.2 far.test\n10.20.2.2 far2.test\n")
            net.listen()
            a = net.begin("--path", "p1,far.test:7000", "--path",
                          "p2,far2.test:7000", "--ctl", path_of(net))
            until("both paths are there", lambda: rig.both_alive(net, a))
            t.equal(get(net, "path"), "p1,far.test:7000 p2,far2.test:7000",
                    "path")
            t.equal([p["to"] for p in a.report()["paths"]],
                    ["10.20.1.2:7000", "10.20.2.2:7000"], "to")
            b = rig.End(net, rig.A, "--addr", "10.98.0.1/30", "--plain",
                        "--path", "p1,nobody.invalid:7000")
            t.equal(b.p.wait(rig.WAIT), 2, "exit")
            t.check("nobody.invalid:7000: " in b.said() and
                    "write its address" in b.said(), b.said())
        finally:
            os.unlink(folder + "/hosts")
            os.rmdir(folder)


def ways(t):
    """Weights, a rate, and a class that is pinned."""
    with rig.Net(True) as net:
        net.listen()
        a = net.begin("--path", "p1,10.20.1.2:7000,weight=1", "--path",
                      "p2,10.20.2.2:7000,weight=4", "--scheduler", "weights",
                      "--class", "tcp dst port 5000=pin", "--ctl",
                      path_of(net))
        until("both paths are there", lambda: rig.both_alive(net, a))
        at_last("a connection is pinned", net, t,
                lambda *n: max(n) > 500 and min(n) < 100)
        t.equal(get(net, "class"), "'tcp dst port 5000=pin'", "class")
        b = rig.End(net, rig.A, "--addr", "10.98.0.1/30", "--plain",
                    "--path", "p1,10.20.1.2:7000", "--class", "tcp prt 5=pin")
        t.equal(b.p.wait(rig.WAIT), 2, "exit")
        t.check("pcap-filter(7)" in b.said(), b.said())
    with rig.Net(True) as net:
        net.listen()
        a = net.begin("--path", "p1,10.20.1.2:7000,weight=1", "--path",
                      "p2,10.20.2.2:7000,weight=4", "--scheduler", "weights",
                      "--ctl", path_of(net))
        until("both paths are there", lambda: rig.both_alive(net, a))
        one_to_four(net, t)


def two_paths(net, first, second):
    net.listen()
    a = net.begin("--path", "p1,10.20.1.2:7000" + first, "--path",
                  "p2,10.20.2.2:7000" + second, "--ctl", path_of(net))
    until("both paths are there", lambda: rig.both_alive(net, a))
    return a


def backup(t):
    """A backup is used while no other path is alive, and not before or after."""
    with rig.Net(True) as net:
        a = two_paths(net, "", ",tier=backup")
        at_last("the first of both", net, t,
                lambda first, second: first > 500 and second < 50)
        rig.drop(1, True)
        until("the first is given up", lambda: net.ping() is not None and not
              a.report()["paths"][0]["alive"])
        at_last("the backup", net, t,
                lambda first, second: first < 50 and second > 500)
        rig.drop(1, False)
        until("it is back", lambda: net.ping() is not None and
              a.report()["paths"][0]["alive"])
        at_last("the first of both, again", net, t,
                lambda first, second: first > 500 and second < 50)


def trace(t):
    """Each packet is in the file, and why."""
    with rig.Net(True) as net:
        file = os.path.join(net.dir, "trace.pcapng")
        net.listen()
        a = net.begin("--path", "p1,10.20.1.2:7000", "--path",
                      "10.20.2.1,10.20.2.2:7000", "--trace", file)
        until("both paths are there", lambda: rig.both_alive(net, a))
        t.check(net.transfer(rig.B, size=MANY), "bytes differ")
        r = a.report()
        t.equal(a.finish(), 0, "end")
        t.equal(stat.S_IMODE(os.stat(file).st_mode), 0o600, "mode")
        got = blocks(file)
        sent = [b for b in got if b[0] < 16]
        t.equal(r["ends"]["trace_lost"], 0, "lost")
        t.check(len(sent) >= r["machine"]["first"] and
                len(got) - len(sent) >= r["machine"]["delivered"], "%d, %d" % (
                    len(sent), len(got)))
        t.check({b[0] for b in got} == {0, 1, 16}, "interfaces")
        t.check(all(re.fullmatch(r"[a-z]+: lane \d+ number \d+, path %d number "
                                 r"\d+" % b[0], b[2]) for b in sent),
                "comments")
        t.check({b[2] for b in got if b[0] == 16} <= {"in order", "late"},
                "delivered")
        t.check(all(b[1][0] >> 4 in (4, 6) for b in got), "no packets")
        again = rig.End(net, rig.A, "--addr", "10.99.0.1/30", "--plain",
                        "--path", "p1,10.20.1.2:7000", "--trace", file)
        t.check(again.p.wait(rig.WAIT) == 2 and "nothing is overwritten" in
                again.said(), again.said())


def blocks(path):
    """Interface, bytes and comment of each packet of a pcapng file."""
    with open(path, "rb") as f:
        data = f.read()
    got, at = [], 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 6:
            iface, _, _, cap = struct.unpack_from("<IIII", data, at + 8)
            p, comment = at + 28, None
            o = p + (cap + 3) // 4 * 4
            while o < at + size - 4:
                code, n = struct.unpack_from("<HH", data, o)
                if code == 1:
                    comment = data[o + 4:o + 4 + n].decode()
                o += 4 + (n + 3) // 4 * 4
            got.append((iface, data[p:p + cap], comment))
        at += size
    return got


# As contrib/understudy-tunnel@.service starts it.
UNIT = ("setpriv", "--no-new-privs", "--bounding-set=-all,+net_admin,+setuid,"
        "+setgid,+setpcap", "--inh-caps=-all")


def unit(t):
    """With the unit's capabilities alone, twice at the same place."""
    with rig.Net(False) as net:
        net.listen()
        for i in (1, 2):
            a = rig.End(net, rig.A, "--addr", "10.99.0.1/30", "--path",
                        "p1,10.20.1.2:7000", "--ctl", path_of(net),
                        *net.trust(rig.A), before=UNIT)
            until("start %d" % i, net.ping)
            t.check(net.transfer(rig.B, size=MANY), "bytes differ")
            t.equal(get(net, "dev"), "us0", "ctl")
            t.equal(a.finish(), 0, "end %d" % i)


if __name__ == "__main__":
    lab.main([("a trace", trace), ("as the unit starts it", unit), ("names", names), ("ways", ways),
              ("a backup", backup), ("knobs", knobs), ("refusals", refusals),
              ("counters", counters), ("events", events),
              ("an address moves", moved), ("the socket's place", place)])
