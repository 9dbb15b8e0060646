# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of guard, rings and sinks have in common: two network
# namespaces of their own, joined by a pair of veths, h0 (ours) and s0 (the
# SUT's). The host has an address on another interface, lan0, as a real one has.
# Whoever sources this gets TAP functions; all is cleaned up on every exit.

cd "$(dirname "$0")/../.." || exit 1
TOOL=${WIRE_TOOL:-$PWD/${BUILD:-build}/wire_tool}
HOST=us-h-$$
SUT=us-s-$$
TEST=0
BAD=0
PIDS=
# The sanitizer cannot look for leaks once a process has given up privileges.
export ASAN_OPTIONS=detect_leaks=0

. test/net/no_lab.sh

cleanup() {
	for p in $PIDS; do
		kill -9 "$p" 2>/dev/null
	done
	wait 2>/dev/null
	ip netns del "$HOST" 2>/dev/null
	ip netns del "$SUT" 2>/dev/null
	rm -rf "$DIR"
}

[ "$(id -u)" = 0 ] || no_lab "needs root"
[ -x "$TOOL" ] || no_lab "no wire_tool at $TOOL"
ip netns add "$HOST" 2>/dev/null || no_lab "no network namespaces here"
DIR=$(mktemp -d)
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
ip netns add "$SUT" || exit 1

h() { ip netns exec "$HOST" "$@"; }
s() { ip netns exec "$SUT" "$@"; }

# Makes h0 and s0 anew, both down; the old pair goes.
new_wire() {
	h ip link del h0 2>/dev/null
	ip -n "$HOST" link add h0 type veth peer name s0 netns "$SUT"
	SUT_MAC=$(s cat /sys/class/net/s0/address)
	HOST_MAC=$(h cat /sys/class/net/h0/address)
}

new_lan() {
	ip -n "$HOST" link add lan0 type veth peer name lan1
	ip -n "$HOST" addr add 10.9.0.1/24 dev lan0
	ip -n "$HOST" link set lan0 up
	ip -n "$HOST" link set lan1 up
}

# ok NAME CONDITION...: one TAP line.
ok() {
	local name=$1
	shift
	TEST=$((TEST + 1))
	if "$@"; then
		echo "ok $TEST - $name"
	else
		echo "not ok $TEST - $name"
		BAD=$((BAD + 1))
	fi
}

# is NAME GOT WANTED
is() {
	[ "$2" = "$3" ] || echo "# got '$2', wanted '$3'"
	ok "$1" [ "$2" = "$3" ]
}

# value LINE WORD: the number after WORD
value() {
	echo " $1 " | sed "s/.* $2 \([0-9]*\) .*/\1/"
}

# wait_for FILE WORD: until a program started by us has said so; at most 5 s
wait_for() {
	for _ in $(seq 100); do
		grep -q "$2" "$1" 2>/dev/null && return 0
		sleep 0.05
	done
	echo "# '$2' did not come: $(cat "$1")"
	return 1
}

finish() {
	echo "1..$TEST"
	[ "$BAD" = 0 ]
	exit
}
