# SPDX-License-Identifier: BSD-2-Clause
"""Ambiguous messages through the engine.

Each stream becomes a dialogue of test/script. With the same bytes of production and
SUT: a request gives no verdict but not_compared, so that only ambiguity keeps equal
answers from being called so; an answer is never different. An answer that only the
SUT gives so, where production's is by the book, is different.
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


def wanted(kind, stream, alone, plain, whole):
    """What must come of a dialogue."""
    if alone:
        return ["= verdict.different >= 1"]
    if kind != "request":
        return ["= verdict.different 0"]
    out = ["= verdict.equivalent 0", "= verdict.different 0",
           f"= verdict.identical {plain}"]
    # Of what makes a tunnel (CONNECT) that is the reason told first.
    if whole and not stream.startswith(b"CONNECT"):
        out += ["= reason.ambiguous >= 1"]
    return out


def dialogue(kind, stream, level, alone, plain, whole):
    """Text of a dialogue, and what must come of it. alone: of the SUT only."""
    messages = plain + 1
    up, down = ((stream, OK * messages) if kind == "request"
                else (GET * messages, stream))
    prod = OK * messages if alone else down
    c, s, p = 1 + len(up), 1 + len(down), 1 + len(prod)
    out = [f"set compare {level}",
           "+0 C S 0:0(0) win 65535 <mss 1460>", "+0 U S 0:0(0)",
           "+0 P S. 0:0(0) ack 1 win 65535 <mss 1460>",
           "+0 S S. 0:0(0) ack 1 win 65535 <mss 1460>",
           "+0 C . 1:1(0) ack 1 win 60000", "+0.1 U any",
           *(line for cut in segments("C", 1, 1, up)
             for line in (cut, "+0 U any")),
           f"+0 P . 1:1(0) ack {c} win 60000", f"+0 S . 1:1(0) ack {c} win 60000",
           *segments("P", 1, c, prod), *segments("S", 1, c, down), "+0.1 U any",
           f"+0 C . {c}:{c}(0) ack {p} win 60000", "+0.1 U any",
           f"+0 P F. {p}:{p}(0) ack {c} win 60000",
           f"+0 S F. {s}:{s}(0) ack {c} win 60000",
           f"+0 C F. {c}:{c}(0) ack {p + 1} win 60000", "+0.1 U any",
           f"+0 S . {s + 1}:{s + 1}(0) ack {c + 1} win 60000",
           f"+0 P . {p + 1}:{p + 1}(0) ack {c + 1} win 60000", "+3 U any",
           *wanted(kind, stream, alone, plain, whole)]
    return "\n".join(out) + "\n"


def play(folder, cases):
    """Wrong ones of {name: (kind, stream, lines)}, and how many were played."""
    paths, names = [], {}
    for name, (kind, stream, lines) in cases.items():
        doubt = before_doubt(lines)
        if doubt is None or len(stream) > STREAM_MOST:
            continue
        ways = [(level, alone) for level in ("equivalent", "identical")
                for alone in (False, True) if kind != "request" or not alone]
        for level, alone in ways:
            path = os.path.join(folder, f"{len(paths)}.pkt")
            with open(path, "w") as f:
                f.write(dialogue(kind, stream, level, alone, *doubt))
            names[path] = (f"{name}, --compare {level}"
                           + (", SUT alone" if alone else ""))
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
