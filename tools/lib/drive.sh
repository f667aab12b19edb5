# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Opens a prepared drive the way a stranger would: partition by sgdisk, BitLocker by dislocker, NTFS by
# ntfs-3g, all in user space and without a line of Seedship. Needs scope.sh.

drive_lib=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# Whether something is mounted on this directory, dead FUSE mounts included.
is_mounted()
{
    awk -v dir="$(realpath -ms "$1")" '$5 == dir { found = 1 } END { exit !found }' /proc/self/mountinfo
}

# Whether no process has this file open.
is_released()
{
    ! find /proc/[0-9]*/fd -lname "$(realpath -ms "$1")" -print -quit 2>/dev/null | grep -q .
}

# Unmounts a FUSE directory and waits until the daemon behind it has written everything to the file.
unmount_and_release()
{
    local dir=$1 file=$2
    is_mounted "$dir" || return 0
    wait_until 20 umount "$dir" || umount --lazy "$dir"
    wait_until 60 is_released "$file"
}

# The recovery password that a journal holds, on stdout; also that of a drive that is not finished.
recovery_password()
{
    grep -aoE 'BitLockerKey(: |>)[0-9]{6}(-[0-9]{6}){7}' "$1" | tail -n 1 | sed 's/.*[ >]//'
}

# Where the first partition of an image begins, in bytes.
partition_offset()
{
    local sector
    sector=$(sgdisk --info=1 "$1" | awk '/^First sector:/ { print $3 }')
    [[ $sector ]] || return 1
    echo $((sector * 512))
}

# open_bitlocker IMAGE DIR [rw] <PASSWORD: DIR/dislocker-file is the decrypted volume.
open_bitlocker()
{
    local image=$1 dir=$2 mode=${3:-ro} offset options=(--readonly) fuse_options=()
    [[ $mode == ro ]] || options=() fuse_options=(-o big_writes)
    offset=$(partition_offset "$image")
    mkdir -p "$dir"
    on_exit close_bitlocker "$image" "$dir"
    "$drive_lib/type-password" dislocker-fuse --volume "$image" --offset "$offset" "${options[@]}" \
        --recovery-password -- "${fuse_options[@]}" "$dir"
    wait_until 20 test -s "$dir/dislocker-file"
}

close_bitlocker()
{
    unmount_and_release "$2" "$1"
}

# open_ntfs DIR NTFS [rw]: mounts the volume that open_bitlocker put into DIR.
open_ntfs()
{
    local dir=$1 ntfs=$2 mode=${3:-ro}
    mkdir -p "$ntfs"
    on_exit close_ntfs "$dir" "$ntfs"
    ntfs-3g -o "$mode" "$dir/dislocker-file" "$ntfs"
}

close_ntfs()
{
    unmount_and_release "$2" "$1/dislocker-file"
}
