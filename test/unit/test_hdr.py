#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The log that perf writes is one of HdrHistogram's.

usage: test_hdr.py [build]

Its line is read by a reader that is written from the format's description, and by
hdr-histogram-js, if node finds it (NODE_PATH, or npm's global folder).
"""
import base64
import json
import os
import pathlib
import struct
import subprocess
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build-asan")
QUANTILES = (10, 50, 90, 99, 99.9, 100)
SCRIPT = """
const hdr = require('hdr-histogram-js');
const line = require('fs').readFileSync(0, 'utf8').trim().split('\\n').pop();
const h = hdr.decodeFromCompressedBase64(line.split(',').pop());
console.log(JSON.stringify([h.totalCount,
  %s.map(q => h.getValueAtPercentile(q))]));
"""


def numbers(data):
    """Signed numbers of variable length (ZigZag, LEB128 of at most 9 bytes)."""
    at = 0
    while at < len(data):
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            if shift == 56:
                value |= byte << shift
                break
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        yield value >> 1 ^ -(value & 1)


def read(line):
    """Tag, and {bucket: count}."""
    tag, start, length, most, text = line.split(",")
    packed = base64.b64decode(text, validate=True)
    cookie, size = struct.unpack(">II", packed[:8])
    assert cookie == 0x1c849314 and size == len(packed) - 8, hex(cookie)
    raw = zlib.decompress(packed[8:])
    head = struct.unpack(">IIIIQQd", raw[:40])
    assert head[0] == 0x1c849313 and head[1] == len(raw) - 40
    assert head[2:] == (0, 3, 1, (1 << 40) - 1, 1.0), head
    counts, at = {}, 0
    for n in numbers(raw[40:]):
        if n < 0:
            at -= n
        else:
            counts[at] = n
            at += 1
    return tag, counts


def bucket(value):
    """HdrHistogram's index for three digits from 1 on."""
    value = min(value, (1 << 40) - 1)
    shift = max(value.bit_length() - 11, 0)
    return (shift << 10) + (value >> shift)


def npm():
    """Where node looks for modules, if it is there."""
    try:
        root = subprocess.run(["npm", "root", "-g"], capture_output=True,
                              text=True, timeout=60).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        root = ""
    path = ":".join(p for p in (os.environ.get("NODE_PATH", ""), root) if p)
    return dict(os.environ, NODE_PATH=path)


def by_node(log):
    """What hdr-histogram-js reads; None: it is not there."""
    try:
        r = subprocess.run(["node", "-e", SCRIPT % json.dumps(QUANTILES)],
                           input=log, capture_output=True, text=True,
                           env=npm(), timeout=60)
    except OSError:
        return None
    if r.returncode != 0 and "Cannot find module" in r.stderr:
        return None
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def main():
    r = subprocess.run([BUILD / "test_perf", "--log"], capture_output=True,
                       text=True, check=True)
    values = sorted(int(v) for v in r.stderr.split())
    tag, counts = read(r.stdout.strip().split("\n")[-1])
    wanted = {}
    for v in values:
        wanted[bucket(v)] = wanted.get(bucket(v), 0) + 1
    same = tag == "Tag=sut" and counts == wanted
    print("1..2")
    print(f"{'' if same else 'not '}ok 1 - a reader of the format finds each value")
    js = by_node(r.stdout)
    if js is None:
        print("ok 2 - hdr-histogram-js reads it # SKIP there is no "
              "hdr-histogram-js (npm install -g hdr-histogram-js)")
        return 0 if same else 1
    good = js[0] == len(values)
    for q, got in zip(QUANTILES, js[1]):
        at = values[max(int(q * len(values) / 100 + 0.999999), 1) - 1]
        good = good and abs(got - at) <= at / 1000 + 1
    print(f"{'' if good else 'not '}ok 2 - hdr-histogram-js reads it")
    if not good:
        print("#", js)
    return 0 if same and good else 1


if __name__ == "__main__":
    sys.exit(main())
