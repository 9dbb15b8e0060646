/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_tool.c - What the tests of guard, rings and sinks run in a namespace
 *
 * wire_tool guard attach|hold|present|release|use|up IF
 * wire_tool send IF DST_MAC BYTES [COMMAND]  a TCP stream in frames of all
 *				sizes; COMMAND is run when half of it is sent
 * wire_tool recv IF 2|3 SECONDS [FILTER]   read such a stream and check it
 * wire_tool count IF SECONDS           frames that come in
 * wire_tool sent IF SECONDS yes|no     frames that go out, asked for or not
 * wire_tool state IF SECONDS           changes of the interface
 * wire_tool tagged IF                  one frame with an 802.1Q tag
 * wire_tool ready IF IP PORT SECONDS   run sutwire until it is ready
 * wire_tool listen IP PORT             a server that accepts and says nothing
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/guard.h"
#include "capture/ring.h"
#include "match/filter.h"
#include "core/bytes.h"
#include "emit/packet.h"
#include "lan/sutwire.h"
#include "os/clock.h"
#include "os/mem.h"
#include "os/privileges.h"

#define STREAM_PORT 4242
#define STREAM_MSS  1448
#define STREAM_TOP  65000

static struct errbuf err;

static int complain(int rc)
{
	if (rc < 0)
		fprintf(stderr, "wire_tool: %s (%d)\n", err.s, rc);
	return rc < 0 ? 1 : 0;
}

static int guard_main(const char *what, const char *ifname)
{
	char text[GUARD_WHY_TEXT];
	struct guard_why why;
	int rc;

	if (strcmp(what, "attach") == 0)
		return complain(guard_attach(ifname, &err));
	if (strcmp(what, "release") == 0)
		return complain(guard_release(ifname, &err));
	if (strcmp(what, "up") == 0)
		return complain(guard_link_up(ifname, &err));
	if (strcmp(what, "present") == 0) {
		rc = guard_present(ifname);
		printf("%d\n", rc);
		return 0;
	}
	if (strcmp(what, "use") == 0) {
		rc = guard_in_use(ifname, &why);
		printf("%s\n", rc ? strerror(-rc) : guard_why_text(&why, text));
		return 0;
	}
	rc = guard_attach(ifname, &err);
	if (rc == 0) {
		printf("held\n");
		fflush(stdout);
		clock_pause(60 * NS_PER_SEC);
	}
	return complain(rc);
}

/* What the byte with this sequence number is. */
static uint8_t pattern(uint32_t seq)
{
	return (uint8_t)((seq * 2654435761u) >> 24);
}

static uint32_t sent;
static uint32_t unsent;

static void on_done(void *ctx, uint64_t cookie, int rc)
{
	(void)ctx;
	(void)cookie;
	if (rc)
		unsent++;
	else
		sent++;
}

static int device_mac(const char *ifname, uint8_t *mac)
{
	struct ring r;
	struct ring_opts o = { .ifname = ifname,
			       .version = RING_V2,
			       .bytes = 1 << 16 };
	int rc = ring_open(&r, &o, &err);

	if (rc)
		return rc;
	rc = ring_mac(&r, mac);
	ring_close(&r);
	return rc;
}

static int parse_mac(const char *s, uint8_t *mac)
{
	return sscanf(s, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2,
		      mac + 3, mac + 4, mac + 5) == 6
		       ? 0
		       : -EINVAL;
}

/* Lengths from one byte to far more than one super-frame holds. */
static uint32_t piece_len(uint32_t i)
{
	static const uint32_t len[] = { 1,   100,  1448,  64000,  255,
					256, 2896, 20000, 150000, 1000 };

	return len[i % (sizeof(len) / sizeof(len[0]))];
}

/*
 * An upload in segments, as a card that merges nothing shows it: requests of 14
 * full segments and a short one that bears PSH; every second request acks more.
 */
static uint32_t upload_len(struct tcp_header *h, uint32_t i)
{
	h->flags = TCP_ACK;
	h->ack = i / 30;
	if (i % 15 != 14)
		return STREAM_MSS;
	h->flags |= TCP_PSH;
	return 500;
}

static int send_all(struct sink_packet *p, struct tcp_header *h,
		    const uint8_t *data, uint32_t bytes, const char *command)
{
	bool upload = command && strcmp(command, "upload") == 0;
	uint32_t flush = upload ? 60 : 10;
	int rc = 0;

	if (upload)
		command = NULL;
	for (uint32_t i = 0; rc == 0 && h->seq < bytes; i++) {
		uint32_t len = upload ? upload_len(h, i) : piece_len(i);

		if (command && h->seq > bytes / 2) {
			sink_flush(&p->sink);
			rc = system(command);
			command = NULL;
		}
		if (rc == 0)
			rc = sink_tcp(&p->sink, h, data + h->seq, len,
				      len > STREAM_MSS ? STREAM_MSS : 0, i);
		h->seq += len;
		/* Not faster than a reader on the same processor. */
		if (i % flush == flush - 1) {
			sink_flush(&p->sink);
			clock_pause(2 * NS_PER_MS);
		}
	}
	return rc;
}

static int send_main(const char *ifname, const char *dst, uint32_t bytes,
		     const char *command)
{
	static const uint8_t sip[4] = { 10, 1, 2, 3 };
	static const uint8_t dip[4] = { 10, 4, 5, 6 };
	struct emit_dest d = { .ip = ipaddr_from4(dip), .known = true };
	struct tcp_header h = { .src = ipaddr_from4(sip),
				.dst = d.ip,
				.sport = 999,
				.dport = STREAM_PORT,
				.flags = TCP_ACK | TCP_PSH,
				.ttl = 64 };
	uint8_t dev[6] = { 0 };
	struct sink_packet p;
	uint8_t *data = malloc(bytes + 200000);
	int rc = data ? device_mac(ifname, dev) : -ENOMEM;

	for (uint32_t i = 0; data && i < bytes + 200000; i++)
		data[i] = pattern(i);
	packet_private_mac(h.eth_src, dev);
	if (rc == 0)
		rc = parse_mac(dst, d.mac);
	memcpy(h.eth_dst, d.mac, 6);
	if (rc == 0)
		rc = packet_open(&p, ifname, h.eth_src, &d, 1, on_done, NULL,
				 &err);
	if (rc == 0)
		rc = send_all(&p, &h, data, bytes, command);
	h.eth_dst[5] ^= 1;
	if (rc == 0 && sink_tcp(&p.sink, &h, data, 1, 0, 0) != -EPERM)
		rc = -ENOTRECOVERABLE;
	if (rc == 0)
		sink_flush(&p.sink);
	free(data);
	if (rc)
		return complain(rc);
	printf("bytes %u sent %u unsent %u frames %llu refused %llu "
	       "super_failed %llu\n",
	       h.seq, sent, unsent, (unsigned long long)p.sink.stats.frames,
	       (unsigned long long)p.sink.stats.refused,
	       (unsigned long long)p.super_failed);
	sink_close(&p.sink);
	return 0;
}

/* What a reader of a stream saw. */
struct seen {
	uint32_t next;
	uint32_t frames;
	uint32_t supers; /* longer than an Ethernet frame */
	uint32_t gso;	 /* of these, with the right segment size */
	uint32_t longest;
	uint32_t bad; /* out of order, wrong bytes, cut, does not decode */
	uint32_t tagged;
	uint32_t offloaded;
	uint32_t pushes;
	uint32_t acked; /* frames whose ack is more than the one's before */
	uint32_t ack;
};

static void look(struct seen *s, const struct ring_frame *f)
{
	struct frame_info i = f->info;
	struct decoded d;
	bool wrong = false;

	s->tagged += f->has_vlan && f->vlan_tci == 5 && f->vlan_tpid == 0x8100;
	if (frame_decode(&i, NULL, 0, &d) != DECODE_TCP ||
	    d.seg.dport != STREAM_PORT) {
		/* The host under test may say other things; not for here. */
		return;
	}
	s->frames++;
	s->offloaded += i.csum_ok;
	s->pushes += (d.seg.flags & TCP_PSH) != 0;
	s->acked += d.seg.ack == s->ack + 1;
	s->ack = d.seg.ack;
	if (i.wire > 1514) {
		s->supers++;
		s->gso += i.gso == STREAM_MSS;
	}
	if (i.wire > s->longest)
		s->longest = i.wire;
	for (uint32_t k = 0; k < d.seg.cap && !wrong; k++)
		wrong = d.seg.data[k] != pattern(d.seg.seq + k);
	if (wrong || d.seg.seq != s->next || d.seg.cap != d.seg.len)
		s->bad++;
	s->next = d.seg.seq + d.seg.len;
}

/* A ring that grows, and has room for all of a stream before it does: nothing is
 * read until then.
 */
#define GROW_FROM (4u << 20)
#define GROW_TO	  (8u << 20)

static int recv_main(const char *ifname, const char *how, unsigned seconds,
		     const char *expr)
{
	bool grows = strcmp(how, "grow") == 0;
	struct ring_opts o = { .ifname = ifname,
			       .version = strcmp(how, "3") == 0 ? RING_V3
								: RING_V2,
			       .bytes = grows ? GROW_FROM : 0,
			       .most = grows ? GROW_TO : 0,
			       .promisc = true };
	struct filter filter = { .own = NULL };
	struct ring_frame f;
	struct seen s = { .next = 0 };
	struct ring r;
	uint64_t end = clock_mono() + seconds * NS_PER_SEC;
	int rc = expr ? filter_compile(&filter, expr, LINK_ETHERNET, &err) : 0;

	if (rc == 0) {
		o.filter = expr ? &filter.prog : NULL;
		rc = ring_open(&r, &o, &err);
	}
	/* All that follows must work without any privilege. */
	if (rc == 0)
		rc = privileges_drop("nobody", &err);
	if (rc)
		return complain(rc);
	fprintf(stderr, "open\n");
	while (grows && (ring_grow(&r) & RING_GREW) == 0 && clock_mono() < end)
		clock_pause(NS_PER_MS);
	while (clock_mono() < end) {
		ring_wait(&r, 50);
		while (ring_next(&r, &f)) {
			look(&s, &f);
			ring_done(&r);
		}
	}
	printf("bytes %u frames %u supers %u gso %u longest %u bad %u "
	       "tagged %u offloaded %u pushes %u acked %u drops %llu cut "
	       "%llu grown %llu former %d\n",
	       s.next, s.frames, s.supers, s.gso, s.longest, s.bad, s.tagged,
	       s.offloaded, s.pushes, s.acked,
	       (unsigned long long)ring_stats(&r)->drops,
	       (unsigned long long)r.stats.cut,
	       (unsigned long long)r.stats.grown,
	       r.former[0].map != NULL || r.former[1].map != NULL);
	ring_close(&r);
	filter_free(&filter);
	return 0;
}

static int count_main(const char *ifname, unsigned seconds, bool sent_ones,
		      bool ask)
{
	struct ring_opts o = { .ifname = ifname,
			       .version = RING_V2,
			       .promisc = true,
			       .outgoing = ask };
	struct ring r;
	struct ring_frame f;
	uint32_t n = 0;
	int rc = ring_open(&r, &o, &err);

	if (rc)
		return complain(rc);
	fprintf(stderr, "open\n");
	clock_pause(seconds * NS_PER_SEC);
	while (ring_next(&r, &f)) {
		n += f.outgoing == sent_ones;
		ring_done(&r);
	}
	printf("%u\n", n);
	ring_close(&r);
	return 0;
}

static int state_main(const char *ifname, unsigned seconds)
{
	static const char *const text[] = { "up", "down", "gone" };
	struct ring_opts o = { .ifname = ifname, .version = RING_V2 };
	struct ring r;
	int last = -1;
	uint64_t end = clock_mono() + seconds * NS_PER_SEC;
	int rc = ring_open(&r, &o, &err);

	if (rc)
		return complain(rc);
	while (clock_mono() < end && last != RING_GONE) {
		int now = (int)ring_state(&r);

		if (now != last)
			printf("%s\n", text[now]);
		fflush(stdout);
		last = now;
		clock_pause(20 * NS_PER_MS);
	}
	ring_close(&r);
	return 0;
}

static int tagged_main(const char *ifname)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET };
	uint8_t f[64] = { 255, 255, 255, 255,  255, 255, 2, 9,	  9,
			  9,   9,   9,	 0x81, 0,   0,	 5, 0x88, 0xb5 };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	int one = 1;

	/* Round the guard. */
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	a.sll_ifindex = (int)if_nametoindex(ifname);
	return sendto(fd, f, sizeof(f), 0, (const struct sockaddr *)&a,
		      sizeof(a)) == (ssize_t)sizeof(f)
		       ? 0
		       : 1;
}

static struct ipaddr parse_ip(const char *s)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, s, b) == 1)
		return ipaddr_from4(b);
	if (inet_pton(AF_INET6, s, b) != 1)
		memset(b, 0, sizeof(b));
	return ipaddr_from6(b);
}

static void carry_out(struct sink *k, const struct sutwire *w,
		      const struct effects *out)
{
	for (uint32_t i = 0; i < out->n; i++) {
		const struct effect *e = &out->e[i];
		struct tcp_header h = { .src = e->src,
					.dst = e->dst,
					.sport = e->sport,
					.dport = e->dport,
					.seq = e->seq,
					.ack = e->ack,
					.flags = e->flags,
					.ttl = e->ttl,
					.win = e->win,
					.optlen = e->optlen,
					.opts = e->opts };

		if (e->kind == EFFECT_RAW) {
			sink_raw(k, e->raw, e->rawlen, 0);
			continue;
		}
		sink_pin(k, &e->dst, sutwire_mac(w, 0));
		memcpy(h.eth_src, k->mac, 6);
		memcpy(h.eth_dst, sutwire_mac(w, 0), 6);
		sink_tcp(k, &h, NULL, 0, 0, 0);
	}
	sink_flush(k);
}

static void ready_loop(struct sutwire *w, struct ring *r, struct sink *k,
		       uint64_t end)
{
	struct effects out;
	struct ring_frame f;
	struct decoded d;

	while (clock_mono() < end && !sutwire_ready(w, 0) &&
	       sutwire_stop(w)->reason == SUTWIRE_GOING) {
		out.n = 0;
		sutwire_timeout(w, clock_mono(), &out);
		carry_out(k, w, &out);
		ring_wait(r, 10);
		while (ring_next(r, &f)) {
			enum decode_result res =
				frame_decode(&f.info, NULL, 0, &d);

			out.n = 0;
			sutwire_frame(w, &f.info, res, &d, clock_mono(), &out);
			ring_done(r);
			/* After an answer was learnt it may be pinned. */
			if (sutwire_mac(w, 0))
				sink_pin(k, &k->dest[0].ip, sutwire_mac(w, 0));
			carry_out(k, w, &out);
		}
	}
}

static int ready_main(const char *ifname, const char *ip, uint16_t port,
		      unsigned seconds)
{
	struct ring_opts o = { .ifname = ifname,
			       .version = RING_V2,
			       .bytes = RING_SUT_BYTES,
			       .promisc = true };
	struct sutwire_sut sut = { .ip = parse_ip(ip), .port = port };
	struct sutwire_cfg cfg = { .sut = &sut, .suts = 1, .seed = 1 };
	struct emit_dest dest = { .ip = sut.ip };
	struct sink_packet p;
	struct sutwire *w;
	struct arena a;
	struct ring r;
	uint8_t dev[6] = { 0 };
	int rc = guard_present(ifname) == 1 ? 0 : -EPERM;

	if (rc == 0)
		rc = ring_open(&r, &o, &err);
	if (rc == 0)
		rc = ring_mac(&r, dev);
	packet_private_mac(cfg.mac, dev);
	if (rc == 0)
		rc = packet_open(&p, ifname, cfg.mac, &dest, 1, on_done, NULL,
				 &err);
	if (rc == 0)
		rc = mem_take(&a, sutwire_size(), MEM_TOUCH);
	if (rc == 0)
		rc = sutwire_init(&w, &a, &cfg, clock_mono());
	if (rc)
		return complain(rc);
	ready_loop(w, &r, &p.sink, clock_mono() + seconds * NS_PER_SEC);
	printf("%s, %s, synack %llu rst %llu refused %llu\n",
	       sutwire_state_text(sutwire_state(w, 0)),
	       sutwire_stop_text(sutwire_stop(w)->reason),
	       (unsigned long long)sutwire_stats(w)->probe_synack,
	       (unsigned long long)sutwire_stats(w)->probe_rst,
	       (unsigned long long)p.sink.stats.refused);
	sink_close(&p.sink);
	ring_close(&r);
	mem_give(&a);
	return 0;
}

static int listen_main(const char *ip, uint16_t port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = htons(port) };
	bool is4 = inet_pton(AF_INET, ip, &four.sin_addr) == 1;
	int fd = socket(is4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
	int rc;

	if (!is4 && inet_pton(AF_INET6, ip, &six.sin6_addr) != 1)
		return 1;
	rc = is4 ? bind(fd, (const struct sockaddr *)&four, sizeof(four))
		 : bind(fd, (const struct sockaddr *)&six, sizeof(six));
	if (rc || listen(fd, 16))
		return 1;
	printf("listening\n");
	fflush(stdout);
	clock_pause(60 * NS_PER_SEC);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 4 && strcmp(what, "guard") == 0)
		return guard_main(argv[2], argv[3]);
	if ((argc == 5 || argc == 6) && strcmp(what, "send") == 0)
		return send_main(argv[2], argv[3],
				 (uint32_t)strtoul(argv[4], NULL, 10),
				 argc == 6 ? argv[5] : NULL);
	if ((argc == 5 || argc == 6) && strcmp(what, "recv") == 0)
		return recv_main(argv[2], argv[3], (unsigned)atoi(argv[4]),
				 argc == 6 ? argv[5] : NULL);
	if (argc == 4 && strcmp(what, "count") == 0)
		return count_main(argv[2], (unsigned)atoi(argv[3]), false,
				  false);
	if (argc == 5 && strcmp(what, "sent") == 0)
		return count_main(argv[2], (unsigned)atoi(argv[3]), true,
				  argv[4][0] == 'y');
	if (argc == 4 && strcmp(what, "state") == 0)
		return state_main(argv[2], (unsigned)atoi(argv[3]));
	if (argc == 3 && strcmp(what, "tagged") == 0)
		return tagged_main(argv[2]);
	if (argc == 6 && strcmp(what, "ready") == 0)
		return ready_main(argv[2], argv[3], (uint16_t)atoi(argv[4]),
				  (unsigned)atoi(argv[5]));
	if (argc == 4 && strcmp(what, "listen") == 0)
		return listen_main(argv[2], (uint16_t)atoi(argv[3]));
	fprintf(stderr, "wire_tool: see the head of wire_tool.c\n");
	return 2;
}
