#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The version stands in the file VERSION; the program and the Debian package have
the same one."""
import os
import re
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def first_of(name):
    with open(os.path.join(TOP, name)) as f:
        return f.readline()


version = first_of("VERSION").strip()
said = subprocess.run([os.path.join(TOP, "build", "understudy"), "--version"],
                      capture_output=True, text=True).stdout
rows = [("the program", said, "understudy %s\n" % version),
        ("the package", re.sub(r"\).*", ")", first_of("debian/changelog")),
         "understudy (%s)\n" % version)]
for i, (name, got, want) in enumerate(rows):
    if got != want:
        print("# %r, expected %r" % (got, want))
    print("%sok %d - %s" % ("" if got == want else "not ", i + 1, name))
print("1..%d" % len(rows))
sys.exit(any(got != want for _, got, want in rows))
