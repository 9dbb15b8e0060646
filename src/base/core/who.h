/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * who - The three endpoints of a flow
 */
#ifndef CORE_WHO_H
#define CORE_WHO_H

/** enum who - Endpoint that sent a segment; also indexes arrays */
enum who {
	WHO_CLIENT = 0,
	WHO_PROD = 1, /* production, the server the clients talk to */
	WHO_SUT = 2,  /* system under test */

	WHO_COUNT /* must be last */
};

#endif /* CORE_WHO_H */
