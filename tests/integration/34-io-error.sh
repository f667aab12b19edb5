#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The disk below fails: who waits for it gets EIO, and so does every later fsync; nothing is tried again, since
# a second fsync succeeds without the data of the first. Changes get EROFS, reading goes on, the log says it
# once. After the next mount all that was promised is there.
source "$(dirname "$0")/lib.sh"
# shellcheck source=../lib/crash.sh
source "$tests/lib/crash.sh"
require python3 sqlite3
require_mounts

disk=$SCRATCH/disk
faultfs_start "$disk"
dd if=/dev/urandom of=first bs=1M count=3 status=none

# expect_error TEXT COMMAND...: it fails, and says so.
expect_error()
{
    local said
    said=$("${@:2}" 2>&1) && fail "succeeded: ${*:2}"
    [[ $said == *"$1"* ]] || fail "no '$1' from ${*:2}: $said"
}

check_read_only()
{
    expect_error "Read-only file system" touch "$mnt/new"
    expect_error "Read-only file system" mkdir "$mnt/directory"
    expect_error "Read-only file system" rm "$mnt/first"
    expect_error "Read-only file system" mv "$mnt/first" "$mnt/second"
    expect_error "Read-only file system" chmod 600 "$mnt/first"
    expect_error "Read-only file system" truncate -s 1 "$mnt/first"
    expect_error "Read-only file system" dd if=first of="$mnt/first" conv=notrunc status=none
    expect_error "Input/output error" seedfs sync "$mnt"
    expect_error "Input/output error" seedfs sync "$mnt"
}

# fail_at CALL NTH PATTERN [always]: a store of its own, and one call that fails while files are written and synced.
fail_at()
{
    local store=$disk/store-$1-$2-${3//[*.]/} said
    say "$1 number $2 of $3 fails"
    round=$((round + 1))
    : >seedfs.log
    forget_promises
    seedfs_start "$store" "$mnt"
    cp first "$mnt/first" && seedfs sync "$mnt"
    faultfs "$disk" fail "$@"
    timeout 20 "$writer" write "$mnt" promises "$round" 2>said || true
    grep -Eq 'Input/output error|Read-only' said || fail "the writer ended otherwise: $(<said)"
    grep -q '^failed [1-9]' "$disk/.faultfs" || fail "no call failed"
    check_read_only
    cmp first "$mnt/first"
    [[ $(grep -c 'read-only until' seedfs.log) == 1 ]] || fail "the log: $(<seedfs.log)"
    umount "$mnt"
    wait "$SEEDFS_PID" && fail "seedfs ends as if all were well"
    faultfs "$disk" heal
    # What a failed fsync lost is lost: a store that went on would miss it now.
    faultfs "$disk" cut "$round"
    seedfs_start "$store" "$mnt"
    check_promises
    cmp first "$mnt/first"
    seedfs_stop "$SEEDFS_PID" "$mnt"
    check_store "$store"
    rm -rf "$store"
}

# A single write that fails halfway is a short one, which may go on; so they all fail.
fail_at write 3 '*.pack' always
fail_at fsync 1 '*.pack'
fail_at fsync 20 '*.pack'
fail_at write 2 index.db-wal always
fail_at write 50 index.db-wal always
fail_at fsync 1 index.db-wal
fail_at fsync 10 index.db-wal
say "passed: $promises_seen promises looked at"
