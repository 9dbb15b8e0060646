# SPDX-License-Identifier: BSD-2-Clause
"""How this project reads TAP: one program's output, line by line, and its end.

A program is good only if it prints one plan, as many results as planned, nothing
"not ok", and exits with 0. A plan of none needs a reason ("1..0 # SKIP why").
"""
import re

RESULT = re.compile(r"^(not )?ok\b(?:\s+\d+)?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*SKIP\b\s*(.*))?$", re.I)
SKIP = re.compile(r"#\s*SKIP\b\s*(.*)", re.I)
# Comments worth a line of the sum even if all passed: figures, and times.
FIGURE = re.compile(r"^# (\||time )")


class Tap:
    """What one program has said so far."""

    def __init__(self):
        self.plan = self.reason = None
        self.passed = self.failed = self.skipped = self.plans = 0

    def line(self, text):
        """Takes a line. Gives what it is: "plan", "ok", "not ok", "skip" or
        None, and what stands behind the result's number."""
        p, r = PLAN.match(text), RESULT.match(text)
        if p:
            self.plans += 1
            self.plan, self.reason = int(p.group(1)), p.group(2)
            return "plan", self.reason
        if not r:
            return None, text
        if r.group(1):
            self.failed += 1
            return "not ok", r.group(2)
        if SKIP.search(r.group(2)):
            self.skipped += 1
            return "skip", r.group(2)
        self.passed += 1
        return "ok", r.group(2)

    def complaints(self, status):
        """What is wrong with the program beside its "not ok". `status`: its exit
        status, or words on why it was ended."""
        ran = self.passed + self.failed + self.skipped
        out = []
        if self.plans > 1:
            out.append("more than one plan")
        if self.plan != ran:
            out.append(f"planned {self.plan} tests, ran {ran}")
        elif self.plan == 0 and not self.reason:
            out.append("1..0 without a reason")
        if status != 0 and not self.failed:
            out.append(status if isinstance(status, str)
                       else f"exit status {status}")
        return out
