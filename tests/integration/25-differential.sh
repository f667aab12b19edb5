#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same random system calls on the mount and on ext4, by several writers at once: no difference may show, also
# not after a remount, and not after a kill that followed a sync.
# OPERATIONS=210000 WRITERS=4 SEED=1; tools/torture runs it for hours.
source "$(dirname "$0")/lib.sh"
require mkfs.ext4 sqlite3
require_mounts

operations=${OPERATIONS:-210000}
writers=${WRITERS:-4}
rounds=6
store=$SCRATCH/store
mnt=$SCRATCH/mnt
local=$SCRATCH/local
difftest=$SEEDSHIP_BIN/tests/difftest

# An ext4 of its own: the scratch directory may lie on anything.
truncate -s 8G "$SCRATCH/ext4.img"
mkfs.ext4 -q "$SCRATCH/ext4.img"
mkdir "$local"
on_exit umount "$local"
mount -o loop,noatime "$SCRATCH/ext4.img" "$local"
rmdir "$local/lost+found"

compare()
{
    "$difftest" compare "$mnt" "$local" >said 2>&1 || fail "after $1: $(<said)"
    say "after $1: $(<said)"
}

seedfs_start "$store" "$mnt"
for ((round = 1; round <= rounds; round++)); do
    "$difftest" run "$((SEED * 1000 + round))" "$writers" "$((operations / rounds))" "$mnt" "$local" >said 2>&1 ||
        fail "round $round: $(<said)"
    say "round $round: $(head -n 1 said)"
    if ((round % 2)); then
        how="a clean remount"
        seedfs_stop "$SEEDFS_PID" "$mnt"
    else
        how="sync and kill -9"
        exec 9>"$mnt/unlinked" # an orphan, which the next mount removes
        rm "$mnt/unlinked"
        echo orphan >&9
        sync "$mnt"
        seedfs_kill
        exec 9>&-
        seedfs_unmount "$mnt"
    fi
    check_index "$store"
    seedfs_start "$store" "$mnt"
    compare "$how"
done
seedfs_stop "$SEEDFS_PID" "$mnt"
[[ $(sqlite3 -readonly "$store/index.db" 'SELECT count(*) FROM orphan') == 0 ]] || fail "orphans are left"
[[ $(sqlite3 -readonly "$store/index.db" 'SELECT count(*) FROM inode WHERE nlink = 0') == 0 ]] ||
    fail "files without a name are left"
say "passed"
