/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_guard_use.c - Hosts made of a few interfaces, and which of these are free
 */
#include <stdio.h>
#include <string.h>

#include "bpf/guard_use.h"
#include "check.h"

static struct guard_link table[8];
static struct guard_links host = { table, 0, 8 };

static void clear(void)
{
	memset(table, 0, sizeof(table));
	host.n = 0;
}

/* @below is only looked at if @kind is not NULL. */
static struct guard_link *add(const char *name, const char *kind, int below)
{
	struct guard_link *l = &table[host.n++];

	l->index = (int)host.n;
	memcpy(l->name, name, strlen(name) + 1);
	if (kind) {
		l->below = below;
		l->bind = guard_bind_of(kind);
	}
	return l;
}

/* What is said of the interface that was added @n-th. */
static const char *said(int n)
{
	static char text[GUARD_WHY_TEXT];
	struct guard_why why;

	if (guard_judge(&host, n, &why))
		return "gone";
	return guard_why_text(&why, text);
}

static void is(int n, const char *want)
{
	const char *got = said(n);

	if (strcmp(got, want) != 0)
		printf("# got '%s', wanted '%s'\n", got, want);
	CHECK(strcmp(got, want) == 0);
}

static void alone_it_is_free(void)
{
	clear();
	add("eth0", NULL, 0);
	is(1, "not in use");
	is(2, "gone");
	table[0].route = true;
	is(1, "it has a route that leads out of it");
	table[0].address = true;
	is(1, "it has an address");
	table[0].loopback = true;
	is(1, "it is the loopback interface");
}

static void a_bond_and_its_ports_are_used(void)
{
	clear();
	add("bond0", NULL, 0);
	add("eth0", NULL, 0)->master = 1;
	add("bond0.5", "vlan", 1);
	is(1, "it has eth0 as its port");
	is(2, "it belongs to bond0");
	is(3, "bond0, on which it is built, has eth0 as its port");
	table[1].master = 77; /* not in the table, as after a race */
	is(2, "it belongs to another");
}

static void a_vlan_is_as_what_is_below(void)
{
	clear();
	add("eth0", NULL, 0);
	add("eth0.5", "vlan", 1);
	add("eth0.6", "vlan", 1)->address = true;
	add("eth0.5.7", "vlan", 2);
	is(2, "it carries eth0.5.7, which is built on it");
	is(4, "not in use");
	is(1, "it carries eth0.5, which is built on it");
	table[0].address = true;
	is(4, "eth0, on which it is built, has an address");
	table[0].address = false;
	add("br0", NULL, 0);
	table[0].master = 5;
	is(4, "eth0, on which it is built, belongs to br0");
}

static void macvlans_share_a_wire(void)
{
	static const char *const kind[] = { "macvlan", "macvtap", "ipvlan",
					    "ipvtap" };

	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		clear();
		add("eth0", NULL, 0);
		add("mv0", kind[i], 1);
		add("mv1", kind[i], 1);
		is(2, "not in use");
		table[2].route = true;
		is(2, "mv1, which shares a wire with it, has a route that "
		      "leads out of it");
		table[2].route = false;
		add("mv1.5", "vlan", 3);
		is(2, "mv1, which shares a wire with it, carries mv1.5, which "
		      "is built on it");
	}
}

static void what_is_below_may_be_hidden(void)
{
	clear();
	add("mv0", "macvlan", 9)->foreign = true;
	add("v0", "veth", 9)->foreign = true;
	add("vx0", "vxlan", 9)->foreign = true;
	is(1, "it is built on an interface of another namespace");
	is(2, "not in use");
	is(3, "not in use");
}

static void the_other_end_of_a_pair_counts(void)
{
	clear();
	add("v0", "veth", 2);
	add("v1", "veth", 1);
	add("ovs-system", NULL, 0);
	is(1, "not in use");
	table[1].master = 3;
	is(1, "v1, its other end, belongs to ovs-system");
	is(2, "it belongs to ovs-system");
	table[1].master = 0;
	add("mv0", "macvlan", 2);
	is(1, "v1, its other end, carries mv0, which is built on it");
}

static void tunnels_are_wires_of_their_own(void)
{
	static const char *const kind[] = { "vxlan", "geneve", "gretap",
					    "ip6gretap", "erspan" };

	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		clear();
		add("eth0", NULL, 0)->address = true;
		add("t0", kind[i], 1);
		is(2, "not in use");
	}
}

static void a_port_of_open_vswitch_is_used(void)
{
	clear();
	add("br-int", NULL, 0)->ovs = true;
	is(1, "it is a port of Open vSwitch");
}

static void rings_of_links_end(void)
{
	clear();
	add("a0", "vlan", 2);
	add("b0", "vlan", 1);
	is(1, "it carries b0, which is built on it");
	table[1].bind = BIND_NONE;
	table[1].below = 0;
	table[0].below = 1;
	is(1, "a0, on which it is built, is built on an interface of another "
	      "namespace");
}

static const struct check_test tests[] = {
	{ "alone it is free", alone_it_is_free },
	{ "a bond and its ports are used", a_bond_and_its_ports_are_used },
	{ "a vlan is as what is below", a_vlan_is_as_what_is_below },
	{ "macvlans share a wire", macvlans_share_a_wire },
	{ "what is below may be hidden", what_is_below_may_be_hidden },
	{ "the other end of a pair counts", the_other_end_of_a_pair_counts },
	{ "tunnels are wires of their own", tunnels_are_wires_of_their_own },
	{ "a port of open vswitch is used", a_port_of_open_vswitch_is_used },
	{ "rings of links end", rings_of_links_end },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
