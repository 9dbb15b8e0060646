# SPDX-License-Identifier: BSD-2-Clause
"""HTTP/1 cases of others, as bytes, and what their own parsers make of them."""
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = os.path.join(HERE, "../../build-asan/golden_http")
LLHTTP = "/usr/share/llhttp"

BLOCK = re.compile(r"^```http\n(.*?)^```", re.S | re.M)
META = re.compile(r'<!-- meta=\{.*?"type": ?"(request|response)')


def llhttp_stream(text):
    """(kind, bytes) of a case of llhttp's, by the rules of its own test."""
    kind = META.search(text).group(1)
    s = BLOCK.search(text).group(1)
    s = re.sub(r"\n$", "", s)
    s = re.sub(r"\\\n", "", s)
    s = s.replace("\n", "\r\n")
    for word, byte in (("\\r", "\r"), ("\\n", "\n"), ("\\t", "\t"),
                       ("\\f", "\f")):
        s = s.replace(word, byte)
    s = re.sub(r"\\x([0-9a-fA-F]+)", lambda m: chr(int(m.group(1), 16)), s)
    return kind, s.encode()


def compile_oracle(folder):
    """Path of a program that frames as llhttp does, or None without it."""
    if not os.path.exists(f"{LLHTTP}/llhttp.c"):
        return None
    out = os.path.join(folder, "oracle")
    subprocess.run(["cc", "-w", "-O0", "-DLLHTTP_STRICT_MODE=1",
                    "-I/usr/share/include/llhttp", "-o", out,
                    os.path.join(HERE, "llhttp/oracle.c")] +
                   [f"{LLHTTP}/{n}.c" for n in ("llhttp", "api", "http")],
                   check=True)
    return out


def frame(program, kind, stream):
    """What a program makes of a stream: lists of words, one for each line."""
    r = subprocess.run([program, kind], input=stream, capture_output=True,
                       timeout=60, check=False)
    if r.returncode != 0:
        raise RuntimeError(f"{program} {kind}: {r.returncode}: "
                           f"{r.stderr.decode(errors='replace')[-500:]}")
    return [line.split() for line in r.stdout.decode().splitlines()]


def compare(ours, theirs):
    """(what contradicts, what only we doubt) between our lines and llhttp's.

    A message that we hold for plain must end where llhttp's does, with as many
    bytes of body, and must not be refused by it. What is ambiguous to us may be
    split by others as they like, and nothing behind it is compared; if llhttp has
    the same message all the same, that is a doubt of ours.
    """
    for i, line in enumerate(theirs):
        mine = ours[i] if i < len(ours) else ["nothing"]
        plain = mine[0] == "M" and mine[3] == "0"
        if line[0] == "M" and mine[:3] == line[:3]:
            if not plain:
                return None, f"message {i}"
        elif line[0] == "M" and mine[0] == "U":
            return None, f"message {i}: not framed by us"
        elif line[0] == "M" and (plain or mine[-1] == "0"):
            return f"message {i}: {' '.join(mine)}, not {' '.join(line)}", None
        elif line[0] == "X" and plain:
            return f"message {i}: refused, {line[2]}", None
        elif line[0] == "P" and plain:
            return f"message {i}: is not whole", None
        else:
            return None, None
    return None, None
