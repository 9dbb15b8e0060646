#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write inputs for a fuzz target: from captures made here and, if $MATERIAL is
set, from captures and cases of others.

usage: corpus.py TARGET FOLDER
"""
import gzip
import os
import re
import struct
import sys
import zlib

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


def tokens_inputs():
    """Tokens in a form, a path, a head and JSON; with escapes in and behind them."""
    word = b"Zx81kQ-_pp0aLm3Tq7"
    for text in (b"%s", b"token=%s&b=1", b"GET /a/%s?x HTTP/1.1", b'{"t":"%s"}',
                 b"a%%41%s%%2B%s", b'"\\u0041%s\\n%s\\/"', b"Cookie: id=%s; b=%s"):
        yield text.replace(b"%s", word).replace(b"%%", b"%")


def redis_inputs():
    """Commands, and pairs of replies: the same, other order, other values."""
    array = b"*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n"
    other = b"*4\r\n$1\r\nb\r\n:2\r\n$1\r\na\r\n:1\r\n"
    resp3 = b"%2\r\n+a\r\n,1.5\r\n+b\r\n~2\r\n#t\r\n_\r\n"
    for how in range(4):
        for a, b in ((array, other), (array, array), (b":60\r\n", b":59\r\n"),
                     (resp3, resp3), (b"-ERR x\r\n", b"+OK\r\n"),
                     (b">2\r\n+a\r\n+b\r\n" + array, b"|1\r\n+a\r\n:1\r\n" +
                      other), (b"$-1\r\n", b"*-1\r\n"),
                     (b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", b"ping x\r\n"),
                     (b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n", array)):
            yield bytes((how,)) + struct.pack(">H", len(a)) + a + b


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


def splice_packets():
    """IP packets with TCP: lists of options at every offset, IP options, extension
    headers; then those of the captures.
    """
    stamps = b"\x08\x0a\xff\xff\xff\xfe\0\0\0\1"
    block = b"\5\x0a\x7f\xff\xff\xff\x80\0\0\1"
    lists = [b"\1" * n + o for n in range(4) for o in
             (stamps, block, stamps + block, b"\2\4\5\xb4", b"\xac\5abc")]
    for opts in [b""] + lists:
        opts += bytes(-len(opts) % 4)
        tcp = struct.pack(">HHIIBBHHH", 1, 2, 3, 4, 80 + len(opts) * 4, 0x18, 5, 6,
                          0) + opts + b"abc"
        for ip in (b"", b"\7\4\4\0"):
            yield struct.pack(">BBHIBBH8s", 69 + len(ip) // 4, 1,
                              20 + len(ip) + len(tcp), 0, 9, 6, 0,
                              b"client12") + ip + tcp
        for ext in (b"", b"\x3c\0\5\2\0\0\0\0\6\1\1\4" + bytes(12)):
            yield struct.pack(">IHBB32s", 0x60100000, len(ext) + len(tcp),
                              0 if ext else 6, 9, b"ab" * 16) + ext + tcp
    for frames in all_frames():
        for link, f in frames:
            p = capture.ip_of(link, f)
            if p and len(p) <= 512:
                yield p


def splice_inputs():
    numbers = b"\1\4\0\0\3\7\2\0" + b"\xff\xff\xff\xf0" * 8 + b"ab01" * 8
    for i, p in enumerate(splice_packets()):
        yield bytes((i % 16,)) + numbers + p
    # SYNs, which are answered: no more than headers.
    opts = b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\7"
    tcp = struct.pack(">HHIIBBHHH", 1, 2, 3, 4, 160, 2, 5, 6, 7) + opts
    for i, ip in enumerate((struct.pack(">BBHIBBH8s", 69, 1, 60, 0, 9, 6, 0, b"client12"),
                            struct.pack(">IHBB32s", 0x60100000, 40, 6, 9, b"ab" * 16))):
        yield bytes((i,)) + numbers + ip + tcp


def splicestate_inputs():
    """The operations of fuzz_splicestate.c: a request, a splice with and without
    bytes of ours, answers while they are under way, ends of both sides.
    """
    send, arrive, relay, splice, close = b"\0", b"\x90", b"\x40", b"\x50", b"\x60"
    for first in (b"\0", b"\x50", b"\x5a"):
        head = b"\xff\xff\xff\xf8" * 4 + first
        for middle in (b"", send + arrive + b"\1\x91", b"\2\x92\x08\x90\1\x91",
                       b"\1\x91" * 6):
            for last in (b"", b"\x0c\0\x90", b"\x0d\1\x91\3\x93"):
                yield (head + send * 3 + arrive * 3 + relay + splice + middle +
                       relay + b"\2\x92\3\x93" + close + last)


def syn_inputs():
    """Both halves of fuzz_syn.c: packets of a connection, and its life by operations."""
    options = b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\7"
    for scale in (7, 15):
        syn = (b"\x45\0\0\x3c\0\1\0\0\x40\6\0\0\x0a\1\1\1\x0a\1\1\2" +
               b"\x9c\x40\0\x50\0\0\0\1\0\0\0\0\xa0\2\xff\xff\0\0\0\0" +
               options[:-1] + bytes((scale,)))
        yield b"\0" + b"".join(bytes((d, len(syn))) + syn for d in (0, 1))
    for p in splice_packets():
        if len(p) < 128:
            syn = p[:33] + b"\2" + p[34:] if p[0] >> 4 == 4 else p
            yield b"\0" + b"".join(bytes((d, len(b))) + b
                                   for d, b in ((0, syn), (1, p), (0, p)))
    forged = b"".join(bytes((0x70 | n & 1, 0, 0, n, n * 16 & 255, 0, 0, 0, n % 3,
                             n * 24 & 255, 0, 40, n)) for n in range(0, 32, 3))
    for scales in (b"\0\0", b"\7\5"):
        for middle in (b"", forged, b"\x10\x90\x92", b"\x50\x6f"):
            yield (b"\1" + b"\xff\xff\xff\xf8" * 2 + scales + b"\0\x90" + middle +
                   b"\x93\x91\x92\x90\x93" + forged + b"\x20\x90\x93\x21\x91\x92" +
                   middle + b"\x30\x90\x93\x31\x91\x92" + forged)


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
    with open(os.path.join(HERE, "../../src/live/config/options_table.c")) as f:
        for name in re.findall(r'^\t\{ "([a-z-]+)"', f.read(), re.M):
            for value in VALUES:
                yield f"--{name} {value}".encode() + b"\0"


def words_inputs():
    """Command lines of send (last byte even), prep, tunnel (T) and proxy (P), for
    fuzz_words.c."""
    nets = ("10.0.0.0/8:10.9.0.0/16", "[fd00::/16]:[fd01::/16]", "80-90:8080",
            "10.0.0.1:10.0.0.2", "02:00:00:00:00:01,02:00:00:00:00:02", "2.5",
            "8100:3", "0x8100", "pad")
    for last, source, base in (
            (b"\0", "send/options.c", "-i a f.pcap"),
            (b"\0", "send/edit.c", "-i a -I b f.pcap"),
            (b"\1", "prep/args.c", "-i f.pcap -o f.cache -a client"),
            (b"T", "../tunnel/ends/options.c",
             "--addr 10.9.0.1/8 --path p1,10.0.0.1:7,cap=1G --plain"),
            (b"P", "../proxy/setup/options.c",
             "--forward 10.0.0.1:80=10.0.0.2:80,[fd00::1]:81 --socks [::]:1080")):
        with open(os.path.join(HERE, "../../src/trace", source)) as f:
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


def json_inputs():
    """Pairs of texts under each set of rules, and bytes that make values
    (fuzz_json.c).
    """
    items = [b'"m%d":%d' % (i, i) for i in range(30)]
    pairs = [(b'{"a":1,"b":[1,2,{"c":null}]}', b'{"b":[1,2,{"c":null}],"a":1.0}'),
             (b'[{"a":1,"b":2.5,"c":"2026-11-22T09:57:33Z"}]',
              b'[{"a":1,"b":2.6,"c":"2026-11-22T09:57:34Z"}]'),
             (b'{"a":"abcdefghijklmnopqrst","b":"12","c":[[2,1],[3,4]]}',
              b'{"c":[[1,2],[4,3]],"a":"abcdefghijklmnopqrsT","b":"13"}'),
             (b'{"a":1,"a":2,"b":[{"b":{"c":1}}]}', b'{"a":2,"a":1}'),
             (b'"\\u00e9\\ud834\\udd1e"', b'"\xc3\xa9\xf0\x9d\x84\x9e"'),
             (b"[1e400,-0.00012,123456789012345678901234567890]", b"[1,true]"),
             (b"{" + b",".join(items) + b"}", b"{" + b",".join(items[::-1]) + b"}")]
    for i in range(6):
        for a, b in pairs:
            yield bytes((2 * i + 1,)) + a + b"\xff" + b
        yield b"\0" + bytes((7 * i + 93 * k) % 256 for k in range(60))


def rules_inputs():
    """Texts of rules: one that has all of them, and each of its lines alone; the
    presets; then a target and a line (fuzz_rules.c).
    """
    first = b"understudy rules 1\n"
    lines = [b"include @nginx", b"host alias a.example = b.example",
             b"endpoint GET /user/{n}/orders as orders", b"on orders",
             b"on POST /a/{uuid}/*", b"on *", b"compare status",
             b"header ignore X-Request-Id Traceparent # ours",
             b"header set Vary", b"header case Te", b"header date Date within 5s",
             b'header class ETag etag until 2027-01-31 "ticket"',
             b"cookie session sid", b"cookie ignore a b", b"cookie class c uuid",
             b"json ignore $.a['b c'][3]..d[*].*", b"json key $.items by $.sku",
             b"json number $.total within 0.005", b"json time $.t within 2h",
             b"json class $..id hex", b"json set $", b"json text $.v",
             b"text mask /^(build|v)? [^0-9a-f]{7,40}\\/\\d+$/",
             b'known k-9f3a2c until 2027-01-31 "two decimals"']
    tail = b"\xffhttp://h/user/17/orders?x build 123abc/45"
    yield first + b"\n".join(lines) + tail
    for line in lines:
        yield first + line + tail


def codec_inputs():
    """Bodies that were encoded here, and plain ones for the target to encode
    (fuzz_codec.c).
    """
    text = b"".join(b"line %d of a text that repeats itself\n" % i
                    for i in range(30))
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    bodies = [(0, gzip.compress(text, mtime=0)), (1, zlib.compress(text)),
              (1, raw.compress(text) + raw.flush()),
              (0, gzip.compress(text[:99], mtime=0) * 2),
              (16, gzip.compress(gzip.compress(text, mtime=0), mtime=0))]
    for how, body in bodies:
        yield bytes((how, 30)) + body
    for how in range(32):
        yield bytes((32 + how, 7 * how)) + text[:400 + how]
        yield bytes((96 + how, 8 * how)) + text[:100 + how]


def deep_inputs():
    """Pairs for each judge under each set of rules (fuzz_deep.c)."""
    date = b"Date: Sun, 06 Nov 1994 08:49:3%d GMT\r\n"
    token = b"a2f4c6e8a2f4c6e8a2f4"
    page = (b"<!DOCTYPE html><html><body class=a id='b'><p>a  b</p><!-- c -->"
            b"<script nonce=" + token + b">if (a<b) x()</script><br/>"
            b"<input type=hidden name=csrf value=" + token + b">"
            b"<pre> x </pre><textarea>t</textarea>")
    parts = b"x\r\n--B\r\nA: 1\r\n\r\nbody\r\n--B\r\nB: 2\r\n\r\nc\r\n--B--\r\n"
    pairs = [
        (0, date % 1 + b"B: 1, \"2,3\"\r\nC: x\r\n y\r\nContent-Type: text/html;"
         b" charset=utf-8\r\nETag: \"a\"\r\nVary: Accept-Encoding\r\n",
         date % 4 + b"b:1\r\nB: 2\r\nC: X\r\nContent-Type: multipart/x;"
         b" boundary=1\r\nETag: W/\"a\"\r\n"),
        (0, b"Set-Cookie: s=deadbeef; Path=/; Expires=Sun, 06 Nov 1994 08:49:37"
         b" GMT\r\nSet-Cookie: t=1; HttpOnly\r\n",
         b"Set-Cookie: t=2\r\nSet-Cookie: s=00c0ffee; path=/\r\n"),
        (0, b"A: 1\nB: 2\nC: 3\n", b"C: 3\nA: 2\n"),
        (16, b"a 12\nabababc\nc\n", b"a 345\nabc\nc\n"),
        (16, b"\x89PNG\r\n\x1a\nx", b"GIF89a"),
        (32, page, page.replace(b"a2f4", b"0000").replace(b"  ", b"\n")),
        (32, b"<a b='1' c=\"2\"/><![CDATA[ > ]]><?x?>", b"<a c='2' b='1'/>"),
        (48, parts, parts.replace(b"body", b"bodx")),
        (52, parts, parts), (48, b"a=1&b=%41+c&d", b"b=A%20c&a=1&d=")]
    for how, a, b in pairs:
        for k in range(16):
            yield bytes((how | k,)) + a + b"\xff" + b


def case_inputs():
    """Pairs of answers of each kind of content under each set of rules (fuzz_case.c)."""
    ok = b"HTTP/1.1 200 OK\n"
    gz = gzip.compress(b'{"a":1,"b":[1,2]}', mtime=0).replace(b"\xff", b"\0")
    date = b"Date: Sun, 06 Nov 1994 08:49:3%d GMT\nETag: \"%d\"\n"
    pairs = [
        (ok + date % (1, 1) + b"\nx", ok + date % (2, 2) + b"\nx"),
        (ok + b"A: 1\nC: x\n\n", ok + b"A: 2\nc: X\n\n"),
        (ok + b"Content-Type: application/json\n\n" + b'{"a":1,"b":[1,2]}',
         ok + b"Content-Type: application/json\n\n" + b'{"b":[2,1],"a":2}'),
        (ok + b"Content-Type: text/html\n\n<a b=1 c=2>x</a>",
         ok + b"Content-Type: text/html\n\n<a c=2 b=1>y</a>"),
        (ok + b"Content-Type: text/plain\n\na 1\nb\n",
         ok + b"Content-Type: text/plain\n\na 2\nb\n"),
        (ok + b"Content-Type: application/json\nContent-Encoding: gzip\n\n" + gz,
         ok + b'Content-Type: application/json\n\n{"a":1,"b":[1,2]}'),
        (ok + b"Content-Type: multipart/x; boundary=B\n\n--B\n\na\n--B--\n",
         ok + b"Content-Type: multipart/x; boundary=B\n\n--B\n\nb\n--B--\n"),
        (ok + b"Content-Type: application/x-www-form-urlencoded\n\na=1&b=2",
         ok + b"Content-Type: application/x-www-form-urlencoded\n\nb=2&a=%31"),
        (ok + b"\n\x89PNG\r\n\x1a\n", ok + b"\nGIF89a")]
    for a, b in pairs:
        for k in range(4):
            yield bytes((k,)) + a + b"\xff" + b
    a, b = pairs[2]
    parts = [ok, ok, b"", b"", a[20:], b[20:]]
    fixed = (b"\1" + bytes(7) + bytes(16) +
             b"".join(len(p).to_bytes(4, "little") for p in parts))
    yield b"\x80" + fixed + b"".join(parts)


def shring_inputs():
    """Records that are written and read, and one lie (fuzz_shring.c)."""
    turn = b"".join(bytes((0, i % 2, 37 * i % 256, 3, 0, 0)) for i in range(60))
    yield turn
    yield bytes((0, 2, 9)) * 12 + bytes((3, 0, 0)) * 12 + turn
    yield turn + bytes((6, 0, 0)) + b"\xff" * 8 + turn
    yield turn + bytes((6, 0, 1)) + b"\x40" + bytes(7) + turn
    yield bytes((0, 1, 1, 7, 0, 0, 3, 0, 0, 7, 0, 1)) + turn


def fit_inputs():
    """SYNs of both families behind an MTU, and long packets that may not be cut."""
    options = (b"\x02\x04\x27\x10", b"\x01\x02\x04\x27\x10\x01\x01\x01")
    for o in options:
        tcp = (struct.pack(">HHIIBBHHH", 1, 2, 3, 0, (20 + len(o)) // 4 << 4, 2,
                           9, 0x1234, 0) + o + b"data")
        v4 = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6,
                         0) + b"\x0a\0\0\x01\x0a\0\0\x02"
        v6 = struct.pack(">IHBB", 0x60000000, len(tcp), 6, 64) + (
            b"\xfd" + bytes(14) + b"\x01" + b"\xfd" + bytes(14) + b"\x02")
        for mtu in (0, 156):
            for ip in (v4 + tcp, v6 + tcp, v4 + tcp + bytes(1400),
                       v6 + tcp + bytes(1400)):
                yield struct.pack(">H", mtu) + ip


def pieces_inputs():
    """Long packets of both families with a device's header, and a few connections."""
    for kind, v6, proto in ((1, 0, 6), (4, 1, 6), (5, 0, 17), (5, 1, 17)):
        l4 = (struct.pack(">HHIIBBHHH", 1, 2, 3, 4, 0x50, 0x19, 9, 0x1234, 0)
              if proto == 6 else struct.pack(">HHHH", 1, 2, 308, 0x1234))
        body = l4 + bytes(300)
        ip = (struct.pack(">IHBB", 0x60000000, len(body), proto, 64) +
              bytes(32) if v6 else
              struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0x4000, 64,
                          proto, 0) + bytes(8))
        yield struct.pack("<BHBBHHHH", 0, 0xffff, 1, kind, len(ip + l4), 100,
                          len(ip), 16 if proto == 6 else 6) + ip + body
    yield b"\1" + b"".join(bytes([i % 3, 5, 1, 255, 0, 0]) for i in range(80))
    yield b"\1" + b"".join(bytes([i % 2, 5, 1, 52 - i % 53, 1, 1])
                           for i in range(80))


INPUTS = {"fuzz_pieces": pieces_inputs, "fuzz_case": case_inputs, "fuzz_shring": shring_inputs,
          "fuzz_cache": cache_inputs, "fuzz_frame": frame_inputs, "fuzz_http1": http_inputs,
          "fuzz_dns": dns_inputs, "fuzz_redis": redis_inputs,
          "fuzz_tokens": tokens_inputs, "fuzz_codec": codec_inputs,
          "fuzz_deep": deep_inputs, "fuzz_fit": fit_inputs,
          "fuzz_compare": compare_inputs,
          "fuzz_comparedns": comparedns_inputs,
          "fuzz_sutwire": sutwire_inputs, "fuzz_tcpopt": tcpopt_inputs,
          "fuzz_pcap": pcap_inputs, "fuzz_rules": rules_inputs, "fuzz_options": options_inputs,
          "fuzz_edit": edit_inputs, "fuzz_json": json_inputs, "fuzz_words": words_inputs,
          "fuzz_journal": pcap_inputs,
          "fuzz_splice": splice_inputs, "fuzz_splicestate": splicestate_inputs,
          "fuzz_syn": syn_inputs}


def main():
    name, folder = sys.argv[1:]
    for i, data in enumerate(INPUTS.get(name, lambda: [])()):
        with open(os.path.join(folder, f"capture-{i}"), "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main()
