# SPDX-License-Identifier: BSD-2-Clause
"""The JSON lines of a run against doc/lines.schema.json."""
import json
import os

import jsonschema

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc",
                    "lines.schema.json")
MOST = 100  # lines of a kind that are looked at: a run may have thousands

with open(PATH) as f:
    SCHEMA = json.load(f)

# One for each kind, so that what is said of a line is about its kind.
VALIDATORS = {
    kind: jsonschema.Draft202012Validator({"$ref": "#/$defs/" + kind,
                                           "$defs": SCHEMA["$defs"]})
    for kind in SCHEMA["properties"]["type"]["enum"]
}


def faults(lines):
    """What is wrong with these objects, as sentences."""
    seen, wrong = {}, []
    for line in lines:
        kind = line.get("type")
        seen[kind] = seen.get(kind, 0) + 1
        if kind not in VALIDATORS:
            wrong.append("no such type of a line: %r" % kind)
        elif seen[kind] <= MOST:
            wrong += ["%s: %s: %s" % (kind, e.json_path, e.message[:200])
                      for e in VALIDATORS[kind].iter_errors(line)]
    return wrong
