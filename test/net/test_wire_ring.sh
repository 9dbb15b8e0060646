#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Rings and the packet sink against each other over a veth pair: every byte of a
# stream in order, super-frames whole, under the guard, without privileges.

. "$(dirname "$0")/wire_lib.sh"

BYTES=20000000

# stream VERSION FILTER COMMAND: what a reader on h0 saw of a stream from s0
stream() {
	ip netns exec "$HOST" "$TOOL" recv h0 "$1" 4 ${2:+"$2"} >"$DIR/recv" 2>"$DIR/recv.err" &
	local p=$!
	PIDS="$PIDS $p"
	wait_for "$DIR/recv.err" open
	SENT=$(s "$TOOL" send s0 "$HOST_MAC" $BYTES \
		${3:+"$3"})
	s "$TOOL" tagged s0
	wait $p
	GOT=$(cat "$DIR/recv")
	echo "# sent: $SENT"
	echo "# got: $GOT"
}

new_wire
h "$TOOL" guard attach h0
h "$TOOL" guard up h0
s "$TOOL" guard attach s0
s "$TOOL" guard up s0
sleep 0.5

for v in 2 3; do
	stream $v
	is "V$v: every byte arrives" "$(value "$GOT" bytes)" \
		"$(value "$SENT" bytes)"
	is "V$v: in order, unchanged, whole" "$(value "$GOT" bad)" 0
	is "V$v: nothing dropped" "$(value "$GOT" drops)" 0
	is "V$v: nothing cut" "$(value "$GOT" cut)" 0
	ok "V$v: super-frames near 64 KB" \
		[ "$(value "$GOT" longest)" -gt 63000 ]
	ok "V$v: there were some" [ "$(value "$GOT" supers)" -gt 100 ]
	is "V$v: their segment size is known" "$(value "$GOT" gso)" \
		"$(value "$GOT" supers)"
	is "V$v: the tag that the kernel took out is told" \
		"$(value "$GOT" tagged)" 1
	is "V$v: all was sent" "$(value "$SENT" unsent)" 0
	is "V$v: a destination not on the list is refused" \
		"$(value "$SENT" refused)" 1
done

# A ring that fills gets its larger memory on the way: no frame is lost by that,
# none comes twice, and the former memory is given back.
stream grow
is "growing: every byte" "$(value "$GOT" bytes)" "$(value "$SENT" bytes)"
is "growing: in order, once" "$(value "$GOT" bad)" 0
is "growing: nothing dropped" "$(value "$GOT" drops)" 0
is "growing: the super-frames' lane has" "$(value "$GOT" grown)" 1
is "growing: nothing is left of the former memory" "$(value "$GOT" former)" 0

stream 2 "tcp and port 4243"
is "a filter that matches nothing lets nothing in" "$(value "$GOT" frames)" 0
stream 2 "tcp and port 4242"
is "a filter that matches lets it in" "$(value "$GOT" bytes)" \
	"$(value "$SENT" bytes)"

# Segments that go on in one another leave together: 600 requests of 15
# segments, of which every second acks more. 15 segments are one super-frame.
REQUESTS=600
BYTES=$((REQUESTS * (14 * 1448 + 500)))
stream 2 "" upload
is "an upload in segments: every byte" "$(value "$GOT" bytes)" $BYTES
is "an upload in segments: in order" "$(value "$GOT" bad)" 0
is "an upload in segments: all of them told as sent" "$(value "$SENT" sent)" \
	$((REQUESTS * 15))
is "an upload in segments: counted one by one" "$(value "$SENT" frames)" \
	$((REQUESTS * 15))
is "an upload in segments: joined up to each PSH" "$(value "$GOT" frames)" \
	$REQUESTS
is "an upload in segments: every PSH is there" "$(value "$GOT" pushes)" \
	$REQUESTS
is "an upload in segments: every ack is there" "$(value "$GOT" acked)" \
	$((REQUESTS / 2 - 1))
is "an upload in segments: the segment size is known" "$(value "$GOT" gso)" \
	$REQUESTS

# A device that cannot cut: the sink does it, and the kernel sums. The decoder
# then tests each frame's checksum.
s ethtool -K s0 tso off gso off tx off >/dev/null 2>&1
BYTES=4000000
stream 2
is "without TSO: every byte" "$(value "$GOT" bytes)" "$(value "$SENT" bytes)"
is "without TSO: in order" "$(value "$GOT" bad)" 0
is "without TSO: no super-frame" "$(value "$GOT" supers)" 0
is "without TSO: checksums are in the frames" "$(value "$GOT" offloaded)" 0
BYTES=2000000
stream 2 "" upload
is "without TSO: nothing is joined" "$(value "$GOT" frames)" \
	"$(value "$SENT" frames)"
is "without TSO: an upload arrives" "$(value "$GOT" bytes)" \
	"$(value "$SENT" bytes)"
stream grow "" upload
is "growing, small frames: every byte" "$(value "$GOT" bytes)" \
	"$(value "$SENT" bytes)"
is "growing, small frames: in order, once" "$(value "$GOT" bad)" 0
is "growing, small frames: nothing dropped" "$(value "$GOT" drops)" 0
is "growing, small frames: their lane has" "$(value "$GOT" grown)" 1
BYTES=4000000
s ethtool -K s0 tx on tso on gso on >/dev/null 2>&1
s ip link set s0 gso_max_size 20000
stream 2
is "with a limit: every byte" "$(value "$GOT" bytes)" "$(value "$SENT" bytes)"
is "with a limit: all was sent" "$(value "$SENT" unsent)" 0
ok "with a limit: super-frames below it" [ "$(value "$GOT" longest)" -lt 20000 ]
ok "with a limit: super-frames near it" [ "$(value "$GOT" longest)" -gt 18000 ]

# TSO goes away in mid-stream: what a flush had in hand is told as lost, all
# that follows is cut by the sink.
s ip link set s0 gso_max_size 65536
BYTES=8000000
stream 2 "" "ethtool -K s0 tso off gso off"
ok "TSO lost on the way: noticed" [ "$(value "$SENT" super_failed)" -gt 0 ]
ok "TSO lost on the way: within one batch" \
	[ "$(value "$SENT" super_failed)" -le 64 ]
ok "TSO lost on the way: what failed is told" [ "$(value "$SENT" unsent)" -gt 0 ]
is "TSO lost on the way: the end arrives" "$(value "$GOT" bytes)" \
	"$(value "$SENT" bytes)"

# What the host itself sends: only where it is asked for.
new_lan
for ask in no yes; do
	ip netns exec "$HOST" "$TOOL" sent lan0 2 $ask >"$DIR/out" \
		2>"$DIR/out.err" &
	p=$!
	PIDS="$PIDS $p"
	wait_for "$DIR/out.err" open
	# An address of its own each: a neighbour that just failed is not asked
	# for again at once.
	h ping -c 1 -W 1 10.9.0.7${#ask} >/dev/null 2>&1
	wait $p
	n=$(cat "$DIR/out")
	if [ $ask = yes ]; then
		ok "the host's own frames are seen and told apart" \
			[ "$n" -gt 0 ]
	else
		is "the host's own frames are not seen unless asked for" "$n" 0
	fi
done

ip netns exec "$HOST" "$TOOL" state h0 10 >"$DIR/state" 2>&1 &
p=$!
PIDS="$PIDS $p"
wait_for "$DIR/state" up
h ip link set h0 down
wait_for "$DIR/state" down
h ip link del h0
wait $p
is "a lost interface is a state" "$(tr '\n' ' ' <"$DIR/state")" \
	"up down gone "
finish
