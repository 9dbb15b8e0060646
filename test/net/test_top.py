# SPDX-License-Identifier: BSD-2-Clause
"""--top: a screen on a terminal (a pty), plain lines where there is none."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "a few requests"

# Runs a program with standard error on a terminal of 80 columns, copied to ours.
PTY = """
import fcntl, os, pty, signal, struct, subprocess, sys, termios
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
p = subprocess.Popen(sys.argv[1:], stderr=theirs)
os.close(theirs)
for s in signal.SIGINT, signal.SIGTERM:
    signal.signal(s, lambda n, f: p.send_signal(n))
try:
    while data := os.read(ours, 4096):
        os.write(2, data.replace(b"\\r\\n", b"\\n"))
except OSError:
    pass
sys.exit(p.wait())
"""


def until(us, *words):
    """Waits until all of these have been shown."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if all(w in us.text() for w in words):
            return True
        time.sleep(0.1)
    return False


def screen(t):
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
        us = l.understudy("--top", wrap=(sys.executable, "-c", PTY),
                          env={"TERM": "xterm"})
        l.client("each", *("/ok?id=o-%d&size=9" % i for i in range(10)),
                 *("/f?id=f-%d&size=9&fault=status" % i for i in range(5)))
        l.settle(prod, sut)
        t.check(until(us, "requests/s (15)", "5 status", "66.66 % identical",
                      "33.33 % different", l.addr["sut"] + " up"), us.text())
        t.check(re.search("\x1b\\[[6-9]A", us.text()), "it is drawn over: " + us.text())
        t.equal(us.finish(), 1, "exit code: " + us.text()[-400:])
        text = us.text()
        drawn = [x for x in re.sub("\x1b\\[[0-9]*[AJK]|\r", "", text).splitlines()
                 if re.match("(understudy|answers|lag|SUT|different) ", x)]
        t.check(len(drawn) > 6 and max(map(len, drawn)) < 80, str(drawn))
        t.check("DIFFERENT: 5 of 15" in text, "the report: " + text[-400:])


def plain(t, env):
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut")
        us = l.understudy("--top", wrap=(sys.executable, "-c", PTY) if env else (),
                          env=env)
        l.client("each", *("/ok?id=o-%d&size=9" % i for i in range(10)))
        l.settle(prod, sut)
        t.check(until(us, "10 same"), us.text())
        t.equal(us.finish(), 0, "exit code: " + us.text()[-400:])
        t.check("\x1b" not in us.text() and "\r" not in us.text(), us.text())
        t.check("Same: all 10 compared" in us.text(), us.text())


lab.main([
    ("a screen on a terminal", screen),
    ("plain lines in a file", plain, None),
    ("and on a terminal that knows no orders", plain, {"TERM": "dumb"}),
])
