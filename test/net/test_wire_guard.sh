#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The guard: what a wire says without it and with it. Every silence that is
# claimed is first heard as noise, so that a deaf test cannot pass.

IDLE="a few frames a second"
. "$(dirname "$0")/wire_lib.sh"

# Does the host answer ARP on the SUT's wire for its address on the LAN?
arp_answered() {
	s ip neigh flush dev s0
	s ping -c 1 -W 1 10.9.0.1 >/dev/null 2>&1
	s ip neigh show 10.9.0.1 | grep -q lladdr
}

arp_silent() { ! arp_answered; }

sut_up() {
	s ip link set s0 up
	s ip addr replace 10.72.0.20/24 dev s0
	s ip route replace 10.9.0.1 dev s0
}

# Frames that reach the SUT in 4 s after a command has set h0 up
frames_on_up() {
	s ip link set s0 up
	ip netns exec "$SUT" "$TOOL" count s0 4 >"$DIR/count" 2>"$DIR/count.err" &
	local p=$!
	PIDS="$PIDS $p"
	wait_for "$DIR/count.err" open
	"$@"
	wait $p
	cat "$DIR/count"
}

use() { h "$TOOL" guard use "$1"; }

new_lan
new_wire
n=$(frames_on_up h ip link set h0 up)
echo "# $n frames on up without the guard"
ok "without the guard a link that comes up speaks" [ "$n" -gt 0 ]
sut_up
ok "without the guard the host answers ARP for its LAN address" arp_answered

new_wire
is "a new interface is not in use" "$(use h0)" "not in use"
ok "an unguarded interface is not set up" \
	sh -c "! ip netns exec $HOST $TOOL guard up h0 2>/dev/null"
ok "the guard attaches" h "$TOOL" guard attach h0
ok "once more is no error" h "$TOOL" guard attach h0
is "it is there" "$(h "$TOOL" guard present h0)" 1
n=$(frames_on_up h "$TOOL" guard up h0)
is "with the guard nothing is said on up" "$n" 0
is "the link is up" "$(h cat /sys/class/net/h0/operstate)" up
sut_up
ok "with the guard ARP is not answered" arp_silent
is "an IPv6 link-local address is no use" "$(use h0)" "not in use"

h "$TOOL" guard release h0
is "after release it is gone" "$(h "$TOOL" guard present h0)" 0
is "and so is its qdisc" "$(h tc qdisc show dev h0 | grep -c clsact)" 0
ok "after release ARP is answered again" arp_answered

ip netns exec "$HOST" "$TOOL" guard hold h0 >"$DIR/held" 2>&1 &
PIDS="$PIDS $!"
p=$!
wait_for "$DIR/held" held
kill -9 $p
wait $p 2>/dev/null
is "the process that set it is dead" "$?" 137
is "after kill -9 of its process it is there" \
	"$(h "$TOOL" guard present h0)" 1
ok "and ARP is not answered" arp_silent

h tc filter add dev h0 ingress prio 9 protocol ip u32 match u32 0 0 flowid 1:1
h "$TOOL" guard release h0
is "somebody's filter keeps the qdisc" \
	"$(h tc qdisc show dev h0 | grep -c clsact)" 1
h tc qdisc del dev h0 clsact
h tc qdisc add dev h0 clsact
h tc filter add dev h0 ingress prio 1 protocol ip u32 match u32 0 0 flowid 1:1
ok "a priority that is taken is an error" \
	sh -c "! ip netns exec $HOST $TOOL guard attach h0 2>/dev/null"
is "of which nothing stays" "$(h "$TOOL" guard present h0)" 0

new_wire
h ip link set h0 up
h ip addr add 10.8.0.1/24 dev h0
is "an address is a use" "$(use h0)" "it has an address"
ok "an interface in use is refused" \
	sh -c "! ip netns exec $HOST $TOOL guard attach h0 2>/dev/null"
is "and not changed" "$(h tc qdisc show dev h0 | grep -c clsact)" 0
h ip addr del 10.8.0.1/24 dev h0
is "without it it is free again" "$(use h0)" "not in use"
h ip addr add fd00::1/64 dev h0
is "an IPv6 address is a use" "$(use h0)" "it has an address"
h ip addr del fd00::1/64 dev h0
h ip route add 10.5.0.0/24 dev h0
is "a route is a use" "$(use h0)" "a route leads out of it"
h ip route del 10.5.0.0/24 dev h0
h ip route add 10.5.0.0/24 nexthop dev lan0 nexthop dev h0
is "a leg of a multipath route is a use" "$(use h0)" "a route leads out of it"
h ip route del 10.5.0.0/24
h ip link add br0 type bridge
h ip link set h0 master br0
is "a master is a use" "$(use h0)" \
	"it belongs to a bridge, bond or other master"
h ip link set h0 nomaster
h ip link set lan0 down
h ip addr flush dev lan0
is "the other end of a veth pair here is no upper device" "$(use lan0)" \
	"not in use"
if h ip link add link h0 name mv0 type macvlan 2>/dev/null; then
	is "an interface built on it is a use" "$(use h0)" \
		"another interface is built on it"
else
	TEST=$((TEST + 1))
	echo "ok $TEST - an upper device # SKIP no macvlan in this kernel"
fi
is "loopback is never free" "$(use lo)" "it is the loopback interface"
is "no such interface" "$(use nosuch0)" "No such device"
finish
