# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy on the proxy's host of hosts.py, a server behind it, and clients."""
import hashlib
import json
import os
import signal
import socket
import subprocess
import threading

import hosts
from hosts import ADDR, CLIENT, PROXY, SERVER, WAIT, result, within

BINARY = os.path.join(hosts.BUILD, "understudy")
PORT, TO = 9000, 8000


def at(addr, port):
    return "%s:%d" % (f"[{addr}]" if ":" in addr else addr, port)


def forward(family=4, *servers, to=None):
    """The words of a --forward, to the server's host unless others are named."""
    servers = servers or (at(ADDR[to or family][3], TO),)
    return ["--forward", at(ADDR[family][1], PORT) + "=" + ",".join(servers)]


def listens(port):
    return subprocess.run(["ip", "netns", "exec", PROXY, "ss", "-Htln", "sport",
                           "= :%d" % port], capture_output=True).stdout != b""


class Control:
    """What is asked of the proxy whose --ctl is at @path."""

    def __init__(self, path):
        self.path = path

    def ctl(self, *words):
        """Exit code, output, message."""
        r = subprocess.run([BINARY, "ctl", self.path, *words], capture_output=True,
                           text=True, timeout=WAIT)
        return r.returncode, r.stdout, r.stderr

    def ask(self, *words):
        code, out, err = self.ctl(*words)
        assert (code, err) == (0, ""), (words, code, err)
        return out

    def shown(self):
        return json.loads(self.ask("show", "json"))


class Proxy(hosts.Proxy):
    """A proxy that listens; end() gives its report."""

    def __init__(self, *words, port=PORT, before=(), quiet=True):
        super().__init__(*before, BINARY, "proxy", "--json",
                         *(["--quiet"] if quiet else []), *words)
        hosts.until("the proxy does not listen",
                    lambda: self.p.poll() is not None or listens(port))
        if self.p.poll() is not None:
            raise RuntimeError("the proxy has ended with %d" % self.p.returncode)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.p.poll() is None:
            self.kill()

    def pid(self):
        """Of the proxy: "ip netns exec" becomes what it starts."""
        return self.p.pid

    def report(self):
        """Its counters now."""
        self.p.send_signal(signal.SIGUSR1)
        return json.loads(self.line())

    def until(self, what, call):
        """Wait until its report fits."""
        hosts.until(what, lambda: call(self.report()))

    def end(self, sig=signal.SIGTERM):
        """Its last report, when its sums close."""
        self.p.send_signal(sig)
        last = None
        line = self.line()
        while line is not None:
            last, line = line, self.line()
        assert self.p.wait(WAIT) == 0, f"the proxy ended with {self.p.returncode}"
        r = json.loads(last)
        check_sums(r)
        assert r["opening"] == 0 and r["open"] == 0, r
        return r


def check_sums(r):
    """accepted = spliced + copied + refused + failed + opening, and each by reason."""
    def of(word):
        return sum(v for k, v in r.items() if k.startswith(word + "_"))
    assert r["accepted"] == (r["spliced"] + r["copied"] + r["refused"] + r["failed"] +
                             r["opening"]), r
    for word in ("copied", "refused", "failed"):
        assert r[word] == of(word), (word, r)
    assert r["spliced"] + r["copied"] == of("ended") + r["open"], r


class Server:
    """Reads how many bytes it shall send, sends them, and reads to the end meanwhile;
    `keeps`: it does not end its stream by itself.
    `seen` has (bytes, hash, address of the peer) of each that ended."""

    def __init__(self, family=4, host=SERVER, addr=None, port=TO, head=None,
                 keeps=False):
        self.seen, self.open, self.heads, self.head = [], [], [], head
        self.keeps = keeps
        addr = addr or ADDR[family][3 if host == SERVER else 2]
        self.listening = result(within(host, lambda: hosts.listener(family, addr, port)))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                conn, peer = self.listening.accept()
            except OSError:
                return
            self.open.append(conn)
            threading.Thread(target=self.serve, args=(conn, peer), daemon=True).start()

    def serve(self, conn, peer):
        # Longer than the client of a test is ever silent: it starts programs.
        conn.settimeout(5 * WAIT)
        try:
            if self.head:
                self.heads.append(self.head(conn))
            size = int.from_bytes(hosts.read_exactly(conn, 8), "big")
            sender = threading.Thread(target=self.say, args=(conn, size), daemon=True)
            sender.start()
            got = hosts.read_all(conn)
            sender.join(WAIT)
            conn.close()
            self.seen.append((got[1], got[0], peer[0]))
        except EOFError:  # somebody who only asked whether we are there
            conn.close()
        except OSError as e:
            conn.close()
            self.seen.append((0, type(e).__name__, peer[0]))

    def say(self, conn, size):
        try:
            conn.sendall(hosts.pattern(2, size))
            if not self.keeps:
                conn.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for c in self.open:
            c.close()


def connected(family=4, port=PORT, source=None):
    """A client's connection to the proxy."""
    s = result(within(CLIENT, lambda: socket.create_connection(
        (ADDR[family][1], port), timeout=WAIT,
        source_address=source and (source, 0))))
    return s


def hashed(seed, size):
    return hashlib.sha256(hosts.pattern(seed, size)).hexdigest()


def exchange(server, size, family=4, port=PORT, s=None):
    """So many bytes each way, at once, and half-closed by the client first."""
    s = s or connected(family, port)
    n = len(server.seen)
    with s:
        s.sendall(size.to_bytes(8, "big") + hosts.pattern(1, size))
        s.shutdown(socket.SHUT_WR)
        got = hosts.read_all(s)
    assert got == (hashed(2, size), size), (got, size)
    want = (size, hashed(1, size))
    hosts.until("the server has not got it",
                lambda: want in [x[:2] for x in server.seen[n:]])
    return [x for x in server.seen[n:] if x[:2] == want][0]


def turned_away(family=4, port=PORT):
    """A client whose connection is cut before it has said anything."""
    try:
        with connected(family, port) as s:
            return is_cut(s)
    except ConnectionResetError:
        return True


def is_cut(s):
    """Wait for the end of a connection: a reset, or the end of its stream."""
    try:
        return s.recv(1) == b""
    except ConnectionResetError:
        return True


class Names:
    """A name server on the proxy's host: {name: [address...]}; None: it does not answer,
    []: there is no such name. `asked` has the names."""

    def __init__(self, names, addr="127.0.0.1", port=5353):
        self.names, self.asked = names, []
        self.mute = set()  # (name, type) that is not answered

        def open_it():
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((addr, port))
            return s
        self.s = result(within(PROXY, open_it))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                q, peer = self.s.recvfrom(2000)
            except OSError:
                return
            if not q:
                return
            self.answer(q, peer)

    def answer(self, q, peer):
        at, labels = 12, []
        while q[at]:
            labels.append(q[at + 1:at + 1 + q[at]].decode())
            at += 1 + q[at]
        name, kind = ".".join(labels).lower(), int.from_bytes(q[at + 1:at + 3], "big")
        self.asked.append(name)
        have = self.names.get(name, [])
        if have is None or (name, kind) in self.mute:
            return
        found = [a for a in have if (":" in a) == (kind == 28)]
        out = q[:2] + bytes([0x81, 0x80 if have else 0x83, 0, 1, 0, len(found), 0, 0, 0, 0])
        out += q[12:at + 5]
        for a in found:
            raw = socket.inet_pton(socket.AF_INET6 if ":" in a else socket.AF_INET, a)
            out += b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1\0\0\0\1" + \
                len(raw).to_bytes(2, "big") + raw
        self.s.sendto(out, peer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.s.shutdown(socket.SHUT_RDWR)
        except OSError:  # not connected; its reader wakes up all the same
            pass
        self.thread.join(WAIT)
        self.s.close()
