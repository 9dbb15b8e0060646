#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Packets through the program in the kernel: splice_program.

IDLE="seconds, and no network"
cd "$(dirname "$0")/../.." || exit 1
PROGRAM=${SPLICE_PROGRAM:-${BUILD:-build}/splice_program}

. test/net/no_lab.sh

[ "$(id -u)" = 0 ] || no_lab "needs root"
[ -x "$PROGRAM" ] || no_lab "no splice_program at $PROGRAM"
exec "$PROGRAM"
