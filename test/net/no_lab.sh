# SPDX-License-Identifier: BSD-2-Clause
#
# What a test in shell says where it cannot run. It is sourced.

# no_lab WHY: a failure, unless NO_LAB=1 says that no lab is wanted
no_lab() {
	if [ "${NO_LAB-}" = 1 ]; then
		echo "1..0 # SKIP $1"
		exit 0
	fi
	echo "not ok 1 - no lab: $1 (NO_LAB=1: do without)"
	echo 1..1
	exit 1
}
