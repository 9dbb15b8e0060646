# SPDX-License-Identifier: BSD-2-Clause
"""Ambiguous messages through the engine: no verdict but not_compared.

Each stream becomes a dialogue of test/script: the same bytes of client, production
and SUT. So whatever is compared is equal, and only ambiguity keeps it from being
called so.
"""
import os
import subprocess

from capture import GET, OK

HERE = os.path.dirname(os.path.abspath(__file__))
RUNNER = os.path.join(HERE, "../../build-asan/script_runner")
PIECE = 500         # bytes of a segment: a line of a dialogue has 4,096
STREAM_MOST = 60000  # of test/script/world.h



def before_doubt(lines):
    """(plain messages in front of the first ambiguous one, whether that is whole),
    or None if nothing is ambiguous. Lines are golden_http's."""
    for i, line in enumerate(lines):
        if line[0] == "U":
            return None
        if line[-1] == "1" and (line[0] == "M" or line[1] == "1"):
            return i, line[0] == "M"
    return None


def segments(who, at, ack, data):
    out = []
    for i in range(0, len(data), PIECE):
        part = data[i:i + PIECE]
        text = "".join(f"\\x{b:02x}" for b in part)
        out.append(f'+0 {who} P. {at + i}:{at + i + len(part)}({len(part)}) '
                   f'ack {ack} win 60000 "{text}"')
    return out


def dialogue(kind, stream, level, plain, whole):
    """Text of a dialogue, and what must come of it."""
    messages = plain + 1
    up, down = ((stream, OK * messages) if kind == "request"
                else (GET * messages, stream))
    c, s = 1 + len(up), 1 + len(down)
    out = [f"set compare {level}",
           "+0 C S 0:0(0) win 65535 <mss 1460>", "+0 U S 0:0(0)",
           "+0 P S. 0:0(0) ack 1 win 65535 <mss 1460>",
           "+0 S S. 0:0(0) ack 1 win 65535 <mss 1460>",
           "+0 C . 1:1(0) ack 1 win 60000", "+0.1 U any",
           *(line for cut in segments("C", 1, 1, up)
             for line in (cut, "+0 U any")),
           f"+0 P . 1:1(0) ack {c} win 60000", f"+0 S . 1:1(0) ack {c} win 60000",
           *segments("P", 1, c, down), *segments("S", 1, c, down), "+0.1 U any",
           f"+0 C . {c}:{c}(0) ack {s} win 60000", "+0.1 U any",
           f"+0 P F. {s}:{s}(0) ack {c} win 60000",
           f"+0 S F. {s}:{s}(0) ack {c} win 60000",
           f"+0 C F. {c}:{c}(0) ack {s + 1} win 60000", "+3 U any",
           "= verdict.equivalent 0", "= verdict.different 0",
           f"= verdict.identical {plain}"]
    # Of what makes a tunnel (CONNECT, 101) that is the reason told first.
    if whole and not stream.startswith((b"CONNECT", b"HTTP/1.1 101")):
        out += ["= reason.ambiguous >= 1"]
    return "\n".join(out) + "\n"


def play(folder, cases):
    """Wrong ones of {name: (kind, stream, lines)}, and how many were played."""
    paths, names = [], {}
    for name, (kind, stream, lines) in cases.items():
        doubt = before_doubt(lines)
        if doubt is None or len(stream) > STREAM_MOST:
            continue
        for level in ("equivalent", "identical"):
            path = os.path.join(folder, f"{len(paths)}.pkt")
            with open(path, "w") as f:
                f.write(dialogue(kind, stream, level, *doubt))
            names[path] = f"{name}, --compare {level}"
            paths.append(path)
    if not paths:
        return ["no case is ambiguous"], 0
    r = subprocess.run([RUNNER, *paths], capture_output=True, check=False,
                       stdin=subprocess.DEVNULL, timeout=120)
    said = r.stdout.decode(errors="replace")
    wrong = []
    for line in said.splitlines():
        if line[:1] == "#" or line.startswith("not ok"):
            wrong.append(line)
    if r.returncode != 0 and not wrong:
        wrong.append(r.stderr.decode(errors="replace")[-2000:])
    for path, name in names.items():
        wrong = [w.replace(path + ":", name + ": line ") for w in wrong]
    return wrong, len(paths)
