# SPDX-License-Identifier: BSD-2-Clause
"""What the fault scripts share: the lab, figures as table lines, load beside.

A script is a list of tests for main(): (name, quick, function, arguments...).
`quick` ones take about 10 seconds, need no quiet machine and are part of `make
test` (FAULTS=quick); `make faults` runs all.
"""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

lab.Lab.rings = ()

# ms that a client waits between requests, where a fault is looked at and not
# the speed: a SUT that shares two processors with everybody keeps up with that.
DELAY = 4
BURN = "while True: pass"


def figure(*cells):
    """One line of the table of figures."""
    print("# | " + " | ".join(str(c) for c in cells) + " |", flush=True)


def main(tests):
    quick = os.environ.get("FAULTS") == "quick"
    tests = [(name, *rest) for name, is_quick, *rest in tests
             if is_quick or not quick]
    if not tests:
        print("1..0 # SKIP nothing here is quick")
        sys.exit(0)
    lab.main(tests)


class Busy:
    """Other programs that want every processor, while a test runs."""

    def __init__(self, count=None):
        self.count = count or os.cpu_count()
        self.children = []

    def __enter__(self):
        for _ in range(self.count):
            self.children.append(subprocess.Popen(
                [sys.executable, "-c", BURN], preexec_fn=lab._child))
        return self

    def __exit__(self, *_):
        for p in self.children:
            p.kill()
            p.wait()


def requests_closed(t, r):
    """Every request is delivered, or counted by the reason why it was not."""
    t.equal(r["requests"]["delivered"] + sum(r["not_delivered"].values()),
            r["requests"]["seen"], "every request counted")
    t.equal(r["sums"]["closed"], True, "sums closed: %s" % r["sums"])


def ended(t, us, codes, seconds=20):
    """SIGINT, and the exit code that must come; gives the report."""
    code = us.finish(seconds)
    t.check(code in codes, "exit code %s, not one of %s: %s" % (
        code, codes, us.text()[-600:]))
    r = us.report()
    if not r:
        raise lab.LabError("no report: " + us.text()[-600:])
    return r


# How an answer may differ if the SUT died over it: it is not all there.
CUT = ("missing", "truncated", "length", "unanswered")


def told(t, us, r):
    """The exit code is the verdicts', and every difference is told or counted
    as one for which there was no room."""
    different = r["verdicts"]["different"]
    t.equal(len(us.differences()) + r["frames"].get("events_lost", 0),
            different, "differences told")
    t.check((us.code == 1) == (different > 0), "exit code %s, %d different" % (
        us.code, different))


def ended_by_sut(t, us):
    """The end of a run in which a SUT died: only what it did not give whole may
    be called different, and the exit code follows from that."""
    r = ended(t, us, (0, 1, 2))
    told(t, us, r)
    other = [d for d in us.differences() if d["reason"] not in CUT]
    t.equal(other[:2], [], "differences of whole answers")
    return r


def lost_by_drops(t, r, got):
    """A frame that the kernel dropped may cost its request, and the one behind
    it; no drop excuses more."""
    drops, missing = r["capture"]["drops"], got.asked - got.reached
    t.check(missing <= 2 * drops, "%d of %d missing, %d drops" % (
        missing, got.asked, drops))


def clean(t, prod, sut, **ignore):
    """Requests at the SUT: none twice, none out of order. Gives the join."""
    got = lab.reach(prod.log, sut.log, ignore.get("tail", 0))
    t.check(got.asked > 20, "too few requests: %d" % got.asked)
    t.equal((got.duplicates, got.disorder), (0, 0), "duplicates, disorder")
    return got


def percent(a, b):
    return "%.2f %%" % (100.0 * a / max(b, 1))


def wait_for(cond, seconds, what):
    """Waits until cond() is true; LabError if it never is."""
    end = time.monotonic() + seconds
    while not cond():
        if time.monotonic() > end:
            raise lab.LabError("not within %s s: %s" % (seconds, what))
        time.sleep(0.05)


def snapshot(us, seconds=5.0):
    """SIGUSR1 and the report that it brings."""
    before = len(us.lines())
    us.signal(signal.SIGUSR1)
    got = []

    def new():
        got[:] = [x for x in us.lines()[before:] if x.get("type") == "report"]
        return got
    wait_for(new, seconds, "a report by SIGUSR1")
    return got[-1]
