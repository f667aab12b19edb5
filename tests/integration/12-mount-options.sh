#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every way to mount and to unmount: options, read-only, mount(8) and fstab, systemd, an ordinary user, SIGTERM.
source "$(dirname "$0")/lib.sh"
require setpriv unshare findmnt fusermount3 mount.fuse3 systemd-analyze sqlite3
require_mounts

PATH=$SEEDSHIP_BIN:$PATH
store=$SCRATCH/store
mnt=$SCRATCH/mnt
mkdir "$mnt"

# mount_with OPTIONS [STORE [DIR]]
mount_with()
{
    on_exit seedfs_unmount "${3:-$mnt}"
    expect_exit 0 seedfs mount "${2:-$store}" "${3:-$mnt}" -o "$1"
}

shows() { findmnt --noheadings --output "$1" "${2:-$mnt}"; }

# What a store holds, to the byte.
fingerprint() { (cd "$1" && find . -type f ! -name seedfs.log -exec sha256sum {} + -printf '%p %s %T@ %m\n' | sort); }

say "options as mount(8) and fstab write them"
list=rw,noatime,nodev,noexec,level=19,commit=1,max_memory=64M,chunk=64K,uid=65534,gid=12345,mode=2770
mount_with "$list,_netdev,nofail,noauto,user,relatime,x-systemd.automount,defaults"
[[ $(shows OPTIONS) == *nodev*noexec*noatime* ]] || fail "options: $(shows OPTIONS)"
[[ $(stat -c '%u %g %a' "$mnt") == '65534 12345 2770' ]] || fail "top directory: $(stat -c '%u %g %a' "$mnt")"
[[ $(shows SOURCE) == "$store" && $(shows FSTYPE) == fuse.seedfs ]] || fail "source: $(shows SOURCE)"
echo kept >"$mnt/file"
cp /bin/true "$mnt/true"
"$mnt/true" 2>/dev/null && fail "noexec does not hold"
expect_exit 0 seedfs umount "$mnt/"
[[ $(sqlite3 -readonly "$store/index.db" 'SELECT chunk_bytes FROM store') == 65536 ]] || fail "chunk size"

say "an unknown or wrong option is refused before anything happens"
for list in nosuchoption level=20 level=fast chunk=100K max_memory=1 commit=9999 ro=yes uid=nobody-at-all remount ro,mode=700; do
    expect_exit 2 seedfs mount "$SCRATCH/none" "$mnt" -o "$list"
    [[ $(grep -c '^seedfs: mount: ' .err) == 1 ]] || fail "not one message: $ERR"
done
expect_exit 1 seedfs mount "$SCRATCH/none" "$SCRATCH/nowhere"
expect_text 'No such file'
[[ ! -e $SCRATCH/none ]] || fail "a store was made although there was nowhere to mount it"
expect_exit 1 seedfs mount --ro "$SCRATCH/none" "$mnt"
expect_text 'No such file'
expect_exit 2 seedfs umount "$SCRATCH"
expect_text 'not a seedfs mount'
expect_exit 1 seedfs umount "$SCRATCH/nowhere"

for hidden in "$mnt" "$mnt/below"; do
    expect_exit 2 seedfs mount "$hidden" "$mnt"
    expect_text 'hidden below its own mount'
done

say "read-only: a store that cannot be written, by many, not beside a writer"
mkdir ro-store again
mount --bind "$store" ro-store
on_exit umount ro-store
mount -o remount,bind,ro ro-store
fingerprint "$store" >before
mount_with ro,noatime "$SCRATCH/ro-store"
mount_with ro "$store" "$SCRATCH/again"
[[ $(<"$mnt/file") == kept && $(<again/file) == kept ]] || fail "content differs"
for change in "touch $mnt/new" "rm $mnt/file" "mkdir $mnt/dir" "truncate -s 0 $mnt/file" "chmod 600 $mnt/file" \
    "setfattr -n user.a -v b $mnt/file" "touch $mnt/file"; do
    $change 2>.err && fail "read-only, but it did: $change"
    grep -q 'Read-only file system' .err || fail "$change: $(<.err)"
done
expect_exit 0 seedfs sync "$mnt"
expect_exit 1 seedfs mount "$store" "$SCRATCH/again"
expect_text 'in use by a read-only mount'
exec 3<"$mnt/file"
expect_exit 1 seedfs umount "$mnt"
expect_text 'busy'
exec 3<&-
expect_exit 0 seedfs umount "$mnt"
expect_exit 0 seedfs umount again
fingerprint "$store" >after
expect_same before after "the store after read-only mounts"
seedfs_start "$store" "$mnt"
expect_exit 1 seedfs mount --ro "$store" again
expect_text "in use by seedfs .pid $SEEDFS_PID., mounted at '$mnt'"
say "... also one that a crash left behind, as it was"
echo crash >"$mnt/crash"
sync "$mnt/crash"
seedfs_kill
seedfs_unmount "$mnt"
fingerprint "$store" | grep -v index.db-shm >before
mount_with ro
[[ $(<"$mnt/crash") == crash ]] || fail "committed content is not seen"
expect_exit 0 seedfs umount "$mnt"
fingerprint "$store" | grep -v index.db-shm >after
expect_same before after "the crashed store after a read-only mount"

say "paths with blanks, commas, hashes, backslashes and other languages"
odd="$SCRATCH/st ore,a=b#c\\d"$'\t'"é/"
mkdir -p "$odd" "$SCRATCH/mo unt,\\040#ü"
cd "$SCRATCH/mo unt,\\040#ü"
on_exit seedfs_unmount "$PWD"
expect_exit 0 seedfs mount "../$(basename "$odd")" .
cd ..
echo odd >"mo unt,\\040#ü/file"
expect_exit 0 seedfs sync "./mo unt,\\040#ü/../mo unt,\\040#ü//"
ln -s "mo unt,\\040#ü" link
expect_exit 2 seedfs umount "$odd"
expect_text 'it is a store, mounted at'
expect_exit 0 seedfs umount link
[[ $(sqlite3 -readonly "$odd/index.db" 'SELECT path FROM files') == file ]] || fail "the odd store"

say "the programs that mount(8) and umount(8) look for"
ln -s "$SEEDSHIP_BIN/seedfs" mount.fuse.seedfs
ln -s "$SEEDSHIP_BIN/seedfs" umount.fuse.seedfs
on_exit seedfs_unmount "$mnt"
expect_exit 0 ./mount.fuse.seedfs "$store" "$mnt" -f -o rw
is_mounted "$mnt" && fail "mount -f mounts"
expect_exit 0 ./mount.fuse.seedfs "$store" "$mnt" -sn -o rw,unheard-of -t fuse.seedfs
dd if=/dev/urandom of="$mnt/large" bs=1M count=64 status=none
expect_exit 0 ./umount.fuse.seedfs "$mnt" -n
[[ $(sqlite3 -readonly "$store/index.db" "SELECT size FROM files WHERE path = 'large'") == $((64 << 20)) ]] ||
    fail "umount returned before everything was committed"

say "mount -t fuse.seedfs, a line of fstab, umount"
mkdir local upper
printf '%s %s fuse.seedfs ro,noauto,nofail,x-comment=none 0 0\n' "$store" "$mnt" >fstab
# Installed where mount(8) and mount.fuse3 look, for the eyes of these commands only.
interruptible unshare --mount --propagation private bash -euo pipefail -s "$store" "$mnt" <<'EOF' || fail "mount(8)"
store=$1 mnt=$2
wrong() { echo "$*" >&2; umount -l "$mnt" 2>/dev/null || true; exit 1; }
options() { findmnt --noheadings --output OPTIONS "$mnt"; }
# No path to it survives mount(8) but the shell's own.
ln -s "$(command -v seedfs)" local/seedfs
mount --bind local /usr/local/bin

all_ways() # HOW
{
    mount -t fuse.seedfs "$store" "$mnt" -o noatime,level=2 || wrong "mount -t, $1"
    [[ $(<"$mnt/file") == kept && $(options) == rw,*noatime* ]] || wrong "mount -t, $1: $(options)"
    umount "$mnt" || wrong "umount, $1"
    mount --fstab fstab "$mnt" || wrong "fstab, $1"
    [[ $(options) == ro,* ]] || wrong "fstab, $1: $(options)"
    umount "$mnt" || wrong "umount, $1"
    ! mount -t fuse.seedfs "$store" "$mnt" -o nosuch 2>err || wrong "a bad option, $1"
    grep -q "unknown option 'nosuch'" err || wrong "a bad option, $1: $(<err)"
}
all_ways "by mount.fuse3"
mount -t tmpfs tmpfs upper
mkdir upper/{up,work}
mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir=upper/up,workdir=upper/work /usr/sbin
rm local/seedfs
cp -P mount.fuse.seedfs umount.fuse.seedfs /usr/sbin
ln -s mount.fuse.seedfs /usr/sbin/mount.seedfs
all_ways "by mount.fuse.seedfs"
mount -t seedfs "$store" "$mnt" || wrong "mount -t seedfs"
dd if=/dev/urandom of="$mnt/large" bs=1M count=64 status=none
umount "$mnt"
[[ ! -s $store/index.db-wal ]] || wrong "umount returned before seedfs was done"
EOF

say "SIGTERM under load: everything is committed, exit code 0"
seedfs_start "$store" "$mnt"
# Four writers; each notes what was acknowledged.
write_until_it_fails()
{
    local n=0
    exec 4>"$mnt/log-$1" 2>/dev/null || return 0
    while printf '%s record %08d %0200d\n' "$1" "$n" "$n" >&4; do
        n=$((n + 1))
        echo "$n" >"$SCRATCH/acknowledged-$1"
        ((n % 500)) || head -c 3000000 /dev/urandom >"$mnt/bulk-$1" || break
    done
}
writers=()
for i in 1 2 3 4; do
    write_until_it_fails "$i" 2>/dev/null &
    writers+=($!)
done
sleep 3
kill -TERM "$SEEDFS_PID"
status=0
wait "$SEEDFS_PID" || status=$?
((status == 0)) || fail "SIGTERM: exit code $status: $(tail -n 3 seedfs.log)"
wait "${writers[@]}"
is_mounted "$mnt" && fail "still mounted after SIGTERM"
seedfs_mount "$store" "$mnt"
for i in 1 2 3 4; do
    n=$(<"acknowledged-$i")
    ((n > 500)) || fail "writer $i was not at work: $n"
    for ((r = 0; r < n; r++)); do printf '%s record %08d %0200d\n' "$i" "$r" "$r"; done >want
    head -c "$(stat -c %s want)" "$mnt/log-$i" >got
    expect_same want got "what writer $i had been told is written ($n records)"
done
seedfs_unmount "$mnt"
check_index "$store"

say "an ordinary user"
chmod 711 "$SCRATCH"
cp "$SEEDSHIP_BIN/seedfs" "$SCRATCH/seedfs"
mkdir home home/mnt dev
chown -R nobody home
interruptible unshare --mount --propagation private bash -euo pipefail -s "$SCRATCH" <<'EOF' || fail "the ordinary user"
cd "$1"
as() { setpriv --reuid "$1" --regid nogroup --clear-groups -- "${@:2}"; }
wrong() { echo "$*" >&2; umount -l home/mnt 2>/dev/null || true; exit 1; }
# Debian lets everybody open it; a container may not.
mount -t tmpfs -o mode=755 dev dev
mknod -m 666 dev/fuse c 10 229
mount --bind dev/fuse /dev/fuse

as nobody ./seedfs mount home/store home/mnt -o noatime || wrong "mount"
as nobody cp -a /etc/passwd home/mnt/file || wrong "copy"
as nobody cmp /etc/passwd home/mnt/file || wrong "content"
[[ $(stat -c %U:%a home/store) == nobody:700 ]] || wrong "store: $(stat -c %U:%a home/store)"
as nobody ./seedfs sync home/mnt || wrong "sync"
as daemon ls home/mnt 2>/dev/null && wrong "other users are let in"
as daemon ./seedfs umount home/mnt 2>/dev/null && wrong "other users may unmount"
as nobody fusermount3 -u home/mnt || wrong "fusermount3"
as nobody ./seedfs mount home/store home/mnt || wrong "mount again"
as nobody ./seedfs umount home/mnt || wrong "umount"
as nobody ./seedfs mount home/store home/mnt -o ro || wrong "mount ro"
as nobody cmp /etc/passwd home/mnt/file || wrong "content, read-only"
as nobody ./seedfs umount home/mnt || wrong "umount, read-only"
as nobody ./seedfs mount home/store home/mnt || wrong "third mount"
./seedfs umount home/mnt || wrong "root unmounts the user's mount"
EOF

say "systemd understands the units"
sed "s|^\(Exec[A-Za-z]*=\)[^ ]*/seedfs|\1$SEEDSHIP_BIN/seedfs|" "$SEEDSHIP_BIN/fs/seedfs@.service" >"seedfs@.service"
grep -q "^ExecStart=$SEEDSHIP_BIN/seedfs mount" "seedfs@.service" || fail "the unit does not start seedfs"
cp "$SEEDSHIP_SRC/fs/systemd/mnt-staging.mount" .
for unit in seedfs@mnt-staging.service mnt-staging.mount; do
    [[ $unit != *@* ]] || cp "seedfs@.service" "$unit"
    systemd-analyze verify --man=no "$SCRATCH/$unit" >.verify 2>&1 || fail "$unit: $(<.verify)"
    grep -F "$unit" .verify >.said && fail "$unit: $(<.said)"
done
say "passed"
