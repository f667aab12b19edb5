#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# kill -9 of seedfs at random moments: whatever was fsynced is there and whole after the next mount.
# ROUNDS=50 SEED=1; tools/torture runs it for hours.
source "$(dirname "$0")/lib.sh"
require python3 restic sqlite3 jq
require_mounts

rounds=${ROUNDS:-50}
store=$SCRATCH/store
mnt=$SCRATCH/mnt
writer=$tests/lib/fsync-writer
RANDOM=$SEED
export RESTIC_PASSWORD=scratch RESTIC_CACHE_DIR=$SCRATCH/restic-cache
make_tree source "$SEED" --sparse-mib 1 --bulk-mib 4

# Lets a round work for a while: mostly briefly, sometimes for several commits, each time for another while. The
# time counts from the first sign of life. Leaves it in $ms.
let_it_work()
{
    local kind=$1 before=$2
    ms=$((RANDOM % (RANDOM % 4 ? 400 : 2500) + 1))
    case $kind in
    write_durably) wait_until 60 is_longer promises "$before" || fail "the writer does not write" ;;
    backup) ms=$((ms + 1500 + RANDOM % 3500)) ;;
    esac
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

is_longer() { (($(stat -c %s "$1") > $2)); }

# write_durably ROUND: each fsync that returns is a promise, noted in the file promises.
write_durably()
{
    "$writer" write "$mnt" "$SCRATCH/promises" "$1" 2>/dev/null || true # until the kill
}

# backup ROUND: each snapshot that restic reports is a promise, noted in the file snapshots.
backup()
{
    local n
    if [[ ! -e $mnt/restic/config ]]; then
        rm -rf "$mnt/restic"
        restic --quiet init --repo "$mnt/restic" || return
    fi
    for n in {1..100}; do
        echo "round $1, change $n" >"$SCRATCH/source/changing"
        restic backup --json --force --repo "$mnt/restic" "$SCRATCH/source/many" \
            "$SCRATCH/source/changing" "$SCRATCH/source/bulk/noise-$((n % 4))" >said || return
        jq -r 'select(.message_type == "summary").snapshot_id' said >>snapshots
    done
} 2>/dev/null

# Every snapshot restic was told about is in the repository, and all data it refers to is whole.
check_restic()
{
    [[ -s snapshots ]] || return 0
    restic --quiet unlock --remove-all --repo "$mnt/restic" || fail "round $1: restic unlock"
    restic list snapshots --repo "$mnt/restic" >have || fail "round $1: restic list"
    while read -r id; do
        grep -q "^${id}" have || fail "round $1: snapshot $id is gone"
    done <snapshots
    restic --quiet check --read-data --repo "$mnt/restic" >check.log 2>&1 ||
        fail "round $1: restic check: $(tail -n 20 check.log)"
}

: >promises
: >snapshots
for ((round = 1; round <= rounds; round++)); do
    kind=write_durably
    ((round % 5)) || kind=backup
    seedfs_start "$store" "$mnt"
    before=$(stat -c %s promises)
    start "$kind" "$round"
    let_it_work "$kind" "$before"
    seedfs_kill
    stop "$JOB"
    seedfs_unmount "$mnt"

    check_index "$store"
    seedfs_start "$store" "$mnt"
    "$writer" check "$mnt" promises >broken || fail "round $round ($kind, killed after $ms ms):"$'\n'"$(<broken)"
    [[ $kind == backup ]] && check_restic "$round"
    # Killed again with nothing at work: opening after a crash leaves a store that opens again.
    ((round % 7)) || seedfs_kill
    seedfs_stop "$SEEDFS_PID" "$mnt"
    check_index "$store"
done
(($(grep -c '"done"' promises) > rounds)) || fail "hardly a promise was given in $rounds rounds"
[[ -s snapshots ]] || ((rounds < 20)) || fail "restic finished no snapshot in $rounds rounds"
say "passed: $rounds kills, $(tail -n 1 broken), $(wc -l <snapshots) restic snapshots"
