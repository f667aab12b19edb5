#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A nasty tree through the whole product, for every cipher; then readers that know nothing of Seedship take
# the drive apart: dislocker, libbde, cryptsetup, the tools of ntfs-3g, sleuthkit. The sparse file of several
# GiB goes onto the first drive only.
source "$(dirname "$0")/lib.sh"
require dislocker-fuse bdemount bdeinfo cryptsetup ntfs-3g ntfsfix ntfsresize fls sgdisk sqlite3 jq python3
require_mounts

store=$SCRATCH/store
source=$SCRATCH/source
wrong=111111-222222-333333-444444-555555-666666-000011-720885
make_tree "$source" "$SEED" --sparse-mib "${SPARSE_MIB:-3072}"

say "staging"
seedfs_mount "$store" mnt
mkdir mnt/tree
tar -C "$source" --xattrs --sparse -cf - . | tar -C mnt/tree --xattrs --xattrs-include='*' -xpf -
seedfs_unmount mnt

# The volume without BitLocker: clean for every checker, and every file in it.
check_ntfs()
{
    local volume=$1
    expect_exit 0 ntfsfix --no-action "$volume"
    expect_exit 0 ntfsresize --info --force --no-progress-bar "$volume"
    expect_exit 0 fls -f ntfs -r -p "$volume"
    expect_text 'DriveManifest\.xml' 'System Volume Information/FVE2\.'
}

check_files()
{
    expect_exit 0 compare_drive "$1" "$source" --blobs seed/spring/2026/tree --staged tree \
        --shipping "$store/shipping.db"
    say "  $OUT"
}

check_dislocker()
{
    local image=$1 key=$2 name=$3
    expect_exit 1 "$drive_lib/type-password" dislocker-fuse --volume "$image" \
        --offset "$(partition_offset "$image")" --readonly --recovery-password -- . <<<"$wrong"
    open_bitlocker "$image" "$SCRATCH/dis-$name" <"$key"
    check_ntfs "$SCRATCH/dis-$name/dislocker-file"
    open_ntfs "$SCRATCH/dis-$name" "$SCRATCH/ntfs-$name"
    check_files "ntfs-$name"
    close_ntfs "$SCRATCH/dis-$name" "$SCRATCH/ntfs-$name"
    close_bitlocker "$image" "$SCRATCH/dis-$name"
}

# cryptsetup wants a device: the partition as a loop device, read-only.
check_cryptsetup()
{
    local image=$1 key=$2 mode=$3 bits=$4 sectors loop
    sectors=$(sgdisk --info=1 "$image" | awk '/^Partition size:/ { print $3 }')
    loop_attach "$image" --read-only --offset "$(partition_offset "$image")" --sizelimit $((sectors * 512))
    loop=$LOOP
    expect_exit 0 cryptsetup bitlkDump "$loop"
    expect_text "Cipher mode:[[:space:]]+$mode" "Cipher key:[[:space:]]+$bits bits" 'protected with recovery passphrase'
    expect_exit 0 cryptsetup open --type bitlk --test-passphrase "$loop" --key-file - <"$key"
    expect_exit 1 cryptsetup open --type bitlk --test-passphrase "$loop" --key-file - <<<"$wrong"
    loop_detach "$loop" "$image"
}

# Debian's libbde knows neither XTS with 256 bits nor more than 1 TiB. It takes the password as an argument
# only, which is no harm here.
check_libbde()
{
    local image=$1 key=$2 name=$3 offset
    offset=$(partition_offset "$image")
    expect_exit 1 bdeinfo -o "$offset" -r "$wrong" "$image" </dev/null
    expect_exit 0 bdeinfo -o "$offset" -r "$(<"$key")" "$image" </dev/null
    mkdir "bde-$name" "bdentfs-$name"
    on_exit unmount_and_release "$SCRATCH/bde-$name" "$image"
    expect_exit 0 bdemount -o "$offset" -r "$(<"$key")" "$image" "bde-$name" </dev/null
    check_ntfs "bde-$name/bde1"
    on_exit unmount_and_release "$SCRATCH/bdentfs-$name" "$SCRATCH/bde-$name/bde1"
    ntfs-3g -o ro "bde-$name/bde1" "bdentfs-$name"
    check_files "bdentfs-$name"
    unmount_and_release "$SCRATCH/bdentfs-$name" "$SCRATCH/bde-$name/bde1"
    unmount_and_release "$SCRATCH/bde-$name" "$image"
}

# export_and_read CIPHER MODE BITS READER...: MODE and BITS are cryptsetup's words; CIPHER may be "default".
export_and_read()
{
    local cipher=$1 mode=$2 bits=$3 image journal key reader options=()
    shift 3
    say "$cipher"
    [[ $cipher == default ]] || options=(--cipher "$cipher")
    image=$SCRATCH/$cipher.img
    mkdir "journal-$cipher"
    new_job "seed-${cipher//_/-}" "$store" --blob-prefix spring/2026
    expect_exit 0 seedship export "seed-${cipher//_/-}" "$image" --store "$store" --size "${IMAGE_SIZE:-4G}" \
        "${options[@]}" --serial "S-$cipher" --journal-dir "journal-$cipher" --json
    jq -e . .out >/dev/null || fail "export --json: $OUT"
    journal=$(journal_in "journal-$cipher")
    [[ $journal == */S-$cipher.jrn && $(stat -c %a "$journal") == 600 ]] || fail "journal $journal"
    key=$SCRATCH/$cipher.key
    recovery_password "$journal" | tr -d '\n' >"$key"
    [[ $(<"$key") =~ ^[0-9]{6}(-[0-9]{6}){7}$ ]] || fail "no recovery password in $journal"
    grep -aqF "$(<"$key")" "$store"/*.db* && fail "the recovery password stands in the store"
    expect_exit 0 sgdisk --verify "$image"
    expect_text 'No problems found'
    expect_exit 0 sgdisk --info=1 "$image"
    expect_text 'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7'
    expect_exit 0 seedship verify "$image" --journal "$journal"
    for reader; do
        case $reader in
        dislocker) check_dislocker "$image" "$key" "$cipher" ;;
        cryptsetup) check_cryptsetup "$image" "$key" "$mode" "$bits" ;;
        libbde) check_libbde "$image" "$key" "$cipher" ;;
        esac
    done
    rm "$image"
}

export_and_read default xts-plain64 512 dislocker cryptsetup
seedfs_mount "$store" mnt
rm mnt/tree/bulk/sparse "$source/bulk/sparse"
seedfs_unmount mnt
export_and_read xts_aes128 xts-plain64 256 dislocker cryptsetup libbde
export_and_read aes256 cbc-eboiv 256 dislocker cryptsetup libbde
export_and_read aes128 cbc-eboiv 128 dislocker cryptsetup libbde

say "what did not ship is on record, once per drive and with its reason"
sqlite3 -readonly -csv "$store/shipping.db" \
    "SELECT kind, count(*), min(reason) FROM omissions GROUP BY kind ORDER BY kind" | tee kinds
for kind in symlink special empty-directory hard-link; do
    grep -q "^$kind," kinds || fail "no omission of the kind $kind"
done
say "passed"
