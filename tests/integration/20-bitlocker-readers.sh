#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Four strangers open what exporter/bitlocker writes: cryptsetup, dislocker, libbde and blkid. No kernel mounts.
source "$(dirname "$0")/lib.sh"
require mkntfs ntfscp ntfscat ntfsls sgdisk cryptsetup dislocker-fuse bdeinfo bdemount blkid
require_mounts

mkvolume=$SEEDSHIP_BIN/tests/mkvolume
[[ -x $mkvolume ]] || fail "no $mkvolume"
other_password=111111-222222-333333-444444-555555-666666-000011-720885
files=(small.txt large.bin sparse.bin 'Ünïcödé 東京.dat' empty)

make_files()
{
    mkdir files
    printf 'a few bytes\n' >files/small.txt
    head --bytes 6000000 /dev/urandom >files/large.bin
    truncate --size 9M files/sparse.bin
    printf 'end' >>files/sparse.bin
    head --bytes 70000 /dev/urandom >"files/Ünïcödé 東京.dat"
    : >files/empty
}

# make_ntfs FILE SIZE CLUSTER
make_ntfs()
{
    local file
    truncate --size "$2" "$1"
    mkntfs --force --quick --quiet --partition-start 2048 --heads 255 --sectors-per-track 63 \
        --sector-size 512 --cluster-size "$3" "$1" 2>mkntfs.log || fail "mkntfs: $(<mkntfs.log)"
    for file in "${files[@]}"; do
        ntfscp --quiet "$1" "files/$file" "$file" || fail "ntfscp $file"
    done
}

# make_volume NTFS CIPHER: password, part.img and disk.img.
make_volume()
{
    rm -f password part.img disk.img
    expect_exit 0 "$mkvolume" "$1" "$2" password part.img disk.img
    [[ $(<password) =~ ^([0-9]{6}-){7}[0-9]{6}$ ]] || fail "no recovery password"
    [[ $(stat -c %a password) == 600 ]] || fail "anybody can read the password"
}

check_signatures()
{
    expect_exit 0 blkid --probe --output export part.img
    expect_text '^TYPE=BitLocker$'
    ! grep -q PTTYPE .out || fail "the volume header looks like a partition table"
    expect_exit 0 sgdisk --verify --print disk.img
    expect_text 'No problems found' ' 0700 +Basic data partition'
}

# check_cryptsetup MODE KEY-BITS
check_cryptsetup()
{
    expect_exit 0 cryptsetup bitlkDump part.img
    expect_text "Cipher mode: +	*$1" "Cipher key: +	*$2 bits" 'VMK protected with recovery passphrase' \
        'Sector size: +	*512' 'Description: +	*MKVOLUME Test'
    [[ $(grep -c 'VMK protected' .out) == 1 ]] || fail "more than one protector"
    expect_exit 0 cryptsetup open --type bitlk --test-passphrase part.img <password
    ! cryptsetup open --type bitlk --test-passphrase part.img <<<"$other_password" 2>/dev/null ||
        fail "cryptsetup opens it with another password"
}

# check_content VOLUME: the files in a decrypted NTFS volume.
check_content()
{
    local file
    ntfsls --force "$1" >ls.out || fail "ntfsls: $(<ls.out)"
    for file in "${files[@]}"; do
        grep -qxF -- "$file" ls.out || fail "$file is not in the volume"
        ntfscat --force "$1" "$file" | cmp - "files/$file" || fail "$file differs"
    done
}

# check_dislocker NTFS: by way of the partition table.
check_dislocker()
{
    local size
    size=$(stat -c %s "$1")
    open_bitlocker disk.img open <password >dislocker.log 2>&1 || fail "dislocker: $(<dislocker.log)"
    check_content open/dislocker-file
    tail --bytes 512 "$1" >boot.want
    dd if=open/dislocker-file bs=512 skip=$((size / 512 - 1)) count=1 of=boot.got status=none
    cmp boot.want boot.got || fail "the backup boot sector differs"
    head --bytes 8192 "$1" >boot.want
    head --bytes 8192 open/dislocker-file >boot.got
    cmp boot.want boot.got || fail "the boot sectors differ"
    close_bitlocker disk.img open
    expect_exit 1 dislocker-fuse --volume part.img "--recovery-password=$other_password" -- open
}

# bdeinfo asks on the terminal when a password is wrong: it gets none.
check_libbde()
{
    expect_exit 0 bdeinfo -r "$(<password)" part.img </dev/null
    expect_text "Encryption method.*$1" 'Number of key protectors.*1' 'Recovery password' \
        'Description.*MKVOLUME Test'
    mkdir -p bde
    on_exit unmount_and_release bde part.img
    bdemount -r "$(<password)" part.img bde >bde.log 2>&1 </dev/null || fail "bdemount: $(<bde.log)"
    wait_until 20 test -s bde/bde1 || fail "bdemount shows no volume: $(<bde.log)"
    check_content bde/bde1
    unmount_and_release bde part.img
}

make_files
make_ntfs ntfs.img 128M 4096
while read -r cipher mode bits libbde; do
    say "$cipher"
    make_volume ntfs.img "$cipher"
    check_signatures
    check_cryptsetup "$mode" "$bits"
    check_dislocker ntfs.img
    [[ ! $libbde ]] || check_libbde "$libbde"
done <<'EOF'
aes128     cbc-eboiv   128 AES-CBC 128-bit
aes256     cbc-eboiv   256 AES-CBC 256-bit
xts_aes128 xts-plain64 256 AES-XTS 128-bit
xts_aes256 xts-plain64 512
EOF

# Sector numbers beyond 32 bits, clusters of 128 sectors. libbde ends at 1 TiB.
say "a volume of 3 TiB"
rm -f ntfs.img
make_ntfs ntfs.img 3T 65536
make_volume ntfs.img xts_aes256
check_signatures
check_cryptsetup xts-plain64 512
check_dislocker ntfs.img
