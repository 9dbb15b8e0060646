#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The page in Chromium, by real keys and clicks: what was captured stays text, all can
be reached by keys, a long list opens as soon as a short one, and axe-core finds nothing
serious. Prints TAP.

AXE=FILE: axe.min.js of axe-core. PICTURES=DIR: keep pictures there.
"""
import json
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import browser  # noqa: E402

US = os.environ.get("UNDERSTUDY", str(TOP / "build" / "understudy"))
STORED = str(pathlib.Path(US).parent / "stored")
AXE = os.environ.get("AXE", str(TOP / "build" / "axe.min.js"))
PICTURES = os.environ.get("PICTURES")
KINDS, MANY = 500, 50000
number = failed = 0


def result(good, name, *notes):
    global number, failed
    number += 1
    failed += not good
    print("%s %d - %s" % ("ok" if good else "not ok", number, name))
    for n in notes if not good else ():
        print("#   " + str(n)[:900].replace("\n", "\n#   "))
    sys.stdout.flush()


def skip(name, why):
    global number
    number += 1
    print("ok %d - %s # SKIP %s" % (number, name, why), flush=True)


class Page:
    def __init__(self, folder):
        self.proc = subprocess.Popen((US, "page", folder), text=True,
                                     stdout=subprocess.PIPE)
        self.url = self.proc.stdout.readline().strip()

    def end(self):
        self.proc.terminate()
        self.proc.wait()


def picture(b, name):
    if PICTURES:
        b.picture(os.path.join(PICTURES, name + ".png"))


def loaded(b):
    b.until("return !document.getElementById('main').hidden && "
            "document.querySelector('.row .n')")


def opened(b):
    b.until("return document.querySelector('#answers pre')")


def axe(b, name):
    if not os.path.exists(AXE):
        skip("axe-core: " + name, "no axe-core: npm pack axe-core, and AXE=axe.min.js")
        return
    with open(AXE) as f:
        b.run(f.read())
    found = b.later("const done = arguments[0]; axe.run().then(r => done(r.violations.map("
                    "v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html)])))")
    bad = [v for v in found if v[0] in ("serious", "critical")]
    result(not bad, "axe-core: " + name, json.dumps(bad))


def stays_text(b):
    """Markup in path, field, cookie, content, detail and warning."""
    evil = b.run("return document.body.textContent.split('<script>document.title').length")
    result(evil > 5 and "taken" not in b.run("return document.title") and
           b.run("return document.scripts.length") == 1 and
           b.run("return document.images.length") == 0,
           "what was captured is shown, and stays text", evil)
    text = b.text("#request")
    result("Cookie: sid=<secret:" in text and "X-Evil: <script>" in text,
           "the request", text)
    made = b.run("try { document.body.innerHTML = '<b>x</b>'; return 'made' } "
                 "catch (e) { return e.name }")
    result(made == "TypeError", "the browser refuses markup of a string", made)


def by_keys(b):
    b.keys("j", "j", "Enter")
    opened(b)
    first = b.text("#which-text")
    name = b.text("#kind-name")
    b.keys("n")
    b.until("return document.getElementById('which-text').textContent.startsWith('2 of')")
    b.keys("p")
    b.until("return document.getElementById('which-text').textContent.startsWith('1 of')")
    b.keys("k", "Enter")
    b.until("return document.getElementById('kind-name').textContent !== arguments[0]",
            name)
    marks = b.run("return [...document.querySelectorAll('#answers mark')].map("
                  "m => m.textContent)")
    result(first.startswith("1 of") and "0" in marks and marks, "kinds by keys", first,
           marks)
    b.keys("/")
    b.keys(*"login")
    b.until("return document.querySelectorAll('.row').length === 1")
    b.keys("Escape")
    b.until("return document.querySelectorAll('.row').length > 3")
    b.keys("?")
    b.until("return document.getElementById('help').open")
    picture(b, "keys")
    b.keys("Escape")
    b.until("return !document.getElementById('help').open")
    result(True, "find and help by keys")


def by_clicks(b):
    b.click("#row-2")
    b.until("return document.getElementById('kind-name').textContent === "
            "'GET /static/app.js'")
    b.click("#rule-box summary")
    rule = b.text("#rule")
    result(rule == "on GET /static/app.js\n  header ignore ETag\n", "the rule", rule)
    b.click("#row-0")
    b.until("return document.getElementById('kind-name').textContent === 'GET /price'")
    opened(b)
    b.click("#actions button")
    b.until("return /copied|curl/.test(document.getElementById('said').textContent)")
    b.run("document.getElementById('said').textContent = ''")
    result(b.run("return location.hash").startswith("#kind="), "the place is in the address")


def again(b):
    """Loaded again: the same difference, by its address; the token is not in it."""
    where = b.run("return location.href")
    b.call("POST", "/refresh", {})
    loaded(b)
    opened(b)
    result(b.run("return location.href") == where and not re.search("[0-9a-f]{32}", where)
           and b.text("#kind-name") == "GET /price", "loaded again", where)


def with_markup(b):
    b.run("const r = [...document.querySelectorAll('.row')].find(r => "
          "r.textContent.includes('<script>')); r.scrollIntoView(); r.id = 'evil'")
    b.click("#evil")
    b.until("return document.getElementById('kind-name').textContent.includes('<script>')")
    opened(b)


def first_page(url):
    b = browser.Browser(1180, 960)
    try:
        b.open(url)
        loaded(b)
        by_keys(b)
        by_clicks(b)
        b.run("document.activeElement.blur(); window.scrollTo(0, 0)")
        picture(b, "page")
        again(b)
        axe(b, "light")
        with_markup(b)
        stays_text(b)
        bad = [x["message"] for x in b.log() if "TrustedHTML" not in x["message"] and
               "Trusted" not in x["message"] and "axe" not in x["message"]]
        result(not bad, "nothing is complained of", bad)
    finally:
        b.close()


def others(url):
    for name, width, height, dark in (("dark", 1280, 1080, True),
                                      ("narrow", 400, 1900, False)):
        b = browser.Browser(width, height, dark)
        try:
            b.open(url)
            loaded(b)
            b.keys("j", "Enter")
            opened(b)
            picture(b, name)
            wide = b.run("return document.documentElement.scrollWidth")
            result(wide <= width, name + ": nothing beyond its edge", wide)
            axe(b, name)
        finally:
            b.close()


def without(url, top):
    """No token; a store without differences; nobody who answers."""
    b = browser.Browser(900, 700)
    try:
        b.open(url.split("#")[0])
        b.until("return !document.getElementById('error').hidden")
        picture(b, "error")
        said = b.text("#error")
        result("token is missing" in said and b.run(
            "return document.getElementById('main').hidden"), "without a token", said)
        axe(b, "error")
    finally:
        b.close()
    empty = os.path.join(top, "empty")
    subprocess.run((STORED, empty), check=True)
    db = sqlite3.connect(empty + "/run.sqlite")
    for table in ("difference", "kind", "tick", "gate", "times", "quantile", "sample"):
        db.execute("DELETE FROM " + table)
    db.execute("UPDATE ended SET different=0")
    db.commit()
    db.close()
    p = Page(empty)
    b = browser.Browser(900, 700)
    try:
        b.open(p.url)
        b.until("return !document.getElementById('list-none').hidden")
        said = b.text("#list-none")
        picture(b, "empty")
        result(said == "No answer differed.", "no difference", said)
        axe(b, "empty")
    finally:
        b.close()
        p.end()


def grow(folder, kinds):
    db = sqlite3.connect(folder + "/run.sqlite")
    db.execute("WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i+1 FROM n LIMIT ?) "
               "INSERT INTO kind(id,number,name,reason,baseline,detail,n,first,last,rule) "
               "SELECT i, i, CAST('GET /kind/'||i AS BLOB), 'body', 0, 'x', 1, 0, 0, '' "
               "FROM n", (kinds,))
    db.commit()
    db.close()


def many(top):
    """Interleaved: how long until a row is there, of a short list and a long one."""
    pages, took = [], {KINDS: [], MANY: []}
    for kinds in took:
        folder = os.path.join(top, "many%d" % kinds)
        subprocess.run((STORED, folder), check=True)
        grow(folder, kinds)
        pages.append((kinds, Page(folder)))
    b = browser.Browser(1280, 900)
    try:
        for _ in range(9):
            for kinds, p in pages:
                b.open("about:blank")
                b.open(p.url)
                loaded(b)
                took[kinds].append(b.run("return performance.getEntriesByType('resource')"
                                         ".filter(e => e.name.includes('/api/kinds'))"
                                         ".at(0).responseEnd"))
        b.run("document.getElementById('list').focus()")
        b.keys("End")
        last = b.until("const r = document.querySelector('#row-%d .n'); "
                       "return r && r.parentElement.textContent" % (MANY + 6))
        rows = b.run("return document.querySelectorAll('.row').length")
        result("/kind/%d" % (MANY + 99) in last and rows < 60, "the last of many", last, rows)
    finally:
        b.close()
        for _, p in pages:
            p.end()
    few, lot = (statistics.median(took[k]) for k in (KINDS, MANY))
    print("# kinds %d: %.0f ms; %d: %.0f ms, %.2f times" % (KINDS, few, MANY, lot,
                                                            lot / few))
    result(lot <= 2 * few, "50,000 kinds open in at most twice the time of 500", took)


def main():
    for tool in ("chromedriver", "chromium"):
        if not shutil.which(tool):
            print("1..0 # SKIP no %s: apt-get install chromium-driver" % tool)
            return 0
    with tempfile.TemporaryDirectory() as top:
        folder = os.path.join(top, "out")
        subprocess.run((STORED, folder), check=True)
        p = Page(folder)
        try:
            first_page(p.url)
            others(p.url)
            without(p.url, top)
        finally:
            p.end()
        many(top)
    print("1..%d" % number)
    return failed > 0


sys.exit(main())
