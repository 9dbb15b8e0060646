#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""understudy proxy between clients and servers that people have: every byte is the same.

On the hosts of test/lib/hosts.py. What is not installed is skipped by name.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hosts  # noqa: E402
import proxied  # noqa: E402
from hosts import ADDR, CLIENT, SERVER, WAIT  # noqa: E402
from proxied import Names, Proxy, at  # noqa: E402

IDLE = "seconds of load"
FOLDER = tempfile.mkdtemp(prefix="us-proxy-clients-")
SIZES = (0, 1, 1024, 100_000, 3_000_000)
WEB, REDIS = 8081, 6380
SOCKS, FORWARD, TO_REDIS = (at(ADDR[4][1], p) for p in (1080, 8081, 6380))
THERE = at(ADDR[4][3], WEB)
HTTP = at(ADDR[4][1], 8088)
NGINX = """
daemon off; master_process off; worker_processes 1; pid %(d)s/pid; error_log %(d)s/error;
user root;
events { worker_connections 512; }
http {
    access_log off; client_body_temp_path %(d)s/b; proxy_temp_path %(d)s/p;
    fastcgi_temp_path %(d)s/f; uwsgi_temp_path %(d)s/u; scgi_temp_path %(d)s/s;
    server { listen %(at)s reuseport; root %(d)s/www; keepalive_requests 100000; }
}
"""
TESTS = []


def test(name, *needs):
    """Needs: programs; without one of them it is skipped."""
    def add(f):
        missing = [n for n in needs if shutil.which(n) is None]
        TESTS.append((name + (" # SKIP no " + missing[0] if missing else ""),
                      f if not missing else lambda: None))
        return f
    return add


def client(*words, **more):
    """A program on the client's host, whose output is returned."""
    r = subprocess.run(["ip", "netns", "exec", CLIENT, *words], capture_output=True,
                       timeout=4 * WAIT, **more)
    assert r.returncode == 0, (words, r.returncode, r.stderr[-500:], r.stdout[-500:])
    return r.stdout


def body(size):
    return hosts.pattern(size % 251, size)


class Web:
    """nginx on the server's host, with a file of each size."""

    def __enter__(self):
        www = os.path.join(FOLDER, "www")
        os.makedirs(www, exist_ok=True)
        for size in SIZES:
            with open(os.path.join(www, str(size)), "wb") as f:
                f.write(body(size))
        conf = os.path.join(FOLDER, "nginx.conf")
        with open(conf, "w") as f:
            f.write(NGINX % {"d": FOLDER, "at": THERE})
        self.p = subprocess.Popen(["ip", "netns", "exec", SERVER, "nginx", "-c", conf],
                                  stderr=subprocess.DEVNULL)
        hosts.until("nginx does not listen", lambda: listens(SERVER, WEB))
        return self

    def __exit__(self, *_):
        self.p.terminate()
        self.p.wait(WAIT)


def listens(host, port):
    return subprocess.run(["ip", "netns", "exec", host, "ss", "-Htln", "sport", "= :%d" %
                           port], capture_output=True).stdout != b""


def proxy(mode, *words):
    return Proxy("--forward", FORWARD + "=" + THERE, "--socks", SOCKS, "--allow",
                 "10.77.0.0/16", "--dns", "127.0.0.1:5353", "--splice", mode, *words,
                 port=1080)


def whole(r, mode, n):
    """All of so many became what they should, and ended."""
    assert r["accepted"] == r[{"tc": "spliced", "copy": "copied"}[mode]] >= n, r
    assert r["ended_closed"] + r["ended_reset"] == r["accepted"], r


def clone_is_same(name, where, *words):
    """A repository is served, and cloned from @where with git's @words."""
    source = os.path.join(FOLDER, "source-" + name)
    bare = os.path.join(FOLDER, "www", "repo-%s.git" % name)
    copy = os.path.join(FOLDER, "copy-" + name)
    env = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_TERMINAL_PROMPT="0")

    def git(*words):
        subprocess.run(["git", "-C", source, "-c", "user.name=a", "-c",
                        "user.email=a@b.example", *words], check=True, env=env,
                       capture_output=True)
    os.makedirs(source)
    git("init", "-q", "-b", "main")
    for i in range(20):
        with open(os.path.join(source, f"f{i}"), "wb") as f:
            f.write(os.urandom(100_000))
        git("add", "-A")
        git("commit", "-qm", f"number {i}")
    git("clone", "-q", "--bare", ".", bare)
    subprocess.run(["git", "-C", bare, "update-server-info"], check=True, env=env)
    client("git", *words, "clone", "-q", f"{where}/repo-{name}.git", copy, env=env)
    heads = [subprocess.run(["git", "-C", d, "log", "--format=%H %T"], env=env,
                            capture_output=True, check=True).stdout
             for d in (source, copy)]
    assert heads[0] == heads[1] != b""
    subprocess.run(["git", "-C", copy, "fsck", "--strict"], check=True, env=env,
                   capture_output=True)


@test("http: curl by names, by CONNECT, many at once; git", "curl", "git", "nginx")
def by_http():
    with Web(), Names({"web.lab": [ADDR[4][3]]}), \
            Proxy("--http", HTTP, "--allow", "10.77.0.0/16", "--dns", "127.0.0.1:5353",
                  port=8088) as p:
        for size in SIZES:
            for way in ([], ["-p"], ["-0"]):
                assert client("curl", "-sSf", "-x", HTTP, *way,
                              f"http://web.lab:{WEB}/{size}") == body(size), (size, way)
        out = os.path.join(FOLDER, "http-#1-#2")
        client("curl", "-sSf", "--parallel", "--parallel-immediate", "-x", HTTP, "-o", out,
               f"http://web.lab:{WEB}/{{{','.join(map(str, SIZES))}}}?[1-12]")
        for size in SIZES:
            for i in range(1, 13):
                with open(os.path.join(FOLDER, f"http-{size}-{i}"), "rb") as f:
                    assert f.read() == body(size), (size, i)
        clone_is_same("http", f"http://{THERE}", "-c", "http.proxy=http://" + HTTP)
        p.until("they have not ended", lambda r: r["open"] == 0)
        r = p.end()
        assert r["spliced"] == len(SIZES) and r["requests"] == r["requests_answered"], r


for mode in ("tc", "copy"):
    @test(f"{mode}: curl, one and many at once, by each version of SOCKS and without",
          "curl", "nginx")
    def by_curl(mode=mode):
        with Web(), Names({"web.lab": [ADDR[4][3]]}), proxy(mode) as p:
            for size in SIZES:
                for way in (["-x", "socks4a://" + SOCKS, f"http://web.lab:{WEB}/{size}"],
                            ["-x", "socks5h://" + SOCKS, f"http://web.lab:{WEB}/{size}"],
                            ["-x", "socks5://" + SOCKS, f"http://{THERE}/{size}"],
                            [f"http://{FORWARD}/{size}"]):
                    assert client("curl", "-sSf", *way) == body(size), (size, way)
            out = os.path.join(FOLDER, "out-#1-#2")
            client("curl", "-sSf", "--parallel", "--parallel-immediate", "-x",
                   "socks5h://" + SOCKS, "-o", out,
                   f"http://web.lab:{WEB}/{{{','.join(map(str, SIZES))}}}?[1-12]")
            for size in SIZES:
                for i in range(1, 13):
                    with open(os.path.join(FOLDER, f"out-{size}-{i}"), "rb") as f:
                        assert f.read() == body(size), (size, i)
            p.until("they have not ended", lambda r: r["open"] == 0)
            whole(p.end(), mode, 4 * len(SIZES))

    @test(f"{mode}: ab, connections kept and new ones", "ab", "nginx")
    def by_ab(mode=mode):
        with Web(), proxy(mode, "--timewait", "10ms") as p:
            for keep in ([], ["-k"]):
                said = client("ab", "-q", *keep, "-n", "2000", "-c", "50",
                              f"http://{FORWARD}/1024").decode()
                got = dict(re.findall(r"^([A-Za-z0-9 -]+): +(\d+)", said, re.M))
                assert (got["Complete requests"], got["Failed requests"]) == (
                    "2000", "0"), said
                assert int(got["HTML transferred"]) == 2000 * 1024, said
                assert "Non-2xx" not in said, said
            p.until("they have not ended", lambda r: r["open"] == 0)
            whole(p.end(), mode, 2000)

    @test(f"{mode}: git clones over http, and the history is the same", "git", "nginx")
    def by_git(mode=mode):
        with Web(), proxy(mode) as p:
            clone_is_same(mode, f"http://{FORWARD}")
            p.until("they have not ended", lambda r: r["open"] == 0)
            whole(p.end(), mode, 1)

    @test(f"{mode}: redis, pipelined, and values that are read again", "redis-server",
          "redis-benchmark", "redis-cli")
    def by_redis(mode=mode):
        server = subprocess.Popen(
            ["ip", "netns", "exec", SERVER, "redis-server", "--bind", ADDR[4][3],
             "--port", str(REDIS), "--save", "", "--protected-mode", "no", "--dir",
             FOLDER], stdout=subprocess.DEVNULL)
        try:
            hosts.until("redis does not listen", lambda: listens(SERVER, REDIS))
            with Proxy("--forward", TO_REDIS + "=" + at(ADDR[4][3], REDIS), "--splice",
                       mode, port=REDIS) as p:
                host = ["-h", ADDR[4][1], "-p", str(REDIS)]
                said = client("redis-benchmark", *host, "-q", "-n", "5000", "-c", "20",
                              "-P", "16", "-d", "2000", "-t",
                              "set,get,lpush,lrange_100").decode()
                assert "rror" not in said and "GET" in said, said
                for size in SIZES[1:]:
                    value = hashlib.sha256(body(size)).hexdigest() * (size // 64 + 1)
                    client("redis-cli", *host, "-x", "set", "k", input=value.encode())
                    assert client("redis-cli", *host, "get", "k") == \
                        value.encode() + b"\n", size
                p.until("they have not ended", lambda r: r["open"] == 0)
                whole(p.end(), mode, 20)
        finally:
            server.terminate()
            server.wait(WAIT)


if __name__ == "__main__":
    if sys.argv[1:]:
        TESTS = [t for t in TESTS if any(w in t[0] for w in sys.argv[1:])]
    try:
        code = hosts.run(TESTS, [proxied.BINARY])
    finally:
        shutil.rmtree(FOLDER)
    sys.exit(code)
