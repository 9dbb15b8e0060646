/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * markup_internal - Tokens of a document
 */
#ifndef DEEP_MARKUP_INTERNAL_H
#define DEEP_MARKUP_INTERNAL_H

#include "deep/headers_internal.h"
#include "deep/markup.h"

enum token_kind {
	TOKEN_END, /* of the document */
	TOKEN_TEXT,
	TOKEN_RAW,     /* text that is not folded */
	TOKEN_COMMENT, /* <!-- -->, <!DOCTYPE>, <?x?>, <![CDATA[ ]]> */
	TOKEN_OPEN,    /* <p>, <p/> */
	TOKEN_CLOSE,   /* </p> */
};

/* A token: all of its bytes, the name of a tag, and what follows the name. */
struct token {
	enum token_kind kind;
	struct piece all;
	struct piece name;
	struct piece rest;
	bool alone; /* <p/> */
};

struct attribute {
	struct piece name;
	struct piece value;
};

/* A document that is read. */
struct document {
	const uint8_t *p;
	size_t n;
	size_t at;
	bool xml;
	struct piece raw; /* name of the element whose text is not markup */
	uint32_t keep;	  /* elements are open whose text is not folded */
};

/* markup_token.c: the next token that is not white space alone */
void markup_token(struct document *d, struct token *t);
/* Attributes of a tag. Return: how many, or MARKUP_ATTRIBUTES + 1 */
uint32_t markup_attributes(const struct token *t, struct attribute *out);
/* An element that has no end tag: br, img */
bool markup_is_void(const struct piece *name);

#endif /* DEEP_MARKUP_INTERNAL_H */
