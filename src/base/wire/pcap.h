/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap - Capture files as bytes in and out: pcap and pcapng
 *
 * A reader is fed with a window of bytes and says what it found or how much
 * more it needs; it does no I/O. Formats: pcap 2.x in either byte order,
 * microseconds and nanoseconds, also with Kuznetzov's longer records and with
 * the two lengths in the order of versions before 2.3; pcapng (IETF
 * draft-ietf-opsawg-pcapng) in either byte order, SHB, IDB with if_tsresol and
 * if_tsoffset and if_name, EPB, SPB, PB, custom blocks. A window of PCAP_WINDOW
 * bytes holds any record that is taken.
 */
#ifndef WIRE_PCAP_H
#define WIRE_PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAP_MAGIC_LEN	4  /* bytes that a capture file is known by */
#define PCAP_OWN	32 /* interfaces of one section that are told apart */
#define PCAP_IFACES	64 /* and kinds of those behind them: link type, clock */
#define PCAP_SLOTS	1024 /* interfaces behind the first whose kind is known */
#define PCAP_NAMELEN	16
#define PCAP_COMMENT	2048	    /* longest comment kept */
#define PCAP_RECORD_MAX (1u << 20)  /* longest frame or block taken */
#define PCAP_SKIP_MAX	(64u << 20) /* longest block stepped over unread */
#define PCAP_HEAD_MAX	24	    /* of a record's header */
#define PCAP_WINDOW	(PCAP_RECORD_MAX + PCAP_HEAD_MAX)

/** struct pcap_iface - An interface description */
struct pcap_iface {
	uint16_t link;
	uint32_t snaplen;
	uint64_t ticks; /* per second */
	int64_t offset; /* seconds */
	char name[PCAP_NAMELEN];
};

/**
 * struct pcap_reader - State; private but for ng, ifaces, iface and records
 * @lenient:	Set by the caller: step over a block whose bounds are good and
 *		whose content is not, see pcap_read()
 * @long_blocks: Set by the caller: step over blocks of up to PCAP_SKIP_MAX
 * @started:	The first header was read
 * @ng:		pcapng
 * @big:	Big-endian
 * @ifaces:	Interfaces of this section so far, 1 for pcap; may be more than
 *		PCAP_IFACES, see pcap_read()
 * @records:	Frames read so far
 * @iface:	What is known of them
 */
struct pcap_reader {
	bool lenient;
	bool long_blocks;
	bool started;
	bool ng;
	bool big;
	uint8_t head;	 /* bytes of a record's header, pcap */
	uint8_t lengths; /* in which order they are there */
	uint8_t beyond;	 /* kind of the interfaces that have no slot */
	bool has_sec;
	uint32_t sec; /* of the last record, pcap */
	uint32_t ifaces;
	uint64_t records;
	struct pcap_iface iface[PCAP_IFACES];
	uint32_t kinds;		  /* of them used behind PCAP_OWN */
	uint8_t slot[PCAP_SLOTS]; /* of each interface, its kind */
};

enum pcap_kind {
	PCAP_FRAME,  /* a captured frame */
	PCAP_CUSTOM, /* a custom block; @data and @cap are its content, padded */
	PCAP_SECTION, /* a section header, or the header of a pcap file */
	PCAP_IFACE,   /* an interface description, of @iface */
	PCAP_OTHER,   /* something that is stepped over */
	PCAP_UNKNOWN, /* the same, of a kind that is not known */
	PCAP_UNREAD, /* a frame that is too long, or of an interface too many */
	PCAP_BROKEN, /* lenient only: a block that contradicts itself */
};

/**
 * struct pcap_record - One record of a file
 * @kind:	What it is
 * @iface:	Index into the reader's iface
 * @data:	Bytes, in the window that was given
 * @cap, @wire:	Bytes there, bytes on the wire (at least @cap)
 * @claimed:	Bytes on the wire as the file has it; less than @cap in a file
 *		that contradicts itself
 * @ts:		ns since 1970, clamped to what 64 bits hold; 0 in an SPB
 * @flags:	epb_flags, 0 without
 * @pen:	Private enterprise number of a custom block
 * @comment, @comment_len: First opt_comment, in the window; NULL without
 */
struct pcap_record {
	enum pcap_kind kind;
	uint32_t iface;
	const uint8_t *data;
	uint32_t cap;
	uint32_t wire;
	uint32_t claimed;
	uint64_t ts;
	uint32_t flags;
	uint32_t pen;
	const uint8_t *comment;
	uint32_t comment_len;
};

/**
 * pcap_is_magic() - Do these bytes begin a capture file?
 * @p:		PCAP_MAGIC_LEN bytes
 *
 * Also of a variant that pcap_read() does not read.
 */
bool pcap_is_magic(const uint8_t *p);

/** pcap_reader_init() - Start with the first byte of a file */
void pcap_reader_init(struct pcap_reader *r);

/**
 * pcap_read() - Take one record off the front of a window
 * @r:		Reader
 * @p:		Window
 * @len:	Bytes in it
 * @rec:	Result, if the return value is > 0
 *
 * Interfaces beyond PCAP_OWN count as one that has their link type and clock.
 *
 * A lenient reader makes PCAP_BROKEN of a block whose two lengths agree and
 * whose content cannot be, and ignores options that are broken and clocks that
 * are not known (their frames have no time). One with long_blocks steps over
 * blocks that hold no frame, or one too long: then the step may be longer than
 * the window.
 *
 * Return: bytes to step over (a record was found), or 0 if the window is too
 *	   short (end of file here means a truncated file unless @len is 0), or
 *	   -EBADMSG if this is no capture file or it is broken, or
 *	   -ENOTSUP if it is a variant that is not read
 */
int64_t pcap_read(struct pcap_reader *r, const uint8_t *p, size_t len,
		  struct pcap_record *rec);

/* Where a search may be: more bytes follow the window; the file ends with it.
 */
enum pcap_window {
	PCAP_MORE,
	PCAP_FULL, /* more follow, but the window holds no more */
	PCAP_LAST,
};

/**
 * pcap_resync() - Look for the next record behind a damaged place
 * @r:		Reader; it is not changed
 * @p, @len:	Window
 * @state:	What follows it
 * @skip:	Set to where the record begins, or to how many bytes hold none
 *
 * A pcapng block is known by its two lengths, a record of pcap by headers that
 * are plausible: its own, and those behind it, which are found by its length.
 *
 * Return: how many records in a row agree, up to PCAP_AGREE; 0: none found
 */
#define PCAP_AGREE 3
int pcap_resync(const struct pcap_reader *r, const uint8_t *p, size_t len,
		enum pcap_window state, size_t *skip);

/*
 * Writers. Each returns the bytes written to @out, or 0 if @size is too small.
 * They write little-endian on every machine. Strings and comments have at most
 * 65535 bytes.
 */

/** pcapng_write_shb() - Section header; strings may be NULL */
size_t pcapng_write_shb(uint8_t *out, size_t size, const char *appl,
			const char *comment, size_t comment_len);

/** pcapng_write_idb() - Interface with nanosecond times; @name may be NULL */
size_t pcapng_write_idb(uint8_t *out, size_t size, uint16_t link,
			uint32_t snaplen, const char *name);

/**
 * pcapng_write_epb() - Enhanced packet
 *
 * @flags: epb_flags, 0: none. @comment NULL: none.
 */
size_t pcapng_write_epb(uint8_t *out, size_t size, uint32_t iface, uint64_t ts,
			const uint8_t *data, uint32_t cap, uint32_t wire,
			uint32_t flags, const char *comment,
			size_t comment_len);

/** pcapng_write_custom() - Custom block (type 0x00000BAD: may be copied),
 * padded with zeros to a multiple of 4
 */
size_t pcapng_write_custom(uint8_t *out, size_t size, uint32_t pen,
			   const uint8_t *data, uint32_t len);

/** pcap_write_header() - Classic file header, nanoseconds */
size_t pcap_write_header(uint8_t *out, size_t size, uint16_t link,
			 uint32_t snaplen);

/** pcap_write_record() - Classic record */
size_t pcap_write_record(uint8_t *out, size_t size, uint64_t ts,
			 const uint8_t *data, uint32_t cap, uint32_t wire);

#endif /* WIRE_PCAP_H */
