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

# A stranger finds a volume as soon as its first sector says so, and only then.
looks_finished()
{
    [[ -s $image ]] && dd if="$image" bs=512 skip=2048 count=1 status=none | grep -aqF -e '-FVE-FS-'
}

# The whole drive as a stranger sees it.
check_as_stranger()
{
    recovery_password "$(journal_in "$journals")" >key
    open_bitlocker "$image" "$SCRATCH/bitlocker" <key
    expect_exit 0 ntfsfix --no-action bitlocker/dislocker-file
    open_ntfs "$SCRATCH/bitlocker" "$SCRATCH/ntfs"
    expect_exit 0 compare_drive ntfs "$source" --blobs seed/tree --staged tree --shipping "$store/shipping.db"
    close_ntfs "$SCRATCH/bitlocker" "$SCRATCH/ntfs"
    close_bitlocker "$image" "$SCRATCH/bitlocker"
}

# A drive that was cut off looks unfinished, or it is finished to the last byte.
check_cut_off()
{
    ! looks_finished || check_as_stranger
}

# Runs the export to its end and has the drive checked by our own verify; sometimes by a stranger, too.
finish()
{
    expect_exit 0 run_export
    expect_exit 0 seedship verify "$image" --journal "$(journal_in "$journals")"
    [[ ${1:-} != stranger ]] || check_as_stranger
}

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

sleep_ms() { sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"; }

say "uninterrupted"
start_over
began=$(now_ms)
expect_exit 0 run_export
whole_ms=$(($(now_ms) - began))
looks_finished || fail "a finished drive does not look finished"
finish stranger

say "killed while it lays out"
for ms in 30 100 200 300 400; do
    start_over
    start_export
    sleep_ms "$ms"
    stop "$JOB"
    say "  stopped after $ms ms in phase $(phase)"
    check_cut_off
    finish
done

for want in laid_out streaming sealed verified; do
    say "killed in phase $want"
    start_over
    start_export
    wait_until 120 is_in_phase_or_gone "$want" || fail "phase $want was not reached: $(<export.log)"
    stop "$JOB"
    was=$(phase)
    say "  stopped in phase $was"
    check_cut_off
    finish stranger
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
        say "  round $round, attempt $attempt: stopped after $ms ms in phase $was"
        seen[$was]=$((${seen[$was]:-0} + 1))
        check_cut_off
    done
    if ((round % 4)); then finish; else finish stranger; fi
done
for was in "${!seen[@]}"; do
    say "  phase $was: ${seen[$was]} kills"
done
[[ ${seen[streaming]:-} ]] || ((rounds < 8)) || fail "no kill hit the streaming"
say "passed"
