# SPDX-License-Identifier: BSD-2-Clause
"""What a run may still do: its user, capabilities, sandbox and helpers.

Of the plain build. A call is tried in the live process itself: a debugger's
means (ptrace) make its packet thread enter the kernel with other registers.
"""
import ctypes
import os
import platform
import pty
import pwd
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
import lab  # noqa: E402

# The spare sockets of rings that grow are part of what is looked at.
lab.Lab.rings = ()

IDLE = "a few requests"

NOBODY = 65534
EPERM = 1
CAPTURE = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)


def status(pid, task=None):
    """The fields of /proc/PID/status, or of one task's."""
    with open("/proc/%d/%sstatus" % (
            pid, "task/%s/" % task if task else "")) as f:
        return dict(re.findall(r"(\w+):\s*(.*)", f.read()))


def confined(t, pid, uid, name):
    """Every thread of `pid` is `uid`, without rights, under the filter."""
    tasks = os.listdir("/proc/%d/task" % pid)
    for task in tasks:
        s = status(pid, task)
        what = "%s, thread %s: " % (name, task)
        t.equal(s["Uid"].split(), [str(uid)] * 4, what + "Uid")
        for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            t.equal(s[field], "0" * 16, what + field)
        t.equal(s["NoNewPrivs"], "1", what + "NoNewPrivs")
        t.equal(s["Seccomp"], "2", what + "Seccomp")
    return len(tasks)


def helpers(pid):
    """Processes that `pid` has started."""
    out = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task)) as f:
            out += [int(x) for x in f.read().split()]
    return out


def load(l, n=1500):
    l.client("keep", *["/b10k?id=q-%d" % i for i in range(n)])


def is_left(pid):
    try:
        return status(pid)["State"][0] != "Z"
    except FileNotFoundError:
        return False


def as_root(t):
    """Root, with all that makes files: the run is nobody, the broker bare."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        path = l.path("run.pcapng")
        us = l.understudy("-w", path, "-C", "1", "-W", "2")
        pid = us.proc.pid
        # The packets, the journal, the report (both write), a thread a ring.
        t.equal(confined(t, pid, NOBODY, "run"), 5, "threads")
        t.equal(status(pid)["Groups"].split(), [str(NOBODY)], "groups")
        kids = helpers(pid)
        t.equal(len(kids), 1, "helpers")
        for kid in kids:
            confined(t, kid, 0, "broker")
            fds = os.listdir("/proc/%d/fd" % kid)
            t.equal(len(fds), 3, "the broker's descriptors: %s" % fds)
        load(l)
        l.settle(prod, sut)
        us.signal(signal.SIGUSR1)
        time.sleep(0.4)
        t.check(us.report(), "no report by SIGUSR1")
        names = sorted(x for x in os.listdir(l.dir) if "run.pcapng" in x)
        t.check(len(names) == 2 and "run.pcapng" not in names,
                "journal files: %s" % names)
        for name in names:
            st = os.stat(l.path(name))
            t.equal((st.st_uid, st.st_mode & 0o777), (0, 0o600), name)
        t.equal(us.finish(), 0, "exit code: " + us.text())
        end = time.monotonic() + 5  # it ends when it finds its socket closed
        while any(is_left(k) for k in kids) and time.monotonic() < end:
            time.sleep(0.02)
        t.equal([k for k in kids if is_left(k)], [], "helpers that are left")
        lab.isolated(t, l)


# A terminal of its own, whose other end it holds; then the command.
ON_TERMINAL = [sys.executable, "-c", """
import fcntl, os, pty, sys, termios
ours, theirs = pty.openpty()
os.set_inheritable(ours, True)
fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])"""]


def no_helper(t):
    """On a terminal, whose end is the run's, and without rotation no process of
    root's is left once the run plays."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy("-w", l.path("run.pcapng"), wrap=ON_TERMINAL)
        time.sleep(0.3)
        confined(t, us.proc.pid, NOBODY, "run")
        t.equal(helpers(us.proc.pid), [], "helpers")
        l.client("keep", "/b100?id=q-1")
        l.settle(prod, sut)
        us.signal(signal.SIGHUP)
        t.equal(us.wait(10), 0, "exit code: " + us.text())
        code, out = l.run("us", [lab.BINARY, "rerun", l.path("run.pcapng")])
        t.equal(code, 0, out)


def reopened(t):
    """SIGHUP without a terminal: lines to a new file if the old was renamed, and
    the journal's next file. Nothing is lost."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        journal = l.path("run.pcapng")
        us = l.understudy("-w", journal)
        l.client("keep", "/b100?id=q-1")
        l.settle(prod, sut)
        us.signal(signal.SIGUSR1)
        hosts.until("a report by SIGUSR1", us.report)
        os.rename(us.jsonl, us.jsonl + ".1")
        us.signal(signal.SIGHUP)
        hosts.until("a new file of lines", lambda: os.path.exists(us.jsonl))
        l.client("keep", "/b100?id=q-2")
        l.settle(prod, sut)
        hosts.until("the next journal", lambda: os.path.exists(journal + "1"))
        us.signal(signal.SIGHUP)  # nothing was renamed: lines go on
        t.equal(us.finish(), 0, "exit code: " + us.text())
        old = [x["type"] for x in us.lines(us.jsonl + ".1")]
        new = [x["type"] for x in us.lines()]
        t.equal((old[0], old[-1], new), ("start", "report", ["report"]),
                "lines")
        t.equal(us.report()["requests"]["seen"], 2, "requests")
        st = os.stat(us.jsonl)
        t.equal((st.st_uid, st.st_mode & 0o777), (0, 0o600), "its owner")
        code, out = l.run("us", [lab.BINARY, "rerun", journal])
        t.equal(code, 0, out)


def a_user(t):
    """--user and SUDO_USER: that user makes the files, and must be able to."""
    who = pwd.getpwnam("games")
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        os.chmod(l.dir, 0o711)
        os.mkdir(l.path("theirs"))
        os.chown(l.path("theirs"), who.pw_uid, who.pw_gid)
        common = [lab.BINARY, "shadow", "-i", "mon0", "--sut-dev", "eth1",
                  "--map", l.map()]
        for name, front, more in (
                ("user", [], ["--user", "games"]),
                ("sudo", ["env", "SUDO_USER=games"], [])):
            jsonl = l.path("theirs/%s.jsonl" % name)
            path = l.path("theirs/%s.pcapng" % name)
            us = lab.Understudy(l, front + common + more + [
                "--json", jsonl, "-w", path, "-C", "1", "-W", "2",
                "tcp port 80"], jsonl)
            confined(t, us.proc.pid, who.pw_uid, name)
            t.equal(helpers(us.proc.pid), [], "helpers")
            load(l, 500)
            l.settle(prod, sut)
            t.equal(us.finish(), 0, "exit code: " + us.text())
            made = [x for x in os.listdir(l.path("theirs")) if x.startswith(
                name + ".pcapng")]
            t.check(made == [name + ".pcapng"] or len(made) == 2,
                    "journal files: %s" % made)
            for x in made + [name + ".jsonl"]:
                t.equal(os.stat(l.path("theirs/" + x)).st_uid, who.pw_uid, x)
            code, out = l.run("us", front + common + more + [
                "-w", l.path("no.pcapng")])
            t.equal(code, 2, "exit code where games may not write")
            t.check("no.pcapng" in out and "user games" in out, out)
            t.equal(len(out.splitlines()), 1, "lines: " + out)


def terminal(t):
    """The live line on a terminal, and a run that was stopped for a while."""
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        ours, theirs = pty.openpty()
        jsonl = l.path("us.jsonl")
        p = l.spawn("us", [lab.BINARY, "shadow", "-i", "mon0", "--sut-dev",
                           "eth1", "--map", l.map(), "--json", jsonl,
                           "tcp port 80"], out=l.path("out"),
                    err=os.ttyname(theirs))
        time.sleep(1.5)
        p.send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        p.send_signal(signal.SIGCONT)
        l.client("keep", "/b100?id=q-1", "/b100?id=q-2")
        l.settle(prod, sut)
        time.sleep(1.1)
        p.send_signal(signal.SIGTERM)
        t.equal(p.wait(10), 0, "exit code")
        seen = os.read(ours, 65536).decode()
        t.check("\r\033[K" in seen and "flows" in seen, "seen: %r" % seen)


class Registers(ctypes.Structure):
    """struct user_regs_struct of x86-64 (sys/user.h)."""
    _fields_ = [(n, ctypes.c_ulong) for n in (
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax "
        "rip cs eflags rsp ss fs_base gs_base ds es fs gs").split()]


class Intruder:
    """Code in the live process: system calls of its packet thread."""
    STEP, GET, SET, ATTACH, DETACH = 9, 12, 13, 16, 17

    def __init__(self, pid):
        self.pid, self.code = pid, None
        for _ in range(500):  # it may be between two calls just then
            self.ptrace(self.ATTACH)
            os.waitpid(pid, 0)
            self.was = Registers()
            self.ptrace(self.GET, ctypes.byref(self.was))
            if self.in_call():
                return
            self.ptrace(self.DETACH)
            time.sleep(0.002)
        raise lab.LabError("never stopped in a system call")

    def in_call(self):
        with open("/proc/%d/mem" % self.pid, "rb", buffering=0) as mem:
            mem.seek(self.was.rip - 2)
            return mem.read(2) == b"\x0f\x05"

    def ptrace(self, what, data=None):
        lab.LIBC.ptrace.argtypes = (ctypes.c_long, ctypes.c_long,
                                    ctypes.c_void_p, ctypes.c_void_p)
        lab.LIBC.ptrace.restype = ctypes.c_long
        if lab.LIBC.ptrace(what, self.pid, None, data) < 0:
            raise lab.LabError("ptrace %d" % what)

    def call(self, nr, *args, text=b""):
        """The call's result; None: it ended the process. `text` lies where
        an argument says "text"."""
        with open("/proc/%d/mem" % self.pid, "r+b", buffering=0) as mem:
            at = self.was.rsp - 4096
            mem.seek(at)
            mem.write(text + b"\0")
        r = Registers.from_buffer_copy(self.was)
        r.rip, r.rax, r.orig_rax = self.was.rip - 2, nr, 2**64 - 1
        for reg, arg in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), args):
            setattr(r, reg, at if arg == "text" else arg % 2**64)
        self.ptrace(self.SET, ctypes.byref(r))
        self.ptrace(self.STEP)
        _, st = os.waitpid(self.pid, 0)
        if not os.WIFSTOPPED(st):
            self.code = os.waitstatus_to_exitcode(st)
            return None
        self.ptrace(self.GET, ctypes.byref(r))
        return ctypes.c_long(r.rax).value

    def leave(self):
        self.ptrace(self.SET, ctypes.byref(self.was))
        self.ptrace(self.DETACH)


def sockets(pid):
    out = []
    for fd in os.listdir("/proc/%d/fd" % pid):
        where = os.readlink("/proc/%d/fd/%s" % (pid, fd))
        if where.startswith("socket:"):
            out.append(int(fd))
    return sorted(out)


def intruder(t):
    """In the live process: what is refused, and what ends it."""
    if platform.machine() != "x86_64":
        raise lab.Skip("registers of x86-64")
    with lab.Lab() as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy(wrap=ON_TERMINAL)
        # Control: the same calls in a process without a sandbox.
        free = l.spawn("us", ["sleep", "100"])
        time.sleep(0.3)
        calls = (("open", (257, -100, "text", 0, 0), b"/etc/passwd"),
                 ("openat O_CREAT", (257, -100, "text", 0o101, 0o600),
                  l.path("intruder").encode()),
                 ("fork", (56, 17, 0, 0, 0, 0), b""),
                 ("dup", (32, 2), b""),
                 ("prctl", (157, 4, 0, 0, 0, 0), b""))
        ghost = Intruder(free.pid)
        for name, args, text in calls:
            t.check(ghost.call(*args, text=text) != -EPERM,
                    "without a sandbox: " + name)
        t.check(ghost.call(41, 2, 1, 0) >= 0, "without a sandbox: socket")
        ghost.leave()
        free.kill()
        ghost = Intruder(us.proc.pid)
        for name, args, text in calls:
            t.equal(ghost.call(*args, text=text), -EPERM, name)
        socks = sockets(us.proc.pid)
        frame = bytes(60)
        # Two of each ring, a spare one of each of these, and the sink's.
        t.equal(len(socks), 9, "sockets: %s" % socks)
        for fd in socks:
            t.equal(ghost.call(1, fd, "text", 60, text=frame), -EPERM,
                    "write to socket %d" % fd)
            t.equal(ghost.call(44, fd, "text", 60, 0, 0, 0, text=frame),
                    -EPERM, "sendto by socket %d" % fd)
        sends = [ghost.call(307, fd, 0, 0, 0) for fd in socks]
        t.equal(sorted(sends), [-EPERM] * 8 + [0], "sendmmsg by %s" % socks)
        ghost.leave()
        l.client("keep", "/b100?id=q-1", "/b100?id=q-2")
        l.settle(prod, sut)
        us.signal(signal.SIGUSR1)
        time.sleep(0.4)
        t.equal(us.report().get("requests", {}).get("answered"), 2,
                "it plays on")
        ghost = Intruder(us.proc.pid)
        t.equal(ghost.call(41, 2, 1, 0), None, "socket()")
        t.equal(ghost.code, -signal.SIGSYS, "how it ended")
        us.code = us.proc.returncode = ghost.code
        lab.isolated(t, l)


def doctor(t):
    """doctor is under it before it looks at a byte, and still says all."""
    with lab.Lab() as l:
        l.nginx("prod"), l.nginx("sut")
        p = l.spawn("us", [lab.BINARY, "doctor", "-i", "mon0", "--sut-dev",
                           "eth1", "--map", l.map()], out=l.path("doctor"),
                    err=l.path("doctor.err"))
        end = time.monotonic() + 20
        while time.monotonic() < end and p.poll() is None and \
                status(p.pid)["Seccomp"] != "2":
            time.sleep(0.01)
        t.equal(confined(t, p.pid, NOBODY, "doctor"), 1, "threads")
        if platform.machine() == "x86_64":
            ghost = Intruder(p.pid)
            t.equal(ghost.call(257, -100, "text", 0, 0, text=b"/etc/passwd"),
                    -EPERM, "open")
            ghost.leave()
        while p.poll() is None and time.monotonic() < end:
            l.client("keep", "/b100?id=q-1")
        code = p.wait(20)
        with open(l.path("doctor")) as f:
            text = f.read()
        t.equal(code, 0, "exit code: " + text)
        t.check(text.endswith("all is well\n"), text)
        lab.isolated(t, l)


def capture_reader(t):
    """A capture or a journal that comes by a pipe, read by root or not."""
    uid = os.geteuid()
    fronts = [("ourselves", [], NOBODY if uid == 0 else uid, uid)]
    with tempfile.TemporaryDirectory() as d:
        binary = os.path.join(d, "understudy")
        with open(lab.BINARY, "rb") as f, open(binary, "wb") as g:
            g.write(f.read())
        os.chmod(binary, 0o755)
        os.chmod(d, 0o755)
        if uid == 0:
            fronts.append(("games", ["setpriv", "--reuid=5", "--regid=60",
                                     "--clear-groups"], 5, 5))
        for name, front, shadow_uid, rerun_uid in fronts:
            for args, want in (
                    (["shadow", "-r", "-", "--sut-dev", "none", "--map",
                      "10.0.0.10:80=10.1.0.20:80"], shadow_uid),
                    (["rerun", "-"], rerun_uid)):
                read_by(t, "%s, %s" % (args[0], name), front + [binary] + args,
                        want)


def read_by(t, name, argv, uid):
    p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    # Reading, and nothing but the header has come.
    p.stdin.write(CAPTURE[:16])
    p.stdin.flush()
    end = time.monotonic() + 10
    while time.monotonic() < end and p.poll() is None and \
            status(p.pid)["Seccomp"] != "2":
        time.sleep(0.02)
    if t.check(p.poll() is None, name + ": ended"):
        sets = ["CapInh", "CapPrm", "CapEff", "CapAmb"]
        # Who has no CAP_SETPCAP cannot empty the bounding set.
        if argv[0] != "setpriv" and os.geteuid() == 0:
            sets.append("CapBnd")
        s = status(p.pid)
        t.equal(s["Uid"].split(), [str(uid)] * 4, name + ": Uid")
        for field in sets:
            t.equal(s[field], "0" * 16, "%s: %s" % (name, field))
        t.equal(s["NoNewPrivs"], "1", name + ": NoNewPrivs")
        t.equal(sockets(p.pid), [], name + ": sockets")
    p.stdin.close()
    p.stdout.read()
    p.stdout.close()
    t.check(p.wait(10) == 2, name + ": exit %s" % p.returncode)


def no_live(t):
    raise lab.Skip("no live run: " + lab.why_not())


LIVE = [
    ("root becomes nobody, and its files are rotated", as_root),
    ("no process of root's is left without rotation", no_helper),
    ("SIGHUP", reopened),
    ("--user and sudo", a_user),
    ("a terminal, and a stop", terminal),
    ("an intruder in the live process", intruder),
    ("doctor", doctor),
]
WITHOUT_ROOT = ("a capture is read in the sandbox", capture_reader)
if __name__ == "__main__":
    if os.environ.get("NO_LAB") == "1" and lab.why_not() and \
            not lab.not_built():
        tap = lab.Tap()
        for name, _ in LIVE:
            tap.run(name, no_live)
        tap.run(*WITHOUT_ROOT)
        sys.exit(tap.end())
    lab.main(LIVE + [WITHOUT_ROOT])
