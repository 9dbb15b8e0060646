/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wrap - A mirror that wraps frames, or changes them as mirrors do
 *
 *   wrap IN OUT [KIND] [v6] [key=N] [cut=BYTES] [twice] [route] [vlan=MAC]
 *        [only=MAC]
 *
 * Every frame of IP that comes in by IN goes out by OUT, wrapped as KIND says
 * (test/lib/wrapping.h), "v6" in a network of IPv6, of the copy at most BYTES.
 * "twice": each is sent a second time, as where both ports of a connection are
 * mirrored; "route": the second time as from behind a router, with other
 * hardware addresses and a TTL one less. "vlan=": frames from this hardware
 * address have a tag. "only=": others are not sent at all.
 *
 * Checksums that a host has left to its device are made, as a switch would have
 * them. A super-frame is lost: the lab has none where this program is used.
 *
 * Prints "ready", and on SIGTERM or SIGINT "frames N lost N".
 */
#include "between.h"
#include "wrapping.h"

#define TAG_LEN 4
#define VLAN	42

struct mirror {
	struct between between;
	bool wraps;
	bool twice;
	bool route;
	bool tags;
	bool some;
	uint8_t tagged[6];
	uint8_t only[6];
	struct wrap wrap;
	unsigned long frames;
};

/* Make the checksum that the host left open. Return: false: it cannot be */
static bool finish(const struct virtio_net_hdr *v, uint8_t *f, size_t len)
{
	size_t from = v->csum_start;
	uint16_t sum;

	if (v->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return false;
	if ((v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
		return true;
	if (from + v->csum_offset + 2 > len)
		return false;
	sum = wrap_sum(f + from, len - from);
	wrap_be16(f + from + v->csum_offset, sum == 0 ? 0xffff : sum);
	return true;
}

static void put(struct mirror *m, const uint8_t *f, size_t len)
{
	static uint8_t out[FRAME_ROOM + WRAP_ROOM];
	size_t n = len;

	if (m->wraps) {
		n = wrap_frame(&m->wrap, out, f, len);
	} else if (m->tags && memcmp(f + 6, m->tagged, 6) == 0) {
		memcpy(out, f, 12);
		wrap_be16(out + 12, 0x8100);
		wrap_be16(out + 14, VLAN);
		memcpy(out + 16, f + 12, len - 12);
		n = len + TAG_LEN;
	} else {
		memcpy(out, f, len);
	}
	if (!m->wraps && m->wrap.cut != 0 && n > m->wrap.cut)
		n = m->wrap.cut;
	if (send(m->between.out, out, n, 0) != (ssize_t)n)
		m->between.lost++;
}

/* What a router makes of a frame. */
static void routed(uint8_t *f)
{
	f[5] ^= 0x40;
	f[11] ^= 0x40;
	if (f[12] == 0x86) {
		f[21]--;
		return;
	}
	f[22]--;
	wrap_be16(f + 24, 0);
	wrap_be16(f + 24, wrap_sum(f + 14, (f[14] & 15) * 4u));
}

static void frame(void *ctx, uint8_t *p, size_t len)
{
	struct mirror *m = ctx;
	struct virtio_net_hdr v;
	uint8_t *f = p + sizeof(v);
	bool ip;

	memcpy(&v, p, sizeof(v));
	len -= sizeof(v);
	ip = len >= 54 && ((f[12] == 0x08 && f[13] == 0x00) ||
			   (f[12] == 0x86 && f[13] == 0xdd));
	if (!ip || (m->some && memcmp(f + 6, m->only, 6) != 0))
		return;
	m->frames++;
	if (!finish(&v, f, len)) {
		m->between.lost++;
		return;
	}
	put(m, f, len);
	if (!m->twice)
		return;
	if (m->route)
		routed(f);
	put(m, f, len);
}

static bool mac(const char *word, const char *name, uint8_t *out, bool *given)
{
	unsigned b[6];
	size_t n = strlen(name);

	if (strncmp(word, name, n) != 0 ||
	    sscanf(word + n, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3],
		   &b[4], &b[5]) != 6)
		return false;
	for (int i = 0; i < 6; i++)
		out[i] = (uint8_t)b[i];
	*given = true;
	return true;
}

static bool kind(struct mirror *m, const char *word)
{
	for (unsigned k = 0; k < WRAP_COUNT; k++) {
		if (strcmp(word, wrap_row[k].name) != 0)
			continue;
		m->wrap.kind = (enum wrap_kind)k;
		m->wraps = true;
		return true;
	}
	return false;
}

static void option(struct mirror *m, const char *w)
{
	unsigned n;

	if (kind(m, w) || mac(w, "vlan=", m->tagged, &m->tags) ||
	    mac(w, "only=", m->only, &m->some))
		return;
	if (sscanf(w, "key=%u", &n) == 1) {
		m->wrap.key = n;
	} else if (sscanf(w, "cut=%u", &n) == 1) {
		m->wrap.cut = n;
	} else if (strcmp(w, "v6") == 0) {
		m->wrap.v6 = true;
	} else if (strcmp(w, "twice") == 0) {
		m->twice = true;
	} else if (strcmp(w, "route") == 0) {
		m->twice = m->route = true;
	} else {
		fprintf(stderr, "wrap: %s?\n", w);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static struct mirror m;

	if (argc < 3) {
		fprintf(stderr, "usage: wrap IN OUT [OPTION...]\n");
		return 2;
	}
	for (int i = 3; i < argc; i++)
		option(&m, argv[i]);
	m.between = (struct between){ .in = between_wire(argv[1], true),
				      .out = between_wire(argv[2], false),
				      .ctx = &m,
				      .frame = frame };
	between_run(&m.between);
	printf("frames %lu lost %lu\n", m.frames, m.between.lost);
	return 0;
}
