# SPDX-License-Identifier: BSD-2-Clause
"""A service whose clients send back what it gave them, none of it a cookie.

  tokens.py serve ADDRESS NAME   tokens are drawn by lot; NAME "sut" has two bugs
  tokens.py ask HOST TIMES       log in, and use what was given, as often

/login gives a token in JSON (gzip), /page one in a form's hidden field; /me takes the
first as a bearer, /order/ID as a part of the path, /save the second as a field of a
form. The bugs: /price says another number, and /crash fails, token or not.
"""
import gzip
import http.client
import http.server
import json
import re
import secrets
import sys
import time
import urllib.parse

known = set()
PAUSE = 0.2  # seconds


def token():
    t = secrets.token_urlsafe(32)
    known.add(t)
    return t


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name = ""

    def log_message(self, *_):
        pass

    def say(self, status, text, kind="application/json", packed=False):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if packed:
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def allowed(self, t):
        if t in known:
            self.say(200, json.dumps({"who": "you"}))
        else:
            self.say(401, json.dumps({"error": "who are you?"}))

    def do_GET(self):
        sut = self.name == "sut"
        bearer = self.headers.get("Authorization", "").replace("Bearer ", "")
        if self.path == "/me":
            self.allowed(bearer)
        elif self.path.startswith("/order/"):
            self.allowed(self.path[7:])
        elif self.path == "/crash":
            self.say(500 if sut else 200, "{}")
        elif self.path == "/price":
            self.say(200, json.dumps({"price": 11 if sut else 10}))
        else:
            self.say(200, "<form><input type=hidden name=csrf_token value=\"%s\">"
                     "</form>" % token(), "text/html")

    def do_POST(self):
        got = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/login":
            self.say(200, json.dumps({"user": "you", "order": token(),
                                      "access_token": token()}), packed=True)
        else:
            self.allowed(urllib.parse.parse_qs(got).get("csrf_token", [""])[0])


class Server(http.server.ThreadingHTTPServer):
    # A SYN that finds no room comes again a second later, behind others' requests.
    request_queue_size = 128


def serve(address, name):
    Handler.name = name
    Server((address, 80), Handler).serve_forever()


def ask(host, times):
    def one(method, path, body=None, **headers):
        c = http.client.HTTPConnection(host, 80, timeout=60)
        c.request(method, path, body, {k.replace("_", "-"): v
                                       for k, v in headers.items()})
        r = c.getresponse()
        text = r.read()
        c.close()
        if r.getheader("Content-Encoding") == "gzip":
            text = gzip.decompress(text)
        print(r.status)
        return text.decode()

    for _ in range(times):
        given = json.loads(one("POST", "/login", "a=b"))
        page = one("GET", "/page")
        field = re.search(r'value="([^"]*)"', page)[1]
        # Until the SUT's answers have come nobody knows that it has other tokens.
        time.sleep(PAUSE)
        bearer = {"Authorization": "Bearer " + given["access_token"]}
        one("GET", "/me", **bearer)
        one("GET", "/order/" + given["order"])
        one("POST", "/save", urllib.parse.urlencode({"x": 1, "csrf_token": field}),
            Content_Type="application/x-www-form-urlencoded")
        one("GET", "/crash", **bearer)
        one("GET", "/price")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        ask(sys.argv[2], int(sys.argv[3]))
