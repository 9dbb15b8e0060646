#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every dialogue of test/splice once more, through the program in the kernel.

IDLE="seconds, and no network"
cd "$(dirname "$0")/../.." || exit 1
RUNNER=${SPLICE_RUNNER:-${BUILD:-build}/splice_runner}

. test/net/no_lab.sh

[ "$(id -u)" = 0 ] || no_lab "needs root"
[ -x "$RUNNER" ] || no_lab "no splice_runner at $RUNNER"
exec "$RUNNER" -k test/splice/*.pkt
