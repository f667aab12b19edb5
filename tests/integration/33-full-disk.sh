#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The disk below gets full, at every step: who writes is told, nothing that was acknowledged is lost, deleting
# works, and everything goes on once there is room, without a restart. ROUNDS=6 SEED=1.
source "$(dirname "$0")/lib.sh"
# shellcheck source=../lib/crash.sh
source "$tests/lib/crash.sh"
require python3 sqlite3
require_mounts

rounds=${ROUNDS:-6}
disk=$SCRATCH/disk
store=$disk/store
RANDOM=$SEED
faultfs_start "$disk"
forget_promises

# Writes until it is told that there is no room; nothing else may stop it.
write_until_full()
{
    "$writer" write "$mnt" promises "$1" 2>"$1.said" || true
    grep -q 'No space left' "$1.said" || fail "the writer ended otherwise: $(<"$1.said")"
}

can_write() { dd if=/dev/urandom of="$mnt/room" bs=64K count=4 conv=fsync status=none; }

say "filled through the mount"
faultfs "$disk" capacity $((128 << 20))
seedfs_start "$store" "$mnt"
dd if=/dev/urandom of=first bs=1M count=8 status=none
cp first "$mnt/first" && seedfs sync "$mnt"
for n in {1..200}; do
    dd if=/dev/urandom of="$mnt/filler-$n" bs=1M count=1 conv=fsync status=none 2>said || break
done
grep -q 'No space left' said || fail "not full after $n MiB: $(<said)"
((n > 60)) || fail "full after $n MiB of 128"
for ((i = 1; i < n; i++)); do
    [[ $(stat -c %s "$mnt/filler-$i") == 1048576 ]] || fail "filler-$i is short"
done
cmp first "$mnt/first"

say "deleting gives room"
rm "$mnt"/filler-{1..20}
seedfs sync "$mnt"
wait_until 10 can_write || fail "no room after 20 MiB were deleted"
rm "$mnt"/filler-*
seedfs sync "$mnt"

# Somebody else fills the disk: bytes that were promised room have none, in packs, in the index, in its log.
for ((round = 1; round <= rounds; round++)); do
    say "round $round: full under load"
    faultfs "$disk" capacity 0
    wait_until 10 can_write || fail "round $round: does not go on"
    log_bytes=$(stat -c %s promises)
    for n in 1 2 3; do
        start write_until_full "$round-$n"
        writers[n]=$JOB
    done
    wait_until 60 is_longer promises "$log_bytes" || fail "round $round: nobody writes"
    sleep "0.$((RANDOM % 10))"
    faultfs "$disk" room $((RANDOM % 40 * 4096))
    sleep "0.$((RANDOM % 10))"
    # What the store had held back is taken from it, too.
    faultfs "$disk" room $((RANDOM % 3 * 4096))
    for n in 1 2 3; do
        wait "${writers[n]}" || fail "round $round: writer $n"
    done
    cmp first "$mnt/first"
    ! can_write 2>/dev/null || fail "round $round: wrote to a full disk"
    rm -f "$mnt/room"
    check_promises
    case $((round % 3)) in
    1) faultfs "$disk" room $((64 << 20)) ;;
    2) # killed while it waits for room
        seedfs_kill
        seedfs_unmount "$mnt"
        faultfs "$disk" cut "$round"
        faultfs "$disk" capacity 0
        seedfs_start "$store" "$mnt"
        ;;
    0) # unmounted while it waits: it ends when there is room
        (sleep 2 && faultfs "$disk" capacity 0) &
        seedfs_stop "$SEEDFS_PID" "$mnt"
        seedfs_start "$store" "$mnt"
        ;;
    esac
    wait_until 10 can_write || fail "round $round: does not go on"
    check_promises
done
seedfs_stop "$SEEDFS_PID" "$mnt"
check_store "$store"

say "mounted on a full disk"
faultfs "$disk" room 0
seedfs_start "$store" "$mnt"
check_promises
cmp first "$mnt/first"
rm "$mnt/first"
faultfs "$disk" capacity 0
wait_until 10 can_write || fail "does not go on after it was mounted on a full disk"
seedfs_stop "$SEEDFS_PID" "$mnt"
for said in 'is full' 'has room again'; do
    grep -q "$said" seedfs.log || fail "the log does not say '$said'"
done
say "mounted on a full disk where nothing is held back any more"
mkdir small
mount -t tmpfs -o size=32m small small
on_exit umount small
seedfs_mount small/store "$mnt"
cp "$SEEDSHIP_BIN/seedfs" "$mnt/file"
seedfs_unmount "$mnt"
rm small/store/ballast
dd if=/dev/zero of=small/filler bs=4K status=none 2>said || grep -q 'No space left' said
for command in "mount small/store $mnt" "check small/store"; do
    # shellcheck disable=SC2086
    expect_exit 1 seedfs $command
    expect_text 'no space left'
done
seedfs mount -o ro small/store "$mnt"
cmp "$SEEDSHIP_BIN/seedfs" "$mnt/file"
seedfs_unmount "$mnt"
rm small/filler
seedfs_mount small/store "$mnt"
cp "$SEEDSHIP_BIN/seedfs" "$mnt/second"
seedfs_unmount "$mnt"
check_store small/store

((promises_seen > rounds * 10)) || fail "hardly a promise was given: $promises_seen"
say "passed: $promises_seen promises looked at"
