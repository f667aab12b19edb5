#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# kill -9 of seedship export in each phase and at moments in between: run again, it finishes, and the drive
# is whole for dislocker, too. ROUNDS=8 SEED=1; tools/torture runs it for hours.
source "$(dirname "$0")/lib.sh"
require sqlite3 dislocker-fuse ntfs-3g sgdisk python3
require_mounts

rounds=${ROUNDS:-8}
store=$SCRATCH/store
source=$SCRATCH/source
image=$SCRATCH/drive.img
journals=$SCRATCH/journals
RANDOM=$SEED
make_tree "$source" "$SEED" --sparse-mib 64 --bulk-mib "${BULK_MIB:-256}"

seedfs_mount "$store" mnt
mkdir mnt/tree
tar -C "$source" --xattrs --sparse -cf - . | tar -C mnt/tree --xattrs --xattrs-include='*' -xpf -
seedfs_unmount mnt
new_job seed1 "$store"
cp "$store/shipping.db" fresh.db

run_export()
{
    seedship export seed1 "$image" --store "$store" --size 1G --serial TORTURE1 --journal-dir "$journals"
}

# The phase that shipping.db has on record for the drive.
phase()
{
    sqlite3 -readonly -cmd '.timeout 2000' "$store/shipping.db" \
        "SELECT coalesce((SELECT phase FROM drives), 'none')" 2>/dev/null || echo unknown
}

is_in_phase_or_gone() { [[ $(phase) == "$1" ]] || is_gone "$JOB"; }

# A drive never handled before, and a job that knows of none.
start_over()
{
    rm -rf "$image" "$journals" "$store"/shipping.db*
    cp fresh.db "$store/shipping.db"
    mkdir "$journals"
}

start_export()
{
    start run_export >export.log 2>&1
}

# Unfinished drives must not look finished: as long as it is not sealed, dislocker finds no volume.
check_unfinished()
{
    case $(phase) in
    sealed | verified) ;;
    *)
        [[ ! -s $image ]] || ! grep -aqF -e '-FVE-FS-' <(dd if="$image" bs=512 skip=2048 count=1 status=none) ||
            fail "$1: the drive is not sealed, yet its first sector says BitLocker"
        ;;
    esac
}

# Runs the export to its end and has the drive checked by our own verify; sometimes by a stranger, too.
finish()
{
    local journal
    expect_exit 0 run_export
    journal=$(journal_in "$journals")
    expect_exit 0 seedship verify "$image" --journal "$journal"
    [[ $2 == stranger ]] || return 0
    recovery_password "$journal" >key
    open_bitlocker "$image" "$SCRATCH/bitlocker" <key
    expect_exit 0 ntfsfix --no-action bitlocker/dislocker-file
    open_ntfs "$SCRATCH/bitlocker" "$SCRATCH/ntfs"
    expect_exit 0 compare_drive ntfs "$source" --blobs seed/tree --staged tree --shipping "$store/shipping.db"
    close_ntfs "$SCRATCH/bitlocker" "$SCRATCH/ntfs"
    close_bitlocker "$image" "$SCRATCH/bitlocker"
}

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

sleep_ms() { sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"; }

say "uninterrupted"
start_over
began=$(now_ms)
expect_exit 0 run_export
whole_ms=$(($(now_ms) - began))
finish uninterrupted stranger

say "killed while it lays out"
for ms in 30 100 200 300 400; do
    start_over
    start_export
    sleep_ms "$ms"
    stop "$JOB"
    say "  stopped after $ms ms in phase $(phase)"
    check_unfinished "after $ms ms"
    finish "after $ms ms" ''
done

for want in laid_out streaming sealed verified; do
    say "killed in phase $want"
    start_over
    start_export
    wait_until 120 is_in_phase_or_gone "$want" || fail "phase $want was not reached: $(<export.log)"
    stop "$JOB"
    was=$(phase)
    say "  stopped in phase $was"
    check_unfinished "$want"
    finish "$want" stranger
done

say "killed at $rounds moments, twice each"
declare -A seen=()
for ((round = 1; round <= rounds; round++)); do
    start_over
    for attempt in 1 2; do
        start_export
        ms=$((RANDOM % (whole_ms / attempt) + 1))
        sleep_ms "$ms"
        stop "$JOB"
        was=$(phase)
        seen[$was]=$((${seen[$was]:-0} + 1))
        check_unfinished "round $round, attempt $attempt, after $ms ms"
    done
    finish "round $round" "$( ((round % 4)) || echo stranger)"
done
for was in "${!seen[@]}"; do
    say "  phase $was: ${seen[$was]} kills"
done
[[ ${seen[streaming]:-} ]] || ((rounds < 8)) || fail "no kill hit the streaming"
say "passed"
