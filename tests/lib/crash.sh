# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# What the stories of kills and power cuts share: a mixed load that notes what it was promised, and the look
# at the promises afterwards. To be sourced after lib.sh.

mnt=${SCRATCH:?}/mnt
writer=${tests:?}/lib/fsync-writer
round=0         # of the story
ms=0            # how long its load worked
promises_seen=0 # by check_promises

# Once: what trees are unpacked from.
prepare_load()
{
    make_tree source "$SEED" --sparse-mib 1 --bulk-mib 1
    tar -C source -cf tree.tar .
    tree_sums source >tree.sums
}

# For a new store: nothing is promised yet.
forget_promises()
{
    : >promises
    : >trees
}

# Each `seedfs sync` that returns is a promise for the tree before it.
unpack_trees()
{
    local n name
    for n in {1..100}; do
        name=tree-$round-$n
        mkdir "$mnt/$name" && tar -C "$mnt/$name" -xpf tree.tar && seedfs sync "$mnt" && echo "$name" >>trees
    done
} 2>/dev/null

# Until the file system dies or it is stopped: three writers, and sometimes tar.
load()
{
    local n
    for n in 1 2 3; do
        "$writer" write "$mnt" promises "$round-$n" 2>/dev/null &
    done
    (((round + SEED) % 4)) || unpack_trees &
    wait
}

# let_it_work LEAST MOST: milliseconds from the first sign of life on; mostly briefly.
let_it_work()
{
    wait_until 60 is_longer promises "$log_bytes" || fail "round $round: nobody writes"
    ms=$(($1 + RANDOM % (RANDOM % 4 ? $2 / 4 : $2)))
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

is_longer() { (($(stat -c %s "$1") > $2)); }

# start_load COMMAND...: in the background, ended by kill_under_load.
start_load()
{
    log_bytes=$(stat -c %s promises)
    start "$@"
}

# SIGKILL under load: seedfs first, then who writes.
kill_under_load()
{
    local killed_at=$EPOCHREALTIME
    seedfs_kill
    stop "$JOB"
    seedfs_unmount "$mnt"
    echo "{\"what\": \"killed\", \"time\": $killed_at}" >>promises
}

# Everything that was ever promised since the store is new.
check_promises()
{
    local name
    "$writer" check "$mnt" promises >broken || fail "round $round, after $ms ms:"$'\n'"$(<broken)"
    promises_seen=$((promises_seen + $(tail -n 1 broken | cut -d' ' -f1)))
    while read -r name; do
        tree_sums "$mnt/$name" >have
        expect_same tree.sums have "round $round: $name"
    done <trees
}

# check_store STORE: not mounted; everything in it fits together.
check_store()
{
    check_index "$1"
    expect_exit 0 seedfs check --read-data "$1"
}
