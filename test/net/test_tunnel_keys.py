# SPDX-License-Identifier: BSD-2-Clause
"""The tunnel's handshake against wireguard-go, in both roles, in a network
namespace of its own: an oracle that shares no line and no library with ours."""
import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import lab  # noqa: E402

IDLE = "two handshakes"
TOOL = os.path.join(os.path.dirname(lab.BINARY), "noise_tool")
NS = "us%d-wg" % os.getpid()
DEV = "uswg%d" % (os.getpid() % 1000000)
UAPI = "/var/run/wireguard/%s.sock" % DEV
THEIRS, OURS = 7001, 7002
WAIT = 20


def inside(*argv, **kw):
    return subprocess.Popen(("ip", "netns", "exec", NS) + argv,
                            preexec_fn=lab._child, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, **kw)


def until(what, cond):
    end = time.monotonic() + WAIT
    while not cond():
        if time.monotonic() > end:
            raise lab.LabError("not in %d s: %s" % (WAIT, what))
        time.sleep(0.02)


def uapi(text):
    """One request to wireguard-go: its answer as a list of (name, value)."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(UAPI)
        s.sendall(text.encode() + b"\n\n")
        got = b""
        while not got.endswith(b"\n\n"):
            more = s.recv(65536)
            if not more:
                break
            got += more
    return [x.split("=", 1) for x in got.decode().split("\n") if x]


def public(priv):
    """X25519 by openssl, another program's."""
    der = bytes.fromhex("302e020100300506032b656e04220420") + priv
    out = subprocess.run(("openssl", "pkey", "-inform", "DER", "-pubout",
                          "-outform", "DER"), input=der, capture_output=True,
                         check=True).stdout
    return out[-32:]


def b64(raw):
    return base64.b64encode(raw).decode()


def handshake(t, role, with_psk):
    lab.need("wireguard-go")
    lab.need("openssl")
    ours, theirs = secrets.token_bytes(32), secrets.token_bytes(32)
    psk = secrets.token_bytes(32) if with_psk else bytes(32)
    wg = tool = None
    lab.sh("ip", "netns", "add", NS)
    try:
        lab.sh("ip", "-n", NS, "link", "set", "lo", "up")
        wg = inside("wireguard-go", "-f", DEV)
        until("its socket", lambda: os.path.exists(UAPI))
        set_up = ["set=1", "private_key=" + theirs.hex(),
                  "listen_port=%d" % THEIRS,
                  "public_key=" + public(ours).hex(),
                  "preshared_key=" + psk.hex(), "allowed_ip=10.98.0.2/32"]
        lab.sh("ip", "-n", NS, "link", "set", DEV, "up")
        argv = (TOOL, role, str(THEIRS), b64(ours), b64(public(theirs)),
                b64(psk), str(OURS))
        if role == "answer":
            tool = inside(*argv)
            t.equal(tool.stdout.readline(), "ready\n", "the tool")
            set_up += ["endpoint=127.0.0.1:%d" % OURS,
                       "persistent_keepalive_interval=1"]
        t.equal(uapi("\n".join(set_up)), [["errno", "0"]], "set up")
        if role == "begin":
            tool = inside(*argv)
            t.equal(tool.stdout.readline(), "ready\n", "the tool")
        said = tool.stdout.read()  # it ends by itself in 10 s
        t.equal((tool.wait(WAIT), said), (0, "done\n"), "the tool")
        until("wireguard-go knows no handshake",
              lambda: int(dict(uapi("get=1"))["last_handshake_time_sec"]) > 0)
    finally:
        for p in (tool, wg):
            if p is not None and p.poll() is None:
                p.send_signal(signal.SIGKILL)
            if p is not None:
                p.communicate()
        if os.path.exists(UAPI):
            os.unlink(UAPI)
        subprocess.run(("ip", "netns", "del", NS), check=False)


if __name__ == "__main__":
    lab.main([("we begin", handshake, "begin", False),
              ("we begin, with a shared key", handshake, "begin", True),
              ("we answer", handshake, "answer", False),
              ("we answer, with a shared key", handshake, "answer", True)],
             binary=False)
