#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Power cuts at random moments: of what the disk was not told to keep it keeps an arbitrary part, in any order,
# torn between sectors. The store opens by itself, what was acknowledged is there, and nothing is half there.
# ROUNDS=25 SEED=1; tools/torture runs hundreds.
source "$(dirname "$0")/lib.sh"
require python3 sqlite3
require_mounts

rounds=${ROUNDS:-25}
disk=$SCRATCH/disk
mnt=$SCRATCH/mnt
writer=$tests/lib/fsync-writer
RANDOM=$SEED
faultfs_start "$disk"

# A new store now and then: its first moments are a story of their own, and old promises take time to check.
new_store()
{
    store=$disk/store-$1
    rm -rf "$disk"/store-*
    : >promises
    : >trees
}

# Unpacks trees; each `seedfs sync` that returns is a promise, noted in the file trees.
unpack_trees()
{
    local n name
    for n in {1..100}; do
        name=tree-$1-$n
        mkdir "$mnt/$name" && tar -C "$mnt/$name" -xpf tree.tar && seedfs sync "$mnt" && echo "$name" >>trees
    done
} 2>/dev/null

load()
{
    local n
    for n in 1 2 3; do
        "$writer" write "$mnt" promises "$1-$n" 2>/dev/null &
    done
    ((RANDOM % 3)) || unpack_trees "$1" &
    wait
}

power_cut()
{
    seedfs_kill
    [[ ! ${JOB:-} ]] || stop "$JOB"
    JOB=
    seedfs_unmount "$mnt"
    faultfs "$disk" cut "$((SEED * 100000 + round * 10 + $1))"
}

check_promises()
{
    local name
    "$writer" check "$mnt" promises --killed "$killed_at" >broken || fail "round $round, $ms ms:"$'\n'"$(<broken)"
    while read -r name; do
        tree_sums "$mnt/$name" >have
        expect_same want have "round $round: $name"
    done <trees
}

make_tree source "$SEED" --sparse-mib 1 --bulk-mib 1
tar -C source -cf tree.tar .
tree_sums source >want
promises=0
for ((round = 1; round <= rounds; round++)); do
    ((round % 10 != 1)) || new_store "$round"
    seedfs_start "$store" "$mnt"
    start load "$round"
    ms=$((RANDOM % (RANDOM % 4 ? 700 : 3000) + 50))
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
    killed_at=$EPOCHREALTIME
    power_cut 0
    # The power fails again while the store is opened, or just after.
    if ((round % 5 == 0)); then
        seedfs_start "$store" "$mnt"
        power_cut 1
    fi

    seedfs_start "$store" "$mnt"
    check_promises
    promises=$((promises + $(cut -d' ' -f1 broken)))
    seedfs_stop "$SEEDFS_PID" "$mnt"
    check_index "$store"
done
((promises > rounds * 20)) || fail "hardly a promise was given: $promises in $rounds rounds"
say "passed: $rounds power cuts, $promises promises looked at"
