/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * version - Which Understudy this is
 */
#ifndef CMD_VERSION_H
#define CMD_VERSION_H

#define VERSION "0.1.0"

#endif /* CMD_VERSION_H */
