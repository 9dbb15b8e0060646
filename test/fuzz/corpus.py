#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write inputs for a fuzz target: from captures made here and, if $MATERIAL is
set, from captures and cases of others.

usage: corpus.py TARGET FOLDER
"""
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../lib"), os.path.join(HERE, "../golden")]
import capture  # noqa: E402
import http_cases  # noqa: E402

FILES_MOST = 400     # captures of others that are read
FRAMES_MOST = 24     # of one capture that go into one input
INPUT_MOST = 4000    # bytes of an input
VALUES = ("1", "3.7%", "5s", "64M", "on", "any", "timing", "captured",
          "aa:bb:cc:00:00:01", "10.0.0.0/8", "10.0.0.1:80=10.0.0.2",
          "[fd00::]/16:53=[fd00::1]:54")
LINKS = (1, 0, 101, 108, 113, 228, 229, 276)  # as in fuzz_frame.c


def own_captures():
    many = [f for port in range(30000, 30003)
            for f in capture.dialogue(2, port=port)]
    mixed = many[::-1]
    lost = [f for i, f in enumerate(capture.dialogue(5)) if i != 7]
    names = [capture.dns(1, 7, 0), capture.dns(0, 7, 1)]
    return [capture.dialogue(3), capture.dialogue(3, v6=True), many, mixed,
            lost, names]


def outside(suffixes):
    """Paths below $MATERIAL, at most FILES_MOST, spread over all of them."""
    top = os.environ.get("MATERIAL")
    if not top:
        return []
    paths = sorted(os.path.join(d, n) for d, _, names in os.walk(top)
                   for n in names if n.endswith(suffixes))
    return paths[::max(1, -(-len(paths) // FILES_MOST))]


def frames_of(path):
    try:
        return [(link, f) for link, f in capture.frames(path)][:FRAMES_MOST]
    except (struct.error, IndexError):
        return []


def all_frames():
    """Lists of (link type, frame)."""
    for own in own_captures():
        yield [(1, f) for f in own][:FRAMES_MOST]
    for path in outside((".pcap", ".pcapng", ".cap")):
        yield frames_of(path)


def frame_inputs():
    for frames in all_frames():
        links = {link for link, _ in frames} & set(LINKS)
        for link in links:
            for how in (0, 1, 2, 8):
                body = b"".join(struct.pack(">H", len(f)) + f
                                for k, f in frames if k == link)
                yield bytes((LINKS.index(link), how)) + body[:INPUT_MOST]


def streams(port):
    """Payloads of TCP, and of UDP of a port, one after the other."""
    for frames in all_frames():
        up, down, datagrams = b"", b"", []
        for link, f in frames:
            s = capture.segment(capture.ip_of(link, f))
            if s is None:
                continue
            if s[0] == 6 and s[1][1][1] == port:
                up += s[3]
            elif s[0] == 6 and s[1][0][1] == port:
                down += s[3]
            elif s[0] == 17 and port in (s[1][0][1], s[1][1][1]):
                datagrams.append(s[3])
        yield up, down, datagrams


def http_inputs():
    for up, down, _ in streams(80):
        if up or down:
            up = up[:1020] + b"\r\n" * (-len(up[:1020]) % 4 // 2)
            yield bytes((7, len(up) // 4)) + (up + down)[:INPUT_MOST]
    for path in outside((".bin", ".md", ".t")):
        with open(path, "rb") as f:
            data = f.read(INPUT_MOST)
        if path.endswith(".md"):
            try:
                kind, data = http_cases.llhttp_stream(data.decode())
            except (AttributeError, UnicodeDecodeError):
                continue
            if kind == "response":
                yield b"\7\0" + data
                continue
        if path.endswith(".t"):
            data = re.sub(rb"(>>>|<<<)\r?\n", b"", data)
        yield bytes((7, min(255, len(data) // 4 + 1))) + data


def compare_inputs():
    """Pairs of answers: the same, one more byte, the next one of the material."""
    answers = sorted({down[:1000] for _, down, _ in streams(80) if down},
                     key=len)[::4] + [capture.OK]
    for i, a in enumerate(answers):
        for b in (a, answers[i - 1]):
            yield b"\x18" + struct.pack(">H", len(a)) + a + b
    for how in (56, 88, 120):  # with a lead: see fuzz_compare.c
        a = capture.OK * 2
        yield bytes((how,)) + struct.pack(">H", len(a)) + a + a + b"x"


def dns_inputs():
    for up, down, datagrams in streams(53):
        for d in datagrams:
            yield b"\7" + d
            yield b"\7" + struct.pack(">H", len(d)) + d
        if up + down:
            yield b"\7" + (up + down)[:INPUT_MOST]


def message(*records):
    """An answer to "a. MX" with these (type, data)."""
    out = struct.pack(">HHHHHH", 7, 0x8180, 1, len(records), 0, 0)
    out += b"\1a\0" + struct.pack(">HH", 15, 1)
    for kind, data in records:
        out += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
    return out


def comparedns_inputs():
    """Pairs: the same, other order, other length of a record."""
    mx, other = b"\0\1\1b\xc0\x0c", b"\0\2\1b\xc0\x0c"
    txt = b"\3abc\2de"
    pairs = [(message((15, mx), (15, other)), message((15, other), (15, mx))),
             (message((16, txt)), message((16, txt[:4]))),
             (message((15, mx)), message((15, mx[:4] + b"\0")))]
    answers = [d for _, _, all_d in streams(53) for d in all_d]
    pairs += [(d, d) for d in answers] + list(zip(answers, answers[1:]))
    for a, b in pairs:
        yield struct.pack(">H", len(a)) + a + b


def arp(op, mac, ip, target):
    """An ARP frame to our own address on the SUT's wire (fuzz_sutwire.c)."""
    own = b"\2\xaa\0\0\0\1"
    return (own + mac + b"\x08\6\0\1\x08\0\6\4" + struct.pack(">H", op) + mac +
            ip + own + target).ljust(60, b"\0")


def sutwire_inputs():
    sut, ip = b"\2\0\0\0\0\5", bytes((10, 72, 0, 20))
    for mac in (sut, b"\2\0\0\0\0\7"):
        frames = [arp(2, sut, ip, bytes((10, 72, 0, 1))),
                  arp(1, mac, ip, bytes((10, 1, 0, 1))), arp(1, mac, ip, ip)]
        yield b"".join(bytes((len(f),)) + f for f in frames)


def tcpopt_inputs():
    for frames in all_frames():
        for link, f in frames:
            p = capture.ip_of(link, f)
            if p[:1] and p[0] >> 4 == 4 and p[9:10] == b"\6":
                l4 = p[(p[0] & 15) * 4:]
                if len(l4) >= 20:
                    yield l4[20:(l4[12] >> 4) * 4]


def pcap_inputs():
    for frames in own_captures():
        yield b"\7" + capture.pcap(frames)[:INPUT_MOST]
    for path in outside((".pcap", ".pcapng", ".cap")):
        with open(path, "rb") as f:
            yield b"\7" + f.read(INPUT_MOST)


def cache_inputs():
    """Cache files, and frames in every mode (fuzz_cache.c)."""
    pair = b"capture %016x frames digest %016x\n" % (5, 7)
    for comment in (b"", b"a comment", pair, pair + b"a comment"):
        yield (b"tcpprep\0" + b"04\0\0" +
               struct.pack(">QHH", 5, 4, len(comment)) + comment + b"\xe4\2")
    fragment = b"\x86\xdd\x60".rjust(15, b"\0") + b"\0\0\0\0\20\x2c\x40"
    fragment += bytes(31) + b"\1" + b"\x11\0\0\1\0\0\0\7\0\x35\0\x36\0\x14\0\0"
    for n in range(54, len(fragment), 4):
        yield bytes((0, 0, 0, n)) + fragment[:n]
    for frames in list(all_frames())[::4]:
        short = b"".join(bytes((len(f[:255]),)) + f[:255]
                         for link, f in frames[:8] if link == 1)
        if short:
            mode = len(short) % 9
            yield bytes((0, mode, mode % 6)) + short[:INPUT_MOST]


def options_inputs():
    with open(os.path.join(HERE, "../../README.md")) as f:
        text = f.read()
    for words in re.findall(r"^understudy (?:shadow|doctor) (.*)$",
                            text.replace("\\\n", " "), re.M):
        yield words.encode() + b"\0"
    with open(os.path.join(HERE, "../../src/cmd/options_table.c")) as f:
        for name in re.findall(r'^\t\{ "([a-z-]+)"', f.read(), re.M):
            for value in VALUES:
                yield f"--{name} {value}".encode() + b"\0"


def words_inputs():
    """Command lines of send (last byte even) and prep (fuzz_words.c)."""
    nets = ("10.0.0.0/8:10.9.0.0/16", "[fd00::/16]:[fd01::/16]", "80-90:8080",
            "10.0.0.1:10.0.0.2", "02:00:00:00:00:01,02:00:00:00:00:02", "2.5",
            "8100:3", "0x8100", "pad")
    for last, source, base in (
            (b"\0", "send_options.c", "-i a f.pcap"),
            (b"\0", "send_edit.c", "-i a -I b f.pcap"),
            (b"\1", "prep_args.c", "-i f.pcap -o f.cache -a client")):
        with open(os.path.join(HERE, "../../src/cmd", source)) as f:
            names = re.findall(r'^\t\{ "([a-z0-9-]+)"', f.read(), re.M)
        yield base.encode() + last
        for name in names:
            yield f"--{name} {base}".encode() + last
            for value in VALUES[:3] + nets:
                yield f"--{name}={value} {base}".encode() + last


def edit_inputs():
    """Whole frames, each under some of the ways to rewrite (fuzz_edit.c)."""
    heads = [bytes((0, 0, how, 0 if how == 4 else 40, ttl, 3, 0, port, nets,
                    12))  # where it cuts, so that our own frames are too long
             for how, ttl, port, nets in
             ((0, 0, 0, 0), (0, 1, 0, 1), (16, 2, 1, 2), (32, 59, 0, 12),
              (8, 7, 1, 15), (1, 0, 0, 0), (4, 0, 0, 3), (0x80, 3, 0, 0))]
    for head in heads:  # both families under each
        yield head + capture.dialogue(1)[4]
        yield head + capture.dialogue(1, v6=True)[4]
    n = 0
    for frames in all_frames():
        for link, f in frames:
            if link == 1:
                yield heads[n % len(heads)] + f[:INPUT_MOST]
                n += 1


INPUTS = {"fuzz_cache": cache_inputs, "fuzz_frame": frame_inputs, "fuzz_http1": http_inputs,
          "fuzz_dns": dns_inputs,
          "fuzz_compare": compare_inputs,
          "fuzz_comparedns": comparedns_inputs,
          "fuzz_sutwire": sutwire_inputs, "fuzz_tcpopt": tcpopt_inputs,
          "fuzz_pcap": pcap_inputs, "fuzz_options": options_inputs,
          "fuzz_edit": edit_inputs, "fuzz_words": words_inputs,
          "fuzz_journal": pcap_inputs}


def main():
    name, folder = sys.argv[1:]
    for i, data in enumerate(INPUTS.get(name, lambda: [])()):
        with open(os.path.join(folder, f"capture-{i}"), "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main()
