#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a person types who does not know the words: completion in bash and zsh, help,
and what was meant. Prints TAP.
"""
import os
import pty
import select
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BINARY = os.environ.get("UNDERSTUDY", os.path.join(TOP, "build", "understudy"))
COMPLETES = [  # what is typed, what it may become: all of these, none of those
    (["s"], {"shadow", "send"}, {"replay"}),
    (["shadow", "--max"], {"--max-lag", "--max-flows"}, {"--multiplier"}),
    (["shadow", "--compare", ""], {"none", "identical", "equivalent"}, {"on"}),
    (["shadow", "--compare", "id"], {"identical"}, {"none"}),
    (["shadow", "--undecided", ""], {"error", "pass"}, {"on"}),
    (["replay", "--fa"], {"--fast"}, {"--interface"}),
    (["doctor", "--rel"], {"--release"}, {"--read"}),
    (["send", "--engine", "x"], {"xdp"}, {"gso"}),
    (["prep", "-a", "cl"], {"client"}, {"server"}),
    (["rerun", "-"], {"--json", "-h"}, {"--map"}),
    (["c"], {"ctl"}, {"send"}), (["ctl", "-"], {"--help"}, {"--json"}),
    (["proxy", "--ct"], {"--ctl"}, {"--connections"}),
]
ZSH = [  # what is typed, what the line is after a tab
    ("sh", "shadow"), ("shadow --max-la", "shadow --max-lag"),
    ("shadow --compare id", "shadow --compare identical"),
    ("send --engine x", "send --engine xdp"),
    ("prep -a cl", "prep -a client"), ("doctor --rel", "doctor --release"),
    ("rerun no-such-fi", "rerun no-such-fi"),
]
SAYS = [  # arguments, exit code, words
    (["-V"], 0, "understudy "), (["--version"], 0, "understudy "),
    (["help"], 0, "usage: understudy COMMAND"),
    (["help", "send"], 0, "usage: understudy send"),
    (["help", "prep"], 0, "usage: understudy prep"),
    (["help", "shadow"], 0, "usage: understudy shadow"),
    (["replay", "--help"], 0, "usage: understudy replay"),
    (["help", "sned"], 2, "did you mean send?"),
    (["shdow", "-i", "x"], 2, "did you mean shadow?"),
    (["nothing-like-it"], 2, "'understudy --help' lists all"),
    (["shadow", "--max-lga", "3"], 2, "did you mean --max-lag?"),
    (["shadow", "--max_lag", "x"], 2, "--max-lag x: is no time (a whole number, as"),
    (["shadow", "--max-slower", "p98:1%"], 2, "p98:1%: names no quantile; p50,"),
    (["shadow", "--max-slower", "p99:10"], 2, "is no share (as 5% or 0.1%)"),
    (["shadow", "--pool", "1X"], 2, "is no size (a whole number, as"),
    (["shadow", "--sample", "5"], 2, "is no share (as 5% or 0.1%)"),
    (["shadow", "--map", "web1:80=10.1.0.20"], 2, "web1 is a name"),
    (["shadow", "--map", "10.0.0.1:80=db.example"], 2, "db.example is a name"),
    (["shadow", "--map", "10.0.0.1:80=fe80::1"], 2, "IPv4 and the other IPv6"),
    (["shadow", "--map", "10.0.0.1:80=fe80::z"], 2, "fe80::z: is no address"),
    (["shadow", "--map", "10.0.0.1:80-10.1.0.2:80"], 2, "has no ="),
    (["shadow", "--map", "10.0.0.1:99999=10.1.0.2"], 2,
     "10.0.0.1:99999: its port is no number"),
    (["shadow", "--map", "10.0.0.1/24:80=10.1.0.2"], 2,
     "10.0.0.1/24:80: its /len is no number"),
    (["shadow", "--map", "10.0.0.1:80=10.1.0.0/24"], 2,
     "10.1.0.0/24: a SUT has one address"),
    (["prep", "-c", "10.0.0.0/8x"], 2, "no network: 10.0.0.0/8x"),
    (["prep", "-c", "10.0.0.0/-1"], 2, "no network: 10.0.0.0/-1"),
    (["prep", "-c", "[fd00::1]/64"], 2, "no network: [fd00::1]/64"),
    (["send", "--unqiue-ip"], 2, "did you mean --unique-ip?"),
    (["send", "--unique_ip", "x"], 2, "give -i DEV"),
    (["send", "--multi", "2", "x"], 2, "give -i DEV"),
    (["send", "--enet-vlan-p", "2"], 2, "is it --enet-vlan-pri or"),
    (["send", "-x", "1", "-x", "2"], 2, "--multiplier is given twice"),
    (["send", "-i", "@x"], 2, "no capture"),
    (["prep", "--rato", "2"], 2, "did you mean --ratio?"),
    (["prep", "--print", "x"], 2, "is it --print-comment or --print-info?"),
    (["prep", "-p", "--port"], 2, "--port is given twice"),
    (["prep", "-i", "x", "y"], 2, "y: not an option"),
    (["ctl"], 2, "whom to ask? write 'understudy ctl PATH show'"),
    (["ctl", "/none"], 2, "what to ask? write get, set, show or watch"),
    (["ctl", "/none", "show"], 2, "/none: No such file or directory; is the"),
    (["help", "ctl"], 0, "usage: understudy ctl PATH get [NAME]"),
    (["--completion", "tcsh"], 2, "'bash' and 'zsh'"),
]


def completed(words):
    script = ('source <("$0" --completion bash); COMP_WORDS=("$@"); '
              'COMP_CWORD=$(($#-1)); _understudy; echo "${COMPREPLY[*]}"')
    r = subprocess.run(["bash", "-c", script, BINARY, "understudy", *words],
                       capture_output=True, text=True, timeout=30)
    return set(r.stdout.split()), r.stderr


class Zsh:
    """An interactive zsh with our completion; a key writes its line to a file."""
    BEGIN = """
        autoload -U compinit; compinit -u -D
        source <("$BINARY" --completion zsh)
        tell() { print -r -- "$BUFFER" > "$LINE.new"; mv "$LINE.new" "$LINE" }
        zle -N tell; bindkey '^P' tell
        print begun > "$LINE"
    """.replace("\n", ";")

    def __init__(self, folder):
        self.line = os.path.join(folder, "line")
        env = dict(os.environ, BINARY=BINARY, LINE=self.line, HOME=folder,
                   TERM="xterm", ZDOTDIR=folder)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe("zsh", ["zsh", "-f", "-i"], env)
        self.read_line(self.BEGIN + "\n")

    def read_line(self, keys):
        """Type it, and take the line that is told of; None: there was none."""
        os.write(self.fd, keys.encode())
        end = time.monotonic() + 30
        while time.monotonic() < end and not os.path.exists(self.line):
            if select.select([self.fd], [], [], 0.02)[0]:
                os.read(self.fd, 65536)
        if not os.path.exists(self.line):
            return None
        with open(self.line) as f:
            line = f.read()
        os.unlink(self.line)
        return line.strip()

    def completed(self, words):
        return self.read_line("understudy " + words + "\t\x10") or "", \
            self.read_line("\x15\x10")

    def end(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def zsh_tests():
    tests = []
    with tempfile.TemporaryDirectory() as folder:
        z = Zsh(folder)
        for typed, wanted in ZSH:
            got, cleared = z.completed(typed)
            tests.append((got == "understudy " + wanted and cleared == "",
                          "zsh completes " + typed, got))
        z.end()
    return tests


def main():
    tests = []
    for words, some, none in COMPLETES:
        got, err = completed(words)
        tests.append((some <= got and not none & got and not err,
                      "completes " + " ".join(words), "%s %s" % (got, err)))
    tests += zsh_tests()
    for args, code, words in SAYS:
        r = subprocess.run([BINARY, *args], capture_output=True, text=True,
                           timeout=30)
        text = r.stdout if code == 0 else r.stderr
        tests.append((r.returncode == code and words in text,
                      "says " + " ".join(args), "%d: %s" % (
                          r.returncode, r.stdout[:99] + r.stderr)))
    print("1..%d" % len(tests))
    for i, (good, name, more) in enumerate(tests, 1):
        print("%sok %d - %s" % ("" if good else "not ", i, name))
        if not good:
            print("# " + more.replace("\n", "\n# "))
    return 0 if all(t[0] for t in tests) else 1


sys.exit(main())
