#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Power cuts at random moments: of what the disk was not told to keep it keeps an arbitrary part, in any order,
# torn between sectors. The store opens by itself, what was acknowledged is there, and nothing is half there.
# ROUNDS=25 SEED=1; tools/torture runs hundreds.
source "$(dirname "$0")/lib.sh"
# shellcheck source=../lib/crash.sh
source "$tests/lib/crash.sh"
require python3 sqlite3
require_mounts

rounds=${ROUNDS:-25}
disk=$SCRATCH/disk
RANDOM=$SEED
prepare_load
faultfs_start "$disk"

# power_cut NUMBER: the numbers of a round make different cuts.
power_cut() { faultfs "$disk" cut "$((SEED * 100000 + round * 10 + $1))"; }

for ((round = 1; round <= rounds; round++)); do
    # A new store now and then: its first moments are a story of their own.
    if ((round % 10 == 1)); then
        store=$disk/store-$round
        rm -rf "$disk"/store-*
        forget_promises
    fi
    seedfs_start "$store" "$mnt"
    start_load load
    let_it_work 1 2000
    kill_under_load
    power_cut 0
    # The power fails again when the store was just opened.
    if ((round % 5 == 0)); then
        seedfs_start "$store" "$mnt"
        seedfs_kill
        seedfs_unmount "$mnt"
        power_cut 1
    fi

    seedfs_start "$store" "$mnt"
    check_promises
    seedfs_stop "$SEEDFS_PID" "$mnt"
    check_store "$store"
done
((promises_seen > rounds * 20)) || fail "hardly a promise was given: $promises_seen in $rounds rounds"
say "passed: $rounds power cuts, $promises_seen promises looked at"
