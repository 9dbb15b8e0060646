# SPDX-License-Identifier: BSD-2-Clause
"""Frames that no honest client sends, on the mirror of a live run.

Each case is a connection with one request. What production's stack would have
taken must reach the SUT, once and unchanged; what it would not have taken must
not; and connections before and after it are played as ever.
"""
import random

import fault
from craft import ACK, ANSWER, FIN, PSH, SYN, Talk, request, send
from fault import lab

HOP, DEST = 0, 60  # IPv6 extension headers


def plain(k, rid):
    k.open().put(0, ACK | PSH, request(rid))
    return k.answer().close()


def one_byte(k, rid):
    k.open()
    for b in request(rid):
        k.put(0, ACK | PSH, bytes([b]))
        k.put(1, ACK)
    return k.answer().close()


def reversed_order(k, rid):
    k.open()
    data, at, late = request(rid), k.nxt[0], []
    for i in range(0, len(data), 5):
        late.append(k.packet(0, k.tcp(0, ACK, data[i:i + 5], seq=at + i)))
    k.frames += reversed(late)
    k.nxt[0] += len(data)
    return k.answer().close()


def overlaps(k, rid):
    """Sent again with other bytes, and some more: what came first counts."""
    k.open()
    data = request(rid)
    k.put(0, ACK, data[:20])
    k.put(1, ACK)
    k.put(0, ACK, b"#" * 20, seq=k.nxt[0] - 20)
    k.frames.append(k.packet(0, k.tcp(0, ACK, b"#" * 10 + data[20:30],
                                      seq=k.nxt[0] - 10)))
    k.nxt[0] += 10
    k.put(1, ACK)
    k.put(0, ACK | PSH, data[30:])
    return k.answer().close()


def bad_sums(k, rid):
    """Every segment comes with a wrong checksum and other bytes before."""
    k.open()
    data = request(rid)
    for part in (data[:17], data[17:]):
        k.frames.append(k.packet(0, k.tcp(0, ACK, b"!" * len(part), bad=True)))
        k.put(0, ACK, part)
    return k.answer().close()


def tiny_fragments(k, rid):
    k.open()
    seg = k.tcp(0, ACK | PSH, request(rid))
    cuts = list(range(0, len(seg), 8))
    random.Random(1).shuffle(cuts)
    for at in cuts:
        k.frames.append(k.fragment(0, seg[at:at + 8], at, at + 8 < len(seg)))
    k.move(0, 0, request(rid))
    return k.answer().close()


def overlapping_fragments(k, rid):
    """Fragments that contradict each other: the segment is no one's. Then the
    client sends it again, whole."""
    k.open()
    seg = k.tcp(0, ACK | PSH, request(rid))
    other = seg[:24] + b"#" * (len(seg) - 24)
    for data, at, end in ((seg, 0, 32), (other, 24, len(seg)),
                          (seg, 32, len(seg))):
        k.frames.append(k.fragment(0, data[at:end], at, end < len(seg)))
    k.ident += 1
    k.put(0, ACK | PSH, request(rid))
    return k.answer().close()


def ip_options(k, rid):
    k.open()
    data = request(rid)
    k.frames.append(k.packet(0, k.tcp(0, ACK | PSH, data), options=b"\1" * 40))
    k.move(0, 0, data)
    return k.answer().close()


def extensions(depth):
    """`depth` extension headers of 8 bytes, the first one's type in front."""
    kinds = ([HOP] + [DEST] * (depth - 1) + [6])[:depth] + [6]
    return bytes(kinds[:1]) + b"".join(
        bytes([kinds[i + 1], 0, 1, 4, 0, 0, 0, 0]) for i in range(depth))


def deep(k, rid):
    """Three extension headers are read; a hundred are not, and change nothing."""
    k.open()
    data = request(rid)
    k.frames.append(k.packet(0, k.tcp(0, ACK | PSH, b"?" * len(data)),
                             headers=extensions(100)))
    k.frames.append(k.packet(0, k.tcp(0, ACK | PSH, data),
                             headers=extensions(3)))
    k.move(0, 0, data)
    return k.answer().close()


def fast_open(k, rid):
    """Data on the SYN that production did not take, and then again."""
    k.open()
    k.frames[0] = k.packet(0, k.tcp(0, SYN, request(rid), seq=k.isn[0],
                                    opts=b"\2\4\x05\xb4\x22\4\1\2"))
    k.put(0, ACK | PSH, request(rid))
    return k.answer().close()


def fin_with_data(k, rid):
    k.open().put(0, ACK | PSH | FIN, request(rid))
    k.put(1, ACK | PSH, ANSWER)
    k.put(1, ACK | FIN)
    k.put(0, ACK)
    return k


WRAP, HALF = 0xffffffff - 20, 0x7fffffff - 20
CASES = [  # name, frames, what the Talk is made of, the family (0: both)
    ("plain", plain, {}, 0),
    ("numbers wrap", plain, {"isn": (WRAP, WRAP + 10)}, 0),
    ("numbers wrap in the first byte", plain, {"isn": (2**32 - 2, 2**32 - 1)},
     0),
    ("numbers pass the half", plain, {"isn": (HALF, HALF)}, 0),
    ("timestamps wrap", plain, {"ts": [2**32 - 10, 2**32 - 3]}, 0),
    ("timestamps pass the half", plain, {"ts": [2**31 - 10, 2**31 - 3]}, 0),
    ("segments of one byte", one_byte, {}, 0),
    ("one byte, wrapping", one_byte, {"isn": (WRAP, WRAP)}, 0),
    ("segments in reverse", reversed_order, {}, 0),
    ("in reverse, wrapping", reversed_order, {"isn": (WRAP, WRAP)}, 0),
    ("contradicting overlaps", overlaps, {}, 0),
    ("overlaps, wrapping", overlaps, {"isn": (WRAP, WRAP)}, 0),
    ("wrong checksums", bad_sums, {}, 0),
    ("fragments of 8 bytes", tiny_fragments, {}, 0),
    ("contradicting fragments", overlapping_fragments, {}, 0),
    ("40 bytes of IP options", ip_options, {}, 4),
    ("extension headers", deep, {}, 6),
    ("data on the SYN", fast_open, {}, 0),
    ("a request with its FIN", fin_with_data, {}, 0),
]


def crafted(t, family):
    with lab.Lab(family=family) as l:
        sut = l.labsrv("sut")
        us = l.understudy(filt="")
        cases = [c for c in CASES if c[3] in (0, family)]
        for n, (name, make, parts, _) in enumerate(cases):
            addr = (l.addr["client"], l.addr["prod"])
            k = Talk(addr, (lab.MAC["c0"], lab.MAC["p0"]), 20000 + n, **parts)
            send(l, make(k, "q-%d" % n).frames)
        l.settle(sut, quiet=1)
        r = fault.ended(t, us, (0, 1))
        seen = lab.collections.Counter(x.id for x in lab.read_log(sut.log))
        fault.figure("crafted connections, IPv%d" % family, "%d of %d reached "
                     "once" % (sum(n == 1 for n in seen.values()), len(cases)),
                     str(r["capture"]["decode"]))
        for n, (name, *_) in enumerate(cases):
            t.equal(seen.pop("q-%d" % n, 0), 1, name + ": at the SUT")
        t.equal(dict(seen), {}, "what nobody asked for")
        t.equal(r["requests"]["delivered"], len(cases), "delivered: " +
                us.text())
        fault.requests_closed(t, r)
        lab.isolated(t, l)


def rubbish(t, family):
    """Frames of random bytes, of every length, beside real clients."""
    rng = random.Random(family)
    with lab.Lab(family=family) as l:
        prod, sut = l.nginx("prod"), l.nginx("sut")
        us = l.understudy("--vxlan", "any", filt="")
        load = l.wrk(seconds=3, conns=4, wait=False)
        whole = plain(Talk((l.addr["client"], l.addr["prod"]), (
            lab.MAC["c0"], lab.MAC["p0"]), 20000), "q").frames
        frames = []
        for n in range(14, 1515):
            frames.append(rng.randbytes(n))
            x = bytearray(rng.choice(whole))
            for _ in range(rng.randrange(1, 8)):
                x[rng.randrange(12, len(x))] = rng.randrange(256)
            frames.append(bytes(x[:rng.randrange(14, len(x) + 1)]))
        send(l, frames, 0)
        l.wrk_rate(load)
        l.settle(prod, sut)
        r = fault.ended(t, us, (0, 2))
        got = fault.clean(t, prod, sut, tail=1)
        fault.figure("%d frames of rubbish, IPv%d" % (len(frames), family),
                     "%d of %d reached" % (got.reached, got.asked),
                     str(r["capture"]["decode"]))
        t.equal(got.reached, got.asked, "reached")
        t.equal(us.differences(), [], "differences")
        fault.requests_closed(t, r)
        lab.isolated(t, l)


fault.main([(name + ", IPv%d" % v, v == quick, test, v) for v in (4, 6)
            for name, quick, test in (("crafted connections", 4, crafted),
                                      ("rubbish", 6, rubbish))])
