# SPDX-License-Identifier: BSD-2-Clause
"""Asks a redis at HOST for all that two instances of it answer alike, or not.

  redis.py HOST CONNECTIONS COUNT

Each connection has keys of its own, so that what the others do does not matter to
its answers; COUNT commands each, many at a time. One more subscribes to what one
more publishes. Prints "asked N", how many commands were answered.
"""
import random
import socket
import sys

PORT = 6379


class Connection:
    def __init__(self, host):
        self.sock = socket.create_connection((host, PORT), 10)
        self.file = self.sock.makefile("rb")
        self.asked = 0

    @staticmethod
    def command(*words):
        out = b"*%d\r\n" % len(words)
        for w in words:
            w = w if isinstance(w, bytes) else str(w).encode()
            out += b"$%d\r\n%s\r\n" % (len(w), w)
        return out

    def read(self):
        """One value; errors are values, too."""
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind in b"$=!":
            n = int(rest)
            return None if n < 0 else self.file.read(n + 2)[:-2]
        if kind in b"*~>%|":
            n = int(rest) * (2 if kind in b"%|" else 1)
            values = [self.read() for _ in range(max(n, 0))]
            return self.read() if kind in b">|" else values
        if not line:
            raise EOFError("the server has closed")
        return rest

    def ask(self, *commands, raw=b""):
        """All at once. Gives the values."""
        self.sock.sendall(b"".join(self.command(*c) for c in commands) + raw)
        self.asked += len(commands) + (raw != b"")
        return [self.read() for _ in range(len(commands) + (raw != b""))]


def fill(c, k):
    c.ask(("SET", k + "s", "x" * 5000), ("SET", k + "n", 7),
          ("SADD", k + "set", *("m%d" % i for i in range(700))),
          ("SADD", k + "other", *("m%d" % i for i in range(0, 700, 3))),
          ("HSET", k + "hash", *(w for i in range(700)
                                 for w in ("f%d" % i, "v%d" % i))),
          ("ZADD", k + "z", *(w for i in range(50) for w in (i / 7, "z%d" % i))),
          ("RPUSH", k + "list", *range(100)),
          ("SET", k + "dies", "soon", "EX", 1000))


def some(rng, k):
    """A few commands that are sent at once."""
    return rng.choice([
        [("GET", k + "s")], [("INCR", k + "n")], [("SMEMBERS", k + "set")],
        [("HGETALL", k + "hash")], [("HKEYS", k + "hash"), ("HVALS", k + "hash")],
        [("SINTER", k + "set", k + "other"), ("SDIFF", k + "set", k + "other")],
        [("TTL", k + "dies"), ("PTTL", k + "dies")], [("TIME",), ("INFO",)],
        [("SCAN", 0, "COUNT", 20), ("SSCAN", k + "set", 0)],
        [("KEYS", k + "*")], [("CONFIG", "GET", "*max*")],
        [("CLIENT", "ID"), ("LASTSAVE",), ("RANDOMKEY",)],
        [("SRANDMEMBER", k + "set")], [("ZRANGE", k + "z", 0, -1, "WITHSCORES")],
        [("ZSCORE", k + "z", "z3"), ("INCRBYFLOAT", k + "f", "0.1")],
        [("LRANGE", k + "list", 0, -1), ("LINDEX", k + "list", rng.randrange(99))],
        [("GET", k + "none"), ("LPUSH", k + "s", 1), ("NOSUCH",)],
        [("MULTI",), ("INCR", k + "n"), ("GET", k + "s"), ("EXEC",)],
        [("MULTI",), ("INCR", k + "n"), ("DISCARD",)],
        [("SET", k + "v%d" % rng.randrange(99), rng.randrange(999))] * 5,
        [("ECHO", b"\r\n\0$5\r\n")],
    ])


def load(host, number, count, resp3):
    rng = random.Random(number)
    c, k = Connection(host), "c%d:" % number
    if resp3:
        c.ask(("HELLO", 3))
    fill(c, k)
    while c.asked < count:
        many = []
        for _ in range(rng.choice((1, 1, 4))):
            many += some(rng, k)
        c.ask(*many)
        if rng.random() < 0.1:
            c.ask(raw=b"PING\r\n")
    c.ask(("SET", "done:%d" % number, 1))
    c.sock.close()
    return c.asked


def subscribed(host, count):
    """Messages come when somebody publishes, not when they are asked for."""
    listens, speaks = Connection(host), Connection(host)
    listens.ask(("SUBSCRIBE", "channel"))
    for i in range(count):
        speaks.ask(("PUBLISH", "channel", "message %d" % i))
        assert listens.read()[2] == b"message %d" % i
    listens.sock.close()
    speaks.sock.close()
    return count + 1


def main():
    host, connections, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    asked = sum(load(host, i, count, i % 2) for i in range(connections))
    asked += subscribed(host, 20)
    print("asked", asked)


if __name__ == "__main__":
    main()
