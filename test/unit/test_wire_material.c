/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_wire_material.c - Captures of other projects through reader and decoder
 *
 * The environment variable MATERIAL names a folder whose subfolders hold .pcap
 * and .pcapng files (tcpdump's and Suricata's own tests among them: many were
 * made to break decoders). Every file must be read to its last byte, and every
 * frame be exactly one thing. The numbers of the table are those of capinfos -c
 * and tshark.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "wire/decode.h"
#include "wire/pcap.h"

#define SLOTS 16

/** struct tally - What a file holds */
struct tally {
	uint64_t frames;
	uint64_t offloaded; /* bad checksums that a device was to fill in */
	uint64_t sum[DECODE_COUNT];
	bool whole; /* read to its last byte */
};

static uint8_t *load(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = NULL;
	long n;

	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) >= 0) {
		rewind(f);
		p = malloc((size_t)n + 1);
		*len = fread(p, 1, (size_t)n, f);
	}
	fclose(f);
	return p;
}

static void one_frame(const struct pcap_reader *r,
		      const struct pcap_record *rec, struct frag_table *t,
		      struct tally *tally)
{
	uint8_t *copy = malloc(rec->cap > 0 ? rec->cap : 1);
	struct frame_info in = {
		.data = copy,
		.cap = rec->cap,
		.wire = rec->wire,
		.ts = rec->ts,
		.link = r->iface[rec->iface].link,
	};
	struct decoded d;
	enum decode_result got;

	memcpy(copy, rec->data, rec->cap);
	got = frame_decode(&in, NULL, rec->ts, &d);
	CHECK(got < DECODE_COUNT);
	got = frame_decode(&in, t, rec->ts, &d);
	CHECK(got < DECODE_COUNT);
	if (got < DECODE_COUNT)
		tally->sum[got]++;
	if (got == DECODE_BAD_IP_CSUM || got == DECODE_BAD_L4_CSUM)
		tally->offloaded += d.offloaded;
	free(copy);
}

static struct tally read_file(const char *path)
{
	static const struct hash_key key = { { 1, 2 } };
	struct arena a = { .size = frag_size(SLOTS) };
	struct tally tally = { 0 };
	struct frag_table *t = NULL;
	struct pcap_reader r;
	struct pcap_record rec;
	size_t len = 0, off = 0;
	uint8_t *p = load(path, &len);
	int64_t n;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	CHECK_ROW(p != NULL && frag_init(&t, &a, SLOTS, &key) == 0, path);
	if (p == NULL || t == NULL)
		return tally;
	pcap_reader_init(&r);
	while ((n = pcap_read(&r, p + off, len - off, &rec)) > 0) {
		off += (size_t)n;
		if (rec.kind == PCAP_FRAME)
			one_frame(&r, &rec, t, &tally);
	}
	tally.whole = n == 0 && off == len;
	tally.frames = r.records;
	free(a.base);
	free(p);
	return tally;
}

static uint64_t sum_of(const struct tally *t)
{
	uint64_t sum = 0;

	for (int i = 0; i < DECODE_COUNT; i++)
		sum += t->sum[i];
	return sum;
}

static bool is_capture(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL &&
	       (strcmp(dot, ".pcap") == 0 || strcmp(dot, ".pcapng") == 0);
}

static uint64_t files;

/* Read the captures of one folder, and of the folders in it. */
static void read_folder(const char *path, int depth)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	char sub[4096];

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		struct tally t;

		if (e->d_name[0] == '.')
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		if (!is_capture(e->d_name)) {
			if (depth > 0)
				read_folder(sub, depth - 1);
			continue;
		}
		t = read_file(sub);
		files++;
		CHECK_ROW(t.whole, sub);
		CHECK_ROW(sum_of(&t) == t.frames, sub);
	}
	closedir(dir);
}

static void test_every_capture(void)
{
	const char *material = getenv("MATERIAL");

	files = 0;
	read_folder(material, 1);
	printf("# %llu captures\n", (unsigned long long)files);
	CHECK(files > 0);
}

static void test_known_captures(void)
{
	static const struct {
		const char *name;
		uint64_t frames, tcp, udp, icmp, offloaded;
	} rows[] = {
		{ "tcpreplay-prep/test.pcap", 179, 114, 27, 11, 1 },
		{ "suricata-verify/tcp-fastopen-03__tfo.pcap", 14, 14, 0, 0,
		  0 },
		{ "suricata-verify/websocket-control-frag__input.pcap", 15, 15,
		  0, 0, 0 },
		{ "suricata-verify/defrag__bug-6887-defrag-ipv6-tcp__"
		  "frag-ip-tcp.pcap",
		  3, 1, 0, 0, 0 },
		{ "suricata-verify/exception-policy-defrag-01__ipv4frags.pcap",
		  3, 0, 0, 2, 0 },
		{ "suricata-verify/http2-continuation__input.pcap", 30, 0, 0, 0,
		  30 },
		{ "packetdrill/blocking_blocking-connect.pcap", 5, 2, 0, 0, 3 },
		{ "tcpdump/bgp-role.pcapng", 9, 4, 0, 0, 5 },
		{ "tcpdump/bgp-shutdown-communication.pcapng", 2, 2, 0, 0, 0 },
		{ "tcpdump/empty.pcapng", 0, 0, 0, 0, 0 },
	};
	char path[4096];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tally t;

		snprintf(path, sizeof(path), "%s/%s", getenv("MATERIAL"),
			 rows[i].name);
		t = read_file(path);
		CHECK_ROW(t.frames == rows[i].frames, rows[i].name);
		CHECK_ROW(t.sum[DECODE_TCP] == rows[i].tcp, rows[i].name);
		CHECK_ROW(t.sum[DECODE_UDP] == rows[i].udp, rows[i].name);
		CHECK_ROW(t.sum[DECODE_ICMP] == rows[i].icmp, rows[i].name);
		CHECK_ROW(t.offloaded == rows[i].offloaded, rows[i].name);
	}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "every capture", test_every_capture },
		{ "known captures", test_known_captures },
	};

	if (getenv("MATERIAL") == NULL) {
		printf("1..0 # SKIP no MATERIAL\n");
		return 0;
	}
	return check_main(tests, ARRAY_SIZE(tests));
}
