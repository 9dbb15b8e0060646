#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Units of systemd: are they sound, and how much may what they start? Prints TAP.

As systemd-analyze has it: no complaint, and an exposure below 3 of 10.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TOP, "build")))
MOST = 3.0


def analyze(*words):
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True,
                          timeout=60, check=False)


def complaints(folder, unit):
    """What is wrong with one, by the file that a build installs."""
    path = os.path.join(folder, unit.replace("@.", "@us0."))
    with open(os.path.join(BUILD, "contrib", unit)) as f:
        text = f.read()
    # The program is not installed here.
    text = re.sub(r"^(ExecStart)=\S+", r"\1=/bin/true", text, flags=re.M)
    with open(path, "w") as f:
        f.write(text)
    r = analyze("verify", "--man=no", path)
    said = [x for x in (r.stdout + r.stderr).splitlines() if unit.split(".")[0] in x]
    if r.returncode != 0 or said:
        return "verify: %d %s" % (r.returncode, " ".join(said))
    r = analyze("security", "--offline=true", "--no-pager", path)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", r.stdout)
    if not found:
        return "security: %d %s" % (r.returncode, r.stderr)
    return "" if float(found[1]) < MOST else "exposure %s" % found[1]


def main():
    units = sorted(os.path.basename(x)[:-3] for x in
                   glob.glob(os.path.join(TOP, "contrib", "*.service.in")))
    if shutil.which("systemd-analyze") is None:
        print("1..0 # SKIP no systemd-analyze")
        return 0
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for i, unit in enumerate(units, 1):
            wrong = complaints(folder, unit)
            bad += wrong != ""
            if wrong:
                print("# " + wrong)
            print("%sok %d - %s" % ("not " if wrong else "", i, unit))
    print("1..%d" % len(units))
    return 1 if bad or not units else 0


sys.exit(main())
