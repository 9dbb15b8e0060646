# SPDX-License-Identifier: BSD-2-Clause
"""doc/lines.schema.json is a schema, takes lines as they are, and refuses others.

That it takes each line of each run is asserted by the lab (test/lib/lab.py).
"""
import copy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                                "lib"))
import jsonschema  # noqa: E402
import schema  # noqa: E402

GATE = {"schema": 1, "type": "gate", "gate": "--max-different 1%", "endpoint": None,
        "state": "undecided", "limit_ppm": 10000, "share_ppm": 0, "low_ppm": 0,
        "high_ppm": 459000, "answers_needed": 370}
START = {"schema": 1, "type": "start", "version": "1", "command": "shadow",
         "options": "-i x", "started_ns": 5,
         "map": [{"production": "10.0.0.1:80", "sut": "[fd00::1]:80"}]}

# What is done to a line, and whether it is one afterwards.
ROWS = [
    ("a gate", GATE, {}, (), True),
    ("a start", START, {}, (), True),
    ("another version", START, {"schema": 2}, (), False),
    ("another type", START, {"type": "begin"}, (), False),
    ("a name that nobody knows", START, {"more": 1}, (), False),
    ("a name that is missing", START, {}, ("version",), False),
    ("a number as text", START, {"started_ns": "5"}, (), False),
    ("a number below 0", START, {"started_ns": -5}, (), False),
    ("no address", START, {"map": [{"production": "x", "sut": "10.0.0.1:80"}]}, (),
     False),
    ("no state", GATE, {"state": "failing"}, (), False),
    ("a gate of two units", GATE, {"limit": 3, "answers": 4}, (), False),
    ("a gate of none", GATE, {}, ("share_ppm",), False),
]

jsonschema.Draft202012Validator.check_schema(schema.SCHEMA)
whole = jsonschema.Draft202012Validator(schema.SCHEMA)
bad = 0
for i, (what, line, change, drop, good) in enumerate(ROWS, 1):
    line = {k: v for k, v in copy.deepcopy(line).items() if k not in drop}
    line.update(change)
    ok = (not schema.faults([line])) == good and whole.is_valid(line) == good
    bad += not ok
    print("%sok %d - %s: %s" % ("" if ok else "not ", i, what,
                                schema.faults([line])[:1]))
print("1..%d" % len(ROWS))
sys.exit(bad != 0)
