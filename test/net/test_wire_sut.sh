#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# sutwire, ring and sink against a real stack on the other end of the wire.

IDLE="a few frames a second"
. "$(dirname "$0")/wire_lib.sh"

ready() { h "$TOOL" ready h0 "$1" "$2" "$3"; }

new_lan
new_wire
h "$TOOL" guard attach h0
h "$TOOL" guard up h0
s ip link set lo up
s ip link set s0 up
s ip addr add 10.72.0.20/24 dev s0
s ip -6 addr add fd72::20/64 dev s0 nodad
s ip route add default via 10.72.0.1
s ip -6 route add default via fd72::1
sleep 0.5

is "a closed port proves the wire" "$(ready 10.72.0.20 80 5)" \
	"ready, not stopped, synack 0 rst 1 refused 0"
is "a closed port proves the wire, IPv6" "$(ready fd72::20 80 5)" \
	"ready, not stopped, synack 0 rst 1 refused 0"

for ip in 10.72.0.20 fd72::20; do
	ip netns exec "$SUT" "$TOOL" listen $ip 80 >"$DIR/listen.$ip" 2>&1 &
	PIDS="$PIDS $!"
	wait_for "$DIR/listen.$ip" listening
	is "a server answers, $ip" "$(ready $ip 80 5)" \
		"ready, not stopped, synack 1 rst 0 refused 0"
done
sleep 0.2
is "no half-open connection stays at it" \
	"$(s cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == "03"' | wc -l)" 0

is "an address that nobody has" "$(ready 10.72.0.99 80 1)" \
	"hardware address not known yet, not stopped, synack 0 rst 0 refused 0"

s ip route del default
is "a SUT without a way to the world" "$(ready 10.72.0.20 80 6)" \
	"probe not answered, not stopped, synack 0 rst 0 refused 0"
s ip route add default via 10.72.0.1

# Its answers leave by another interface: the wire is not the only one.
ip -n "$SUT" link add out0 type veth peer name out1
s ip addr add 10.6.0.2/24 dev out0
s ip link set out0 up
s ip link set out1 up
s ip route add 198.18.0.0/15 dev out0
is "a SUT whose answers leave elsewhere" "$(ready 10.72.0.20 80 6)" \
	"probe not answered, not stopped, synack 0 rst 0 refused 0"
s ip route del 198.18.0.0/15

finish
