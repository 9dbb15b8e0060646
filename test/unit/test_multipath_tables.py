# SPDX-License-Identifier: BSD-2-Clause
"""What test/bench/multipath_tables reads and makes, without a network."""
import importlib.machinery
import importlib.util
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
loader = importlib.machinery.SourceFileLoader(
    "multipath_tables", os.path.join(ROOT, "test/bench/multipath_tables"))
tables = importlib.util.module_from_spec(
    importlib.util.spec_from_loader(loader.name, loader))
sys.dont_write_bytecode = True
loader.exec_module(tables)

# As the thesis's figure B.3 has it.
FIGURE = """# no buffer 5 nodes first node limited by 250kB/s rest 100kB/s

numOfNode=5 multipath=1 destAddr=663cc680 srcAddr=653cc680 bufferOn=1 bufferSize=1
file="indexc2.html" numOfReq=5 label="5 node 1:5 250/100" rateLimitFirstNode=250
rateLimit=100

numOfNode=5 multipath=1 destAddr=663cc680 srcAddr=653cc680 bufferOn=1 bufferSize=5
file="indexc2.html" numOfReq=5 label="5 node 1:10 250/100" rateLimitFirstNode=250
rateLimit=100
"""


def figure_is_read():
    got = list(tables.lines_of(FIGURE))
    return len(got) == 2 and got[1]["label"] == "5 node 1:10 250/100" and \
        got[1]["bufferSize"] == "5" and \
        tables.rates_of(got[0]) == (256, 102, 102, 102, 102) and \
        tables.key_of(got[0])[1] == 5


def lines_are_what_was_written():
    tests = list(tables.thesis_tests())
    text = "\n".join(tables.put_line(t) for t in tests)
    return list(tables.lines_of(text)) == tests


def strange_words_are_refused():
    for text in ("numOfNode=5 sizeOfBuffer=3", "nonsense=1", "numOfNode=5 x=y"):
        try:
            list(tables.lines_of(text))
        except SystemExit as e:
            if "what is" in str(e):
                continue
        return False
    return True


def there_is_a_line_for_each_cell():
    """Of the rows with seven rates: none twice, none missing."""
    labels = [t["label"] for t in tables.thesis_tests()]
    return len(set(labels)) == len(labels) and \
        sum(not x.endswith(", 0") for x in labels) == 7 * (
            1 + 1 + 5 + 5 + 7 + 6 + 7 + 6 + 7 + 6 + 7)


def bounds_are_the_wires():
    free = tables.line("x", (20, 0), 2)
    return abs(tables.bound(free) - 12500 * 1000 / 1024) < 1 and \
        tables.rates_of(free)[0] == 20 and tables.rates_of(free)[1] is None


TESTS = (figure_is_read, lines_are_what_was_written, strange_words_are_refused,
         there_is_a_line_for_each_cell, bounds_are_the_wires)
bad = 0
print("1..%d" % len(TESTS))
for i, test in enumerate(TESTS, 1):
    good = test()
    bad += not good
    print("%sok %d - %s" % ("" if good else "not ", i,
                            test.__name__.replace("_", " ")))
sys.exit(bad > 0)
