#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a random test reaches badly: rights, ACLs, locks, mappings, times, huge directories, file handles, copies.
# ENTRIES=100000; tools/torture makes a million.
source "$(dirname "$0")/lib.sh"
require python3 setfacl getfacl setpriv setfattr rsync tar sqlite3
require_mounts

store=$SCRATCH/store
mnt=$SCRATCH/mnt
chmod 755 "$SCRATCH" # an ordinary user comes by
seedfs_mount "$store" "$mnt"

say "rights, locks, mappings, times, paths"
mkdir "$mnt/checks"
"$tests/lib/posix-checks" "$mnt/checks" >said 2>&1 || fail "$(<said)"

say "ACLs give and take rights, and are inherited"
as_user() { setpriv --reuid 12345 --regid 12345 --clear-groups "$@"; }
mkdir "$mnt/acl"
echo secret >"$mnt/acl/file"
chmod 600 "$mnt/acl/file"
as_user cat "$mnt/acl/file" 2>/dev/null && fail "a file of mode 600 can be read"
setfacl -m u:12345:r "$mnt/acl/file"
[[ $(as_user cat "$mnt/acl/file") == secret ]] || fail "an ACL does not let its user in"
[[ $(stat -c %a "$mnt/acl/file") == 640 ]] || fail "the mode does not show the mask"
chmod g= "$mnt/acl/file"
as_user cat "$mnt/acl/file" 2>/dev/null && fail "an ACL counts beyond its mask"
setfacl -m d:u:12345:rwX,d:m:rwx "$mnt/acl"
setfacl -m u:12345:rwx "$mnt/acl"
(umask 077 && mkdir "$mnt/acl/sub" && echo new >"$mnt/acl/sub/file")
as_user sh -c "echo more >>'$mnt/acl/sub/file' && touch '$mnt/acl/sub/own'" || fail "a default ACL is not inherited"
getfacl --absolute-names --recursive --numeric "$mnt/acl" >acl.before
seedfs_unmount "$mnt"
seedfs_mount "$store" "$mnt"
getfacl --absolute-names --recursive --numeric "$mnt/acl" >acl.after
expect_same acl.before acl.after "the ACLs after a remount"
setfacl -R -b "$mnt/acl"
getfacl --absolute-names "$mnt/acl/file" | grep -q "^mask" && fail "setfacl -b leaves an ACL"

say "file handles outlive a remount"
mkdir -p "$mnt/handles/dir/inner"
for name in kept dir/kept dir/inner/kept gone; do
    printf %s "$mnt/handles/$name" >"$mnt/handles/$name"
done
"$tests/lib/file-handles" save "$mnt"/handles/{kept,dir,dir/kept,dir/inner,dir/inner/kept,gone} >handles
rm "$mnt/handles/gone"
check_handles()
{
    "$tests/lib/file-handles" check "$mnt" <handles | sed "s,^$mnt/handles/,," >got
    printf '%s\n' "kept ok" "dir ok" "dir/kept ok" "dir/inner ok" "dir/inner/kept ok" "gone stale" >want
    expect_same want got "file handles $1"
}
check_handles "at once"
seedfs_unmount "$mnt"
seedfs_mount "$store" "$mnt"
check_handles "after a remount"

say "a directory of ${ENTRIES:=100000} entries"
"$tests/lib/big-directory" "$mnt/big" "$ENTRIES" >said 2>&1 || fail "$(<said)"
say "$(tr '\n' ' ' <said)"

say "copies keep everything"
make_tree source "$SEED" --sparse-mib 64 --bulk-mib 4
setfacl -m u:12345:rw,m::rwx source/kinds/original
setfacl -m d:u:12345:rwx source/kinds/empty
setfattr -n trusted.t -v 1 source/kinds/original
mknod source/kinds/device c 1 3
# rsync leaves a new node's mtime alone when it is of the right second, also on ext4.
touch -d '2001-02-03 04:05:06.789' source/kinds/{device,}
tree_facts source >want
for way in cp tar rsync; do
    mkdir "$mnt/$way" "back-$way"
done
cp -a source/. "$mnt/cp" && cp -a "$mnt/cp/." back-cp
pack=(tar -S --acls --xattrs --xattrs-include='*')
"${pack[@]}" -C source -cf - . | "${pack[@]}" -C "$mnt/tar" -xpf -
"${pack[@]}" -C "$mnt/tar" -cf - . | "${pack[@]}" -C back-tar -xpf -
rsync -aHAXS source/ "$mnt/rsync" && rsync -aHAXS "$mnt/rsync/" back-rsync
for way in cp tar rsync; do
    tree_facts "$mnt/$way" >got
    expect_same want got "the copy by $way"
    tree_facts "back-$way" >got
    expect_same want got "the copy back by $way"
    (($(stat -c %b "back-$way/bulk/sparse") * 512 < 8 << 20)) || fail "$way fills the holes of a sparse file"
done

say "statfs tells of the disk below"
read -r free total < <(stat -f -c '%a %b' "$mnt")
block=$(stat -f -c %S "$mnt")
read -r free_below total_below < <(stat -f -c '%a %b' "$store")
block_below=$(stat -f -c %S "$store")
((total * block == total_below * block_below)) || fail "total $((total * block)) is not the disk's"
difference=$((free_below * block_below - free * block))
((difference >= 0 && difference < 2 << 30)) || fail "free space differs by $difference"
fallocate -l 8T "$mnt/too-large" 2>/dev/null && fail "8 TiB can be allocated"
[[ $(stat -c %s "$mnt/too-large") == 0 ]] || fail "a refused fallocate changes the size"

say "files unlinked while open leave nothing behind"
exec 9>"$mnt/orphan"
rm "$mnt/orphan"
head -c 3000000 /dev/urandom >&9
sync "$mnt"
[[ $(sqlite3 -readonly "$store/index.db" 'SELECT count(*) FROM orphan') == 1 ]] || fail "no orphan in the index"
exec 9>&-
seedfs_unmount "$mnt"
[[ $(sqlite3 -readonly "$store/index.db" 'SELECT count(*) FROM inode WHERE nlink = 0') == 0 ]] ||
    fail "a file without a name is left"
check_index "$store"
say "passed"
