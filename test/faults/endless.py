#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bodies of BYTES (5,000,000,000) on one connection, so that the sequence numbers of
either direction go round more than once. Part of "make nightly".

Two downloads and an upload: all reaches the SUT, the same bytes are identical, and
the one byte that differs, the last of 5 GB, is found where it is.
"""
import os
import sys

import fault
from fault import lab
import endless

BYTES = int(os.environ.get("BYTES", "5000000000"))
RATE = int(os.environ.get("RATE", "50000000"))  # bytes a second
SLOW = 120 + 30 * BYTES // RATE  # seconds


def server(l, room):
    p = l.spawn(room, [sys.executable, endless.__file__, "serve", l.addr[room],
                       "#" if room == "sut" else "x"], err=l.path("endless-" + room))
    l.listening(room, p)
    return p


def round_and_round(t):
    with lab.Lab() as l:
        server(l, "prod")
        server(l, "sut")
        us = l.understudy("--mirror-ring", "64M", "--flow-share", "192M")
        code, out = l.run("client", [sys.executable, endless.__file__, "ask",
                                     l.addr["prod"], str(BYTES), str(RATE)],
                          timeout=SLOW)
        t.equal((code, out.strip()), (0, "asked"), "client")
        us.finish(SLOW)
        r = us.report()
        v = r["verdicts"]
        fault.figure("bytes a body", "verdicts", "missed", "most of the pool")
        fault.figure(BYTES, v, r["capture"]["drops"], r["memory"]["pool_peak"])
        t.equal([v[k] for k in ("identical", "different", "not_compared")], [2, 1, 0],
                "verdicts: %s; %s" % (v, r["not_compared"]))
        t.equal(r["requests"]["delivered"], 3, "delivered: %s" % r["requests"])
        for d in us.differences():
            t.check("/other" in d["request"] and d["reason"] == "body" and
                    d["block"] == (BYTES - 1) // 4096, "what differs: %s" % d)
        t.equal(r["sums"]["closed"], True, "sums: %s" % r["sums"])


fault.main([("bodies of more than 4 GB", False, round_and_round)])
