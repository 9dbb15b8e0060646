#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check that src/ obeys src/LAYERS: includes go down, pure rooms stay pure, wings
stay apart.

usage: check_layers.py SRC_DIR [BUILD_DIR]

Reads the source after line splices and comments are gone, so that nothing the
compiler sees is hidden from it. With BUILD_DIR (a plain build, no sanitizers),
also checks which symbols every object imports: one of our own must come from a
room that the importer's line names and of which the importer's room includes a
header itself, and a pure room may have no other but those of the "libc" line.
Exits 1 and prints one line a fault.
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
TOP = "cmd"  # a wing and its only room
FACES = {"report", "forms", "store", "evidence", "desk", "page"}  # what other wings may name of results
PROGRAM = ".bpf.c"  # for the kernel
DOCUMENT = "README.md"  # what may lie beside the source


class Layers:
    """What src/LAYERS says."""

    def __init__(self, path):
        self.path = path
        self.allowed, self.pure, self.libc, self.headers = {}, set(), set(), {}
        self.wing, self.kernel = {}, set()
        for line in path.read_text().splitlines():
            line = line.split("#")[0].strip()
            if line:
                self.take(*line.split(":"))
        for room in self.pure:
            if self.allowed[room] - self.pure:
                self.exit(f"pure {room} allows a room that is not")
            if room in self.headers:
                self.exit(f"pure {room} has system headers")
        self.check_wings()

    def exit(self, fault):
        sys.exit(f"{self.path}: {fault}")

    def take(self, name, others):
        words, others = name.split(), set(others.split())
        if words == ["libc"]:
            self.libc = others
        elif words == ["kernel"]:
            self.kernel = others
        elif words[0] == "wing":
            for room in others:
                if room in self.wing:
                    self.exit(f"{room} is in two wings")
                self.wing[room] = words[1]
        elif words[0] == "headers":
            if words[1] != "all" and words[1] not in self.allowed:
                self.exit(f"headers of {words[1]}, which is no room")
            self.headers[words[1]] = others
        else:
            if others - set(self.allowed):
                self.exit(f"{words[-1]} allows a room that is not listed above it")
            self.allowed[words[-1]] = others | {words[-1]}
            if words[0] == "pure":
                self.pure.add(words[-1])

    def check_wings(self):
        wings = set(self.wing.values())
        self.wing.setdefault(TOP, TOP)
        for room in self.allowed:
            if room not in self.wing:
                self.exit(f"{room} is in no wing")
            if room in wings:
                self.exit(f"{room} is a room and a wing")
        for room in set(self.wing) - set(self.allowed) - {TOP}:
            self.exit(f"{room} has no line")
        for room, others in self.allowed.items():
            if room == TOP or room in self.pure:
                continue
            for other in others - self.pure - FACES:
                if self.wing[other] not in (self.wing[room], "base", "io"):
                    self.exit(f"{room} of {self.wing[room]} may not name {other} "
                              f"of {self.wing[other]}")

    def system(self, room):
        return self.headers.get("all", set()) | self.headers.get(room, set())

    def folder(self, src, room):
        return src / room if self.wing[room] == room else \
            src / self.wing[room] / room


def code_of(path):
    """The text as the compiler has it after phase 3, strings kept."""
    text = path.read_text(errors="replace").replace("\r\n", "\n")
    text = re.sub(r"\\[ \t\f\v]*\n", "", text)
    return TOKEN.sub(lambda m: " " if m.group()[0] == "/" else m.group(), text)


def check_own(src, layers, room, other, name):
    """What is wrong with an include of our own, or None."""
    if other not in layers.allowed[room]:
        return f"{room} may not include {other}"
    if name.endswith("_internal.h") and other != room:
        return f"{other}/{name} never leaves its room"
    if room == TOP and other != TOP and layers.wing[other] != "base" and \
            name != f"{other}.h":
        return f"{TOP} includes {other}/{name}, not its face {other}/{other}.h"
    if not name.endswith(".skel.h") and \
            not (layers.folder(src, other) / name).is_file():
        return f"there is no {other}/{name}"
    return None


def check_include(src, layers, room, operand):
    """What is wrong with one #include, or None."""
    own, system = OWN.match(operand), SYSTEM.match(operand)
    if own:
        return check_own(src, layers, room, *own.groups())
    if system:
        first, _, rest = system.group(1).partition("/")
        if (src / system.group(1)).exists() or first in layers.allowed and \
                (layers.folder(src, first) / rest).exists():
            return f"our own {system.group(1)} in angle brackets"
        if system.group(1) not in layers.system(room):
            return f"{room} may not include <{system.group(1)}>"
        return None
    return f'#include {operand}: neither "room/file.h" nor <system.h>'


def check_file(src, layers, room, path):
    """Faults of one source file."""
    code = code_of(path)
    if "??" in code and re.search(r"\?\?[=/'()!<>-]", code):
        yield "trigraph"
    for word, operand in DIRECTIVE.findall(code):
        if word != "include":
            yield f"#{word}"
            continue
        fault = check_include(src, layers, room, operand.strip())
        if fault:
            yield fault
        elif f"{room}/{path.name}" in layers.kernel and \
                operand.strip().strip('"') not in layers.kernel:
            yield f"is for the kernel, too, and includes {operand.strip()}"
        elif path.name.endswith(PROGRAM) and OWN.match(operand.strip()) and \
                operand.strip().strip('"') not in layers.kernel:
            yield (f"is a program for the kernel and includes {operand.strip()}, "
                   "which is not for it")
    if re.search(r'"[^"\n]*\.(include|incbin)\b', code):
        yield "the assembler includes a file"
    if room in layers.pure:
        bare = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', code)
        for m in list(ASM.finditer(bare)) + list(CLOCK.finditer(bare)):
            yield f"pure, but has {m.group()}"


def room_of(layers, folder):
    """The room that a folder under src is, "" for a wing, None: it is neither."""
    if folder == (TOP,):
        return TOP
    if len(folder) == 2 and layers.wing.get(folder[1]) == folder[0]:
        return folder[1]
    if len(folder) == 1 and folder[0] in layers.wing.values():
        return ""
    return None


def check_entry(src, layers, path):
    """Faults of one thing under src, where it lies."""
    parts = path.relative_to(src).parts
    room = room_of(layers, parts[:-1])
    if path.is_symlink():
        yield "symbolic link"
    elif path.is_dir():
        if room:
            yield "folder in a room"
        elif room_of(layers, parts) is None:
            yield "folder is not in LAYERS"
    elif parts == ("LAYERS",) or parts[2:] == ("meson.build",) and \
            any(p.name.endswith(PROGRAM) or ".skel.h" in p.read_text()
                for p in path.parent.glob("*.c")):
        pass
    elif room is not None and path.name == DOCUMENT:
        pass
    elif not room or not SOURCE.match(path.name):
        yield "neither WING/ROOM/file.c nor WING/ROOM/file.h"
    else:
        yield from check_file(src, layers, room, path)


def check_tree(src, layers):
    """Yield (path, fault) for everything under src."""
    for root, dirs, files in os.walk(src):
        for name in sorted(dirs + files):
            path = pathlib.Path(root) / name
            faults = list(check_entry(src, layers, path))
            if name in dirs and faults:
                dirs.remove(name)
            for fault in faults:
                yield path, fault


def check_tests(src, layers):
    """Headers marked internal do not leave their room for a test either."""
    for top in ("test", "lab"):
        for path in sorted((src.parent / top).rglob("*.[ch]")):
            for _, operand in DIRECTIVE.findall(code_of(path)):
                if "_internal.h" in operand:
                    yield path, f"{operand.strip()} never leaves its room"


def symbols(objects, *options):
    """{object: the names that nm lists of it}, with one process for all of them."""
    found = {str(o): set() for o in objects}
    if not found:
        return found
    out = subprocess.run(["nm", "-A", *options, *found], text=True,
                         capture_output=True, check=True).stdout
    for line in out.splitlines():
        obj, rest = line.split(":", 1)
        found[obj].add(rest.split()[-1])
    return found


def included(layers, folder):
    """The rooms of which a room includes a header itself."""
    rooms = set()
    for path in folder.glob("*.[ch]"):
        for _, operand in DIRECTIVE.findall(code_of(path)):
            own = OWN.match(operand.strip())
            rooms |= {own.group(1)} if own else set()
    return rooms


def objects_of(src, build, layers):
    """Yield (room, source, its objects)."""
    for room in layers.allowed:
        folder = layers.folder(src, room)
        for c in sorted(folder.glob("*.c")):
            if c.name.endswith(".bpf.c"):
                continue
            name = "_".join(c.relative_to(src.parent).parts)
            yield room, c, sorted(build.glob(f"*.p/{name}.o"))


def check_objects(src, build, layers):
    """Yield (object, fault) for imports that LAYERS does not allow."""
    objects, home = [], {}
    for room, c, found in objects_of(src, build, layers):
        if not found and room != TOP:
            yield c, f"has no object in {build}"
        objects += [(room, o) for o in found]
    defined = symbols([o for _, o in objects], "-g", "--defined-only")
    wanted = symbols([o for _, o in objects], "-u")
    for room, o in objects:
        for s in defined[str(o)]:
            home.setdefault(s, set()).add(room)
    knows = {room: included(layers, layers.folder(src, room)) | {room}
             for room in layers.allowed}
    for room, o in objects:
        for s in sorted(wanted[str(o)] - {"_GLOBAL_OFFSET_TABLE_"}):
            if s in home:
                if not home[s] & layers.allowed[room]:
                    yield o, f"{room} may not use {s} of {min(home[s])}"
                elif not home[s] & knows[room]:
                    yield o, (f"{room} uses {s} of {min(home[s])} and includes "
                              "nothing of it itself")
            elif room in layers.pure and s not in layers.libc:
                yield o, f"pure, but calls {s}"


def main():
    src = pathlib.Path(sys.argv[1]).resolve()
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
