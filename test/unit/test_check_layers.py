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
    "src/LAYERS": "libc: memcpy\npure low:\npure mid: low\nos: low\n"
                  "top: low mid os\nheaders all: stddef.h string.h\n"
                  "headers os: unistd.h\n",
    "src/low/a.h": "int a(void);\n",
    "src/low/a.c": '#include "low/a.h"\n#include <stddef.h>\n'
                   '#include "low/a_internal.h"\nint a(void) { return 1; }\n',
    "src/low/a_internal.h": "/* ours */\n",
    "src/mid/m.c": '#include "low/a.h"\nint m(void);\n'
                   "int m(void) { return a(); }\n",
    "src/os/o.h": "int o(void);\n",
    "src/os/o.c": '#include "os/o.h"\n#include <unistd.h>\n'
                  "int o(void) { return (int)getpid(); }\n",
    "src/top/t.c": '#include "os/o.h"\nint t(void);\n'
                   "int t(void) { return o(); }\n",
}

# name, file, its text, words that the checker's line must contain
BAD = [
    ("upward include", "src/low/x.c", '#include "mid/m.h"\n',
     "low may not include mid"),
    ("pure includes a folder that is not", "src/mid/x.c", '#include "os/o.h"\n',
     "mid may not include os"),
    ("upward include in a header", "src/low/x.h", '#include "os/o.h"\n',
     "low may not include os"),
    ("path through the parent", "src/low/x.c", '#include "../os/o.h"\n',
     "neither"),
    ("path through the parent, from a folder", "src/low/x.c",
     '#include "low/../os/o.h"\n', "neither"),
    ("path through the same folder", "src/low/x.c", '#include "./a.h"\n',
     "neither"),
    ("include without a folder", "src/low/x.c", '#include "a.h"\n', "neither"),
    ("absolute path", "src/low/x.c", '#include "/usr/include/unistd.h"\n',
     "neither"),
    ("system header in quotes", "src/low/x.c", '#include "sys/types.h"\n',
     "low may not include sys"),
    ("our own in angle brackets", "src/low/x.c", "#include <os/o.h>\n",
     "in angle brackets"),
    ("angle brackets with the parent", "src/low/x.c",
     "#include <low/../os/o.h>\n", "neither"),
    ("system header that is not listed", "src/low/x.c",
     "#include <unistd.h>\n", "low may not include <unistd.h>"),
    ("listed for another folder", "src/top/x.c", "#include <unistd.h>\n",
     "top may not include <unistd.h>"),
    ("include of a macro", "src/low/x.c",
     '#define H "os/o.h"\n#include H\n', "neither"),
    ("spaces round the hash", "src/low/x.c", ' \t# \t include "os/o.h"\n',
     "low may not include os"),
    ("no space after include", "src/low/x.c", '#include"os/o.h"\n',
     "low may not include os"),
    ("digraph", "src/low/x.c", '%:include "os/o.h"\n',
     "low may not include os"),
    ("trigraph", "src/low/x.c", '??=include "os/o.h"\n', "trigraph"),
    ("line splice in the word", "src/low/x.c", '#inc\\\nlude "os/o.h"\n',
     "low may not include os"),
    ("line splice with a space", "src/low/x.c", '#include \\ \n"os/o.h"\n',
     "low may not include os"),
    ("line splice in the name", "src/low/x.c", '#include "os\\\n/o.h"\n',
     "low may not include os"),
    ("DOS line ends", "src/low/x.c", '#include \\\r\n"os/o.h"\r\n',
     "low may not include os"),
    ("comment before the hash", "src/low/x.c", '/* x */ #include "os/o.h"\n',
     "low may not include os"),
    ("comment within", "src/low/x.c", '#/**/include/* "low/a.h" */"os/o.h"\n',
     "low may not include os"),
    ("comment that is a string", "src/low/x.c",
     'static const char *s = "/*";\n#include "os/o.h"\n'
     'static const char *e = "*/";\n', "low may not include os"),
    ("include_next", "src/low/x.c", "#include_next <unistd.h>\n",
     "#include_next"),
    ("import", "src/low/x.c", '#import "os/o.h"\n', "#import"),
    ("source file included", "src/top/x.c", '#include "os/o.c"\n', "neither"),
    ("header that is not there", "src/mid/x.c", '#include "low/none.h"\n',
     "there is no low/none.h"),
    ("internal header leaves", "src/mid/x.c", '#include "low/a_internal.h"\n',
     "never leaves its folder"),
    ("internal header in a test", "test/unit/x.c",
     '#include "low/a_internal.h"\n', "never leaves its folder"),
    ("folder in a folder", "src/low/deep/x.c", '#include "os/o.h"\n',
     "folder in a folder"),
    ("folder that is not listed", "src/new/x.c", "", "not in LAYERS"),
    ("file beside the folders", "src/x.c", '#include "os/o.h"\n', "neither"),
    ("other suffix", "src/low/x.inc", '#include "os/o.h"\n', "neither"),
    ("assembler file", "src/low/x.S", "", "neither"),
    ("assembler includes", "src/top/x.c", '__asm__(".incbin \\"x\\"");\n',
     "assembler includes"),
    ("assembler in a pure folder", "src/low/x.c",
     'void x(void);\nvoid x(void) { __asm__("syscall"); }\n',
     "pure, but has __asm__"),
    ("clock without a call", "src/low/x.c",
     "long x(void);\nlong x(void) { return (long)__builtin_ia32_rdtsc(); }\n",
     "pure, but has __builtin_ia32_rdtsc"),
    ("pure calls the system", "src/low/x.c",
     "int getpid(void);\nint x(void);\nint x(void) { return getpid(); }\n",
     "pure, but calls getpid"),
    ("pure allocates by a builtin", "src/low/x.c",
     "void *x(unsigned long);\n"
     "void *x(unsigned long n) { return __builtin_malloc(n); }\n",
     "pure, but calls malloc"),
    ("pure uses a folder above by a declaration", "src/low/x.c",
     "int m(void);\nint x(void);\nint x(void) { return m(); }\n",
     "low may not use m of mid"),
    ("impure uses a folder by a declaration", "src/os/x.c",
     "int m(void);\nint x(void);\nint x(void) { return m(); }\n",
     "os may not use m of mid"),
    ("folder's data used by a declaration", "src/low/x.c",
     "extern int t(void);\nint (*x)(void) = t;\n", "low may not use t of top"),
    ("layers with a cycle", "src/LAYERS",
     GOOD["src/LAYERS"].replace("pure low:", "pure low: mid"),
     "not listed above it"),
    ("pure line with a folder that is not", "src/LAYERS",
     GOOD["src/LAYERS"] + "pure fake: os\n", "allows a folder that is not"),
]


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def compile_one(root, c):
    """Object of one source file, where meson would put it.

    A file whose include is refused need not compile: an empty object then
    stands in, so that only the planted fault can be reported.
    """
    out = root / f"build/lib{c.parent.name}.a.p"
    out.mkdir(parents=True, exist_ok=True)
    obj = out / f"src_{c.parent.name}_{c.name}.o"
    for source in (str(c), os.devnull):
        if subprocess.run(["cc", "-w", "-c", "-x", "c", f"-I{root}/src", "-o",
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
        if f.suffix == ".c" and len(f.relative_to(root).parts) == 3 \
                and path.startswith("src/"):
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
        (good / "build/liblow.a.p/src_low_a.c.o").unlink()
        status, lines = check(good)
        say(len(BAD) + 2, status == 1 and "has no object" in lines[0],
            "object that is missing", lines)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
