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

# As contrib/understudy.service starts it, whatever has been left there before.
unit() {
	ip netns exec "$HOST" setpriv --reuid=65534 --regid=65534 \
		--clear-groups --inh-caps=+net_raw,+net_admin,+bpf \
		--ambient-caps=+net_raw,+net_admin,+bpf \
		--bounding-set=-all,+net_raw,+net_admin,+bpf "$@"
}

chmod 755 "$DIR"
cp "$TOOL" "$DIR/tool"
new_wire
ok "the unit's capabilities set the guard" unit "$DIR/tool" guard attach h0
ok "and once more" unit "$DIR/tool" guard attach h0
is "they see it" "$(unit "$DIR/tool" guard present h0)" 1
ok "and set the link up" unit "$DIR/tool" guard up h0
ok "and lift it" unit "$DIR/tool" guard release h0
is "it is gone" "$(h "$TOOL" guard present h0)" 0

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
is "a route is a use" "$(use h0)" \
	"it has a route that leads out of it"
h ip route del 10.5.0.0/24 dev h0
h ip route add 10.5.0.0/24 nexthop dev lan0 nexthop dev h0
is "a leg of a multipath route is a use" "$(use h0)" \
	"it has a route that leads out of it"
h ip route del 10.5.0.0/24
h ip link add br0 type bridge
h ip link set h0 master br0
is "a master is a use" "$(use h0)" \
	"it belongs to br0"
h ip link set h0 nomaster
h ip link set lan0 down
h ip addr flush dev lan0
is "the other end of a veth pair here is no upper device" "$(use lan0)" \
	"not in use"

# can ARGUMENTS: makes a link; one that this kernel does not know is a skip
can() {
	h ip link add "$@" 2>/dev/null && return 0
	TEST=$((TEST + 1))
	echo "ok $TEST - $* # SKIP this kernel has none"
	return 1
}

# lan0 stands for production's card: a port of br0, with production's address on
# the bridge; lan1 is its cable's other end.
h ip link set lan0 up
h ip addr add 10.9.0.1/24 dev br0
h ip link set lan0 master br0
is "a bridge with an address is a use" "$(use br0)" "it has an address"
h ip addr del 10.9.0.1/24 dev br0
is "a bridge with a port is a use" "$(use br0)" "it has lan0 as its port"
is "so is a veth that leads into it" "$(use lan1)" \
	"lan0, its other end, belongs to br0"
ok "which gets no guard" \
	sh -c "! ip netns exec $HOST $TOOL guard attach lan1 2>/dev/null"
if can link br0 name br0.7 type vlan id 7; then
	is "so is a VLAN on it" "$(use br0.7)" \
		"br0, on which it is built, has lan0 as its port"
	h ip link del br0.7
fi
h ip link set lan0 nomaster
h ip addr add 10.9.0.1/24 dev lan0
is "an address at the other end of a veth is a use" "$(use lan1)" \
	"lan0, its other end, has an address"
for kind in macvlan "ipvlan mode l2" "vlan id 7"; do
	if can link lan0 name up0 type $kind; then
		is "${kind%% *} on an interface with an address is a use" \
			"$(use up0)" \
			"lan0, on which it is built, has an address"
		h ip link del up0
	fi
done
h ip addr flush dev lan0
if can link lan0 name up0 type macvlan; then
	h ip link add link lan0 name up1 type macvlan
	is "a macvlan on a free interface is free" "$(use up0)" "not in use"
	h ip addr add 10.9.0.1/24 dev up1
	is "beside one with an address it is not" "$(use up0)" \
		"up1, which shares a wire with it, has an address"
	h ip link del up1
	h ip link set up0 netns "$SUT"
	is "one whose wire is in another namespace is a use" \
		"$(s "$TOOL" guard use up0)" \
		"it is built on an interface of another namespace"
	s ip link del up0
fi
if can link lan0 name up0 type vlan id 7; then
	h ip link add link lan0 name up1 type vlan id 8
	h ip addr add 10.9.0.1/24 dev up1
	is "a VLAN beside another one with an address is free" "$(use up0)" \
		"not in use"
	h ip link del up0
	h ip link del up1
fi
if can bond0 type bond; then
	h ip link set lan0 down
	h ip link set lan0 master bond0
	is "a bond is a use" "$(use bond0)" "it has lan0 as its port"
	is "and so is its port" "$(use lan0)" "it belongs to bond0"
	h ip link del bond0
fi
if can vx0 type vxlan id 9 remote 10.6.0.2 local 10.6.0.1 dstport 4790 dev lan1
then
	h ip addr add 10.6.0.1/24 dev lan1
	is "VXLAN is a wire of its own" "$(use vx0)" "not in use"
	ok "and takes the guard" h "$TOOL" guard attach vx0
	h ip link del vx0
	h ip addr flush dev lan1
fi
is "a veth whose other end is in another namespace is free" "$(use h0)" \
	"not in use"
is "loopback is never free" "$(use lo)" "it is the loopback interface"
is "no such interface" "$(use nosuch0)" "No such device"
finish
