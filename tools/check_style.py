#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check what clang-format does not: first lines, comments, lengths.

usage: check_style.py

Every file of ours says its license in its first two lines. No function in C has
70 lines or more, no room of src more than 5,000, and no file of src more than 600
unless its head says why ("More than 600 lines: ..."). A file of src says behind its license what it is ("file.c - What"), a
line that is only comment ends at column 80 there. Exits 1 and prints one line a
fault.
"""
import collections
import pathlib
import sys

TOPS = ("src", "test", "lab", "example", "tools")
LIMIT = 70
ROOM = 5000
FILE = 600
WHY = f"More than {FILE} lines: "
COLUMNS = 80


def wants_license(path):
    if path.suffix in (".c", ".h", ".py", ".sh"):
        return True
    with open(path, "rb") as f:
        return f.read(2) == b"#!"


def comments(name, lines, faults):
    """A file of src: does it say what it is, and how wide are its comments?"""
    heads = [f" * {name.name} - "]
    if name.suffix == ".h":
        heads.append(f" * {name.stem} - ")
    if not any(l.startswith(h) for l in lines[1:4] for h in heads):
        faults.append(f"{name}:2: does not say what it is")
    inside = False
    for i, line in enumerate(lines, 1):
        words = line.strip()
        if inside or words.startswith("/*"):
            if len(line.expandtabs(8)) > COLUMNS:
                faults.append(f"{name}:{i}: a comment passes column {COLUMNS}")
            inside = "*/" not in line


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    faults = []
    rooms = collections.Counter()
    for path in sorted(p for top in TOPS for p in (root / top).rglob("*")):
        name = path.relative_to(root)
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        if not wants_license(path):
            continue
        lines = path.read_text(errors="replace").splitlines()
        if not any("SPDX-License-Identifier: " in l for l in lines[:2]):
            faults.append(f"{name}:1: no SPDX-License-Identifier")
        if path.suffix not in (".c", ".h"):
            continue
        if name.parts[0] == "src":
            comments(name, lines, faults)
            rooms[name.parent] += len(lines)
            if len(lines) > FILE and not any(WHY in l for l in lines):
                faults.append(f"{name}:1: {len(lines)} lines, and does not say why")
        start = None
        for i, line in enumerate(lines, 1):
            if line == "{":
                start = i
            elif line == "}" and start is not None:
                if i - start + 1 >= LIMIT:
                    faults.append(f"{name}:{start}: function of "
                                  f"{i - start + 1} lines")
                start = None
    faults += [f"{room}: a room of {n} lines" for room, n in rooms.items()
               if n > ROOM]
    print("\n".join(faults) if faults else "style ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
