/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.c - The files of the page, as they were when the program was built
 */
#include "page/page_internal.h"
#include "page/files.skel.h"

#define FILE_OF(name, what)                                                    \
	{                                                                      \
		what, name, sizeof(name) - 1                                   \
	}

const struct page_file page_files[ASK_HEALTH] = {
	[ASK_INDEX] = FILE_OF(page_index_html, "text/html; charset=utf-8"),
	[ASK_STYLE] = FILE_OF(page_page_css, "text/css; charset=utf-8"),
	[ASK_SCRIPT] = FILE_OF(page_page_js, "text/javascript; charset=utf-8"),
	[ASK_ICON] = FILE_OF(page_icon_svg, "image/svg+xml"),
};
