#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check that src/ obeys src/LAYERS: includes go down, pure folders stay pure.

usage: check_layers.py SRC_DIR [BUILD_DIR]

Reads the source after line splices and comments are gone, so that nothing the
compiler sees is hidden from it. With BUILD_DIR (a plain build, no sanitizers),
also checks which symbols every object imports: one of our own must come from a
folder that the importer's line names, and a pure folder may have no other but
those of the "libc" line. Exits 1 and prints one line a fault.
"""
import os
import pathlib
import re
import subprocess
import sys

TOKEN = re.compile(r'/\*.*?(?:\*/|\Z)|//[^\n]*|"(?:\\.|[^"\\\n])*"'
                   r"|'(?:\\.|[^'\\\n])+'", re.S)
DIRECTIVE = re.compile(r'^[ \t\f\v]*(?:#|%:)[ \t\f\v]*'
                       r'(include_next|include|import|embed)\b(.*)$', re.M)
OWN = re.compile(r'^"([a-z0-9_]+)/([a-z0-9_]+(?:\.skel)?\.h)"$')
SYSTEM = re.compile(r'^<([A-Za-z0-9_]+(?:[/.-][A-Za-z0-9_]+)*\.h)>$')
ASM = re.compile(r'\b(asm|__asm|__asm__)\b')
CLOCK = re.compile(r'\b(__builtin_ia32_\w+|_?_rdtscp?|__builtin_readcyclecounter'
                   r'|syscall)\b')
SOURCE = re.compile(r'^[a-z0-9_]+(\.bpf)?\.c$|^[a-z0-9_]+\.h$')


class Layers:
    """What src/LAYERS says."""

    def __init__(self, path):
        self.allowed, self.pure, self.libc, self.headers = {}, set(), set(), {}
        for line in path.read_text().splitlines():
            line = line.split("#")[0].strip()
            if line:
                self.take(path, *line.split(":"))
        for folder in self.pure:
            if self.allowed[folder] - self.pure:
                sys.exit(f"{path}: pure {folder} allows a folder that is not")
            if folder in self.headers:
                sys.exit(f"{path}: pure {folder} has system headers")

    def take(self, path, name, others):
        words, others = name.split(), set(others.split())
        if words == ["libc"]:
            self.libc = others
        elif words[0] == "headers":
            if words[1] != "all" and words[1] not in self.allowed:
                sys.exit(f"{path}: headers of {words[1]}, which is no folder")
            self.headers[words[1]] = others
        else:
            if others - set(self.allowed):
                sys.exit(f"{path}: {words[-1]} allows a folder that is not "
                         "listed above it")
            self.allowed[words[-1]] = others | {words[-1]}
            if words[0] == "pure":
                self.pure.add(words[-1])

    def system(self, folder):
        return self.headers.get("all", set()) | self.headers.get(folder, set())


def code_of(path):
    """The text as the compiler has it after phase 3, strings kept."""
    text = path.read_text(errors="replace").replace("\r\n", "\n")
    text = re.sub(r"\\[ \t\f\v]*\n", "", text)
    return TOKEN.sub(lambda m: " " if m.group()[0] == "/" else m.group(), text)


def check_include(src, layers, folder, operand):
    """What is wrong with one #include, or None."""
    own, system = OWN.match(operand), SYSTEM.match(operand)
    if own:
        other, name = own.groups()
        if other not in layers.allowed[folder]:
            return f"{folder} may not include {other}"
        if name.endswith("_internal.h") and other != folder:
            return f"{other}/{name} never leaves its folder"
        if not name.endswith(".skel.h") and not (src / other / name).is_file():
            return f"there is no {other}/{name}"
        return None
    if system:
        if (src / system.group(1)).exists():
            return f"our own {system.group(1)} in angle brackets"
        if system.group(1) not in layers.system(folder):
            return f"{folder} may not include <{system.group(1)}>"
        return None
    return f'#include {operand}: neither "folder/file.h" nor <system.h>'


def check_file(src, layers, path):
    """Faults of one source file."""
    folder, code = path.parent.name, code_of(path)
    if "??" in code and re.search(r"\?\?[=/'()!<>-]", code):
        yield "trigraph"
    for word, operand in DIRECTIVE.findall(code):
        if word != "include":
            yield f"#{word}"
            continue
        fault = check_include(src, layers, folder, operand.strip())
        if fault:
            yield fault
    if re.search(r'"[^"\n]*\.(include|incbin)\b', code):
        yield "the assembler includes a file"
    if folder in layers.pure:
        bare = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', code)
        for m in list(ASM.finditer(bare)) + list(CLOCK.finditer(bare)):
            yield f"pure, but has {m.group()}"


def check_tree(src, layers):
    """Yield (path, fault) for everything under src, and check each file."""
    for root, dirs, files in os.walk(src):
        root = pathlib.Path(root)
        for name in sorted(dirs + files):
            path = root / name
            parts = path.relative_to(src).parts
            if path.is_symlink():
                yield path, "symbolic link"
            elif name in dirs:
                if len(parts) > 1:
                    yield path, "folder in a folder"
                    dirs.remove(name)
                elif name not in layers.allowed:
                    yield path, "folder is not in LAYERS"
            elif parts in (("LAYERS",), ("bpf", "meson.build")):
                continue
            elif len(parts) != 2 or not SOURCE.match(name):
                yield path, "neither FOLDER/file.c nor FOLDER/file.h"
            elif parts[0] in layers.allowed:
                for fault in check_file(src, layers, path):
                    yield path, fault


def check_tests(src, layers):
    """Headers marked internal do not leave their folder for a test either."""
    for top in ("test", "lab"):
        for path in sorted((src.parent / top).rglob("*.[ch]")):
            for _, operand in DIRECTIVE.findall(code_of(path)):
                if "_internal.h" in operand:
                    yield path, f"{operand.strip()} never leaves its folder"


def symbols(obj, *options):
    out = subprocess.run(["nm", *options, obj], text=True, capture_output=True,
                         check=True).stdout
    return {l.split()[-1] for l in out.splitlines() if l}


def check_objects(src, build, layers):
    """Yield (object, fault) for imports that LAYERS does not allow."""
    objects, home = [], {}
    for c in sorted(src.glob("*/*.c")):
        folder = c.parent.name
        if c.name.endswith(".bpf.c") or folder not in layers.allowed:
            continue
        found = sorted(build.glob(f"*.p/{src.name}_{folder}_{c.name}.o"))
        if not found:
            if folder != "cmd":
                yield c, f"has no object in {build}"
            continue
        objects += [(folder, o) for o in found]
    for folder, o in objects:
        for s in symbols(o, "-g", "--defined-only"):
            home.setdefault(s, set()).add(folder)
    for folder, o in objects:
        for s in sorted(symbols(o, "-u") - {"_GLOBAL_OFFSET_TABLE_"}):
            if s in home:
                if not home[s] & layers.allowed[folder]:
                    yield o, f"{folder} may not use {s} of {min(home[s])}"
            elif folder in layers.pure and s not in layers.libc:
                yield o, f"pure, but calls {s}"


def main():
    src = pathlib.Path(sys.argv[1])
    layers = Layers(src / "LAYERS")
    faults = list(check_tree(src, layers)) + list(check_tests(src, layers))
    if len(sys.argv) > 2:
        faults += check_objects(src, pathlib.Path(sys.argv[2]), layers)
    for path, fault in faults:
        print(f"{path}: {fault}")
    if not faults:
        print("layers ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
