#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# kill -9 of seedfs at random moments: whatever was acknowledged is there and whole after the next mount, and
# what was not is there if it is older than the 5 seconds of --commit. ROUNDS=50 SEED=1; tools/torture runs
# hundreds.
source "$(dirname "$0")/lib.sh"
# shellcheck source=../lib/crash.sh
source "$tests/lib/crash.sh"
require python3 restic sqlite3 jq
require_mounts

rounds=${ROUNDS:-50}
RANDOM=$SEED
export RESTIC_PASSWORD=scratch RESTIC_CACHE_DIR=$SCRATCH/restic-cache
prepare_load

# Each snapshot that restic reports is a promise, noted in the file snapshots.
backup()
{
    local n
    restic --quiet init --repo "$mnt/restic" || return
    for n in {1..100}; do
        echo "round $round, change $n" >"$SCRATCH/source/changing"
        restic backup --json --force --repo "$mnt/restic" "$SCRATCH/source/many" \
            "$SCRATCH/source/changing" "$SCRATCH/source/bulk" >said || return
        jq -r 'select(.message_type == "summary").snapshot_id' said >>snapshots
    done
} 2>/dev/null

# Every snapshot restic was told about is in the repository, and all data it refers to is whole.
check_restic()
{
    local id
    [[ -s snapshots ]] || return 0
    restic --quiet unlock --remove-all --repo "$mnt/restic" || fail "round $round: restic unlock"
    restic list snapshots --repo "$mnt/restic" >have || fail "round $round: restic list"
    while read -r id; do
        grep -q "^${id}" have || fail "round $round: snapshot $id is gone"
    done <snapshots
    restic --quiet check --read-data --repo "$mnt/restic" >check.log 2>&1 ||
        fail "round $round: restic check: $(tail -n 20 check.log)"
}

# Nobody syncs, for longer than the promise without one.
write_slowly()
{
    "$writer" slowly "$mnt" promises "$round" 2>/dev/null
}

snapshots=0
for ((round = 1; round <= rounds; round++)); do
    if ((round % 10 == 1)); then
        store=$SCRATCH/store-$round
        rm -rf "$SCRATCH"/store-*
        forget_promises
    fi
    seedfs_start "$store" "$mnt"
    : >snapshots
    case $((round % 50)) in
    12)
        start backup
        wait_until 120 test -s snapshots || fail "restic finished no snapshot"
        ms=$((RANDOM % 1000)) && sleep "0.$(printf %03d "$ms")"
        ;;
    13) start_load write_slowly && let_it_work 6500 500 ;;
    *) start_load load && let_it_work 1 800 ;;
    esac
    kill_under_load

    check_index "$store"
    seedfs_start "$store" "$mnt"
    check_promises
    check_restic
    snapshots=$((snapshots + $(wc -l <snapshots)))
    # Killed again with nothing at work: opening after a crash leaves a store that opens again.
    ((round % 7)) || seedfs_kill
    seedfs_stop "$SEEDFS_PID" "$mnt"
    check_store "$store"
done
((promises_seen > rounds * 5)) || fail "hardly a promise was given: $promises_seen in $rounds rounds"
((snapshots || rounds < 12)) || fail "restic finished no snapshot in $rounds rounds"
say "passed: $rounds kills, $promises_seen promises looked at, $snapshots restic snapshots"
