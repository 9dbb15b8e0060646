/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_wire_pcap.c - Unit test of wire/pcap.h
 *
 * Files are written by hand in either byte order and read from heap copies of
 * their exact size; every shorter window must be refused with 0 and leave the
 * reader as it was.
 */
#include "wire/pcap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"

#define NSEC UINT64_C(1000000000)

/* A file under construction. */
static uint8_t file[70000];
static size_t used;
static bool big;

static void w16(uint16_t v)
{
	if (big)
		put_be16(file + used, v);
	else
		put_le16(file + used, v);
	used += 2;
}

static void w32(uint32_t v)
{
	if (big)
		put_be32(file + used, v);
	else
		put_le32(file + used, v);
	used += 4;
}

static void wbytes(const char *p, size_t n)
{
	memcpy(file + used, p, n);
	memset(file + used + n, 0, 3);
	used += (n + 3) / 4 * 4;
}

static void woption(uint16_t code, const char *p, size_t n)
{
	w16(code);
	w16((uint16_t)n);
	wbytes(p, n);
}

static void start(bool be)
{
	used = 0;
	big = be;
}

/* Blocks: remember where one began, close it with both lengths. */
static size_t open_block(uint32_t type)
{
	size_t at = used;

	w32(type);
	w32(0);
	return at;
}

static void close_block(size_t at)
{
	size_t end = used;

	used = at + 4;
	w32((uint32_t)(end - at + 4));
	used = end;
	w32((uint32_t)(end - at + 4));
}

static void shb(void)
{
	size_t at = open_block(0x0a0d0d0a);

	w32(0x1a2b3c4d);
	w16(1);
	w16(0);
	w32(UINT32_MAX);
	w32(UINT32_MAX);
	close_block(at);
}

static void idb(uint16_t link, uint32_t snaplen)
{
	size_t at = open_block(1);

	w16(link);
	w16(0);
	w32(snaplen);
	close_block(at);
}

/* An interface whose clock is set by options. */
static void idb_clock(uint8_t resol, int64_t offset)
{
	size_t at = open_block(1);
	const char r[1] = { (char)resol };

	w16(1);
	w16(0);
	w32(0);
	woption(2, "a-name-of-twenty-xyz", 20);
	woption(9, r, 1);
	woption(8, "\3", 1);   /* no clock: another option of that length, */
	woption(9, "\3\3", 2); /* and one of another length */
	w16(14);
	w16(8);
	if (big)
		w32((uint32_t)((uint64_t)offset >> 32));
	w32((uint32_t)offset);
	if (!big)
		w32((uint32_t)((uint64_t)offset >> 32));
	woption(0, "", 0);
	close_block(at);
}

static void epb(uint32_t iface, uint64_t t, const char *p, uint32_t cap,
		uint32_t wire)
{
	size_t at = open_block(6);

	w32(iface);
	w32((uint32_t)(t >> 32));
	w32((uint32_t)t);
	w32(cap);
	w32(wire);
	wbytes(p, cap);
	close_block(at);
}

static struct pcap_reader reader;
static struct pcap_record rec;
static uint8_t *window; /* exact copy; rec points into it */
static size_t at_byte;

/* Take the next record, trying every shorter window first. */
static int64_t next(void)
{
	struct pcap_reader was = reader;
	size_t left = used - at_byte;
	size_t step = left > 4000 ? left / 100 : 1;
	int64_t n;

	free(window);
	window = malloc(left > 0 ? left : 1);
	memcpy(window, file + at_byte, left);
	n = pcap_read(&reader, window, left, &rec);
	if (n > 0) {
		struct pcap_reader now = reader;
		struct pcap_record r;

		for (size_t len = 0; len < (size_t)n; len += step) {
			uint8_t *part = malloc(len > 0 ? len : 1);

			memcpy(part, file + at_byte, len);
			reader = was;
			CHECK(pcap_read(&reader, part, len, &r) == 0);
			CHECK(memcmp(&reader, &was, sizeof(was)) == 0);
			free(part);
		}
		reader = now;
		at_byte += (size_t)n;
	}
	return n;
}

static void open_file(void)
{
	pcap_reader_init(&reader);
	at_byte = 0;
}

static void close_file(void)
{
	free(window);
	window = NULL;
}

static void classic_header(uint32_t magic, uint32_t link)
{
	w32(magic);
	w16(2);
	w16(4);
	w32(0);
	w32(0);
	w32(1500);
	w32(link);
}

static void test_classic_in_four_variants(void)
{
	for (unsigned k = 0; k < 4; k++) {
		bool nsec = (k & 2) != 0;

		start((k & 1) != 0);
		classic_header(nsec ? 0xa1b23c4d : 0xa1b2c3d4,
			       0x10000000 | 113);
		w32(0xf0000001); /* beyond 2038 */
		w32(7);
		w32(3);
		w32(1600);
		memcpy(file + used, "abc", 3);
		used += 3;
		w32(1);
		w32(2);
		w32(0);
		w32(0);

		open_file();
		CHECK(next() == 24 && rec.kind == PCAP_SECTION);
		CHECK(reader.ifaces == 1 && !reader.ng);
		CHECK(reader.iface[0].link == 113);
		CHECK(reader.iface[0].snaplen == 1500);
		CHECK(next() == 19 && rec.kind == PCAP_FRAME);
		CHECK(rec.cap == 3 && rec.wire == 1600 && rec.iface == 0);
		CHECK(memcmp(rec.data, "abc", 3) == 0);
		CHECK(rec.ts == 0xf0000001 * NSEC + (nsec ? 7 : 7000));
		CHECK(rec.comment == NULL && rec.flags == 0);
		CHECK(next() == 16 && rec.cap == 0 && rec.wire == 0);
		CHECK(next() == 0 && at_byte == used && reader.records == 2);
		close_file();
	}
}

static int64_t first_of(const char *p, size_t n)
{
	uint8_t *copy = malloc(n);
	struct pcap_reader r;
	struct pcap_record c;
	int64_t e;

	memcpy(copy, p, n);
	pcap_reader_init(&r);
	e = pcap_read(&r, copy, n, &c);
	free(copy);
	return e;
}

static void test_other_files_are_refused(void)
{
	CHECK(first_of("GIF8", 4) == -EBADMSG);
	CHECK(first_of("\xa1\xb2\xcd\x34", 4) == 0);
	CHECK(first_of("\x34\xcd\xb2\xa1", 4) == 0);
	CHECK(first_of("\xd4\xc3\xb2\xa1", 4) == 0);
	CHECK(first_of("\xd4\xc3\xb2", 3) == 0);
	CHECK(first_of("\x0a\x0d\x0d\x0a", 4) == 0);
	CHECK(first_of("\x0a\x0d\x0d\x0a\x1c\0\0\0\x1a\x2b\x3c\x4e", 12) ==
	      -EBADMSG);

	start(false);
	classic_header(0xa1b2c3d4, 1);
	put_le16(file + 6, 3);
	CHECK(first_of((const char *)file, 24) == 24);
	put_le16(file + 4, 1);
	CHECK(first_of((const char *)file, 24) == -ENOTSUP);
	start(true);
	classic_header(0xa1b2c3d4, 1);
	CHECK(first_of((const char *)file, 24) == 24);
	put_be16(file + 6, 3);
	CHECK(first_of((const char *)file, 24) == 24);
	put_be16(file + 4, 1);
	CHECK(first_of((const char *)file, 24) == -ENOTSUP);
}

/* Before 2.3 the length on the wire came first, in 2.3 either did. */
/* What a file begins with, in either order of bytes. */
static void test_magic_numbers(void)
{
	static const struct {
		uint8_t p[4];
		bool is;
	} row[] = {
		{ { 0xa1, 0xb2, 0xc3, 0xd4 }, true },
		{ { 0xd4, 0xc3, 0xb2, 0xa1 }, true },
		{ { 0xa1, 0xb2, 0x3c, 0x4d }, true },
		{ { 0x4d, 0x3c, 0xb2, 0xa1 }, true },
		{ { 0xa1, 0xb2, 0xcd, 0x34 }, true },
		{ { 0x34, 0xcd, 0xb2, 0xa1 }, true },
		{ { 0x0a, 0x0d, 0x0d, 0x0a }, true },
		{ { 0x0a, 0x0a, 0x0d, 0x0d }, false },
		{ { 0xa1, 0xb2, 0xc3, 0xd5 }, false },
		{ { 'G', 'E', 'T', ' ' }, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		CHECK(pcap_is_magic(row[i].p) == row[i].is);
}

static void test_lengths_of_old_versions(void)
{
	static const struct {
		uint16_t minor;
		uint32_t first, second;
		uint32_t cap, wire;
	} rows[] = { { 2, 9, 5, 5, 9 },
		     { 3, 9, 5, 5, 9 },
		     { 3, 5, 9, 5, 9 },
		     { 4, 5, 9, 5, 9 },
		     { 5, 5, 9, 5, 9 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(false);
		classic_header(0xa1b2c3d4, 1);
		put_le16(file + 6, rows[i].minor);
		w32(7);
		w32(8);
		w32(rows[i].first);
		w32(rows[i].second);
		wbytes("hello", 5);
		open_file();
		CHECK(rows[i].minor < 5 || next() == -ENOTSUP);
		reader.lenient = true;
		CHECK(next() == 24 && next() == 21);
		CHECK(rec.cap == rows[i].cap && rec.wire == rows[i].wire);
		close_file();
	}
}

/* Kuznetzov's records have an interface, a protocol and a kind more. */
static void test_longer_headers(void)
{
	start(true);
	classic_header(0xa1b2cd34, 1);
	w32(7);
	w32(8);
	w32(5);
	w32(9);
	wbytes("\0\0\0\1\x08\0\0\0hello", 13);
	open_file();
	CHECK(next() == 24 && next() == 29);
	CHECK(rec.cap == 5 && rec.wire == 9 &&
	      memcmp(rec.data, "hello", 5) == 0);
	CHECK(rec.ts == 7000008000);
	close_file();
}

static void test_a_record_too_long_is_refused(void)
{
	start(false);
	classic_header(0xa1b2c3d4, 1);
	w32(0);
	w32(0);
	w32(PCAP_RECORD_MAX + 1);
	w32(PCAP_RECORD_MAX + 1);
	open_file();
	CHECK(next() == 24);
	CHECK(next() == -EBADMSG);
	put_le32(file + 32, PCAP_RECORD_MAX);
	CHECK(next() == 0); /* could be: more bytes are asked for */
	put_le32(file + 32, 0);
	put_le32(file + 36, 5);
	CHECK(next() == 16 && rec.wire == 5);
	close_file();
}

static void test_blocks_in_either_order(void)
{
	for (unsigned k = 0; k < 2; k++) {
		size_t at;

		start(k == 1);
		shb();
		idb(1, 0);
		idb(101, 4);
		epb(1, 1700000000123456, "hello", 5, 60);
		at = open_block(3); /* SPB */
		w32(3);
		wbytes("spb", 3);
		close_block(at);
		at = open_block(2); /* PB */
		w16(1);
		w16(9);
		w32(0);
		w32(5);
		w32(2);
		w32(2);
		wbytes("pb", 2);
		woption(2, big ? "\0\0\0\1" : "\1\0\0\0", 4);
		close_block(at);
		at = open_block(0x40000bad);
		w32(32473);
		wbytes("own", 3);
		close_block(at);
		at = open_block(0xa); /* decryption secrets: stepped over */
		wbytes("secret", 6);
		close_block(at);

		open_file();
		CHECK(next() == 28 && rec.kind == PCAP_SECTION && reader.ng);
		CHECK(rec.comment == NULL);
		CHECK(next() == 20 && rec.kind == PCAP_IFACE && rec.iface == 0);
		CHECK(next() == 20 && rec.iface == 1 && reader.ifaces == 2);
		CHECK(next() == 40 && rec.kind == PCAP_FRAME && rec.iface == 1);
		CHECK(rec.cap == 5 && rec.wire == 60);
		CHECK(memcmp(rec.data, "hello", 5) == 0);
		CHECK(rec.ts == UINT64_C(1700000000123456000));
		CHECK(next() == 20 && rec.kind == PCAP_FRAME && rec.iface == 0);
		CHECK(rec.cap == 3 && rec.wire == 3 && rec.ts == 0);
		CHECK(next() == 44 && rec.kind == PCAP_FRAME && rec.iface == 1);
		CHECK(rec.cap == 2 && rec.ts == 5000 && rec.flags == 1);
		CHECK(next() == 20 && rec.kind == PCAP_CUSTOM);
		CHECK(rec.pen == 32473 && rec.cap == 4);
		CHECK(memcmp(rec.data, "own", 4) == 0);
		CHECK(next() == 20 && rec.kind == PCAP_OTHER);
		CHECK(next() == 0 && at_byte == used && reader.records == 3);
		close_file();
	}
}

static void test_a_simple_packet_is_cut_at_snaplen(void)
{
	size_t at;

	start(false);
	shb();
	idb(1, 4);
	at = open_block(3);
	w32(100);
	wbytes("cut!", 4);
	close_block(at);
	open_file();
	CHECK(next() > 0 && next() > 0);
	CHECK(next() == 20 && rec.cap == 4 && rec.wire == 100);
	close_file();
}

static void test_clocks(void)
{
	static const struct {
		const char *name;
		uint8_t resol;
		int64_t offset;
		uint64_t ticks;
		uint64_t ns;
	} rows[] = {
		{ "ms", 3, 0, 1234, 1234000000 },
		{ "us", 6, 0, 1234567, 1234567000 },
		{ "ns", 9, 0, UINT64_C(1700000000123456789),
		  UINT64_C(1700000000123456789) },
		{ "ps", 12, 0, UINT64_C(5123456789012), 5123456789 },
		{ "10^19", 19, 0, UINT64_C(12345678901000000000), 1234567890 },
		{ "s", 0, 0, 9, 9 * NSEC },
		{ "1/2 s", 0x81, 0, 3, NSEC + NSEC / 2 },
		{ "2^-32 s", 0xa0, 0, UINT64_C(0x580000000),
		  5 * NSEC + NSEC / 2 },
		{ "2^-63 s", 0xbf, 0, UINT64_C(0xc000000000000000),
		  NSEC + NSEC / 2 },
		{ "offset", 6, 1000, 1, 1000 * NSEC + 1000 },
		{ "offset of 33 bits", 0, INT64_C(0x100000005), 1,
		  UINT64_C(0x100000006) * NSEC },
		{ "back", 6, -3, 5000001, 2 * NSEC + 1000 },
		{ "before 1970", 6, -6, 5000001, 0 },
		{ "beyond 64 bits", 0, 0, UINT64_C(18446744073), UINT64_MAX },
		{ "offset beyond", 0, INT64_MAX, UINT64_MAX, UINT64_MAX },
		{ "offset far back", 0, INT64_MIN, 5, 0 },
	};

	for (size_t k = 0; k < 2 * ARRAY_SIZE(rows); k++) {
		size_t i = k / 2;

		start(k % 2 == 0);
		shb();
		idb_clock(rows[i].resol, rows[i].offset);
		epb(0, rows[i].ticks, "", 0, 0);
		open_file();
		CHECK(next() > 0);
		CHECK(next() > 0);
		CHECK_ROW(strcmp(reader.iface[0].name, "a-name-of-twent") == 0,
			  rows[i].name);
		CHECK_ROW(next() > 0 && rec.ts == rows[i].ns, rows[i].name);
		close_file();
	}

	for (unsigned i = 0; i < 2; i++) { /* faster than 64 bits can count */
		start(false);
		shb();
		idb_clock(i == 0 ? 20 : 0xc0, 0);
		open_file();
		CHECK(next() > 0 && next() == -ENOTSUP);
		close_file();
	}
}

static void test_a_new_section_forgets_interfaces(void)
{
	start(false);
	shb();
	idb(1, 0);
	big = true;
	shb();
	epb(0, 0, "", 0, 0);
	open_file();
	CHECK(next() == 28 && next() == 20 && reader.ifaces == 1);
	CHECK(next() == 28 && reader.ifaces == 0);
	CHECK(next() == -EBADMSG);
	close_file();
}

/* Behind the first PCAP_OWN an interface counts as one of its kind. */
static void test_many_interfaces(void)
{
	enum { N = PCAP_OWN + PCAP_SLOTS + 3 };

	start(false);
	shb();
	for (uint16_t i = 0; i < N; i++)
		idb(i % 2 != 0 ? 1 : 101, 0);
	for (uint16_t i = 0; i < N; i++)
		epb(i, 0, "", 0, 0);
	open_file();
	CHECK(next() > 0);
	for (uint32_t i = 0; i < N; i++) {
		CHECK(next() > 0);
		CHECK(i >= PCAP_OWN || rec.iface == i);
	}
	for (uint32_t i = 0; i < N; i++) {
		CHECK(next() > 0);
		if (i < N - 3) /* of the last ones the kind is not known */
			CHECK(rec.kind == PCAP_FRAME &&
			      reader.iface[rec.iface].link ==
				      (i % 2 != 0 ? 1 : 101));
		else
			CHECK(rec.kind == PCAP_UNREAD);
	}
	close_file();
}

/* A good file of SHB, IDB and one EPB with a comment; its EPB is at @at. */
static size_t good_file(void)
{
	size_t at;

	start(false);
	shb();
	idb(1, 0);
	at = open_block(6);
	w32(0);
	w32(0);
	w32(1);
	w32(4);
	w32(4);
	wbytes("data", 4);
	woption(1, "hi", 2);
	woption(1, "ho", 2);
	woption(0, "", 0);
	close_block(at);
	return at;
}

static void test_broken_blocks(void)
{
	static const struct {
		const char *name;
		size_t off; /* in the EPB */
		uint32_t value;
		int64_t want;
	} rows[] = {
		{ "untouched", 28, 0x61746164, 56 },
		{ "both lengths differ", 52, 60, -EBADMSG },
		{ "not a multiple of 4", 4, 58, -EBADMSG },
		{ "shorter than a block", 4, 8, -EBADMSG },
		{ "longer than is taken", 4, PCAP_RECORD_MAX + 4, -EBADMSG },
		{ "longer than the window", 4, 60, 0 },
		{ "no such interface", 8, 1, -EBADMSG },
		{ "data past the block", 20, 25, -EBADMSG },
		{ "data past 32 bits", 20, UINT32_MAX, -EBADMSG },
		{ "option past the block", 32, 0x00110001, -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t at = good_file();

		put_le32(file + at + rows[i].off, rows[i].value);
		open_file();
		CHECK(next() > 0 && next() > 0);
		CHECK_ROW(next() == rows[i].want, rows[i].name);
		close_file();
	}

	start(false);
	shb();
	put_le16(file + 12, 2); /* version */
	open_file();
	CHECK(next() == -ENOTSUP);
	close_file();
}

/* A block that ends before what every one of its kind has. */
static void test_short_blocks(void)
{
	static const struct {
		const char *name;
		uint32_t type;
		size_t least; /* bytes of its body */
	} rows[] = {
		{ "section", 0x0a0d0d0a, 16 }, { "interface", 1, 8 },
		{ "packet", 2, 20 },	       { "simple packet", 3, 4 },
		{ "enhanced packet", 6, 20 },  { "custom", 0xbad, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t n = 0; n <= rows[i].least; n += 4) {
			size_t at;

			start(false);
			shb();
			idb(1, 0);
			at = open_block(rows[i].type);
			for (size_t k = 0; k < n; k += 4)
				w32(i == 0 && k == 0 ? 0x1a2b3c4d : i == 0);
			close_block(at);
			open_file();
			CHECK(next() > 0 && next() > 0);
			CHECK_ROW((next() > 0) == (n == rows[i].least),
				  rows[i].name);
			close_file();
		}
	}
	start(false);
	shb();
	close_block(open_block(1));
	open_file();
	CHECK(next() > 0 && next() == -EBADMSG);
	close_file();
	/* A simple packet is of the first interface, if there is one. */
	start(false);
	shb();
	{
		size_t at = open_block(3);

		w32(0);
		close_block(at);
	}
	open_file();
	CHECK(next() > 0 && next() == -EBADMSG);
	close_file();
}

/* The code of a frame's flags means something else elsewhere. */
static void test_flags_are_of_frames(void)
{
	size_t at;

	start(false);
	at = open_block(0x0a0d0d0a);
	w32(0x1a2b3c4d);
	w32(1);
	w32(UINT32_MAX);
	w32(UINT32_MAX);
	woption(2, "abcd", 4); /* hardware */
	close_block(at);
	at = open_block(1);
	w32(1);
	w32(7);
	woption(14, "abcd", 4); /* an offset has 8 bytes */
	close_block(at);
	at = open_block(6);
	w32(0);
	w32(0);
	w32(0);
	w32(0);
	w32(0);
	woption(2, "abc", 3); /* flags have 4 */
	close_block(at);
	at = open_block(3);
	w32(4);
	wbytes("spb!", 4);
	close_block(at);
	open_file();
	CHECK(next() > 0 && rec.flags == 0);
	CHECK(next() > 0 && reader.iface[0].offset == 0);
	CHECK(next() > 0 && rec.kind == PCAP_FRAME && rec.flags == 0);
	CHECK(next() > 0 && rec.cap == 4); /* shorter than the snaplen */
	close_file();
}

/* So many kinds are told apart; frames of one more are not read. */
static void test_many_kinds_of_interfaces(void)
{
	enum { KINDS = PCAP_IFACES - PCAP_OWN };

	start(false);
	shb();
	for (uint16_t k = 0; k < PCAP_OWN; k++)
		idb(1, 0);
	for (uint16_t k = 0; k < KINDS + 2; k++)
		idb_clock(6, k); /* the first is known already */
	for (uint16_t k = 0; k < KINDS + 2; k++)
		epb((uint32_t)PCAP_OWN + k, 1, "", 0, 0);
	open_file();
	CHECK(next() > 0);
	for (uint16_t k = 0; k < PCAP_OWN + KINDS + 2; k++)
		CHECK(next() > 0);
	for (uint16_t k = 0; k < KINDS + 1; k++)
		CHECK(next() > 0 && rec.kind == PCAP_FRAME &&
		      rec.ts == k * 1000000000ull + 1000);
	CHECK(next() > 0 && rec.kind == PCAP_UNREAD);
	close_file();
}

/* A lenient reader steps over what is broken inside of good bounds. */
static void test_lenient(void)
{
	static const struct {
		const char *name;
		size_t off;
		uint32_t value;
		enum pcap_kind kind;
	} rows[] = {
		{ "untouched", 28, 0x61746164, PCAP_FRAME },
		{ "no such interface", 8, 1, PCAP_BROKEN },
		{ "data past the block", 20, 25, PCAP_BROKEN },
		{ "option past the block", 32, 0x00110001, PCAP_FRAME },
		{ "unknown kind", 0, 0x0bad0bad, PCAP_UNKNOWN },
		{ "names", 0, 4, PCAP_OTHER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t at = good_file();

		put_le32(file + at + rows[i].off, rows[i].value);
		open_file();
		reader.lenient = true;
		CHECK(next() > 0 && next() > 0);
		CHECK_ROW(next() == 56 && rec.kind == rows[i].kind,
			  rows[i].name);
		close_file();
	}
	start(false);
	shb();
	idb_clock(99, 0); /* no such clock: its frames have no time */
	epb(0, 77, "", 0, 0);
	open_file();
	reader.lenient = true;
	CHECK(next() > 0 && next() > 0 && next() > 0);
	CHECK(rec.kind == PCAP_FRAME && rec.ts == 0);
	close_file();
}

static void test_long_blocks(void)
{
	static const struct {
		uint32_t type, total;
		int64_t want;
		enum pcap_kind kind;
	} rows[] = {
		{ 10, 3u << 20, 3 << 20, PCAP_OTHER },
		{ 6, 3u << 20, 3 << 20, PCAP_UNREAD },
		{ 10, PCAP_SKIP_MAX + 4, -EBADMSG, PCAP_FRAME },
		{ 77, 3u << 20, -EBADMSG, PCAP_FRAME },
		{ 10, (3u << 20) + 1, -EBADMSG, PCAP_FRAME },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t at = good_file();

		put_le32(file + at, rows[i].type);
		put_le32(file + at + 4, rows[i].total);
		open_file();
		reader.long_blocks = true;
		CHECK(next() > 0 && next() > 0);
		rec.kind = PCAP_FRAME;
		CHECK(pcap_read(&reader, file + at, 40, &rec) == rows[i].want);
		CHECK(rec.kind == rows[i].kind);
		close_file();
	}
}

/* Where does the next record begin? At @where of what was written, and @n agree. */
static void check_resync(size_t from, enum pcap_window state, int n,
			 size_t where)
{
	uint8_t *copy = malloc(used - from + 1);
	size_t skip = 0;

	memcpy(copy, file + from, used - from);
	CHECK(pcap_resync(&reader, copy, used - from, state, &skip) == n);
	CHECK(from + skip == where);
	free(copy);
}

static void classic_record(uint32_t sec, uint32_t cap)
{
	w32(sec);
	w32(5);
	w32(cap);
	w32(cap + 7);
	memset(file + used, 'Z', cap);
	used += cap;
}

static void test_resync_classic(void)
{
	size_t bad, good;

	start(false);
	classic_header(0xa1b2c3d4, 1);
	classic_record(1700000000, 60);
	bad = used;
	for (int i = 0; i < 300; i++)
		file[used++] = (uint8_t)(i % 3 == 0 ? 0xff : i % 3);
	good = used;
	for (uint32_t i = 0; i < 4; i++)
		classic_record(1700000000 + i, 60 + i);
	open_file();
	CHECK(next() == 24 && next() == 76);
	check_resync(bad, PCAP_LAST, PCAP_AGREE, good);
	check_resync(bad, PCAP_MORE, PCAP_AGREE, good);
	used = good + 76; /* the file ends behind one record: that agrees */
	check_resync(bad, PCAP_LAST, 2, good);
	check_resync(bad, PCAP_MORE, 0, good);
	used = good + 75; /* one that is cut is none */
	check_resync(bad, PCAP_LAST, 0, used);
	used = good + 76 + 77;
	put_le32(file + good + 76, 1); /* a time of another age */
	check_resync(bad, PCAP_MORE, 0, used - 15);
	used = bad + 300;
	memset(file + bad, 0, 300); /* zeroes are no records */
	check_resync(bad, PCAP_LAST, 0, used);
	close_file();
}

static void test_resync_blocks(void)
{
	size_t bad, good;

	start(false);
	shb();
	idb(1, 0);
	bad = used;
	wbytes("\6\0\0\0\x20\0\0\0 not a block", 20);
	used--; /* blocks are not aligned any more */
	good = used;
	epb(0, 1, "data", 4, 4);
	epb(0, 2, "data", 4, 4);
	open_file();
	CHECK(next() > 0 && next() > 0);
	check_resync(bad, PCAP_LAST, PCAP_AGREE, good);
	check_resync(bad, PCAP_FULL, 2, good);
	check_resync(bad, PCAP_MORE, 0, good);
	used = good + 37;
	check_resync(bad, PCAP_LAST, 1, good); /* and bytes that are none */
	put_le32(file + good + 32, 40);
	check_resync(bad, PCAP_LAST, 0, used);
	close_file();
}

/* More than a block can hold is refused before it is read. */
static void test_a_block_has_32_bits(void)
{
	uint8_t out[64] = { 0 };

	CHECK(pcapng_write_epb(out, sizeof(out), 0, 0, out, UINT32_MAX,
			       UINT32_MAX, 0, NULL, 0) == 0);
	CHECK(pcapng_write_epb(out, sizeof(out), 0, 0, out, UINT32_MAX - 3,
			       UINT32_MAX, 0, NULL, 0) == 0);
}

static void test_first_comment_counts(void)
{
	good_file();
	open_file();
	CHECK(next() > 0 && next() > 0 && next() > 0);
	CHECK(rec.comment_len == 2 && memcmp(rec.comment, "hi", 2) == 0);
	close_file();
}

/*
 * Append what @call writes to @o, @size bytes of room, to the file. Every
 * smaller room must be refused, and nothing written past it.
 */
#define APPEND(call)                                                           \
	do {                                                                   \
		uint8_t *o = file + used;                                      \
		size_t size = sizeof(file) - used;                             \
		size_t n = (call);                                             \
                                                                               \
		CHECK(n > 0);                                                  \
		for (size = 0; size < n; size++) {                             \
			o = malloc(size > 0 ? size : 1);                       \
			CHECK((call) == 0);                                    \
			free(o);                                               \
		}                                                              \
		used += n;                                                     \
	} while (0)

/* What other programs must read, byte for byte. */
static void test_written_bytes(void)
{
	static const uint8_t shb_bytes[28] = {
		0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0,    0,	   0x4d, 0x3c,
		0x2b, 0x1a, 1,	  0,	0,  0, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 28, 0, 0,    0,
	};
	static const uint8_t idb_bytes[32] = {
		1, 0, 0, 0, 32, 0, 0, 0, 113, 0, 0, 0, 0,  0, 4, 0,
		9, 0, 1, 0, 9,	0, 0, 0, 0,   0, 0, 0, 32, 0, 0, 0,
	};
	static const uint8_t epb_bytes[36] = {
		6, 0, 0, 0, 36, 0, 0, 0, 3, 0, 0,   0,	 1, 0, 0,  0, 2, 0,
		0, 0, 2, 0, 0,	0, 9, 0, 0, 0, 'a', 'b', 0, 0, 36, 0, 0, 0,
	};
	static const uint8_t old_bytes[24] = {
		0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0,
		0,    0,    0,	  0,	0, 0, 4, 0, 1, 0, 0, 0,
	};
	uint8_t out[64];

	CHECK(pcapng_write_shb(out, sizeof(out), NULL, NULL, 0) == 28);
	CHECK(memcmp(out, shb_bytes, 28) == 0);
	CHECK(pcapng_write_idb(out, sizeof(out), 113, 0x40000, NULL) == 32);
	CHECK(memcmp(out, idb_bytes, 32) == 0);
	CHECK(pcapng_write_epb(out, sizeof(out), 3, UINT64_C(0x100000002),
			       (const uint8_t *)"ab", 2, 9, 0, NULL, 0) == 36);
	CHECK(memcmp(out, epb_bytes, 36) == 0);
	CHECK(pcap_write_header(out, 24, 1, 0x40000) == 24);
	CHECK(memcmp(out, old_bytes, 24) == 0);
}

static void test_what_is_written_is_read(void)
{
	const uint8_t data[7] = "packet";
	const uint64_t ts = UINT64_C(1700000000123456789);

	used = 0;
	APPEND(pcapng_write_shb(o, size, "understudy", "one", 3));
	APPEND(pcapng_write_idb(o, size, 276, 65535, "eth0"));
	APPEND(pcapng_write_idb(o, size, 1, 0, NULL));
	APPEND(pcapng_write_epb(o, size, 1, ts, data, 7, 99, 2, "why", 3));
	APPEND(pcapng_write_epb(o, size, 0, ts + 1, data, 0, 0, 0, NULL, 0));
	APPEND(pcapng_write_custom(o, size, 32473, data, 6));
	APPEND(pcapng_write_shb(o, size, NULL, NULL, 0));

	open_file();
	CHECK(next() > 0 && rec.kind == PCAP_SECTION);
	CHECK(rec.comment_len == 3 && memcmp(rec.comment, "one", 3) == 0);
	CHECK(next() > 0 && reader.iface[0].link == 276);
	CHECK(reader.iface[0].snaplen == 65535);
	CHECK(strcmp(reader.iface[0].name, "eth0") == 0);
	CHECK(reader.iface[0].ticks == NSEC);
	CHECK(next() > 0 && reader.iface[1].name[0] == '\0');
	CHECK(next() > 0 && rec.kind == PCAP_FRAME && rec.iface == 1);
	CHECK(rec.ts == ts && rec.cap == 7 && rec.wire == 99);
	CHECK(rec.flags == 2 && memcmp(rec.data, data, 7) == 0);
	CHECK(rec.comment_len == 3 && memcmp(rec.comment, "why", 3) == 0);
	CHECK(next() > 0 && rec.ts == ts + 1 && rec.cap == 0);
	CHECK(rec.comment == NULL && rec.flags == 0);
	CHECK(next() > 0 && rec.kind == PCAP_CUSTOM && rec.pen == 32473);
	CHECK(rec.cap == 8 && memcmp(rec.data, "packet\0\0", 8) == 0);
	CHECK(next() > 0 && rec.kind == PCAP_SECTION && rec.comment == NULL);
	CHECK(next() == 0 && at_byte == used);
	close_file();

	used = 0;
	APPEND(pcap_write_header(o, size, 101, 9000));
	APPEND(pcap_write_record(o, size, ts, data, 7, 99));
	APPEND(pcap_write_record(o, size, ts, NULL, 0, 0));
	open_file();
	CHECK(next() == 24 && reader.iface[0].link == 101);
	CHECK(next() > 0 && rec.ts == ts && rec.cap == 7 && rec.wire == 99);
	CHECK(memcmp(rec.data, data, 7) == 0);
	CHECK(next() > 0 && rec.cap == 0);
	CHECK(next() == 0 && at_byte == used);
	close_file();
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "pcap in four variants", test_classic_in_four_variants },
		{ "other files are refused", test_other_files_are_refused },
		{ "short blocks are refused", test_short_blocks },
		{ "flags are of frames", test_flags_are_of_frames },
		{ "many kinds of interfaces", test_many_kinds_of_interfaces },
		{ "a block has 32 bits", test_a_block_has_32_bits },
		{ "a record too long is refused",
		  test_a_record_too_long_is_refused },
		{ "blocks in either order", test_blocks_in_either_order },
		{ "a simple packet is cut at snaplen",
		  test_a_simple_packet_is_cut_at_snaplen },
		{ "clocks", test_clocks },
		{ "a new section forgets interfaces",
		  test_a_new_section_forgets_interfaces },
		{ "magic numbers", test_magic_numbers },
		{ "the lengths of old versions", test_lengths_of_old_versions },
		{ "Kuznetzov's longer headers", test_longer_headers },
		{ "a lenient reader", test_lenient },
		{ "blocks longer than the window", test_long_blocks },
		{ "the next record behind damage, pcap", test_resync_classic },
		{ "the next record behind damage, pcapng", test_resync_blocks },
		{ "many interfaces", test_many_interfaces },
		{ "broken blocks", test_broken_blocks },
		{ "the first comment counts", test_first_comment_counts },
		{ "written bytes", test_written_bytes },
		{ "what is written is read", test_what_is_written_is_read },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
