#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check that comments and documents name only functions that exist.

usage: check_names.py [FILE...]

Takes every "name()" in a comment of the C files under src, test, lab and example, and
between backticks in the documents (or in the given files), and looks for it in the
code of all of them, in the Python of tests and tools, and in libc. Exits 1 and
prints one line for each that is in none.
"""
import os
import pathlib
import re
import subprocess
import sys

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"'
                   r"|'(?:\\.|[^'\\\n])+'", re.S)

CODE = re.compile(r"`[^`\n]+`")


def libc_names():
    """Functions of the C library that code is linked with."""
    libc = subprocess.check_output(
        [os.environ.get("CC", "cc"), "-print-file-name=libc.so.6"],
        text=True).strip()
    out = subprocess.run(["nm", "-D", "--defined-only", libc], text=True,
                         capture_output=True, check=True).stdout
    return {l.split()[-1].split("@")[0] for l in out.splitlines()}


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    tree = [p for top in ("src", "test", "lab", "example")
            for p in sorted((root / top).rglob("*.[ch]"))]
    text = {p: p.read_text(errors="replace") for p in tree}
    code = libc_names()
    for t in text.values():
        code |= set(re.findall(r"[A-Za-z_]\w*", TOKEN.sub(" ", t)))
    if len(sys.argv) > 1:
        text = {p: pathlib.Path(p).read_text(errors="replace")
                for p in sys.argv[1:]}

    if len(sys.argv) == 1:
        for top in ("test", "tools"):
            for p in (root / top).rglob("*.py"):
                code |= set(re.findall(r"[A-Za-z_]\w*", p.read_text()))
        for p in (*(root / "doc").glob("*.md"), *root.glob("*.md"),
                  *(root / "src").rglob("*.md")):
            if p.name != "CHANGELOG.md":  # it tells of what is gone
                text[p] = p.read_text()

    faults = 0
    for path, t in text.items():
        for m in (CODE if path.suffix == ".md" else TOKEN).finditer(t):
            if m.group()[0] not in "/`":
                continue
            for n in re.finditer(r"\b([A-Za-z_]\w+)\(\)", m.group()):
                if n.group(1) not in code:
                    line = t.count("\n", 0, m.start() + n.start()) + 1
                    print(f"{path}:{line}: no {n.group(1)}()")
                    faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
