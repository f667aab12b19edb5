#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Real disks, played by loop devices: never the wrong one. What must not be written is refused and stays as it
# is to the last byte; what may be is shown, confirmed, written, cut off and gone on with; a reader that knows
# nothing of Seedship takes the result apart.
source "$(dirname "$0")/lib.sh"
require sqlite3 jq python3 sgdisk losetup addpart wipefs mkfs.ext4 mkntfs mkswap swapon dislocker-fuse ntfs-3g
require_mounts

SIZE_MIB=400
store=$SCRATCH/store
source=$SCRATCH/source
journals=$SCRATCH/journals
mkdir "$journals"
make_tree "$source" "$SEED" --bulk-mib "${BULK_MIB:-64}"
seedfs_mount "$store" mnt
mkdir mnt/tree
tar -C "$source" --xattrs --sparse -cf - . | tar -C mnt/tree --xattrs --xattrs-include='*' -xpf -
seedfs_unmount mnt
new_job seed1 "$store"

# ---- disks -----------------------------------------------------------------------------------

# new_disk NAME [OPTION]...: an empty disk: $DISK. Its size is no number of MiB: most disks' is none.
new_disk()
{
    local name=$1
    shift
    truncate --size $((SIZE_MIB * 1048576 + 4096)) "$name.img"
    loop_attach "$SCRATCH/$name.img" "$@"
    DISK=$LOOP
}

export_to()
{
    local disk=$1
    shift
    seedship export "${job:-seed1}" "$disk" --store "$store" --journal-dir "$journals" "$@" </dev/null
}

# All that must stay: the disk, and that nothing was begun.
facts()
{
    sha256sum <"$1"
    ls "$journals"
    sqlite3 -readonly "$store/shipping.db" 'SELECT drive_id, phase FROM drives'
}

# refused PATTERN DISK [OPTION]...: by one message, with exit code 2, and everything is as it was.
refused()
{
    local pattern=$1 disk=$2
    shift 2
    facts "$disk" >before
    expect_exit 2 export_to "$disk" "$@"
    expect_text "$pattern"
    [[ $(grep -vc '^hint: ' .err) == 1 ]] || fail "not one line of message: $ERR"
    [[ ! $OUT ]] || fail "a failure printed a result: $OUT"
    facts "$disk" >after
    expect_same before after "after '$pattern'"
    say "  $(head -n 1 .err)"
}

# The row of a disk in the list, as JSON.
row_of() { seedship drives --all --json | jq --arg path "$1" '.drives[] | select(.path == $path)'; }

# ---- refusals --------------------------------------------------------------------------------

# detach DISK: one of this story's.
detach()
{
    local file
    file=$(losetup --noheadings --output BACK-FILE "$1" 2>/dev/null) || return 0
    [[ $file != "$SCRATCH"/* ]] || loop_detach "$1" "$file"
}

# know_partition DISK: the kernel knows partition 1 as 100 MiB, also one that cannot read the table.
know_partition()
{
    wait_until 2 test -b "$1p1" || addpart "$1" 1 2048 204800
    wait_until 5 test -b "$1p1" || fail "no partition on $1"
}

# What would be accepted, were it not for the disk itself.
sure=(--serial LOOP1 --yes --format)

say "no disks"
expect_exit 2 export_to /dev/seedship-nobody "${sure[@]}" --size 400M
expect_text "is no disk"
[[ ! -e /dev/seedship-nobody ]] || fail "an image was made in /dev"
expect_exit 2 export_to /dev/null "${sure[@]}"

say "sectors of 4096 bytes"
new_disk native --sector-size 4096
refused '4096 bytes.*512-byte sectors only' "$DISK" "${sure[@]}"
[[ $(row_of "$DISK" | jq .eligible,.logical_sector_bytes | xargs) == "false 4096" ]] || fail "$(row_of "$DISK")"
detach "$DISK"

say "read-only"
new_disk readonly --read-only
refused 'is read-only' "$DISK" "${sure[@]}"
detach "$DISK"

say "in use"
new_disk used
used=$DISK
mkfs.ext4 -q -F -L precious "$used"
mkdir busy
on_exit unmount_busy
unmount_busy() { ! is_mounted "$SCRATCH/busy" || umount "$SCRATCH/busy"; }
mount -o ro,noload "$used" busy
refused "is mounted at '$SCRATCH/busy'" "$used" "${sure[@]}"
[[ $(row_of "$used" | jq -r .eligible,.holds | xargs) == "false ext4 precious" ]] || fail "$(row_of "$used")"
expect_exit 0 seedship drives --all
expect_text "$used .*ext4 'precious' +is in use"
unmount_busy
loop_attach "$used" --read-only
refused 'is built on it' "$used" "${sure[@]}"
loop_detach "$LOOP" "$used"
start python3 -c '
import os, sys, time
os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL)
open("held", "w").close()
time.sleep(600)' "$used"
wait_until 20 test -e held
refused 'another program has it for itself' "$used" "${sure[@]}"
[[ $(row_of "$used" | jq -r .reason) == *"another program"* ]] || fail "$(row_of "$used")"
stop "$JOB"
if dmsetup create seedship-test --table "0 1000 linear $used 0" 2>/dev/null; then
    on_exit dmsetup remove seedship-test
    refused "'seedship-test'\) is built on it" "$used" "${sure[@]}"
    dmsetup remove seedship-test
fi

say "swap space"
new_disk swap
mkswap -q "$DISK"
swap=$DISK
if swapon "$swap" 2>/dev/null; then
    on_exit end_swap
    end_swap() { ! grep -q "^$swap " /proc/swaps || swapoff "$swap"; }
    # Its content is the kernel's now and may change: the head is what counts.
    head -c 4096 "$swap" | sha256sum >before
    expect_exit 2 export_to "$swap" "${sure[@]}"
    expect_text 'is swap space'
    head -c 4096 "$swap" | sha256sum >after
    expect_same before after "the swap space"
    end_swap
fi
refused 'not empty; it holds swap' "$swap" --serial LOOP1 --yes
detach "$swap"

say "partitions"
new_disk parts --partscan
parts=$DISK
sgdisk --new 1:2048:+100M "$parts" >/dev/null 2>&1
know_partition "$parts"
mkfs.ext4 -q -F "${parts}p1"
mount -o ro,noload "${parts}p1" busy
refused "${parts#/dev/}p1 is mounted at '$SCRATCH/busy'" "$parts" "${sure[@]}"
unmount_busy
refused 'is a partition' "${parts}p1" "${sure[@]}"
mkntfs -Q -q -F -L BACKUP "${parts}p1" >/dev/null 2>&1
refused "not empty; it holds gpt: ntfs 'BACKUP' \\(100 MiB\\)" "$parts" --serial LOOP1 --yes
detach "$parts"

say "a disk that holds something"
refused "not empty; it holds ext4 'precious'" "$used" --serial LOOP1 --yes
refused "not empty" "$used" --serial LOOP1
expect_text '^hint: .*--format'
new_disk noise
printf x | dd of="$DISK" bs=1 seek=1000000 conv=notrunc status=none
refused 'not empty; it holds data of an unknown kind' "$DISK" --serial LOOP1 --yes
detach "$DISK"

say "an empty disk, and nobody who said so"
new_disk empty --partscan
empty=$DISK
refused 'no serial number' "$empty" --format
refused 'no serial number|--yes needs --serial' "$empty" --format --yes
refused 'nobody is there to ask' "$empty" --serial LOOP1
expect_text '^hint: .*--yes --serial LOOP1'
refused 'nobody is there to ask' "$empty" --serial LOOP1 --format
refused "'\.' is not a letter" "$empty" --serial ../LOOP1 --yes
refused 'size of its own' "$empty" --serial LOOP1 --yes --size 400M
truncate --size 50M small.img
loop_attach "$SCRATCH/small.img"
facts "$LOOP" >before
expect_exit 2 export_to "$LOOP" --serial LOOP1 --yes
expect_text 'too small' 'needs [0-9]+ bytes'
facts "$LOOP" >after
expect_same before after "a disk that is too small"
detach "$LOOP"
row_of "$empty" | jq -e '.eligible and .holds == "empty" and .serial == null' >/dev/null || fail "$(row_of "$empty")"

say "the wrong answer"
facts "$used" >before
expect_exit 2 "$tests/lib/type-answer" 'Type its serial number' LOOP2 \
    "$SEEDSHIP_BIN/seedship" export seed1 "$used" --store "$store" --journal-dir "$journals" --serial LOOP1 --format
expect_text "Holds: +ext4 'precious'" "Serial: +LOOP1" "Size: +400 MiB \\(419434496 bytes\\)" "is not the serial number"
facts "$used" >after
expect_same before after "after a wrong answer"

# ---- drives ----------------------------------------------------------------------------------

# The disk as a stranger sees it.
check_as_stranger()
{
    local disk=$1 journal=$2
    recovery_password "$journal" >key
    expect_exit 0 sgdisk --verify "$disk"
    expect_text 'No problems found'
    open_bitlocker "$disk" "$SCRATCH/bitlocker" <key
    expect_exit 0 ntfsfix --no-action bitlocker/dislocker-file
    open_ntfs "$SCRATCH/bitlocker" "$SCRATCH/ntfs"
    expect_exit 0 compare_drive ntfs "$source" --blobs seed/tree --staged tree --shipping "$store/shipping.db"
    close_ntfs "$SCRATCH/bitlocker" "$SCRATCH/ntfs"
    close_bitlocker "$disk" "$SCRATCH/bitlocker"
}

# What a drive's partition is for those who look for signatures.
check_signatures()
{
    loop_attach "$1" --read-only --offset 1048576 --sizelimit $(((SIZE_MIB - 2) * 1048576))
    expect_exit 0 wipefs --no-act --parsable "$LOOP"
    [[ $(grep -vc '^#' .out) == 1 && $OUT == *BitLocker* ]] || fail "signatures: $OUT"
    loop_detach "$LOOP" "$1"
    [[ $(row_of "$1" | jq -r .holds) == "gpt: BitLocker ($((SIZE_MIB - 2)) MiB)" ]] || fail "$(row_of "$1")"
}

# Signatures of a former life where the drive's partition will be, and beyond: ISO 9660, Linux RAID 0.90, a
# GPT whose backup table is somewhere else.
haunt()
{
    sgdisk --clear --new 1:2048:+100M "$1" >/dev/null 2>&1
    python3 - "$1" "$SIZE_MIB" <<'PYTHON'
import struct, sys
MIB = 1 << 20
size_mib = int(sys.argv[2])
with open(sys.argv[1], "r+b") as disk:
    disk.seek(MIB + 32768)
    disk.write(b"\x01CD001\x01\x00".ljust(2048, b"\0"))
    for end in (size_mib - 1) * MIB, disk.seek(0, 2):
        disk.seek(end // 65536 * 65536 - 65536)
        disk.write(struct.pack("<IIII", 0xA92B4EFC, 0, 90, 0))
PYTHON
}

say "a script: --yes --serial, over a disk with a former life"
haunt "$empty"
know_partition "$empty"
refused 'not empty' "$empty" --serial SCRIPT1 --yes
# Nothing is left half done by a refusal, so this one begins.
expect_exit 0 export_to "$empty" --serial SCRIPT1 --yes --format --json
jq -e '.drive_id == "SCRIPT1" and .verified and (.resumed | not)' .out >/dev/null || fail "$OUT"
expect_text "Serial: +SCRIPT1" 'Holds: +linux_raid_member and gpt: iso9660'
[[ $(cat "/sys/class/block/${empty#/dev/}p1/size" 2>/dev/null) != 204800 ]] || fail "the kernel knows the old partition"
check_signatures "$empty"
expect_exit 0 seedship verify "$empty" --journal "$journals/SCRIPT1.jrn"
check_as_stranger "$empty" "$journals/SCRIPT1.jrn"
expect_exit 0 export_to "$empty" --serial SCRIPT1
expect_text 'complete and verified already'
refused 'not empty; it holds gpt: BitLocker' "$empty" --serial OTHER1 --yes
detach "$empty"

say "a person: the serial number is typed"
new_job seed2 "$store"
expect_exit 0 "$tests/lib/type-answer" 'Type its serial number' TYPED1 \
    "$SEEDSHIP_BIN/seedship" export seed2 "$used" --store "$store" --journal-dir "$journals" --serial TYPED1 --format
expect_text "Holds: +ext4 'precious'" 'Verified: +yes'
check_as_stranger "$used" "$journals/TYPED1.jrn"
detach "$used"

phase_of()
{
    sqlite3 -readonly -cmd '.timeout 2000' "$store/shipping.db" \
        "SELECT coalesce((SELECT phase FROM drives WHERE drive_id = '$1'), 'none')" 2>/dev/null || echo unknown
}

is_in_phase_or_gone() { [[ $(phase_of KILLED1) == "$1" ]] || is_gone "$JOB"; }

say "killed: it goes on unasked, under whatever name the disk has by then"
new_job seed3 "$store"
job=seed3
new_disk killed
killed=$DISK
start export_to "$killed" --serial KILLED1 --yes >export.log 2>&1
wait_until 120 is_in_phase_or_gone streaming || fail "no streaming: $(<export.log)"
stop "$JOB"
[[ $(phase_of KILLED1) == streaming ]] || fail "it was in phase $(phase_of KILLED1)"
# Another disk of that size, which gets the number that has become free.
detach "$killed"
new_disk stranger
refused 'not the disk that drive KILLED1 was begun on' "$DISK" --serial KILLED1 --yes --format
sgdisk --clear --new 1:2048:0 "$DISK" >/dev/null 2>&1
refused 'not the disk that drive KILLED1 was begun on' "$DISK" --serial KILLED1 --yes --format
truncate --size +1M stranger.img
losetup --set-capacity "$DISK"
refused 'was begun on a disk of 419434496 bytes' "$DISK" --serial KILLED1 --yes --format
# The stranger still has that number.
loop_attach "$SCRATCH/killed.img"
DISK=$LOOP
expect_exit 0 export_to "$DISK" --serial KILLED1
expect_text 'Resumed: +yes' "Target: +$DISK" 'Verified: +yes'
expect_exit 0 seedship verify "$DISK" --journal "$journals/KILLED1.jrn"
check_as_stranger "$DISK" "$journals/KILLED1.jrn"
say "passed"
