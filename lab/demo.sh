#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The demo: a new version of a web server is tested with the traffic of the old.
#
#   wrk, curl ---- 10.0.0.0/24 ----+---- nginx: production      http://10.0.0.10
#                                  |
#                                  | mirror port: copies of both directions
#                                  v
#                             understudy -- 10.1.0.0/24 -- nginx: SUT, 10.1.0.20
#                                  |
#                                  '-> what differs, and how much was compared
#
# Client, mirror, production, SUT and understudy have a network namespace each;
# the host's own network is not touched, and nothing is left behind, also after
# Ctrl-C. The SUT has three planted differences: exit 0 only if exactly they
# were found and >= 99.9 % was compared. Takes less than half a minute.
set -eu
cd "$(dirname "$0")/.."
if [ "$(id -u)" != 0 ]; then
	echo "demo: network namespaces need root: run it with sudo" >&2
	exit 2
fi
if [ -z "${UNDERSTUDY:-}" ]; then
	make --no-print-directory >&2
fi
exec python3 lab/demo.py "$@"
