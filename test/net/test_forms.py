# SPDX-License-Identifier: BSD-2-Clause
"""--junit, --summary, --html and --har of a run whose clients send what a browser, a
CI system or a viewer of Markdown would take for orders; and a secret.

Readers are those of Python's library. What JUnit's schema (JUnit.xsd of Windy Road,
"JUnit test result schema for the Apache Ant JUnit and JUnitReport tasks") wants of an
element is written here again.
"""
import gzip
import html.parser
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

EVIL = "<script>alert(1)</script>&y=\"'`[a](javascript:b)|%00"
SECRET = "hunter2hunter2"
KINDS = ("junit", "summary", "html", "har")

RULES = """understudy rules 1
endpoint GET /f as faults
endpoint GET /ok as fine
on fine
  gate max-different 1%
"""

# Attributes that must be there; children, in their order.
SCHEMA = {
    "testsuites": ((), ("testsuite",)),
    "testsuite": (("id", "package", "name", "timestamp", "hostname", "tests",
                   "failures", "errors", "time"),
                  ("properties", "testcase", "system-out", "system-err")),
    "properties": ((), ()),
    "testcase": (("name", "classname", "time"), ("error", "failure")),
    "error": (("type",), ()),
    "failure": (("type",), ()),
    "system-out": ((), ()),
    "system-err": ((), ()),
}


def valid(t, e):
    need, children = SCHEMA[e.tag]
    t.check(set(need) <= set(e.attrib), "%s has %s" % (e.tag, e.attrib))
    t.check(set(e.attrib) <= {*need, "message"}, str(e.attrib))
    order = [children.index(c.tag) for c in e]
    t.equal(order, sorted(order), "order in %s" % e.tag)
    if e.tag == "testsuite":
        t.check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
                             e.get("timestamp")), e.get("timestamp"))
        t.equal((int(e.get("tests")), int(e.get("failures")),
                 int(e.get("errors"))),
                tuple(len(e.findall(p)) for p in ("testcase", "testcase/failure",
                                                  "testcase/error")), "sums")
    for c in e:
        valid(t, c)


class Page(html.parser.HTMLParser):
    """The tags that there are, and all text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.names = set(), "", set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.names |= {a for a, _ in attrs}

    def handle_data(self, data):
        self.text += data


def forms(t, *more):
    with lab.Lab() as l:
        prod, sut = l.labsrv("prod"), l.labsrv("sut", "-f")
        rules = l.path("rules")
        with open(rules, "w") as f:
            f.write(RULES)
        os.chmod(os.path.dirname(rules), 0o777)
        path = {k: l.path("out." + k) for k in KINDS}
        us = l.understudy("--rules", rules, "--max-different", "2",
                          *(w for k in KINDS for w in ("--" + k, path[k])), *more)
        l.client("each", *("/ok?id=o-%d&size=9" % i for i in range(20)),
                 "/f?id=f-0&size=9&fault=status&password=" + SECRET,
                 "/f?id=f-1&size=9&fault=status",
                 "/f?x=%s&id=f-2&size=9&fault=byte" % EVIL)
        l.settle(prod, sut)
        t.equal(us.finish(), 1, "exit code: " + us.text()[-600:])
        text = {k: open(path[k]).read() for k in KINDS}
        for k in KINDS:
            t.check(SECRET not in text[k], "a secret is in " + k)
            t.check(re.fullmatch(r"[ -~\n]+", text[k]), k + " is printable")
            t.equal(os.stat(path[k]).st_mode & 0o777, 0o600, "mode of " + k)

        suites = xml.etree.ElementTree.fromstring(text["junit"])
        valid(t, suites)
        cases = {(c.get("classname"), c.get("name")): [x.tag for x in c]
                 for c in suites.iter("testcase")}
        t.equal(cases[("understudy.gates", "--max-different 2")], ["failure"],
                str(cases))
        t.equal(cases[("understudy.gates", "fine: max-different 1%")], ["error"],
                str(cases))
        t.equal(cases[("understudy.answers", "faults")], ["failure"], str(cases))
        t.equal(cases[("understudy.answers", "fine")], [], str(cases))

        page = Page(text["html"])
        t.check(EVIL[:25] in page.text, "the request is there, as text")
        t.check(not page.tags & {"script", "img", "iframe", "object", "link", "a",
                                 "form", "base"}, str(page.tags))
        t.check(not any(a.startswith("on") or a in ("src", "href")
                        for a in page.names), str(page.names))

        entries = json.loads(text["har"])["log"]["entries"]
        t.equal(len(entries), 6, "entries")
        t.equal([e["response"]["status"] for e in entries[:2]], [200, 500],
                "statuses")
        t.equal({e["_side"] for e in entries}, {"production", "sut"}, "sides")
        t.check(all(re.fullmatch(r"http://10\.[0-9.:]+/[!-~]*", e["request"]["url"])
                    and not re.search(r"[<>\"'\\]", e["request"]["url"])
                    for e in entries), str([e["request"]["url"] for e in entries]))

        t.check(not re.search(r"(?<!\\)(<|\]\(|`)", text["summary"]),
                text["summary"])
        t.check(text["summary"].startswith("## DIFFERENT"), text["summary"])
        lab.isolated(t, l)


def nothing_half_done(t):
    """A file that is there already: one line with the remedy, exit code 2, and none of
    the others was made."""
    with lab.Lab() as l:
        l.labsrv("prod"), l.labsrv("sut")
        page, junit = l.path("page"), l.path("junit")
        open(page, "w").close()
        us = l.understudy("--junit", junit, "--html", page, ready=0.5)
        t.equal(us.wait(10), 2, "exit code: " + us.text())
        t.check("--html %s is there already; remove it" % page in us.text(),
                us.text())
        t.check(not os.path.exists(junit), "another one was made")


def alone(t, *more):
    """The only file that a run makes, of root's or of a user's."""
    with lab.Lab() as l:
        capture, page = l.path("capture"), l.path("page")
        os.chmod(os.path.dirname(page), 0o777)
        with gzip.open(os.path.join(lab.ROOT, "test", "saved", "abort.pcapng.gz"),
                       "rb") as f, open(capture, "wb") as out:
            out.write(f.read())
        r = subprocess.run((lab.BINARY, "shadow", "-r", capture, "--sut-dev", "none",
                            "--map", l.map(), "--html", page, *more),
                           capture_output=True, text=True, timeout=30)
        t.equal(r.returncode, 0, "exit code: " + r.stderr)
        t.check(os.path.getsize(page) > 1000, "the page is empty")


lab.main([
    ("each form, hostile bytes and a secret", forms),
    ("as another user", forms, "--user", "daemon"),
    ("a file that is there", nothing_half_done),
    ("one form alone", alone),
    ("one form alone, of a user", alone, "--user", "daemon"),
])
