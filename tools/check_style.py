#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check what clang-format does not: license lines and the length of functions.

usage: check_style.py

Every file of ours says its license in its first two lines; no function in C has
70 lines or more. Exits 1 and prints one line a fault.
"""
import pathlib
import sys

TOPS = ("src", "test", "lab", "example", "tools")
LIMIT = 70


def wants_license(path):
    if path.suffix in (".c", ".h", ".py", ".sh"):
        return True
    with open(path, "rb") as f:
        return f.read(2) == b"#!"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    faults = []
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
        start = None
        for i, line in enumerate(lines, 1):
            if line == "{":
                start = i
            elif line == "}" and start is not None:
                if i - start + 1 >= LIMIT:
                    faults.append(f"{name}:{start}: function of "
                                  f"{i - start + 1} lines")
                start = None
    print("\n".join(faults) if faults else "style ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
