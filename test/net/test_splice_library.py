#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""libunderstudy-splice by its calls: what is exported, what is refused and why.

The shared library is called as another program would, on the proxy's host of
test/lib/hosts.py.
"""
import ctypes
import errno
import glob
import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
from hosts import ADDR, CLIENT, PROXY, SERVER, WAIT, result, within  # noqa: E402

IDLE = "seconds, and little load"
SO = os.path.join(hosts.BUILD, "libunderstudy-splice.so.0")
HEADER = os.path.join(hosts.HERE, "../../src/proxy/join/usplice.h")
SPLICED, FIN, RESET, REVIVED, TIMEWAIT, OVER, CONNECTED = range(7)
TESTS = []


class Options(ctypes.Structure):
    _fields_ = [("pairs", ctypes.c_uint32), ("port_low", ctypes.c_uint16),
                ("port_high", ctypes.c_uint16), ("mss", ctypes.c_uint16),
                ("flags", ctypes.c_uint), ("opening", ctypes.c_uint64),
                ("idle", ctypes.c_uint64), ("closing", ctypes.c_uint64),
                ("timewait", ctypes.c_uint64), ("pin", ctypes.c_char_p),
                ("key", ctypes.c_uint64 * 2),
                ("dev", ctypes.POINTER(ctypes.c_char_p)), ("mark", ctypes.c_uint32)]


class Note(ctypes.Structure):
    _fields_ = [("what", ctypes.c_int), ("pair", ctypes.c_void_p),
                ("user", ctypes.c_void_p), ("dir", ctypes.c_int),
                ("reason", ctypes.c_int), ("error", ctypes.c_int)]


class Stats(ctypes.Structure):
    _fields_ = [(n, ctypes.c_uint64 * 2) for n in ("segments", "bytes", "acked",
                                                   "outside")]


def test(name):
    """A test runs on the proxy's host: in its network namespace."""
    def add(f):
        TESTS.append((name, lambda: result(within(PROXY, f))))
        return f
    return add


class Library:
    so = None

    def __init__(self, **options):
        if Library.so is None:
            Library.so = ctypes.CDLL(SO)
            Library.so.usplice_write.restype = ctypes.c_ssize_t
        self.u = ctypes.c_void_p()
        self.err = ctypes.create_string_buffer(200)
        self.rc = self.so.usplice_open(ctypes.byref(self.u),
                                       ctypes.byref(Options(**options)), self.err, 200)

    def __enter__(self):
        assert self.rc == 0, (self.rc, self.err.value)
        return self

    def __exit__(self, *_):
        self.so.usplice_close(self.u)

    def intend(self, client, server, to, user=None):
        """(result, pair)"""
        pair = ctypes.c_void_p()
        if ":" in to[0]:
            raw = (socket.AF_INET6).to_bytes(2, sys.byteorder) + \
                to[1].to_bytes(2, "big") + bytes(4) + \
                socket.inet_pton(socket.AF_INET6, to[0]) + bytes(4)
        else:
            raw = (socket.AF_INET).to_bytes(2, sys.byteorder) + \
                to[1].to_bytes(2, "big") + socket.inet_aton(to[0]) + bytes(8)
        rc = self.so.usplice_intend(self.u, client.fileno(), server.fileno(), raw,
                                    len(raw), user, ctypes.byref(pair))
        return rc, pair

    def splice(self, pair, extra=0):
        return self.so.usplice_splice(pair, extra)

    def write(self, pair, text):
        return self.so.usplice_write(pair, text, ctypes.c_size_t(len(text)))

    def next(self):
        """The next note, or None; waits for one."""
        note = Note()
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            if self.so.usplice_next(self.u, ctypes.byref(note)) == 1:
                return note
            select.select([self.so.usplice_fd(self.u)], [], [], 1)
        return None

    def stats(self, pair):
        st = Stats()
        assert self.so.usplice_stats(pair, ctypes.byref(st)) == 0
        return st


class Ends:
    """A listener on the server, and a client that is connected to the proxy."""

    def __init__(self, addr=ADDR[4]):
        family = 6 if ":" in addr[0] else 4
        self.to = (addr[3], 8000)
        self.listening = result(within(SERVER, lambda: hosts.listener(
            family, addr[3], 8000)))
        own = hosts.listener(family, addr[1], 1080)
        self.client = result(within(CLIENT, lambda: socket.create_connection(
            (addr[1], 1080), timeout=WAIT)))
        self.ours, _ = own.accept()
        own.close()
        self.far = self.fresh(family)
        self.server = None

    @staticmethod
    def fresh(family=4):
        return socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET)

    def connect(self):
        self.far.connect(self.to)
        self.server, _ = self.listening.accept()
        self.server.settimeout(WAIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in (self.listening, self.client, self.ours, self.far, self.server):
            if s is not None:
                s.close()


@test("exported are the functions of the header, and nothing else")
def exported():
    with open(HEADER) as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    want = set(re.findall(r"\b(usplice_[a-z]+)\(", text))
    out = subprocess.run(["nm", "-D", "--defined-only", SO], capture_output=True,
                         text=True, check=True).stdout
    have = {l.split()[-1].split("@")[0] for l in out.splitlines() if " T " in l}
    other = [l for l in out.splitlines() if " T " not in l and " A " not in l]
    assert len(want) == 20 and have == want and not other, (want ^ have, other)


@test("installed: a program is built with what pkg-config says")
def installed():
    root = os.path.join(hosts.HERE, "../..")
    # Another prefix would build anew what others are running.
    options = json.loads(subprocess.run(
        ["meson", "introspect", "--buildoptions", hosts.BUILD], capture_output=True,
        text=True, check=True).stdout)
    prefix = [o["value"] for o in options if o["name"] == "prefix"][0]
    with tempfile.TemporaryDirectory() as to:
        subprocess.run([os.path.join(root, "tools/install"), hosts.BUILD, to, prefix],
                       check=True, cwd=root)
        lib = os.path.dirname(glob.glob(
            f"{to}{prefix}/lib/**/libunderstudy-splice.so", recursive=True)[0])
        env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=to,
                   PKG_CONFIG_PATH=os.path.join(lib, "pkgconfig"))
        words = subprocess.run(["pkg-config", "--cflags", "--libs", "understudy-splice"],
                               env=env, capture_output=True, text=True,
                               check=True).stdout.split()
        program = os.path.join(to, "socks")
        subprocess.run(["cc", "-D_GNU_SOURCE", "-o", program,
                        os.path.join(root, "example/socks.c"),
                        os.path.join(root, "example/proxy.c")] + words +
                       ["-Wl,-rpath-link," + lib], check=True)
        out = subprocess.run([program], capture_output=True, text=True, env=dict(
            os.environ, LD_LIBRARY_PATH=lib))
        assert out.returncode == 2 and "usage" in out.stderr, out
        pages = os.listdir(f"{to}{prefix}/share/man/man3")
        assert "usplice_intend.3" in pages and len(pages) == 21, pages


@test("options that are none are refused with a sentence")
def options():
    names = (ctypes.c_char_p * 2)(b"nothere", None)
    for rc, word, options in (
            (-errno.EINVAL, "pairs", {"pairs": 65537}),
            (-errno.EINVAL, "ports", {"port_low": 9, "port_high": 8}),
            (-errno.EINVAL, "clsact", {"flags": 3}),
            (-errno.ENAMETOOLONG, "pin", {"pin": b"/" + b"x" * 300}),
            (-errno.EPERM, "pinned", {"pin": b"/tmp/us-no-bpffs-%d" % os.getpid()}),
            (-errno.ENODEV, "nothere", {"dev": names})):
        u = Library(**options)
        assert u.rc in (rc, -errno.EINVAL), (options, u.rc, u.err.value)
        assert word in u.err.value.decode(), u.err.value
    os.rmdir("/tmp/us-no-bpffs-%d" % os.getpid())


@test("what cannot be spliced is refused before anybody is asked")
def intents():
    with Library(pairs=4) as u, Ends() as e:
        six = e.fresh(6)
        rows = ((e.ours, six, (ADDR[6][3], 8000), errno.EAFNOSUPPORT),
                (e.ours, e.far, (ADDR[4][1], 8000), errno.EOPNOTSUPP),
                (e.ours, e.far, ("127.0.0.1", 8000), errno.EOPNOTSUPP),
                (e.ours, e.far, ("192.0.2.1", 8000), errno.ENETUNREACH),
                (e.fresh(), e.far, e.to, errno.ENOTCONN))
        for client, server, to, want in rows:
            rc, _ = u.intend(client, server, to)
            assert rc == -want, (to, rc)
        # None of them has kept anything.
        pairs = [u.intend(e.ours, e.far, e.to)]
        assert pairs[0][0] == 0, pairs
        u.so.usplice_end(pairs[0][1])


@test("a full table, and ports that are all in use")
def full():
    with Library(pairs=1, port_low=3000, port_high=3000) as u, Ends() as e:
        rc, pair = u.intend(e.ours, e.far, e.to)
        assert rc == 0 and e.far.getsockname() == (ADDR[4][2], 3000)
        rc, _ = u.intend(e.ours, e.fresh(), e.to)
        assert rc == -errno.ENOSPC, rc
        u.so.usplice_end(pair)
    with Library(pairs=2, port_low=3000, port_high=3000) as u, Ends() as e:
        rc, pair = u.intend(e.ours, e.far, e.to)
        assert rc == 0
        rc, _ = u.intend(e.ours, e.fresh(), e.to)
        assert rc == -errno.EADDRINUSE, rc
        u.so.usplice_end(pair)


@test("not connected, then connected: the same pair, and what it is told")
def the_way():
    for addr in ADDR.values():
        with Library(timewait=1) as u, Ends(addr) as e:
            rc, pair = u.intend(e.ours, e.far, e.to, 42)
            assert rc == 0, rc
            assert u.splice(pair) == -errno.ENOTCONN
            e.connect()
            assert u.splice(pair, 5) == 0
            assert u.splice(pair, 5) == -errno.EINVAL
            e.ours.close()
            e.far.close()
            assert u.write(pair, b"123456") == -errno.EMSGSIZE
            # What the server says waits until we have said all.
            e.server.sendall(b"server")
            assert u.write(pair, b"12") == 2 and u.write(pair, b"345") == 3
            note = u.next()
            assert note.what == SPLICED and note.user == 42, note.what
            assert note.pair == pair.value
            assert u.write(pair, b"") == -errno.EPIPE
            assert hosts.read_exactly(e.client, 11) == b"12345server"
            e.client.sendall(b"client")
            assert hosts.read_exactly(e.server, 6) == b"client"
            assert not hosts.sockets_left()
            e.client.close()
            e.server.close()
            notes = [u.next() for _ in range(4)]
            assert [n.what for n in notes] == [FIN, FIN, TIMEWAIT, OVER], notes
            assert [n.dir for n in notes[:2]] == [0, 1]
            st = u.stats(pair)
            # Two FINs, our 5 bytes, and those of the ends.
            assert list(st.acked) == [7, 12], list(st.acked)


@test("timestamps on one side: refused, and both sockets are as before")
def timestamps():
    hosts.on(SERVER, "sysctl", "-qw", "net.ipv4.tcp_timestamps=0")
    try:
        with Library() as u, Ends() as e:
            rc, pair = u.intend(e.ours, e.far, e.to)
            assert rc == 0
            e.connect()
            assert u.splice(pair, 3) == -errno.EOPNOTSUPP
            u.so.usplice_end(pair)
            e.server.sendall(b"here")
            for flags in (socket.MSG_PEEK, socket.MSG_PEEK, 0):
                assert e.far.recv(4, flags) == b"here"
            e.ours.sendall(b"there")
            assert hosts.read_exactly(e.client, 5) == b"there"
    finally:
        hosts.on(SERVER, "sysctl", "-qw", "net.ipv4.tcp_timestamps=1")


@test("a pair that is never spliced is over after its time, an idle one, too")
def limits():
    with Library(opening=1) as u, Ends() as e:
        rc, pair = u.intend(e.ours, e.far, e.to)
        note = u.next()
        assert rc == 0 and note.what == OVER and note.reason == 1, note.reason
    with Library(idle=1) as u, Ends() as e:
        rc, pair = u.intend(e.ours, e.far, e.to)
        e.connect()
        assert rc == 0 and u.splice(pair) == 0
        e.ours.close()
        e.far.close()
        notes = [u.next(), u.next()]
        assert [n.what for n in notes] == [SPLICED, OVER], [n.what for n in notes]
        assert notes[1].reason == 2, notes[1].reason
        # It is this host's again, which has no socket.
        e.client.sendall(b"x")
        try:
            assert e.client.recv(1) == b"?"
        except ConnectionResetError:
            pass


if __name__ == "__main__":
    sys.exit(hosts.run(TESTS, [SO]))
