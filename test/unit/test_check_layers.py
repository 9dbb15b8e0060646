#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unit test of tools/check_layers.py: every planted violation must be found.

Each case is a small tree that is right but for one file; the checker must exit
1 and name the fault. The tree without it must pass, or the cases prove nothing.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CHECKER = pathlib.Path(__file__).resolve().parents[2] / "tools/check_layers.py"

GOOD = {
    "src/LAYERS": "wing base: low mid os\nwing upper: top\nwing other: far\n"
                  "libc: memcpy\nkernel: low/k.h <stdint.h>\n"
                  "pure low:\npure mid: low\nos: low\n"
                  "top: low mid os\nfar: low os\ncmd: low top far\n"
                  "headers all: stddef.h stdint.h string.h\n"
                  "headers os: unistd.h\n",
    "src/base/README.md": "what it is\n",
    "src/base/low/README.md": "what it is\n",
    "src/base/low/a.h": "int a(void);\n",
    "src/base/low/k.h": "#include <stdint.h>\n",
    "src/base/low/a.c": '#include "low/a.h"\n#include <stddef.h>\n'
                        '#include "low/a_internal.h"\n'
                        "int a(void) { return 1; }\n",
    "src/base/low/a_internal.h": "/* ours */\n",
    "src/base/mid/m.h": "int m(void);\n",
    "src/base/mid/m.c": '#include "low/a.h"\n#include "mid/m.h"\n'
                        "int m(void) { return a(); }\n",
    "src/base/os/o.h": "int o(void);\n",
    "src/base/os/p.bpf.c": '#include "low/k.h"\n#include <unistd.h>\n',
    "src/base/os/o.c": '#include "os/o.h"\n#include <unistd.h>\n'
                       "int o(void) { return (int)getpid(); }\n",
    "src/upper/top/top.h": "int t(void);\n",
    "src/upper/top/inside.h": "int u(void);\n",
    "src/upper/top/t.c": '#include "os/o.h"\n#include "top/top.h"\n'
                         "int t(void) { return o(); }\n",
    "src/other/far/f.c": '#include "os/o.h"\nint f(void);\n'
                         "int f(void) { return o(); }\n",
    "src/cmd/c.c": '#include "top/top.h"\nint c(void);\n'
                   "int c(void) { return t(); }\n",
}

# name, file, its text, words that the checker's line must contain
BAD = [
    ("upward include", "src/base/low/x.c", '#include "mid/m.h"\n',
     "low may not include mid"),
    ("pure includes a room that is not", "src/base/mid/x.c", '#include "os/o.h"\n',
     "mid may not include os"),
    ("upward include in a header", "src/base/low/x.h", '#include "os/o.h"\n',
     "low may not include os"),
    ("path through the parent", "src/base/low/x.c", '#include "../os/o.h"\n',
     "neither"),
    ("path through the parent, from a folder", "src/base/low/x.c",
     '#include "low/../os/o.h"\n', "neither"),
    ("path through the same folder", "src/base/low/x.c", '#include "./a.h"\n',
     "neither"),
    ("include without a folder", "src/base/low/x.c", '#include "a.h"\n', "neither"),
    ("absolute path", "src/base/low/x.c", '#include "/usr/include/unistd.h"\n',
     "neither"),
    ("system header in quotes", "src/base/low/x.c", '#include "sys/types.h"\n',
     "low may not include sys"),
    ("our own in angle brackets", "src/base/low/x.c", "#include <os/o.h>\n",
     "in angle brackets"),
    ("angle brackets with the parent", "src/base/low/x.c",
     "#include <low/../os/o.h>\n", "neither"),
    ("system header that is not listed", "src/base/low/x.c",
     "#include <unistd.h>\n", "low may not include <unistd.h>"),
    ("listed for another folder", "src/upper/top/x.c", "#include <unistd.h>\n",
     "top may not include <unistd.h>"),
    ("include of a macro", "src/base/low/x.c",
     '#define H "os/o.h"\n#include H\n', "neither"),
    ("spaces round the hash", "src/base/low/x.c", ' \t# \t include "os/o.h"\n',
     "low may not include os"),
    ("no space after include", "src/base/low/x.c", '#include"os/o.h"\n',
     "low may not include os"),
    ("digraph", "src/base/low/x.c", '%:include "os/o.h"\n',
     "low may not include os"),
    ("trigraph", "src/base/low/x.c", '??=include "os/o.h"\n', "trigraph"),
    ("line splice in the word", "src/base/low/x.c", '#inc\\\nlude "os/o.h"\n',
     "low may not include os"),
    ("line splice with a space", "src/base/low/x.c", '#include \\ \n"os/o.h"\n',
     "low may not include os"),
    ("line splice in the name", "src/base/low/x.c", '#include "os\\\n/o.h"\n',
     "low may not include os"),
    ("DOS line ends", "src/base/low/x.c", '#include \\\r\n"os/o.h"\r\n',
     "low may not include os"),
    ("comment before the hash", "src/base/low/x.c", '/* x */ #include "os/o.h"\n',
     "low may not include os"),
    ("comment within", "src/base/low/x.c", '#/**/include/* "low/a.h" */"os/o.h"\n',
     "low may not include os"),
    ("comment that is a string", "src/base/low/x.c",
     'static const char *s = "/*";\n#include "os/o.h"\n'
     'static const char *e = "*/";\n', "low may not include os"),
    ("include_next", "src/base/low/x.c", "#include_next <unistd.h>\n",
     "#include_next"),
    ("import", "src/base/low/x.c", '#import "os/o.h"\n', "#import"),
    ("source file included", "src/upper/top/x.c", '#include "os/o.c"\n', "neither"),
    ("header that is not there", "src/base/mid/x.c", '#include "low/none.h"\n',
     "there is no low/none.h"),
    ("internal header leaves", "src/base/mid/x.c", '#include "low/a_internal.h"\n',
     "never leaves its room"),
    ("internal header in a test", "test/unit/x.c",
     '#include "low/a_internal.h"\n', "never leaves its room"),
    ("folder in a room", "src/base/low/deep/x.c", '#include "os/o.h"\n',
     "folder in a room"),
    ("folder that is not listed", "src/base/new/x.c", "", "not in LAYERS"),
    ("file beside the folders", "src/x.c", '#include "os/o.h"\n', "neither"),
    ("other suffix", "src/base/low/x.inc", '#include "os/o.h"\n', "neither"),
    ("assembler file", "src/base/low/x.S", "", "neither"),
    ("assembler includes", "src/upper/top/x.c", '__asm__(".incbin \\"x\\"");\n',
     "assembler includes"),
    ("assembler in a pure folder", "src/base/low/x.c",
     'void x(void);\nvoid x(void) { __asm__("syscall"); }\n',
     "pure, but has __asm__"),
    ("clock without a call", "src/base/low/x.c",
     "long x(void);\nlong x(void) { return (long)__builtin_ia32_rdtsc(); }\n",
     "pure, but has __builtin_ia32_rdtsc"),
    ("pure calls the system", "src/base/low/x.c",
     "int getpid(void);\nint x(void);\nint x(void) { return getpid(); }\n",
     "pure, but calls getpid"),
    ("pure allocates by a builtin", "src/base/low/x.c",
     "void *x(unsigned long);\n"
     "void *x(unsigned long n) { return __builtin_malloc(n); }\n",
     "pure, but calls malloc"),
    ("pure uses a folder above by a declaration", "src/base/low/x.c",
     "int m(void);\nint x(void);\nint x(void) { return m(); }\n",
     "low may not use m of mid"),
    ("impure uses a folder by a declaration", "src/base/os/x.c",
     "int m(void);\nint x(void);\nint x(void) { return m(); }\n",
     "os may not use m of mid"),
    ("folder's data used by a declaration", "src/base/low/x.c",
     "extern int t(void);\nint (*x)(void) = t;\n", "low may not use t of top"),
    ("layers with a cycle", "src/LAYERS",
     GOOD["src/LAYERS"].replace("pure low:", "pure low: mid"),
     "not listed above it"),
    ("pure line with a room that is not", "src/LAYERS",
     GOOD["src/LAYERS"].replace("pure mid: low", "pure mid: os"), "allows a room that is not"),
    ("wing that is not listed", "src/new/low/x.c", "", "not in LAYERS"),
    ("room in another wing's folder", "src/upper/low/x.c", "", "not in LAYERS"),
    ("document that is no README", "src/base/low/x.md", "", "neither"),
    ("uses what another included for it", "src/other/far/x.c",
     "int a(void);\nint x(void);\nint x(void) { return a(); }\n",
     "far uses a of low and includes nothing of it itself"),
    ("cmd includes an inside", "src/cmd/x.c", '#include "top/inside.h"\n',
     "not its face top/top.h"),
    ("kernel's header includes the language", "src/base/low/k.h",
     "#include <string.h>\n", "is for the kernel, too"),
    ("kernel's header includes ours", "src/base/low/k.h",
     '#include "low/a.h"\n', "is for the kernel, too"),
    ("program for the kernel includes a header that is not", "src/base/os/q.bpf.c",
     '#include "low/k.h"\n#include "low/a.h"\n', "is a program for the kernel"),
    ("room in no wing", "src/LAYERS",
     GOOD["src/LAYERS"].replace("wing other: far", "wing other:"),
     "far is in no wing"),
    ("room in two wings", "src/LAYERS",
     GOOD["src/LAYERS"].replace("wing other: far", "wing other: far top"),
     "top is in two wings"),
    ("room and wing of one name", "src/LAYERS",
     GOOD["src/LAYERS"].replace("wing other: far", "wing far: far"),
     "far is a room and a wing"),
    ("room of a wing without a line", "src/LAYERS",
     GOOD["src/LAYERS"].replace("wing other: far", "wing other: far gone"),
     "gone has no line"),
    ("room names another wing's", "src/LAYERS",
     GOOD["src/LAYERS"].replace("far: low os", "far: low os top"),
     "far of other may not name top of upper"),
]


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def include_paths(root):
    return [f"-I{root}/src/{wing}" for wing in ("base", "upper", "other")]


def compile_one(root, c):
    """Object of one source file, where meson would put it.

    A file whose include is refused need not compile: an empty object then
    stands in, so that only the planted fault can be reported.
    """
    out = root / f"build/lib{c.parent.name}.a.p"
    out.mkdir(parents=True, exist_ok=True)
    obj = out / ("_".join(c.relative_to(root).parts) + ".o")
    for source in (str(c), os.devnull):
        if subprocess.run(["cc", "-w", "-c", "-x", "c", *include_paths(root), "-o",
                           obj, source], capture_output=True).returncode == 0:
            break


def check(root):
    """(status, lines) of the checker."""
    p = subprocess.run([sys.executable, CHECKER, root / "src", root / "build"],
                       text=True, capture_output=True)
    return p.returncode, (p.stdout + p.stderr).splitlines()


def planted(good, path, text):
    """The checker's answer to the good tree with one file planted."""
    with tempfile.TemporaryDirectory() as d:
        root = pathlib.Path(d) / "tree"
        shutil.copytree(good, root)
        f = write(root, path, text)
        if f.suffix == ".c" and path.startswith("src/") and \
                (root / "build" / f"lib{f.parent.name}.a.p").is_dir():
            compile_one(root, f)
        return check(root)


def main():
    print(f"1..{len(BAD) + 2}")
    bad = 0

    def say(i, ok, name, lines):
        nonlocal bad
        print(f"{'' if ok else 'not '}ok {i} - {name}")
        if not ok:
            bad += 1
            for line in lines:
                print(f"# {line}")

    with tempfile.TemporaryDirectory() as d:
        good = pathlib.Path(d)
        files = [write(good, name, text) for name, text in GOOD.items()]
        for f in files:
            if f.suffix == ".c":
                compile_one(good, f)
        status, lines = check(good)
        say(1, status == 0 and lines == ["layers ok"],
            "a tree that obeys passes", lines)
        for i, (name, path, text, words) in enumerate(BAD, 2):
            status, lines = planted(good, path, text)
            say(i, status == 1 and len(lines) == 1 and words in lines[0], name,
                lines)
        (good / "build/liblow.a.p/src_base_low_a.c.o").unlink()
        status, lines = check(good)
        say(len(BAD) + 2, status == 1 and "has no object" in lines[0],
            "object that is missing", lines)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
